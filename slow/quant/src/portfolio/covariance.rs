//! Covariances: as a matrix, or as factors and what is each asset's own.

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::symmetry::check;
use crate::Fault;
use crate::fault::{same_length, series, within};

/// The most assets, and the most factors.
pub const ASSETS_MAX: usize = 1 << 14;

/// A covariance of assets. It is checked when it is made; what is solved with it is not.
#[derive(Clone, Debug)]
pub struct Covariance<'a> {
    pub(super) backend: Backend,
    pub(super) count: usize,
    pub(super) form: Form<'a>,
}

#[derive(Clone, Debug)]
pub(super) enum Form<'a> {
    /// Row by row.
    Dense(&'a [f64]),
    Factors {
        /// Loadings by the deviations of factors, row by row, with zeros up to the stride.
        scaled: Vec<f64>,
        factors: usize,
        stride: usize,
        specific: &'a [f64],
    },
}

impl<'a> Covariance<'a> {
    /// A matrix, row by row.
    ///
    /// # Errors
    /// No or too many assets, a matrix that is not square, numbers that are none, a variance that
    /// is not above 0, numbers that differ from those across the diagonal.
    pub fn dense(matrix: &'a [f64], count: usize) -> Result<Self, Fault> {
        within("assets", count as f64, 1.0, ASSETS_MAX as f64)?;
        same_length("covariance", matrix.len(), count * count)?;
        let backend = Backend::best();
        check(backend, matrix, count)?;
        Ok(Self {
            backend,
            count,
            form: Form::Dense(matrix),
        })
    }

    /// `B diag(f) B' + diag(d)`: the assets' loadings on factors, row by row, the variances of the
    /// factors, and those that are each asset's own.
    ///
    /// # Errors
    /// No or too many assets or factors, lengths that do not go together, numbers that are none, a
    /// variance of a factor below 0, an own one that is not above 0.
    pub fn factors(
        loadings: &'a [f64],
        variances: &'a [f64],
        specific: &'a [f64],
    ) -> Result<Self, Fault> {
        let (count, factors) = (specific.len(), variances.len());
        within("assets", count as f64, 1.0, ASSETS_MAX as f64)?;
        within("factors", factors as f64, 1.0, ASSETS_MAX as f64)?;
        same_length("loadings", loadings.len(), count * factors)?;
        series("loadings", loadings, 1)?;
        for variance in variances {
            within("factor's variance", *variance, 0.0, f64::MAX)?;
        }
        for variance in specific {
            within("own variance", *variance, f64::MIN_POSITIVE, f64::MAX)?;
        }
        let stride = factors.next_multiple_of(LANES);
        let mut scaled = vec![0.0; count * stride];
        let rows = scaled.chunks_exact_mut(stride);
        for (row, loadings) in rows.zip(loadings.chunks_exact(factors)) {
            for ((x, loading), variance) in row.iter_mut().zip(loadings).zip(variances) {
                *x = loading * variance.sqrt();
            }
        }
        Ok(Self {
            backend: Backend::best(),
            count,
            form: Form::Factors {
                scaled,
                factors,
                stride,
                specific,
            },
        })
    }

    /// How many assets.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The variance of an asset.
    #[must_use]
    pub fn variance(&self, asset: usize) -> f64 {
        match &self.form {
            Form::Dense(matrix) => matrix[asset * self.count + asset],
            Form::Factors {
                scaled,
                stride,
                specific,
                ..
            } => {
                let row = &scaled[asset * stride..][..*stride];
                self.backend.dot(row, row) + specific[asset]
            }
        }
    }

    /// All of it, row by row.
    pub(super) fn matrix(&self) -> Vec<f64> {
        let all: Vec<usize> = (0..self.count).collect();
        let row = |asset: usize| {
            let mut row = self.between(asset, &all);
            row[asset] = self.variance(asset);
            row
        };
        (0..self.count).flat_map(row).collect()
    }

    /// The covariances of all assets with a portfolio.
    #[must_use]
    pub fn times(&self, weights: &[f64]) -> Vec<f64> {
        let held = weights.iter().copied().enumerate();
        let held: Vec<(usize, f64)> = held.filter(|(_, weight)| *weight != 0.0).collect();
        self.of(&held)
    }

