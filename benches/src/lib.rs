//! Benchmarks that check their answers and name their peers.
