//! Degenerate portfolios: what is refused, what is answered, and that nothing panics.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use proptest::prelude::{Strategy, prop, prop_assert, prop_oneof, proptest};
use quant::Fault;
use quant::portfolio::{Covariance, Equality, MeanVariance, frontier, max_sharpe};

fn program<'a>(covariance: &'a Covariance<'a>, bounds: [&'a [f64]; 2]) -> MeanVariance<'a> {
    MeanVariance {
        covariance,
        mean: &[],
        aversion: 1.0,
        lower: bounds[0],
        upper: bounds[1],
        equalities: &[],
    }
}

#[test]
fn one_asset_is_all() {
    let covariance = Covariance::dense(&[0.04], 1).unwrap();
    let found = program(&covariance, [&[0.0], &[1.0]]).solve(None).unwrap();
    assert_eq!(found.weights, [1.0]);
    assert_eq!(
        max_sharpe(&covariance, &[0.1], 0.02, None).unwrap().weights,
        [1.0]
    );
    let line = frontier(&covariance, &[0.1], &[0.0], &[1.0]).unwrap();
    assert_eq!(line.at_mean(0.1).unwrap().0, [1.0]);
    assert_eq!(line.at_mean(0.2), None);
}

#[test]
fn covariances_are_looked_at() {
    let refused = |matrix: &[f64], count| Covariance::dense(matrix, count).unwrap_err();
    assert!(matches!(
        refused(&[], 0),
        Fault::Outside { what: "assets", .. }
    ));
    assert!(matches!(refused(&[1.0, 0.0], 2), Fault::Lengths { .. }));
    let nan = [1.0, f64::NAN, 0.0, 1.0];
    assert!(matches!(
        refused(&nan, 2),
        Fault::NotFinite { place: 1, .. }
    ));
    assert!(matches!(
        refused(&[1.0, 0.0, 0.0, 0.0], 2),
        Fault::Outside {
            what: "variance",
            ..
        }
    ));
    let crooked = refused(&[1.0, 0.1, 0.2, 1.0], 2);
    assert!(matches!(crooked, Fault::Outside { .. }), "{crooked}");
    let own = Covariance::factors(&[1.0, 1.0], &[1.0], &[0.0, 1.0]).unwrap_err();
    assert!(matches!(
        own,
        Fault::Outside {
            what: "own variance",
            ..
        }
    ));
}

#[test]
fn assets_that_are_one_are_named() {
    // The second is the first again, and both are held.
    let twice = [0.04, 0.04, 0.04, 0.04];
    let covariance = Covariance::dense(&twice, 2).unwrap();
    let found = program(&covariance, [&[0.0; 2], &[1.0; 2]]).solve(None);
    let column = 1;
    assert_eq!(
        found,
        Err(Fault::Collinear {
            what: "covariance",
            column
        })
    );
    // Not a covariance at all.
    let covariance = Covariance::dense(&[1.0, 2.0, 2.0, 1.0], 2).unwrap();
    assert!(
        program(&covariance, [&[0.0; 2], &[1.0; 2]])
            .solve(None)
            .is_err()
    );
}

