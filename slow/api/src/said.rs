//! What the service says of its requests, and what became of what it said.

use crate::admit::Asker;
use crate::answer::Answer;
use crate::metrics::family;
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tracing::Span;
use tracing::field::Empty;

/// What is said of a request: method, path, whose key, status and time, for those who want each of
/// them (a span of level debug), and where it took long.
pub(crate) struct Told {
    method: &'static str,
    /// As it stands in the list of routes: what a client puts there is not told.
    path: &'static str,
    begun: Instant,
    pub(crate) span: Span,
    key: OnceLock<String>,
}

impl Told {
    pub(crate) fn begin(method: &'static str, path: &'static str) -> Self {
        let span = tracing::debug_span!("request", method, path, key = Empty, status = Empty,);
        Self {
            method,
            path,
            begun: Instant::now(),
            span,
            key: OnceLock::new(),
        }
    }

    /// Whose request it is: known only where it may be made.
    pub(crate) fn by(&self, asker: Option<&Asker>) {
        let name = asker.map_or("", |asker| &asker.name);
        self.span.record("key", name);
        self.key.get_or_init(|| name.to_owned());
    }

    pub(crate) fn end(self, answer: &Answer, slow: Duration) {
        let status = answer.status().as_u16();
        self.span.record("status", status);
        let took = self.begun.elapsed();
        if took > slow {
            let ms = took.as_secs_f64() * 1e3;
            let key = self.key.get().map_or("", String::as_str);
            let (method, path) = (self.method, self.path);
            tracing::warn!(method, path, key, status, ms, "a slow request");
        }
    }
}

/// What became of the service's own lines, for Prometheus.
pub(crate) fn figures(text: &mut String) {
    let counts = logs::counts();
    for ((name, help, kind), value) in SAID.into_iter().zip([counts.written, counts.dropped]) {
        family(text, name, kind, help);
        let _ = writeln!(text, "{name} {value}");
    }
}

/// Figures of it: name, what it tells, kind.
pub(crate) const SAID: [(&str, &str, &str); 2] = [
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
];
