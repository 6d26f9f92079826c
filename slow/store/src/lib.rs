//! Tables that follow from a venue's journal and streams.
//!
//! The journal is the truth; a [`Projector`] reads it and the streams beside it, from where its
//! tables stand, and writes rows and its own place in one transaction. So each message counts once
//! whatever ends the process, and the tables can be made anew at any time. Nothing is ever written
//! to the venue's directory, and no venue knows of its readers. The tables are described in
//! `docs/store.md`.
#![forbid(unsafe_code)]

mod answer;
mod audit;
mod bars;
mod book;
mod busts;
mod copy;
mod database;
mod day;
mod days;
mod error;
mod follow;
#[cfg(feature = "history")]
pub mod history;
mod inputs;
mod location;
mod moved;
mod orders;
pub mod pgbouncer;
mod place;
mod position;
#[cfg(feature = "postgres")]
mod postgres;
mod projector;
pub mod query;
mod rebuild;
mod reconcile;
#[cfg(feature = "postgres")]
pub mod router;
mod rows;
mod same;
#[cfg(feature = "postgres")]
pub mod shards;
mod sqlite;
mod sums;
mod tables;
mod versions;

pub use copy::copy;
pub use database::Database;
pub use error::Error;
pub use follow::{Following, Listener, follow};
pub use location::{Location, handed_password};
pub use position::Position;
#[cfg(feature = "postgres")]
pub use postgres::Server;
pub use projector::{BATCH, Projector, Turn};
pub use rebuild::rebuild;
pub use reconcile::{Compared, reconcile};
pub use sums::plans;
pub use versions::Version;
