//! Portfolios: what to hold, what it may lose, and what is known of how assets move.
//!
//! Weights are parts of the whole, returns and variances those of a period of the user's choice.

mod covariance;
mod estimate;
mod frontier;
mod optimum;
mod parity;
mod pivoting;
pub mod risk;
mod views;

pub use covariance::{ASSETS_MAX, Covariance};
pub use estimate::{Estimate, Target, ledoit_wolf, pairwise, sample, weighted};
pub use frontier::{Corner, Frontier, frontier};
pub use optimum::{Certificate, Equality, MeanVariance, Solution, WEIGHT_MAX, max_sharpe};
pub use parity::{Parity, risk_parity};
pub use views::{View, black_litterman, implied_mean};
