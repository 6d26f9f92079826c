//! Options that may be exercised early, against published prices and a tree.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use analytics::arch::Backend;
use quant::montecarlo::{Asset, Gbm, Grid, Kind, LeastSquares, Model, Progress};

fn model(start: f64, volatility: f64, rate: f64, years: f64, dividend: f64) -> Gbm {
    let asset = Asset {
        start,
        dividend,
        volatility,
    };
    Gbm::new(
        asset,
        rate,
        Grid::even(years, (50.0 * years) as usize).unwrap(),
    )
    .unwrap()
}

fn put(strike: f64) -> impl Fn(&[f64]) -> f64 {
    move |prices| (strike - prices[0]).max(0.0)
}

/// Longstaff and Schwartz 2001, table 1: American puts by finite differences, strike 40, rate 6 %.
const PUBLISHED: [(f64, f64, f64, f64); 6] = [
    (36.0, 0.2, 1.0, 4.478),
    (36.0, 0.4, 2.0, 8.508),
    (40.0, 0.2, 1.0, 2.314),
    (40.0, 0.4, 1.0, 5.312),
    (44.0, 0.2, 2.0, 1.690),
    (44.0, 0.4, 1.0, 3.948),
];

#[test]
fn american_puts_are_worth_what_was_published() {
    for (start, volatility, years, exact) in PUBLISHED {
        let model = model(start, volatility, 0.06, years, 0.0);
        let found = LeastSquares::new(20_000, 5)
            .american(&model, put(40.0))
            .unwrap();
        // What a rule of three powers, and 50 times a year, leave on the table: below 1 %.
        let off = found.value - exact;
        let below = -4.5 * found.error - 0.01 * exact;
        assert!(
            (below..4.5 * found.error).contains(&off),
            "{found:?}, not {exact}"
        );
        assert!(found.error < 0.015 * exact, "{found:?}");
        let european = model.european(Kind::Put, 40.0);
        assert!(found.value > european, "{found:?} is not above {european}");
    }
}

#[test]
fn what_is_not_worth_waiting_for_is_exercised_now_and_what_is_never_is_not() {
    let deep = model(10.0, 0.1, 0.2, 1.0, 0.0);
    let found = LeastSquares::new(4_000, 1)
        .american(&deep, put(40.0))
        .unwrap();
    assert_eq!(found.value, 30.0);
    // Near the edge to wait is worth a little more, says a tree, than samples do.
    let edge = model(33.5, 0.2, 0.06, 1.0, 0.0);
    let found = LeastSquares::new(20_000, 1).american(&edge, put(40.0));
    let found = found.unwrap();
    assert!(found.error > 0.0 && found.error < 0.1, "{found:?}");
    assert!(
        (found.value - 6.5033).abs() < 4.5 * found.error,
        "{found:?}"
    );
    // A call on what pays nothing is never exercised early.
    let model = model(40.0, 0.3, 0.05, 1.0, 0.0);
    let exact = model.european(Kind::Call, 42.0);
    let call = |prices: &[f64]| (prices[0] - 42.0).max(0.0);
    let found = LeastSquares::new(20_000, 2).american(&model, call).unwrap();
    let off = (found.value - exact).abs();
    assert!(
        off <= 4.5 * found.error + 0.01 * exact,
        "{found:?}, not {exact}"
    );
}

#[test]
fn instructions_do_not_change_a_bit_and_limits_are_named() {
    let grid = Grid::even(1.0, 4).unwrap();
    let asset = Asset {
        start: 100.0,
        dividend: 0.1,
        volatility: 0.2,
    };
    let model = Gbm::correlated(&[asset; 2], &[1.0, 0.3, 0.3, 1.0], 0.05, grid).unwrap();
    let best = |prices: &[f64]| (prices[0].max(prices[1]) - 100.0).max(0.0);
    let found: Vec<_> = Backend::all()
        .into_iter()
        .map(|backend| {
            let by = LeastSquares {
                backend,
                ..LeastSquares::new(2_000, 9)
            };
            by.american(&model, best).unwrap()
        })
        .collect();
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
    let (one, worth) = (model.european(Kind::Call, 100.0), found[0].value);
    assert!(
        (one..2.0 * one + 5.0).contains(&worth),
        "{worth} beside {one}"
    );
    assert!(model.discount() < 1.0);
    for (by, name) in [
        (
            LeastSquares {
                degree: 0,
                ..LeastSquares::new(10, 0)
            },
            "degree",
        ),
        (LeastSquares::new(0, 0), "paths"),
        (LeastSquares::new(1 << 30, 0), "paths"),
    ] {
        let refused = by.american(&model, best).unwrap_err().to_string();
        assert!(refused.contains(name), "{refused}");
    }
}

/// Who stops early has a rule that knows less, and says so.
#[test]
fn a_simulation_that_is_stopped_says_what_it_has() {
    let model = model(36.0, 0.2, 0.06, 1.0, 0.0);
    let squares = LeastSquares::new(20_000, 3);
    let whole = squares.american(&model, put(40.0)).unwrap();
    let mut last = 0;
    let watched = squares.american_watched(&model, put(40.0), |progress| {
        assert!(progress.done >= last && progress.done <= progress.parts);
        last = progress.done;
        ControlFlow::Continue(())
    });
    assert_eq!(watched, Ok(whole));
    assert!(whole.complete && whole.paths == 20_000);
    for share in [0, 3, 5, 6, 7, 9] {
        let stop = |progress: Progress| {
            if progress.done * 10 >= progress.parts * share {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let found = squares.american_watched(&model, put(40.0), stop).unwrap();
        assert!(!found.complete && found.paths >= 1_024 && found.paths <= 20_000);
        let off = found.error.hypot(whole.error);
        assert!(found.value < whole.value + 4.5 * off, "{found:?} {whole:?}");
        // It is worth at least what it pays now, 4, less chance.
        assert!(found.value > 3.5, "{found:?}");
    }
}
