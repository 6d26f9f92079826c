//! Simulations in parts: each a function of its number alone, so that any thread may do any of them
//! and the result is the same.

use std::ops::ControlFlow;

use analytics::arch::LANES;

use super::construction::{Construction, Rotation};
use super::ends::{Precision, Terminal};
use super::estimate::{Estimate, Tally};
use super::paths::{Draws, Model, Payoff, Tile};
use super::philox::Philox;
use super::settings::{Control, Progress, Sampling, Settings, Uncontrolled};
use super::sobol::{SOBOL_DIMENSIONS_MAX, Sobol};
use super::source::{Room, Source};
use crate::fault::{Fault, within};

/// Paths of a simulation at most.
pub const PATHS_MAX: u64 = 1 << 40;
/// Random numbers, and prices, of a path at most.
const PATH_MAX: usize = 1 << 20;
/// Parts that room is made for before they are done.
const ROOM: u64 = 1 << 16;
/// Samples of a part at most: a multiple of sixteen.
const PART: u64 = 2_048;
/// Scrambles of a simulation at most, and points of each.
const REPLICATES_MAX: u32 = 4_096;
const POINTS_MAX: u64 = 1 << 31;

const _: () = assert!(PART.is_multiple_of(LANES as u64));

/// What a payoff on a model is worth now.
pub struct Simulation<'a, M, P, C = Uncontrolled> {
    model: &'a M,
    payoff: &'a P,
    control: Control<&'a C>,
    is_controlled: bool,
    settings: Settings,
    philox: Philox,
    rotation: Rotation,
    sobol: Option<Sobol>,
    /// If nothing but last prices is asked for.
    terminal: Option<Terminal>,
    /// Of all, or of each scramble.
    samples: u64,
}

impl<'a, M: Model, P: Payoff> Simulation<'a, M, P> {
    /// Of a payoff alone.
    ///
    /// # Errors
    /// `Outside`, with the argument; `Unfit` for a [`Precision`] that is not for this.
    pub fn new(model: &'a M, payoff: &'a P, settings: Settings) -> Result<Self, Fault> {
        let control = Control::new(&Uncontrolled, 0.0);
        let simulation = Self::controlled(model, payoff, control, settings)?;
        Ok(Self {
            is_controlled: false,
            ..simulation
        })
    }
}

impl<'a, M: Model, P: Payoff, C: Payoff> Simulation<'a, M, P, C> {
    /// Of a payoff with a control variate. How much of it is taken off is found from the same
    /// paths, which shifts the result by a part of its error that falls with their number.
    ///
    /// # Errors
    /// As [`Simulation::new`].
    pub fn controlled(
        model: &'a M,
        payoff: &'a P,
        control: Control<&'a C>,
        settings: Settings,
    ) -> Result<Self, Fault> {
        within("paths", settings.paths as f64, 1.0, PATHS_MAX as f64)?;
        let assets = model.starts().len();
        let steps = model.grid().steps();
        within(
            "prices of a path",
            (assets * steps) as f64,
            1.0,
            PATH_MAX as f64,
        )?;
        let dimensions = model.factors() * steps + model.more_normals() + model.uniforms();
        within("numbers of a path", dimensions as f64, 1.0, PATH_MAX as f64)?;
        payoff.check(assets)?;
        control.payoff.check(assets)?;
        within("worth of the control", control.worth, -1e100, 1e100)?;
        let rounded = |samples: u64| samples.next_multiple_of(LANES as u64);
        let mut sobol = None;
        let samples = match settings.sampling {
            Sampling::Plain => rounded(settings.paths),
            Sampling::Antithetic | Sampling::Stratified => rounded(settings.paths.div_ceil(2)),
            Sampling::Sobol { replicates } => {
                let most = f64::from(REPLICATES_MAX);
                within("replicates", f64::from(replicates), 2.0, most)?;
                let points = settings.paths.div_ceil(u64::from(replicates));
                within(
                    "points of a scramble",
                    points as f64,
                    1.0,
                    POINTS_MAX as f64,
                )?;
                sobol = Some(Sobol::new(dimensions.min(SOBOL_DIMENSIONS_MAX))?);
                points.max(LANES as u64).next_power_of_two()
            }
        };
        let asks_for_ends = P::LAST_ONLY && C::LAST_ONLY;
        let terminal = asks_for_ends.then(|| ends(model, &settings)).flatten();
        if settings.precision == Precision::Single && terminal.is_none() {
            return Err(Fault::Unfit {
                what: "precision: single",
                wanted: "the last price of one asset by steps, plain or antithetic",
            });
        }
        Ok(Self {
            terminal,
            rotation: Rotation::new(settings.construction, model.grid())?,
            philox: Philox::new(settings.seed),
            model,
            payoff,
            control,
            is_controlled: true,
            settings,
            sobol,
            samples,
        })
    }

