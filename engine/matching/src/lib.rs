//! The deterministic price-time matching engine.
//!
//! One writer applies [`Input`](wire::ring::Input)s in sequence order and gets
//! [`Event`](wire::ring::Event)s: same inputs, same events, on every build. There is no clock, no
//! float, no allocator to call (`no_std`): all memory is handed in as lines when the engine is
//! made. What arrives is never trusted; whatever is wrong with it is answered by an event with a
//! reason.
//!
//! ```
//! use matching::{Engine, Events, Limits, Line, Step};
//! # use bytemuck::Zeroable;
//! use wire::ring::{Command, CommandKind, Event, EventKind, Input};
//!
//! let limits = Limits {
//!     symbols: 8,
//!     sessions: 4,
//!     orders: 1_000,
//!     special: 100,
//!     price_groups: 64,
//!     accounts: 4,
//! };
//! let mut memory = vec![Line::ZERO; limits.lines()];
//! let mut engine = Engine::new(limits, &mut memory)?;
//! let mut events = Events::new();
//! let command = Command { kind: CommandKind::OpenDay as u8, ..Command::zeroed() };
//! let step = engine.apply(&Input { sequence: 1, time_ns: 0, command }, &mut events);
//! assert_eq!(step, Step::Done);
//! assert_eq!(events.as_slice()[0].kind, EventKind::DayOpened as u8);
//! assert!(events.as_slice()[0].has(Event::LAST));
//! # Ok::<(), matching::LimitError>(())
//! ```
#![no_std]
#![deny(unsafe_code)]

mod accounts;
mod after;
mod ahead;
mod all_or_none;
mod allocation;
mod amend;
mod answers;
mod attributes;
mod bands;
mod bust;
mod dark;
mod engine;
mod entry;
mod expiry;
mod heap;
mod iceberg;
mod kill;
mod mandates;
mod market;
mod mass;
mod minimum;
mod parked;
mod parts;
mod pegs;
mod prefetch;
mod quick;
mod risk;
mod self_trade;
mod states;
mod stops;
mod trade;
mod uncross;

mod books;
mod place;
mod trie;
mod triggers;
mod watch;

mod refs;
mod slab;

mod unfinished;
mod view;

mod carry;
mod reader;
mod restore;
mod snapshot;
mod standing;
mod statement;

mod events;
mod limits;
mod memory;

pub use ahead::BURST_MAX;
pub use bust::BUSTS_MAX;
pub use engine::Engine;
pub use events::{EVENTS_MAX, Events, Step};
pub use limits::{
    LINE_BYTES, LimitError, Limits, Line, ORDERS_MAX, PRICE_GROUPS_MAX, SPECIAL_MAX, WHOLE_MAX,
};
pub use mandates::{MANDATES_MAX, Mandated};
pub use reader::{RestoreError, RestoreFault};
pub use standing::{AccountStanding, MarketStanding};
pub use unfinished::WORKS;
pub use view::RestingOrder;
