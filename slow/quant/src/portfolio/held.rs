//! The equations of the free assets, from step to step of a search.

use super::lines::whole;
use super::pivoting::{Program, State};
use super::system::System;
use crate::Fault;

/// Equations are made anew when more than one of so many of their assets is not free.
const PINNED: usize = 6;

/// What may not be told apart for the assets that are held.
pub(super) const HELD: &str = "equalities of what is held";

/// Equations of the free assets.
pub(super) struct Held<'a> {
    pub free: usize,
    /// Of free assets, and others.
    pub system: System<'a>,
    /// Where the others stand, each held to its bound.
    pub pinned: Vec<usize>,
    /// The equalities' coefficients of the system's assets.
    rows: Vec<Vec<f64>>,
    /// What equalities, and then pins, are to each other by the covariance's inverse.
    gram: Vec<Vec<f64>>,
}

impl Program<'_> {
    /// The equations of the free assets. Those of a step before serve again: what is free now joins
    /// them, and what no longer is is held by an equality of its own.
    pub fn held<'a>(
        &'a self,
        states: &[State],
        before: Option<System<'a>>,
    ) -> Result<Held<'a>, Fault> {
        let free = self.free(states);
        let is_free = |asset: &usize| states[*asset] == State::Free;
        let of_use = before.filter(|system| {
            let pinned = system.assets().iter().filter(|asset| !is_free(asset));
            system.grows() && pinned.count() * PINNED <= system.assets().len()
        });
        let grown = of_use.and_then(|mut system| {
            let mut is_in = vec![false; states.len()];
            for asset in system.assets() {
                is_in[*asset] = true;
            }
            let more = free.iter().copied().filter(|asset| !is_in[*asset]);
            // An asset may follow from one that is not free.
            system.grow(&more.collect::<Vec<usize>>()).ok()?;
            Some(system)
        });
        let system = match grown {
            Some(system) => system,
            None => self.covariance.system(&free)?,
        };
        let assets = system.assets().iter().enumerate();
        let pinned = assets.filter(|(_, asset)| !is_free(asset));
        let pinned: Vec<usize> = pinned.map(|(place, _)| place).collect();
        let picked = |(row, _): &(&[f64], f64)| -> Vec<f64> {
            system.assets().iter().map(|asset| row[*asset]).collect()
        };
        let rows: Vec<Vec<f64>> = self.equalities.iter().map(picked).collect();
        let own = rows.iter().map(|row| (0, &row[..]));
        let pins = pinned.iter().map(|place| (*place, &[1.0][..]));
        let all: Vec<(usize, &[f64])> = own.chain(pins).collect();
        let gram = system.gram(&all);
        Ok(Held {
            free: free.len(),
            system,
            pinned,
            rows,
            gram,
        })
    }
}

impl Held<'_> {
    /// Solves `S w = pull + E' m`, `E w = values`: weights and multipliers. Pins are the last of
    /// the rows E.
    pub fn equations(
        &self,
        mut pull: Vec<f64>,
        mut values: Vec<f64>,
    ) -> Result<(Vec<f64>, Vec<f64>), Fault> {
        let mut alone = pull.clone();
        self.system.solve(&mut alone);
        let (own, pins) = values.split_at_mut(self.rows.len());
        for (value, row) in own.iter_mut().zip(&self.rows) {
            *value -= dot(row, &alone);
        }
        for (value, place) in pins.iter_mut().zip(&self.pinned) {
            *value -= alone[*place];
        }
        let multipliers = small(whole(&self.gram), values)?;
        let (own, pins) = multipliers.split_at(self.rows.len());
        for (row, multiplier) in self.rows.iter().zip(own) {
            for (pull, x) in pull.iter_mut().zip(row) {
                *pull += multiplier * x;
            }
        }
        for (place, multiplier) in self.pinned.iter().zip(pins) {
            pull[*place] += multiplier;
        }
        self.system.solve(&mut pull);
        Ok((pull, multipliers))
    }
}

/// In the order of numbers, whatever the lanes.
pub(super) fn dot(xs: &[f64], ys: &[f64]) -> f64 {
    xs.iter().zip(ys).map(|(x, y)| x * y).sum()
}

/// Solves a few equations by elimination with pivots.
fn small(mut matrix: Vec<Vec<f64>>, mut value: Vec<f64>) -> Result<Vec<f64>, Fault> {
    let order = value.len();
    let whole = matrix
        .iter()
        .flatten()
        .fold(0.0f64, |most, x| most.max(x.abs()));
    for at in 0..order {
        let size = |row: &usize| matrix[*row][at].abs();
        let pivot = (at..order)
            .max_by(|a, b| size(a).total_cmp(&size(b)))
            .unwrap_or(at);
        matrix.swap(at, pivot);
        value.swap(at, pivot);
        let own = matrix[at][at];
        if own.is_nan() || own.abs() <= 1e-13 * whole {
            return Err(Fault::Collinear {
                what: HELD,
                column: at,
            });
        }
        let (done, rest) = matrix.split_at_mut(at + 1);
        let head = &done[at];
        for (below, row) in rest.iter_mut().enumerate() {
            let factor = row[at] / own;
            row.iter_mut().zip(head).for_each(|(x, y)| *x -= factor * y);
            value[at + 1 + below] -= factor * value[at];
        }
    }
    for at in (0..order).rev() {
        let known = (at + 1..order)
            .map(|k| matrix[at][k] * value[k])
            .sum::<f64>();
        value[at] = (value[at] - known) / matrix[at][at];
    }
    Ok(value)
}
