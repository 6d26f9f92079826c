//! Two readings compared: totals, rates, what waits in the links, and latencies.

use queue::{Buckets, Summary};

use super::Reading;
use crate::tiles::Phase;
use crate::topology::Link;

/// Counters that only grow while a venue runs: for these a rate means something.
const GROWING: &[&str] = &[
    "gate.commands",
    "gate.inputs",
    "gate.logins",
    "gate.disconnects",
    "gate.refused",
    "gate.accept_errors",
    "gate.resets",
    "gate.login_rejects",
    "gate.malformed",
    "gate.rings_refused",
    "gate.stalled",
    "gate.unreadable",
    "gate.xdp_received",
    "gate.xdp_refused",
    "gate.xdp_lost",
    "gate.xdp_ring_full",
    "gate.xdp_fill_empty",
    "gate.xdp_invalid",
    "gate.xdp_send_errors",
    "engine.commands",
    "engine.inputs",
    "engine.events",
    "engine.waits",
    "journal.durable",
    "journal.groups",
    "keeper.indexed",
    "keeper.archived",
    "keeper.removed",
    "publish.inputs",
    "publish.messages",
    "publish.packets",
    "publish.dropped",
    "publish.dropped_b",
    "publish.dropped_follower",
    "publish.requests",
    "publish.requests_unlisted",
    "publish.requests_spent",
    "publish.answer_bytes",
    "publish.requests_refused",
    "publish.send_errors",
    "publish.receive_errors",
    "publish.xdp_received",
    "publish.xdp_refused",
    "publish.xdp_lost",
    "publish.xdp_ring_full",
    "publish.xdp_fill_empty",
    "publish.xdp_invalid",
    "publish.xdp_send_errors",
    "clock.steps",
    "clock.unsound",
];

/// What was put into a link and what was taken out of it, counted by its two ends: commands in the
/// first link, inputs in the others.
const LINKS: [(Link, &str, &str); Link::ALL.len()] = [
    (Link::GateEngine, "gate.commands", "engine.commands"),
    (Link::EngineJournal, "engine.inputs", "journal.durable"),
    (Link::EngineGate, "engine.inputs", "gate.inputs"),
    (Link::EnginePublish, "engine.inputs", "publish.inputs"),
];

/// One counter.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: u64,
    /// How much it grew in a second, where it only grows and two readings can be compared.
    pub rate: Option<f64>,
}

/// What waits in one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The link's name.
    pub link: String,
    /// Commands or inputs that its writer counted and its reader did not yet. The two are read one
    /// after the other, so it is exact only while nothing moves.
    pub count: u64,
}

/// Latencies of one hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The hop's name.
    pub name: String,
    /// Since the venue started.
    pub total: Summary,
    /// Since the reading before.
    pub recent: Option<Summary>,
}

impl Hop {
    /// The name between its prefix and its unit, which every hop shares.
    pub(super) fn short_name(&self) -> &str {
        let name = self.name.strip_prefix("hop.").unwrap_or(&self.name);
        name.strip_suffix("_ns").unwrap_or(name)
    }
}

/// What there is to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Who writes the counters, and what it is doing.
    pub title: String,
    /// Seconds between the two readings, where there are two.
    pub seconds: Option<f64>,
    /// The counters.
    pub rows: Vec<Row>,
    /// The links.
    pub waiting: Vec<Waiting>,
    /// The hops.
    pub hops: Vec<Hop>,
}

impl Picture {
    /// Compares a reading with an earlier one, which is passed over if it is of another process.
    #[must_use]
    pub fn of(now: &Reading, earlier: Option<&Reading>) -> Self {
        let earlier = earlier.filter(|earlier| now.follows(earlier));
        let seconds = earlier.map(|earlier| (now.time_ns - earlier.time_ns) as f64 / 1e9);
        let rate = |name: &str, value: u64| {
            let before = earlier?.get(name)?;
            GROWING
                .contains(&name)
                .then_some(value.saturating_sub(before) as f64 / seconds?)
        };
        let row = |(name, value): &(String, u64)| Row {
            name: name.clone(),
            value: *value,
            rate: rate(name, *value),
        };
        Self {
            title: title(now),
            seconds,
            rows: now.counters.iter().map(row).collect(),
            waiting: waiting(now),
            hops: hops(now, earlier),
        }
    }

    /// The growth of one counter in a second.
    #[must_use]
    pub fn rate(&self, name: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.name == name)?.rate
    }
}

fn title(now: &Reading) -> String {
    let process = now.process;
    if !now.is_running {
        return format!("wirecross: process {process} ended; its last figures");
    }
    let phase = match now.get("venue.phase").map(Phase::of) {
        None => "phase unknown",
        Some(Phase::Running) => "running",
        Some(Phase::Draining) => "draining",
        Some(Phase::Ending) => "ending",
        Some(Phase::Stopped) => "stopped",
        Some(Phase::Failing) => "FAILING",
    };
    let walls = if now.is_insecure() {
        ", INSECURE (--insecure-dev)"
    } else {
        ""
    };
    format!("wirecross: process {process}, {phase}{walls}")
}

