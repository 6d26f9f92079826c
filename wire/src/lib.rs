//! Every byte that crosses a thread or a cable.
//!
//! Ring messages for threads; ITCH 5.0, OUCH 5.0, SoupBinTCP 3.00, MoldUDP64 1.00, the BinaryFILE
//! framing, depth and drop copy for cables. Decoders are views over the caller's bytes whose length
//! was checked once; encoders write into the caller's buffer. Nothing here allocates, and prices
//! are integers.
//!
//! Each message stands once, in a table in its module: the views, the encoders and `docs/wire.md`
//! all come from there.
#![no_std]
#![forbid(unsafe_code)]

#[macro_use]
mod value;
#[macro_use]
mod table;
mod error;
mod field;

pub mod binary_file;
pub mod depth;
pub mod drop_copy;
pub mod glimpse;
pub mod itch;
pub mod mold;
pub mod ouch;
pub mod ring;
pub mod soup;

pub use error::{Error, Fault};
pub use field::{FieldRow, MessageRow, padded, trimmed};
