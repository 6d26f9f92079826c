//! What `wirecross top` shows: readings of a venue's counters, and pictures of two of them.

mod picture;
mod reading;
mod screen;
mod text;

pub use picture::{Hop, Picture, Row, Waiting};
pub use reading::Reading;
pub use screen::draw;
