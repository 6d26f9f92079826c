//! What the reads of the tables came to, for Prometheus and for the page.

use super::Reads;
use crate::memory::Answers;
use crate::metrics::family;
use serde_json::{Value, json};
use std::fmt::Write as _;
use store::router::{Counted, Router};

impl Reads {
    /// How many reads there are and may be, in the text format of Prometheus.
    pub(crate) fn figures(&self, text: &mut String) {
        if let Some(answers) = &self.answers {
            answers.figures(text);
        }
        if let Some(router) = &self.router {
            servers(router, text);
        }
        let (places, running, refused) = {
            let limit = self.limit();
            (limit.places(), limit.running(), limit.refused())
        };
        for (name, kind, help, value) in [
            (
                "reads_limit",
                "gauge",
                "Reads of the tables that may be taken on at once",
                places.into(),
            ),
            (
                "reads_running",
                "gauge",
                "Reads of the tables that are taken on",
                running.into(),
            ),
            (
                "reads_refused_total",
                "counter",
                "Reads of the tables beyond that",
                refused,
            ),
            (
                "reads_shared_total",
                "counter",
                "Requests that waited for the same read as another one",
                self.flights.shared(),
            ),
        ] {
            let name = format!("wirecross_{name}");
            family(text, &name, kind, help);
            let value: u64 = value;
            let _ = writeln!(text, "{name} {value}");
        }
    }

    /// What is kept, what is read now, and by which servers, for the page.
    pub(crate) fn json(&self) -> Value {
        let limit = self.limit();
        let servers = self.router.iter().flat_map(|router| lags(router));
        let servers = servers.map(|(it, lag)| {
            json!({
                "server": it.server, "primary": it.is_primary, "up": it.is_up,
                "reads": it.reads, "failures": it.failures, "behind": it.behind,
                "lag_bytes": lag,
            })
        });
        json!({
            "cache": self.answers.as_ref().map(Answers::json),
            "reads": {
                "limit": limit.places(), "running": limit.running(), "refused": limit.refused(),
            },
            "servers": servers.collect::<Vec<_>>(),
        })
    }
}

/// A figure of each server: its name, its kind, what it tells, and how it is had of what was
/// counted and of the bytes that the server lacks.
type OfServer = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Counted, u64) -> u64,
);

const OF_SERVERS: [OfServer; 5] = [
    (
        "up",
        "gauge",
        "1: the server answered when it was last asked",
        |it, _| it.is_up.into(),
    ),
    (
        "reads_total",
        "counter",
        "Reads that the server answered",
        |it, _| it.reads,
    ),
    (
        "failures_total",
        "counter",
        "Times that the server failed",
        |it, _| it.failures,
    ),
    (
        "behind_total",
        "counter",
        "Reads that the server was not fresh enough for",
        |it, _| it.behind,
    ),
    (
        "lag_bytes",
        "gauge",
        "Bytes of the log that the server lacked when it was last asked",
        |_, lag| lag,
    ),
];

/// Each of them: its name, what it tells, and its kind.
pub(crate) fn of_servers() -> impl Iterator<Item = (String, &'static str, &'static str)> {
    let all = OF_SERVERS.iter();
    all.map(|(name, kind, help, _)| (format!("wirecross_database_{name}"), *help, *kind))
}

/// What each server did, for Prometheus.
fn servers(router: &Router, text: &mut String) {
    let all = lags(router);
    for ((name, help, kind), (.., of)) in of_servers().zip(&OF_SERVERS) {
        family(text, &name, kind, help);
        for (it, lag) in &all {
            let role = if it.is_primary { "primary" } else { "replica" };
            let (server, value) = (&it.server, of(it, *lag));
            let _ = writeln!(text, "{name}{{server={server:?},role={role:?}}} {value}");
        }
    }
}

/// Each server, and how many bytes it was behind the furthest place that was seen.
fn lags(router: &Router) -> Vec<(Counted, u64)> {
    let all: Vec<Counted> = router.counted().collect();
    let furthest = all.iter().map(|it| it.position).max().unwrap_or_default();
    let lag = |it: Counted| {
        let lag = furthest.behind(it.position);
        (it, lag)
    };
    all.into_iter().map(lag).collect()
}
