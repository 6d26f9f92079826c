//! Models with jumps and with variances of their own, and the tails of portfolios.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use analytics::arch::Backend;
use quant::Fault;
use quant::montecarlo::{
    Asset, Construction, Custom, Estimate, European, Gbm, Grid, Heston, Jumps, Kind, Merton, Model,
    Path, Payoff, Sampling, Settings, Shocks, Simulation, Variance, tail,
};
use serde_json::Value;

const SAMPLINGS: [Sampling; 3] = [
    Sampling::Plain,
    Sampling::Antithetic,
    Sampling::Sobol { replicates: 16 },
];

fn worth<M: Model, P: Payoff>(model: &M, payoff: &P, settings: Settings) -> Estimate {
    let simulation = Simulation::new(model, payoff, settings).unwrap();
    simulation.run(|_| ControlFlow::Continue(()))
}

fn settings(paths: u64, sampling: Sampling) -> Settings {
    Settings {
        sampling,
        construction: Construction::Bridge,
        ..Settings::new(paths, 11)
    }
}

/// Within 4.5 errors and what a scheme's steps may add.
fn accept(what: &str, found: Estimate, wanted: f64, steps: f64) {
    let off = (found.value - wanted).abs();
    assert!(
        off <= 4.5 * found.error + steps,
        "{what}: {found:?}, not {wanted}"
    );
}

fn asset(volatility: f64) -> Asset {
    Asset {
        start: 100.0,
        dividend: 0.01,
        volatility,
    }
}

/// Merton's sum over numbers of jumps.
fn with_jumps(jumps: Jumps, kind: Kind, strike: f64, rate: f64, years: f64) -> f64 {
    let each = jumps.mean + jumps.deviation * jumps.deviation / 2.0;
    let expected = jumps.intensity * each.exp() * years;
    let mut weight = (-expected).exp();
    let mut sum = 0.0;
    for count in 0..40 {
        let jumped = f64::from(count);
        let square = 0.2 * 0.2 + jumped * jumps.deviation * jumps.deviation / years;
        let drift = rate - jumps.intensity * each.exp_m1() + jumped * each / years;
        let grid = Grid::even(years, 1).unwrap();
        let option = Gbm::new(asset(square.sqrt()), drift, grid).unwrap();
        sum += weight * option.european(kind, strike);
        weight *= expected / f64::from(count + 1);
    }
    sum
}

#[test]
fn options_on_what_jumps_are_worth_mertons_sum() {
    let (rate, years, strike) = (0.04, 0.75, 104.0);
    for (intensity, mean, deviation) in [(0.0, 0.0, 0.0), (0.7, -0.2, 0.3), (12.0, 0.02, 0.05)] {
        let jumps = Jumps {
            intensity,
            mean,
            deviation,
        };
        let grid = Grid::new(&[0.1, 0.4, years]).unwrap();
        let model = Merton::new(asset(0.2), jumps, rate, grid).unwrap();
        for kind in [Kind::Call, Kind::Put] {
            let exact = with_jumps(jumps, kind, strike, rate, years);
            for sampling in SAMPLINGS {
                let found = worth(
                    &model,
                    &European { kind, strike },
                    settings(1 << 16, sampling),
                );
                accept(&format!("{jumps:?} {sampling:?}"), found, exact, 0.0);
            }
        }
    }
}

