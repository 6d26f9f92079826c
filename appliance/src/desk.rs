//! The desk of this program: what its file says, its tiles, what is kept of a run, and its picture.

pub mod brain;
pub mod data;
pub mod feed;
pub mod file;
pub mod keeper;
pub mod ledger;
pub mod live;
pub mod market;
pub mod models;
pub mod orders;
pub mod picture;
pub mod played;
pub mod session;
pub mod slip;
