//! Answers hold for as long as the versions of the tables that they are read of.
#![allow(clippy::unwrap_used)]

mod venue;

use std::collections::BTreeMap;
use store::Projector;
use store::query::{Filter, Reader, is_of_account, names};
use venue::{Site, told_inputs};

const DAYS: [&str; 3] = ["2026010101", "2026010102", "2026010103"];

/// What a query gave when it was last asked, and how often it held and changed since.
#[derive(Default)]
struct Seen {
    version: Option<store::Version>,
    rows: Vec<u8>,
    held: u64,
    changed: u64,
}

/// Asks all queries and compares what they give with what they gave before.
struct Look {
    reader: Reader,
    seen: BTreeMap<(&'static str, u32), Seen>,
}

impl Look {
    fn at(site: &Site) -> Self {
        Self {
            reader: Reader::at(&site.location()).unwrap(),
            seen: BTreeMap::new(),
        }
    }

    fn again(&mut self) {
        for name in names() {
            let widths: &[u32] = if name == "bars" {
                &[1, 60, 3_600]
            } else {
                &[0]
            };
            for width_s in widths.iter().copied() {
                let filter = Filter {
                    account: is_of_account(name).then_some(2),
                    width_s: (width_s > 0).then_some(width_s),
                    rows_max: Some(1_000_000),
                    ..Filter::default()
                };
                let mut rows = Vec::new();
                self.reader.freeze().unwrap();
                let version = self.reader.version(name).unwrap();
                self.reader.query(name, &filter, (true, &mut rows)).unwrap();
                self.reader.thaw().unwrap();
                let seen = self.seen.entry((name, width_s)).or_default();
                if seen.version == Some(version) {
                    assert_eq!(seen.rows, rows, "{name} at {version}");
                    seen.held += 1;
                } else {
                    let stand = seen.version.map_or(0, store::Version::stand);
                    assert!(version.stand() >= stand, "{name}: {version}");
                    seen.changed += 1;
                }
                (seen.version, seen.rows) = (Some(version), rows);
            }
        }
    }

    fn of(&self, name: &'static str) -> &Seen {
        &self.seen[&(name, 0)]
    }
}

fn an_answer_is_the_same_until_its_version_changes(site: &Site) {
    let projector = || Projector::open(&site.data_dir(), &site.location()).unwrap();
    let mut writer = projector().with_batch(17);
    let mut look = Look::at(site);
    let inputs = told_inputs(6, 1_500);
    for inputs in [&inputs[..500], &inputs] {
        site.live(DAYS[0], 6, inputs);
        while writer.turn().unwrap().events > 0 {
            look.again();
        }
    }
    // Some tables change seldom, and none changes without its version.
    for name in ["turns", "trades", "profits"] {
        let Seen { held, changed, .. } = look.of(name);
        assert!(*held > 2 && *changed > 2, "{name}: {held} {changed}");
    }
    // A day in which nothing came as yet has no orders.
    assert!(!look.of("open-orders").rows.is_empty());
    let trades = look.of("trades").version;
    site.live(DAYS[1], 7, &[]);
    assert_eq!(writer.turn().unwrap().events, 0);
    look.again();
    assert!(look.of("open-orders").rows.is_empty());
    assert!(look.of("tops").rows.is_empty());
    assert_eq!(look.of("trades").version, trades);
    site.agrees();
    site.live_day(DAYS[2], 8, 500);
    writer.catch_up().unwrap();
    look.again();
    // What another writer does may be what a power cut took of this one's.
    drop(writer);
    let before = look.of("audit").version;
    let mut writer = projector();
    assert_eq!(writer.catch_up().unwrap(), 0);
    look.again();
    assert_ne!(look.of("audit").version, before);
    assert_eq!(
        look.of("audit").version.map(store::Version::stand),
        before.map(store::Version::stand)
    );
    drop(writer);
    site.agrees();
    moved(site, &mut look);
}

/// Rows that are in files alone are in no answer of the tables.
#[cfg(feature = "history")]
fn moved(site: &Site, look: &mut Look) {
    let days = store::history::Keeping {
        dir: site.dir.path().join("history"),
        days: Some(1),
    };
    let (trades, profits) = (look.of("trades").version, look.of("profits").version);
    store::history::keep(&site.location(), &days).unwrap();
    look.again();
    assert_ne!(look.of("trades").version, trades);
    assert_ne!(look.of("profits").version, profits);
}

#[cfg(not(feature = "history"))]
fn moved(_: &Site, _: &mut Look) {}

on_both!(an_answer_is_the_same_until_its_version_changes);
