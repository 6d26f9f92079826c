//! How near weights are to the best ones, for any multipliers; and whether there are any.

use super::constrained::Method;
use super::task::{Row, Task};

/// How near a portfolio is to the best one. Computed from weights and multipliers alone, whatever
/// found them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proof {
    /// By how much the weights miss 1.
    pub budget: f64,
    /// By how much a constraint is missed, at worst.
    pub constraint: f64,
    /// By how much a weight is outside its bounds, at worst.
    pub bound: f64,
    /// By how much turnover is beyond its limit.
    pub turnover: f64,
    /// The worst of how far an asset would move by its reduced gradient and the cost of trading.
    pub stationarity: f64,
    /// The worst of what a limit is worth and how far it is away: the lesser of both.
    pub slackness: f64,
    /// By how much the objective may be above the best at most: what the dual program with these
    /// multipliers leaves open.
    pub gap: f64,
}

/// Weights and multipliers that may be the best.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub weights: Vec<f64>,
    /// Of rows: above 0 where the lower limit holds, below where the upper one does.
    pub multipliers: Vec<f64>,
    /// Of the limit on turnover, at least 0.
    pub turnover: f64,
    pub method: Method,
}

impl Row<'_> {
    pub fn value(&self, weights: &[f64]) -> f64 {
        let pairs = self.coefficients.iter().zip(weights);
        pairs.map(|(c, w)| c * w).sum()
    }

    pub fn miss(&self, value: f64) -> f64 {
        (self.lower - value).max(value - self.upper).max(0.0)
    }

    /// The limit that a multiplier belongs to.
    fn limit(&self, multiplier: f64) -> f64 {
        if multiplier > 0.0 {
            self.lower
        } else {
            self.upper
        }
    }

    /// A multiplier of a limit that there is.
    fn kept(&self, multiplier: f64) -> f64 {
        if self.limit(multiplier).is_finite() {
            multiplier
        } else {
            0.0
        }
    }
}

