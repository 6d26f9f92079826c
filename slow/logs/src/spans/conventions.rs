//! What OpenTelemetry calls what our spans say: its semantic conventions for HTTP and RPC servers.

use crate::line::Fields;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde_json::Value;

/// Codes of gRPC by which a server says that it failed itself.
const CALL_FAILED: [i64; 6] = [2, 4, 12, 13, 14, 15];

/// A span by its name and fields, but for where it stands and when it was.
pub(super) fn span(name: &'static str, mut fields: Fields) -> Span {
    let text = |fields: &Fields, field: &str| {
        let value = fields.get(field).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let status = fields.get("status").and_then(Value::as_i64);
    let (name, has_failed, renamed): (String, bool, &[(&str, &str)]) = match name {
        "request" => (
            format!("{} {}", text(&fields, "method"), text(&fields, "path")),
            status.is_some_and(|it| it >= 500),
            &[
                ("method", "http.request.method"),
                ("path", "http.route"),
                ("status", "http.response.status_code"),
                ("from", "client.address"),
                ("key", "user.name"),
            ],
        ),
        "call" => {
            fields.insert("rpc.system".to_owned(), "grpc".into());
            (
                text(&fields, "call"),
                status.is_some_and(|it| CALL_FAILED.contains(&it)),
                &[
                    ("call", "rpc.method"),
                    ("status", "rpc.grpc.status_code"),
                    ("from", "client.address"),
                    ("key", "user.name"),
                ],
            )
        }
        other => (other.to_owned(), false, &[]),
    };
    let kind = if renamed.is_empty() {
        SpanKind::Internal
    } else {
        SpanKind::Server
    };
    let called = |field: String| {
        let found = renamed.iter().find(|(ours, _)| *ours == field);
        found.map_or(field, |(_, theirs)| (*theirs).to_owned())
    };
    let fields = fields.into_iter();
    Span {
        name,
        kind: kind.into(),
        attributes: fields.map(|(k, v)| attribute((called(k), v))).collect(),
        status: has_failed.then(|| Status {
            code: StatusCode::Error.into(),
            message: String::new(),
        }),
        ..Span::default()
    }
}

/// A field as an attribute.
pub(super) fn attribute((key, value): (String, Value)) -> KeyValue {
    let value = match value {
        Value::Bool(value) => Any::BoolValue(value),
        Value::String(text) => Any::StringValue(text),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Any::IntValue(value),
            // What no whole number of OTLP holds.
            (None, Some(value)) => Any::DoubleValue(value),
            (None, None) => Any::StringValue(number.to_string()),
        },
        other => Any::StringValue(other.to_string()),
    };
    KeyValue {
        key,
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
