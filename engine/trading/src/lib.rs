//! The desk's view of a market: books rebuilt from its feed, and nothing else yet.
//!
//! Pure: messages in, books out; no socket, no clock. Prices are integers in 1/10,000.
#![forbid(unsafe_code)]

mod book;
mod books;
mod image;
mod levels;

pub use book::{Book, Level, RestingOrder};
pub use books::{Applied, Books, Counts};
pub use image::Image;
pub use levels::{Best, Levels};
