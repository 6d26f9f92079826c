//! Cointegration against statsmodels' answers, and against what should not be answered.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

#[path = "../../../engine/analytics/tests/vectors/mod.rs"]
mod vectors;

use analytics::arch::Backend;
use analytics::statistics::Rolling;
use quant::cointegration::{
    Criterion, KalmanHedge, Lags, Level, PairScan, Trend, adf, engle_granger, half_life, johansen,
    kpss, ols,
};
use serde_json::Value;
use vectors::{Table, compare, relative, text};

/// Cases and their series.
fn cases() -> Vec<(Value, Vec<Vec<f64>>)> {
    let all: Value = serde_json::from_str(&text("coint/coint.json")).unwrap();
    let read = |case: &Value| {
        let table = Table::read(&format!("coint/{}", case["file"].as_str().unwrap()));
        let is_three = case["name"] == "three";
        let names = &["x", "y", "z"][..if is_three { 3 } else { 2 }];
        let columns = names.iter().map(|name| table.column(name).to_vec());
        (case.clone(), columns.collect())
    };
    all["recs"].as_array().unwrap().iter().map(read).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap();
    all.iter().map(number).collect()
}

fn near(what: &str, got: f64, wanted: f64, part: f64) {
    compare(what, &[got], &[wanted], relative(part));
}

fn near_by(what: &str, got: &[f64], wanted: &[f64], difference: f64) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (got, wanted) in got.iter().zip(wanted) {
        let is_near = (got - wanted).abs() <= difference;
        assert!(is_near, "{what}: {got} instead of {wanted}");
    }
}

fn trend(name: &str) -> Trend {
    match name {
        "n" => Trend::None,
        "c" => Trend::Constant,
        "ct" => Trend::Linear,
        other => panic!("{other}"),
    }
}

fn lags(name: &str) -> Lags {
    match name.to_lowercase().as_str() {
        "aic" => Lags::Best {
            by: Criterion::Aic,
            most: None,
        },
        "bic" => Lags::Best {
            by: Criterion::Bic,
            most: None,
        },
        fixed => Lags::Fixed(fixed.strip_prefix("fixed").unwrap().parse().unwrap()),
    }
}

#[test]
fn regressions_and_half_lives_are_those_of_statsmodels() {
    for (case, series) in cases() {
        let name = case["name"].as_str().unwrap();
        let wanted = &case["ols_x_on_const_y"];
        let found = ols(&series[0], &[&series[1]], Trend::Constant).unwrap();
        near(name, found.coefficients[0], number(&wanted["alpha"]), 1e-9);
        near(name, found.coefficients[1], number(&wanted["beta"]), 1e-9);
        compare(name, &found.errors, &numbers(&wanted["se"]), relative(1e-9));
        near(name, found.squares, number(&wanted["ssr"]), 1e-9);
        near(name, found.explained, number(&wanted["r2"]), 1e-9);
        let wanted = &case["halflife"];
        let found = half_life(&found.residuals).unwrap();
        near(name, found.slope, number(&wanted["slope"]), 1e-9);
        near(
            name,
            found.steps.unwrap(),
            number(&wanted["halflife"]),
            1e-9,
        );
    }
}

#[test]
fn unit_root_tests_are_those_of_statsmodels() {
    for (case, series) in cases() {
        for (key, wanted) in case["adf"].as_object().unwrap() {
            let what = format!("{} {key}", case["name"]);
            let (terms, by) = key.split_once('/').unwrap();
            let found = adf(&series[0], trend(terms), lags(by)).unwrap();
            near(&what, found.statistic, number(&wanted["stat"]), 1e-9);
            near_by(&what, &[found.p_value], &[number(&wanted["p"])], 1e-6);
            assert_eq!(
                found.lags as u64,
                wanted["lags"].as_u64().unwrap(),
                "{what}"
            );
            let observations = wanted["nobs"].as_u64().unwrap();
            assert_eq!(found.observations as u64, observations, "{what}");
            let levels = ["1%", "5%", "10%"].map(|level| number(&wanted["crit"][level]));
            near_by(&what, &found.critical, &levels, 1e-9);
        }
    }
}

#[test]
fn engle_granger_is_that_of_statsmodels() {
    for (case, series) in cases() {
        for (key, wanted) in case["engle_granger"].as_object().unwrap() {
            let what = format!("{} {key}", case["name"]);
            let (terms, by) = key.split_once('/').unwrap();
            let found = engle_granger(&series[0], &[&series[1]], trend(terms), lags(by)).unwrap();
            near(&what, found.statistic, number(&wanted["stat"]), 1e-9);
            near_by(
                &what,
                &[found.p_value.unwrap()],
                &[number(&wanted["p"])],
                1e-6,
            );
            let levels = numbers(&wanted["crit_1_5_10"]);
            match found.critical {
                Some(critical) => near_by(&what, &critical, &levels, 1e-9),
                None => assert!(levels.iter().all(|level| level.is_nan()), "{what}"),
            }
        }
    }
}

