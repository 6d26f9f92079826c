//! The usual indicators of one symbol at a time: RSI, MACD, Bollinger bands, ATR and VWAP.
//!
//! Six averages in them are smoothed by the same recurrence, and the sums of the last are one, too,
//! that forgets nothing. All stand in the same place of their blocks: so they go side by side, four
//! in a register.

use super::smoothing::{BLOCK, Smoothing};
use super::{
    Atr, Bands, Bollinger, Candle, Indicator, Macd, MacdValue, OutOfRange, Rsi, range, rsi,
};
use crate::arch::{Backend, Kernel, Lanes};
use crate::statistics::are_finite;

/// A bar and what was traded in it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(32))]
pub struct VolumeCandle {
    /// Its prices.
    pub candle: Candle,
    /// What was traded.
    pub volume: f64,
}

/// Periods of a panel's indicators.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PanelRule {
    /// Of the relative strength index.
    pub rsi: usize,
    /// Of the fast, the slow and the signal's average.
    pub macd: [usize; 3],
    /// Of the bands.
    pub bands: usize,
    /// How many deviations these are away.
    pub width: f64,
    /// Of the average true range.
    pub atr: usize,
}

impl Default for PanelRule {
    fn default() -> Self {
        Self {
            rsi: 14,
            macd: [12, 26, 9],
            bands: 20,
            width: 2.0,
            atr: 14,
        }
    }
}

/// What a panel says; no number (NaN) where its indicator says nothing yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PanelValue {
    /// As [`Rsi`].
    pub rsi: f64,
    /// As [`Macd`].
    pub macd: MacdValue,
    /// As [`Bollinger`].
    pub bands: Bands,
    /// As [`Atr`].
    pub atr: f64,
    /// Closes weighted by volumes, of all bars so far; the last close without volume.
    pub vwap: f64,
}

const NOTHING: VolumeCandle = VolumeCandle {
    candle: Candle {
        high: 0.0,
        low: 0.0,
        close: 0.0,
    },
    volume: 0.0,
};

/// Numbers of a register.
const WIDE: usize = 4;
type Wide = [f64; WIDE];

/// Smoothed series in step with each other, with the bits of each alone.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(32))]
struct Smoothings {
    weight: Wide,
    base: Wide,
    part: Wide,
    /// What is kept of the base, by the place in a block.
    keep: [Wide; BLOCK],
}

impl Smoothings {
    fn of(all: [&Smoothing; WIDE]) -> Self {
        Self {
            weight: all.map(|one| one.weight),
            base: all.map(|one| one.base),
            part: all.map(|one| one.part),
            keep: std::array::from_fn(|at| all.map(|one| one.keep[at])),
        }
    }

    /// Takes the next numbers, at a place of a block.
    #[inline(always)]
    fn next(&mut self, phase: usize, x: Wide) -> Wide {
        let ([keep, ..], now) = (self.keep, self.keep[phase % BLOCK]);
        let part = self.part;
        let part: Wide = std::array::from_fn(|at| keep[at] * part[at] + self.weight[at] * x[at]);
        self.part = part;
        std::array::from_fn(|at| now[at] * self.base[at] + part[at])
    }

    /// Ends a block with these values.
    #[inline(always)]
    fn end(&mut self, values: Wide) {
        (self.base, self.part) = (values, [0.0; WIDE]);
    }
}

/// Indicators that have not all said something.
#[derive(Clone, Debug, PartialEq)]
struct Young {
    rsi: Rsi,
    macd: Macd,
    atr: Atr,
    /// Sums, by blocks: what was paid, and traded.
    value: Smoothing,
    volume: Smoothing,
}

/// RSI, MACD, Bollinger bands, ATR and VWAP, with the bits of each alone. A bar of which a number
/// is not finite, or what its prices span or its volume was worth, is passed over by all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Until all have said something.
    young: Option<Box<Young>>,
    /// Place in a block.
    phase: usize,
    /// The last bar. Only its close is needed: but what is written with its neighbour and read with
    /// it comes out of the store buffer at once, and not when it is in memory.
    last: VolumeCandle,
    /// Of gains and losses, the fast and the slow average.
    first: Smoothings,
    /// Of ranges, the signal; value and volume of all bars.
    second: Smoothings,
    bands: Bollinger,
    backend: Backend,
}

