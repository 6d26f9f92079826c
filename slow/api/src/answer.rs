//! Answers: JSON, with errors that say what is wrong and what to do.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::json;

/// An answer to a request.
pub(crate) type Answer = Response<Body>;

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It makes no sense: what is wrong and what to do.
    Bad(String),
    /// Nobody knows whose it is.
    Stranger(&'static str),
    /// Its key may not.
    Forbidden(String),
    /// There is no such thing.
    NotFound(String),
    /// The thing knows other methods.
    Method(&'static str),
    /// Something else must be done first, or was done in between.
    Conflict(String),
    /// Its body, or its answer, is larger than it may be.
    TooLarge(String),
    /// Too many: try again after so many milliseconds.
    TooMany(u64),
    /// All room for bodies is taken.
    NoRoom,
    /// Our own fault: what did it, ended.
    Internal,
    /// It did not arrive in time.
    Slow,
    /// The venue's files cannot be read now.
    Unavailable(String),
}

impl Refusal {
    /// The status of the protocol, and a word for programs.
    pub(crate) const fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Bad(_) => (StatusCode::BAD_REQUEST, "bad-request"),
            Self::Stranger(_) => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests"),
            Self::NoRoom => (StatusCode::SERVICE_UNAVAILABLE, "no-room"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    /// The code of JSON-RPC: the specification's, or one of ours below -32,000.
    pub(crate) const fn code(&self) -> i32 {
        match self {
            Self::Bad(_) => -32_602,
            Self::NotFound(_) | Self::Method(_) => -32_601,
            Self::Stranger(_) => -32_001,
            Self::Forbidden(_) => -32_003,
            Self::Conflict(_) => -32_009,
            Self::TooLarge(_) => -32_013,
            Self::TooMany(_) => -32_029,
            Self::NoRoom => -32_054,
            Self::Internal => -32_603,
            Self::Slow => -32_008,
            Self::Unavailable(_) => -32_053,
        }
    }

    /// What is told.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Bad(words)
            | Self::Forbidden(words)
            | Self::NotFound(words)
            | Self::Conflict(words)
            | Self::TooLarge(words)
            | Self::Unavailable(words) => words.clone(),
            Self::Stranger(words) => (*words).to_owned(),
            Self::Method(allowed) => format!("only {allowed}"),
            Self::TooMany(wait_ms) => format!("too many requests: try again in {wait_ms} ms"),
            Self::NoRoom => "as many bytes of bodies are held as may be (limits.bodies_mib): try \
                             again in a second"
                .to_owned(),
            Self::Internal => "the service failed at this request: its log says where".to_owned(),
            Self::Slow => "the request took too long".to_owned(),
        }
    }

    /// The answer of the protocol.
    pub(crate) fn answer(&self) -> Answer {
        let (status, word) = self.status();
        let body = json!({ "error": { "code": word, "message": self.words() } });
        let mut answer = json_answer(body.to_string().into_bytes());
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        match self {
            Self::TooMany(wait_ms) => {
                headers.insert(RETRY_AFTER, wait_ms.div_ceil(1_000).max(1).into());
            }
            Self::NoRoom | Self::Unavailable(_) => {
                headers.insert(RETRY_AFTER, 1.into());
            }
            Self::Stranger(_) => {
                let realm = HeaderValue::from_static("Bearer realm=\"wirecross\"");
                headers.insert("www-authenticate", realm);
            }
            Self::Method(allowed) => {
                headers.insert("allow", HeaderValue::from_static(allowed));
            }
            _ => {}
        }
        answer
    }
}

/// An answer without parameters, if it has no more bytes than this.
pub(crate) fn no_larger(answer: Vec<u8>, bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    if answer.len() <= bytes_max {
        return Ok(answer);
    }
    let kib = bytes_max / 1_024;
    Err(Refusal::TooLarge(format!(
        "the answer has more than {kib} KiB: ask for less at once, or raise `answer_kib`"
    )))
}

/// JSON that nobody keeps.
pub(crate) fn json_answer(bytes: impl Into<Body>) -> Answer {
    typed("application/json", bytes)
}

/// Bytes of a type that nobody keeps.
pub(crate) fn typed(kind: &'static str, bytes: impl Into<Body>) -> Answer {
    let mut answer = Response::new(bytes.into());
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let sniff = HeaderValue::from_static("nosniff");
    headers.insert("x-content-type-options", sniff);
    answer
}
