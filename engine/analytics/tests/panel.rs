//! The usual indicators at a time against each alone, bit by bit, and against the exact average.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod vectors;

use analytics::arch::Backend;
use analytics::indicators::{
    Atr, Bollinger, Candle, Indicator, Macd, Panel, PanelRule, PanelValue, Rsi, VolumeCandle,
};
use proptest::prelude::*;
use vectors::{Table, compare, relative};

/// Bits of all numbers; those that are none are all the same.
fn bits(value: &PanelValue) -> [u64; 8] {
    let PanelValue {
        rsi,
        macd,
        bands,
        atr,
        ..
    } = value;
    let numbers = [
        *rsi,
        macd.macd,
        macd.signal,
        macd.histogram,
        bands.upper,
        bands.middle,
        bands.lower,
        *atr,
    ];
    numbers.map(|x| if x.is_nan() { u64::MAX } else { x.to_bits() })
}

/// All of them by themselves.
struct Singles {
    rsi: Rsi,
    macd: Macd,
    bands: Bollinger,
    atr: Atr,
}

impl Singles {
    fn new(rule: &PanelRule) -> Self {
        let [fast, slow, signal] = rule.macd;
        Self {
            rsi: Rsi::new(rule.rsi).unwrap(),
            macd: Macd::new(fast, slow, signal).unwrap(),
            bands: Bollinger::new(rule.bands, rule.width).unwrap(),
            atr: Atr::new(rule.atr).unwrap(),
        }
    }

    fn next(&mut self, candle: Candle) -> PanelValue {
        let close = candle.close;
        PanelValue {
            rsi: self.rsi.next(close).unwrap_or(Rsi::NONE),
            macd: self.macd.next(close).unwrap_or(Macd::NONE),
            bands: self.bands.next(close).unwrap_or(Bollinger::NONE),
            atr: self.atr.next(candle).unwrap_or(Atr::NONE),
            vwap: f64::NAN,
        }
    }
}

/// A bar around a close, and what is none of it: nothing, or one number that is not finite.
fn bar() -> impl Strategy<Value = (VolumeCandle, bool)> {
    let broken = prop_oneof![20 => Just(None), 1 => (0..4usize, any::<bool>()).prop_map(Some)];
    let parts = (1..100_000u32, 0..50u32, 0..50u32, 0..1_000u32, broken);
    parts.prop_map(|(close, above, below, units, broken)| {
        let price = |ticks: u32| f64::from(ticks) / 100.0;
        let mut numbers = [
            price(close + above),
            price(close.saturating_sub(below)),
            price(close),
            f64::from(units),
        ];
        if let Some((at, is_infinite)) = broken {
            numbers[at] = if is_infinite { f64::INFINITY } else { f64::NAN };
        }
        let [high, low, close, volume] = numbers;
        let candle = Candle { high, low, close };
        (VolumeCandle { candle, volume }, broken.is_none())
    })
}

proptest! {
    #[test]
    fn a_panel_gives_the_bits_of_each_alone(
        bars in prop::collection::vec(bar(), 0..300),
        rsi in 1..30usize,
        fast in 1..20usize,
        more in 1..20usize,
        signal in 1..20usize,
        bands in 2..40usize,
        atr in 1..30usize,
    ) {
        let macd = [fast, fast + more, signal];
        let rule = PanelRule { rsi, macd, bands, atr, ..PanelRule::default() };
        for backend in Backend::all() {
            let mut panel = Panel::new(backend, &rule).unwrap();
            let mut singles = Singles::new(&rule);
            for (at, (bar, is_whole)) in bars.iter().enumerate() {
                let found = panel.next(*bar);
                prop_assert_eq!(found.is_some(), *is_whole, "{:?}, bar {}", backend, at);
                if let Some(found) = found {
                    let wanted = singles.next(bar.candle);
                    prop_assert_eq!(bits(&found), bits(&wanted), "{:?}, bar {}", backend, at);
                }
            }
        }
        // A series, too.
        let inputs: Vec<VolumeCandle> = bars.iter().map(|(bar, _)| *bar).collect();
        let mut values = vec![Panel::NONE; inputs.len()];
        let panel = Panel::new(Backend::best(), &rule).unwrap();
        panel.clone().series(&inputs, &mut values);
        let mut again = panel;
        for (input, value) in inputs.iter().zip(&values) {
            let found = again.take(input).unwrap_or(Panel::NONE);
            prop_assert_eq!(bits(&found), bits(value));
            let [found, wanted] = [found.vwap, value.vwap].map(f64::to_bits);
            prop_assert_eq!(found, wanted);
        }
    }
}

/// The vectors weigh the middle of high, low and close: a close at that price stands for it.
#[test]
fn the_average_weighted_by_volume_is_that_of_exact_arithmetic() {
    for series in ["walk", "lowprice", "large", "flat", "up", "gaps"] {
        let table = Table::read(&format!("indicators/ta_{series}.csv"));
        let [high, low, close, volume] =
            ["high", "low", "close", "volume"].map(|name| table.column(name));
        let mut panel = Panel::new(Backend::best(), &PanelRule::default()).unwrap();
        let got: Vec<f64> = (0..close.len())
            .map(|row| {
                let (high, low) = (high[row], low[row]);
                let close = (high + low + close[row]) / 3.0;
                let candle = Candle { high, low, close };
                let volume = volume[row];
                panel.take(&VolumeCandle { candle, volume }).unwrap().vwap
            })
            .collect();
        let wanted = table.column("VWAP_cum_typical");
        compare(series, &got, wanted, relative(1e-12));
    }
}

#[test]
fn without_volume_the_last_close_counts() {
    let mut panel = Panel::new(Backend::best(), &PanelRule::default()).unwrap();
    for close in 1..100 {
        let close = f64::from(close);
        let candle = Candle {
            high: close,
            low: close,
            close,
        };
        let volume = 0.0;
        let found = panel.take(&VolumeCandle { candle, volume }).unwrap();
        assert_eq!(found.vwap, close);
    }
    let rule = PanelRule {
        macd: [26, 12, 9],
        ..PanelRule::default()
    };
    let error = Panel::new(Backend::best(), &rule).unwrap_err().to_string();
    assert_eq!(error, "the period is 12: it must be from 27 to 1048576");
}
