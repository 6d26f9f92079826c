//! The whole appliance on one thread with simulated net, clock and disk.
//!
//! [`run`] takes a seed and lives through a trading day: the venue's own tiles, polled in an order
//! of the seed's choice; members who log in, send generated flow with attributes of every kind, get
//! cut off and come back; a topology with rules; an operator; a feed that loses, doubles and
//! reorders packets; a disk that is slow, full or failing; power cuts, kills and clean stops with a
//! restart from the journal. At the end everything that was heard is compared with what a naive
//! model makes of the journal. A run is a function of its seed: the same seed gives the same bytes.
//!
//! What is not simulated: more than one thread, and time between two lines of a tile.
#![forbid(unsafe_code)]

mod clock;
mod day;
mod digest;
mod life;
mod member;
mod net;
mod oracle;
mod plan;
mod random;
mod reply;
mod wiring;
mod wish;
mod words;

pub use clock::SimClock;
pub use day::{Report, run};
pub use net::{Faults as NetFaults, SimNet, SimTcp, SimUdp, Wires};
pub use plan::{End, LifePlan, Plan};
pub use random::Random;
