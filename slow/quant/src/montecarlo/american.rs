//! Options that may be exercised at any time of the grid, by least squares (F. Longstaff, E.
//! Schwartz, Review of Financial Studies 14, 2001).
//!
//! When to exercise is learnt from one set of paths and tried on another one: so the result is what
//! a rule that can be followed earns, and never above the option's worth but by chance.

use std::ops::ControlFlow;

use analytics::arch::{Backend, LANES};

use super::construction::Rotation;
use super::estimate::{Estimate, Tally};
use super::paths::{Draws, Model};
use super::philox::Philox;
use super::settings::Progress;
use super::source::{Room, Source};
use crate::fault::{Fault, within};
use crate::linear::Columns;

/// Paths of each set at most, prices of a set at most, and powers of a price at most.
const PATHS_MAX: u64 = 1 << 22;
const PRICES_MAX: usize = 1 << 28;
const DEGREE_MAX: usize = 8;
/// Paths that are tried even if it is stopped.
const STOPPED_PATHS: usize = 1 << 10;
/// What it takes to learn from a time, in sixteens of paths.
const STEP_PARTS: u64 = 16;
/// Paths that must be worth exercising for each number that is learnt.
const PATHS_EACH: usize = 8;

/// How an option is valued that may be exercised early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeastSquares {
    /// Paths to learn from, and as many to try on: up to 2^22, rounded up to sixteen.
    pub paths: u64,
    /// Other seeds give other paths.
    pub seed: u64,
    /// The powers of each asset's price, as a part of its first, that the worth of going on is made
    /// of: 1 to 8; 3 is usual.
    pub degree: usize,
    /// What to compute with; the result is the same with all.
    pub backend: Backend,
}

/// Prices of many paths: those of all assets at the first time, at the second one and so on.
struct Paths {
    prices: Vec<f64>,
    each: usize,
}

/// How far it is, and who is told.
struct Way<W> {
    watch: W,
    progress: Progress,
    is_stopped: bool,
}

impl LeastSquares {
    /// With three powers and the fastest instructions.
    #[must_use]
    pub fn new(paths: u64, seed: u64) -> Self {
        Self {
            paths,
            seed,
            degree: 3,
            backend: Backend::best(),
        }
    }

    /// What an option is worth now that pays `exercised`, of the prices of all assets, at the time
    /// of its holder's choice: one of the grid's, or now. If now is the best, the error is that of
    /// what waiting is worth. Other state of a model (a variance) is
    /// not looked at when it is chosen.
    ///
    /// # Errors
    /// `Outside`, with the argument.
    pub fn american<M: Model>(
        &self,
        model: &M,
        exercised: impl Fn(&[f64]) -> f64,
    ) -> Result<Estimate, Fault> {
        self.american_watched(model, exercised, |_| ControlFlow::Continue(()))
    }

