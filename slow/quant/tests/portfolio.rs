//! Portfolios against the reference, and what is refused.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod markets;

use std::ops::ControlFlow;

use markets::{Market, beside, numbers};
use quant::portfolio::{
    Corner, Covariance, Equality, MeanVariance, Solution, frontier, frontier_watched, max_sharpe,
};
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// How far from the best a feasible portfolio may be: what moving all into the best allowed mix
/// would gain by the gradient (Frank and Wolfe).
fn gap(market: &Market, gamma: f64, mean: &[f64], upper: f64, weights: &[f64]) -> f64 {
    let held = market.dense().times(weights);
    let gradient: Vec<f64> = held
        .iter()
        .zip(mean)
        .map(|(x, mean)| gamma * x - mean)
        .collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| gradient[*a].total_cmp(&gradient[*b]));
    let (mut left, mut best) = (1.0f64, 0.0);
    for asset in order {
        let share = left.min(upper);
        best += share * gradient[asset];
        left -= share;
    }
    let own: f64 = gradient.iter().zip(weights).map(|(g, w)| g * w).sum();
    own - best
}

fn check(market: &Market, case: &Value, solution: &Solution) {
    let what = format!("{} {}", market.name, case["case"]);
    let file = case["w_file"]
        .as_str()
        .unwrap()
        .strip_suffix(".npy")
        .unwrap();
    let certificate = solution.certificate;
    assert!(
        certificate.equality <= 1e-12 && certificate.bound <= 0.0,
        "{what} {certificate:?}"
    );
    assert!(certificate.stationarity <= 1e-12, "{what} {certificate:?}");
    assert!(certificate.gap <= 1e-12, "{what} {certificate:?}");
    for (got, wanted) in solution.weights.iter().zip(numbers(file)) {
        assert!(
            (got - wanted).abs() <= 1e-8,
            "{what}: {got} instead of {wanted}"
        );
    }
}

#[test]
fn portfolios_are_those_of_the_reference() {
    for market in Market::all() {
        let (zeros, lower) = (vec![0.0; market.count], vec![0.0; market.count]);
        for case in market.case["cases"].as_array().unwrap() {
            if case["case"] == "maxsharpe" {
                continue;
            }
            let mean = if case["mu"] == "mu" {
                &market.mean
            } else {
                &zeros
            };
            assert_eq!(number(&case["lo"]), 0.0);
            let (gamma, most) = (number(&case["gamma"]), number(&case["hi"]));
            let upper = vec![most; market.count];
            for covariance in &market.covariances() {
                let program = MeanVariance {
                    covariance,
                    mean,
                    aversion: gamma,
                    lower: &lower,
                    upper: &upper,
                    equalities: &[],
                };
                let cold = program.solve(None).unwrap();
                check(&market, case, &cold);
                let gap = gap(&market, gamma, mean, most, &cold.weights);
                assert!(
                    gap.abs() <= 1e-12,
                    "{} {}: {gap}",
                    market.name,
                    case["case"]
                );
                let warm = program.solve(Some(&cold.weights)).unwrap();
                assert!(warm.steps <= 2, "{}: {} steps", market.name, warm.steps);
                check(&market, case, &warm);
            }
        }
    }
}

#[test]
fn the_greatest_ratio_is_that_of_the_reference() {
    for market in Market::all() {
        let cases = market.case["cases"].as_array().unwrap().iter();
        for case in cases.filter(|case| case["case"] == "maxsharpe") {
            let riskless = case["rf"].as_f64().unwrap_or(0.0);
            for covariance in &market.covariances() {
                let solution = max_sharpe(covariance, &market.mean, riskless, None).unwrap();
                check(&market, case, &solution);
            }
        }
    }
}

