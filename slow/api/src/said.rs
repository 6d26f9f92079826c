//! What the service says of its requests, and what became of what it said.

use crate::admit::Asker;
use crate::answer::Answer;
use crate::metrics::family;
use crate::routes::From;
use crate::unharmed;
use axum::http::{HeaderMap, HeaderValue, Request};
use logs::Trace;
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tracing::Span;
use tracing::field::Empty;

/// The header by which a request says in which trace it is made, and an answer in which it was.
const TRACE: &str = "traceparent";

/// What is said of a request, or a call of gRPC: which, whose key, from where, status and time, for
/// those who want each of them (a span of level debug), and where it took long.
pub(crate) struct Told {
    what: What,
    begun: Instant,
    pub(crate) span: Span,
    trace: Option<Trace>,
    key: OnceLock<String>,
}

/// What is asked for, as it stands in our lists: what a client puts there is not told.
enum What {
    Request(&'static str, &'static str),
    Call(String),
}

impl Told {
    /// Of a request to a path.
    pub(crate) fn request<B>(
        (method, path): (&'static str, &'static str),
        request: &Request<B>,
    ) -> Self {
        let (trace, from) = stands(request);
        let (traceparent, parent) = words(trace);
        let span = tracing::debug_span!(
            "request",
            method,
            path,
            key = Empty,
            from,
            status = Empty,
            traceparent,
            parent,
        );
        Self::new(What::Request(method, path), span, trace)
    }

    /// Of a call that is in our list.
    pub(crate) fn call<B>(request: &Request<B>) -> Self {
        let (trace, from) = stands(request);
        let (traceparent, parent) = words(trace);
        let call = request.uri().path().trim_start_matches('/').to_owned();
        let span = tracing::debug_span!(
            "call",
            call,
            key = Empty,
            from,
            status = Empty,
            traceparent,
            parent,
        );
        Self::new(What::Call(call), span, trace)
    }

    fn new(what: What, span: Span, trace: Option<Trace>) -> Self {
        Self {
            what,
            begun: Instant::now(),
            span,
            trace,
            key: OnceLock::new(),
        }
    }

    /// Whose request it is: known only where it may be made.
    pub(crate) fn by(&self, asker: Option<&Asker>) {
        let name = asker.map_or("", |asker| &asker.name);
        self.span.record("key", name);
        self.key.get_or_init(|| name.to_owned());
    }

    /// What is asked for, and how long ago that was.
    pub(crate) fn asked(&self) -> (&str, Duration) {
        let route = match &self.what {
            What::Request(_, path) => path,
            What::Call(call) => &**call,
        };
        (route, self.begun.elapsed())
    }

    /// What became of it.
    pub(crate) fn end(&self, answer: &mut Answer, slow: Duration) {
        let status = answer.status().as_u16();
        self.became(status.into());
        self.answered(answer.headers_mut(), status.into(), Some(slow));
    }

    /// Its status, by HTTP or gRPC.
    pub(crate) fn became(&self, status: i64) {
        self.span.record("status", status);
    }

    /// The answer begins: tells the client where it stands, and the log if it took longer.
    pub(crate) fn answered(&self, head: &mut HeaderMap, status: i64, slow: Option<Duration>) {
        let trace = self.trace.map(|trace| trace.to_string());
        if let Some(trace) = trace.and_then(|it| HeaderValue::try_from(it).ok()) {
            head.insert(TRACE, trace);
        }
        let took = self.begun.elapsed();
        if slow.is_some_and(|slow| took > slow) {
            self.span.in_scope(|| self.was_slow(status, took));
        }
    }

    fn was_slow(&self, status: i64, took: Duration) {
        let ms = took.as_secs_f64() * 1e3;
        let key = self.key.get().map_or("", String::as_str);
        match &self.what {
            What::Request(method, path) => {
                tracing::warn!(method, path, key, status, ms, "a slow request");
            }
            What::Call(call) => tracing::warn!(call, key, status, ms, "a slow call"),
        }
    }
}

/// In which trace a request is made, and where it came from.
fn stands<B>(request: &Request<B>) -> (Option<Trace>, String) {
    let mut told = request.headers().get_all(TRACE).iter();
    // Who says it twice says nothing.
    let header = match (told.next(), told.next()) {
        (Some(header), None) => header.to_str().ok(),
        _ => None,
    };
    let from = request.extensions().get::<From>();
    let from = from.map_or_else(String::new, |from| from.0.to_string());
    (Trace::of(header), from)
}

/// The same as a span says it.
fn words(trace: Option<Trace>) -> (Option<String>, Option<String>) {
    let own = trace.map(|trace| trace.to_string());
    (own, trace.and_then(|trace| trace.parent()))
}

/// What became of the service's own lines and spans, for Prometheus.
pub(crate) fn figures(text: &mut String) {
    let counts = logs::counts();
    let spans = logs::span_counts();
    let values = [
        counts.written,
        counts.dropped,
        spans.exported,
        spans.dropped,
        unharmed::panics(),
    ];
    for ((name, help, kind), value) in SAID.into_iter().zip(values) {
        family(text, name, kind, help);
        let _ = writeln!(text, "{name} {value}");
    }
}

/// Figures of it: name, what it tells, kind.
pub(crate) const SAID: [(&str, &str, &str); 5] = [
    (
        "wirecross_log_lines_total",
        "Lines of the service's log that were written",
        "counter",
    ),
    (
        "wirecross_log_dropped_total",
        "Lines of the service's log that were left out because stderr stalled",
        "counter",
    ),
    (
        "wirecross_trace_spans_total",
        "Spans of the service's requests that a collector took",
        "counter",
    ),
    (
        "wirecross_trace_dropped_total",
        "Spans of the service's requests that were dropped: the collector took too few",
        "counter",
    ),
    (
        "wirecross_panics_total",
        "Requests at which a thread of the service that reads or computes failed",
        "counter",
    ),
];
