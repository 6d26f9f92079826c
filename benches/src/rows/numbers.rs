//! `numbers`: what analytics does to a number, against the C library's port, another library, and
//! what memory can give.
//!
//! Each answer is compared with that of the peer or of plain loops before anything is timed. The
//! peers' averages over one series are compared with ours of many symbols as well: there is nothing
//! of the kind in them.

mod matrix;
mod sums;

use std::hint::black_box;
use std::time::Instant;

use analytics::arch::Backend;
use analytics::indicators::{
    Candle, Correlation, Ema, EmaRows, Indicator, Panel, PanelRule, Rsi, RsiRows, VolumeCandle,
};
use ta_lib::{Core, MAType};
use yata::core::Method;

use crate::compare::{Case, Subject, compare};
use crate::random::Random;
use crate::stats::Samples;
use crate::{BenchError, Effort, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "numbers",
    about: "averages, indicators and bars by number: ours, ta-lib, yata, plain loops",
    run,
};

/// Numbers that lie in the nearest cache, all columns together.
const NEAR: usize = 1_024;
/// Numbers that no cache holds, and of which `f32` loses count.
const FAR: usize = 1 << 24;
/// Symbols side by side.
const SYMBOLS: usize = 64;
/// Rows of them that are averaged again and again: 16 KiB, and 16 more for their values.
const ROWS: usize = 32;
/// How many values of a peer may differ by rounding.
const ROUNDING: f64 = 1e-9;

/// Prices that walk, with volumes, without a pattern.
struct Series {
    prices: Vec<f64>,
    volumes: Vec<f64>,
    ticks: Vec<u32>,
    units: Vec<u32>,
}

impl Series {
    fn new(length: usize) -> Self {
        let mut random = Random::new(42);
        let mut random = |end| random.below(end);
        let mut tick = 40_000u32;
        let mut ticks = Vec::with_capacity(length);
        for _ in 0..length {
            tick = (tick + random(9)).saturating_sub(4).clamp(1_000, 100_000);
            ticks.push(tick);
        }
        let units: Vec<u32> = (0..length).map(|_| 1 + random(999)).collect();
        Self {
            prices: ticks.iter().map(|tick| f64::from(*tick) / 100.0).collect(),
            volumes: units.iter().map(|units| f64::from(*units)).collect(),
            ticks,
            units,
        }
    }
}

/// Does work on so many numbers again and again; the time by number, in picoseconds.
fn timed(numbers: usize, effort: Effort, work: impl FnMut()) -> Samples {
    let all = effort.pick(1, 4_000_000, 20_000_000);
    repeated(numbers, all, effort, work)
}

/// The same, so often that it is `all` numbers a sample, or once.
fn repeated(numbers: usize, all: usize, effort: Effort, mut work: impl FnMut()) -> Samples {
    let repeats = (all / numbers).max(1);
    (0..effort.pick(1, 9, 15))
        .map(|_| {
            let start = Instant::now();
            for _ in 0..repeats {
                work();
            }
            start.elapsed().as_nanos() as u64 * 1_000 / (numbers * repeats) as u64
        })
        .collect()
}

/// Has the compiler believe that a value is looked at.
pub(super) fn used<T>(value: T) {
    black_box(value);
}

fn wrong(what: &str, ours: f64, theirs: f64) -> Result<(), BenchError> {
    let is_near = (ours - theirs).abs() <= ROUNDING * theirs.abs().max(1.0);
    if is_near || ours.is_nan() && theirs.is_nan() {
        return Ok(());
    }
    Err(BenchError::WrongAnswer(format!(
        "{what}: {ours} instead of {theirs}"
    )))
}

fn failed(error: impl std::fmt::Debug) -> BenchError {
    BenchError::Failed(format!("{error:?}"))
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let effort = options.effort;
    let far = effort.pick(NEAR, FAR, FAR);
    let mut cases = Vec::new();
    for (place, length) in [("in L1", NEAR), ("from memory", far)] {
        cases.extend(sums::sums(place, &Series::new(length), effort)?);
    }
    let series = Series::new(effort.pick(NEAR, 100_000, 100_000));
    cases.extend(averages(&series, effort)?);
    cases.extend(streams(&series, effort)?);
    cases.extend(matrix::covariances(&series, effort)?);
    Ok(cases)
}

/// Averages over whole series.
fn averages(series: &Series, effort: Effort) -> Result<Vec<Case>, BenchError> {
    let prices = &series.prices;
    let length = prices.len();
    let core = Core::new();
    let ema = Ema::new(12).map_err(failed)?;
    let rsi = Rsi::new(14).map_err(failed)?;
    let mut values = vec![0.0; length];
    let mut theirs = vec![0.0; length];
    ema.clone().series(prices, &mut values);
    let range = core
        .ema(0, length - 1, prices, 12, &mut theirs)
        .map_err(failed)?;
    wrong("ema", values[length - 1], theirs[range.count - 1])?;
    rsi.clone().series(prices, &mut values);
    let range = core
        .rsi(0, length - 1, prices, 14, &mut theirs)
        .map_err(failed)?;
    wrong("rsi", values[length - 1], theirs[range.count - 1])?;
    let (wide_ema, wide_rsi) = (
        EmaRows::new(12, SYMBOLS).map_err(failed)?,
        RsiRows::new(14, SYMBOLS).map_err(failed)?,
    );
    let best = Backend::best();
    let ours = || {
        let mut values = vec![0.0; length];
        let (mut ema_now, mut rsi_now) = (ema, rsi);
        let (mut wide_ema, mut wide_rsi) = (wide_ema.clone(), wide_rsi.clone());
        // Rows that stay in the near cache with their values, so that no other one is measured.
        let rows = &prices[..length.min(SYMBOLS * ROWS)];
        let mut to = vec![0.0; rows.len()];
        Ok(vec![
            timed(length, effort, || {
                ema_now.series(black_box(prices), &mut values)
            }),
            timed(length, effort, || {
                rsi_now.series(black_box(prices), &mut values)
            }),
            timed(rows.len(), effort, || {
                wide_ema.series(best, black_box(rows), &mut to)
            }),
            timed(rows.len(), effort, || {
                wide_rsi.series(best, black_box(rows), &mut to)
            }),
        ])
    };
    let ta = || {
        let mut values = vec![0.0; length];
        let ema = timed(length, effort, || {
            let _ = black_box(core.ema(0, length - 1, black_box(prices), 12, &mut values));
        });
        let rsi = timed(length, effort, || {
            let _ = black_box(core.rsi(0, length - 1, black_box(prices), 14, &mut values));
        });
        Ok(vec![ema.clone(), rsi.clone(), ema, rsi])
    };
    let names = [
        "EMA 12, one series",
        "RSI 14, one series",
        "EMA 12, 64 symbols side by side",
        "RSI 14, 64 symbols side by side",
    ];
    let subjects = vec![Subject::new("ours", ours), Subject::new("ta-lib", ta)];
    compare(&names, effort.rounds(), subjects)
}

