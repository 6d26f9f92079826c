//! Equations in the covariance of some assets.

use super::covariance::{Covariance, Form, combine};
use crate::Fault;
use crate::linear::Cholesky;

/// Equations of fewer assets are soon factored anew.
const GROWS_FROM: usize = 128;

impl Covariance<'_> {
    /// What solves equations in the covariance of some assets.
    pub(super) fn system(&self, assets: &[usize]) -> Result<System<'_>, Fault> {
        let order = match &self.form {
            Form::Dense(matrix) => {
                let row = |at: usize| picked(matrix, self.count, assets, at);
                Cholesky::new(self.backend, assets.len(), row)
            }
            Form::Factors {
                scaled,
                factors,
                stride,
                specific,
            } => {
                let inner: Vec<Vec<f64>> = (0..*factors)
                    .map(|factor| {
                        let weigh = |asset: &usize| {
                            let loading = scaled[asset * stride + factor];
                            (*asset, loading / specific[*asset])
                        };
                        let held: Vec<_> = assets.iter().map(weigh).collect();
                        let mut row = combine(self.backend, scaled, *stride, &held);
                        row[factor] += 1.0;
                        row.truncate(factor + 1);
                        row
                    })
                    .collect();
                Cholesky::new(self.backend, *factors, |at| inner[at].iter().copied())
            }
        };
        let factor = order.map_err(|row| collinear(assets, row))?;
        Ok(System {
            covariance: self,
            assets: assets.to_vec(),
            factor,
        })
    }
}

/// Numbers of a row of a matrix of some assets, up to the diagonal.
fn picked<'a>(
    matrix: &'a [f64],
    count: usize,
    assets: &'a [usize],
    at: usize,
) -> impl Iterator<Item = f64> + 'a {
    let numbers = &matrix[assets[at] * count..][..count];
    assets[..=at].iter().map(move |asset| numbers[*asset])
}

fn collinear(assets: &[usize], row: usize) -> Fault {
    Fault::Collinear {
        what: "covariance",
        column: assets.get(row).copied().unwrap_or(row),
    }
}

/// The covariance of some assets, factored.
pub(super) struct System<'a> {
    covariance: &'a Covariance<'a>,
    assets: Vec<usize>,
    factor: Cholesky,
}

impl System<'_> {
    /// Its assets, in the order of equations.
    pub fn assets(&self) -> &[usize] {
        &self.assets
    }

    /// Whether it is worth the while to keep it for other assets.
    pub fn grows(&self) -> bool {
        matches!(self.covariance.form, Form::Dense(_)) && self.assets.len() >= GROWS_FROM
    }

    /// Takes in further assets, behind the others.
    pub fn grow(&mut self, more: &[usize]) -> Result<(), Fault> {
        let Form::Dense(matrix) = &self.covariance.form else {
            self.assets.extend_from_slice(more);
            *self = self.covariance.system(&self.assets)?;
            return Ok(());
        };
        self.assets.extend_from_slice(more);
        let assets = &self.assets;
        let row = |at: usize| picked(matrix, self.covariance.count, assets, at);
        let grown = self.factor.grow(assets.len(), row);
        grown.map_err(|row| collinear(assets, row))
    }

    /// `R S^-1 R'` of rows R and the covariance S, its lower triangle; of each row its numbers from
    /// the given place on, zeros after them.
    pub fn gram(&self, rows: &[(usize, &[f64])]) -> Vec<Vec<f64>> {
        if let Form::Dense(_) = &self.covariance.form {
            return self.factor.gram(rows);
        }
        let row = |(at, (first, numbers)): (usize, &(usize, &[f64]))| {
            let mut solved = vec![0.0; self.assets.len()];
            solved[*first..][..numbers.len()].copy_from_slice(numbers);
            self.solve(&mut solved);
            let with = |(first, numbers): &(usize, &[f64])| {
                let pairs = numbers.iter().zip(&solved[*first..]);
                pairs.map(|(x, y)| x * y).sum()
            };
            rows[..=at].iter().map(with).collect()
        };
        rows.iter().enumerate().map(row).collect()
    }

    /// Solves for a right side in place.
    pub fn solve(&self, b: &mut [f64]) {
        match &self.covariance.form {
            Form::Dense(_) => self.factor.solve(b),
            Form::Factors {
                scaled,
                factors,
                stride,
                specific,
            } => {
                // Woodbury: (D + G G')^-1 = D^-1 - D^-1 G (I + G' D^-1 G)^-1 G' D^-1.
                let backend = self.covariance.backend;
                let held = b.iter_mut().zip(&self.assets).map(|(x, asset)| {
                    *x /= specific[*asset];
                    (*asset, *x)
                });
                let held: Vec<_> = held.collect();
                let mut common = combine(backend, scaled, *stride, &held);
                self.factor.solve(&mut common[..*factors]);
                for (x, asset) in b.iter_mut().zip(&self.assets) {
                    let row = &scaled[asset * stride..][..*stride];
                    *x -= backend.dot(row, &common) / specific[*asset];
                }
            }
        }
    }
}