    /// How many parts there are.
    #[must_use]
    pub fn parts(&self) -> u64 {
        self.parts_of_replicate() * u64::from(self.replicates())
    }

    fn parts_of_replicate(&self) -> u64 {
        self.samples.div_ceil(self.samples_of_part())
    }

    fn samples_of_part(&self) -> u64 {
        self.terminal.as_ref().map_or(PART, |ends| ends.part(PART))
    }

    /// Where the samples of a part begin in their scramble, and how many there are. Scrambles take
    /// turns: who stops has points of all, and so an error.
    fn place(&self, part: u64) -> (u64, usize) {
        let first = part / u64::from(self.replicates()) * self.samples_of_part();
        let count = self.samples_of_part().min(self.samples - first);
        (first, count as usize)
    }

    fn replicates(&self) -> u32 {
        match self.settings.sampling {
            Sampling::Sobol { replicates } => replicates,
            _ => 1,
        }
    }

    fn paths_of_sample(&self) -> u64 {
        match self.settings.sampling {
            Sampling::Plain | Sampling::Sobol { .. } => 1,
            Sampling::Antithetic | Sampling::Stratified => 2,
        }
    }

    /// One part, from 0: what it found depends on its number alone. None beyond the last one.
    #[must_use]
    pub fn part(&self, part: u64) -> Tally {
        if part >= self.parts() {
            return Tally::NONE;
        }
        let backend = self.settings.backend;
        if let Some(terminal) = &self.terminal {
            let [samples, controls] = self.last_worths(terminal, part);
            let tally = Tally::of(backend, &samples, &controls);
            return tally.times(self.model.discount());
        }
        let found = self.evaluate(part);
        let [samples, controls, halves, control_halves] = &found;
        if self.strata() {
            let means = [&samples[..], &controls[..]];
            Tally::of_strata(backend, means, [halves, control_halves])
        } else {
            Tally::of(backend, samples, controls)
        }
    }

    fn strata(&self) -> bool {
        self.settings.sampling == Sampling::Stratified
    }

    /// The result of the first parts, in order.
    #[must_use]
    pub fn gather(&self, parts: &[Tally]) -> Estimate {
        let strata = self.strata();
        let add = |sum: Tally, part: &Tally| sum.and(*part, strata);
        let all = parts.iter().fold(Tally::NONE, add);
        let complete = parts.len() as u64 == self.parts();
        let worth = self.control.worth;
        let honest = |error: f64, alone: f64| match self.is_controlled {
            true => all.honest(error, alone, || self.control.rest_max()),
            false => error,
        };
        let Sampling::Sobol { .. } = self.settings.sampling else {
            let (value, error) = all.estimate(worth);
            let error = honest(error, all.error_alone());
            let paths = all.count as u64 * self.paths_of_sample();
            return Estimate {
                value,
                error,
                paths,
                complete,
            };
        };
        // Within a scramble points are no samples, but means of scrambles are, of few points, too:
        // each is off by chance around the same.
        let each = self.replicates() as usize;
        let scrambles: Vec<Tally> = (0..each.min(parts.len()))
            .map(|scramble| {
                parts[scramble..]
                    .iter()
                    .step_by(each)
                    .fold(Tally::NONE, add)
            })
            .collect();
        let within = scrambles
            .iter()
            .fold(Tally::NONE, |sum, one| sum.and(*one, true));
        let slope = within.slope();
        let means: Vec<f64> = scrambles
            .iter()
            .map(|one| one.controlled(slope, worth))
            .collect();
        let of = |means: &[f64]| Tally::of(self.settings.backend, means, &vec![0.0; means.len()]);
        let alone: Vec<f64> = scrambles.iter().map(|one| one.means[0]).collect();
        let tally = of(&means);
        Estimate {
            value: tally.means[0],
            error: honest(tally.error_alone(), of(&alone).error_alone()),
            paths: all.count as u64,
            complete,
        }
    }

    /// All parts, one after the other. `watch` is told after each and may stop them: the result is
    /// that of what was done.
    pub fn run(&self, mut watch: impl FnMut(Progress) -> ControlFlow<()>) -> Estimate {
        let parts = self.parts();
        let mut found = Vec::with_capacity(parts.min(ROOM) as usize);
        for part in 0..parts {
            found.push(self.part(part));
            let progress = Progress {
                done: part + 1,
                parts,
            };
            if watch(progress).is_break() {
                break;
            }
        }
        self.gather(&found)
    }

