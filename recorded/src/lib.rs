//! Recorded market data, whatever wrote it, as one kind of [`Event`]s.
//!
//! A [`Recording`] is an iterator over a file: it reads as it goes, holds no more of a file than a
//! line or a record and what must wait for a snapshot, and ends with the first error, which names
//! the file, the place and the field. Files compressed by gzip or zstd are read as they are.
//!
//! - [`binance`]: lines of a time of receipt and a websocket message, of spot or perpetuals;
//! - [`bitstamp`]: Bitstamp's live orders, a line each;
//! - [`databento`]: Databento's DBN, order by order (`mbo`) or best prices (`mbp-1`);
//! - [`itch`]: Nasdaq's ITCH 5.0 in BinaryFILE;
//! - [`lobster`]: LOBSTER's messages with the book after each;
//! - [`session`]: a day of a desk of ours.
#![forbid(unsafe_code)]

pub mod binance;
pub mod bitstamp;
pub mod databento;
mod error;
pub mod itch;
pub mod lobster;
mod merged;
mod open;
mod orders;
mod recording;
pub mod session;
mod source;

pub use error::{Error, Fault, Place};
pub use merged::Merged;
pub use open::{Format, Options, open};
pub use recording::{Recording, Records};
pub use trading::{Event, Instrument, What};
