//! Shared-memory rings, snapshots and counters: the home of atomics.
//!
//! - [`ring()`] makes a single-writer, single-reader ring of cache-line messages; its algorithm
//!   ([`Writer`], [`Reader`]) is written over [`RingMemory`], so that the very same lines run over
//!   mapped memory in production and over loom's atomics in the models.
//!   Each side may be another process, and may die: [`Peer`] says what the other one sees.
//! - [`SnapshotWriter`] and [`SnapshotReader`] share the latest value of something (a seqlock).
//! - [`Pages`] is memory for one owner's tables, on huge pages where there are any.
//! - [`CounterSet`] holds named counters and latency [`Histogram`]s, each written by one thread;
//!   [`CounterReader`] lists them from another process.
//!
//! Nothing here knows a message type, a clock or a thread. What is found in shared memory is never
//! trusted: a wrong header is an error that names the field, a wrong index is ignored and counted.

mod counter_layout;
mod counter_reader;
mod counters;
mod error;
mod gather;
mod histogram;
mod layout;
mod memory;
mod pages;
mod peer;
mod region;
mod ring;
mod shared_ring;
mod shared_snapshot;
mod slots;
mod snapshot;
mod wait;

pub use counter_layout::NAME_BYTES;
pub use counter_reader::CounterReader;
pub use counters::{Counter, CounterSet, Watch};
pub use error::{Error, Full, Replaced};
pub use histogram::{Buckets, Histogram, Summary};
pub use memory::{RingMemory, SnapshotMemory, Word};
pub use pages::{Pages, Share};
pub use peer::Peer;
pub use region::{Home, PageSize, Region};
pub use ring::{Reader, Writer};
pub use shared_ring::{DEPTH_MAX, SharedRing, ring, ring_at, ring_named};
pub use shared_snapshot::SharedSnapshot;
pub use snapshot::{SnapshotReader, SnapshotWriter};