    /// What each sample of a part is worth now: of pairs, their mean. With no control taken off.
    #[must_use]
    pub fn samples(&self, part: u64) -> Vec<f64> {
        if part >= self.parts() {
            return Vec::new();
        }
        let Some(terminal) = &self.terminal else {
            let [samples, ..] = self.evaluate(part);
            return samples;
        };
        let [mut samples, _] = self.last_worths(terminal, part);
        let discount = self.model.discount();
        samples.iter_mut().for_each(|worth| *worth *= discount);
        samples
    }

    /// What samples of a part are worth at their end, and their controls, if there are.
    fn last_worths(&self, terminal: &Terminal, part: u64) -> [Vec<f64>; 2] {
        let (place, backend) = (self.place(part), self.settings.backend);
        let pairs = self.paths_of_sample() == 2;
        let prices = terminal.prices(backend, &self.philox, place, pairs);
        let ends = &terminal.ends;
        let controls = if self.is_controlled {
            let pay = |prices: &mut [_]| self.control.payoff.worths(backend, ends, prices);
            worths(prices.clone(), place.1, pay)
        } else {
            Vec::new()
        };
        let pay = |prices: &mut [_]| self.payoff.worths(backend, ends, prices);
        [worths(prices, place.1, pay), controls]
    }

    /// The samples of a part and their controls, and half of what differs within their pairs.
    fn evaluate(&self, part: u64) -> [Vec<f64>; 4] {
        let replicate = (part % u64::from(self.replicates())) as u32;
        let (first, count) = self.place(part);
        let digits = self.samples.trailing_zeros() as usize;
        let scrambled = self
            .sobol
            .as_ref()
            .map(|sobol| sobol.scrambled(&self.philox, replicate, digits));
        let pairs = self.paths_of_sample() == 2;
        let halves = if pairs { count } else { 0 };
        let mut found = [count, count, halves, halves].map(|count| vec![0.0; count]);
        let mut room = Room::new(self.model);
        let source = Source {
            philox: &self.philox,
            rotation: &self.rotation,
            scrambled: scrambled.as_deref(),
            replicate,
            factors: self.model.factors(),
            strata: self.strata().then_some(count),
        };
        let discount = self.model.discount();
        for sample in (0..count).step_by(LANES) {
            let place = (first, sample);
            source.draw(self.settings.backend, &mut room, place, false);
            let one = self.worth(&mut room);
            let mut other = one;
            if pairs {
                if self.strata() {
                    source.draw(self.settings.backend, &mut room, place, true);
                } else {
                    room.mirror();
                }
                other = self.worth(&mut room);
            }
            for at in 0..2 {
                for lane in 0..LANES {
                    let (one, other) = (one[at][lane], other[at][lane]);
                    found[at][sample + lane] = (one + other) * (0.5 * discount);
                    if pairs {
                        found[2 + at][sample + lane] = (one - other) * (0.5 * discount);
                    }
                }
            }
        }
        found
    }

    /// What sixteen paths and their controls are worth at their end.
    fn worth(&self, room: &mut Room) -> [[f64; LANES]; 2] {
        let (model, backend) = (self.model, self.settings.backend);
        let draws = Draws {
            normals: &room.normals,
            uniforms: &room.uniforms,
        };
        model.evolve(
            backend,
            draws,
            P::LAST_ONLY && C::LAST_ONLY,
            &mut room.prices,
        );
        let tile = Tile {
            starts: model.starts(),
            times: model.grid().times(),
            prices: &room.prices,
        };
        [
            self.payoff.value(backend, &tile),
            self.control.payoff.value(backend, &tile),
        ]
    }
}

/// How last prices are made without their paths, if so: by steps, each path for itself or with its
/// mirror image.
fn ends<M: Model>(model: &M, settings: &Settings) -> Option<Terminal> {
    let is_plain = matches!(settings.sampling, Sampling::Plain | Sampling::Antithetic)
        && settings.construction == Construction::Steps;
    let ends = model.ends().filter(|_| is_plain)?;
    Some(Terminal::new(ends, settings.precision))
}

/// What so many samples are worth: paths, or the means of them and their mirror images.
fn worths(
    [mut prices, mut mirrored]: [Vec<[f64; LANES]>; 2],
    count: usize,
    pay: impl Fn(&mut [[f64; LANES]]),
) -> Vec<f64> {
    pay(&mut prices);
    pay(&mut mirrored);
    let mut worths = prices.into_flattened();
    for (worth, other) in worths.iter_mut().zip(mirrored.as_flattened()) {
        *worth = (*worth + other) * 0.5;
    }
    worths.truncate(count);
    worths
}
