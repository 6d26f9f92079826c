//! Numbers that decide: cointegration, rebalancing, forecasts, portfolios, Monte Carlo,
//! models that were trained elsewhere, or here.
//!
//! Pure functions over slices: no clock, no files, no threads, and the same answer for the same
//! numbers. What cannot be computed is a [`Fault`] that says which input is to blame; nothing
//! panics for what it is given.
#![forbid(unsafe_code)]

pub mod cointegration;
pub mod distribution;
pub mod forecasting;
pub mod models;

mod fault;
mod linear;
pub mod monitoring;
pub mod montecarlo;
pub mod portfolio;
pub mod rebalancing;
pub mod training;

pub use fault::{Fault, MAGNITUDE_MAX};
