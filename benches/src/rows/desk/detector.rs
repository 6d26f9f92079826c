//! A strategy that only looks: which ways around three currencies gain, at each change of a book.
//! Its answers are those of a scan of all ways, or the run counts for nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::Sender;

use analytics::arbitrage::{Opportunity, Pair, Quote, Triangles};
use trading::desk::{Context, Ladder, Strategy};
use trading::{Event, What};

/// What was found: how many, and a trace of them that does not depend on their order within a
/// change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Looks.
    pub looks: u64,
    /// Ways that gained.
    pub ways: u64,
    trace: u64,
}

impl Found {
    fn add(&mut self, it: &Opportunity) {
        let mut hasher = DefaultHasher::new();
        let numbers = (it.triangle, it.gain.to_bits(), it.start.to_bits());
        (self.looks, numbers).hash(&mut hasher);
        self.ways += 1;
        self.trace = self.trace.wrapping_add(hasher.finish());
    }
}

/// See the module.
pub struct Detector {
    triangles: Triangles,
    found: Found,
    /// Where to tell it at the end.
    to: Sender<Found>,
}

impl Detector {
    /// Nothing seen yet; markets are the pairs, by their numbers.
    pub fn new(triangles: Triangles, to: Sender<Found>) -> Self {
        Self {
            triangles,
            found: Found::default(),
            to,
        }
    }
}

impl Strategy for Detector {
    fn on_book(&mut self, desk: &mut Context<'_>, symbol: u32) {
        let quote = quote_of(desk.book(symbol), desk.now_ns());
        let found = &mut self.found;
        found.looks += 1;
        self.triangles.update(symbol, quote, |it| found.add(&it));
    }
}

impl Drop for Detector {
    fn drop(&mut self) {
        // Who does not listen has seen enough.
        let _ = self.to.send(self.found);
    }
}

fn quote_of(book: &Ladder, time_ns: u64) -> Quote {
    let number = |it: u64| u32::try_from(it).unwrap_or(u32::MAX);
    let price = |it: i64| u32::try_from(it).unwrap_or(0);
    let touch = book.touch().unwrap_or_default();
    Quote {
        bid: price(touch.bid.price),
        bid_units: number(touch.bid.quantity),
        ask: price(touch.offer.price),
        ask_units: number(touch.offer.quantity),
        time_ns,
    }
}

/// What scans of all ways say of the same events.
pub fn scanned(events: &[Event], pairs: &[Pair], mut triangles: Triangles) -> Found {
    let mut books: Vec<Ladder> = pairs.iter().map(|_| Ladder::new()).collect();
    let mut found = Found::default();
    for event in events {
        let book = &mut books[event.symbol as usize];
        book.apply(&event.what);
        if event.what != What::End {
            continue;
        }
        found.looks += 1;
        let quote = quote_of(book, event.received_ns);
        triangles.update(event.symbol, quote, |_| ());
        triangles.scan(event.received_ns, |it| {
            if it.legs.iter().any(|leg| leg.pair == event.symbol) {
                found.add(&it);
            }
        });
    }
    found
}