    /// The covariances of all assets with a portfolio of some.
    pub(super) fn of(&self, held: &[(usize, f64)]) -> Vec<f64> {
        match &self.form {
            Form::Dense(matrix) => combine(self.backend, matrix, self.count, held),
            Form::Factors {
                scaled,
                stride,
                specific,
                ..
            } => {
                let exposures = combine(self.backend, scaled, *stride, held);
                let rows = scaled.chunks_exact(*stride);
                let common = rows.map(|row| self.backend.dot(row, &exposures));
                let mut all: Vec<f64> = common.collect();
                for (asset, weight) in held {
                    all[*asset] += specific[*asset] * weight;
                }
                all
            }
        }
    }

    /// The covariances of an asset with others.
    pub(super) fn between(&self, asset: usize, others: &[usize]) -> Vec<f64> {
        let numbers = |other: &usize| match &self.form {
            Form::Dense(matrix) => matrix[asset * self.count + other],
            Form::Factors { scaled, stride, .. } => {
                let row = |asset: usize| &scaled[asset * stride..][..*stride];
                self.backend.dot(row(asset), row(*other))
            }
        };
        others.iter().map(numbers).collect()
    }

    /// Adds the covariances of all assets with so much of one.
    pub(super) fn add(&self, asset: usize, weight: f64, sums: &mut [f64]) {
        match &self.form {
            Form::Dense(matrix) => self.backend.run(Combine {
                matrix,
                held: &[(asset, weight)],
                sums,
            }),
            Form::Factors {
                scaled,
                stride,
                specific,
                ..
            } => {
                let own = &scaled[asset * stride..][..*stride];
                for (sum, row) in sums.iter_mut().zip(scaled.chunks_exact(*stride)) {
                    *sum += weight * self.backend.dot(own, row);
                }
                sums[asset] += weight * specific[asset];
            }
        }
    }
}

/// The sum of some rows of a matrix, each by its weight.
pub(super) fn combine(
    backend: Backend,
    matrix: &[f64],
    stride: usize,
    held: &[(usize, f64)],
) -> Vec<f64> {
    let mut sums = vec![0.0; stride];
    backend.run(Combine {
        matrix,
        held,
        sums: &mut sums,
    });
    sums
}

struct Combine<'a> {
    matrix: &'a [f64],
    held: &'a [(usize, f64)],
    sums: &'a mut [f64],
}

impl Kernel for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self { matrix, held, sums } = self;
        let stride = sums.len();
        let row = |asset: usize| &matrix[asset * stride..][..stride];
        // Four rows at a time: the sums are read and written once for them.
        let (fours, rest) = held.as_chunks::<4>();
        for four in fours {
            add(
                lanes,
                sums,
                four.map(|(asset, weight)| (row(asset), weight)),
            );
        }
        for (asset, weight) in rest {
            add(lanes, sums, [(row(*asset), *weight)]);
        }
    }
}

#[inline(always)]
fn add<const ROWS: usize, L: Lanes>(lanes: L, sums: &mut [f64], rows: [(&[f64], f64); ROWS]) {
    let weights = rows.map(|(_, weight)| lanes.splat(weight));
    let parts = rows.map(|(row, _)| row.as_chunks::<LANES>());
    let (whole, rest) = sums.as_chunks_mut::<LANES>();
    for (at, sum) in whole.iter_mut().enumerate() {
        let mut x = lanes.load(sum);
        for ((row, _), weight) in parts.iter().zip(weights) {
            x = lanes.mul_add(lanes.load(&row[at]), weight, x);
        }
        lanes.store(x, sum);
    }
    for (at, sum) in rest.iter_mut().enumerate() {
        for ((_, row), (_, weight)) in parts.iter().zip(rows) {
            *sum += row[at] * weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_backends_combine_with_the_same_bits() {
        for (stride, held) in [(1, 1), (15, 3), (16, 4), (17, 5), (40, 11), (100, 100)] {
            let number = |at: usize| ((at * 13) as f64).sin();
            let matrix: Vec<f64> = (0..stride * stride).map(number).collect();
            let asset = |at: usize| (at * 7 % stride, number(at + 5));
            let held: Vec<(usize, f64)> = (0..held).map(asset).collect();
            let whole = stride / LANES * LANES;
            let sum = |column: usize| {
                held.iter().fold(0.0, |sum: f64, (asset, weight)| {
                    let x = matrix[asset * stride + column];
                    match column < whole {
                        true => x.mul_add(*weight, sum),
                        // What is behind whole registers is rounded twice.
                        false => sum + x * weight,
                    }
                })
            };
            let due: Vec<f64> = (0..stride).map(sum).collect();
            for backend in Backend::all() {
                assert_eq!(combine(backend, &matrix, stride, &held), due, "{stride}");
            }
        }
    }
}
