//! `montecarlo`: normal numbers, paths, and an average option to a given error.
//!
//! The peer of numbers and paths is what they are by definition, one at a time with the library's
//! logarithms and powers, from the same random bits: numbers must agree. The option's prices by
//! plain paths and by scrambled Sobol points with a control must be within their errors.

use std::ops::ControlFlow;
use std::time::Instant;

use analytics::arch::Backend;
use quant::Fault;
use quant::montecarlo::{
    Asian, Asset, Average, Conditioned, Construction, Control, Estimate, European, Gbm, Grid, Kind,
    Philox, Precision, Sampling, Settings, Simulation, fill_normals, fill_normals_f32,
};

use super::numbers::used;
use crate::compare::{Case, Subject, compare};
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "montecarlo",
    about: "a normal number, a step of a path, an option on an average: ours, by definition, plain",
    run,
};

const ASSET: Asset = Asset {
    start: 100.0,
    dividend: 0.0,
    volatility: 0.2,
};
const RATE: f64 = 0.03;
const STRIKE: f64 = 100.0;
const SEED: u64 = 17;
/// What an option's price may be off, in its standard errors.
const ERRORS: f64 = 4.5;
/// The error that is asked for, as a part of the price.
const PART: f64 = 1e-4;

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let mut cases = numbers(options)?;
    for steps in [1, 12, 252] {
        cases.extend(paths(options, steps)?);
    }
    cases.extend(average(options)?);
    Ok(cases)
}

fn failed(fault: Fault) -> BenchError {
    BenchError::failed("montecarlo", fault)
}

/// One turn, in picoseconds by what it made.
fn timed<T>(count: usize, turn: impl FnOnce() -> T) -> Vec<Vec<u64>> {
    let start = Instant::now();
    used(turn());
    let whole = start.elapsed().as_nanos() as u64;
    vec![vec![whole * 1_000 / count as u64]]
}

fn numbers(options: &Options) -> Result<Vec<Case>, BenchError> {
    let count = options.effort.pick(1 << 10, 1 << 20, 1 << 24);
    let backend = Backend::best();
    let mut double = vec![0.0; 1 << 10];
    let mut single = vec![0.0; 1 << 10];
    let mut defined = vec![0.0; 1 << 10];
    fill_normals(backend, SEED, &mut double);
    fill_normals_f32(backend, SEED, &mut single);
    by_definition(SEED, &mut defined);
    let double_f64 = double.iter().copied().zip(defined.iter().copied());
    let mut defined_f32 = vec![0.0; 1 << 10];
    by_definition_f32(SEED, &mut defined_f32);
    let single_f64 = single.iter().copied().map(f64::from).zip(defined_f32);
    let off = |(found, defined): (f64, f64)| (found - defined).abs();
    let worst = [
        double_f64.map(off).fold(0.0, f64::max) / 1e-12,
        single_f64.map(off).fold(0.0, f64::max) / 1e-5,
    ];
    if worst.iter().any(|off| *off > 1.0) {
        return Err(BenchError::WrongAnswer(format!(
            "numbers are {worst:?} of what they may be off by"
        )));
    }
    let rounds = count / double.len();
    let subjects = vec![
        Subject::new("ours", || {
            Ok(timed(count, || {
                (0..rounds as u64).for_each(|seed| fill_normals(backend, seed, &mut double));
            }))
        }),
        Subject::new("ours, f32", || {
            Ok(timed(count, || {
                (0..rounds as u64).for_each(|seed| fill_normals_f32(backend, seed, &mut single));
            }))
        }),
        Subject::new("by definition", || {
            Ok(timed(count, || {
                (0..rounds as u64).for_each(|seed| by_definition(seed, &mut defined));
            }))
        }),
    ];
    compare(&["a normal number"], options.effort.rounds(), subjects)
}

