//! Statistics that are kept, against exact arithmetic.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod vectors;

use analytics::arch::Backend;
use analytics::statistics::{
    Growing, GrowingPair, NotFinite, Quantile, Rolling, RollingPair, RollingRange, WINDOW_MAX,
    WeightedMatrix, WeightedPair,
};
use vectors::{Table, Tolerance, compare, relative};

fn or_nan(x: Option<f64>) -> f64 {
    x.unwrap_or(f64::NAN)
}

/// The cases, the length of their window, and how close variances and the like must be.
const CASES: [(&str, usize, f64); 6] = [
    ("normal", 50, 1e-10),
    ("tiny", 30, 1e-10),
    ("offset1e9", 50, 1e-7),
    ("offset1e6_tick", 64, 1e-7),
    ("outlier", 40, 1e-6),
    ("const_then_move", 20, 1e-10),
];

#[test]
fn growing_statistics_are_those_of_exact_arithmetic() {
    for (name, _, tolerance) in CASES {
        let table = Table::read(&format!("stats/stats_{name}.csv"));
        let (xs, ys) = (table.column("x"), table.column("y"));
        let mut pair = GrowingPair::default();
        let mut found = [const { Vec::new() }; 4];
        for (x, y) in xs.iter().zip(ys) {
            pair.push(*x, *y).unwrap();
            let now = [
                pair.x().mean(),
                or_nan(pair.x().variance(1)),
                or_nan(pair.covariance(1)),
                or_nan(pair.correlation()),
            ];
            found
                .iter_mut()
                .zip(now)
                .for_each(|(column, x)| column.push(x));
        }
        let [mean, variance, covariance, correlation] = &found;
        compare(name, mean, table.column("mean"), relative(1e-14));
        compare(
            name,
            variance,
            table.column("var_ddof1"),
            relative(tolerance),
        );
        // A covariance near 0 is the difference of great sums.
        let scale = variance.last().unwrap().sqrt();
        let near = Tolerance {
            relative: tolerance,
            floor: scale,
        };
        compare(name, covariance, table.column("cov_ddof1"), near);
        let near = Tolerance {
            relative: tolerance,
            floor: 1.0,
        };
        compare(name, correlation, table.column("corr"), near);
    }
}

#[test]
fn rolling_statistics_are_those_of_exact_arithmetic() {
    for (name, length, tolerance) in CASES {
        let table = Table::read(&format!("stats/stats_{name}.csv"));
        let (xs, ys) = (table.column("x"), table.column("y"));
        let mut rolling = Rolling::new(length).unwrap();
        let mut pair = RollingPair::new(length).unwrap();
        let mut found = [const { Vec::new() }; 5];
        for (x, y) in xs.iter().zip(ys) {
            rolling.push(*x).unwrap();
            pair.push(*x, *y).unwrap();
            let now = [
                Some(rolling.mean()),
                rolling.variance(1),
                rolling.z_score(1),
                pair.correlation(),
                pair.line_of_x().map(|(slope, _)| slope),
            ];
            let now = now.map(|x| or_nan(x.filter(|_| rolling.is_full())));
            found
                .iter_mut()
                .zip(now)
                .for_each(|(column, x)| column.push(x));
        }
        let columns = ["mean", "var_ddof1", "z", "corr", "slope_x_on_y"];
        for (column, found) in columns.iter().zip(&found) {
            let wanted = table.column(&format!("roll{length}_{column}"));
            let near = Tolerance {
                relative: if *column == "mean" { 1e-12 } else { tolerance },
                floor: if matches!(*column, "z" | "corr") {
                    1.0
                } else {
                    0.0
                },
            };
            compare(&format!("{name} {column}"), found, wanted, near);
        }
    }
}

#[test]
fn weighted_statistics_are_those_of_pandas() {
    let table = Table::read("stats/stats_ewm.csv");
    let (xs, ys) = (table.column("x"), table.column("y"));
    let mut pair = WeightedPair::new(0.06).unwrap();
    let mut found = [const { Vec::new() }; 4];
    for (x, y) in xs.iter().zip(ys) {
        pair.push(*x, *y).unwrap();
        let now = [
            pair.mean()[0],
            pair.variance()[0],
            or_nan(pair.variance_unbiased().map(|both| both[0])),
            or_nan(pair.correlation()),
        ];
        found
            .iter_mut()
            .zip(now)
            .for_each(|(column, x)| column.push(x));
    }
    let columns = ["ewma", "ewvar_bias", "ewvar_unbias", "ewcorr"];
    for (column, found) in columns.iter().zip(&found) {
        compare(column, found, table.column(column), relative(1e-10));
    }
}

