//! Programs in which pivoting comes round in a circle, as narrow bounds beside equalities make it:
//! the method of multipliers (M. Hestenes, Journal of Optimization Theory and Applications 4,
//! 1969).
//!
//! Equalities are not demanded but paid for: a price for each unit, and a penalty for what they
//! miss. That leaves bounds only, with which pivoting ends, and what is still missed is added to
//! the prices. From the states that this comes to the equalities are demanded again; and where a
//! corner leaves too few assets free for that, the prices prove the answer themselves.

use super::covariance::Covariance;
use super::optimum::Solution;
use super::pivoting::{Program, State};
use crate::Fault;

/// Rounds of prices at most.
const ROUNDS: usize = 200;
/// Penalty of what is missed to begin with, by the mean variance; beside it, as much as the
/// greatest pull.
const PENALTY: f64 = 100.0;
/// How much it grows where what is missed does not fall to a fourth, and in all at most.
const GROWTH: f64 = 8.0;
const GROWTH_MAX: f64 = 1e6;
/// What is missed, and how far an answer may be from the best by the greatest pull, when prices are
/// right.
const RIGHT: f64 = 1e-14;

impl Program<'_> {
    /// The answer, whatever the states to begin with.
    pub(super) fn priced(&self) -> Result<Solution, Fault> {
        let count = self.pull.len();
        let whole = self.covariance.matrix();
        let variances: f64 = whole.iter().step_by(count + 1).sum();
        let strongest = self.pull.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        let least = PENALTY * variances / count as f64 + strongest;
        let mut penalty = least;
        let mut prices = vec![0.0; self.equalities.len()];
        let (mut states, mut missed_before) = (self.cold(), f64::INFINITY);
        for _ in 0..ROUNDS {
            let found = self.charged(&whole, penalty, &prices, states)?;
            states = self.near_bounds(&found.weights);
            if let Some(answer) = self.settled(&states)? {
                return Ok(answer);
            }
            let missing = self.missing(&found.weights);
            for (price, missing) in prices.iter_mut().zip(&missing) {
                *price += penalty * missing;
            }
            let answer = self.proved(found.weights, prices.clone(), found.steps);
            let proof = answer.certificate;
            let near = RIGHT * self.aversion * strongest.max(1.0);
            if proof.equality <= RIGHT && proof.gap <= near {
                return Ok(answer);
            }
            let missed = missing.iter().fold(0.0f64, |most, x| most.max(x.abs()));
            if missed > missed_before / 4.0 {
                penalty = (penalty * GROWTH).min(least * GROWTH_MAX);
            }
            missed_before = missed;
        }
        Err(Fault::Unsettled {
            what: "portfolio",
            steps: ROUNDS,
        })
    }

    /// What is best within bounds where equalities are paid for.
    fn charged(
        &self,
        whole: &[f64],
        penalty: f64,
        prices: &[f64],
        states: Vec<State>,
    ) -> Result<Solution, Fault> {
        let count = self.pull.len();
        let (mut matrix, mut pull) = (whole.to_vec(), self.pull.clone());
        for ((row, value), price) in self.equalities.iter().zip(prices) {
            for (numbers, x) in matrix.chunks_exact_mut(count).zip(*row) {
                let numbers = numbers.iter_mut().zip(*row);
                numbers.for_each(|(number, y)| *number += penalty * x * y);
            }
            let paid = price + penalty * value;
            let pull = pull.iter_mut().zip(*row);
            pull.for_each(|(pull, x)| *pull += paid * x);
        }
        let covariance = Covariance::dense(&matrix, count)?;
        let bounded = Program {
            covariance: &covariance,
            pull,
            aversion: self.aversion,
            lower: self.lower,
            upper: self.upper,
            equalities: Vec::new(),
        };
        bounded.pivoted(states)
    }

    /// The answer of these states, if they are the right ones.
    fn settled(&self, states: &[State]) -> Result<Option<Solution>, Fault> {
        let free = states.iter().filter(|state| **state == State::Free);
        if free.count() < self.equalities.len() {
            return Ok(None);
        }
        match self.pivoted_within(states.to_vec(), 1) {
            Ok(answer) => Ok(Some(answer)),
            Err(Fault::Unsettled { .. } | Fault::Collinear { .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}
