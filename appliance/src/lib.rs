//! The appliance: topology, tiles, and the program wirecross.

pub mod commands;
pub mod topology;