impl Panel {
    /// # Errors
    /// A period is as its indicator does not take it.
    pub fn new(backend: Backend, rule: &PanelRule) -> Result<Self, OutOfRange> {
        let [fast, slow, signal] = rule.macd;
        let young = Young {
            rsi: Rsi::new(rule.rsi)?,
            macd: Macd::new(fast, slow, signal)?,
            atr: Atr::new(rule.atr)?,
            value: Smoothing::sum(),
            volume: Smoothing::sum(),
        };
        let [first, second] = young.smoothings();
        Ok(Self {
            young: Some(Box::new(young)),
            phase: 0,
            last: NOTHING,
            first,
            second,
            bands: Bollinger::new(rule.bands, rule.width)?,
            backend: backend.narrow(),
        })
    }

    /// As [`Indicator::next`], of a bar that need not be copied first.
    #[inline]
    pub fn take(&mut self, bar: &VolumeCandle) -> Option<PanelValue> {
        if self.young.is_some() {
            return self.warm(bar);
        }
        self.backend.run(Tick { panel: self, bar })
    }

    /// While one of them has said nothing.
    #[cold]
    fn warm(&mut self, bar: &VolumeCandle) -> Option<PanelValue> {
        let VolumeCandle { candle, volume } = *bar;
        let Candle { high, low, close } = candle;
        if !are_finite([high - low, close * volume]) {
            return None;
        }
        let young = self.young.as_mut()?;
        let rsi = young.rsi.next(candle.close);
        let macd = young.macd.next(candle.close);
        let atr = young.atr.next(candle);
        let value = young.value.next(candle.close * volume);
        let volume = young.volume.next(volume);
        let bands = self.bands.next(candle.close);
        if rsi.is_some() && macd.is_some() && atr.is_some() && bands.is_some() {
            [self.first, self.second] = young.smoothings();
            self.phase = young.volume.phase;
            self.young = None;
        }
        self.last = *bar;
        Some(PanelValue {
            rsi: rsi.unwrap_or(Rsi::NONE),
            macd: macd.unwrap_or(Macd::NONE),
            bands: bands.unwrap_or(Bollinger::NONE),
            atr: atr.unwrap_or(Atr::NONE),
            vwap: vwap(value, volume, candle.close),
        })
    }
}

#[inline(always)]
fn vwap(value: f64, volume: f64, close: f64) -> f64 {
    if volume == 0.0 { close } else { value / volume }
}

impl Young {
    fn smoothings(&self) -> [Smoothings; 2] {
        let [gain, loss] = self.rsi.smoothings();
        let [fast, slow, signal] = self.macd.smoothings();
        let range = self.atr.smoothing();
        [
            Smoothings::of([gain, loss, fast, slow]),
            Smoothings::of([range, signal, &self.value, &self.volume]),
        ]
    }
}

/// A bar when all of them have said something.
struct Tick<'a> {
    panel: &'a mut Panel,
    bar: &'a VolumeCandle,
}

impl Kernel for Tick<'_> {
    type Output = Option<PanelValue>;

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) -> Option<PanelValue> {
        let Self { panel, bar } = self;
        let VolumeCandle { candle, volume } = *bar;
        let Candle { high, low, close } = candle;
        let (wide, value) = (high - low, close * volume);
        if !are_finite([wide, value]) {
            return None;
        }
        let before = panel.last.candle.close;
        panel.last = *bar;
        let phase = panel.phase;
        let [gain, loss] = rsi::parts(before, close);
        let first = panel.first.next(phase, [gain, loss, close, close]);
        let macd = first[2] - first[3];
        let range = range::true_range(before, candle);
        let second = panel.second.next(phase, [range, macd, value, volume]);
        panel.phase = (phase + 1) % BLOCK;
        if panel.phase == 0 {
            panel.first.end(first);
            panel.second.end(second);
        }
        let [atr, signal, value, volume] = second;
        Some(PanelValue {
            rsi: rsi::strength(first[0], first[1]),
            macd: MacdValue {
                macd,
                signal,
                histogram: macd - signal,
            },
            bands: panel.bands.next_finite(close),
            atr,
            vwap: vwap(value, volume, close),
        })
    }
}

impl Indicator for Panel {
    type Input = VolumeCandle;
    type Output = PanelValue;
    const NONE: PanelValue = PanelValue {
        rsi: Rsi::NONE,
        macd: Macd::NONE,
        bands: Bollinger::NONE,
        atr: Atr::NONE,
        vwap: f64::NAN,
    };

    #[inline(always)]
    fn next(&mut self, bar: VolumeCandle) -> Option<PanelValue> {
        self.take(&bar)
    }
}
