//! Portfolios: what to hold, what it may lose, and what is known of how assets move.
//!
//! Weights are parts of the whole, returns and variances those of a period of the user's choice.

#[cfg(feature = "clarabel")]
mod constrained;
mod corner;
mod covariance;
mod estimate;
mod frontier;
mod gradients;
mod held;
#[cfg(feature = "clarabel")]
mod interior;
mod lines;
mod optimum;
mod parity;
mod pivoting;
mod priced;
#[cfg(feature = "clarabel")]
mod proof;
pub mod risk;
mod symmetry;
mod system;
#[cfg(feature = "clarabel")]
mod task;
mod views;

#[cfg(feature = "clarabel")]
pub use constrained::{Constrained, ConstrainedSolution, Constraint, Method, Trading, Unsolved};
pub use corner::Corner;
pub use covariance::{ASSETS_MAX, Covariance};
pub use estimate::{Estimate, Target, ledoit_wolf, pairwise, sample, weighted};
pub use frontier::{Frontier, frontier, frontier_watched};
pub use optimum::{Certificate, Equality, MeanVariance, Solution, WEIGHT_MAX, max_sharpe};
pub use parity::{Parity, risk_parity};
#[cfg(feature = "clarabel")]
pub use proof::Proof;
pub use views::{View, black_litterman, implied_mean};
