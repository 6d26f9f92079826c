//! The desk: what feeds say, books rebuilt from it, and strategies that trade by it.
//!
//! Pure: messages in, books out; no socket, no clock. Prices are integers: of ITCH in 1/10,000, of
//! an [`Event`] in the ticks of its [`Instrument`].
#![forbid(unsafe_code)]

pub mod backtest;
pub mod desk;
pub mod strategies;

mod book;
mod books;
mod depth;
mod features;
mod image;
mod levels;
mod market;
mod ranked;
mod told;
mod watch;

pub use analytics::book::{Standing, Touch};
pub use book::{Book, Level, RestingOrder};
pub use books::{Applied, Books, Counts, OrderChange};
pub use depth::{DEPTH_LEVELS, Depth, LevelChange};
pub use features::{
    BadStep, EVERY_MS_MAX, FEATURE_NAMES, FEATURES, Features, REST_NS_MAX, Row, WINDOWS_MS,
};
pub use image::Image;
pub use levels::{Best, Levels};
pub use market::{DECIMALS_MAX, Decimal, Event, Instrument, NotSteps, Step, What};
pub use told::{added, apply_telling, named, standing};
pub use watch::{Numbers, Watch, WatchRule};