#[test]
fn frontiers_are_those_of_the_reference() {
    for market in Market::all() {
        let mut covariances = market.covariances();
        if market.name == "idio1000" {
            // Hundreds of assets move at once there; the factors do it in a part of the time.
            covariances.remove(0);
        }
        for covariance in covariances {
            let (lower, upper) = (vec![0.0; market.count], vec![1.0; market.count]);
            let found = frontier(&covariance, &market.mean, &lower, &upper).unwrap();
            let least = found.corners.first().unwrap().mean;
            let most = found.corners.last().unwrap().mean;
            for point in market.case["frontier_ret_vol_piqp_1e-12"]
                .as_array()
                .unwrap()
            {
                let (mean, deviation) = (number(&point[0]), number(&point[1]));
                // Both ends are rounded on either side.
                assert!(
                    mean >= least - 1e-9 && mean <= most + 1e-9,
                    "{}",
                    market.name
                );
                let (weights, variance) = found.at_mean(mean.min(most)).unwrap();
                let off = (variance.sqrt() / deviation - 1.0).abs();
                assert!(off <= 1e-7, "{} {mean}: {}", market.name, variance.sqrt());
                let sum: f64 = weights.iter().sum();
                assert!((sum - 1.0).abs() <= 1e-12);
                assert!(weights.iter().all(|weight| (0.0..=1.0).contains(weight)));
            }
        }
    }
}

#[test]
fn corners_are_what_is_found_without_the_frontier() {
    for market in Market::all().iter().filter(|market| market.count <= 500) {
        let count = market.count;
        // Bounds that do not add up to 1 alone.
        let most = (3.0 / count as f64).max(0.07);
        for (least, most) in [(0.0, 1.0), (0.0, most), (-0.57 * most, 1.6 * most)] {
            let (lower, upper) = (vec![least; count], vec![most; count]);
            let covariance = market.dense();
            let found = frontier(&covariance, &market.mean, &lower, &upper).unwrap();
            // At a corner itself an asset is on both sides.
            for pair in found.corners.windows(2).step_by(7) {
                let tolerance = 0.5 * (pair[0].tolerance + pair[1].tolerance);
                let mean = 0.5 * (pair[0].mean + pair[1].mean);
                let (weights, reached) = found.at_mean(mean).unwrap();
                let program = MeanVariance {
                    covariance: &covariance,
                    mean: &market.mean,
                    aversion: 1.0 / tolerance,
                    lower: &lower,
                    upper: &upper,
                    equalities: &[],
                };
                let wanted = program.solve(Some(&weights)).unwrap().weights;
                let pairs = weights.iter().zip(&wanted);
                let off = pairs.fold(0.0f64, |most, (x, y)| most.max((x - y).abs()));
                let place = (&market.name, least, most, tolerance);
                assert!(off <= 1e-10, "{place:?}: {off}");
                let held = covariance.times(&wanted);
                let variance: f64 = held.iter().zip(&wanted).map(|(x, w)| x * w).sum();
                let off = (reached / variance - 1.0).abs();
                assert!(off <= 1e-11, "{place:?}: {off} of the variance");
            }
        }
    }
}

#[test]
fn corners_are_proved_and_others_are_not() {
    for market in Market::all().iter().filter(|market| market.count <= 500) {
        let count = market.count;
        let most = (3.0 / count as f64).max(0.07);
        for (least, most) in [(0.0, 1.0), (-0.57 * most, 1.6 * most)] {
            let (lower, upper) = (vec![least; count], vec![most; count]);
            let covariance = market.dense();
            let found = frontier(&covariance, &market.mean, &lower, &upper).unwrap();
            let prove = |corner: &Corner| {
                let proved = corner.prove(&covariance, &market.mean, &lower, &upper);
                proved.unwrap()
            };
            for corner in found.corners.iter().step_by(5) {
                let place = (&market.name, least, most, corner.tolerance);
                let proof = prove(corner);
                let scale = corner.variance + corner.tolerance * corner.mean.abs();
                let worst = proof.equality.max(proof.bound).max(proof.gap / scale);
                assert!(worst <= 1e-12, "{place:?}: {proof:?}");
                // From an asset that is held to one that is not, or less.
                let by = |a: &usize, b: &usize| corner.weights[*a].total_cmp(&corner.weights[*b]);
                let greatest = (0..count).max_by(by).unwrap();
                let smallest = (0..count).min_by(by).unwrap();
                let mut other = corner.clone();
                other.weights[greatest] -= 1e-3;
                other.weights[smallest] += 1e-3;
                let wrong = prove(&other);
                assert!(
                    wrong.gap > 1e3 * proof.gap,
                    "{place:?}: {wrong:?} {proof:?}"
                );
                other.weights[smallest] += 1e-3;
                assert!(prove(&other).equality > 0.9e-3, "{place:?}");
            }
        }
    }
}

