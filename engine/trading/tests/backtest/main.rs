//! Backtests: fills worked out by hand, one clock for all messages, and the same bytes twice.

#![allow(clippy::unwrap_used)]

#[path = "../desk/kit.rs"]
#[allow(dead_code)]
mod kit;

mod days;
mod queue;
mod times;
