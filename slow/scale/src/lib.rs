//! How many shards a load needs, now and soon.
//!
//! [`gauges`] make a load of what a venue counts, [`predictor`] learns its day and says what comes,
//! [`policy`] decides on a number of shards and says why, [`plan`] plays a recorded load back and
//! adds up what the decisions would have cost; [`limit`] bounds what one service takes on
//! at once. No clock and no file here: times are arguments, so
//! what a service decides is decided again from the same numbers.
#![forbid(unsafe_code)]

pub mod gauges;
pub mod limit;
pub mod plan;
pub mod policy;
pub mod predictor;
pub mod trace;

pub use policy::{Decision, Policy, Rule, Scaler};