    /// The same. `watch` is told how far it is and may stop it: then times that nothing was learnt
    /// of are not exercised at, few paths are tried, and the result, which is still what a rule
    /// earns that can be followed, is not `complete`.
    ///
    /// # Errors
    /// `Outside`, with the argument.
    pub fn american_watched<M: Model>(
        &self,
        model: &M,
        exercised: impl Fn(&[f64]) -> f64,
        watch: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Estimate, Fault> {
        within("paths", self.paths as f64, 1.0, PATHS_MAX as f64)?;
        within("degree", self.degree as f64, 1.0, DEGREE_MAX as f64)?;
        let count = self.paths.next_multiple_of(LANES as u64);
        let each = model.grid().steps() * model.starts().len();
        let prices = (each as u64 * count) as f64;
        within("prices of a set", prices, 1.0, PRICES_MAX as f64)?;
        let steps = model.grid().steps() as u64;
        let mut way = Way {
            watch,
            progress: Progress {
                done: 0,
                parts: 2 * count / LANES as u64 + steps * STEP_PARTS,
            },
            is_stopped: false,
        };
        let learnt = self.paths(model, 0, count, &mut way);
        let rules = self.learn(model, &learnt, &exercised, &mut way);
        let tried = self.paths(model, count, count, &mut way);
        let now = exercised(model.starts());
        let worth: Vec<f64> = tried
            .each()
            .map(|path| self.follow(model, &rules, path, &exercised))
            .collect();
        let tally = Tally::of(self.backend, &worth, &vec![0.0; worth.len()]);
        let (value, error) = tally.estimate(0.0);
        Ok(Estimate {
            // To exercise now is worth what it pays, for sure; to wait may be worth more by chance.
            value: value.max(now),
            error,
            paths: worth.len() as u64,
            complete: !way.is_stopped,
        })
    }

    /// As many as asked for, or a few if it is stopped.
    fn paths<M: Model>(
        &self,
        model: &M,
        first: u64,
        count: u64,
        way: &mut Way<impl FnMut(Progress) -> ControlFlow<()>>,
    ) -> Paths {
        let source = Source {
            philox: &Philox::new(self.seed),
            rotation: &Rotation::None,
            scrambled: None,
            replicate: 0,
            factors: model.factors(),
            strata: None,
        };
        let mut room = Room::new(model);
        let each = room.prices.len();
        let mut prices = Vec::with_capacity(each * count as usize);
        for tile in (0..count as usize).step_by(LANES) {
            if way.is_stopped && tile >= STOPPED_PATHS {
                break;
            }
            source.draw(self.backend, &mut room, (first, tile), false);
            let draws = Draws {
                normals: &room.normals,
                uniforms: &room.uniforms,
            };
            model.evolve(self.backend, draws, false, &mut room.prices);
            for lane in 0..LANES {
                prices.extend(room.prices.iter().map(|row| row[lane]));
            }
            way.on(1);
        }
        Paths { prices, each }
    }

    /// For each time what going on is worth, as a polynomial of prices; none where too few paths
    /// are worth exercising to tell.
    fn learn<M: Model>(
        &self,
        model: &M,
        paths: &Paths,
        exercised: &impl Fn(&[f64]) -> f64,
        way: &mut Way<impl FnMut(Progress) -> ControlFlow<()>>,
    ) -> Vec<Option<Vec<f64>>> {
        let assets = model.starts().len();
        let steps = model.grid().steps();
        let mut rules = vec![None; steps];
        // What each path's holder gets, as money of now.
        let mut gains: Vec<f64> = paths
            .each()
            .map(|path| exercised(&path[(steps - 1) * assets..]) * discount(model, steps - 1))
            .collect();
        for step in (0..steps - 1).rev() {
            if way.is_stopped {
                break;
            }
            way.on(STEP_PARTS);
            let now = |path: usize| &paths.prices[path * paths.each + step * assets..][..assets];
            let counts = discount(model, step);
            let pays: Vec<f64> = (0..gains.len())
                .map(|path| exercised(now(path)) * counts)
                .collect();
            let worth: Vec<usize> = (0..gains.len()).filter(|path| pays[*path] > 0.0).collect();
            let terms = 1 + assets * self.degree;
            if worth.len() < PATHS_EACH * terms {
                continue;
            }
            let mut columns = Columns::new(worth.len());
            for term in 0..terms {
                columns.push(worth.iter().map(|path| self.term(model, now(*path), term)));
            }
            let last = worth.iter().map(|path| gains[*path]);
            let Ok(triangle) = columns.triangle_with_last(last, "exercise") else {
                continue;
            };
            let rule = triangle.solve(terms, terms);
            for path in worth {
                if pays[path] >= self.going_on(model, now(path), &rule) {
                    gains[path] = pays[path];
                }
            }
            rules[step] = Some(rule);
        }
        rules
    }

    /// What a path's holder gets who exercises by the rules, as money of now.
    fn follow<M: Model>(
        &self,
        model: &M,
        rules: &[Option<Vec<f64>>],
        path: &[f64],
        exercised: &impl Fn(&[f64]) -> f64,
    ) -> f64 {
        let last = rules.len() - 1;
        for (step, (prices, rule)) in path.chunks(model.starts().len()).zip(rules).enumerate() {
            let pays = exercised(prices) * discount(model, step);
            let goes_on = |rule: &Vec<f64>| self.going_on(model, prices, rule) > pays;
            let stops = pays > 0.0 && !rule.as_ref().is_none_or(goes_on);
            if step == last || stops {
                return pays;
            }
        }
        0.0
    }

    fn going_on<M: Model>(&self, model: &M, prices: &[f64], rule: &[f64]) -> f64 {
        let term = |(term, weight): (usize, &f64)| weight * self.term(model, prices, term);
        rule.iter().enumerate().map(term).sum()
    }

    /// One, then the powers of the first asset's price, then those of the second one.
    fn term<M: Model>(&self, model: &M, prices: &[f64], term: usize) -> f64 {
        let Some(term) = term.checked_sub(1) else {
            return 1.0;
        };
        let asset = term / self.degree;
        let power = (term % self.degree + 1) as i32;
        (prices[asset] / model.starts()[asset]).powi(power)
    }
}

impl<W: FnMut(Progress) -> ControlFlow<()>> Way<W> {
    /// So many parts more are done.
    fn on(&mut self, parts: u64) {
        self.progress.done = (self.progress.done + parts).min(self.progress.parts);
        if !self.is_stopped {
            self.is_stopped = (self.watch)(self.progress).is_break();
        }
    }
}

impl Paths {
    fn each(&self) -> impl Iterator<Item = &[f64]> {
        self.prices.chunks_exact(self.each)
    }
}

/// What money of a time counts now.
fn discount<M: Model>(model: &M, step: usize) -> f64 {
    let grid = model.grid();
    model.discount().powf(grid.times()[step] / grid.end())
}
