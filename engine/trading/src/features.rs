//! The numbers of a book that models learn from and are asked with: one source of both, so that
//! what a model is asked while it trades is what it learnt from, bit for bit.
//!
//! A row is what was known at an even time: of all events that came in before it. The first is one
//! step behind the first event. What has no value is NaN, which models call missing.

use core::fmt;

use analytics::book::{OrderFlow, Touch};

use crate::market::{Event, What};
use crate::watch::{Watch, WatchRule};

/// Windows of the order flow, in ms, and how far back middles are compared.
pub const WINDOWS_MS: [u64; 3] = [1_000, 5_000, 30_000];
/// Numbers of a row.
pub const FEATURES: usize = 6 + 2 * WINDOWS_MS.len();
/// What they are called, in their order.
pub const FEATURE_NAMES: [&str; FEATURES] = [
    "spread",
    "microprice",
    "imbalance",
    "imbalance_levels",
    "near",
    "volatility",
    "flow_1000ms",
    "flow_5000ms",
    "flow_30000ms",
    "moved_1000ms",
    "moved_5000ms",
    "moved_30000ms",
];
/// The longest time between two rows, in ms.
pub const EVERY_MS_MAX: u64 = 3_600_000;
/// The longest time without anything that is lived through step by step, in ns: a week, which is
/// more than any market's holidays. A longer one is a clock's mistake, or two recordings.
pub const REST_NS_MAX: u64 = 7 * 24 * 3_600_000_000_000;

/// Nanoseconds of a millisecond.
const MS_NS: u64 = 1_000_000;
/// The window that the watch itself follows: the first.
const WATCHED: usize = 0;

const _: () = assert!(WATCHED == 0, "the others are behind it");
const _: () = assert!(EVERY_MS_MAX * MS_NS < REST_NS_MAX, "or no row is ever made");

/// What was known at a time at which both sides stood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Best bid and best offer.
    pub touch: Touch,
    /// In the order of [`FEATURE_NAMES`]: prices in ticks, quantities in lots.
    pub numbers: [f64; FEATURES],
}

impl Row {
    /// The numbers as models take them.
    #[must_use]
    pub fn single(&self) -> [f32; FEATURES] {
        self.numbers.map(|number| number as f32)
    }
}

/// Rows cannot be that far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadStep(pub u64);

impl fmt::Display for BadStep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ms: from 1 to {EVERY_MS_MAX} ms", self.0)
    }
}

impl core::error::Error for BadStep {}

/// A book watched for rows. All memory is taken at the start.
#[derive(Clone, Debug)]
pub struct Features {
    every_ms: u64,
    due_ns: Option<u64>,
    watch: Watch,
    /// Of the windows behind the first.
    flows: [OrderFlow; WINDOWS_MS.len() - 1],
    sums: [i64; WINDOWS_MS.len()],
    /// Middles of the last rows, this one's last; NaN where a side was missing. A ring.
    middles: Vec<f64>,
    rows: u64,
}

impl Features {
    /// An empty book, with a row each so many ms.
    ///
    /// # Errors
    /// [`BadStep`].
    pub fn new(every_ms: u64) -> Result<Self, BadStep> {
        if !(1..=EVERY_MS_MAX).contains(&every_ms) {
            return Err(BadStep(every_ms));
        }
        let window_ns = |window: usize| WINDOWS_MS[window] * MS_NS;
        let rule = WatchRule {
            flow_ns: window_ns(WATCHED),
            ..WatchRule::default()
        };
        // The windows are constants, all within their limits.
        let bad = |_| BadStep(every_ms);
        let longest_ms = WINDOWS_MS[WINDOWS_MS.len() - 1];
        let kept = usize::try_from(longest_ms / every_ms + 1).map_err(|_| BadStep(every_ms))?;
        Ok(Self {
            every_ms,
            due_ns: None,
            watch: Watch::new(rule).map_err(bad)?,
            flows: [
                OrderFlow::new(window_ns(1)).map_err(bad)?,
                OrderFlow::new(window_ns(2)).map_err(bad)?,
            ],
            sums: [0; WINDOWS_MS.len()],
            middles: vec![f64::NAN; kept],
            rows: 0,
        })
    }

