//! Numbers from market data: vector kernels.
//!
//! Pure: slices in, numbers out; no socket, no clock, no allocation where data flows. Prices are
//! integers in ticks where sums of them must be exact, and `f64` elsewhere.
#![deny(unsafe_code)]

#[allow(unsafe_code)]
pub mod arch;
pub mod bars;
pub mod indicators;
pub mod kernels;
pub mod statistics;
