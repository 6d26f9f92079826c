//! Order-flow imbalance: what came to the best bid and left the best offer, less the reverse
//! (Cont, Kukanov, Stoikov, "The price impact of order book events", 2014, section 2).

use super::{Standing, Touch};
use crate::statistics::OutOfRange;

/// Parts that a window of time is kept in.
const PARTS: usize = 64;

/// The order-flow imbalance of a window of time, in lots, exact.
///
/// The window is kept in 64 parts and ends with the one that is filling: it covers the time asked
/// for, less up to one part. A time before the newest one counts as the newest.
#[derive(Clone, Debug)]
pub struct OrderFlow {
    last: Option<Touch>,
    part_ns: u64,
    /// Number of the part that is filling.
    part: u64,
    sums: [i128; PARTS],
    sum: i128,
}

impl OrderFlow {
    /// Nothing yet, over a window of so many ns.
    ///
    /// # Errors
    /// The window has fewer ns than parts.
    pub fn new(window_ns: u64) -> Result<Self, OutOfRange> {
        let part_ns = window_ns / PARTS as u64;
        if part_ns == 0 {
            return Err(OutOfRange {
                what: "the window in ns",
                min: PARTS as f64,
                max: u64::MAX as f64,
                given: window_ns as f64,
            });
        }
        Ok(Self {
            last: None,
            part_ns,
            part: 0,
            sums: [0; PARTS],
            sum: 0,
        })
    }

    /// Takes the touch as it is from now on, and gives what its change contributes. The first one
    /// contributes nothing. A side that is missing counts as one at the worst price of all.
    #[inline]
    pub fn on(&mut self, now_ns: u64, touch: Touch) -> i128 {
        let Some(last) = self.last.replace(touch) else {
            self.turn(now_ns);
            return 0;
        };
        let bid = came(last.bid, touch.bid, |price| price);
        // Offers are better the lower they are: `!` turns the order around without overflow.
        let offer = came(last.offer, touch.offer, |price| !price);
        let flow = bid - offer;
        self.turn(now_ns);
        self.sums[(self.part % PARTS as u64) as usize] += flow;
        self.sum += flow;
        flow
    }

    /// The sum of the window that ends now.
    #[inline]
    pub fn sum(&mut self, now_ns: u64) -> i128 {
        self.turn(now_ns);
        self.sum
    }

    /// What is to come is a new book: its first touch contributes nothing.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// Empties the parts that the window left.
    #[inline]
    fn turn(&mut self, now_ns: u64) {
        let part = now_ns / self.part_ns;
        let turns = part.saturating_sub(self.part).min(PARTS as u64);
        for step in 1..=turns {
            // Beyond a whole turn every part goes, wherever the steps begin.
            let at = ((self.part % PARTS as u64 + step) % PARTS as u64) as usize;
            self.sum -= core::mem::take(&mut self.sums[at]);
        }
        self.part = self.part.max(part);
    }
}

/// What came to a side's best price, less what left it. `rank` is greater for better prices.
#[inline]
fn came(last: Standing, now: Standing, rank: impl Fn(i64) -> i64) -> i128 {
    // No price at all is below every price.
    let rank = |it: Standing| (it.quantity > 0).then(|| rank(it.price));
    let (before, after) = (rank(last), rank(now));
    let came = if after >= before { now.quantity } else { 0 };
    let left = if after <= before { last.quantity } else { 0 };
    i128::from(came) - i128::from(left)
}
