//! Output streams on disk: numbered messages that follow from the journal's inputs.
//!
//! A stream is a file of pages, each with a checksum of its own and the one of the page before. It
//! is written without ever being flushed for its own sake: what a crash takes of it is found by the
//! checksums and made again by replaying the journal. The bytes are described in
//! `docs/streams.md`.

mod extent;
mod page;
mod reader;
mod writer;

pub use extent::{held, verify};
pub use page::{HEADER_BYTES, Header, MAGIC};
pub use reader::read;
pub use writer::{Position, Writer, check};

/// Version of the format that this code writes and reads.
pub const VERSION: u8 = 1;

/// Bytes of a page: what a file system writes at once.
pub const PAGE_BYTES: usize = 4096;

/// The longest message of a stream.
pub const STREAM_MESSAGE_BYTES_MAX: usize = 1_024;

/// What a stream tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// The feed of orders.
    Feed = 1,
    /// The feed of levels.
    Depth = 2,
    /// One session's replies.
    Replies = 3,
    /// One drop copy's.
    DropCopy = 4,
}

/// Which stream it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// What it tells.
    pub kind: Kind,
    /// Whom: number of the session or of the drop copy, from 1; 0 of a feed.
    pub number: u16,
}

impl Name {
    /// The feed of orders.
    pub const FEED: Self = Self {
        kind: Kind::Feed,
        number: 0,
    };

    /// The feed of levels.
    pub const DEPTH: Self = Self {
        kind: Kind::Depth,
        number: 0,
    };

    /// The file's name.
    #[must_use]
    pub fn file(self) -> String {
        match self.kind {
            Kind::Feed => "stream-feed".to_owned(),
            Kind::Depth => "stream-depth".to_owned(),
            Kind::Replies => format!("stream-replies-{:04}", self.number),
            Kind::DropCopy => format!("stream-copy-{:04}", self.number),
        }
    }
}
