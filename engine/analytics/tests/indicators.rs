//! Indicators against TA-Lib's answers, and their forms for series against those for single prices.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod vectors;

use analytics::arch::Backend;
use analytics::indicators::{
    Atr, Bands, Bollinger, Candle, Correlation, Ema, EmaRows, Indicator, Macd, MacdValue, Rsi,
    RsiRows, Sma, StdDev,
};
use analytics::statistics::{Rolling, RollingPair, RollingRange};
use proptest::prelude::*;
use vectors::{Table, Tolerance, compare, relative};

const SERIES: [&str; 6] = ["walk", "lowprice", "large", "flat", "up", "gaps"];

fn run<I: Indicator>(mut indicator: I, inputs: &[I::Input]) -> Vec<I::Output> {
    let mut values = vec![I::NONE; inputs.len()];
    indicator.series(inputs, &mut values);
    values
}

/// A number within so much of a price.
fn near_price(part: f64, prices: &[f64]) -> Tolerance {
    let floor = prices.iter().copied().fold(0.0, f64::max);
    Tolerance {
        relative: part,
        floor,
    }
}

#[test]
fn answers_are_those_of_ta_lib() {
    for series in SERIES {
        let table = Table::read(&format!("indicators/ta_{series}.csv"));
        let [high, low, close] = ["high", "low", "close"].map(|name| table.column(name));
        let check = |name: &str, got: &[f64], tolerance: Tolerance| {
            compare(
                &format!("{series} {name}"),
                got,
                table.column(name),
                tolerance,
            );
        };
        for period in [2, 20] {
            let got = run(Sma::new(period).unwrap(), close);
            check(&format!("SMA_{period}"), &got, relative(1e-12));
        }
        for period in [12, 26, 200] {
            let got = run(Ema::new(period).unwrap(), close);
            check(&format!("EMA_{period}"), &got, relative(1e-12));
        }
        for period in [2, 14, 30] {
            let got = run(Rsi::new(period).unwrap(), close);
            check(&format!("RSI_{period}"), &got, relative(1e-10));
        }
        let macd = run(Macd::new(12, 26, 9).unwrap(), close);
        let tolerance = near_price(1e-12, close);
        let fields: [fn(&MacdValue) -> f64; 3] = [
            |value| value.macd,
            |value| value.signal,
            |value| value.histogram,
        ];
        for (at, field) in fields.iter().enumerate() {
            let got: Vec<f64> = macd.iter().map(field).collect();
            check(&format!("MACD_12_26_9__{at}"), &got, tolerance);
        }
        let bands = run(Bollinger::new(20, 2.0).unwrap(), close);
        let fields: [fn(&Bands) -> f64; 3] = [
            |bands| bands.upper,
            |bands| bands.middle,
            |bands| bands.lower,
        ];
        for (at, field) in fields.iter().enumerate() {
            let got: Vec<f64> = bands.iter().map(field).collect();
            check(&format!("BBANDS_20_2__{at}"), &got, relative(1e-10));
        }
        let got = run(StdDev::new(20).unwrap(), close);
        let price = close.iter().copied().fold(0.0, f64::max);
        let tolerance = Tolerance {
            relative: 1e-8,
            floor: 1e-9 * price * price,
        };
        check("STDDEV_20", &got, tolerance);
        let candles: Vec<Candle> = (0..close.len())
            .map(|row| Candle {
                high: high[row],
                low: low[row],
                close: close[row],
            })
            .collect();
        let got = run(Atr::new(14).unwrap(), &candles);
        check("ATR_14", &got, relative(1e-12));
    }
}