/// Columns of a file of numbers beside the checkout.
fn columns(name: &str) -> Vec<Vec<f64>> {
    let text = String::from_utf8(beside(&format!("data/portfolio/orlib_port1/{name}"))).unwrap();
    let row = |line: &str| line.split(',').map(|x| x.trim().parse().unwrap()).collect();
    text.lines().map(row).collect()
}

#[test]
fn the_published_frontier_of_the_hang_seng_is_met() {
    let assets = columns("return.csv");
    let (mean, count): (Vec<f64>, _) = (assets.iter().map(|row| row[0]).collect(), assets.len());
    let mut matrix = vec![0.0; count * count];
    for row in columns("risk.csv") {
        let [a, b] = [row[0] as usize - 1, row[1] as usize - 1];
        let covariance = row[2] * assets[a][1] * assets[b][1];
        matrix[a * count + b] = covariance;
        matrix[b * count + a] = covariance;
    }
    let covariance = Covariance::dense(&matrix, count).unwrap();
    let found = frontier(&covariance, &mean, &vec![0.0; count], &vec![1.0; count]).unwrap();
    let published = columns("frontier.csv");
    assert!(published.len() >= 2_000);
    for point in published {
        let last = found.corners.last().unwrap().mean;
        let (_, variance) = found.at_mean(point[0].min(last)).unwrap();
        let off = (variance / point[1] - 1.0).abs();
        assert!(off <= 2.5e-5, "{point:?}: {variance}");
    }
}

#[test]
fn a_frontier_that_is_stopped_ends_where_it_was() {
    let mut all = Market::all().into_iter();
    let market = all.find(|market| market.name == "std100").unwrap();
    let covariance = market.dense();
    let (lower, upper) = (vec![0.0; 100], vec![1.0; 100]);
    let stopped = |most: usize| {
        let watch = |corners: usize| {
            if corners < most {
                return ControlFlow::Continue(());
            }
            ControlFlow::Break(())
        };
        frontier_watched(&covariance, &market.mean, &lower, &upper, watch).unwrap()
    };
    let whole = stopped(usize::MAX);
    assert!(whole.complete && whole.corners.len() > 5);
    for most in [1, 5] {
        let found = stopped(most);
        assert!(!found.complete);
        assert_eq!(found.corners, whole.corners[..most]);
    }
}

#[test]
fn a_target_return_is_a_point_of_the_frontier() {
    let markets = Market::all();
    let market = markets
        .iter()
        .find(|market| market.name == "std100")
        .unwrap();
    let covariance = market.dense();
    let (lower, upper) = (vec![0.0; market.count], vec![1.0; market.count]);
    let line = frontier(&covariance, &market.mean, &lower, &upper).unwrap();
    let [least, most] = [line.corners.first(), line.corners.last()].map(|at| at.unwrap().mean);
    for share in [0.1, 0.3, 0.5, 0.8] {
        let target = least + share * (most - least);
        let row = Equality {
            coefficients: &market.mean,
            value: target,
        };
        let program = MeanVariance {
            covariance: &covariance,
            mean: &[],
            aversion: 1.0,
            lower: &lower,
            upper: &upper,
            equalities: &[row],
        };
        let solution = program.solve(None).unwrap();
        let certificate = solution.certificate;
        assert!(
            certificate.equality <= 1e-12 && certificate.gap <= 1e-12,
            "{certificate:?}"
        );
        let (weights, _) = line.at_mean(target).unwrap();
        for (got, wanted) in solution.weights.iter().zip(weights) {
            assert!((got - wanted).abs() <= 1e-8, "{share}: {got} {wanted}");
        }
    }
}
