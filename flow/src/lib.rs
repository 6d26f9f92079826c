//! Seeded order flow and the naive reference model: what load, benches and the simulator are fed
//! and judged by.
//!
//! - [`Naive`] is the engine as it should answer, written to be obviously right.
//! - [`Generator`] makes an endless stream of commands shaped like published exchange flow; the
//!   same [`Shape`] gives the same stream everywhere.
//! - [`Hostile`] makes inputs that meet every rule all the time; [`reduce()`] cuts a failing stream
//!   down, and [`saved`] writes and reads it as text.
//! - [`recorded`] reads and writes recorded flow as CSV, and turns it into commands.
//!
//! No clock, no threads: a pause is a number beside the command.
#![forbid(unsafe_code)]

mod answer;
mod book;
mod command;
pub mod generator;
pub mod hostile;
mod live;
mod middle;
pub mod naive;
mod random;
mod record;
pub mod recorded;
mod reduce;
mod replay;
pub mod saved;
mod sequencer;
mod shape;

pub use generator::{Generator, Item, Mix, Shape, ShapeError};
pub use hostile::Hostile;
pub use naive::{Naive, Resting};
pub use reduce::reduce;
pub use sequencer::Sequencer;
