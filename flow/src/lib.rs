//! Seeded order flow and the naive reference model: what load, benches and the simulator are fed
//! and judged by.
//!
//! - [`Naive`] is the engine as it should answer, written to be obviously right.
//! - [`Generator`] makes an endless stream of commands shaped like published exchange flow; the
//!   same [`Shape`] gives the same stream everywhere.
//! - [`recorded`] reads and writes recorded flow as CSV, and turns it into commands.
//!
//! No clock, no threads: a pause is a number beside the command.
#![forbid(unsafe_code)]

mod answer;
mod book;
mod command;
pub mod generator;
mod live;
mod middle;
pub mod naive;
mod random;
mod record;
pub mod recorded;
mod replay;
mod sequencer;
mod shape;

pub use generator::{Generator, Item, Mix, Shape, ShapeError};
pub use naive::{Naive, Resting};
pub use sequencer::Sequencer;
