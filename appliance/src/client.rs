//! What the member's and the subscriber's commands are made of: load, demo, book, replay.

pub mod depth;
pub mod flame;
mod line;
pub mod load;
pub mod members;
pub mod profile;
pub mod recorded;
pub mod report;
pub mod scenario;
pub mod subscriber;
pub mod top;
pub mod tracker;
pub mod words;
