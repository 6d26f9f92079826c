//! Small dense linear algebra: least squares by reflections, and singular values by rotations.
//!
//! For tall matrices of a few dozen columns, where accuracy counts and a library's blocking gains
//! nothing.

mod columns;
mod rotations;

pub use columns::{Columns, Triangle};
pub use rotations::singular;
