//! In which order normal numbers make a path.
//!
//! All are rotations of the numbers that steps take, so that any model may use them; what differs
//! is how much of the path the first numbers decide, which are the evenest of Sobol's and the ones
//! that stratification divides.

use std::f64::consts::PI;

use analytics::arch::{LANES, Lanes};

use super::grid::Grid;
use crate::fault::Fault;

/// Rows of the principal components that are summed at once: what registers hold, of which there
/// are 16 of 256 bits and 32 of 512.
const ROWS: usize = 3;
const ROWS_WIDE: usize = 12;

/// What the first, second and later normal numbers of a path decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Construction {
    /// The first, second and later steps.
    Steps,
    /// The end, the middle, the quarters and so on (B. Moskowitz, R. Caflisch 1996).
    Bridge,
    /// The shapes that explain most of the variance, in this order (P. Acworth, M. Broadie, P.
    /// Glasserman 1998). Of steps of equal length only; takes time with the square of their number.
    Principal,
}

/// A point of a Brownian path between two that are known.
pub(super) struct Between {
    left: usize,
    at: usize,
    right: usize,
    by_left: f64,
    by_right: f64,
    deviation: f64,
}

/// A construction on a grid.
pub(super) enum Rotation {
    None,
    Bridge {
        end: f64,
        points: Vec<Between>,
        /// One over the root of each step's length.
        scales: Vec<f64>,
    },
    Matrix(Vec<f64>),
}

impl Rotation {
    pub fn new(construction: Construction, grid: &Grid) -> Result<Self, Fault> {
        match construction {
            Construction::Steps => Ok(Self::None),
            Construction::Bridge => Ok(bridge(grid)),
            Construction::Principal => principal(grid),
        }
    }

    /// Rotates the numbers of each of `factors` Brownian paths, which stand step by step; `room` is
    /// for one more number than there are steps.
    #[inline(always)]
    pub fn apply<L: Lanes>(
        &self,
        lanes: L,
        factors: usize,
        numbers: &mut [[f64; LANES]],
        room: &mut [[f64; LANES]],
    ) {
        for factor in 0..factors {
            let place = |step: usize| step * factors + factor;
            match self {
                Self::None => {}
                Self::Bridge {
                    end,
                    points,
                    scales,
                } => {
                    let steps = scales.len();
                    room[0] = [0.0; LANES];
                    let last = lanes.mul(lanes.load(&numbers[place(0)]), lanes.splat(*end));
                    lanes.store(last, &mut room[steps]);
                    for (number, point) in (1..).zip(points) {
                        let number = lanes.load(&numbers[place(number)]);
                        let sum = lanes.mul(number, lanes.splat(point.deviation));
                        let left = lanes.load(&room[point.left]);
                        let sum = lanes.mul_add(left, lanes.splat(point.by_left), sum);
                        let right = lanes.load(&room[point.right]);
                        let sum = lanes.mul_add(right, lanes.splat(point.by_right), sum);
                        lanes.store(sum, &mut room[point.at]);
                    }
                    for (step, scale) in scales.iter().enumerate() {
                        let (before, after) =
                            (lanes.load(&room[step]), lanes.load(&room[step + 1]));
                        let change = lanes.mul(lanes.sub(after, before), lanes.splat(*scale));
                        lanes.store(change, &mut numbers[place(step)]);
                    }
                }
                Self::Matrix(rows) => {
                    let steps = room.len() - 1;
                    let numbers_of = numbers.iter().skip(factor).step_by(factors);
                    // What stands in wide registers is aligned as these are.
                    if align_of::<L::F>() >= 64 {
                        multiply::<L, ROWS_WIDE>(lanes, rows, steps, numbers_of, room);
                    } else {
                        multiply::<L, ROWS>(lanes, rows, steps, numbers_of, room);
                    }
                    for (step, made) in room.iter().take(steps).enumerate() {
                        numbers[place(step)] = *made;
                    }
                }
            }
        }
    }
}

