//! Nasdaq OUCH 5.0: order entry.
//!
//! Big-endian; `price` is 1/10,000 of the currency in 8 bytes; the time is nanoseconds since
//! midnight. A member numbers its orders within a session (user reference number). Some messages
//! end with an appendage: optional elements, each a length byte, a tag and a value. The messages
//! travel in [`soup`](crate::soup): inbound ones unsequenced, outbound ones sequenced.

pub mod inbound;
pub mod outbound;
mod tags;

pub use inbound::Inbound;
pub use outbound::Outbound;
pub use tags::{TAG_OWN_FIRST, TAG_VALUE_BYTES_MAX, Tag, TagRow, Tags};
