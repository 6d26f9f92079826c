//! Averages of many symbols at a time: a price of each symbol is a row.
//!
//! The bits are those of [`Ema`](super::Ema) and [`Rsi`](super::Rsi) for each symbol by itself.
//! There is no passing over here: a price that is not finite makes all later values of its symbol
//! none.

use super::smoothing::{BLOCK, powers};
use super::{OutOfRange, checked_period};
use crate::arch::{Backend, Kernel, LANES, Lanes};
use crate::statistics::checked_symbols;

/// Sixteen symbols' numbers.
type Group = [f64; LANES];

/// Smoothed series of many symbols, in step with each other.
#[derive(Clone, Debug, PartialEq)]
struct Rows {
    weight: f64,
    keep: [f64; BLOCK],
    base: Vec<Group>,
    part: Vec<Group>,
    phase: usize,
}

impl Rows {
    fn new(weight: f64, groups: usize) -> Self {
        Self {
            weight,
            keep: powers(weight),
            base: vec![[0.0; LANES]; groups],
            part: vec![[0.0; LANES]; groups],
            phase: 0,
        }
    }

    /// Begins at the values that stand in `base`, as [`Smoothing`](super::smoothing::Smoothing).
    fn begin(&mut self, seen: usize) {
        self.phase = seen % BLOCK;
        if self.phase != 0 {
            core::mem::swap(&mut self.base, &mut self.part);
        }
    }

    /// What one step does to sixteen symbols.
    #[inline(always)]
    fn step<L: Lanes>(&self, lanes: L, at: usize, phase: usize, part: L::F, x: L::F) -> [L::F; 2] {
        let [keep, ..] = self.keep;
        let (keep, weight) = (lanes.splat(keep), lanes.splat(self.weight));
        let part = lanes.add(lanes.mul(keep, part), lanes.mul(weight, x));
        let base = lanes.mul(lanes.splat(self.keep[phase]), lanes.load(&self.base[at]));
        [part, lanes.add(base, part)]
    }

    /// Goes on by one step behind which `part` and `value` are known.
    #[inline(always)]
    fn keep<L: Lanes>(&mut self, lanes: L, at: usize, phase: usize, [part, value]: [L::F; 2]) {
        if phase + 1 == BLOCK {
            lanes.store(value, &mut self.base[at]);
            self.part[at] = [0.0; LANES];
        } else {
            lanes.store(part, &mut self.part[at]);
        }
    }

    fn advance(&mut self, steps: usize) {
        self.phase = (self.phase + steps) % BLOCK;
    }
}

/// Sixteen symbols of a row; zeros for those that there are not.
#[inline(always)]
fn group(row: &[f64], at: usize) -> Group {
    let rest = &row[at * LANES..];
    match rest.first_chunk::<LANES>() {
        Some(group) => *group,
        None => {
            let mut group = [0.0; LANES];
            group[..rest.len()].copy_from_slice(rest);
            group
        }
    }
}

/// Writes sixteen symbols of a row, or as many as there are.
#[inline(always)]
fn write<L: Lanes>(lanes: L, values: L::F, row: &mut [f64], at: usize) {
    let rest = &mut row[at * LANES..];
    if let Some(group) = rest.first_chunk_mut::<LANES>() {
        lanes.store(values, group);
        return;
    }
    let mut group = [0.0; LANES];
    lanes.store(values, &mut group);
    rest.copy_from_slice(&group[..rest.len()]);
}

/// Hands on up to `count` first rows of both slices one by one; gives all whole rows behind them.
fn behind_first<'a>(
    symbols: usize,
    count: usize,
    prices: &'a [f64],
    values: &'a mut [f64],
    mut on: impl FnMut(&[f64], &mut [f64]),
) -> (&'a [f64], &'a mut [f64]) {
    let rows = (prices.len() / symbols).min(values.len() / symbols);
    let first = symbols * count.min(rows);
    let (first_prices, later) = prices[..rows * symbols].split_at(first);
    let (to_first, to_later) = values.split_at_mut(first);
    let to_rows = to_first.chunks_exact_mut(symbols);
    for (row, to) in first_prices.chunks_exact(symbols).zip(to_rows) {
        on(row, to);
    }
    (later, to_later)
}

