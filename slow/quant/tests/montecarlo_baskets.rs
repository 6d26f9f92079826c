//! Options on several assets: what is known of them in closed form, by every sampling.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use analytics::arch::Backend;
use quant::Fault;
use quant::distribution::normal_below;
use quant::montecarlo::{
    Asian, Asset, Average, Basket, Conditioned, Construction, Control, Estimate, Gbm, Grid, Kind,
    Payoff, Sampling, Settings, Simulation, Together,
};

const RATE: f64 = 0.03;
const YEARS: f64 = 1.5;
const KINDS: [Kind; 2] = [Kind::Call, Kind::Put];
const SAMPLINGS: [Sampling; 4] = [
    Sampling::Plain,
    Sampling::Antithetic,
    Sampling::Stratified,
    Sampling::Sobol { replicates: 16 },
];

fn settings(paths: u64, sampling: Sampling) -> Settings {
    Settings {
        sampling,
        construction: Construction::Bridge,
        ..Settings::new(paths, 5)
    }
}

fn asset(start: f64, dividend: f64, volatility: f64) -> Asset {
    Asset {
        start,
        dividend,
        volatility,
    }
}

/// Assets of which each two are correlated alike.
fn model(assets: &[Asset], correlation: f64) -> Gbm {
    let count = assets.len();
    let of = |at: usize| {
        if at.is_multiple_of(count + 1) {
            1.0
        } else {
            correlation
        }
    };
    let correlations: Vec<f64> = (0..count * count).map(of).collect();
    let grid = Grid::even(YEARS, 2).unwrap();
    Gbm::correlated(assets, &correlations, RATE, grid).unwrap()
}

fn worth<P: Payoff>(model: &Gbm, payoff: &P, settings: Settings) -> Estimate {
    let simulation = Simulation::new(model, payoff, settings).unwrap();
    simulation.run(|_| ControlFlow::Continue(()))
}

fn controlled(model: &Gbm, basket: &Basket<'_>, settings: Settings) -> Estimate {
    let control = basket.control(model).unwrap();
    let simulation = Simulation::controlled(model, basket, control.as_ref(), settings).unwrap();
    simulation.run(|_| ControlFlow::Continue(()))
}

fn accept(what: &str, found: Estimate, wanted: f64, error: f64) {
    let off = (found.value - wanted).abs() / found.error.hypot(error);
    assert!(off <= 4.5, "{what}: {found:?}, not {wanted}: {off} errors");
}

fn near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-10, "{found}, not {wanted}");
}

#[test]
fn a_basket_of_one_asset_is_an_option_on_it() {
    let one = asset(100.0, 0.01, 0.25);
    let (model, weights) = (model(&[one], 0.0), [2.0]);
    for kind in KINDS {
        let exact = 2.0 * model.european(kind, 105.0);
        for together in [Together::Sum, Together::Best, Together::Worst] {
            let basket = Basket {
                kind,
                strike: 210.0,
                weights: &weights,
                together,
            };
            near(basket.exactly(&model).unwrap(), exact);
            for sampling in SAMPLINGS {
                let found = worth(&model, &basket, settings(1 << 13, sampling));
                accept(&format!("{together:?} {sampling:?}"), found, exact, 0.0);
            }
        }
    }
}

#[test]
fn assets_that_move_alike_are_one() {
    let assets = [40.0, 25.0, 10.0].map(|start| asset(start, 0.02, 0.3));
    let (model, weights) = (model(&assets, 1.0), [1.0, 2.0, 3.0]);
    let grid = Grid::even(YEARS, 1).unwrap();
    let whole = Gbm::new(asset(120.0, 0.02, 0.3), RATE, grid).unwrap();
    for kind in KINDS {
        let basket = Basket {
            kind,
            strike: 110.0,
            weights: &weights,
            together: Together::Sum,
        };
        // The control is the basket itself: nothing is left to chance.
        let found = controlled(&model, &basket, settings(1 << 10, Sampling::Plain));
        near(found.value, whole.european(kind, 110.0));
        assert!(found.error < 1e-9, "{found:?}");
    }
}

/// W. Margrabe's formula, of two units of one asset for three of another.
fn exchange([got, given]: [Asset; 2], correlation: f64) -> f64 {
    let [x, y] = [got.volatility, given.volatility];
    let deviation = ((x * x + y * y - 2.0 * correlation * x * y) * YEARS).sqrt();
    let got = 2.0 * got.start * (-got.dividend * YEARS).exp();
    let given = 3.0 * given.start * (-given.dividend * YEARS).exp();
    let above = (got / given).ln() / deviation + deviation / 2.0;
    got * normal_below(above) - given * normal_below(above - deviation)
}

