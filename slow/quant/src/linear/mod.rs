//! Dense linear algebra: least squares by reflections and singular values by rotations of a few
//! dozen columns, where accuracy counts; Cholesky factors of any size, where speed does.

mod cholesky;
mod columns;
mod rotations;
mod triangle;

pub use cholesky::Cholesky;
pub use columns::{Columns, Triangle};
pub use rotations::singular;
pub use triangle::lower_triangle;
