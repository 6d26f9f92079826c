//! Shared-memory rings, snapshots and counters: the home of atomics.
