//! Options by simulation: reference answers within their errors, the same bits by any thread and
//! with any instructions, errors that are what they say.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use analytics::arch::Backend;
use quant::montecarlo::{
    Asian, Asset, Average, Barrier, Conditioned, Construction, Control, Custom, Estimate, European,
    Gbm, Grid, Kind, Knock, Lookback, Model, Path, Payoff, Sampling, Settings, Simulation, Sobol,
    Tally,
};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors/mc/");
    let text = std::fs::read_to_string(format!("{path}{name}"))
        .unwrap_or_else(|error| panic!("{path}{name}: {error}: lay shared/vectors beside it"));
    serde_json::from_str(&text).unwrap()
}

const SAMPLINGS: [(Sampling, Construction); 7] = [
    (Sampling::Plain, Construction::Steps),
    (Sampling::Antithetic, Construction::Steps),
    (Sampling::Antithetic, Construction::Principal),
    (Sampling::Stratified, Construction::Bridge),
    (Sampling::Sobol { replicates: 16 }, Construction::Steps),
    (Sampling::Sobol { replicates: 16 }, Construction::Bridge),
    (Sampling::Sobol { replicates: 16 }, Construction::Principal),
];

fn settings(paths: u64, (sampling, construction): (Sampling, Construction)) -> Settings {
    Settings {
        sampling,
        construction,
        ..Settings::new(paths, 7)
    }
}

