//! The whole appliance on one thread with simulated net, clock and disk.
//!
//! [`run`] takes a seed and lives through a trading day: the venue's own tiles, polled in an order
//! of the seed's choice; members who log in, send generated flow with attributes of every kind, get
//! cut off, come back and send again what was not answered; who reads drop copies; a topology with
//! rules; an operator; a network and a disk with every [`Fault`]; power cuts, kills and clean stops
//! with a restart from the journal, or from what a shadow made of it; who comes through a gateway's
//! rings, and who receives the feed by two lines. At the end everything that
//! was heard is compared with what a naive model makes of the journal. A run is a function of its
//! seed: the same seed gives the same bytes. [`Campaign`] runs many seeds; `docs/simulation.md`
//! says what is simulated and what is not.
#![forbid(unsafe_code)]

mod absence;
mod accounts;
mod caller;
mod calm;
mod campaign;
mod clock;
mod copy;
mod coverage;
mod damage;
mod day;
mod digest;
mod gateway;
mod levels;
mod life;
mod market;
mod member;
mod moment;
mod net;
mod oracle;
mod plan;
mod random;
mod receiver;
mod reply;
mod running;
mod sent;
mod shadow;
mod used;
mod wiring;
mod wish;
mod words;
mod wound;

pub use campaign::{Campaign, Outcome};
pub use clock::SimClock;
pub use coverage::{Coverage, Fault};
pub use day::{Report, run};
pub use net::{Faults as NetFaults, SimNet, SimTcp, SimUdp, Wires};
pub use plan::{DiskFailure, End, FilesFail, Interruption, LifePlan, Plan, Retention, Wound};
pub use random::Random;
