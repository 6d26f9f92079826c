//! What streams come to, for Prometheus.

use super::Sight;
use super::hub::Hub;
use crate::metrics::family;
use std::fmt::Write as _;

/// Each figure: its name, what it tells, and its kind.
pub(crate) const FIGURES: [(&str, &str, &str); 5] = [
    (
        "wirecross_stream_connections",
        "Streams that are open",
        "gauge",
    ),
    (
        "wirecross_stream_messages_total",
        "Messages made of the feed for streams",
        "counter",
    ),
    (
        "wirecross_stream_deliveries_total",
        "Messages put into the queues of streams",
        "counter",
    ),
    (
        "wirecross_stream_conflated_total",
        "Times that a stream was too slow and gets the present state instead",
        "counter",
    ),
    (
        "wirecross_stream_feed_live",
        "1: the feed of streams is whole and not stale",
        "gauge",
    ),
];

impl Hub {
    /// The service's own figures, in the text format of Prometheus.
    pub(crate) fn figures(&self, text: &mut String) {
        let (connections, done) = self.counted();
        let values = [
            connections,
            done.messages,
            done.deliveries,
            done.conflated,
            u64::from(self.sight() == Sight::Live),
        ];
        for ((name, help, kind), value) in FIGURES.into_iter().zip(values) {
            family(text, name, kind, help);
            let _ = writeln!(text, "{name} {value}");
        }
    }
}
