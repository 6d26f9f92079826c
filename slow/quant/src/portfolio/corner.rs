//! A corner of the frontier, and the proof of it.

use super::covariance::Covariance;
use super::optimum::{Certificate, MeanVariance};
use super::pivoting::Program;
use crate::Fault;
use crate::fault::{same_length, series, within};

/// Where the set of assets that move changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Corner {
    /// How much return counts against half of the variance.
    pub tolerance: f64,
    /// Expected.
    pub mean: f64,
    /// Of the return.
    pub variance: f64,
    /// How much of each asset.
    pub weights: Vec<f64>,
}

impl Corner {
    /// How near the weights are to those of least `variance / 2 - tolerance * return`. Computed
    /// from them alone: the budget costs what proves the most.
    ///
    /// # Errors
    /// Lengths that do not go together; numbers that are none; bounds between which no weights add
    /// up to 1.
    pub fn prove(
        &self,
        covariance: &Covariance<'_>,
        mean: &[f64],
        lower: &[f64],
        upper: &[f64],
    ) -> Result<Certificate, Fault> {
        let problem = MeanVariance {
            covariance,
            mean,
            aversion: 1.0,
            lower,
            upper,
            equalities: &[],
        };
        problem.check()?;
        series("weights", &self.weights, 0)?;
        same_length("weights", self.weights.len(), covariance.count())?;
        within("tolerance", self.tolerance, 0.0, f64::MAX)?;
        let pull: Vec<f64> = mean.iter().map(|mean| self.tolerance * mean).collect();
        let held = covariance.times(&self.weights).into_iter();
        let slopes = held.zip(&pull).map(|(held, pull)| held - pull);
        let ways = self.weights.iter().zip(lower).zip(upper);
        let ways = ways.map(|((weight, lower), upper)| [weight - lower, upper - weight]);
        let price = price(slopes.zip(ways).collect());
        let ones = vec![1.0; covariance.count()];
        let program = Program {
            covariance,
            pull,
            aversion: 1.0,
            lower,
            upper,
            equalities: vec![(&ones, 1.0)],
        };
        let proved = program.proved(self.weights.clone(), vec![price], 0);
        Ok(proved.certificate)
    }
}

/// The price of the budget for which the gap is least: with it what an asset gains a unit, times
/// its way down or up, adds up to the least. Each asset bends that sum once, at its own slope.
fn price(mut assets: Vec<(f64, [f64; 2])>) -> f64 {
    assets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut change: f64 = assets.iter().map(|(_, [down, _])| -down.max(0.0)).sum();
    for (slope, ways) in &assets {
        change += ways.iter().map(|way| way.max(0.0)).sum::<f64>();
        if change >= 0.0 {
            return *slope;
        }
    }
    assets.last().map_or(0.0, |(slope, _)| *slope)
}