#[test]
fn a_spread_with_a_strike_of_nothing_is_an_exchange() {
    for (correlation, volatility) in [(0.6, 0.35), (-0.8, 0.2), (0.0, 0.0)] {
        let [one, other] = [asset(90.0, 0.02, 0.2), asset(62.0, 0.0, volatility)];
        let model = model(&[one, other], correlation);
        let exact = exchange([one, other], correlation);
        let spread = |kind, weights| Basket {
            kind,
            strike: 0.0,
            weights,
            together: Together::Sum,
        };
        let call = spread(Kind::Call, &[2.0, -3.0]);
        near(call.exactly(&model).unwrap(), exact);
        let put = spread(Kind::Put, &[-2.0, 3.0]);
        near(put.exactly(&model).unwrap(), exact);
        // The better one is one of them, and the right to change it for the other.
        let given = 3.0 * other.start;
        let of = |together| Basket {
            together,
            ..spread(Kind::Call, &[2.0, 3.0])
        };
        let got = 2.0 * one.start * (-one.dividend * YEARS).exp();
        for sampling in SAMPLINGS {
            let what = format!("{correlation} {sampling:?}");
            let settings = settings(1 << 14, sampling);
            accept(&what, worth(&model, &call, settings), exact, 0.0);
            accept(&what, worth(&model, &put, settings), exact, 0.0);
            let best = worth(&model, &of(Together::Best), settings);
            accept(&what, best, given + exact, 0.0);
            let worst = worth(&model, &of(Together::Worst), settings);
            accept(&what, worst, got - exact, 0.0);
        }
    }
}

#[test]
fn the_control_is_worth_what_it_says_and_leaves_little_to_chance() {
    let assets = [
        asset(100.0, 0.0, 0.2),
        asset(50.0, 0.03, 0.4),
        asset(8.0, 0.01, 0.1),
    ];
    let (model, weights) = (model(&assets, 0.4), [0.5, 1.0, 4.0]);
    for (kind, strike) in KINDS
        .into_iter()
        .flat_map(|kind| [0.0, 120.0, 160.0].map(|k| (kind, k)))
    {
        let basket = Basket {
            kind,
            strike,
            weights: &weights,
            together: Together::Sum,
        };
        let control = basket.control(&model).unwrap();
        for sampling in SAMPLINGS {
            let what = format!("{kind:?} {strike} {sampling:?}");
            let settings = settings(1 << 13, sampling);
            let itself = worth(&model, &control.payoff, settings);
            let plain = worth(&model, &basket, settings);
            let found = controlled(&model, &basket, settings);
            if kind == Kind::Put && strike == 0.0 {
                assert_eq!([plain.value, found.value, control.worth], [0.0; 3]);
                continue;
            }
            accept(&what, itself, control.worth, 0.0);
            accept(&what, found, plain.value, plain.error);
            let at_end = worth(&model.at_end(), &basket, settings);
            accept(&what, at_end, plain.value, plain.error);
            // What is left to chance is nothing that Sobol's points would even out.
            if sampling != (Sampling::Sobol { replicates: 16 }) {
                assert!(
                    found.error < 0.2 * plain.error,
                    "{what}: {found:?} {plain:?}"
                );
            }
        }
        assert!(basket.exactly(&model).is_none());
    }
}

/// What a basket of two assets at 100 and 50 is worth, by quadrature: the second one's option given
/// the first one's price.
const BASKETS: [(Kind, f64, f64); 6] = [
    (Kind::Call, 80.0, 70.000_842_124),
    (Kind::Call, 200.0, 0.664_529_186),
    (Kind::Call, 220.0, 0.172_495_678),
    (Kind::Call, 280.0, 0.001_923_663_49),
    (Kind::Put, 110.0, 0.356_010_386),
    (Kind::Put, 90.0, 0.010_995_389_5),
];

/// And options on a year's monthly average of one at 100, by quadrature from month to month.
const AVERAGES: [(Kind, f64, f64); 5] = [
    (Kind::Call, 60.0, 40.000_012_659),
    (Kind::Call, 130.0, 0.092_735_177),
    (Kind::Call, 140.0, 0.017_059_794_2),
    (Kind::Call, 160.0, 0.000_412_557_7),
    (Kind::Put, 70.0, 0.003_890_304_3),
];

/// How many of some simulations are further from what is right than 95 % should be.
fn missed<P: Payoff, C: Payoff>(
    model: &Gbm,
    (payoff, control): (&P, &Control<C>),
    wanted: f64,
    (seeds, sampling): (u64, Sampling),
) -> usize {
    let is_off = |seed: &u64| {
        let settings = Settings {
            seed: *seed,
            ..settings(1 << 12, sampling)
        };
        let simulation = Simulation::controlled(model, payoff, control.as_ref(), settings);
        let found = simulation.unwrap().run(|_| ControlFlow::Continue(()));
        assert!(found.error > 0.0 && found.error.is_finite(), "{found:?}");
        (found.value - wanted).abs() > 1.96 * found.error
    };
    (0..seeds).filter(is_off).count()
}

