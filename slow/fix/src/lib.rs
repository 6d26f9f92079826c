//! FIX 4.4 order entry before a venue that speaks OUCH 5.0.
//!
//! A member logs on with the user name and password that it has at the venue; the gateway logs in
//! there as that member and knows no secret of its own. So every protection of the venue (limits,
//! throttles, cancel on disconnect, kill switch) holds for FIX as it does for OUCH. It reaches the
//! venue by two rings of memory for each member, and nobody else at all. The venue's numbered
//! replies are the gateway's output stream: reports are made from them, and made again from them.
//! Only the sequence numbers are kept on disk, a file for a member and day.
#![forbid(unsafe_code)]

pub mod config;
mod connection;
pub mod gateway;
mod lobby;
mod logon;
pub mod member;
pub mod message;
pub mod moment;
pub mod numbers;
pub mod order;
pub mod orders;
pub mod program;
pub mod requests;
pub mod session;
mod venue;
