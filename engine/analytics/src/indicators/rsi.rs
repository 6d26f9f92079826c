//! Relative strength index (Wilder, New Concepts in Technical Trading Systems, 1978).

use super::smoothing::{BLOCK, Smoothing, block_of_two, in_blocks};
use super::{Indicator, OutOfRange, checked_period};
use crate::arch::{Backend, Kernel, Lanes};

/// `100 * gain / (gain + loss)`, both smoothed as Wilder does: first the mean of `period` moves,
/// from then on each new one weighs `1 / period`. 0 where nothing moved at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rsi {
    period: usize,
    /// Prices so far, up to one more than the period.
    seen: usize,
    last: f64,
    sums: [f64; 2],
    gain: Smoothing,
    loss: Smoothing,
    backend: Backend,
}

/// What a move gains and what it loses.
#[inline(always)]
pub(super) fn parts(from: f64, to: f64) -> [f64; 2] {
    let up = to - from;
    let gain = if 0.0 > up { 0.0 } else { up };
    [gain, gain - up]
}

#[inline(always)]
pub(super) fn strength(gain: f64, loss: f64) -> f64 {
    let both = gain + loss;
    // Of nothing, nothing: without a jump, which a processor would have to guess.
    let is_least = f64::MIN_POSITIVE > both;
    100.0 * gain / if is_least { f64::MIN_POSITIVE } else { both }
}

impl Rsi {
    /// Usual is 14.
    ///
    /// # Errors
    /// The period is 0 or too long.
    pub fn new(period: usize) -> Result<Self, OutOfRange> {
        let period = checked_period(period, 1)?;
        let smoothing = Smoothing::new(1.0 / period as f64);
        Ok(Self {
            period,
            seen: 0,
            last: 0.0,
            sums: [0.0; 2],
            gain: smoothing,
            loss: smoothing,
            backend: Backend::best().narrow(),
        })
    }

    /// Of gains and of losses.
    pub(super) fn smoothings(&self) -> [&Smoothing; 2] {
        [&self.gain, &self.loss]
    }

    #[cold]
    fn warm(&mut self, gain: f64, loss: f64) -> Option<f64> {
        let [gains, losses] = &mut self.sums;
        if self.seen > 0 {
            *gains += gain;
            *losses += loss;
        }
        self.seen += 1;
        (self.seen > self.period).then(|| {
            let [gain, loss] = self.sums.map(|sum| sum / self.period as f64);
            self.gain.begin(gain, self.seen);
            self.loss.begin(loss, self.seen);
            strength(gain, loss)
        })
    }
}

impl Indicator for Rsi {
    type Input = f64;
    type Output = f64;
    const NONE: f64 = f64::NAN;

    #[inline]
    fn next(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        let [gain, loss] = parts(self.last, x);
        self.last = x;
        if self.seen <= self.period {
            return self.warm(gain, loss);
        }
        let (gain, loss) = (self.gain.next(gain), self.loss.next(loss));
        Some(strength(gain, loss))
    }

    fn series(&mut self, xs: &[f64], values: &mut [f64]) {
        let backend = self.backend;
        backend.run(Series {
            rsi: self,
            xs,
            values,
        });
    }
}

/// A series whose blocks are worked out with the registers and the selections of a backend.
struct Series<'a> {
    rsi: &'a mut Rsi,
    xs: &'a [f64],
    values: &'a mut [f64],
}

impl Kernel for Series<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        let Self { rsi, xs, values } = self;
        let one = |rsi: &mut Rsi, x: f64| rsi.next(x).unwrap_or(Rsi::NONE);
        in_blocks(rsi, xs, values, one, |rsi, xs: &[f64; BLOCK]| {
            if rsi.seen <= rsi.period || !xs.iter().all(|x| x.is_finite()) {
                return None;
            }
            let mut from = rsi.last;
            let moves = xs.map(|to| parts(core::mem::replace(&mut from, to), to));
            let values = block_of_two([&mut rsi.gain, &mut rsi.loss], &moves)?;
            rsi.last = from;
            Some(values.map(|[gain, loss]| strength(gain, loss)))
        });
    }
}
