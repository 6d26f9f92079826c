//! JSON-RPC 2.0: a call, or a batch of calls, whose answers come in one.

use crate::admit::Asker;
use crate::answer::{Answer, Refusal, json_answer, no_larger};
use crate::quant::params_in;
use crate::reads::Terms;
use crate::routes::{Api, What, route_named, who};
use crate::sight::Sight;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Codes of the specification.
const NOT_JSON: i32 = -32_700;
const NO_CALL: i32 = -32_600;

/// One call.
#[derive(Deserialize)]
struct Call<'a> {
    jsonrpc: &'a str,
    method: String,
    #[serde(default, borrow)]
    params: Option<&'a RawValue>,
}

/// Only what a call's answer must name, which also broken calls may have.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(default, borrow, deserialize_with = "some")]
    id: Option<&'a RawValue>,
}

/// `null` is there, too.
fn some<'de: 'a, 'a, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    Deserialize::deserialize(from).map(Some)
}

/// The calls of a body.
#[derive(Default)]
pub(crate) enum Calls<'a> {
    /// It is no JSON.
    #[default]
    None,
    One(&'a RawValue),
    Many(Vec<&'a RawValue>),
}

impl<'a> Calls<'a> {
    /// Reads a body, and nothing of what is in a call.
    pub(crate) fn of(body: &'a [u8]) -> Self {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let read = if first == Some(&b'[') {
            serde_json::from_slice(body).map(Self::Many)
        } else {
            serde_json::from_slice(body).map(Self::One)
        };
        read.unwrap_or_default()
    }

    /// How many there are, for the rate: no more than may be, and 1 where the body makes no sense.
    pub(crate) fn count(&self, api: &Api) -> usize {
        match self {
            Self::Many(calls) => calls.len().clamp(1, api.config.limits.batch_max),
            _ => 1,
        }
    }
}

/// All answers; none where only notifications came.
pub(crate) async fn answer(
    api: &Api,
    asker: Option<&Asker>,
    calls: Calls<'_>,
    sight: &mut Sight,
) -> Result<Answer, Refusal> {
    let mut bytes = Vec::new();
    match calls {
        Calls::None => {
            let told = failed(NOT_JSON, "this is not JSON, or nested too deeply");
            bytes = answered("null", &told);
        }
        Calls::One(call) => {
            if let Some(told) = one(api, asker, call, (api.answer_max(), sight)).await {
                bytes = told;
            }
        }
        Calls::Many(calls) if calls.is_empty() => {
            let told = failed(NO_CALL, "a batch has at least one call");
            bytes = answered("null", &told);
        }
        Calls::Many(calls) => {
            let most = api.config.limits.batch_max;
            if calls.len() > most {
                let count = calls.len();
                return Err(Refusal::TooLarge(format!(
                    "a batch of {count} calls: no more than {most}"
                )));
            }
            for call in calls {
                let left = api.answer_max().saturating_sub(bytes.len());
                if let Some(told) = one(api, asker, call, (left, sight)).await {
                    bytes.push(if bytes.is_empty() { b'[' } else { b',' });
                    bytes.extend(told);
                }
            }
            if !bytes.is_empty() {
                bytes.push(b']');
            }
        }
    }
    if bytes.is_empty() {
        let mut nothing = Response::new(Body::empty());
        *nothing.status_mut() = StatusCode::NO_CONTENT;
        return Ok(nothing);
    }
    Ok(json_answer(bytes))
}

/// The answer to a call; none to a notification.
async fn one(
    api: &Api,
    asker: Option<&Asker>,
    text: &RawValue,
    (bytes_max, sight): (usize, &mut Sight),
) -> Option<Vec<u8>> {
    let text = text.get();
    let named = serde_json::from_str::<Named<'_>>(text);
    let id = named.ok().and_then(|named| named.id).map(RawValue::get);
    // An id is a text, a number or nothing.
    let is_id = |id: &str| !id.starts_with(['{', '[', 't', 'f']);
    let wrong = |what: &str| {
        Some(answered(
            id.filter(|id| is_id(id)).unwrap_or("null"),
            &failed(NO_CALL, what),
        ))
    };
    if id.is_some_and(|id| !is_id(id)) {
        return wrong("`id` is a text, a number or null");
    }
    let call = match serde_json::from_str::<Call<'_>>(text) {
        Ok(call) if call.jsonrpc == "2.0" => call,
        Ok(_) => return wrong("`jsonrpc` is \"2.0\""),
        Err(error) => return wrong(&format!("this is no call: {error}")),
    };
    let done = done(api, asker, &call, (bytes_max, sight)).await;
    let id = id?;
    Some(match done {
        Ok(rows) => {
            let mut bytes = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":").into_bytes();
            bytes.extend(rows);
            bytes.push(b'}');
            bytes
        }
        Err(refusal) => answered(id, &failed(refusal.code(), &refusal.words())),
    })
}

async fn done(
    api: &Api,
    asker: Option<&Asker>,
    call: &Call<'_>,
    (bytes_max, sight): (usize, &mut Sight),
) -> Result<Vec<u8>, Refusal> {
    let route = route_named(&call.method);
    let Some(route) = route else {
        let all = "see /openapi.json for what there is";
        return Err(Refusal::NotFound(format!(
            "no method {:?}: {all}",
            call.method
        )));
    };
    let role = asker.map(|asker| asker.role);
    if !role.is_some_and(|role| role.may(route.right)) {
        let words = format!("this key may not call {:?}", call.method);
        return Err(Refusal::Forbidden(words));
    }
    if let What::Quant(command) = route.what {
        let params = call
            .params
            .map_or(&b"{}"[..], |params| params.get().as_bytes());
        let params = params_in(params)
            .map_err(|_| Refusal::Bad("params: an object of names and values".to_owned()))?;
        return api.quant.ask(command, params, bytes_max).await;
    }
    let asked = params_of(call)?;
    let answer = match route.what {
        What::Rows(query) => {
            let asked: Vec<(&str, &str)> = asked.iter().map(|(k, v)| (&**k, &**v)).collect();
            let terms = Terms::behind(bytes_max, sight.after());
            let rows = api.rows(query, asker, &asked, (terms, sight)).await?;
            return Ok(rows.to_vec());
        }
        What::Figures => api.figures_json()?,
        What::Memory => api.footprints.json().to_string().into_bytes(),
        What::Scaling => api.scales()?.json().to_string().into_bytes(),
        _ => who(asker).to_string().into_bytes(),
    };
    no_larger(answer, bytes_max)
}

/// Parameters by name, whose values are texts or whole numbers.
fn params_of(call: &Call<'_>) -> Result<Vec<(String, String)>, Refusal> {
    let wrong = |what: &str| Refusal::Bad(format!("params: {what}"));
    let Some(params) = call.params else {
        return Ok(Vec::new());
    };
    let Ok(Value::Object(params)) = serde_json::from_str(params.get()) else {
        return Err(wrong("an object of names and values"));
    };
    let text = |(name, value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        _ => Err(wrong(&format!("{name:?} is a text or a whole number"))),
    };
    params.into_iter().map(text).collect()
}

fn failed(code: i32, words: &str) -> Value {
    json!({ "code": code, "message": words })
}

fn answered(id: &str, error: &Value) -> Vec<u8> {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{error}}}").into_bytes()
}
