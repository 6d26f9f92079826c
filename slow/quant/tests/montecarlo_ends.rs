//! Last prices without their paths: those of the paths, in both precisions, by all instructions, as
//! payoffs of paths are.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use analytics::arch::Backend;
use quant::Fault;
use quant::montecarlo::{
    Asian, Asset, Average, Conditioned, Construction, Control, Custom, Estimate, European, Gbm,
    Grid, Kind, Lookback, Model, Path, Payoff, Philox, Precision, Sampling, Settings, Simulation,
};

const STRIKE: f64 = 100.0;
const CALL: European = European {
    kind: Kind::Call,
    strike: STRIKE,
};

fn model(grid: Grid) -> Gbm {
    let asset = Asset {
        start: 100.0,
        dividend: 0.01,
        volatility: 0.2,
    };
    Gbm::new(asset, 0.03, grid).unwrap()
}

fn grids() -> Vec<Grid> {
    let even = [1, 2, 5, 12, 64].map(|steps| Grid::even(1.0, steps).unwrap());
    let uneven = Grid::new(&[0.1, 0.2, 0.5, 0.9, 1.0, 1.7, 2.0]).unwrap();
    even.into_iter().chain([uneven]).collect()
}

fn settings(paths: u64, sampling: Sampling, precision: Precision) -> Settings {
    Settings {
        sampling,
        precision,
        ..Settings::new(paths, 11)
    }
}

fn run<M: Model, P: Payoff>(model: &M, payoff: &P, settings: Settings) -> Estimate {
    let simulation = Simulation::new(model, payoff, settings).unwrap();
    simulation.run(|_| ControlFlow::Continue(()))
}

