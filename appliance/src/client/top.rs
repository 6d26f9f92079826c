//! What `wirecross top` shows: readings of a venue's counters, and pictures of two of them.

mod markets;
mod picture;
mod reading;
mod screen;
mod text;

pub use markets::{levels, table};
pub use picture::{Hop, Picture, Row, Waiting};
pub use reading::Reading;
pub use screen::{draw, draw_markets};