/// Cases of M. Broadie and O. Kaya, Operations Research 54, 2006, table 1 and 2.
#[test]
fn options_by_heston_are_worth_what_was_published() {
    let cases = [
        (0.010_201, 6.21, 0.019, 0.61, -0.7, 0.0319, 1.0, 6.8061),
        (0.09, 2.0, 0.09, 1.0, -0.3, 0.05, 5.0, 34.9998),
    ];
    for (start, reversion, mean, volatility, correlation, rate, years, exact) in cases {
        let variance = Variance {
            start,
            reversion,
            mean,
            volatility,
            correlation,
        };
        let asset = Asset {
            dividend: 0.0,
            ..asset(0.0)
        };
        let grid = Grid::even(years, (years * 32.0) as usize).unwrap();
        let model = Heston::new(asset, variance, rate, grid).unwrap();
        let payoff = European {
            kind: Kind::Call,
            strike: 100.0,
        };
        let forward = Custom(|path: &Path<'_>| path.last(0));
        for sampling in SAMPLINGS {
            let settings = settings(1 << 15, sampling);
            accept("forward", worth(&model, &forward, settings), 100.0, 0.0);
            accept("call", worth(&model, &payoff, settings), exact, 0.01);
        }
    }
}

#[test]
fn a_variance_that_stays_is_geometric_brownian_motion() {
    let grid = Grid::even(1.0, 8).unwrap();
    let variance = Variance {
        start: 0.04,
        reversion: 1.0,
        mean: 0.04,
        volatility: 1e-6,
        correlation: 0.0,
    };
    let heston = Heston::new(asset(0.0), variance, 0.03, grid.clone()).unwrap();
    let gbm = Gbm::new(asset(0.2), 0.03, grid).unwrap();
    let payoff = European {
        kind: Kind::Put,
        strike: 95.0,
    };
    let settings = settings(4_096, Sampling::Plain);
    let [one, other] = [
        worth(&heston, &payoff, settings),
        worth(&gbm, &payoff, settings),
    ];
    assert!(
        (one.value - other.value).abs() < 1e-3 * other.error,
        "{one:?} {other:?}"
    );
}

#[test]
fn instructions_do_not_change_a_bit() {
    let variance = Variance {
        start: 0.04,
        reversion: 2.0,
        mean: 0.05,
        volatility: 0.8,
        correlation: -0.6,
    };
    let jumps = Jumps {
        intensity: 3.0,
        mean: -0.1,
        deviation: 0.2,
    };
    let grid = Grid::even(0.5, 5).unwrap();
    let heston = Heston::new(asset(0.0), variance, 0.03, grid.clone()).unwrap();
    let merton = Merton::new(asset(0.3), jumps, 0.03, grid).unwrap();
    let shocks = Shocks::new(&[0.1, 0.2], &[1.0, 0.5, 0.5, 2.0]).unwrap();
    let payoff = Custom(|path: &Path<'_>| path.prices(0).sum());
    for sampling in SAMPLINGS {
        let all: Vec<[Estimate; 3]> = Backend::all()
            .into_iter()
            .map(|backend| {
                let settings = Settings {
                    backend,
                    ..settings(5_000, sampling)
                };
                [
                    worth(&heston, &payoff, settings),
                    worth(&merton, &payoff, settings),
                    worth(&shocks, &payoff, settings),
                ]
            })
            .collect();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    }
}

#[test]
fn tails_are_those_of_the_normal_distribution() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/vectors/mc/mc_refs.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let references: Value = serde_json::from_str(&text).unwrap();
    let of = &references["gaussian_var_es"];
    let numbers = |of: &Value| serde_json::from_value::<Vec<f64>>(of.clone()).unwrap();
    let notional = numbers(&of["weights_notional"]);
    let rows = of["cov_daily"].as_array().unwrap();
    let covariance: Vec<f64> = rows.iter().flat_map(numbers).collect();
    let model = Shocks::new(&vec![0.0; notional.len()], &covariance).unwrap();
    let profit = Custom(|path: &Path<'_>| {
        let profits = notional
            .iter()
            .enumerate()
            .map(|(at, money)| money * path.last(at));
        profits.sum::<f64>()
    });
    let settings = Settings::new(1 << 19, 3);
    let simulation = Simulation::new(&model, &profit, settings).unwrap();
    let parts = 0..simulation.parts();
    let mut profits: Vec<f64> = parts.flat_map(|part| simulation.samples(part)).collect();
    assert_eq!(profits.len(), 1 << 19);
    for (level, probability) in [("95", 0.95), ("99", 0.99)] {
        let found = tail(&mut profits, probability).unwrap();
        let wanted = |name: &str| of[format!("{name}{level}")].as_f64().unwrap();
        let off = (found.value_at_risk - wanted("VaR")).abs();
        assert!(off <= 4.5 * found.value_at_risk_error, "{found:?}");
        let off = (found.shortfall - wanted("ES")).abs();
        assert!(off <= 4.5 * found.shortfall_error, "{found:?}");
        assert!(found.value_at_risk_error < 0.01 * found.value_at_risk);
        assert!(found.shortfall_error < 0.01 * found.shortfall);
    }
}

#[test]
fn what_cannot_be_simulated_is_refused_by_name() {
    let grid = Grid::even(1.0, 2).unwrap();
    let refused = |found: Fault, name: &str| {
        assert!(
            found.to_string().contains(name),
            "{found} does not name {name}"
        );
    };
    refused(Grid::even(1.0, 0).unwrap_err(), "steps");
    refused(Grid::new(&[0.5, 0.5]).unwrap_err(), "times");
    refused(Grid::new(&[f64::NAN]).unwrap_err(), "times");
    refused(
        Gbm::new(asset(-0.1), 0.0, grid.clone()).unwrap_err(),
        "volatility",
    );
    refused(
        Gbm::new(asset(0.1), f64::NAN, grid.clone()).unwrap_err(),
        "rate",
    );
    let three = [asset(0.1); 3];
    let impossible = [1.0, -0.9, -0.9, -0.9, 1.0, -0.9, -0.9, -0.9, 1.0];
    let found = Gbm::correlated(&three, &impossible, 0.0, grid.clone());
    refused(found.unwrap_err(), "correlations");
    let jumps = Jumps {
        intensity: 1e5,
        mean: 0.0,
        deviation: 0.0,
    };
    refused(
        Merton::new(asset(0.1), jumps, 0.0, grid.clone()).unwrap_err(),
        "intensity",
    );
    refused(Shocks::new(&[0.0], &[-1.0]).unwrap_err(), "covariance");
    refused(tail(&mut [0.0; 200], 0.99).unwrap_err(), "profits");
    let uneven = Grid::new(&[0.1, 1.0]).unwrap();
    let model = Gbm::new(asset(0.1), 0.0, uneven).unwrap();
    let payoff = European {
        kind: Kind::Call,
        strike: f64::NAN,
    };
    let plain = Settings::new(100, 0);
    refused(
        Simulation::new(&model, &payoff, plain).err().unwrap(),
        "strike",
    );
    let payoff = European {
        kind: Kind::Call,
        strike: 1.0,
    };
    for (changed, name) in [
        (Settings { paths: 0, ..plain }, "paths"),
        (
            Settings {
                construction: Construction::Principal,
                ..plain
            },
            "grid",
        ),
        (
            Settings {
                sampling: Sampling::Sobol { replicates: 1 },
                ..plain
            },
            "replicates",
        ),
    ] {
        refused(
            Simulation::new(&model, &payoff, changed).err().unwrap(),
            name,
        );
    }
}
