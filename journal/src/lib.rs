//! The sequenced log on disk: every input of the engine, in order, once.
//!
//! The journal is a row of zero-filled segment files. A [`Writer`] puts each group of inputs into
//! one checksummed record and flushes it; what it reports as durable survives a power cut. After a
//! stop, [`recover`] reads everything back in order, cuts a torn tail and refuses damage anywhere
//! else. Neither knows a file: both work on a [`Storage`], which is [`FileStorage`] in production
//! and [`simulated::DiskStorage`] in tests. The bytes are described in `docs/journal.md`.
//!
//! Beside it lie what follows from it: output [streams](stream) and [snapshots](snapshot), which a
//! [`Follower`] of the journal makes. They are [`Files`], and a start can do without them.
//!
//! ```
//! use journal::{Config, Writer, recover, simulated::Disk};
//! use wire::ring::Input;
//!
//! let disk = Disk::new(1);
//! let mut storage = disk.storage();
//! let recovered = recover(&mut storage, &mut |_input| ()).expect("an empty disk is in order");
//! let config = Config { segment_bytes: journal::SEGMENT_BYTES_MIN };
//! let mut writer = Writer::open(storage, config, recovered.resume).expect("opens");
//! let input = Input { sequence: 1, ..bytemuck::Zeroable::zeroed() };
//! while writer.append(&[input]).is_err() {
//!     writer.poll().expect("a healthy disk"); // the first segment is still being prepared
//! }
//! while writer.durable() < 1 {
//!     writer.poll().expect("a healthy disk");
//! }
//! ```
#![deny(unsafe_code)]

pub mod record;
pub mod snapshot;
pub mod storage;
pub mod stream;

mod error;
mod files;
mod flipped;
mod follower;
mod index;
mod io;
mod judge;
mod keeper;
mod mark;
mod over;
mod recovery;
mod reserve;
mod row;
pub mod simulated;
mod staging;
mod tail;
mod walk;
mod window;
mod wipe;
mod writer;

pub use error::{AppendError, Corrupt, DataError, Field, RecoveryError, WriterError};
pub use files::{DirectoryFiles, Files};
pub use flipped::{Flipped, flipped};
pub use follower::Follower;
pub use index::{INDEX_FILE, Index, MARK_BYTES, Row};
pub use io::{DirectoryShelf, FileList, FileSegments, FileStorage, Mode, OpenError, Wanted};
pub use judge::Record;
pub use keeper::{Keep, Keeper, Kept, Shelf};
pub use mark::Mark;
pub use recovery::{Recovered, Resume, Torn, recover, recover_from};
pub use reserve::Reserve;
pub use storage::{Act, Buffer, Completion, SegmentFile, Segments, Storage, StorageError};
pub use walk::{End, Walker};
pub use writer::{Config, Writer};

pub use wire::ring::Input;

/// Unit of writing: writes start and end at its multiples, so that O_DIRECT takes them.
pub const BLOCK_BYTES: usize = 4096;

/// Unit of placing: records start and end at its multiples.
pub const LINE_BYTES: usize = 64;

/// The most inputs that one record holds.
pub const GROUP_INPUTS_MAX: usize = 1024;

/// The most bytes that one write brings.
pub const WRITE_BYTES: usize = 256 << 10;

/// Bytes of a segment unless [`Config`] says otherwise.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// The least a segment may have: its opening record, one full group and a closing record.
pub const SEGMENT_BYTES_MIN: u64 = 72 << 10;

/// The most a segment may have.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 30;

const _: () = assert!(BLOCK_BYTES.is_multiple_of(LINE_BYTES));
const _: () = assert!(size_of::<Input>() == LINE_BYTES);
const _: () = assert!(SEGMENT_BYTES.is_multiple_of(BLOCK_BYTES as u64));
const _: () = assert!(SEGMENT_BYTES_MIN.is_multiple_of(BLOCK_BYTES as u64));
const _: () = assert!(SEGMENT_BYTES_MIN as usize >= (GROUP_INPUTS_MAX + 3) * LINE_BYTES);
const _: () = assert!(SEGMENT_BYTES_MAX <= u32::MAX as u64);
const _: () = assert!(WRITE_BYTES.is_multiple_of(BLOCK_BYTES));
const _: () = assert!(WRITE_BYTES >= (GROUP_INPUTS_MAX + 3) * LINE_BYTES + BLOCK_BYTES);
const _: () = assert!(WRITE_BYTES / LINE_BYTES <= u16::MAX as usize);