#[test]
fn bounds_and_equalities_that_nothing_meets_are_refused() {
    let covariance = Covariance::dense(&[0.04, 0.01, 0.01, 0.09], 2).unwrap();
    let refused = |bounds: [&[f64]; 2]| program(&covariance, bounds).solve(None).unwrap_err();
    let what = |fault| match fault {
        Fault::Outside { what, .. } | Fault::Lengths { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(
        what(refused([&[0.6, 0.6], &[1.0, 1.0]])),
        "sum of lower bounds"
    );
    assert_eq!(
        what(refused([&[0.0, 0.0], &[0.4, 0.4]])),
        "sum of upper bounds"
    );
    assert_eq!(what(refused([&[0.5, 0.0], &[0.4, 1.0]])), "upper");
    assert_eq!(what(refused([&[0.0, f64::NAN], &[1.0, 1.0]])), "lower");
    assert_eq!(what(refused([&[0.0], &[1.0, 1.0]])), "lower");
    let same = Equality {
        coefficients: &[2.0, 2.0],
        value: 3.0,
    };
    let twice = MeanVariance {
        equalities: &[same],
        ..program(&covariance, [&[0.0; 2], &[1.0; 2]])
    };
    assert_eq!(what(twice.solve(None).unwrap_err()), "equality's value");
    let far = Equality {
        coefficients: &[0.1, 0.2],
        value: 0.9,
    };
    let far = MeanVariance {
        equalities: &[far],
        ..program(&covariance, [&[0.0; 2], &[1.0; 2]])
    };
    let told = far.solve(None).unwrap_err().to_string();
    assert_eq!(told, "equality's value: 0.9 is not between 0.1 and 0.2");
    let poor = max_sharpe(&covariance, &[0.01, 0.02], 0.03, None);
    assert!(matches!(poor, Err(Fault::Outside { .. })));
}

#[test]
fn bounds_that_meet_leave_one_answer() {
    let covariance = Covariance::dense(&[0.04, 0.01, 0.01, 0.09], 2).unwrap();
    let found = program(&covariance, [&[0.5; 2], &[0.5; 2]])
        .solve(None)
        .unwrap();
    assert_eq!(found.weights, [0.5, 0.5]);
    let line = frontier(&covariance, &[0.1, 0.2], &[0.5; 2], &[0.5; 2]).unwrap();
    assert_eq!(line.corners.len(), 1);
}

#[test]
fn returns_that_are_all_alike_leave_the_least_variance() {
    let matrix = [4.6, -1.1, -1.1, -1.1, 3.2, 1.9, -1.1, 1.9, 2.0];
    let covariance = Covariance::dense(&matrix, 3).unwrap();
    let line = frontier(&covariance, &[0.3; 3], &[0.0; 3], &[0.4; 3]).unwrap();
    assert_eq!(line.corners.len(), 1);
    let least = program(&covariance, [&[0.0; 3], &[0.4; 3]])
        .solve(None)
        .unwrap();
    assert_eq!(line.corners[0].weights, least.weights);
}

/// A covariance of few observations: it may be singular.
fn any_market() -> impl Strategy<Value = (usize, Vec<f64>, Vec<f64>)> {
    (1usize..9, 1usize..12).prop_flat_map(|(count, rows)| {
        let small = prop::collection::vec(-2.0..2.0f64, count * rows);
        let whole = prop::collection::vec((-2i8..3).prop_map(f64::from), count * rows);
        let returns = prop_oneof![small, whole];
        let mean = prop::collection::vec((-3i8..4).prop_map(|x| f64::from(x) / 10.0), count);
        let matrix = returns.prop_map(move |returns| {
            let product = |a: usize, b: usize| {
                let rows = returns.chunks_exact(count).map(|row| row[a] * row[b]);
                rows.sum::<f64>()
            };
            let all = (0..count * count).map(|at| product(at / count, at % count));
            all.collect::<Vec<f64>>()
        });
        (matrix, mean).prop_map(move |(matrix, mean)| (count, matrix, mean))
    })
}

proptest! {
    /// An answer is proven, or there is none.
    #[test]
    fn what_is_found_is_the_best((count, matrix, mean) in any_market(), most in 0.2..1.0f64) {
        let Ok(covariance) = Covariance::dense(&matrix, count) else { return Ok(()) };
        let (lower, upper) = (vec![0.0; count], vec![most; count]);
        let whole = MeanVariance { mean: &mean, ..program(&covariance, [&lower, &upper]) };
        if let Ok(found) = whole.solve(None) {
            let certificate = found.certificate;
            prop_assert!(certificate.equality <= 1e-9 && certificate.bound <= 0.0);
            prop_assert!(certificate.gap <= 1e-7, "{certificate:?}");
        }
        if let Ok(line) = frontier(&covariance, &mean, &lower, &upper) {
            for pair in line.corners.windows(2) {
                prop_assert!(pair[0].mean <= pair[1].mean + 1e-9);
                prop_assert!(pair[0].variance <= pair[1].variance + 1e-9);
            }
        }
        if let Ok(found) = max_sharpe(&covariance, &mean, 0.0, None) {
            prop_assert!(found.weights.iter().all(|weight| *weight >= 0.0));
        }
    }
}
