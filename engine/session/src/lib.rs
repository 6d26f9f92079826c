//! Protocol state machines between the wire and the engine; time is an argument.
//!
//! [`order_entry`] is the server's side of OUCH 5.0 on SoupBinTCP: bytes in, commands out; events
//! in, replies out. [`feed`] turns events into ITCH 5.0 on MoldUDP64 and receives such a feed.
//! [`soup_client`] and [`ouch_client`] are the member's side of order entry.
//!
//! Nothing here knows a socket or a clock: callers hand in bytes and nanoseconds since the Unix
//! epoch, and carry the bytes away. All memory is taken by the constructors.
#![forbid(unsafe_code)]

pub mod challenge;
pub mod feed;
pub mod order_entry;
pub mod ouch_client;
pub mod soup_client;

mod network;
mod state;
mod store;

pub use network::Network;
pub use state::StateError;

/// Nanoseconds in a second.
pub const SECOND_NS: u64 = 1_000_000_000;

/// Nanoseconds in a day: OUCH and ITCH times count from midnight, ours from the Unix epoch.
pub const DAY_NS: u64 = 86_400 * SECOND_NS;
