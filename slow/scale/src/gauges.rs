//! How busy a venue is, from two looks at its counters.

use std::fmt;

/// The tiles that can be too busy; counters of each are `TILE.busy_ns` and so on.
pub const TILES: [&str; 4] = ["gate", "engine", "journal", "publish"];

/// The links that can fill up: what was put in is counted by the first counter, what was taken out
/// by the second.
pub const LINKS: [(&str, &str, &str); 4] = [
    ("gate_engine", "gate.commands", "engine.commands"),
    ("engine_journal", "engine.inputs", "journal.durable"),
    ("engine_gate", "engine.inputs", "gate.inputs"),
    ("engine_publish", "engine.inputs", "publish.inputs"),
];

/// What arrives is counted here.
const ARRIVED: &str = "gate.commands";

/// The counters of a venue at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When, in nanoseconds of any clock that only goes forward.
    pub time_ns: u64,
    arrived: u64,
    /// Busy, waiting and idle.
    tiles: [[u64; 3]; TILES.len()],
    waiting: [u64; LINKS.len()],
}

impl Reading {
    /// Reads counters by their names; nothing if one is not there.
    pub fn take(time_ns: u64, mut counter: impl FnMut(&str) -> Option<u64>) -> Option<Self> {
        let mut tiles = [[0; 3]; TILES.len()];
        for (tile, name) in tiles.iter_mut().zip(TILES) {
            for (part, what) in tile.iter_mut().zip(["busy", "waiting", "idle"]) {
                *part = counter(&format!("{name}.{what}_ns"))?;
            }
        }
        let mut waiting = [0; LINKS.len()];
        for (waiting, (_, put, taken)) in waiting.iter_mut().zip(LINKS) {
            // What is taken is looked at first, so that what was put is not less than that.
            let taken = counter(taken)?;
            *waiting = counter(put)?.saturating_sub(taken);
        }
        Some(Self {
            time_ns,
            arrived: counter(ARRIVED)?,
            tiles,
            waiting,
        })
    }
}

/// What a shard was measured to bear.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Commands a second.
    pub rate: f64,
    /// Messages in a link with which it is full.
    pub link_depth: f64,
}

/// Which gauge says the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Commands a second beside the measured capacity.
    Rate,
    /// A tile's share of busy time: its place in [`TILES`].
    Tile(usize),
    /// A link that fills: its place in [`LINKS`].
    Link(usize),
}

impl fmt::Display for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate => f.write_str("rate"),
            Self::Tile(tile) => write!(f, "tile {}", TILES[*tile]),
            Self::Link(link) => write!(f, "link {}", LINKS[*link].0),
        }
    }
}

/// How busy a venue was between two readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gauges {
    /// Commands a second that members sent.
    pub rate: f64,
    /// Of each tile's time the part that did something, from 0 to 1. A tile polls all the time:
    /// turns that find nothing are idle, and those that wait (for the disk, mostly) say how long
    /// that takes and not how much there is to do. One that waits for room shows as a full link.
    pub utilisation: [f64; TILES.len()],
    /// Of each link the part that is taken, from 0 to 1.
    pub occupancy: [f64; LINKS.len()],
}

impl Gauges {
    /// What happened from one reading to the next; nothing if no time has passed, or if the venue
    /// started anew between them.
    #[must_use]
    pub fn between(before: &Reading, after: &Reading, capacity: &Capacity) -> Option<Self> {
        let passed_ns = after.time_ns.checked_sub(before.time_ns)?;
        let arrived = after.arrived.checked_sub(before.arrived)?;
        if passed_ns == 0 {
            return None;
        }
        let mut utilisation = [0.0; TILES.len()];
        for (tile, part) in utilisation.iter_mut().enumerate() {
            let mut times = [0; 3];
            for (at, time) in times.iter_mut().enumerate() {
                *time = after.tiles[tile][at].checked_sub(before.tiles[tile][at])?;
            }
            let [busy, waiting, idle] = times.map(|time| time as f64);
            let all = busy + waiting + idle;
            *part = if all > 0.0 { busy / all } else { 0.0 };
        }
        let depth = capacity.link_depth;
        Some(Self {
            rate: arrived as f64 * 1e9 / passed_ns as f64,
            utilisation,
            occupancy: after
                .waiting
                .map(|waiting| (waiting as f64 / depth).min(1.0)),
        })
    }