#[test]
fn doubles_are_the_ends_of_the_same_paths() {
    let by_path = Custom(|path: &Path<'_>| (path.last(0) - STRIKE).max(0.0));
    for grid in grids() {
        let model = model(grid);
        for sampling in [Sampling::Plain, Sampling::Antithetic] {
            let settings = settings(5_000, sampling, Precision::Double);
            let ours = Simulation::new(&model, &CALL, settings).unwrap();
            let paths = Simulation::new(&model, &by_path, settings).unwrap();
            assert_eq!(ours.parts(), paths.parts());
            for part in 0..ours.parts() {
                let (ours, paths) = (ours.samples(part), paths.samples(part));
                assert_eq!(ours.len(), paths.len());
                for (ours, path) in ours.iter().zip(&paths) {
                    assert!((ours - path).abs() <= 1e-11, "{ours} instead of {path}");
                }
            }
            let [ours, paths] = [
                run(&model, &CALL, settings),
                run(&model, &by_path, settings),
            ];
            assert!((ours.value / paths.value - 1.0).abs() < 1e-12);
            assert!((ours.error / paths.error - 1.0).abs() < 1e-9);
            assert_eq!(ours.paths, paths.paths);
        }
    }
}

/// A path's last price by the definition of its numbers.
fn by_definition(seed: u64, path: usize, steps: usize) -> f64 {
    let philox = Philox::new(seed);
    let (counter, at) = (path / 96 * 16 + path % 16, path / 16 % 6);
    let years = 1.0 / steps as f64;
    let mut logarithm = 0.03 - 0.01 - 0.02;
    for step in 0..steps {
        let words = philox.block([counter as u32, 0, step as u32, 0]);
        let (word, above) = (words[at / 2], words[3] >> (10 * (at / 2)) & 1023);
        let distance = (-2.0 * ((f64::from(word >> 6) + 0.5) / 2f64.powi(26)).ln()).sqrt();
        let direction = (above & 511) << 6 | word & 63;
        let angle = std::f64::consts::PI * ((f64::from(direction) + 0.5) / 2f64.powi(15) - 0.5);
        let side = if above >> 9 == 1 { -1.0 } else { 1.0 };
        let number = [side * angle.cos(), angle.sin()][at % 2] * distance;
        logarithm += 0.2 * years.sqrt() * number;
    }
    100.0 * logarithm.exp()
}

/// By how much of itself a price of these paths may be off: what `f32` rounds of their numbers and
/// sums.
const SINGLE_OFF: f64 = 5e-6;

#[test]
fn singles_are_the_ends_of_the_paths_that_are_defined() {
    let forward = European {
        kind: Kind::Call,
        strike: 0.0,
    };
    for steps in [1, 3, 64] {
        let model = model(Grid::even(1.0, steps).unwrap());
        let settings = settings(4_400, Sampling::Plain, Precision::Single);
        let simulation = Simulation::new(&model, &forward, settings).unwrap();
        let samples: Vec<f64> = (0..simulation.parts())
            .flat_map(|part| simulation.samples(part))
            .collect();
        assert_eq!(samples.len(), 4_400);
        for (path, found) in samples.into_iter().enumerate() {
            let wanted = by_definition(11, path, steps) * model.discount();
            let off = (found / wanted - 1.0).abs();
            assert!(off <= SINGLE_OFF, "{path}: {found} instead of {wanted}");
        }
    }
}

#[test]
fn instructions_do_not_change_a_bit() {
    let grid = Grid::new(&[0.1, 0.2, 0.5, 0.9, 1.0]).unwrap();
    let model = model(grid);
    for sampling in [Sampling::Plain, Sampling::Antithetic] {
        for precision in [Precision::Double, Precision::Single] {
            for paths in [16, 200, 2_112, 4_300] {
                let found: Vec<(u64, u64, u64)> = Backend::all()
                    .into_iter()
                    .map(|backend| {
                        let settings = Settings {
                            backend,
                            ..settings(paths, sampling, precision)
                        };
                        let found = run(&model, &CALL, settings);
                        (found.value.to_bits(), found.error.to_bits(), found.paths)
                    })
                    .collect();
                assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
            }
        }
    }
}

/// An option of paths by all instructions, by each sampling.
fn same_bits<P: Payoff>(payoff: &P) {
    let model = model(Grid::even(1.0, 12).unwrap());
    let sobol = Sampling::Sobol { replicates: 8 };
    for sampling in [
        Sampling::Plain,
        Sampling::Antithetic,
        Sampling::Stratified,
        sobol,
    ] {
        let found = Backend::all().into_iter().map(|backend| {
            let settings = Settings {
                backend,
                ..settings(4_096, sampling, Precision::Double)
            };
            let simulation = Simulation::new(&model, payoff, settings).unwrap();
            let found = simulation.run(|_| ControlFlow::Continue(()));
            (found.value.to_bits(), found.error.to_bits(), found.paths)
        });
        let found: Vec<_> = found.collect();
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
    }
}

#[test]
fn instructions_change_no_bit_of_a_payoff() {
    let strike = STRIKE;
    for kind in [Kind::Call, Kind::Put] {
        for average in [Average::Arithmetic, Average::Geometric] {
            same_bits(&Asian {
                kind,
                strike,
                average,
            });
        }
        same_bits(&Lookback { kind, strike });
        same_bits(&Conditioned { kind, strike });
    }
}

#[test]
fn prices_are_those_of_the_formula_within_their_errors() {
    for grid in grids() {
        let model = model(grid);
        let exact = model.european(Kind::Call, STRIKE);
        for sampling in [Sampling::Plain, Sampling::Antithetic] {
            let settings = settings(200_000, sampling, Precision::Single);
            let found = run(&model, &CALL, settings);
            let off = (found.value - exact) / found.error;
            assert!(off.abs() < 4.5 && found.complete, "{found:?}, not {exact}");
            let forward = European {
                kind: Kind::Call,
                strike: 0.0,
            };
            let control = Control::new(&forward, model.european(Kind::Call, 0.0));
            let simulation = Simulation::controlled(&model, &CALL, control, settings).unwrap();
            let better = simulation.run(|_| ControlFlow::Continue(()));
            let off = (better.value - exact) / better.error;
            assert!(off.abs() < 4.5, "{better:?}, not {exact}");
            assert!(better.error < 0.6 * found.error);
        }
    }
}

#[test]
fn singles_are_refused_where_they_are_not_for() {
    let model = model(Grid::even(1.0, 12).unwrap());
    let asked = |sampling, construction| Settings {
        construction,
        ..settings(1_000, sampling, Precision::Single)
    };
    let steps = Construction::Steps;
    let refused = |fault: Fault| assert!(matches!(fault, Fault::Unfit { .. }), "{fault}");
    let average = Asian {
        kind: Kind::Call,
        strike: STRIKE,
        average: Average::Arithmetic,
    };
    let furthest = Lookback {
        kind: Kind::Call,
        strike: STRIKE,
    };
    let plain = asked(Sampling::Plain, steps);
    refused(Simulation::new(&model, &average, plain).err().unwrap());
    refused(Simulation::new(&model, &furthest, plain).err().unwrap());
    for (sampling, construction) in [
        (Sampling::Stratified, steps),
        (Sampling::Sobol { replicates: 8 }, steps),
        (Sampling::Plain, Construction::Bridge),
    ] {
        let settings = asked(sampling, construction);
        refused(Simulation::new(&model, &CALL, settings).err().unwrap());
    }
}
