//! Numbers from market data: vector kernels, running statistics, indicators, bars, books,
//! arbitrage.
//!
//! Pure: numbers in, numbers out; no socket, no clock, no allocation where data flows. Prices are
//! integers in ticks where sums of them must be exact, and `f64` elsewhere. What comes out depends
//! on what goes in alone: all processors give the same bits, and a series gives those of its
//! numbers one by one.
#![deny(unsafe_code)]

pub mod arbitrage;
pub mod arch;
pub mod bars;
pub mod book;
pub mod indicators;
pub mod kernels;
pub mod statistics;
