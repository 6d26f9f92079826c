//! Market data as a stream: books, tops and trades over WebSocket, as docs/stream.md describes.
//!
//! A thread of its own is a subscriber of the feed like any other ([`feed`]). What changed since it
//! last looked it makes one message of for each symbol and kind, and that message is framed, and
//! compressed, once for all who want it ([`hub`]). A connection has a queue of such frames
//! ([`outbox`]); one that takes them too slowly gets the present state in their place.

mod board;
mod compact;
mod connection;
pub(crate) mod feed;
mod figures;
mod hub;
mod json;
mod outbox;
mod pipe;
mod words;

pub(crate) use connection::upgrade;
pub(crate) use figures::FIGURES;
pub(crate) use hub::Hub;
pub(crate) use pipe::Pipe;

use wire::ring::Side;

/// What can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Channel {
    /// The best levels of a book.
    Book,
    /// The best prices.
    Top,
    /// Trades, and trades that are taken back.
    Trades,
}

impl Channel {
    pub(crate) const ALL: [Self; 3] = [Self::Book, Self::Top, Self::Trades];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Top => "top",
            Self::Trades => "trades",
        }
    }
}

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON, in texts.
    Json,
    /// Fixed fields, in bytes.
    Compact,
}

/// What stands at a price; no units where nothing does any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) price: i64,
    pub(crate) units: u64,
    pub(crate) orders: u32,
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trade {
    /// The venue's number of the match.
    pub(crate) id: u64,
    /// When, in nanoseconds since 1970.
    pub(crate) time_ns: u64,
    pub(crate) price: i64,
    pub(crate) units: u64,
    /// The side that arrived, where the feed says it.
    pub(crate) aggressor: Option<Side>,
}

/// How the market is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Not yet.
    Joining,
    /// As it is.
    Live,
    /// As it was: something is missing, or nothing comes.
    Stale,
    /// The day is over.
    Ended,
}

impl Sight {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Joining => "joining",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Ended => "ended",
        }
    }
}

/// What a message says of a symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Levels, best first: of a snapshot all, else those that changed.
    Book([Vec<Level>; 2]),
    /// The best levels.
    Top([Option<Level>; 2]),
    /// Trades, the oldest first, and numbers of those that were taken back.
    Trades(Vec<Trade>, Vec<u64>),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) symbol: &'a str,
    /// One more than the symbol's message of this channel before; a snapshot has the number of the
    /// last message that it stands for.
    pub(crate) sequence: u64,
    pub(crate) time_ns: u64,
    /// Whether this is the present state, whatever was told before.
    pub(crate) is_snapshot: bool,
    pub(crate) news: News,
}

impl Message<'_> {
    /// As it is sent.
    pub(crate) fn write(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Json => json::write(self).into_bytes(),
            Format::Compact => compact::write(self),
        }
    }
}
