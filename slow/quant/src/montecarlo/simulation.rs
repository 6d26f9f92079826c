//! Simulations in parts: each a function of its number alone, so that any thread may do any of them
//! and the result is the same.

use std::ops::ControlFlow;

use analytics::arch::{Backend, LANES};

use super::construction::{Construction, Rotation};
use super::estimate::{Estimate, Tally};
use super::paths::{Draws, Model, Payoff, Tile};
use super::philox::Philox;
use super::sobol::{SOBOL_DIMENSIONS_MAX, Sobol};
use super::source::{Room, Source};
use crate::fault::{Fault, within};

/// Paths of a simulation at most.
pub const PATHS_MAX: u64 = 1 << 40;
/// Random numbers, and prices, of a path at most.
const PATH_MAX: usize = 1 << 20;
/// Samples of a part at most: a multiple of sixteen.
const PART: u64 = 2_048;
/// Scrambles of a simulation at most, and points of each.
const REPLICATES_MAX: u32 = 4_096;
const POINTS_MAX: u64 = 1 << 31;

const _: () = assert!(PART.is_multiple_of(LANES as u64));

/// Where random numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Each path for itself.
    Plain,
    /// Pairs of a path and its mirror image (J. Hammersley, K. Morton 1956).
    Antithetic,
    /// Pairs of paths whose first number is from the same of many equal parts: of the end of the
    /// path, with another [`Construction`] than by steps.
    Stratified,
    /// Scrambles of Sobol's points, whose means give the error: 8 to 32 are enough. Points of each
    /// are rounded up to a power of two. Dimensions beyond [`SOBOL_DIMENSIONS_MAX`] are random.
    Sobol {
        /// How many scrambles: 2 to 4,096.
        replicates: u32,
    },
}

/// How to simulate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// At least so many paths: up to [`PATHS_MAX`].
    pub paths: u64,
    /// Other seeds give other paths.
    pub seed: u64,
    /// Where random numbers come from.
    pub sampling: Sampling,
    /// In which order they make a path.
    pub construction: Construction,
    /// What to compute with; the result is the same with all.
    pub backend: Backend,
}

impl Settings {
    /// Plain sampling by steps, with the fastest instructions.
    #[must_use]
    pub fn new(paths: u64, seed: u64) -> Self {
        Self {
            paths,
            seed,
            sampling: Sampling::Plain,
            construction: Construction::Steps,
            backend: Backend::best(),
        }
    }
}

/// A payoff whose worth is known, to take off what it shares with another one.
#[derive(Clone, Copy, Debug)]
pub struct Control<C> {
    /// The payoff.
    pub payoff: C,
    /// What it is worth now.
    pub worth: f64,
}

/// No control.
#[derive(Clone, Copy, Debug)]
pub struct Uncontrolled;

impl Payoff for Uncontrolled {
    const LAST_ONLY: bool = true;

    fn check(&self, _: usize) -> Result<(), Fault> {
        Ok(())
    }

    fn value(&self, _: Backend, _: &Tile<'_>) -> [f64; LANES] {
        [0.0; LANES]
    }
}

/// How far a simulation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Parts that are done.
    pub done: u64,
    /// Parts that there are.
    pub parts: u64,
}

/// What a payoff on a model is worth now.
pub struct Simulation<'a, M, P, C = Uncontrolled> {
    model: &'a M,
    payoff: &'a P,
    control: Control<&'a C>,
    settings: Settings,
    philox: Philox,
    rotation: Rotation,
    sobol: Option<Sobol>,
    /// Of all, or of each scramble.
    samples: u64,
}

impl<'a, M: Model, P: Payoff> Simulation<'a, M, P> {
    /// Of a payoff alone.
    ///
    /// # Errors
    /// `Outside`, with the argument.
    pub fn new(model: &'a M, payoff: &'a P, settings: Settings) -> Result<Self, Fault> {
        let control = Control {
            payoff: &Uncontrolled,
            worth: 0.0,
        };
        Self::controlled(model, payoff, control, settings)
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
        Ok(Self {
            rotation: Rotation::new(settings.construction, model.grid())?,
            philox: Philox::new(settings.seed),
            model,
            payoff,
            control,
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
        self.samples.div_ceil(PART)
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
        let found = self.evaluate(part);
        let backend = self.settings.backend;
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
        let Sampling::Sobol { .. } = self.settings.sampling else {
            let (value, error) = all.estimate(worth);
            let paths = all.count as u64 * self.paths_of_sample();
            return Estimate {
                value,
                error,
                paths,
                complete,
            };
        };
        // Within a scramble points are no samples: only whole scrambles are.
        let per = self.parts_of_replicate() as usize;
        let whole: Vec<Tally> = parts
            .chunks_exact(per)
            .map(|parts| parts.iter().fold(Tally::NONE, add))
            .collect();
        let within = whole
            .iter()
            .fold(Tally::NONE, |sum, one| sum.and(*one, true));
        let slope = within.slope();
        let means: Vec<f64> = whole
            .iter()
            .map(|one| one.controlled(slope, worth))
            .collect();
        let tally = Tally::of(self.settings.backend, &means, &vec![0.0; means.len()]);
        let (value, error) = tally.estimate(0.0);
        Estimate {
            value,
            error,
            paths: self.samples * whole.len() as u64,
            complete,
        }
    }

    /// All parts, one after the other. `watch` is told after each and may stop them: the result is
    /// that of what was done.
    pub fn run(&self, mut watch: impl FnMut(Progress) -> ControlFlow<()>) -> Estimate {
        let parts = self.parts();
        let mut found = Vec::with_capacity(parts as usize);
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
        let [samples, ..] = self.evaluate(part);
        samples
    }

    /// The samples of a part and their controls, and half of what differs within their pairs.
    fn evaluate(&self, part: u64) -> [Vec<f64>; 4] {
        let replicate = (part / self.parts_of_replicate()) as u32;
        let first = part % self.parts_of_replicate() * PART;
        let count = PART.min(self.samples - first) as usize;
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
