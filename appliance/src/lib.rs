//! The appliance: topology, tiles, and the program wirecross.

pub mod board;
pub mod client;
pub mod commands;
pub mod demo;
pub mod desk;
pub mod tiles;
pub mod topology;
pub mod venue;
