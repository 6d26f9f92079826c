//! A desk against recorded events: a simulated exchange, latencies, and the clock that they share.
//!
//! What is recorded happened without our orders, and they change nothing of it: nobody reacts to
//! them, and what they take is gone only for themselves. `docs/desk.md` states the rules.

mod drive;
mod exchange;
mod latency;
mod pit;
mod timed;

pub use drive::{Backtest, Models, Watcher};
pub use exchange::{Exchange, REFUSED_POST, REFUSED_UNKNOWN};
pub use latency::{Latency, Random};
