//! What a model makes of random numbers, and what payoffs look at: prices of sixteen paths.

use analytics::arch::{Backend, LANES};

use super::ends::Ends;
use super::grid::Grid;
use crate::fault::Fault;

/// The random numbers of sixteen paths.
#[derive(Clone, Copy)]
pub struct Draws<'a> {
    /// Standard normal ones; those of Brownian paths first, step by step.
    pub normals: &'a [[f64; LANES]],
    /// Between 0 and 1, ends left out.
    pub uniforms: &'a [[f64; LANES]],
}

/// How prices move.
pub trait Model: Sync {
    /// When prices are looked at.
    fn grid(&self) -> &Grid;
    /// Prices now, of each asset.
    fn starts(&self) -> &[f64];
    /// What is paid at the end counts this much now.
    fn discount(&self) -> f64;
    /// How many Brownian paths there are; each takes a normal number for each step.
    fn factors(&self) -> usize;
    /// Further normal numbers of a path.
    fn more_normals(&self) -> usize {
        0
    }
    /// Uniform numbers of a path.
    fn uniforms(&self) -> usize {
        0
    }
    /// What the last prices are, if a sum of normal numbers is all that they depend on.
    fn ends(&self) -> Option<Ends> {
        None
    }
    /// Makes prices of sixteen paths: those of all assets at the first time, at the second one and
    /// so on. With `last_only` none but the last ones will be looked at.
    fn evolve(
        &self,
        backend: Backend,
        draws: Draws<'_>,
        last_only: bool,
        prices: &mut [[f64; LANES]],
    );
}

/// Prices of sixteen paths.
#[derive(Clone, Copy)]
pub struct Tile<'a> {
    /// Now, of each asset.
    pub starts: &'a [f64],
    /// When they are looked at.
    pub times: &'a [f64],
    /// Those of all assets at the first time, at the second one and so on.
    pub prices: &'a [[f64; LANES]],
}

/// Prices of one path.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    tile: Tile<'a>,
    lane: usize,
}

/// What a path is worth at its end, in money of that time.
pub trait Payoff: Sync {
    /// Whether it looks at the last prices only: models may leave out the others then, and it may
    /// be asked about tiles that have no time but the last one.
    const LAST_ONLY: bool = false;

    /// Refuses what cannot be paid on so many assets.
    ///
    /// # Errors
    /// `Outside`, with the argument.
    fn check(&self, assets: usize) -> Result<(), Fault>;

    /// The worth of sixteen paths.
    fn value(&self, backend: Backend, tile: &Tile<'_>) -> [f64; LANES];

    /// Makes worths of the last prices of many paths of one asset, in their place: only asked if it
    /// looks at no others.
    fn worths(&self, backend: Backend, ends: &Ends, prices: &mut [[f64; LANES]]) {
        for price in prices {
            let tile = Tile {
                starts: std::slice::from_ref(&ends.start),
                times: std::slice::from_ref(&ends.time),
                prices: std::slice::from_ref(price),
            };
            *price = self.value(backend, &tile);
        }
    }
}

/// A payoff of one's own, a path at a time.
pub struct Custom<F>(pub F);

impl<F: Fn(&Path<'_>) -> f64 + Sync> Payoff for Custom<F> {
    fn check(&self, _: usize) -> Result<(), Fault> {
        Ok(())
    }

    fn value(&self, _: Backend, tile: &Tile<'_>) -> [f64; LANES] {
        std::array::from_fn(|lane| self.0(&Path { tile: *tile, lane }))
    }
}

impl Path<'_> {
    /// How many times it is looked at.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.tile.times.len()
    }

    /// How many assets there are.
    #[must_use]
    pub fn assets(&self) -> usize {
        self.tile.starts.len()
    }

    /// When it is looked at, in years from now.
    #[must_use]
    pub fn times(&self) -> &[f64] {
        self.tile.times
    }

    /// An asset's price now.
    ///
    /// # Panics
    /// If there is no such asset.
    #[must_use]
    pub fn start(&self, asset: usize) -> f64 {
        self.tile.starts[asset]
    }

    /// An asset's price at a time, both from 0.
    ///
    /// # Panics
    /// If there is no such asset or time.
    #[must_use]
    pub fn price(&self, step: usize, asset: usize) -> f64 {
        self.tile.prices[step * self.assets() + asset][self.lane]
    }

    /// An asset's price at the end.
    ///
    /// # Panics
    /// If there is no such asset.
    #[must_use]
    pub fn last(&self, asset: usize) -> f64 {
        self.price(self.steps() - 1, asset)
    }

    /// An asset's prices in order.
    pub fn prices(&self, asset: usize) -> impl Iterator<Item = f64> + '_ {
        (0..self.steps()).map(move |step| self.price(step, asset))
    }
}
