//! Every backend against plain loops and against each other, on series of any length and
//! alignment.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod vectors;

use analytics::arch::{Backend, LANES};
use analytics::kernels::{Bar, CoMoments, Extremes, Moments, Returns};
use proptest::prelude::*;
use vectors::{Table, relative, text};

/// Bits of results, to be compared exactly.
fn bits(values: impl IntoIterator<Item = f64>) -> Vec<u64> {
    values.into_iter().map(f64::to_bits).collect()
}

fn of_moments(moments: &Moments) -> [f64; 3] {
    let Moments {
        count,
        mean,
        squares,
    } = *moments;
    [count as f64, mean, squares]
}

/// All that a backend finds in two series.
fn found(backend: Backend, xs: &[f64], ys: &[f64]) -> Vec<u64> {
    let mut all = vec![
        backend.sum(xs),
        backend.sum_compensated(xs),
        backend.dot(xs, ys),
    ];
    all.extend(backend.vwap(xs, ys));
    if let Some(Extremes { min, max }) = backend.extremes(xs) {
        // Both zeros are the same.
        all.extend([min + 0.0, max + 0.0]);
    }
    all.extend(backend.moments(xs).iter().flat_map(of_moments));
    if let Some(CoMoments { x, y, products }) = backend.co_moments(xs, ys) {
        all.extend([of_moments(&x), of_moments(&y)].concat());
        all.push(products);
    }
    // No number is as good as the other.
    bits(
        all.into_iter()
            .map(|x| if x.is_nan() { f64::NAN } else { x }),
    )
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        20 => -1e6..1e6f64,
        4 => Just(0.0),
        2 => any::<f64>(),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
    ]
}

fn near(got: f64, wanted: f64, scale: f64) -> bool {
    got == wanted || (got - wanted).abs() <= 1e-13 * scale
}

proptest! {
    #[test]
    fn all_backends_find_the_same_bits(
        xs in prop::collection::vec(number(), 0..200),
        ys in prop::collection::vec(number(), 0..200),
        cut in 0..8usize,
    ) {
        let (xs, ys) = (&xs[cut.min(xs.len())..], &ys[(cut / 2).min(ys.len())..]);
        let [first, others @ ..] = &Backend::all()[..] else { unreachable!() };
        let wanted = found(*first, xs, ys);
        for other in others {
            prop_assert_eq!(&found(*other, xs, ys), &wanted, "{:?}", other);
        }
    }

    #[test]
    fn kernels_are_what_plain_loops_find(
        pairs in prop::collection::vec((-1e3..1e3f64, 0.0..1e3f64), 1..300),
    ) {
        let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let count = xs.len() as f64;
        for backend in Backend::all() {
            let sum: f64 = xs.iter().sum();
            let scale: f64 = xs.iter().map(|x| x.abs()).sum();
            prop_assert!(near(backend.sum(&xs), sum, scale));
            prop_assert!(near(backend.sum_compensated(&xs), sum, scale));
            let dot: f64 = xs.iter().zip(&ys).map(|(x, y)| x * y).sum();
            prop_assert!(near(backend.dot(&xs, &ys), dot, scale * 1e3));
            let extremes = backend.extremes(&xs).unwrap();
            prop_assert_eq!(extremes.min, xs.iter().copied().fold(f64::INFINITY, f64::min));
            prop_assert_eq!(extremes.max, xs.iter().copied().fold(-f64::INFINITY, f64::max));
            let (mean_x, mean_y) = (sum / count, ys.iter().sum::<f64>() / count);
            let of = |xs: &[f64], mean: f64| xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            let products: f64 = xs.iter().zip(&ys).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
            let both = backend.co_moments(&xs, &ys).unwrap();
            prop_assert!(near(both.x.squares, of(&xs, mean_x), count * 1e6));
            prop_assert!(near(both.y.squares, of(&ys, mean_y), count * 1e6));
            prop_assert!(near(both.products, products, count * 1e6));
            prop_assert_eq!(backend.moments(&xs), Some(both.x));
        }
    }

    #[test]
    fn a_bar_is_exact(
        trades in prop::collection::vec(
            (prop_oneof![8 => 1..70_000u32, 1 => any::<u32>()], any::<u16>(), any::<bool>()),
            0..200,
        ),
        is_great in any::<bool>(),
        cut in 0..8usize,
    ) {
        let trades = &trades[cut.min(trades.len())..];
        let prices: Vec<u32> = trades.iter().map(|trade| trade.0).collect();
        let units = trades.iter().map(|(_, units, top)| {
            if is_great && *top { u32::MAX - u32::from(*units) } else { u32::from(*units) }
        });
        let units: Vec<u32> = units.collect();
        let mut wanted: Option<Bar> = None;
        for (price, units) in prices.iter().zip(&units) {
            let one = Bar::of(*price, *units);
            match &mut wanted {
                Some(bar) => bar.add(&one),
                None => wanted = Some(one),
            }
        }
        for backend in Backend::all() {
            prop_assert_eq!(backend.bar(&prices, &units), wanted, "{:?}", backend);
        }
    }

    #[test]
    fn a_bar_has_the_nearest_average(trades in prop::collection::vec(
        (1..u32::MAX, any::<u32>()), 1..20,
    )) {
        let mut bar = Bar::of(1, 1);
        trades.iter().for_each(|(price, units)| bar.add(&Bar::of(*price, *units)));
        let vwap = bar.vwap();
        // From 1 on an `f64` is a number of steps of 2^-52.
        let steps = |x: f64| (x * 2f64.powi(52)) as u128;
        let [below, middle, above] = [vwap.next_down(), vwap, vwap.next_up()].map(steps);
        let exact = bar.value << 53;
        let volume = u128::from(bar.volume);
        prop_assert!((below + middle) * volume <= exact, "{bar:?} {vwap}");
        prop_assert!(exact <= (middle + above) * volume, "{bar:?} {vwap}");
    }
}

