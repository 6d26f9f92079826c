//! Engines that do the same work: ours, a plain baseline, and engines published by others.
//!
//! Each one answers the same messages with the same reports. What a peer does by a rule of its own
//! is named at its adapter, and shown with a minimal stream in `tests/peers.rs`. Where a peer's
//! ids are not the harness's, its adapter translates by flat tables, as ours does.

mod baseline;
pub mod batches;
mod lobster;
mod matchcore;
#[cfg(feature = "orderbook-rs")]
mod orderbook_rs;
mod ours;

pub use baseline::Baseline;
pub use lobster::Lobster;
pub use matchcore::Matchcore;
#[cfg(feature = "orderbook-rs")]
pub use orderbook_rs::OrderbookRs;
pub use ours::Ours;

use wire::ring::Side;
use wirecross_capi::{Message, Report};

use crate::BenchError;

/// What an engine must have room for.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Order ids are below this.
    pub ids: u32,
    /// Messages at most.
    pub messages: u32,
    /// Orders that rest at the same time at most.
    pub orders: u32,
}

/// An engine with one empty book.
pub trait Venue: Sized {
    /// What the report calls it.
    const NAME: &'static str;

    /// Makes one.
    fn open(room: Room) -> Result<Self, BenchError>;

    /// Applies a message and gives its reports in order. `left`, `side` and `reason` need not be
    /// set: not every engine tells them.
    fn apply(&mut self, message: &Message, on: impl FnMut(&Report));

    /// Applies messages one after the other.
    fn apply_all(&mut self, messages: &[Message], mut on: impl FnMut(&Report)) {
        for message in messages {
            self.apply(message, &mut on);
        }
    }

    /// Prices of a side with the open units there, best first.
    fn levels(&self, side: Side) -> Vec<(i64, u64)>;
}

/// What two engines must agree about: every report, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// Reports.
    pub count: u64,
    /// Fills among them.
    pub fills: u64,
    hash: u64,
}

impl Digest {
    /// Adds a report: its kind, order, other order, price and units.
    #[inline]
    pub fn add(&mut self, report: &Report) {
        self.count += 1;
        self.fills += u64::from(report.kind == wirecross_capi::REPORT_FILL);
        let what = report.id | u64::from(report.kind) << 32;
        let whom = report.other | u64::from(report.quantity) << 32;
        let mixed = (what ^ whom.rotate_left(17) ^ (report.price as u64).rotate_left(41))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.hash = (self.hash.rotate_left(5) ^ mixed).wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
}

/// The parts of a report that all engines give.
#[must_use]
pub fn essence(report: &Report) -> (u8, u64, u64, i64, u32) {
    let Report {
        kind,
        id,
        other,
        price,
        quantity,
        ..
    } = *report;
    (kind, id, other, price, quantity)
}

/// Answers of a whole stream: the digest and both sides of the final book.
pub type Answers = (Digest, [Vec<(i64, u64)>; 2]);

/// Both sides of a book.
#[must_use]
pub fn book<V: Venue>(venue: &V) -> [Vec<(i64, u64)>; 2] {
    [venue.levels(Side::Buy), venue.levels(Side::Sell)]
}

/// The first message at which two engines differ, with both answers.
pub fn difference<A: Venue, B: Venue>(
    room: Room,
    messages: &[Message],
) -> Result<Option<String>, BenchError> {
    let (mut a, mut b) = (A::open(room)?, B::open(room)?);
    for (number, message) in messages.iter().enumerate() {
        let (mut from_a, mut from_b) = (Vec::new(), Vec::new());
        a.apply(message, |report| from_a.push(essence(report)));
        b.apply(message, |report| from_b.push(essence(report)));
        if from_a != from_b {
            let (a, b) = (A::NAME, B::NAME);
            return Ok(Some(format!(
                "message {} {message:?}: {a} says {from_a:?}, {b} says {from_b:?}",
                number + 1
            )));
        }
    }
    let same = book(&a) == book(&b);
    Ok((!same).then(|| format!("the final books of {} and {} differ", A::NAME, B::NAME)))
}
