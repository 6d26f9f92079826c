//! The desk of this program: what its file says, what comes to it, what is kept, and its picture.

pub mod data;
pub mod file;
pub mod ledger;
pub mod picture;
pub mod session;
