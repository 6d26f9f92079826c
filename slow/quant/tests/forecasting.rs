//! Forecasts against statsmodels' answers, and what is refused.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

#[path = "../../../engine/analytics/tests/vectors/mod.rs"]
mod vectors;

use std::ops::ControlFlow;

use proptest::prelude::{prop, prop_assert, proptest};
use quant::Fault;
use quant::forecasting::{
    Method, STEPS_MAX, SeasonalNaive, Smoothing, Weights, backtest, choose, choose_watched,
};
use serde_json::Value;
use vectors::{Table, compare, relative, text};

/// The reference's cases, and their series.
fn cases() -> Vec<(Value, Vec<f64>)> {
    let all: Value = serde_json::from_str(&text("forecast/forecast.json")).unwrap();
    let read = |case: &Value| {
        let name = format!("forecast/load_{}.csv", case["kind"].as_str().unwrap());
        (
            case.clone(),
            Table::read(&name).column("req_per_5min").to_vec(),
        )
    };
    all["recs"].as_array().unwrap().iter().map(read).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn near(what: &str, got: f64, wanted: &Value) {
    compare(what, &[got], &[number(wanted)], relative(1e-9));
}

const SEASON: usize = 288;

fn seasonal(wanted: &Value) -> Weights {
    Weights {
        level: number(&wanted["alpha"]),
        trend: number(&wanted["beta_star"]),
        season: number(&wanted["gamma"]),
        damping: 1.0,
    }
}

#[test]
fn holt_winters_is_that_of_statsmodels() {
    for (case, series) in cases() {
        let train = case["train"].as_u64().unwrap() as usize;
        for name in ["hw_add_.2_.01_.1", "hw_add_.05_0.002_.3"] {
            let (what, wanted) = (format!("{} {name}", case["kind"]), &case[name]);
            let weights = seasonal(wanted);
            let mut state = Smoothing::holt_winters(weights, &series[..train], SEASON).unwrap();
            let errors = series[..train].iter().map(|x| state.push(*x).unwrap());
            near(&what, errors.map(|x| x * x).sum(), &wanted["sse"]);
            near(&what, state.level(), &wanted["level_last"]);
            near(&what, state.trend(), &wanted["trend_last"]);
            let found = state.forecast(SEASON);
            let first = numbers(&wanted["forecast_first24"]);
            compare(&what, &found[..24], &first, relative(1e-9));
            near(&what, found[SEASON - 1], &wanted["forecast_last"]);
            let season = SEASON;
            let method = Method::HoltWinters { weights, season };
            let score = backtest(&series, train, SEASON, SEASON, method).unwrap();
            near(&what, score.mae, &wanted["mae_day"]);
            near(&what, score.mae / score.mase, &case["mase_scale"]);
        }
    }
}

#[test]
fn simple_and_damped_smoothing_are_those_of_statsmodels() {
    for (case, series) in cases() {
        let what = case["kind"].as_str().unwrap();
        let past = &series[..case["train"].as_u64().unwrap() as usize];
        let mut simple = Smoothing::simple(0.3, past[0]).unwrap();
        let errors = past.iter().map(|x| simple.push(*x).unwrap());
        near(what, errors.map(|x| x * x).sum(), &case["ses_.3"]["sse"]);
        near(what, simple.level(), &case["ses_.3"]["level_last"]);
        assert_eq!(simple.forecast(3), [simple.level(); 3]);
        let weights = Weights {
            level: 0.3,
            trend: 0.05,
            season: 0.0,
            damping: 0.98,
        };
        let mut damped = Smoothing::holt(weights, past[0], past[1] - past[0]).unwrap();
        past.iter().for_each(|x| assert!(damped.push(*x).is_ok()));
        let wanted = numbers(&case["holt_damped"]["forecast_first12"]);
        compare(what, &damped.forecast(12), &wanted, relative(1e-9));
    }
}

#[test]
fn the_last_season_again_is_the_yardstick() {
    for (case, series) in cases() {
        let what = case["kind"].as_str().unwrap();
        let train = case["train"].as_u64().unwrap() as usize;
        let method = Method::SeasonalNaive { season: SEASON };
        let score = backtest(&series, train, SEASON, SEASON, method).unwrap();
        near(what, score.mae, &case["seasonal_naive_mae"]);
        assert_eq!(score.count, series.len() - train);
    }
}

/// Methods to choose from: what repeats, what learns slowly, and what follows.
fn methods() -> Vec<Method> {
    let smoothed = |level, trend, season, damping| Method::HoltWinters {
        weights: Weights {
            level,
            trend,
            season,
            damping,
        },
        season: SEASON,
    };
    vec![
        Method::SeasonalNaive { season: SEASON },
        smoothed(0.05, 0.0, 0.1, 0.0),
        smoothed(0.05, 0.0, 0.3, 0.0),
        smoothed(0.2, 0.0, 0.3, 0.0),
        smoothed(0.05, 0.002, 0.3, 1.0),
    ]
}

#[test]
fn a_method_chosen_by_the_past_is_no_worse_than_the_last_season() {
    for (case, series) in cases() {
        let train = case["train"].as_u64().unwrap() as usize;
        let (method, _) = choose(&series[..train], 2 * SEASON, SEASON, SEASON, &methods()).unwrap();
        let score = backtest(&series, train, SEASON, SEASON, method).unwrap();
        let naive = number(&case["seasonal_naive_mae"]);
        println!("{} {method:?} {score:?} {naive}", case["kind"]);
        assert!(
            score.mae <= 1.05 * naive,
            "{}: {method:?} {score:?}",
            case["kind"]
        );
    }
}

#[test]
fn a_choice_that_is_stopped_is_of_what_was_tried() {
    let (_, series) = cases().remove(0);
    let all = methods();
    let of = |tried: usize| {
        let lengths = (2 * SEASON, SEASON, SEASON);
        let watch = |count: usize| {
            if count < tried {
                return ControlFlow::Continue(());
            }
            ControlFlow::Break(())
        };
        choose_watched(&series, lengths, &all, watch).unwrap()
    };
    for tried in 1..=all.len() {
        let wanted = choose(&series, 2 * SEASON, SEASON, SEASON, &all[..tried]).unwrap();
        assert_eq!(of(tried), wanted);
    }
}

#[test]
fn what_cannot_be_forecast_is_refused() {
    let weights = Weights {
        level: 0.5,
        trend: 0.5,
        season: 0.5,
        damping: 1.0,
    };
    let over = Weights {
        level: 1.1,
        ..weights
    };
    let past = [1.0, 2.0, 3.0, 5.0];
    assert!(matches!(
        Smoothing::simple(f64::NAN, 0.0),
        Err(Fault::Outside { .. })
    ));
    assert!(matches!(
        Smoothing::holt(over, 0.0, 0.0),
        Err(Fault::Outside { .. })
    ));
    assert!(matches!(
        Smoothing::holt_winters(weights, &past, 0),
        Err(Fault::Outside { .. })
    ));
    assert!(matches!(
        Smoothing::holt_winters(weights, &past, 3),
        Err(Fault::TooShort { .. })
    ));
    assert!(matches!(
        SeasonalNaive::new(&past, 5),
        Err(Fault::TooShort { .. })
    ));
    assert!(matches!(
        SeasonalNaive::new(&past, STEPS_MAX + 1),
        Err(Fault::Outside { .. })
    ));
    assert!(matches!(
        SeasonalNaive::new(&[f64::NAN], 1),
        Err(Fault::NotFinite { .. })
    ));
    let naive = Method::SeasonalNaive { season: 1 };
    let flat = [2.0; 9];
    let rest = backtest(&flat, 6, 1, 1, naive).unwrap();
    assert_eq!((rest.mae, rest.mase, rest.count), (0.0, 0.0, 3));
    let leap = [2.0, 2.0, 2.0, 2.0, 5.0];
    let leap = backtest(&leap, 4, 1, 1, naive).unwrap();
    assert_eq!((leap.mae, leap.mase), (3.0, f64::INFINITY));
    for (train, horizon, season) in [(0, 1, 1), (1, 1, 1), (4, 1, 1), (3, 0, 1), (3, 1, 0)] {
        let refused = backtest(&past, train, horizon, season, naive);
        assert!(matches!(refused, Err(Fault::Outside { .. })), "{refused:?}");
    }
    assert!(matches!(
        choose(&past, 1, 1, 1, &[]),
        Err(Fault::TooShort {
            what: "methods",
            ..
        })
    ));
    let mut state = Smoothing::holt_winters(weights, &past, 2).unwrap();
    let before = state.clone();
    assert!(state.push(f64::INFINITY).is_err() && state == before);
    assert!(state.forecast(0).is_empty());
}

proptest! {
    #[test]
    fn a_straight_line_goes_on(
        start in -1e3..1e3f64, slope in -10.0..10.0f64, steps in 1usize..40,
    ) {
        let weights = Weights { level: 0.4, trend: 0.3, season: 0.2, damping: 1.0 };
        let line = |at: usize| start + slope * at as f64;
        let mut holt = Smoothing::holt(weights, line(0), slope).unwrap();
        (1..50).for_each(|at| assert!(holt.push(line(at)).is_ok()));
        let found = holt.forecast(steps);
        for (at, x) in (50..).zip(found) {
            prop_assert!((x - line(at)).abs() <= 1e-9 * (1.0 + start.abs() + slope.abs()) * 100.0);
        }
    }

    #[test]
    fn seasons_that_repeat_are_repeated(
        season in prop::collection::vec(-100.0..100.0, 1..12),
        count in 2usize..5,
        steps in 1usize..30,
    ) {
        let weights = Weights { level: 0.4, trend: 0.3, season: 0.2, damping: 0.9 };
        let past: Vec<f64> = season.iter().copied().cycle().take(season.len() * count).collect();
        let mut smoothing = Smoothing::holt_winters(weights, &past, season.len()).unwrap();
        past.iter().for_each(|x| assert!(smoothing.push(*x).is_ok()));
        let naive = SeasonalNaive::new(&past, season.len()).unwrap().forecast(steps);
        for (x, naive) in smoothing.forecast(steps).iter().zip(naive) {
            prop_assert!((x - naive).abs() <= 1e-9);
        }
    }
}