fn on(_: quant::montecarlo::Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn worth<M: Model, P: Payoff>(model: &M, payoff: &P, settings: Settings) -> Estimate {
    Simulation::new(model, payoff, settings).unwrap().run(on)
}

/// The vectors' rule.
fn accept(what: &str, found: Estimate, reference: f64, error: f64) {
    let both = found.error.hypot(error);
    let off = (found.value - reference).abs() / both;
    assert!(found.error.is_finite() && found.complete);
    assert!(
        off <= 4.5,
        "{what}: {found:?}, not {reference}: {off} errors off"
    );
}

fn gbm(of: &Value, steps: usize) -> (Gbm, f64) {
    let number = |name: &str| of[name].as_f64().unwrap();
    let asset = Asset {
        start: number("S"),
        dividend: 0.0,
        volatility: number("vol"),
    };
    let grid = Grid::even(number("T"), steps).unwrap();
    (Gbm::new(asset, number("r"), grid).unwrap(), number("K"))
}

#[test]
fn options_are_worth_what_the_references_say() {
    let references = vectors("mc_refs.json");
    for of in references["options"].as_array().unwrap() {
        let number = |name: &str| of[name].as_f64();
        let (once, strike) = gbm(of, 1);
        let european = |kind| European { kind, strike };
        let (mean, variance) = once.terminal_moments(0);
        let [call, put] = ["call", "put"].map(|name| number(name).unwrap());
        let close = |found: f64, wanted: f64| {
            assert!(
                (found - wanted).abs() <= 1e-12 * wanted.abs().max(1.0),
                "{found} {wanted}"
            );
        };
        close(mean, number("terminal_mean").unwrap());
        close(variance / variance, 1.0);
        close(variance / number("terminal_var").unwrap(), 1.0);
        close(once.european(Kind::Call, strike), call);
        close(once.european(Kind::Put, strike), put);
        for sampling in SAMPLINGS {
            let settings = settings(1 << 16, sampling);
            let what = format!("{sampling:?}");
            accept(
                &what,
                worth(&once, &european(Kind::Call), settings),
                call,
                0.0,
            );
            accept(
                &what,
                worth(&once, &european(Kind::Put), settings),
                put,
                0.0,
            );
            let forward = Custom(|path: &Path<'_>| path.last(0));
            let discounted = mean * once.discount();
            accept(&what, worth(&once, &forward, settings), discounted, 0.0);
        }
        for steps in [12, 252] {
            let (model, strike) = gbm(of, steps);
            let geometric = Asian {
                kind: Kind::Call,
                strike,
                average: Average::Geometric,
            };
            let arithmetic = Asian {
                average: Average::Arithmetic,
                ..geometric
            };
            let exact = number(&format!("asian_geo_{steps}")).unwrap();
            close(model.geometric_asian(Kind::Call, strike), exact);
            for kind in [Kind::Call, Kind::Put] {
                let conditioned = Conditioned { kind, strike };
                let exact = model.conditioned_asian(kind, strike);
                let what = format!("{steps} steps, {kind:?} by the geometric average");
                let plain = settings(1 << 14, SAMPLINGS[0]);
                accept(&what, worth(&model, &conditioned, plain), exact, 0.0);
            }
            for sampling in SAMPLINGS {
                let what = format!("{steps} steps, {sampling:?}");
                let settings = settings(1 << 12, sampling);
                accept(&what, worth(&model, &geometric, settings), exact, 0.0);
                let Some(wanted) = number(&format!("asian_arith_{steps}")) else {
                    continue;
                };
                let error = number(&format!("asian_arith_{steps}_se")).unwrap();
                accept(&what, worth(&model, &arithmetic, settings), wanted, error);
                let control = Control::new(&geometric, exact);
                let both = Simulation::controlled(&model, &arithmetic, control, settings);
                let both = both.unwrap().run(on);
                accept(&what, both, wanted, error);
                let kind = Kind::Call;
                let control = Conditioned { kind, strike }.control(&model);
                let nearer =
                    Simulation::controlled(&model, &arithmetic, control.as_ref(), settings);
                let nearer = nearer.unwrap().run(on);
                accept(&what, nearer, wanted, error);
                // What is left to chance is nothing that Sobol's points would even out.
                if !matches!(sampling.0, Sampling::Sobol { .. }) {
                    assert!(nearer.error < both.error, "{what}: {nearer:?} {both:?}");
                }
            }
        }
    }
}

#[test]
fn sobol_points_are_those_of_the_references() {
    let references = vectors("sobol.json");
    let mut compared = 0;
    for (name, points) in references.as_object().unwrap() {
        let Some(points) = points.as_array() else {
            continue;
        };
        let chosen: Option<Vec<usize>> = name
            .strip_prefix("252_from_1000_dims_")
            .map(|chosen| chosen.split('_').map(|at| at.parse().unwrap()).collect());
        let (dimensions, first) = match chosen {
            Some(_) => (252, 1_000),
            None => (name.parse().unwrap(), 0),
        };
        let sobol = Sobol::new(dimensions).unwrap();
        for (index, wanted) in (first..).zip(points) {
            let point = sobol.point(index);
            let found: Vec<f64> = match &chosen {
                Some(chosen) => chosen.iter().map(|at| point[*at]).collect(),
                None => point,
            };
            let wanted: Vec<f64> = serde_json::from_value(wanted.clone()).unwrap();
            assert_eq!(found, wanted, "{name}: point {index}");
            compared += 1;
        }
    }
    assert!(compared > 200);
    assert!(Sobol::new(0).is_err() && Sobol::new(1_112).is_err());
    let last = Sobol::new(1_111).unwrap().point(1);
    assert!(last.iter().all(|x| *x == 0.5));
}

/// All parts, by so many threads.
fn by_threads<M: Model, P: Payoff, C: Payoff>(
    simulation: &Simulation<'_, M, P, C>,
    threads: u64,
) -> Estimate {
    let mut parts: Vec<(u64, Tally)> = std::thread::scope(|scope| {
        let part = |thread: u64| {
            let mine = (thread..simulation.parts()).step_by(threads as usize);
            move || {
                mine.map(|part| (part, simulation.part(part)))
                    .collect::<Vec<_>>()
            }
        };
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(part(thread)))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    parts.sort_by_key(|(part, _)| *part);
    let parts: Vec<Tally> = parts.into_iter().map(|(_, tally)| tally).collect();
    simulation.gather(&parts)
}

fn bits(of: Estimate) -> (u64, u64, u64) {
    (of.value.to_bits(), of.error.to_bits(), of.paths)
}

#[test]
fn neither_threads_nor_instructions_change_a_bit() {
    let assets = [(100.0, 0.2), (90.0, 0.3), (50.0, 0.1)].map(|(start, volatility)| Asset {
        start,
        dividend: 0.01,
        volatility,
    });
    let correlations = [1.0, 0.5, -0.2, 0.5, 1.0, 0.1, -0.2, 0.1, 1.0];
    let grid = Grid::new(&[0.1, 0.25, 0.5, 0.75, 1.3]).unwrap();
    let model = Gbm::correlated(&assets, &correlations, 0.03, grid).unwrap();
    let payoff = Barrier {
        kind: Kind::Put,
        strike: 105.0,
        level: 80.0,
        knock: Knock::Out,
        watched: Some(0.2),
    };
    let control = European {
        kind: Kind::Put,
        strike: 105.0,
    };
    let control = Control::new(&control, model.european(Kind::Put, 105.0));
    for sampling in SAMPLINGS {
        if sampling.1 == Construction::Principal {
            continue; // of even steps only
        }
        let mut first = None;
        for backend in Backend::all() {
            let settings = Settings {
                backend,
                ..settings(40_000, sampling)
            };
            let simulation =
                Simulation::controlled(&model, &payoff, control.clone(), settings).unwrap();
            let alone = bits(simulation.run(on));
            assert_eq!(
                *first.get_or_insert(alone),
                alone,
                "{backend:?} {sampling:?}"
            );
            for threads in [2, 7] {
                assert_eq!(bits(by_threads(&simulation, threads)), alone);
            }
        }
    }
}

#[test]
fn errors_are_what_they_say() {
    let (model, strike) = gbm(&vectors("mc_refs.json")["options"][2], 12);
    let payoff = Asian {
        kind: Kind::Call,
        strike,
        average: Average::Geometric,
    };
    let exact = model.geometric_asian(Kind::Call, strike);
    for sampling in SAMPLINGS {
        let seeds = 100;
        let mut squares = 0.0;
        for seed in 0..seeds {
            let settings = Settings {
                seed,
                ..settings(2_048, sampling)
            };
            let found = worth(&model, &payoff, settings);
            squares += ((found.value - exact) / found.error).powi(2) / seeds as f64;
        }
        // 16 scrambles tell their error to a sixth; the rest is the spread of the seeds.
        assert!(
            (0.6..1.7).contains(&squares),
            "{sampling:?}: {squares} times the variance"
        );
    }
}

#[test]
fn errors_fall_with_the_root_of_paths_and_faster_by_sobol() {
    let (model, strike) = gbm(&vectors("mc_refs.json")["options"][1], 12);
    let payoff = Asian {
        kind: Kind::Call,
        strike,
        average: Average::Arithmetic,
    };
    for (sampling, at_least, at_most) in [
        (SAMPLINGS[0], 3.6, 4.4),
        (SAMPLINGS[1], 3.6, 4.4),
        (SAMPLINGS[3], 3.6, 4.4),
        (SAMPLINGS[5], 6.0, 60.0),
        (SAMPLINGS[6], 6.0, 60.0),
    ] {
        let error = |paths| worth(&model, &payoff, settings(paths, sampling)).error;
        let ratio = error(1 << 13) / error(1 << 17);
        assert!(
            (at_least..at_most).contains(&ratio),
            "{sampling:?}: {ratio}"
        );
    }
}

#[test]
fn barriers_are_worth_what_formulas_say() {
    let (model, _) = gbm(&vectors("mc_refs.json")["options"][5], 50);
    let (rate, years, volatility, start) = (0.0391, 0.9, 0.1664, 100.0);
    let (strike, level) = (95.0, 90.0);
    let option = |knock, watched| Barrier {
        kind: Kind::Call,
        strike,
        level,
        knock,
        watched,
    };
    // Down and in, by reflection (R. Merton 1973).
    let power = 2.0 * rate / (volatility * volatility) - 1.0;
    let asset = Asset {
        start: level * level / start,
        dividend: 0.0,
        volatility,
    };
    let mirrored = Gbm::new(asset, rate, Grid::even(years, 1).unwrap()).unwrap();
    let exact = f64::powf(level / start, power) * mirrored.european(Kind::Call, strike);
    let whole = model.european(Kind::Call, strike);
    for sampling in SAMPLINGS {
        let settings = settings(1 << 15, sampling);
        let watched = Some(volatility);
        let found = worth(&model, &option(Knock::In, watched), settings);
        accept("in", found, exact, 0.0);
        let found = worth(&model, &option(Knock::Out, watched), settings);
        accept("out", found, whole - exact, 0.0);
        let rarely = worth(&model, &option(Knock::Out, None), settings);
        assert!(
            rarely.value > found.value,
            "looked at rarely, fewer are knocked out"
        );
        // The same as a path at a time.
        let custom = Custom(|path: &Path<'_>| {
            let out = path.prices(0).any(|price| price <= level);
            if out {
                0.0
            } else {
                (path.last(0) - strike).max(0.0)
            }
        });
        assert_eq!(bits(worth(&model, &custom, settings)), bits(rarely));
    }
}

#[test]
fn payoffs_are_those_of_each_path() {
    let (model, strike) = gbm(&vectors("mc_refs.json")["options"][0], 20);
    let settings = settings(4_096, SAMPLINGS[0]);
    for kind in [Kind::Call, Kind::Put] {
        let sign = if kind == Kind::Call { 1.0 } else { -1.0 };
        let gain = |price: f64| (sign * (price - strike)).max(0.0);
        let furthest = Custom(|path: &Path<'_>| {
            let furthest = path
                .prices(0)
                .map(|price| sign * price)
                .fold(f64::MIN, f64::max);
            gain(sign * furthest)
        });
        let found = worth(&model, &Lookback { kind, strike }, settings);
        assert_eq!(bits(worth(&model, &furthest, settings)), bits(found));
        let mean = Custom(|path: &Path<'_>| gain(path.prices(0).sum::<f64>() / 20.0));
        let average = Average::Arithmetic;
        let asian = Asian {
            kind,
            strike,
            average,
        };
        let [found, wanted] = [
            worth(&model, &asian, settings),
            worth(&model, &mean, settings),
        ];
        assert!((found.value - wanted.value).abs() <= 1e-12 * wanted.value);
    }
}

#[test]
fn several_assets_are_correlated_as_asked() {
    let assets = [(100.0, 0.2), (80.0, 0.35)].map(|(start, volatility)| Asset {
        start,
        dividend: 0.02,
        volatility,
    });
    let grid = Grid::even(2.0, 4).unwrap();
    for correlation in [-0.9, 0.3, 1.0] {
        let matrix = [1.0, correlation, correlation, 1.0];
        let model = Gbm::correlated(&assets, &matrix, 0.04, grid.clone()).unwrap();
        // To exchange one for the other (W. Margrabe 1978): a call in units of the second.
        let variance = 0.2f64.powi(2) + 0.35f64.powi(2) - 2.0 * correlation * 0.2 * 0.35;
        let asset = Asset {
            start: 100.0,
            dividend: 0.02,
            volatility: variance.sqrt(),
        };
        let exchange = Gbm::new(asset, 0.02, grid.clone()).unwrap();
        let exact = exchange.european(Kind::Call, 80.0);
        let payoff = Custom(|path: &Path<'_>| (path.last(0) - path.last(1)).max(0.0));
        for sampling in SAMPLINGS {
            let found = worth(&model, &payoff, settings(1 << 16, sampling));
            accept(&format!("{correlation} {sampling:?}"), found, exact, 0.0);
        }
    }
}

#[test]
fn a_simulation_that_is_stopped_gives_what_it_has() {
    let (model, strike) = gbm(&vectors("mc_refs.json")["options"][0], 4);
    let kind = Kind::Call;
    let payoff = European { kind, strike };
    let exact = model.european(kind, strike);
    for sampling in SAMPLINGS {
        let simulation = Simulation::new(&model, &payoff, settings(1 << 18, sampling)).unwrap();
        let half = simulation.parts() / 2;
        let mut told = 0;
        let found = simulation.run(|progress| {
            told += 1;
            assert_eq!((progress.done, progress.parts), (told, simulation.parts()));
            if told == half {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert!(
            !found.complete && found.paths == 1 << 17,
            "{sampling:?} {found:?}"
        );
        accept(
            "half",
            Estimate {
                complete: true,
                ..found
            },
            exact,
            0.0,
        );
    }
}

#[test]
fn a_simulation_that_is_stopped_at_once_gives_no_nothing() {
    let (model, strike) = gbm(&vectors("mc_refs.json")["options"][0], 4);
    let kind = Kind::Call;
    let payoff = European { kind, strike };
    let exact = model.european(kind, strike);
    for sampling in SAMPLINGS {
        let simulation = Simulation::new(&model, &payoff, settings(1 << 18, sampling)).unwrap();
        let stopped = |most: u64| {
            simulation.run(|progress| match progress.done == most {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        };
        let is_sobol = matches!(sampling.0, Sampling::Sobol { .. });
        for parts in [1, 2, 5, 18] {
            let found = stopped(parts);
            let off = (found.value - exact).abs();
            assert!(off < 0.1 * exact, "{sampling:?} {parts} {found:?}");
            assert!(found.paths >= parts * 2_048 && !found.complete, "{found:?}");
            // One scramble alone says nothing of how far it is off.
            assert_eq!(found.error.is_infinite(), is_sobol && parts == 1);
            assert!(found.error > 0.0);
            assert!(
                parts == 2 || off < 4.5 * found.error,
                "{sampling:?} {found:?}"
            );
        }
    }
}