/// A matrix times numbers.
#[inline(always)]
fn multiply<'a, L: Lanes, const COUNT: usize>(
    lanes: L,
    rows: &[f64],
    steps: usize,
    numbers: impl Iterator<Item = &'a [f64; LANES]> + Clone,
    to: &mut [[f64; LANES]],
) {
    let mut to = to.iter_mut();
    for rows in rows.chunks(steps * COUNT) {
        let to = to.by_ref().take(COUNT);
        if let Some(rows) = split(rows, steps) {
            products::<L, COUNT>(lanes, rows, numbers.clone(), to);
            continue;
        }
        for (row, to) in rows.chunks_exact(steps).zip(to) {
            products::<L, 1>(lanes, [row], numbers.clone(), std::iter::once(to));
        }
    }
}

/// So many rows, if there are.
#[inline(always)]
fn split<const COUNT: usize>(rows: &[f64], steps: usize) -> Option<[&[f64]; COUNT]> {
    let mut rows = rows.chunks_exact(steps);
    let mut found = [&[][..]; COUNT];
    for to in &mut found {
        *to = rows.next()?;
    }
    Some(found)
}

/// Rows times numbers, side by side, so that none waits for the sum before it.
#[inline(always)]
fn products<'a, 'b, L: Lanes, const COUNT: usize>(
    lanes: L,
    rows: [&[f64]; COUNT],
    numbers: impl Iterator<Item = &'a [f64; LANES]>,
    to: impl Iterator<Item = &'b mut [f64; LANES]>,
) {
    let mut sums = [lanes.splat(0.0); COUNT];
    for (step, number) in numbers.take(rows[0].len()).enumerate() {
        let number = lanes.load(number);
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum = lanes.mul_add(number, lanes.splat(row[step]), *sum);
        }
    }
    for (sum, to) in sums.into_iter().zip(to) {
        lanes.store(sum, to);
    }
}

fn bridge(grid: &Grid) -> Rotation {
    let times: Vec<f64> = std::iter::once(0.0)
        .chain(grid.times().iter().copied())
        .collect();
    let steps = grid.steps();
    let mut points = Vec::with_capacity(steps);
    // Halves of a level stand before those of the next one.
    let mut spans = std::collections::VecDeque::from([(0, steps)]);
    while let Some((left, right)) = spans.pop_front() {
        if right - left < 2 {
            continue;
        }
        let at = usize::midpoint(left, right);
        let (before, after) = (times[at] - times[left], times[right] - times[at]);
        let whole = before + after;
        points.push(Between {
            left,
            at,
            right,
            by_left: after / whole,
            by_right: before / whole,
            deviation: (before * after / whole).sqrt(),
        });
        spans.extend([(left, at), (at, right)]);
    }
    Rotation::Bridge {
        end: times[steps].sqrt(),
        points,
        scales: grid.lengths().map(|length| 1.0 / length.sqrt()).collect(),
    }
}

/// The eigenvectors of the covariances of a Brownian path at equal distances, greatest first, as
/// changes from step to step: cosines.
fn principal(grid: &Grid) -> Result<Rotation, Fault> {
    let steps = grid.steps();
    let step = grid.end() / steps as f64;
    if let Some(found) = grid
        .lengths()
        .find(|found| (found - step).abs() > 1e-9 * step)
    {
        return Err(Fault::Outside {
            what: "grid: a step of the principal construction",
            found,
            least: step,
            most: step,
        });
    }
    let whole = (2 * steps + 1) as f64;
    let cosine = |place: usize| {
        let (row, column) = (place / steps, place % steps);
        let turn = ((2 * column + 1) * (2 * row + 1)) as f64 / (2.0 * whole);
        2.0 / whole.sqrt() * (turn * PI).cos()
    };
    Ok(Rotation::Matrix((0..steps * steps).map(cosine).collect()))
}