#[test]
fn errors_far_from_the_money_are_what_they_say() {
    let assets = [asset(100.0, 0.0, 0.2), asset(50.0, 0.0, 0.2)];
    let grid = |steps| Grid::even(1.0, steps).unwrap();
    let two = Gbm::correlated(&assets, &[1.0, 0.5, 0.5, 1.0], 0.0, grid(1)).unwrap();
    let one = Gbm::new(assets[0], 0.0, grid(12)).unwrap();
    for sampling in SAMPLINGS {
        let seeds = if matches!(sampling, Sampling::Sobol { .. }) {
            20
        } else {
            60
        };
        let most = seeds as usize / 6;
        for (kind, strike, wanted) in BASKETS {
            let basket = Basket {
                kind,
                strike,
                weights: &[1.0, 1.0],
                together: Together::Sum,
            };
            let control = basket.control(&two).unwrap();
            let missed = missed(&two, (&basket, &control), wanted, (seeds, sampling));
            assert!(missed <= most, "{kind:?} {strike} {sampling:?}: {missed}");
        }
        for (kind, strike, wanted) in AVERAGES {
            let average = Asian {
                kind,
                strike,
                average: Average::Arithmetic,
            };
            let control = Conditioned { kind, strike }.control(&one);
            let missed = missed(&one, (&average, &control), wanted, (seeds, sampling));
            assert!(
                missed <= most,
                "average {kind:?} {strike} {sampling:?}: {missed}"
            );
        }
    }
}

#[test]
fn a_control_that_never_paid_is_worth_what_it_is() {
    let model = Gbm::new(asset(100.0, 0.0, 0.2), 0.0, Grid::even(1.0, 12).unwrap()).unwrap();
    let (kind, strike) = (Kind::Call, 400.0);
    let average = Asian {
        kind,
        strike,
        average: Average::Arithmetic,
    };
    let control = Conditioned { kind, strike }.control(&model);
    for sampling in SAMPLINGS {
        let settings = settings(1 << 8, sampling);
        let run = |control: Control<&Conditioned>| {
            let simulation = Simulation::controlled(&model, &average, control, settings).unwrap();
            simulation.run(|_| ControlFlow::Continue(()))
        };
        let found = run(control.as_ref());
        assert_eq!(found.value, control.worth, "{sampling:?}");
        assert_eq!(found.error, control.rest_max() / 1.96, "{sampling:?}");
        // Of a control of which no more is known nothing is told.
        let unknown = run(Control::new(&control.payoff, control.worth));
        assert!(unknown.error.is_infinite(), "{unknown:?}");
    }
}

#[test]
fn instructions_do_not_change_a_bit() {
    let assets = [asset(100.0, 0.0, 0.2), asset(50.0, 0.03, 0.4)];
    let model = model(&assets, -0.3);
    for together in [Together::Sum, Together::Best, Together::Worst] {
        let basket = Basket {
            kind: Kind::Call,
            strike: 100.0,
            weights: &[0.5, 1.0],
            together,
        };
        let on = |backend| Settings {
            backend,
            ..settings(5_000, Sampling::Antithetic)
        };
        let all = Backend::all().into_iter().map(|backend| {
            let found = worth(&model, &basket, on(backend));
            let sums = together == Together::Sum;
            (
                found,
                sums.then(|| controlled(&model, &basket, on(backend))),
            )
        });
        let all: Vec<_> = all.collect();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    }
}

#[test]
fn what_is_no_basket_of_the_assets_is_refused_by_name() {
    let model = model(&[asset(100.0, 0.0, 0.2), asset(50.0, 0.0, 0.2)], 0.0);
    let basket = |weights, strike| Basket {
        kind: Kind::Call,
        strike,
        weights,
        together: Together::Sum,
    };
    let refused = |basket: Basket<'_>| -> Fault {
        assert!(basket.exactly(&model).is_none() && basket.control(&model).is_none());
        let settings = Settings::new(100, 1);
        Simulation::new(&model, &basket, settings).err().unwrap()
    };
    for (found, name) in [
        (refused(basket(&[1.0], 100.0)), "weights: 1 numbers"),
        (refused(basket(&[1.0, f64::NAN], 100.0)), "weight: NaN"),
        (refused(basket(&[1.0, 1e10], 100.0)), "weight: 1"),
        (refused(basket(&[1.0, 1.0], -1.0)), "strike"),
        (refused(basket(&[1.0, 1.0], f64::NAN)), "strike"),
    ] {
        assert!(found.to_string().contains(name), "{found}");
    }
    // Weights that are worth nothing together have no control.
    let nothing = [asset(1e-9, 0.0, 0.2); 2];
    let model = self::model(&nothing, 0.0);
    assert!(basket(&[1e-320, 1e-320], 10.0).control(&model).is_none());
    // Nor has a spread.
    assert!(basket(&[1.0, -1.0], 10.0).control(&model).is_none());
}
