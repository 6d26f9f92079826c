//! Market data: ITCH 5.0 messages in MoldUDP64 1.00 packets, sent and received.
//!
//! A symbol without a Trading Action trades continuously. The reason of one is the venue's own name
//! of the state. Market orders rest only while an auction is called, ahead of all limits; the feed
//! adds them at the greatest price, to sell at 0. An auction is one Cross Trade without a match
//! number, and for each shown order an execution that is not printable.
//!
//! [`Publisher`] writes the messages of events into a bounded history and cuts packets out of it;
//! [`Receiver`] puts packets back into the one stream of messages, asking for what is missing.

mod depth;
mod guard;
mod history;
mod hold;
mod lines;
mod market;
mod messages;
mod past;
mod publisher;
mod receiver;
mod snapshot;
mod state;
mod stream;

pub use depth::{Depth, DepthPublisher};
pub use guard::{Admission, BYTES_PER_SECOND_MAX, BYTES_PER_SECOND_MIN, Guard, NETWORKS_MAX};
pub use lines::{Fed, LINES_MAX, LineCounters, Lines, LinesConfig, Want, Way};
pub(crate) use market::cross_of;
pub use publisher::{Orders, Publisher};
pub use receiver::{Received, Receiver, ReceiverConfig, ReceiverCounters, State};
pub use snapshot::{
    SNAPSHOT_BYTES_MAX, Snapped, Snapshot, SnapshotClient, SnapshotConnection, SnapshotServer,
};
pub use stream::{
    Answer, HISTORY_MIN, HistoryFull, PAYLOAD_BYTES_MIN, PublisherConfig, PublisherCounters, Stream,
};
