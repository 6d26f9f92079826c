//! Every counter of a venue: what kind of figure it is, and what it tells.

use std::sync::LazyLock;

/// What kind of figure a counter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only grows while the venue runs.
    Total,
    /// It goes up and down.
    Gauge,
}

/// One counter. A name that ends with `_ns` is told in seconds.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
}

/// All of them, from the file beside this one: a line each, with name, kind and what it tells.
pub(super) static LIST: LazyLock<Vec<Figure>> = LazyLock::new(|| {
    let lines = include_str!("list.txt").lines();
    let words = lines.filter_map(|line| {
        let (name, rest) = line.split_once(' ')?;
        let (kind, help) = rest.split_once(' ')?;
        let kind = if kind == "total" {
            Kind::Total
        } else {
            Kind::Gauge
        };
        Some(Figure { name, kind, help })
    });
    words.collect()
});

/// What is told of a counter.
pub(super) fn figure(name: &str) -> Option<&'static Figure> {
    LIST.iter().find(|figure| figure.name == name)
}

/// Every hop's latency.
pub(super) const HOPS: &[(&str, &str)] = &[
    (
        "hop.gate_engine_ns",
        "From a command's arrival to its place in the sequence",
    ),
    ("hop.engine_durable_ns", "From there to the disk"),
    (
        "hop.engine_reply_ns",
        "From there to the reply in the member's stream",
    ),
    ("hop.engine_feed_ns", "From there to the feed's packet"),
];
