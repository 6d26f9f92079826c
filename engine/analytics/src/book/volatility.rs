//! Realised volatility: the root of the sum of squared log returns (Andersen, Bollerslev, Diebold,
//! Labys, "Modeling and forecasting realized volatility", 2003).

use crate::statistics::{OutOfRange, Rolling};

/// The realised volatility of the last so many samples of a price.
///
/// The price is looked at on a grid of time, multiples of the interval, and counts there with its
/// last value from before: a price at every change would mostly tell the bounce between bid and
/// offer. An interval without a change has a return of 0.
#[derive(Clone, Debug)]
pub struct RealisedVolatility {
    interval_ns: u64,
    squares: Rolling,
    length: u64,
    /// The last price that came, and the number of the interval it came in.
    newest: Option<(f64, u64)>,
    /// The price at the last point of the grid.
    sampled: Option<f64>,
}

impl RealisedVolatility {
    /// A window of `samples` returns over `interval_ns` each.
    ///
    /// # Errors
    /// No interval, or a window that [`Rolling`] does not take.
    pub fn new(interval_ns: u64, samples: usize) -> Result<Self, OutOfRange> {
        if interval_ns == 0 {
            return Err(OutOfRange {
                what: "the interval in ns",
                min: 1.0,
                max: u64::MAX as f64,
                given: 0.0,
            });
        }
        Ok(Self {
            interval_ns,
            squares: Rolling::new(samples)?,
            length: samples as u64,
            newest: None,
            sampled: None,
        })
    }

    /// Takes the price as it is from now on. One that is not above 0 and finite, such as that of a
    /// book with one side, is passed over: the one before goes on to count. A time before the
    /// newest one counts as the newest. The work is constant, but for a pause: then it is a step
    /// for each interval without a change, at most the window's length.
    pub fn on(&mut self, now_ns: u64, price: f64) {
        if !(price > 0.0 && price.is_finite()) {
            return;
        }
        let interval = now_ns / self.interval_ns;
        let interval = match self.newest {
            Some((last, at)) if interval > at => {
                self.sample(last, interval - at);
                interval
            }
            Some((_, at)) => at,
            None => interval,
        };
        self.newest = Some((price, interval));
    }

    /// The price was `last` at so many points of the grid.
    fn sample(&mut self, last: f64, points: u64) {
        let moved = self
            .sampled
            .replace(last)
            .map(|before| (last / before).ln());
        let still = (points - 1).min(self.length);
        let returns = moved.into_iter();
        for it in returns.chain((0..still).map(|_| 0.0)) {
            let taken = self.squares.push(it * it);
            debug_assert!(taken.is_ok(), "a ratio of finite prices above 0");
        }
    }

    /// The root of the sum of squares, for the whole window; `None` before the first return. It is
    /// a part of the price: 0.01 is one per cent.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        let count = self.squares.count();
        let sum = self.squares.mean() * count as f64;
        // Squares cannot be negative, what a mean rounds to can.
        (count > 0).then(|| sum.max(0.0).sqrt())
    }

    /// Returns in the window so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.squares.count()
    }
}