/// What the vectors know beyond indicators is kept by statistics and kernels.
#[test]
fn statistics_of_windows_are_those_of_ta_lib() {
    for series in SERIES {
        let table = Table::read(&format!("indicators/ta_{series}.csv"));
        let [high, low, close, volume] =
            ["high", "low", "close", "volume"].map(|name| table.column(name));
        let price = close.iter().copied().fold(0.0, f64::max);
        let check = |name: &str, got: &[f64], tolerance: Tolerance| {
            let wanted = table.column(name);
            compare(&format!("{series} {name}"), got, wanted, tolerance);
        };
        let windows = |length: usize, of: &dyn Fn(usize) -> f64| -> Vec<f64> {
            let of_row = |row| if row + 1 < length { f64::NAN } else { of(row) };
            (0..close.len()).map(of_row).collect()
        };
        let mut kept = Rolling::new(20).unwrap();
        let [mut highest, mut lowest] = [(); 2].map(|()| RollingRange::new(20).unwrap());
        let mut lines = RollingPair::new(14).unwrap();
        let mut found = [(); 4].map(|()| Vec::new());
        for (at, x) in close.iter().enumerate() {
            kept.push(*x).unwrap();
            highest.push(high[at]).unwrap();
            lowest.push(low[at]).unwrap();
            lines.push(*x, at as f64).unwrap();
            let is_full = at + 1 >= 20;
            let full = |x: Option<f64>| if is_full { x.unwrap() } else { f64::NAN };
            found[0].push(full(kept.variance(0)));
            found[1].push(full(highest.max()));
            found[2].push(full(lowest.min()));
            let slope = lines.line_of_x().map(|(slope, _)| slope);
            found[3].push(slope.filter(|_| at + 1 >= 14).unwrap_or(f64::NAN));
        }
        let square = Tolerance {
            relative: 1e-8,
            floor: 1e-9 * price * price,
        };
        check("VAR_20", &found[0], square);
        check("MAX_20", &found[1], relative(0.0));
        check("MIN_20", &found[2], relative(0.0));
        check("LINEARREG_SLOPE_14", &found[3], near_price(1e-12, close));
        let pairs: Vec<[f64; 2]> = high.iter().zip(low).map(|(x, y)| [*x, *y]).collect();
        let got = run(Correlation::new(30).unwrap(), &pairs);
        let one = Tolerance {
            relative: 1e-8,
            floor: 1.0,
        };
        check("CORREL_hl_30", &got, one);
        let middle: Vec<f64> = (0..close.len())
            .map(|row| (high[row] + low[row] + close[row]) / 3.0)
            .collect();
        let vwap = |from: usize, to: usize| {
            let found = Backend::best().vwap(&middle[from..to], &volume[from..to]);
            found.unwrap()
        };
        let all = windows(1, &|row| vwap(0, row + 1));
        check("VWAP_cum_typical", &all, relative(1e-12));
        let last = windows(20, &|row| vwap(row - 19, row + 1));
        check("VWAP_roll20_typical", &last, relative(1e-12));
    }
}

/// Feeds one price at a time.
fn one_by_one<I: Indicator>(mut indicator: I, inputs: &[I::Input]) -> Vec<I::Output> {
    let next = |input: &I::Input| indicator.next(*input).unwrap_or(I::NONE);
    inputs.iter().map(next).collect()
}

fn same(left: &[f64], right: &[f64]) -> bool {
    let bits = |x: &f64| x.to_bits();
    left.iter().map(bits).eq(right.iter().map(bits))
}

fn price() -> impl Strategy<Value = f64> {
    prop_oneof![
        30 => (1..100_000u32).prop_map(|ticks| f64::from(ticks) / 100.0),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
    ]
}

