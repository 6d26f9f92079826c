//! GLIMPSE: the state of a feed for who joins late, sequenced in [`soup`](crate::soup).
//!
//! The messages are those of [`itch`](crate::itch), whose numbers they lack: system events, stock
//! directory and trading actions of the day so far, then each resting order as an Add Order with
//! its open units, best price first and the oldest first, then the end of the snapshot, which is
//! ours alone. Orders of one price keep their priority because they come in its order.

messages! {
    /// A message that only snapshots have.
    Message, "GLIMPSE",
    {}

    /// The end of the snapshot.
    SnapshotEnd = b'G', 21, fixed {
        /// Number of the feed's first message that the snapshot does not stand for, in digits.
        1 sequence: alpha20,
    }
}