    /// The load in commands a second, and the gauge that says so: the highest of the rate and of
    /// what a busy tile or a full link stands for. A venue whose link is full bears its capacity,
    /// whatever comes through.
    #[must_use]
    pub fn load(&self, capacity: &Capacity) -> (f64, Gauge) {
        let tiles = self.utilisation.iter().enumerate();
        let tiles = tiles.map(|(tile, part)| (part * capacity.rate, Gauge::Tile(tile)));
        let links = self.occupancy.iter().enumerate();
        let links = links.map(|(link, part)| (part * capacity.rate, Gauge::Link(link)));
        let rate = (self.rate, Gauge::Rate);
        tiles
            .chain(links)
            .fold(rate, |most, it| if it.0 > most.0 { it } else { most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const CAPACITY: Capacity = Capacity {
        rate: 1_000.0,
        link_depth: 100.0,
    };

    fn counters() -> BTreeMap<String, u64> {
        let times =
            TILES.map(|tile| ["busy", "waiting", "idle"].map(|it| format!("{tile}.{it}_ns")));
        let others = LINKS.map(|(_, put, taken)| [put.to_owned(), taken.to_owned()]);
        let names = times
            .into_iter()
            .flatten()
            .chain(others.into_iter().flatten());
        names.map(|name| (name, 0)).collect()
    }

    fn read(time_ns: u64, counters: &BTreeMap<String, u64>) -> Option<Reading> {
        Reading::take(time_ns, |name| counters.get(name).copied())
    }

    fn after(seconds: u64, changes: &[(&str, u64)]) -> (f64, Gauge) {
        let mut counters = counters();
        let before = read(5, &counters).unwrap();
        for (name, value) in changes {
            *counters.get_mut(*name).unwrap() = *value;
        }
        let after = read(5 + seconds * 1_000_000_000, &counters).unwrap();
        Gauges::between(&before, &after, &CAPACITY)
            .unwrap()
            .load(&CAPACITY)
    }

    #[test]
    fn the_highest_gauge_is_the_load() {
        let passed = |commands| {
            move |more: &[(&'static str, u64)]| {
                let through = ["gate.commands", "engine.commands"].map(|name| (name, commands));
                [&through, more].concat()
            }
        };
        assert_eq!(after(10, &passed(4_000)(&[])), (400.0, Gauge::Rate));
        let busy = [
            ("engine.busy_ns", 6_000),
            ("engine.waiting_ns", 1_000),
            ("engine.idle_ns", 3_000),
        ];
        assert_eq!(after(10, &passed(4_000)(&busy)), (600.0, Gauge::Tile(1)));
        // A journal that waits for the disk nearly all the time has nearly nothing to do.
        let waits = [
            ("journal.busy_ns", 200),
            ("journal.waiting_ns", 7_100),
            ("journal.idle_ns", 2_700),
        ];
        assert_eq!(after(10, &passed(250)(&waits)), (25.0, Gauge::Rate));
        // 90 of 100 places are taken behind the engine, whose time is not known.
        let full = [
            ("engine.inputs", 90),
            ("gate.inputs", 90),
            ("publish.inputs", 90),
        ];
        assert_eq!(after(10, &passed(4_000)(&full)), (900.0, Gauge::Link(1)));
        // More than it was measured to bear is more.
        assert_eq!(after(1, &passed(5_000)(&full)), (5_000.0, Gauge::Rate));
        let over = [("gate.commands", 1_000)];
        assert_eq!(
            after(10, &over),
            (1_000.0, Gauge::Link(0)),
            "a link is full at most"
        );
    }

    #[test]
    fn a_venue_that_started_anew_says_nothing_yet() {
        let mut counters = counters();
        counters.insert("gate.commands".into(), 7);
        let before = read(0, &counters).unwrap();
        counters.insert("gate.commands".into(), 6);
        let after = read(9, &counters).unwrap();
        assert_eq!(Gauges::between(&before, &after, &CAPACITY), None);
        assert_eq!(Gauges::between(&before, &before, &CAPACITY), None);
        counters.remove("publish.idle_ns");
        assert_eq!(read(9, &counters), None);
    }
}
