//! How much of a venue's pools is used, by what it counts anyway.

use footprint::Seen;

/// A pool of the venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pool {
    pub(super) name: &'static str,
    pub(super) used: u64,
    pub(super) size: u64,
}

/// Each pool, what was put into it, and what was taken out where that is another counter. The two
/// ends of a link are read one after the other, so what waits there is exact only while nothing
/// moves, and what the journal's end counts is on disk.
const POOLS: [(&str, &str, Option<&str>); 6] = [
    ("orders", "engine.live_orders", None),
    ("connections", "gate.connections", None),
    ("gate_engine", "gate.commands", Some("engine.commands")),
    ("engine_journal", "engine.inputs", Some("journal.durable")),
    ("engine_gate", "engine.inputs", Some("gate.inputs")),
    ("engine_publish", "engine.inputs", Some("publish.inputs")),
];

/// Those whose size the venue told.
pub(super) fn used(venue: &Seen, counter: impl Fn(&str) -> Option<u64>) -> Vec<Pool> {
    let pool = |(name, put, taken): (&'static str, &str, Option<&str>)| {
        let size = venue.known(&format!("pool.{name}"))?;
        let taken = taken.map_or(Some(0), &counter)?;
        let used = counter(put)?.saturating_sub(taken);
        Some(Pool { name, used, size })
    };
    POOLS.into_iter().filter_map(pool).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use footprint::Footprint;

    #[test]
    fn the_venue_counts_what_they_are_made_of() {
        for (name, put, taken) in POOLS {
            for counter in [Some(put), taken].into_iter().flatten() {
                let is_there = appliance::tiles::COUNTERS.contains(&counter);
                assert!(is_there, "{name}: {counter}");
            }
        }
    }

    #[test]
    fn what_waits_in_a_link_is_what_its_reader_did_not_count() {
        let venue = Seen {
            process: 1,
            footprint: Footprint::default(),
            known: vec![("pool.orders".into(), 100), ("pool.engine_gate".into(), 64)],
        };
        let counter = |name: &str| match name {
            "engine.live_orders" => Some(95),
            "engine.inputs" => Some(1_000),
            "gate.inputs" => Some(990),
            _ => None,
        };
        let pool = |name, used, size| Pool { name, used, size };
        let expected = [pool("orders", 95, 100), pool("engine_gate", 10, 64)];
        assert_eq!(used(&venue, counter), expected);
        // The reader's end is read later, and may have gone on.
        let later = used(&venue, |name| {
            (name != "gate.inputs").then_some(5).or(Some(6))
        });
        assert_eq!(later.last(), Some(&pool("engine_gate", 0, 64)));
    }
}
