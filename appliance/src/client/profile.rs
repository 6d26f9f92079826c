//! Where the time of each tile went between two readings of a venue's counters.

use super::top::Reading;
use crate::topology::Tile;
use serde::Serialize;
use std::fmt::Write as _;

/// One tile's time as parts of all of it, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The tile.
    pub tile: &'static str,
    /// Turns that did something.
    pub busy: f64,
    /// Turns that did nothing and left what may not be done yet: for the disk, or for room.
    pub waiting: f64,
    /// Turns that found nothing to do, and rest.
    pub idle: f64,
    /// The thread was with other tiles, or the system ran something else.
    pub elsewhere: f64,
}

/// All tiles between two readings of one venue; `None` if they are not that.
#[must_use]
pub fn shares(earlier: &Reading, later: &Reading) -> Option<Vec<Share>> {
    if !later.follows(earlier) {
        return None;
    }
    let whole = (later.time_ns - earlier.time_ns) as f64;
    let share = |tile: Tile| {
        let part = |what: &str| {
            let name = format!("{}.{what}_ns", tile.name());
            let grown = later.get(&name)?.saturating_sub(earlier.get(&name)?);
            // A turn may have begun before the first reading.
            Some((grown as f64 / whole).min(1.0))
        };
        let (busy, waiting, idle) = (part("busy")?, part("waiting")?, part("idle")?);
        Some(Share {
            tile: tile.name(),
            busy,
            waiting,
            idle,
            elsewhere: (1.0 - busy - waiting - idle).max(0.0),
        })
    };
    Tile::ALL.map(share).into_iter().collect()
}

/// A table, the busiest tile first.
#[must_use]
pub fn shares_text(shares: &[Share], seconds: f64) -> String {
    let mut shares = shares.to_vec();
    shares.sort_by(|left, right| right.busy.total_cmp(&left.busy));
    let mut text = format!("of {seconds:.1} s      busy   waiting      idle  elsewhere\n");
    for share in &shares {
        let parts = [share.busy, share.waiting, share.idle, share.elsewhere];
        let [busy, waiting, idle, elsewhere] = parts.map(|part| part * 100.0);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<9} {busy:>7.2} % {waiting:>7.2} % {idle:>7.2} %  {elsewhere:>7.2} %",
            share.tile
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiles::{COUNTERS, HISTOGRAMS};
    use queue::CounterSet;

    /// Two readings, a second apart.
    fn readings() -> [Reading; 2] {
        let mut set = CounterSet::anonymous(COUNTERS, HISTOGRAMS).unwrap();
        let mut busy = set.counter("engine.busy_ns").unwrap();
        let mut idle = set.counter("engine.idle_ns").unwrap();
        let mut waiting = set.counter("engine.waiting_ns").unwrap();
        let mut long = set.counter("gate.idle_ns").unwrap();
        busy.set(7_000);
        let first = Reading::of(&set.reader(), 5_000_000_000);
        busy.add(250_000_000);
        idle.add(500_000_000);
        waiting.add(125_000_000);
        long.add(1_100_000_000);
        [first, Reading::of(&set.reader(), 6_000_000_000)]
    }

    #[test]
    fn shares_add_up_to_the_whole() {
        let [first, second] = readings();
        let shares = shares(&first, &second).unwrap();
        let of = |name: &str| shares.iter().find(|share| share.tile == name).unwrap();
        let engine = of("engine");
        assert_eq!(
            (engine.busy, engine.waiting, engine.idle, engine.elsewhere),
            (0.25, 0.125, 0.5, 0.125)
        );
        assert_eq!((of("gate").idle, of("gate").elsewhere), (1.0, 0.0));
        assert_eq!(of("journal").elsewhere, 1.0);
        let text = shares_text(&shares, 1.0);
        let line = text.lines().nth(1).unwrap();
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>().join(" "),
            "engine 25.00 % 12.50 % 50.00 % 12.50 %"
        );
        assert_eq!(text.lines().count(), 5);
    }

    #[test]
    fn readings_of_two_venues_have_no_shares() {
        let [mut first, second] = readings();
        assert_eq!(shares(&second, &first), None, "in the wrong order");
        first.process += 1;
        assert_eq!(shares(&first, &second), None);
    }
}