/// Takes up to `count` rows off both slices; says how many, while there are any.
#[inline(always)]
fn next_rows<'a>(
    count: usize,
    symbols: usize,
    prices: &mut &'a [f64],
    values: &mut &'a mut [f64],
) -> Option<(usize, &'a [f64], &'a mut [f64])> {
    if prices.is_empty() {
        return None;
    }
    let rows = count.min(prices.len() / symbols);
    let now = prices.split_off(..rows * symbols)?;
    let to = values.split_off_mut(..rows * symbols)?;
    Some((rows, now, to))
}

/// [`Ema`](super::Ema) of many symbols.
#[derive(Clone, Debug, PartialEq)]
pub struct EmaRows {
    period: usize,
    symbols: usize,
    seen: usize,
    rows: Rows,
}

impl EmaRows {
    /// # Errors
    /// The period is 0 or too long, or there are no symbols or too many.
    pub fn new(period: usize, symbols: usize) -> Result<Self, OutOfRange> {
        let period = checked_period(period, 1)?;
        let symbols = checked_symbols(symbols)?;
        Ok(Self {
            period,
            symbols,
            seen: 0,
            rows: Rows::new(2.0 / (period as f64 + 1.0), symbols.div_ceil(LANES)),
        })
    }

    /// Goes on over rows of a price for each symbol; a value for each, no number where there is
    /// none yet. What is behind the last whole row of either slice is not looked at.
    pub fn series(&mut self, backend: Backend, prices: &[f64], values: &mut [f64]) {
        let [symbols, left] = [self.symbols, self.period - self.seen];
        let (later, to_later) =
            behind_first(symbols, left, prices, values, |row, to| self.warm(row, to));
        backend.run(EmaSteps {
            ema: self,
            prices: later,
            values: to_later,
        });
    }

    /// Sums stand where the averages will.
    fn warm(&mut self, row: &[f64], values: &mut [f64]) {
        self.seen += 1;
        let bases = self.rows.base.as_flattened_mut();
        for ((x, value), base) in row.iter().zip(values).zip(bases) {
            *base += x;
            *value = f64::NAN;
            if self.seen == self.period {
                *base /= self.period as f64;
                *value = *base;
            }
        }
        if self.seen == self.period {
            self.rows.begin(self.seen);
        }
    }
}

struct EmaSteps<'a> {
    ema: &'a mut EmaRows,
    prices: &'a [f64],
    values: &'a mut [f64],
}

impl Kernel for EmaSteps<'_> {
    type Output = ();

    /// As many rows at a time as the block has left, so that what is kept stays in registers.
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let symbols = self.ema.symbols;
        let rows = &mut self.ema.rows;
        let (mut prices, mut values) = (self.prices, self.values);
        while let Some((steps, now, to)) =
            next_rows(BLOCK - rows.phase, symbols, &mut prices, &mut values)
        {
            for at in 0..rows.base.len() {
                let mut part = lanes.load(&rows.part[at]);
                let mut value = part;
                for step in 0..steps {
                    let range = step * symbols..(step + 1) * symbols;
                    let x = lanes.load(&group(&now[range.clone()], at));
                    [part, value] = rows.step(lanes, at, rows.phase + step, part, x);
                    write(lanes, value, &mut to[range], at);
                }
                rows.keep(lanes, at, rows.phase + steps - 1, [part, value]);
            }
            rows.advance(steps);
        }
    }
}

/// [`Rsi`](super::Rsi) of many symbols.
#[derive(Clone, Debug, PartialEq)]
pub struct RsiRows {
    period: usize,
    symbols: usize,
    seen: usize,
    last: Vec<Group>,
    gain: Rows,
    loss: Rows,
}