#[test]
fn of_nothing_there_is_nothing() {
    for backend in Backend::all() {
        assert_eq!(backend.sum(&[]), 0.0);
        assert_eq!(backend.dot(&[], &[1.0]), 0.0);
        assert_eq!(backend.extremes(&[]), None);
        assert_eq!(backend.moments(&[]), None);
        assert_eq!(backend.co_moments(&[1.0], &[]), None);
        assert_eq!(backend.vwap(&[], &[]), None);
        assert_eq!(backend.bar(&[1], &[]), None);
    }
}

#[test]
fn constants_have_no_variance_and_no_correlation() {
    let (same, other) = ([0.1; 77], [1.0, 2.0, 4.0].repeat(26));
    for backend in Backend::all() {
        let moments = backend.moments(&same).unwrap();
        assert!(moments.squares.abs() < 1e-28);
        let exact = backend.moments(&[5.0; 40]).unwrap();
        assert_eq!((exact.mean, exact.squares), (5.0, 0.0));
        assert_eq!(exact.z_score(5.0, 1), None);
        assert_eq!(exact.variance(40), None);
        let both = backend.co_moments(&[5.0; 77], &other).unwrap();
        assert_eq!((both.correlation(), both.line_of_y()), (None, None));
        let (slope, intercept) = both.line_of_x().unwrap();
        assert!(slope == 0.0 && intercept == 5.0);
        let self_same = backend.co_moments(&other, &other).unwrap();
        assert_eq!(self_same.correlation(), Some(1.0));
    }
}

#[test]
fn what_is_no_number_is_not_passed_over() {
    for length in [1, LANES - 1, LANES, LANES + 1, 3 * LANES] {
        for at in 0..length {
            let mut xs = vec![1.0; length];
            xs[at] = f64::NAN;
            for backend in Backend::all() {
                assert!(backend.sum(&xs).is_nan());
                assert!(backend.extremes(&xs).unwrap().min.is_nan());
                assert!(backend.extremes(&xs).unwrap().max.is_nan());
                assert!(backend.moments(&xs).unwrap().squares.is_nan());
            }
        }
    }
}

#[test]
fn without_volume_the_last_price_counts() {
    for backend in Backend::all() {
        assert_eq!(backend.vwap(&[3.0, 4.0], &[0.0, 0.0]), Some(4.0));
        assert_eq!(backend.bar(&[3, 4], &[0, 0]).unwrap().vwap(), 4.0);
    }
}

#[test]
fn returns_are_between_neighbours() {
    let mut out = [0.0; 3];
    assert_eq!(Returns::Simple.series(&[2.0, 3.0, 1.5], &mut out), 2);
    assert_eq!(out, [0.5, -0.5, 0.0]);
    assert_eq!(Returns::Log.series(&[1.0], &mut out), 0);
    assert_eq!(Returns::Log.of(1.0, 1.0), 0.0);
}

/// The numbers of a field of a case, if it has such a field.
fn list(case: &serde_json::Value, field: &str) -> Vec<f64> {
    let numbers = case.get(field).and_then(|field| field.as_array());
    numbers
        .into_iter()
        .flatten()
        .filter_map(|x| x.as_f64())
        .collect()
}

#[test]
fn sums_are_those_of_exact_arithmetic() {
    let all: serde_json::Value = serde_json::from_str(&text("stats/stats_sums.json")).unwrap();
    let exact =
        |name: &str, field: &str| -> f64 { all[name][field].as_str().unwrap().parse().unwrap() };
    for backend in Backend::all() {
        for name in ["alternating_big", "normal", "lognormal"] {
            let xs = list(&all[name], "x");
            let sum = exact(name, "sum_correctly_rounded");
            assert_eq!(backend.sum_compensated(&xs), sum, "{name}");
            let squares = exact(name, "sumsq_correctly_rounded");
            let got = backend.dot(&xs, &xs);
            assert!(
                (got - squares).abs() <= 1e-15 * squares,
                "{name}: {got} {squares}"
            );
        }
        let case = &all["prices_x_vol"];
        let got = backend.vwap(&list(case, "p"), &list(case, "v")).unwrap();
        let wanted = exact("prices_x_vol", "vwap_f64");
        assert!((got - wanted).abs() <= 1e-14 * wanted, "{got} {wanted}");
    }
}

#[test]
fn averages_are_those_of_exact_arithmetic() {
    for series in ["walk", "lowprice", "large", "flat", "up", "gaps"] {
        let table = Table::read(&format!("indicators/ta_{series}.csv"));
        let [high, low, close, volume] =
            ["high", "low", "close", "volume"].map(|name| table.column(name));
        let typical: Vec<f64> = (0..close.len())
            .map(|row| (high[row] + low[row] + close[row]) / 3.0)
            .collect();
        for backend in Backend::all() {
            let got: Vec<f64> = (0..close.len())
                .map(|row| backend.vwap(&typical[..=row], &volume[..=row]).unwrap())
                .collect();
            vectors::compare(
                series,
                &got,
                table.column("VWAP_cum_typical"),
                relative(1e-12),
            );
        }
    }
}
