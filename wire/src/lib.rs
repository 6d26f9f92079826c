//! Every byte that crosses a thread or a cable.
//!
//! Ring messages for threads; ITCH 5.0, OUCH 5.0, SoupBinTCP 3.00, MoldUDP64 1.00 and the BinaryFILE
//! framing for cables. Decoders are views over the caller's bytes whose length was checked once;
//! encoders write into the caller's buffer. Nothing here allocates, and prices are integers.
#![forbid(unsafe_code)]

pub mod ring;
