//! Estimators, risk, parity and views against references and their own equations.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod markets;

use markets::{Market, beside, numbers};
use quant::Fault;
use quant::distribution::{normal_below, normal_quantile};
use quant::portfolio::risk::{contributions, drawdown, gaussian, historical, stress};
use quant::portfolio::{
    Covariance, Target, View, black_litterman, implied_mean, ledoit_wolf, pairwise, risk_parity,
    sample, weighted,
};
use serde_json::Value;

fn read(name: &str) -> Value {
    serde_json::from_slice(&beside(&format!("vectors/mc/{name}"))).unwrap()
}

fn near(what: &str, got: f64, wanted: f64, part: f64) {
    assert!(
        (got - wanted).abs() <= part * wanted.abs(),
        "{what}: {got} instead of {wanted}"
    );
}

fn list(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn the_normal_distribution_is_exact() {
    let all = read("normal.json");
    for pair in all["ppf"].as_array().unwrap() {
        let [p, x] = list(pair)[..] else { panic!() };
        let allowed = 1e-14 * x.abs().max(1.0);
        let got = normal_quantile(p);
        assert!(
            (got - x).abs() <= allowed,
            "quantile of {p:e}: {got} instead of {x}"
        );
    }
    for pair in all["cdf"].as_array().unwrap() {
        let [x, p] = list(pair)[..] else { panic!() };
        near(&format!("below {x}"), normal_below(x), p, 1e-13);
    }
    assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
    assert_eq!(normal_quantile(1.0), f64::INFINITY);
    assert!(normal_quantile(-0.1).is_nan() && normal_quantile(f64::NAN).is_nan());
}

#[test]
fn normal_losses_are_those_of_the_closed_form() {
    let case = &read("mc_refs.json")["gaussian_var_es"];
    let weights = list(&case["weights_notional"]);
    let rows = case["cov_daily"].as_array().unwrap();
    let matrix: Vec<f64> = rows.iter().flat_map(list).collect();
    let covariance = Covariance::dense(&matrix, weights.len()).unwrap();
    let parts = contributions(&covariance, &weights).unwrap();
    let deviation: f64 = parts.iter().sum();
    near("deviation", deviation, case["std"].as_f64().unwrap(), 1e-12);
    for (level, name) in [(0.95, "95"), (0.99, "99")] {
        let found = gaussian(0.0, deviation, level).unwrap();
        let [risk, shortfall] = ["VaR", "ES"].map(|key| case[format!("{key}{name}")].as_f64());
        near("VaR", found.value_at_risk, risk.unwrap(), 1e-12);
        near("ES", found.shortfall, shortfall.unwrap(), 1e-12);
    }
    let moved = gaussian(5.0, deviation, 0.95).unwrap();
    let still = gaussian(0.0, deviation, 0.95).unwrap();
    near("VaR", moved.value_at_risk, still.value_at_risk - 5.0, 1e-12);
}

#[test]
fn historical_losses_are_counted() {
    let gains: Vec<f64> = (1..=10).map(|x| f64::from(-x)).collect();
    // The worst tenth is 10; the worst quarter 10, 9 and half of 8.
    let found = historical(&gains, 0.9).unwrap();
    assert_eq!(found.value_at_risk, 9.0);
    near("ES", found.shortfall, 10.0, 1e-12);
    let found = historical(&gains, 0.75).unwrap();
    assert_eq!(found.value_at_risk, 8.0);
    near("ES", found.shortfall, (10.0 + 9.0 + 4.0) / 2.5, 1e-12);
    let one = historical(&[-3.0], 0.99).unwrap();
    near("ES", one.shortfall, 3.0, 1e-9);
    assert!(matches!(historical(&[], 0.9), Err(Fault::TooShort { .. })));
    assert!(matches!(
        historical(&gains, 1.0),
        Err(Fault::Outside { .. })
    ));
    assert!(matches!(
        historical(&[f64::NAN], 0.9),
        Err(Fault::NotFinite { .. })
    ));
}

#[test]
fn falls_and_scenarios_are_found() {
    let found = drawdown(&[10.0, 12.0, 9.0, 11.0, 6.0, 13.0, 12.0]).unwrap();
    assert_eq!((found.depth, found.peak, found.trough), (0.5, 1, 4));
    assert_eq!(drawdown(&[1.0, 2.0, 3.0]).unwrap().depth, 0.0);
    assert!(drawdown(&[1.0, 0.0]).is_err() && drawdown(&[]).is_err());
    assert_eq!(
        stress(&[2.0, -1.0], &[0.1, 0.0, -0.5, 0.25]).unwrap(),
        [0.2, -1.25]
    );
    assert!(stress(&[2.0, -1.0], &[0.1]).is_err() && stress(&[], &[]).is_err());
}

#[test]
fn shrinkage_is_that_of_scikit_learn() {
    let markets = Market::all();
    let market = markets
        .iter()
        .find(|market| market.name == "lw120")
        .unwrap();
    let found = ledoit_wolf(&numbers("lw120_X"), market.count, Target::Identity).unwrap();
    let wanted = market.case["ledoit_wolf_shrinkage"].as_f64().unwrap();
    near("shrinkage", found.shrinkage, wanted, 1e-9);
    for (got, wanted) in found.matrix.iter().zip(&market.matrix) {
        assert!((252.0 * got - wanted).abs() <= 1e-12, "{got} {wanted}");
    }
}

/// Few observations of some assets that move together.
fn returns(rows: usize, assets: usize) -> Vec<f64> {
    let wave = |row: usize, asset: usize| {
        let (row, asset) = (row as f64, asset as f64);
        (row * row * 0.7).sin() + (row * (asset + 1.3) * (asset + 0.7) * 1.9).sin()
    };
    let all = (0..rows * assets).map(|at| wave(at / assets, at % assets) * 0.01);
    all.collect()
}

/// By the formula in NumPy: Y is centred, S = Y'Y / n, d the roots of its diagonal, r the mean
/// correlation, F = r d d' with S's diagonal; P = (Y^2)'(Y^2) / n - S^2, T = (Y^3)'Y / n - (d^2) S
/// row by row, 0 on the diagonal; rho = tr P + r sum(T d[j] / d[i]); the share is
/// (sum P - rho) / (n sum (S - F)^2).
#[test]
fn constant_correlation_is_what_its_formula_says() {
    let returns = [
        1.0, 2.0, -1.0, -2.0, 1.0, 3.0, 0.5, -1.0, 2.0, 2.0, 1.5, -0.5, -1.0, 0.0, 1.0, 0.0, 1.0,
        -2.0,
    ]
    .map(|x| x / 100.0);
    let found = ledoit_wolf(&returns, 3, Target::ConstantCorrelation).unwrap();
    near("share", found.shrinkage, 0.646_967_960_735_419_4, 1e-12);
    let [aa, ab, ac] = [
        1.701_388_888_888_889_2e-4,
        -1.175_565_582_306_591_5e-5,
        -9.100_401_309_296_077e-5,
    ];
    let [bb, bc, cc] = [
        9.791_666_666_666_667e-5,
        -6.549_550_802_653_71e-5,
        3.034_722_222_222_222_3e-4,
    ];
    let wanted = [aa, ab, ac, ab, bb, bc, ac, bc, cc];
    for (found, wanted) in found.matrix.iter().zip(wanted) {
        near("covariance", *found, wanted, 1e-12);
    }
}

#[test]
fn constant_correlation_is_a_covariance_between_sample_and_target() {
    let (rows, assets) = (12, 20);
    let returns = returns(rows, assets);
    let target = Target::ConstantCorrelation;
    let found = ledoit_wolf(&returns, assets, target).unwrap();
    assert!(
        found.shrinkage > 0.0 && found.shrinkage <= 1.0,
        "{}",
        found.shrinkage
    );
    let plain = sample(&returns, assets).unwrap();
    let biased = (rows - 1) as f64 / rows as f64;
    for asset in 0..assets {
        let at = asset * assets + asset;
        near(
            "variance",
            found.matrix[at],
            plain.matrix[at] * biased,
            1e-12,
        );
    }
    // Fewer observations than assets: the sample is singular, the other is not.
    let solves =
        |matrix: &[f64]| risk_parity(&Covariance::dense(matrix, assets).unwrap(), &[1.0; 20]);
    assert!(solves(&found.matrix).is_ok());
    let flat: Vec<f64> = returns
        .iter()
        .enumerate()
        .map(|(at, x)| x * (at % assets).min(1) as f64)
        .collect();
    assert!(matches!(
        ledoit_wolf(&flat, assets, target),
        Err(Fault::Outside { .. })
    ));
}

#[test]
fn samples_are_counted_out() {
    let returns = [1.0, 2.0, 3.0, 2.0, 5.0, 8.0];
    let found = sample(&returns, 2).unwrap();
    assert_eq!(found.mean, [3.0, 4.0]);
    assert_eq!(found.matrix, [4.0, 6.0, 6.0, 12.0]);
    // Weights 1/7, 2/7, 4/7 for 1, 3, 5.
    let found = weighted(&returns, 2, 0.5).unwrap();
    near("mean", found.mean[0], 27.0 / 7.0, 1e-12);
    near(
        "variance",
        found.matrix[0],
        119.0 / 7.0 - (27.0f64 / 7.0).powi(2),
        1e-12,
    );
    let same = weighted(&returns, 2, 1.0).unwrap();
    assert_eq!(same.mean, [5.0, 8.0]);
    assert!(matches!(
        sample(&returns, 4),
        Err(Fault::TooShort { .. } | Fault::Lengths { .. })
    ));
    assert!(sample(&returns, 0).is_err() && weighted(&returns, 2, 0.0).is_err());
    assert!(matches!(
        sample(&[f64::NAN; 4], 2),
        Err(Fault::NotFinite { .. })
    ));
}

#[test]
fn missing_returns_are_left_out() {
    let (rows, assets) = (40, 6);
    let whole = returns(rows, assets);
    let plain = sample(&whole, assets).unwrap();
    let found = pairwise(&whole, assets).unwrap();
    assert_eq!(found.shrinkage, 0.0);
    for (got, wanted) in found.matrix.iter().zip(&plain.matrix) {
        assert!((got - wanted).abs() <= 1e-15);
    }
    let hole = |(at, x): (usize, &f64)| if at % 7 == 3 { f64::NAN } else { *x };
    let holes: Vec<f64> = whole.iter().enumerate().map(hole).collect();
    let found = pairwise(&holes, assets).unwrap();
    let covariance = Covariance::dense(&found.matrix, assets).unwrap();
    assert!(risk_parity(&covariance, &[1.0; 6]).is_ok());
    // Twice the same asset is singular: the least shrinkage mends it.
    let twice: Vec<f64> = whole
        .iter()
        .step_by(assets)
        .flat_map(|x| [*x, *x])
        .collect();
    assert_eq!(pairwise(&twice, 2).unwrap().shrinkage, 0.5f64.powi(12));
    let none = [1.0, f64::NAN, 2.0, f64::NAN, 3.0, 1.0];
    assert!(matches!(
        pairwise(&none, 2),
        Err(Fault::Outside {
            what: "common observations",
            ..
        })
    ));
}

#[test]
fn parity_shares_the_risk_as_it_is_told() {
    for market in Market::all().iter().filter(|market| market.count <= 120) {
        let budgets: Vec<f64> = (0..market.count).map(|at| (1 + at % 3) as f64).collect();
        let all: f64 = budgets.iter().sum();
        for covariance in &market.covariances() {
            let found = risk_parity(covariance, &budgets).unwrap();
            let parts = contributions(covariance, &found.weights).unwrap();
            let deviation: f64 = parts.iter().sum();
            for (part, budget) in parts.iter().zip(&budgets) {
                near(&market.name, part / deviation, budget / all, 1e-9);
            }
            near(&market.name, found.weights.iter().sum(), 1.0, 1e-12);
        }
    }
    let covariance = Covariance::dense(&[0.04, 0.0, 0.0, 0.01], 2).unwrap();
    let found = risk_parity(&covariance, &[1.0, 1.0]).unwrap();
    near("inverse deviations", found.weights[0], 1.0 / 3.0, 1e-12);
    assert!(risk_parity(&covariance, &[1.0, 0.0]).is_err());
    assert!(risk_parity(&covariance, &[1.0]).is_err());
}

#[test]
fn views_move_the_mean_as_far_as_they_are_sure() {
    let markets = Market::all();
    let market = markets
        .iter()
        .find(|market| market.name == "std20")
        .unwrap();
    let covariance = market.dense();
    let weights = vec![1.0 / 20.0; 20];
    let prior = implied_mean(&covariance, &weights, 2.5).unwrap();
    assert_eq!(
        black_litterman(&covariance, &prior, 0.05, &[]).unwrap(),
        prior
    );
    let mut first = vec![0.0; 20];
    first[3] = 1.0;
    let view = |variance| View {
        weights: &first,
        mean: 0.2,
        variance,
    };
    let sure = black_litterman(&covariance, &prior, 0.05, &[view(1e-12)]).unwrap();
    near("sure", sure[3], 0.2, 1e-8);
    let unsure = black_litterman(&covariance, &prior, 0.05, &[view(1e12)]).unwrap();
    near("unsure", unsure[3], prior[3], 1e-8);
    // As sure of the view as of the prior: half way.
    let own = 0.05 * covariance.variance(3);
    let half = black_litterman(&covariance, &prior, 0.05, &[view(own)]).unwrap();
    near("half", half[3], (prior[3] + 0.2) / 2.0, 1e-12);
    // The others move with their covariances.
    let held = covariance.times(&first);
    let moved = (0.2 - prior[3]) / (2.0 * covariance.variance(3));
    for asset in 0..20 {
        near(
            "with it",
            half[asset],
            prior[asset] + held[asset] * moved,
            1e-12,
        );
    }
    assert!(black_litterman(&covariance, &prior, 0.05, &[view(0.0)]).is_err());
    assert!(black_litterman(&covariance, &prior[1..], 0.05, &[]).is_err());
}
