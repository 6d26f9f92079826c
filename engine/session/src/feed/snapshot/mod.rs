//! Snapshots of a feed over SoupBinTCP, so that a late joiner needs no history: one login, one
//! snapshot, end of session.

mod client;
mod server;

pub use client::{Snapped, SnapshotClient};
pub use server::{SNAPSHOT_BYTES_MAX, Snapshot, SnapshotConnection, SnapshotServer};