/// A vector by its greatest component, which becomes 1.
fn by_greatest(vector: &[f64]) -> Vec<f64> {
    let greatest = vector
        .iter()
        .copied()
        .max_by(|a, b| a.abs().total_cmp(&b.abs()));
    vector.iter().map(|x| x / greatest.unwrap()).collect()
}

#[test]
fn johansen_is_that_of_statsmodels() {
    for (case, series) in cases() {
        let series: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
        for (key, wanted) in case["johansen"].as_object().unwrap() {
            let what = format!("{} {key}", case["name"]);
            let (terms, lags) = key.strip_prefix("det").unwrap().split_once("/k").unwrap();
            let terms = match terms {
                "-1" => Trend::None,
                "0" => Trend::Constant,
                _ => Trend::Linear,
            };
            let found = johansen(&series, terms, lags.parse().unwrap()).unwrap();
            compare(
                &what,
                &found.eigenvalues,
                &numbers(&wanted["eig"]),
                relative(1e-9),
            );
            compare(
                &what,
                &found.trace,
                &numbers(&wanted["trace"]),
                relative(1e-9),
            );
            compare(
                &what,
                &found.greatest,
                &numbers(&wanted["maxeig"]),
                relative(1e-9),
            );
            for at in 0..series.len() {
                let levels = numbers(&wanted["trace_crit_90_95_99"][at]);
                near_by(&what, &found.trace_critical[at], &levels, 1e-9);
                let levels = numbers(&wanted["maxeig_crit_90_95_99"][at]);
                near_by(&what, &found.greatest_critical[at], &levels, 1e-9);
                let rows = wanted["evec"].as_array().unwrap().iter();
                let vector: Vec<f64> = rows.map(|row| numbers(row)[at]).collect();
                let (got, wanted) = (&found.vectors[at], &vector);
                near_by(&what, &by_greatest(got), &by_greatest(wanted), 1e-7);
                let lengths = [got, wanted].map(|v| v.iter().map(|x| x * x).sum::<f64>());
                near(&what, lengths[0], lengths[1], 1e-7);
            }
        }
    }
}

#[test]
fn a_rank_is_the_first_that_is_not_refused() {
    let (_, series) = cases()
        .into_iter()
        .find(|(case, _)| case["name"] == "three")
        .unwrap();
    let series: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
    let found = johansen(&series, Trend::Constant, 1).unwrap();
    // Trace 67, 14.4, 5.3 beside 27, 13.4, 2.7 and 35, 19.9, 6.6.
    assert_eq!(found.rank(Level::P90), 3);
    assert_eq!(found.rank(Level::P95), 1);
    assert_eq!(found.rank(Level::P99), 1);
}

#[test]
fn kpss_is_that_of_statsmodels() {
    for (case, series) in cases() {
        for (key, wanted) in case["kpss_nlags10"].as_object().unwrap() {
            let what = format!("{} {key}", case["name"]);
            let found = kpss(&series[0], trend(key), Some(10)).unwrap();
            near(&what, found.statistic, number(&wanted["stat"]), 1e-9);
            near_by(&what, &[found.p_value], &[number(&wanted["p"])], 1e-6);
        }
    }
}

/// Lags that statsmodels' `kpss(x, regression, nlags="auto")` takes, and its statistics.
const KPSS_CHOSEN: [(&str, &str, usize, f64); 4] = [
    ("coint_fast", "c", 12, 3.400725092215778),
    ("coint_fast", "ct", 12, 0.10860198494641497),
    ("short", "c", 4, 0.2635419187743461),
    ("short", "ct", 4, 0.1516424787678283),
];

#[test]
fn kpss_chooses_its_lags_as_statsmodels_does() {
    let cases = cases();
    for (name, terms, lags, statistic) in KPSS_CHOSEN {
        let (_, series) = cases.iter().find(|(case, _)| case["name"] == name).unwrap();
        let found = kpss(&series[0], trend(terms), None).unwrap();
        assert_eq!(found.lags, lags, "{name} {terms}");
        near(name, found.statistic, statistic, 1e-9);
    }
}

