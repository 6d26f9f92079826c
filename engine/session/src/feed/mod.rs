//! Market data: ITCH 5.0 messages in MoldUDP64 1.00 packets, sent and received.
//!
//! [`Publisher`] writes the messages of events into a bounded history and cuts packets out of it;
//! [`Receiver`] puts packets back into the one stream of messages, asking for what is missing.

mod history;
mod messages;
mod publisher;
mod receiver;

pub use publisher::{
    Answer, HISTORY_MIN, HistoryFull, PAYLOAD_BYTES_MIN, Publisher, PublisherConfig,
    PublisherCounters,
};
pub use receiver::{Received, Receiver, ReceiverConfig, ReceiverCounters, State};