/// The numbers of `fill_normals`, one at a time.
fn by_definition(seed: u64, to: &mut [f64]) {
    let philox = Philox::new(seed);
    for (tile, part) in to.chunks_exact_mut(64).enumerate() {
        for lane in 0..16 {
            let words = philox.block([(tile * 16 + lane) as u32, 0, 0, 0]);
            for at in [0, 2] {
                let (high, low) = (f64::from(words[at]), words[at + 1]);
                let share = (high + (f64::from(low >> 24) + 0.5) / 256.0) / 4_294_967_296.0;
                let distance = (-2.0 * share.ln()).sqrt();
                let turn = (f64::from(low & 0x7F_FFFF) + 0.5) / 8_388_608.0 - 0.5;
                let side = if low >> 23 & 1 == 1 { -1.0 } else { 1.0 };
                let (sine, cosine) = (std::f64::consts::PI * turn).sin_cos();
                part[at * 16 + lane] = distance * cosine * side;
                part[(at + 1) * 16 + lane] = distance * sine;
            }
        }
    }
}

/// The numbers of `fill_normals_f32`, one at a time.
fn by_definition_f32(seed: u64, to: &mut [f64]) {
    let philox = Philox::new(seed);
    for (tile, part) in to.chunks_mut(96).enumerate() {
        for lane in 0..16 {
            let [words @ .., rest] = philox.block([(tile * 16 + lane) as u32, 0, 0, 0]);
            for (at, word) in words.into_iter().enumerate() {
                let share = (f64::from(word >> 6) + 0.5) / 67_108_864.0;
                let distance = (-2.0 * share.ln()).sqrt();
                let above = rest >> (10 * at) & 0x3FF;
                let direction = (above & 0x1FF) << 6 | word & 0x3F;
                let turn = (f64::from(direction) + 0.5) / 32_768.0 - 0.5;
                let side = if above >> 9 == 1 { -1.0 } else { 1.0 };
                let (sine, cosine) = (std::f64::consts::PI * turn).sin_cos();
                for (at, number) in [(2 * at, cosine * side), (2 * at + 1, sine)] {
                    if let Some(to) = part.get_mut(at * 16 + lane) {
                        *to = distance * number;
                    }
                }
            }
        }
    }
}

fn checked(found: Estimate, wanted: f64) -> Result<Estimate, BenchError> {
    if (found.value - wanted).abs() <= ERRORS * found.error {
        return Ok(found);
    }
    Err(BenchError::WrongAnswer(format!(
        "{found:?} instead of {wanted}"
    )))
}