/// One price after the other.
fn streams(series: &Series, effort: Effort) -> Result<Vec<Case>, BenchError> {
    let Series {
        prices,
        volumes,
        ticks,
        ..
    } = series;
    let candles: Vec<Candle> = (ticks.iter())
        .map(|tick| Candle {
            high: f64::from(tick + 3) / 100.0,
            low: f64::from(tick - 3) / 100.0,
            close: f64::from(*tick) / 100.0,
        })
        .collect();
    let length = prices.len();
    let core = Core::new();
    let warm = 100.min(length);
    let (first, others) = (&prices[..warm], &volumes[..warm]);
    let highs: Vec<f64> = candles[..warm].iter().map(|candle| candle.high).collect();
    let lows: Vec<f64> = candles[..warm].iter().map(|candle| candle.low).collect();
    let best = Backend::best();
    let bars: Vec<VolumeCandle> = (candles.iter().zip(volumes))
        .map(|(candle, volume)| VolumeCandle {
            candle: *candle,
            volume: *volume,
        })
        .collect();
    let pairs: Vec<[f64; 2]> = (prices.iter().zip(volumes))
        .map(|(price, volume)| [*price, *volume])
        .collect();
    let ours = || {
        let mut panel = Panel::new(best, &PanelRule::default()).map_err(failed)?;
        let bundle = timed(length, effort, || {
            for bar in &bars {
                black_box(&panel.take(bar));
            }
        });
        let mut pair = Correlation::new(30).map_err(failed)?;
        let correlation = timed(length, effort, || {
            for pair_now in &pairs {
                black_box(pair.next(*pair_now));
            }
        });
        let mut ema = Ema::new(12).map_err(failed)?;
        let one = timed(length, effort, || {
            for price in prices {
                black_box(ema.next(*price));
            }
        });
        Ok(vec![bundle, correlation, one])
    };
    let ta = || {
        let (mut rsi, _) = core.rsi_open(first, 14).map_err(failed)?;
        let (mut macd, _) = core.macd_open(first, 12, 26, 9).map_err(failed)?;
        let (mut bands, _) = core
            .bbands_open(first, 20, 2.0, 2.0, MAType::SMA)
            .map_err(failed)?;
        let (mut atr, _) = core.atr_open(&highs, &lows, first, 14).map_err(failed)?;
        let (mut value, mut volume) = (0.0, 0.0);
        let bundle = timed(length, effort, || {
            for (candle, units) in candles.iter().zip(volumes) {
                let Candle { high, low, close } = *candle;
                value += close * units;
                volume += units;
                let _ = black_box((rsi.update(close), macd.update(close), bands.update(close)));
                let _ = black_box((atr.update(high, low, close), value / volume));
            }
        });
        let (mut pair, _) = core.correl_open(first, others, 30).map_err(failed)?;
        let correlation = timed(length, effort, || {
            for (x, y) in prices.iter().zip(volumes) {
                let _ = black_box(pair.update(*x, *y));
            }
        });
        let (mut ema, _) = core.ema_open(first, 12).map_err(failed)?;
        let one = timed(length, effort, || {
            for price in prices {
                let _ = black_box(ema.update(*price));
            }
        });
        Ok(vec![bundle, correlation, one])
    };
    let names = [
        "RSI, MACD, Bollinger, ATR and VWAP, a tick",
        "correlation of the last 30, a pair",
        "EMA 12, a tick",
    ];
    let subjects = vec![Subject::new("ours", ours), Subject::new("ta-lib", ta)];
    let mut cases = compare(&names, effort.rounds(), subjects)?;
    cases.extend(ema_beside_yata(prices, effort)?);
    Ok(cases)
}

/// The other library has this one in the same sense, begun with the first price.
fn ema_beside_yata(prices: &[f64], effort: Effort) -> Result<Vec<Case>, BenchError> {
    let length = prices.len();
    let first = prices.first().copied().unwrap_or(1.0);
    let ours = || {
        let mut ema = Ema::new(12).map_err(failed)?;
        Ok(vec![timed(length, effort, || {
            prices.iter().for_each(|price| used(ema.next(*price)));
        })])
    };
    let yata = || {
        let mut ema = yata::methods::EMA::new(12, &first).map_err(failed)?;
        Ok(vec![timed(length, effort, || {
            prices.iter().for_each(|price| used(ema.next(price)));
        })])
    };
    let subjects = vec![Subject::new("ours", ours), Subject::new("yata", yata)];
    compare(&["EMA 12, a tick, beside yata"], effort.rounds(), subjects)
}
