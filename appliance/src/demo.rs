//! The whole path shown on one machine: a venue in a process of its own, members and a subscriber
//! in this one, and a judge that compares the feed's books with the journal's.
//!
//! As root the two sides live in network namespaces joined by a virtual cable, and the feed goes
//! around the kernel's stack on both ends. Without root everything runs on loopback, and says so.

mod arena;
mod currencies;
mod desk;
mod generated;
mod judge;
mod recorded;
mod tables;
mod venue;

pub use arena::{Addresses, Arena};
pub use generated::{Generated, Shown, run as run_generated};
pub use judge::{Judged, judge};
pub use recorded::{Played, run as run_recorded};
pub use tables::{Tables, compare as compare_tables};
pub use venue::{Plan, Summary, VenueProcess};