fn on(_: quant::montecarlo::Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn paths(options: &Options, steps: usize) -> Result<Vec<Case>, BenchError> {
    let count = options.effort.pick(1 << 10, 1 << 16, 1 << 20);
    let grid = Grid::even(1.0, steps).map_err(failed)?;
    let model = Gbm::new(ASSET, RATE, grid).map_err(failed)?;
    let kind = Kind::Call;
    let payoff = European {
        kind,
        strike: STRIKE,
    };
    let exact = model.european(kind, STRIKE);
    let settings = Settings::new(count as u64, SEED);
    let simulation = |precision, sampling| {
        let settings = Settings {
            precision,
            sampling,
            ..settings
        };
        Simulation::new(&model, &payoff, settings).map_err(failed)
    };
    let plain = simulation(Precision::Double, Sampling::Plain)?;
    let pairs = simulation(Precision::Double, Sampling::Antithetic)?;
    let single = simulation(Precision::Single, Sampling::Plain)?;
    let single_pairs = simulation(Precision::Single, Sampling::Antithetic)?;
    let found = checked(plain.run(on), exact)?;
    for other in [&pairs, &single, &single_pairs] {
        checked(other.run(on), exact)?;
    }
    let defined = one_by_one(count, steps);
    if (defined - found.value).abs() > 2.0 * ERRORS * found.error {
        return Err(BenchError::WrongAnswer(format!(
            "{defined} beside {found:?}"
        )));
    }
    let subjects = vec![
        Subject::new("ours", || Ok(timed(count, || plain.run(on)))),
        Subject::new("ours, antithetic", || Ok(timed(count, || pairs.run(on)))),
        Subject::new("ours, f32", || Ok(timed(count, || single.run(on)))),
        Subject::new("ours, f32, antithetic", || {
            Ok(timed(count, || single_pairs.run(on)))
        }),
        Subject::new("by definition", || {
            Ok(timed(count, || one_by_one(count, steps)))
        }),
    ];
    let name = format!("a path of {steps} steps");
    let note = format!(
        "{count} paths, {:.4} +- {:.4}, exactly {exact:.4}",
        found.value, found.error
    );
    let compared = compare(&[&name], options.effort.rounds(), subjects)?;
    Ok(compared.into_iter().map(|case| case.noted(&note)).collect())
}

/// The option by paths that are made one after the other.
fn one_by_one(count: usize, steps: usize) -> f64 {
    let mut normals = vec![0.0; 64 * (count * steps).div_ceil(64).min(64)];
    let years = 1.0 / steps as f64;
    let drift = (RATE - ASSET.volatility * ASSET.volatility / 2.0) * years;
    let spread = ASSET.volatility * years.sqrt();
    let mut sum = 0.0;
    let (mut seed, mut used) = (SEED, normals.len());
    for _ in 0..count {
        let mut price = ASSET.start;
        for _ in 0..steps {
            if used == normals.len() {
                seed += 1;
                by_definition(seed, &mut normals);
                used = 0;
            }
            price *= (drift + spread * normals[used]).exp();
            used += 1;
        }
        sum += (price - STRIKE).max(0.0);
    }
    sum / count as f64 * (-RATE).exp()
}

/// A year's daily average: until the error is a ten-thousandth of the price.
fn average(options: &Options) -> Result<Vec<Case>, BenchError> {
    let grid = Grid::even(1.0, 252).map_err(failed)?;
    let model = Gbm::new(ASSET, RATE, grid).map_err(failed)?;
    let (kind, strike) = (Kind::Call, STRIKE);
    let [arithmetic, geometric] = [Average::Arithmetic, Average::Geometric].map(|average| Asian {
        kind,
        strike,
        average,
    });
    let effort = options.effort;
    let pairs = Settings {
        sampling: Sampling::Antithetic,
        ..Settings::new(effort.pick(1 << 9, 3 << 11, 3 << 11) as u64, SEED)
    };
    let even = Settings {
        sampling: Sampling::Sobol { replicates: 8 },
        construction: Construction::Principal,
        ..pairs
    };
    let random = Settings::new(effort.pick(1 << 12, 1 << 16, 1 << 18) as u64, SEED);
    // What a control is worth is found each time, too.
    let ours = || {
        let control = Conditioned { kind, strike }.control(&model);
        let simulation = Simulation::controlled(&model, &arithmetic, control.as_ref(), pairs);
        Ok(simulation.map_err(failed)?.run(on))
    };
    let with_geometric = |settings| {
        let geometric = Control::new(&geometric, model.geometric_asian(kind, strike));
        let simulation = Simulation::controlled(&model, &arithmetic, geometric, settings);
        Ok(simulation.map_err(failed)?.run(on))
    };
    let found: Estimate = ours()?;
    let others: [Estimate; 2] = [with_geometric(even)?, with_geometric(random)?];
    for other in others {
        if (found.value - other.value).abs() > 6.0 * found.error.hypot(other.error) {
            return Err(BenchError::WrongAnswer(format!(
                "{found:?} beside {other:?}"
            )));
        }
    }
    if found.error > PART * found.value && pairs.paths >= 1 << 12 {
        return Err(BenchError::WrongAnswer(format!(
            "{found:?}: not to a ten-thousandth"
        )));
    }
    let measured = |work: &dyn Fn() -> Result<Estimate, BenchError>| {
        let start = Instant::now();
        used(work()?);
        Ok(vec![vec![start.elapsed().as_nanos() as u64 * 1_000]])
    };
    let subjects = vec![
        Subject::new("ours", || measured(&ours)),
        Subject::new("Sobol, geometric control", || {
            measured(&|| with_geometric(even))
        }),
        Subject::new("plain, geometric control", || {
            measured(&|| with_geometric(random))
        }),
    ];
    let told = [found, others[0], others[1]].map(|estimate| {
        let Estimate {
            value,
            error,
            paths,
            ..
        } = estimate;
        format!("{value:.6} +- {error:.6} of {paths} paths")
    });
    let note = format!("ours {}, Sobol {}, plain {}", told[0], told[1], told[2]);
    let name = ["an option on the average of 252 days"];
    let compared = compare(&name, effort.pick(1, 11, 31), subjects)?;
    Ok(compared.into_iter().map(|case| case.noted(&note)).collect())
}