impl Task<'_> {
    /// The proof, and the worst that is wrong, of the program's scale.
    pub fn prove(&self, found: &Candidate) -> (Proof, f64) {
        let weights = &found.weights;
        let mut reduced = self.covariance.times(weights);
        for (reduced, mean) in reduced.iter_mut().zip(self.mean) {
            *reduced = self.aversion * *reduced - mean;
        }
        let pairs = self.rows.iter().zip(&found.multipliers);
        let rows: Vec<(&Row<'_>, f64)> = pairs.map(|(row, y)| (row, row.kept(*y))).collect();
        self.pay(&rows, &mut reduced);
        let limit = if self.turnover.is_finite() {
            found.turnover.max(0.0)
        } else {
            0.0
        };
        let price = self.cost + limit;
        let mut proof = Proof {
            budget: 0.0,
            constraint: 0.0,
            bound: 0.0,
            turnover: 0.0,
            stationarity: 0.0,
            slackness: 0.0,
            gap: 0.0,
        };
        for (asset, (weight, reduced)) in weights.iter().zip(&reduced).enumerate() {
            let [lower, upper] = [self.lower[asset], self.upper[asset]];
            proof.bound = proof.bound.max(lower - weight).max(weight - upper);
            let now = self.worth(asset, *weight, *reduced, price);
            proof.gap += (now - self.least(asset, *reduced, price)).abs();
            let drawn = self.drawn(asset, *weight, *reduced, price);
            proof.stationarity = proof.stationarity.max(drawn.abs());
        }
        let mut relative = 0.0f64;
        for (at, (row, multiplier)) in rows.iter().enumerate() {
            let value = row.value(weights);
            let miss = row.miss(value);
            relative = relative.max(miss / row.size);
            let part = if at == 0 {
                &mut proof.budget
            } else {
                &mut proof.constraint
            };
            *part = part.max(miss);
            if *multiplier != 0.0 {
                let slack = (value - row.limit(*multiplier)).abs();
                proof.slackness = proof.slackness.max(slack.min(multiplier.abs()));
                proof.gap += slack * multiplier.abs();
            }
        }
        if self.turnover.is_finite() {
            let slack = self.turnover - self.traded(weights);
            proof.turnover = (-slack).max(0.0);
            relative = relative.max(proof.turnover);
            proof.slackness = proof.slackness.max(limit.min(slack.abs()));
            proof.gap += limit * slack.abs();
        }
        let whole: f64 = weights.iter().map(|weight| weight.abs()).sum();
        let whole = whole.max(1.0);
        let worst =
            (relative.max(proof.bound) / whole).max(proof.gap / (self.scale() * whole * whole));
        (proof, if worst.is_nan() { f64::INFINITY } else { worst })
    }

    /// The scale of gradients.
    pub fn scale(&self) -> f64 {
        let count = self.covariance.count();
        let risks = (0..count).map(|asset| self.aversion * self.covariance.variance(asset));
        let means = self.mean.iter().map(|mean| mean.abs());
        risks.chain(means).fold(self.cost, f64::max)
    }

    pub fn traded(&self, weights: &[f64]) -> f64 {
        let Some(held) = self.held else { return 0.0 };
        let pairs = weights.iter().zip(held);
        pairs.map(|(weight, held)| (weight - held).abs()).sum()
    }

    /// Takes off a gradient what rows pay for.
    fn pay(&self, rows: &[(&Row<'_>, f64)], gradient: &mut [f64]) {
        for (row, multiplier) in rows.iter().filter(|(_, y)| *y != 0.0) {
            for (slope, c) in gradient.iter_mut().zip(row.coefficients) {
                *slope -= multiplier * c;
            }
        }
    }

    /// What a weight costs by a gradient and a price of trading.
    fn worth(&self, asset: usize, weight: f64, slope: f64, price: f64) -> f64 {
        let moved = self.held.map_or(0.0, |held| (weight - held[asset]).abs());
        slope * weight + price * moved
    }

    /// The least that an asset can cost: at a bound, or left alone.
    fn least(&self, asset: usize, slope: f64, price: f64) -> f64 {
        let [lower, upper] = [self.lower[asset], self.upper[asset]];
        let held = self
            .held
            .map_or(lower, |held| held[asset].clamp(lower, upper));
        let ways = [lower, upper, held].map(|weight| self.worth(asset, weight, slope, price));
        ways.into_iter().fold(f64::INFINITY, f64::min)
    }

    /// How far an asset would move by its gradient: what is held holds it by the price of trading.
    fn drawn(&self, asset: usize, weight: f64, slope: f64, price: f64) -> f64 {
        let free = self.held.map_or(-slope, |held| {
            let way = held[asset] - weight;
            let beyond = -slope - way;
            if beyond.abs() <= price {
                way
            } else {
                -slope - beyond.signum() * price
            }
        });
        free.max(self.lower[asset] - weight)
            .min(self.upper[asset] - weight)
    }

    /// Whether these multipliers prove that no weights fulfil all rows, and which rows it takes:
    /// whatever the weights, what rows demand together is more than bounds allow.
    pub fn contradiction(&self, multipliers: &[f64], turnover: f64) -> Option<(Vec<usize>, bool)> {
        let pairs = self.rows.iter().zip(multipliers);
        let mut kept: Vec<f64> = pairs.map(|(row, y)| row.kept(*y)).collect();
        let mut limit = if self.turnover.is_finite() {
            turnover.max(0.0)
        } else {
            0.0
        };
        if !self.is_against(&kept, limit) {
            return None;
        }
        if self.is_against(&kept, 0.0) {
            limit = 0.0;
        }
        for at in 1..kept.len() {
            let was = std::mem::take(&mut kept[at]);
            if !self.is_against(&kept, limit) {
                kept[at] = was;
            }
        }
        let named = (1..kept.len()).filter(|at| kept[*at] != 0.0).collect();
        Some((named, limit > 0.0))
    }

    fn is_against(&self, multipliers: &[f64], limit: f64) -> bool {
        let rows: Vec<(&Row<'_>, f64)> =
            self.rows.iter().zip(multipliers.iter().copied()).collect();
        let size: f64 = rows.iter().map(|(row, y)| y.abs() * row.size).sum();
        let mut slopes = vec![0.0; self.covariance.count()];
        self.pay(&rows, &mut slopes);
        let held = rows.iter().filter(|(_, y)| *y != 0.0);
        let mut least: f64 = held.map(|(row, y)| y * row.limit(*y)).sum();
        if limit > 0.0 {
            least -= limit * self.turnover;
        }
        for (asset, slope) in slopes.iter().enumerate() {
            least += self.least(asset, *slope, limit);
        }
        least > 1e-9 * (size + limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portfolio::{Constraint, Covariance, MeanVariance, Trading};

    #[test]
    fn weights_and_multipliers_that_are_wrong_are_found_out() {
        let matrix = [1.0, 0.0, 0.0, 1.0];
        let covariance = Covariance::dense(&matrix, 2).unwrap();
        let portfolio = MeanVariance {
            covariance: &covariance,
            mean: &[0.0; 2],
            aversion: 1.0,
            lower: &[0.0; 2],
            upper: &[1.0; 2],
            equalities: &[],
        };
        let first = [Constraint {
            name: "first",
            coefficients: &[1.0, 0.0],
            lower: 0.7,
            upper: f64::INFINITY,
        }];
        let held = Trading {
            held: &[0.9, 0.1],
            turnover: 0.2,
            cost: 0.1,
        };
        let task = Task::new(portfolio, &first, Some(held)).unwrap();
        // Of gradients 0.8 and 0.2 the price of turnover takes half, a tenth of it for costs.
        let prove = |weights: [f64; 2], multipliers: [f64; 2], turnover: f64| {
            let found = Candidate {
                weights: weights.to_vec(),
                multipliers: multipliers.to_vec(),
                turnover,
                method: Method::Interior,
            };
            task.prove(&found)
        };
        let (proof, worst) = prove([0.8, 0.2], [0.5, 0.0], 0.2);
        assert!(worst < 1e-15 && proof.stationarity < 1e-15, "{proof:?}");
        // By so much less trading is worse: no gap may be less.
        let above = (0.85f64.powi(2) + 0.15f64.powi(2) - 0.68) / 2.0 - 0.01;
        for multipliers in [[0.5, 0.0], [0.4, 0.1], [0.0, 0.0], [0.5, -3.0]] {
            for turnover in [0.0, 0.2, 0.5, -1.0] {
                let (proof, _) = prove([0.85, 0.15], multipliers, turnover);
                assert!(
                    proof.gap >= above,
                    "{proof:?} with {multipliers:?}, {turnover}"
                );
            }
        }
        let (proof, worst) = prove([0.6, 0.4], [0.5, 0.0], 0.2);
        assert!(
            (proof.turnover - 0.4).abs() < 1e-12 && worst > 0.1,
            "{proof:?}"
        );
        assert!((proof.constraint - 0.1).abs() < 1e-12, "{proof:?}");
        let (proof, _) = prove([0.8, 0.3], [0.5, 0.0], 0.2);
        assert!((proof.budget - 0.1).abs() < 1e-12, "{proof:?}");
    }
}