impl RsiRows {
    /// # Errors
    /// The period is 0 or too long, or there are no symbols or too many.
    pub fn new(period: usize, symbols: usize) -> Result<Self, OutOfRange> {
        let period = checked_period(period, 1)?;
        let symbols = checked_symbols(symbols)?;
        let groups = symbols.div_ceil(LANES);
        let rows = Rows::new(1.0 / period as f64, groups);
        Ok(Self {
            period,
            symbols,
            seen: 0,
            last: vec![[0.0; LANES]; groups],
            gain: rows.clone(),
            loss: rows,
        })
    }

    /// As [`EmaRows::series`].
    pub fn series(&mut self, backend: Backend, prices: &[f64], values: &mut [f64]) {
        let [symbols, left] = [self.symbols, self.period + 1 - self.seen];
        let (later, to_later) =
            behind_first(symbols, left, prices, values, |row, to| self.warm(row, to));
        backend.run(RsiSteps {
            rsi: self,
            prices: later,
            values: to_later,
        });
    }

    fn warm(&mut self, row: &[f64], values: &mut [f64]) {
        let is_first = self.seen == 0;
        self.seen += 1;
        let is_last = self.seen > self.period;
        let last = self.last.as_flattened_mut().iter_mut();
        let gains = self.gain.base.as_flattened_mut();
        let losses = self.loss.base.as_flattened_mut();
        let sums = gains.iter_mut().zip(losses);
        for (((x, value), last), (gain, loss)) in row.iter().zip(values).zip(last).zip(sums) {
            if !is_first {
                let [up, down] = super::rsi::parts(*last, *x);
                *gain += up;
                *loss += down;
            }
            *last = *x;
            *value = f64::NAN;
            if is_last {
                *gain /= self.period as f64;
                *loss /= self.period as f64;
                *value = super::rsi::strength(*gain, *loss);
            }
        }
        if is_last {
            self.gain.begin(self.seen);
            self.loss.begin(self.seen);
        }
    }
}

struct RsiSteps<'a> {
    rsi: &'a mut RsiRows,
    prices: &'a [f64],
    values: &'a mut [f64],
}

impl Kernel for RsiSteps<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let RsiRows {
            symbols,
            last,
            gain,
            loss,
            ..
        } = self.rsi;
        let symbols = *symbols;
        let (mut prices, mut values) = (self.prices, self.values);
        let (zero, hundred) = (lanes.splat(0.0), lanes.splat(100.0));
        let least = lanes.splat(f64::MIN_POSITIVE);
        while let Some((steps, now, to)) =
            next_rows(BLOCK - gain.phase, symbols, &mut prices, &mut values)
        {
            for (at, last) in last.iter_mut().enumerate() {
                let mut from = lanes.load(last);
                let mut up = [lanes.load(&gain.part[at]); 2];
                let mut down = [lanes.load(&loss.part[at]); 2];
                for step in 0..steps {
                    let range = step * symbols..(step + 1) * symbols;
                    let x = lanes.load(&group(&now[range.clone()], at));
                    let (rise, fall) = (lanes.sub(x, from), lanes.sub(from, x));
                    from = x;
                    // What is no number stays none: the second one is kept.
                    let (rise, fall) = (lanes.max(zero, rise), lanes.max(zero, fall));
                    let phase = gain.phase + step;
                    up = gain.step(lanes, at, phase, up[0], rise);
                    down = loss.step(lanes, at, phase, down[0], fall);
                    let both = lanes.max(least, lanes.add(up[1], down[1]));
                    let value = lanes.div(lanes.mul(hundred, up[1]), both);
                    write(lanes, value, &mut to[range], at);
                }
                let phase = gain.phase + steps - 1;
                gain.keep(lanes, at, phase, up);
                loss.keep(lanes, at, phase, down);
                lanes.store(from, last);
            }
            gain.advance(steps);
            loss.advance(steps);
        }
    }
}