    /// When the next row is due; not before there was an event.
    #[must_use]
    pub const fn due_ns(&self) -> Option<u64> {
        self.due_ns
    }

    /// The next row that is due at `now_ns`, with the time it is of; nothing was known if a side
    /// was missing. To be asked until there is none, before each event and whenever time passed.
    pub fn next_row(&mut self, now_ns: u64) -> Option<(u64, Option<Row>)> {
        let due_ns = self.due_ns.filter(|due_ns| *due_ns <= now_ns)?;
        self.due_ns = due_ns.checked_add(self.every_ms * MS_NS);
        let touch = self.watch.numbers().touch;
        let middle = touch.middle();
        let kept = self.middles.len() as u64;
        self.middles[(self.rows % kept) as usize] = middle.unwrap_or(f64::NAN);
        let row = middle.map(|middle| self.row(touch, middle));
        self.rows += 1;
        Some((due_ns, row))
    }

    /// Begins anew at `now_ns` where the rows that are due reach back further than
    /// [`REST_NS_MAX`]: these are never made, the next one is a step away, and middles of before
    /// are forgotten. To be asked before [`Features::next_row`] by who would not have all rows of
    /// years without an event.
    pub fn rested(&mut self, now_ns: u64) {
        let is_long = |due_ns: u64| now_ns.saturating_sub(due_ns) > REST_NS_MAX;
        if self.due_ns.is_some_and(is_long) {
            self.due_ns = now_ns.checked_add(self.every_ms * MS_NS);
            self.middles.fill(f64::NAN);
        }
    }

    /// Takes an event of this market, behind the rows that were due when it came in.
    #[inline]
    pub fn on(&mut self, event: &Event) {
        if self.due_ns.is_none() && self.rows == 0 {
            self.due_ns = event.received_ns.checked_add(self.every_ms * MS_NS);
        }
        self.watch.on(event);
        let is_touch = match event.what {
            What::Quote { .. } => true,
            What::End => !self.watch.is_quoted(),
            What::Clear => {
                self.flows.iter_mut().for_each(OrderFlow::forget);
                false
            }
            What::Level { .. } | What::Trade { .. } => false,
        };
        if is_touch {
            let numbers = self.watch.numbers();
            self.sums[WATCHED] = numbers.order_flow;
            let (touch, now_ns) = (numbers.touch, event.received_ns);
            for (flow, sum) in self.flows.iter_mut().zip(&mut self.sums[WATCHED + 1..]) {
                flow.on(now_ns, touch);
                let most = i128::from(i64::MAX);
                *sum = flow.sum(now_ns).clamp(-most, most) as i64;
            }
        }
    }

    fn row(&self, touch: Touch, middle: f64) -> Row {
        let seen = self.watch.numbers();
        let known = |number: Option<f64>| number.unwrap_or(f64::NAN);
        let [bids, offers] = seen.near.map(|lots| lots as f64);
        let near = (bids + offers > 0.0).then(|| (bids - offers) / (bids + offers));
        let mut numbers = [f64::NAN; FEATURES];
        numbers[..6].copy_from_slice(&[
            known(touch.spread().map(|spread| spread as f64)),
            known(seen.microprice.map(|price| price - middle)),
            known(seen.imbalance),
            known(seen.imbalance_levels),
            known(near),
            known(seen.volatility),
        ]);
        for (at, window_ms) in WINDOWS_MS.into_iter().enumerate() {
            numbers[6 + at] = self.sums[at] as f64;
            numbers[6 + WINDOWS_MS.len() + at] = middle - self.middle_before(window_ms);
        }
        Row { touch, numbers }
    }

    /// The middle of the row so long before the one that is being made.
    fn middle_before(&self, window_ms: u64) -> f64 {
        let kept = self.middles.len() as u64;
        let before = self.rows.checked_sub(window_ms / self.every_ms);
        before.map_or(f64::NAN, |row| self.middles[(row % kept) as usize])
    }
}
