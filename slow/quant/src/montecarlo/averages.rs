//! A sum of lognormal numbers beside their geometric average: what an option on the sum is worth
//! that the average exercises, and how much more one may be worth that its holder does.

use std::sync::OnceLock;

use super::payoff::Kind;
use crate::distribution::normal_below;

/// Distances from the strike, in deviations of the average, that a bound looks at: the nearest, by
/// how much the next one is further away, and how many.
const NEAREST: f64 = 1e-4;
const FURTHER: f64 = 1.35;
const DISTANCES: usize = 44;
/// Normal numbers are looked for so far from 0, by so many halvings.
const NORMAL_MAX: f64 = 38.0;
const HALVINGS: usize = 40;
/// Numbers whose covariances are looked at, at most: more take too long.
const COVARIANCES_MAX: usize = 256;
/// One over the root of twice pi.
const DENSITY: f64 = 0.398_942_280_401_432_7;

/// The sum and the average.
#[derive(Debug)]
pub(super) struct Averages {
    /// Of the logarithm of the average.
    pub mean: f64,
    pub deviation: f64,
    pub parts: Vec<Part>,
    pub moves: Moves,
}

/// How the numbers' logarithms move together.
#[derive(Debug)]
pub(super) enum Moves {
    /// As one that moves at random does at several times, each of which has so much variance.
    Times(Vec<f64>),
    /// By what each has of some numbers at random, all in a row: so many for each.
    Loadings(Vec<f64>, usize),
}

/// How much more an option on the sum may be worth than what the average exercises.
#[derive(Debug)]
pub(super) struct Rest {
    averages: Averages,
    strike: f64,
    discount: f64,
    at_most: OnceLock<f64>,
}

/// One number of the sum.
#[derive(Debug)]
pub(super) struct Part {
    /// What it is on average.
    pub forward: f64,
    /// Of its logarithm and that of the average.
    pub shared: f64,
    /// Of its logarithm.
    pub variance: f64,
}

impl Averages {
    /// What the option on the sum is worth at the end that the average exercises.
    pub fn worth(&self, kind: Kind, strike: f64) -> f64 {
        let Self {
            mean, deviation, ..
        } = *self;
        let least = strike.ln();
        let exercised = |moved: f64| {
            if deviation == 0.0 {
                f64::from(u8::from(mean >= least))
            } else {
                normal_below((mean - least + moved) / deviation)
            }
        };
        let (mut price, mut part) = (0.0, 0.0);
        for Part {
            forward, shared, ..
        } in &self.parts
        {
            price += forward;
            part += forward * exercised(*shared);
        }
        let probability = exercised(0.0);
        match kind {
            Kind::Call => part - strike * probability,
            Kind::Put => strike * (1.0 - probability) - (price - part),
        }
    }

    /// How much more an option may be worth at the end that its holder exercises, at most: calls
    /// and puts alike, for both gain where the sum is above the strike and the average below it.
    fn rest_max(&self, strike: f64) -> f64 {
        if strike == 0.0 {
            return 0.0;
        }
        let spreads = self.spreads();
        let apart = strike.ln() - self.mean;
        if self.deviation == 0.0 {
            let is_below = apart > 0.0;
            return f64::from(u8::from(is_below)) * self.call_max(0.0, strike, &spreads);
        }
        // The trapezoidal rule, by the logarithms of distances below the strike.
        let least = apart / self.deviation;
        let mut distance = NEAREST;
        let mut sum = 0.0;
        for _ in 0..DISTANCES {
            let normal = least - distance;
            let density = DENSITY * (-0.5 * normal * normal).exp();
            if density > 0.0 {
                sum += self.call_max(normal, strike, &spreads) * density * distance;
            }
            distance *= FURTHER;
        }
        sum * FURTHER.ln()
    }

    /// How much of the average's logarithm, in its deviations, each number's has.
    fn slope(&self, part: &Part) -> f64 {
        if self.deviation > 0.0 {
            part.shared / self.deviation
        } else {
            0.0
        }
    }

