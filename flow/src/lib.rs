//! Seeded order flow and the naive reference model.