fn waiting(now: &Reading) -> Vec<Waiting> {
    let counted = |(link, put, taken): (Link, &str, &str)| {
        let count = now.get(put)?.saturating_sub(now.get(taken)?);
        Some(Waiting {
            link: link.name(),
            count,
        })
    };
    LINKS.into_iter().filter_map(counted).collect()
}

fn hops(now: &Reading, earlier: Option<&Reading>) -> Vec<Hop> {
    let before = |name: &str| -> Option<&Buckets> {
        let found = earlier?.hops.iter().find(|(found, _)| found == name);
        found.map(|(_, buckets)| buckets)
    };
    let hop = |(name, buckets): &(String, Buckets)| Hop {
        name: name.clone(),
        total: buckets.summary(),
        recent: before(name).map(|before| buckets.since(before).summary()),
    };
    now.hops.iter().map(hop).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiles::{COUNTERS, HISTOGRAMS};
    use queue::CounterSet;

    #[test]
    fn every_name_it_relies_on_is_a_counter_of_the_venue() {
        for (link, put, taken) in LINKS {
            assert!(
                GROWING.contains(&put) && GROWING.contains(&taken),
                "{link:?}"
            );
        }
        for name in GROWING.iter().chain(&["venue.phase"]) {
            assert!(COUNTERS.contains(name), "{name}");
        }
    }

    /// A venue's counters at two moments, two seconds apart.
    fn readings() -> [Reading; 2] {
        let mut set = CounterSet::anonymous(COUNTERS, HISTOGRAMS).unwrap();
        let mut commands = set.counter("gate.commands").unwrap();
        let mut taken = set.counter("engine.commands").unwrap();
        let mut inputs = set.counter("engine.inputs").unwrap();
        let mut orders = set.counter("engine.live_orders").unwrap();
        let mut hop = set.histogram("hop.gate_engine_ns").unwrap();
        for (counter, value) in [
            (&mut commands, 10),
            (&mut taken, 10),
            (&mut inputs, 15),
            (&mut orders, 9),
        ] {
            counter.set(value);
        }
        hop.record(31_000_000);
        let first = Reading::of(&set.reader(), 1_000_000_000);
        commands.set(50);
        taken.set(43);
        inputs.set(48);
        orders.set(4);
        for _ in 0..100 {
            hop.record(20);
        }
        [first, Reading::of(&set.reader(), 3_000_000_000)]
    }

    #[test]
    fn two_readings_give_rates_and_what_waits() {
        let [first, second] = readings();
        let picture = Picture::of(&second, Some(&first));
        assert_eq!(picture.seconds, Some(2.0));
        assert_eq!(picture.rate("gate.commands"), Some(20.0));
        assert_eq!(
            picture.rate("engine.live_orders"),
            None,
            "orders also leave"
        );
        let waiting = |name: &str| {
            let found = picture.waiting.iter().find(|waiting| waiting.link == name);
            found.map(|waiting| waiting.count)
        };
        assert_eq!(waiting("gate_engine"), Some(7));
        assert_eq!(waiting("engine_publish"), Some(48));
        let hop = &picture.hops[0];
        assert_eq!((hop.total.count, hop.total.max), (101, 31_000_000));
        let recent = hop.recent.unwrap();
        assert_eq!((recent.count, recent.p50, recent.max), (100, 20, 20));
    }

    #[test]
    fn a_reading_alone_or_of_another_process_has_no_rates() {
        let [mut first, second] = readings();
        assert_eq!(Picture::of(&second, None).seconds, None);
        first.process += 1;
        let picture = Picture::of(&second, Some(&first));
        assert_eq!(
            (picture.seconds, picture.rate("gate.commands")),
            (None, None)
        );
        assert!(picture.hops.iter().all(|hop| hop.recent.is_none()));
    }

    #[test]
    fn the_text_names_everything_with_its_figures() {
        let [first, second] = readings();
        let text = Picture::of(&second, Some(&first)).text();
        for name in COUNTERS.iter().chain(HISTOGRAMS) {
            assert!(text.contains(name), "{name} is not in:\n{text}");
        }
        let line = |start: &str| {
            let found = text.lines().find(|line| line.starts_with(start));
            found
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                .unwrap()
        };
        assert_eq!(line("gate.commands "), "gate.commands 50 20.0");
        assert_eq!(line("engine.live_orders "), "engine.live_orders 4 -");
        assert_eq!(line("gate_engine "), "gate_engine 7");
        assert!(line("hop.gate_engine_ns ").ends_with("20 ns 101"), "{text}");
        assert!(line("hop.engine_feed_ns ").ends_with("- - - - 0"), "{text}");
        assert!(line("wirecross:").ends_with("running"), "{text}");
    }

    #[test]
    fn a_venue_that_ended_is_called_that() {
        let [_, mut reading] = readings();
        reading.is_running = false;
        assert!(Picture::of(&reading, None).text().contains("ended"));
    }
}
