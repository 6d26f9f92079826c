//! The random numbers of sixteen paths: random bits or Sobol's points, in strata or not, rotated.

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::construction::Rotation;
use super::functions::quantile;
use super::normal::{Place, normals, uniforms};
use super::paths::Model;
use super::philox::Philox;
use super::sobol::Scrambled;
use crate::distribution::normal_below;

/// What the streams of random numbers are for.
const NORMALS: u32 = 0;
const UNIFORMS: u32 = 1;
/// Added for the second sample of a stratum.
const SECOND: u32 = 2;
/// For dimensions beyond Sobol's: added for each scramble.
const BEYOND: u32 = 4;

/// Where the numbers of a part come from.
pub(super) struct Source<'a> {
    pub philox: &'a Philox,
    pub rotation: &'a Rotation,
    pub scrambled: Option<&'a [Scrambled]>,
    pub replicate: u32,
    /// Brownian paths.
    pub factors: usize,
    /// How many, if there are.
    pub strata: Option<usize>,
}

/// Room for the numbers and prices of sixteen paths.
pub(super) struct Room {
    pub normals: Vec<[f64; LANES]>,
    pub uniforms: Vec<[f64; LANES]>,
    spare: Vec<[f64; LANES]>,
    pub prices: Vec<[f64; LANES]>,
}

impl Source<'_> {
    /// The numbers of sixteen paths from a sample of a part, which begins at a place of its own; or
    /// of their seconds in their strata.
    pub fn draw(
        &self,
        backend: Backend,
        room: &mut Room,
        (first, sample): (u64, usize),
        second: bool,
    ) {
        backend.run(Draw {
            source: self,
            room,
            first,
            sample,
            second,
        });
    }
}

struct Draw<'a, 'b> {
    source: &'b Source<'a>,
    room: &'b mut Room,
    first: u64,
    sample: usize,
    second: bool,
}

impl Kernel for Draw<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Source {
            philox,
            rotation,
            scrambled,
            replicate,
            factors,
            strata,
        } = *self.source;
        let room = self.room;
        let first = self.first + self.sample as u64;
        let dimensions = room.normals.len() + room.uniforms.len();
        let known = scrambled.unwrap_or(&[]);
        if known.len() < dimensions {
            let purpose = match scrambled {
                Some(_) => BEYOND * (replicate + 1),
                None if self.second => SECOND,
                None => 0,
            };
            let stream = purpose + NORMALS;
            normals(lanes, philox, Place { first, stream }, &mut room.normals);
            let stream = purpose + UNIFORMS;
            uniforms(lanes, philox, Place { first, stream }, &mut room.uniforms);
        }
        for (number, coordinate) in room.normals.iter_mut().zip(known) {
            let share = coordinate.sixteen(lanes, first as u32);
            lanes.store(quantile(lanes, share), number);
        }
        let rest = known.get(room.normals.len()..).unwrap_or(&[]);
        for (number, coordinate) in room.uniforms.iter_mut().zip(rest) {
            lanes.store(coordinate.sixteen(lanes, first as u32), number);
        }
        if let (Some(strata), Some(number)) = (strata, room.normals.first_mut()) {
            stratify(lanes, number, self.sample, strata);
        }
        let steps = room.spare.len() - 1;
        let numbers = &mut room.normals[..steps * factors];
        rotation.apply(lanes, factors, numbers, &mut room.spare);
    }
}

/// Moves a normal number of each path to the path's own of `strata` equal parts.
#[inline(always)]
fn stratify<L: Lanes>(lanes: L, number: &mut [f64; LANES], first: usize, strata: usize) {
    for (stratum, number) in (first..).zip(&mut *number) {
        *number = (stratum as f64 + normal_below(*number)) / strata as f64;
    }
    // The quantile's limits; a number beyond is one in 10^10.
    let share = lanes.max(lanes.load(number), lanes.splat(1e-10));
    let share = lanes.min(share, lanes.splat(1.0 - 1e-10));
    lanes.store(quantile(lanes, share), number);
}

impl Room {
    pub fn new<M: Model>(model: &M) -> Self {
        let rows = |count: usize| vec![[0.0; LANES]; count];
        let steps = model.grid().steps();
        Self {
            normals: rows(model.factors() * steps + model.more_normals()),
            uniforms: rows(model.uniforms()),
            spare: rows(steps + 1),
            prices: rows(model.starts().len() * steps),
        }
    }

    /// The mirror image of all numbers.
    pub fn mirror(&mut self) {
        for number in self.normals.as_flattened_mut() {
            *number = -*number;
        }
        for number in self.uniforms.as_flattened_mut() {
            *number = 1.0 - *number;
        }
    }
}
