//! The rows, one file each.

pub mod aapl;
pub mod book;
pub mod cable;
pub mod cointegration;
pub mod desk;
pub mod durable;
pub mod journal;
pub mod latency;
pub mod leaving;
pub mod matching;
pub mod models;
pub mod montecarlo;
pub mod numbers;
pub mod packets;
pub mod portfolio;
pub mod publish;
pub mod rebalance;
pub mod regimes;
pub mod ring;
pub mod ring_peers;
pub mod risk;
pub mod roundtrip;
pub mod triangles;
pub mod venue;