    /// Covariances of the numbers given the average, each number as a part of what it is then,
    /// row by row; none of too many numbers.
    fn spreads(&self) -> Vec<f64> {
        let slopes: Vec<f64> = self.parts.iter().map(|part| self.slope(part)).collect();
        let count = slopes.len();
        if count > COVARIANCES_MAX {
            return Vec::new();
        }
        let pairs = (0..count).flat_map(|row| (0..count).map(move |column| (row, column)));
        let left = |(row, column): (usize, usize)| {
            let both = self.moves.covariance(row, column);
            (both - slopes[row] * slopes[column]).exp_m1()
        };
        pairs.map(left).collect()
    }

    /// At most what a call on the sum is worth where the average is so many deviations from its
    /// mean.
    fn call_max(&self, normal: f64, strike: f64, spreads: &[f64]) -> f64 {
        let given = |part: &Part| {
            let slope = self.slope(part);
            let forward = part.forward * (slope * (normal - slope / 2.0)).exp();
            (forward, (part.variance - slope * slope).max(0.0).sqrt())
        };
        let parts: Vec<(f64, f64)> = self.parts.iter().map(given).collect();
        let most = alike(&parts, strike);
        if spreads.is_empty() {
            return most;
        }
        let rows = parts.iter().zip(spreads.chunks_exact(parts.len()));
        let variance = rows.map(|((one, _), row)| {
            let pairs = parts.iter().zip(row);
            one * pairs
                .map(|((other, _), spread)| other * spread)
                .sum::<f64>()
        });
        let mean = parts.iter().map(|(forward, _)| forward).sum::<f64>() - strike;
        most.min(of_moments(mean, variance.sum::<f64>().max(0.0)))
    }
}

impl Moves {
    fn covariance(&self, row: usize, column: usize) -> f64 {
        match self {
            // What came earlier is shared.
            Self::Times(variances) => variances[row].min(variances[column]),
            Self::Loadings(all, width) => {
                let of = |at: usize| &all[at * width..][..*width];
                let pairs = of(row).iter().zip(of(column));
                pairs.map(|(one, other)| one * other).sum()
            }
        }
    }
}

impl Rest {
    /// Of an option with such a strike, at such a discount.
    pub fn new(averages: Averages, strike: f64, discount: f64) -> Self {
        Self {
            averages,
            strike,
            discount,
            at_most: OnceLock::new(),
        }
    }

    /// It is found once.
    pub fn at_most(&self) -> f64 {
        let found = || self.discount * self.averages.rest_max(self.strike);
        *self.at_most.get_or_init(found)
    }
}

/// At most what is above 0 of a number with such a mean and variance (H. Scarf 1958).
fn of_moments(mean: f64, variance: f64) -> f64 {
    let size = mean.hypot(variance.sqrt());
    if mean < 0.0 {
        return variance / (2.0 * (size - mean));
    }
    (mean + size) / 2.0
}

/// A call on the sum of lognormal numbers, of which what they are on average and the deviations of
/// their logarithms are given, if they move alike, which is when it is worth the most: a sum of
/// calls on each, all exercised together (R. Kaas, J. Dhaene, M. Goovaerts, Insurance: Mathematics
/// and Economics 27, 2000).
fn alike(parts: &[(f64, f64)], strike: f64) -> f64 {
    let sum = |moved: f64| -> f64 {
        let of = |(forward, deviation): &(f64, f64)| {
            forward * (deviation * (moved - deviation / 2.0)).exp()
        };
        parts.iter().map(of).sum()
    };
    let [mut below, mut above] = [-NORMAL_MAX, NORMAL_MAX];
    for _ in 0..HALVINGS {
        let middle = (below + above) / 2.0;
        if sum(middle) < strike {
            below = middle;
        } else {
            above = middle;
        }
    }
    let got = parts
        .iter()
        .map(|(forward, deviation)| forward * normal_below(deviation - above));
    (got.sum::<f64>() - strike * normal_below(-above)).max(0.0)
}
