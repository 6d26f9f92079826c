//! A venue over HTTP: its tables, its figures, and a page that shows them.
//!
//! Everything here may wait, and nothing of the venue waits for it: it reads the database of
//! `wirecross-slow` and the venue's counters, which are files. What a request may see is said in
//! [`rights`]; everything else is refused. `docs/api.md` describes requests and answers.
#![forbid(unsafe_code)]

pub mod config;
pub mod grpc;
pub mod keys;
pub mod metrics;
pub mod program;
pub mod rights;
pub mod scaling;

mod admit;
mod answer;
mod asked;
mod batch;
mod bodies;
mod crowd;
mod footprints;
mod memory;
mod openapi;
mod outgoing;
mod page;
mod patient;
mod quant;
mod reads;
mod routes;
mod said;
mod server;
mod sight;
mod stream;
mod times;
mod unharmed;
