//! Tests through the crate's face, on recorded hosts.
#![allow(clippy::unwrap_used)]

mod doctor;
mod exact;
mod harness;
mod jitter;
mod tune;