proptest! {
    #[test]
    fn series_and_single_prices_give_the_same_bits(
        prices in prop::collection::vec(price(), 0..200),
        period in 1..40usize,
        cut in 0..200usize,
    ) {
        let (first, second) = prices.split_at(cut.min(prices.len()));
        let ema = Ema::new(period).unwrap();
        let rsi = Rsi::new(period).unwrap();
        prop_assert!(same(&run(ema, &prices), &one_by_one(ema, &prices)));
        prop_assert!(same(&run(rsi, &prices), &one_by_one(rsi, &prices)));
        // In parts, too.
        let (mut ema_on, mut rsi_on) = (ema, rsi);
        let mut found = [vec![0.0; prices.len()], vec![0.0; prices.len()]];
        let (to_first, to_second) = found[0].split_at_mut(first.len());
        ema_on.series(first, to_first);
        ema_on.series(second, to_second);
        let (to_first, to_second) = found[1].split_at_mut(first.len());
        rsi_on.series(first, to_first);
        rsi_on.series(second, to_second);
        prop_assert!(same(&found[0], &run(ema, &prices)));
        prop_assert!(same(&found[1], &run(rsi, &prices)));
    }

    #[test]
    fn many_symbols_give_the_same_bits_as_each_alone(
        symbols in 1..40usize,
        rows in 0..60usize,
        period in 1..20usize,
        cut in 0..60usize,
        seed in any::<u32>(),
    ) {
        let tick = |at: usize| {
            let mixed = (at as u32 ^ seed).wrapping_mul(0x9E37_79B1) >> 20;
            f64::from(mixed / 4) / 100.0
        };
        let prices: Vec<f64> = (0..symbols * rows).map(tick).collect();
        let of = |symbol: usize| -> Vec<f64> {
            prices.iter().skip(symbol).step_by(symbols).copied().collect()
        };
        let cut = cut.min(rows) * symbols;
        for backend in Backend::all() {
            let mut ema = EmaRows::new(period, symbols).unwrap();
            let mut rsi = RsiRows::new(period, symbols).unwrap();
            let mut found = [vec![0.0; prices.len()], vec![0.0; prices.len()]];
            for (from, to) in [(0, cut), (cut, prices.len())] {
                ema.series(backend, &prices[from..to], &mut found[0][from..to]);
                rsi.series(backend, &prices[from..to], &mut found[1][from..to]);
            }
            for symbol in 0..symbols {
                let column = |values: &[f64]| -> Vec<f64> {
                    values.iter().skip(symbol).step_by(symbols).copied().collect()
                };
                let wanted = run(Ema::new(period).unwrap(), &of(symbol));
                prop_assert!(same(&column(&found[0]), &wanted), "{:?}", backend);
                let wanted = run(Rsi::new(period).unwrap(), &of(symbol));
                prop_assert!(same(&column(&found[1]), &wanted), "{:?}", backend);
            }
        }
    }

    #[test]
    fn correlations_are_those_of_the_window(
        pairs in prop::collection::vec((price(), price()), 0..200),
        period in 1..40usize,
    ) {
        let pairs: Vec<[f64; 2]> = pairs.iter().map(|(x, y)| [*x, *y]).collect();
        let mut window = RollingPair::new(period).unwrap();
        let mut wanted = Vec::new();
        for [x, y] in &pairs {
            let taken = window.push(*x, *y).is_ok() && window.is_full();
            wanted.push(if taken { window.correlation().unwrap_or(0.0) } else { f64::NAN });
        }
        let ours = Correlation::new(period).unwrap();
        prop_assert!(same(&run(ours.clone(), &pairs), &wanted));
        prop_assert!(same(&one_by_one(ours, &pairs), &wanted));
    }

    #[test]
    fn prices_that_are_none_are_passed_over(
        prices in prop::collection::vec(price(), 0..120),
    ) {
        let finite: Vec<f64> = prices.iter().copied().filter(|price| price.is_finite()).collect();
        let rest = |values: Vec<f64>| -> Vec<f64> {
            let pairs = prices.iter().zip(values);
            pairs.filter(|(price, _)| price.is_finite()).map(|(_, value)| value).collect()
        };
        let rsi = Rsi::new(5).unwrap();
        prop_assert!(same(&rest(run(rsi, &prices)), &run(rsi, &finite)));
        let sma = || Sma::new(5).unwrap();
        prop_assert!(same(&rest(run(sma(), &prices)), &run(sma(), &finite)));
    }
}

#[test]
fn periods_have_limits() {
    assert!(Ema::new(0).is_err() && Rsi::new(0).is_err() && Atr::new(0).is_err());
    assert!(StdDev::new(1).is_err() && Bollinger::new(1, 2.0).is_err());
    let error = Macd::new(26, 12, 9).unwrap_err().to_string();
    assert_eq!(error, "the period is 12: it must be from 27 to 1048576");
    assert!(run(Sma::new(3).unwrap(), &[]).is_empty());
}
