//! The description of the API, made from the same table that answers.

use crate::rights::Role;
use crate::routes::{ROUTES, Route, What};
use crate::sight::{AFTER, POSITION};
use serde_json::{Map, Value, json};
use store::query::parameters;

/// OpenAPI 3.1.
pub(crate) fn description() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let method = route.method().to_lowercase();
        paths.insert(route.path.to_owned(), json!({ method: operation(route) }));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "wirecross",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Times are nanoseconds since the Unix epoch, prices and values in \
                            1/10,000 of the currency.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "signature": {
                    "type": "apiKey", "in": "header", "name": "X-Wirecross-Signature",
                    "description": "HMAC-SHA256, as docs/api.md describes it.",
                },
            },
            "schemas": { "Error": error() },
        },
    })
}

fn error() -> Value {
    json!({
        "type": "object", "required": ["error"],
        "properties": { "error": {
            "type": "object", "required": ["code", "message"],
            "properties": { "code": { "type": "string" }, "message": { "type": "string" } },
        } },
    })
}

fn operation(route: &Route) -> Value {
    let roles: Vec<&str> = Role::ALL
        .into_iter()
        .filter(|role| role.may(route.right))
        .map(Role::name)
        .collect();
    let names = match route.what {
        What::Rows(query) => parameters(query),
        _ => Vec::new(),
    };
    let mut list: Vec<Value> = names.iter().map(|name| parameter(name)).collect();
    let is_read = matches!(route.what, What::Rows(_) | What::Batch);
    if is_read {
        list.push(after());
    }
    let content = match route.what {
        What::Metrics => json!({ "text/plain": {} }),
        What::Rows(_) => json!({ "application/json": { "schema": {
            "type": "array", "items": { "type": "object" },
        } } }),
        _ => json!({ "application/json": {} }),
    };
    let wrong = json!({ "application/json": { "schema": {
        "$ref": "#/components/schemas/Error",
    } } });
    let mut operation = json!({
        "operationId": route.path.trim_matches('/').replace(['/', '.'], "-"),
        "summary": route.summary,
        "parameters": list,
        "responses": {
            "200": { "description": "Done", "content": content },
            "default": { "description": "Refused, with the reason", "content": wrong },
        },
    });
    if is_read {
        operation["responses"]["200"]["headers"] = json!({ POSITION: {
            "description": "What the answer is behind, where the tables are at servers",
            "schema": { "type": "string", "examples": ["16/B374D848"] },
        } });
    }
    if route.right != crate::rights::Right::Open {
        operation["security"] = json!([{ "token": [] }, { "signature": [] }]);
        operation["description"] = format!("For keys of role {}.", roles.join(", ")).into();
    }
    if route.what == What::Stream {
        operation["responses"]["101"] =
            json!({ "description": "The connection becomes one of WebSocket: docs/stream.md" });
        if let Some(responses) = operation["responses"].as_object_mut() {
            responses.remove("200");
        }
    }
    if let What::Quant(command) = route.what {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema(command) } },
        });
    }
    if route.what == What::Batch {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": { "oneOf": [
                { "type": "object" }, { "type": "array", "items": { "type": "object" } },
            ] } } },
        });
    }
    operation
}

/// The parameters of a command of `wirecross quant`.
fn schema(command: &str) -> Value {
    let all = calculator::parameters(command);
    let property = |one: &calculator::Parameter| {
        let kind = match (one.is_file, one.is_switch) {
            (true, _) => json!("string"),
            (_, true) => json!("boolean"),
            _ => json!(["string", "number"]),
        };
        let words = &one.words;
        (
            one.name.clone(),
            json!({ "type": kind, "description": words }),
        )
    };
    let properties: Map<String, Value> = all.iter().map(property).collect();
    let needed: Vec<&str> = all
        .iter()
        .filter(|one| one.is_needed)
        .map(|one| one.name.as_str())
        .collect();
    json!({
        "type": "object", "additionalProperties": false,
        "properties": properties, "required": needed,
    })
}

/// What an answer must be behind.
fn after() -> Value {
    let words = format!("Nothing older: the {POSITION} of an earlier answer");
    json!({ "name": AFTER, "in": "header", "description": words, "schema": { "type": "string" } })
}

fn parameter(name: &str) -> Value {
    if name == "order" {
        return json!({
            "name": name, "in": "query",
            "description": "asc: the oldest rows, from the oldest on; desc: the newest, from the \
                            newest on",
            "schema": { "type": "string", "enum": ["asc", "desc"], "default": "asc" },
        });
    }
    let (kind, words) = match name {
        "account" => ("integer", "Of this account only"),
        "symbol" => ("string", "Of this symbol only"),
        "from" => ("integer", "From this moment on"),
        "to" => ("integer", "Before this moment"),
        "width" => ("integer", "Seconds of a bar: 1, 60 or 3600"),
        _ => ("integer", "Rows at most: 1,000 unless said, up to 10,000"),
    };
    json!({ "name": name, "in": "query", "description": words, "schema": { "type": kind } })
}
