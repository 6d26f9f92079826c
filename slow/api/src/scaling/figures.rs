//! What is decided, and by which gauges, for Prometheus.

use super::{Inside, Scales};
use crate::metrics::family;
use scale::Rule;
use scale::gauges::{Gauges, LINKS, TILES};
use std::fmt::Write as _;

/// Figures of the decision: names behind `wirecross_scaling_`, and what they tell.
const OF_DECISION: [(&str, &str); 6] = [
    ("shards", "Shards that there are to be"),
    ("needed", "Shards that load and prediction need"),
    (
        "load",
        "Commands a second, or what the busiest gauges stand for",
    ),
    ("peak", "The highest load that is predicted"),
    ("peak_ahead_seconds", "When that is"),
    ("blind", "Shards that say nothing: then nothing is decided"),
];

const CHANGES: (&str, &str) = (
    "changes_total",
    "Decisions that changed the number of shards",
);

const DECISIONS: (&str, &str) = ("decisions_total", "Decisions by rule (docs/scaling.md)");

/// Values of a shard by the rest of their labels.
type Of = fn(&Gauges) -> Vec<(String, f64)>;

/// Figures of each shard: name, what it tells, how its lines are called in a picture, and values.
const OF_SHARDS: [(&str, &str, &str, Of); 3] = [
    (
        "rate",
        "Commands a second of a shard",
        "shard {{shard}}",
        |it| vec![(String::new(), it.rate)],
    ),
    (
        "utilisation_ratio",
        "Part of a tile's time in which it did something",
        "shard {{shard}}: {{tile}}",
        |it| {
            let tiles = TILES.iter().zip(it.utilisation);
            tiles
                .map(|(tile, part)| (format!(",tile=\"{tile}\""), part))
                .collect()
        },
    ),
    (
        "occupancy_ratio",
        "Part of a link that is taken",
        "shard {{shard}}: {{link}}",
        |it| {
            let links = LINKS.iter().zip(it.occupancy);
            links
                .map(|(link, part)| (format!(",link=\"{}\"", link.0), part))
                .collect()
        },
    ),
];

/// A figure, what it tells, its kind, and how its lines are called in a picture.
type Told = (String, &'static str, &'static str, &'static str);

fn named(name: &str) -> String {
    format!("wirecross_scaling_{name}")
}

/// Every figure.
pub(crate) fn figures() -> impl Iterator<Item = Told> {
    let decision = OF_DECISION.iter();
    let decision = decision.map(|(name, help)| (named(name), *help, "gauge", *name));
    let counts = [(CHANGES, "changes"), (DECISIONS, "{{rule}}")];
    let counts = counts.into_iter();
    let counts = counts.map(|((name, help), line)| (named(name), help, "counter", line));
    let shards = OF_SHARDS.iter();
    let shards = shards.map(|(name, help, line, _)| (named(name), *help, "gauge", *line));
    decision.chain(counts).chain(shards)
}

impl Scales {
    /// In the text format of Prometheus.
    pub(crate) fn figures(&self, text: &mut String) {
        let inside = self.inside();
        let told = self.told.borrow().map(f64::from);
        for ((name, help), value) in OF_DECISION.into_iter().zip(inside.decided(told)) {
            let name = named(name);
            family(text, &name, "gauge", help);
            if let Some(value) = value {
                let _ = writeln!(text, "{name} {value}");
            }
        }
        let name = named(CHANGES.0);
        family(text, &name, "counter", CHANGES.1);
        let _ = writeln!(text, "{name} {}", inside.changes);
        let name = named(DECISIONS.0);
        family(text, &name, "counter", DECISIONS.1);
        for (rule, count) in Rule::ALL.iter().zip(inside.met) {
            let _ = writeln!(text, "{name}{{rule=\"{}\"}} {count}", rule.name());
        }
        inside.gauges(text);
    }
}

impl Inside {
    /// The values of [`OF_DECISION`], as far as they are known.
    fn decided(&self, shards: Option<f64>) -> [Option<f64>; OF_DECISION.len()] {
        let blind = self.shards.iter().filter(|it| it.gauges.is_none()).count();
        let last = self.decisions.back().map(|it| it.0);
        let peak = last.and_then(|it| it.peak).and_then(Result::ok);
        [
            shards,
            last.map(|it| it.needed.into()),
            last.map(|it| it.load),
            peak.map(|it| it.0),
            peak.map(|it| it.1 as f64),
            Some(blind as f64),
        ]
    }

    fn gauges(&self, text: &mut String) {
        for (name, help, _, of) in OF_SHARDS {
            let name = named(name);
            family(text, &name, "gauge", help);
            for (number, shard) in self.shards.iter().enumerate() {
                for (label, value) in shard.gauges.iter().flat_map(of) {
                    let _ = writeln!(text, "{name}{{shard=\"{number}\"{label}}} {value}");
                }
            }
        }
    }
}