#[test]
fn a_hedge_ratio_is_followed() {
    for (case, series) in cases() {
        let wanted = &case["kalman_delta1e-4_Ve1e-3_beta_alpha_e_Q"];
        let mut filter = KalmanHedge::new(1e-4, 1e-3).unwrap();
        let mut found = Vec::new();
        for (x, y) in series[0].iter().zip(&series[1]) {
            // What is refused leaves no trace.
            let before = filter.clone();
            assert!(filter.next(f64::NAN, *y).is_err() && filter.next(*x, f64::INFINITY).is_err());
            assert_eq!(filter, before);
            let step = filter.next(*x, *y).unwrap();
            found.push([step.slope, step.intercept, step.error, step.variance]);
        }
        let last = found.last().unwrap();
        let every: Vec<_> = found.iter().step_by(50).chain([last]).collect();
        let wanted = wanted["every_50"]
            .as_array()
            .unwrap()
            .iter()
            .chain([&wanted["last"]]);
        for (found, wanted) in every.into_iter().zip(wanted) {
            near_by("state", found, &numbers(wanted), 1e-9);
        }
    }
}

#[test]
fn the_spread_is_followed_on_the_fast_path() {
    for (case, series) in cases() {
        let spread = ols(&series[0], &[&series[1]], Trend::Constant)
            .unwrap()
            .residuals;
        let wanted = &case["spread_z"];
        let window = wanted["window"].as_u64().unwrap() as usize;
        let mut rolling = Rolling::new(window).unwrap();
        let mut found = Vec::new();
        for x in spread {
            rolling.push(x).unwrap();
            found.push(rolling.z_score(1).unwrap_or(f64::NAN));
        }
        let last = numbers(&wanted["last10"]);
        near_by("z", &found[found.len() - last.len()..], &last, 1e-9);
    }
}

/// Walks that share a common one to different degrees.
fn walks(count: usize, length: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut state = seed;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963);
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    let mut common = 0.0;
    let mut own = vec![0.0; count];
    let mut walks = vec![Vec::with_capacity(length); count];
    for _ in 0..length {
        common += random();
        for (at, walk) in walks.iter_mut().enumerate() {
            let keep = [0.5, 0.9, 1.0][at % 3];
            own[at] = keep * own[at] + random();
            walk.push(100.0 + common * (1.0 + at as f64 / 4.0) + own[at]);
        }
    }
    walks
}

#[test]
fn a_scan_finds_what_single_tests_find() {
    for (lags, length) in [(0, 40), (1, 250), (2, 97), (4, 64)] {
        let mut walks = walks(12, length, 7 + lags as u64);
        // A series that another one explains entirely, and one that it explains nearly.
        walks.push(walks[0].iter().map(|x| 3.0 * x - 7.0).collect());
        walks.push(
            walks[1]
                .iter()
                .zip(&walks[2])
                .map(|(x, y)| x + 1e-4 * y)
                .collect(),
        );
        let series: Vec<&[f64]> = walks.iter().map(Vec::as_slice).collect();
        let mut first: Option<Vec<[u64; 4]>> = None;
        for backend in Backend::all() {
            let (mut pairs, mut bits) = (0, Vec::new());
            let scan = PairScan::new(&series, lags).unwrap().with(backend);
            let tell = |found: quant::cointegration::PairFound| {
                pairs += 1;
                let [[one, other], [hedge, back]] = [found.statistic, found.hedge];
                bits.push([one, other, hedge, back].map(f64::to_bits));
                for way in 0..2 {
                    let (y, x) = (series[found.series[way]], series[found.series[1 - way]]);
                    let single =
                        engle_granger(y, &[x], Trend::Constant, Lags::Fixed(lags)).unwrap();
                    let wanted = single.statistic;
                    let allowed = 1e-9 * wanted.abs().max(1.0);
                    let got = found.statistic[way];
                    assert!(
                        got == wanted || (got - wanted).abs() <= allowed,
                        "{got} {wanted}"
                    );
                    near(
                        "hedge",
                        found.hedge[way],
                        single.regression.coefficients[1],
                        1e-9,
                    );
                }
            };
            scan.run(tell).unwrap();
            assert_eq!(
                *first.get_or_insert_with(|| bits.clone()),
                bits,
                "{backend:?}"
            );
            assert_eq!(pairs, series.len() * (series.len() - 1) / 2);
        }
    }
}

#[test]
fn series_that_follow_each_other_are_cointegrated() {
    let (_, series) = &cases()[0];
    let twice: Vec<f64> = series[0].iter().map(|x| 2.0 * x + 1.0).collect();
    let found = engle_granger(&twice, &[&series[0]], Trend::Constant, Lags::Fixed(1)).unwrap();
    assert_eq!(
        (found.statistic, found.p_value),
        (f64::NEG_INFINITY, Some(0.0))
    );
}
