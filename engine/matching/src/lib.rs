//! The deterministic price-time matching engine.
