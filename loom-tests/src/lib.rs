//! Models of every ring and seqlock: the tests of this crate.
//!
//! The algorithms of `queue` run here over loom's atomics ([`memory`]): loom tries every order
//! in which two threads can see each other's stores, within a bound on preemptions. Every model
//! says in words what must never happen, and how many executions it looked at: a model that
//! explores one execution proves nothing. `cargo x mutants` weakens the algorithms line by line and
//! demands that a model notices.
//!
//! What loom cannot do: it treats `SeqCst` accesses as acquire-release, does not explore load
//! buffering, and cannot model mapped memory; hence the memory traits of `queue`.

pub mod memory;