#[test]
fn a_matrix_keeps_what_its_pairs_keep() {
    for series in [1, 2, 15, 16, 17, 40, 100] {
        let rows: Vec<f64> = noise(5).take(50 * series).collect();
        let mut found = Vec::new();
        for backend in Backend::all() {
            let mut matrix = WeightedMatrix::new(series, 0.06).unwrap();
            let push = |row: &[f64]| matrix.push(backend, row).unwrap();
            rows.chunks_exact(series).for_each(push);
            found.push(matrix);
        }
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{series}");
        let matrix = &found[0];
        for one in 0..series {
            for other in 0..series {
                let mut pair = WeightedPair::new(0.06).unwrap();
                for row in rows.chunks_exact(series) {
                    pair.push(row[one], row[other]).unwrap();
                }
                let got = matrix.covariance(one, other).unwrap();
                assert!((got - pair.covariance()).abs() < 1e-15, "{one} {other}");
                let got = matrix.correlation(one, other).unwrap();
                assert!((got - pair.correlation().unwrap()).abs() < 1e-13);
                assert_eq!(matrix.mean()[one], pair.mean()[0]);
            }
        }
        assert_eq!(matrix.covariance(series, 0), None);
    }
    let mut matrix = WeightedMatrix::new(2, 0.5).unwrap();
    assert!(matrix.push(Backend::best(), &[1.0]).is_err());
    assert!(matrix.push(Backend::best(), &[1.0, f64::NAN]).is_err());
    assert_eq!(matrix, WeightedMatrix::new(2, 0.5).unwrap());
}

/// Numbers without a pattern, from 0 to 1.
fn noise(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    })
}

#[test]
fn rolling_extremes_are_those_of_the_window() {
    for length in [1, 2, 3, 7, 64] {
        let xs: Vec<f64> = noise(9).take(500).map(|x| (x * 20.0).floor()).collect();
        let mut range = RollingRange::new(length).unwrap();
        assert_eq!((range.min(), range.max()), (None, None));
        for end in 1..=xs.len() {
            range.push(xs[end - 1]).unwrap();
            let window = &xs[end.saturating_sub(length)..end];
            let least = window.iter().copied().reduce(f64::min);
            let greatest = window.iter().copied().reduce(f64::max);
            assert_eq!((range.min(), range.max()), (least, greatest));
            assert_eq!(range.is_full(), end >= length);
        }
    }
}

#[test]
fn quantiles_are_near() {
    for wanted in [0.01, 0.5, 0.9, 0.99] {
        let mut quantile = Quantile::new(wanted).unwrap();
        assert_eq!(quantile.value(), None);
        noise(3)
            .take(100_000)
            .for_each(|x| quantile.push(x).unwrap());
        let got = quantile.value().unwrap();
        assert!((got - wanted).abs() < 0.005, "{wanted}: {got}");
    }
    let mut median = Quantile::new(0.5).unwrap();
    for (x, wanted) in [(5.0, 5.0), (1.0, 1.0), (3.0, 3.0), (2.0, 2.0), (4.0, 3.0)] {
        median.push(x).unwrap();
        assert_eq!(median.value(), Some(wanted));
    }
}

#[test]
fn what_is_not_finite_changes_nothing() {
    let mut growing = Growing::default();
    let mut rolling = Rolling::new(3).unwrap();
    let mut pair = RollingPair::new(3).unwrap();
    let mut range = RollingRange::new(3).unwrap();
    let mut weighted = WeightedPair::new(0.5).unwrap();
    for x in [1.0, 2.0] {
        growing.push(x).unwrap();
        rolling.push(x).unwrap();
        pair.push(x, -x).unwrap();
        range.push(x).unwrap();
        weighted.push(x, x).unwrap();
    }
    let before = (
        growing,
        rolling.clone(),
        pair.clone(),
        range.clone(),
        weighted,
    );
    for x in [f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(growing.push(x), Err(NotFinite(x)));
        assert_eq!(rolling.push(x), Err(NotFinite(x)));
        assert_eq!(pair.push(1.0, x), Err(NotFinite(x)));
        assert_eq!(range.push(x), Err(NotFinite(x)));
        assert_eq!(weighted.push(x, 1.0), Err(NotFinite(x)));
    }
    assert!(growing.push(f64::NAN).is_err());
    assert_eq!(before, (growing, rolling, pair, range, weighted));
}

#[test]
fn windows_and_weights_have_limits() {
    assert!(Rolling::new(0).is_err() && RollingPair::new(WINDOW_MAX + 1).is_err());
    assert!(RollingRange::new(0).is_err());
    assert!(WeightedPair::new(0.0).is_err() && WeightedPair::new(f64::NAN).is_err());
    let error = Quantile::new(1.0).unwrap_err().to_string();
    assert!(error.starts_with("the quantile is 1:"), "{error}");
    let error = Rolling::new(0).unwrap_err().to_string();
    assert_eq!(error, "the window is 0: it must be from 1 to 1048576");
}
