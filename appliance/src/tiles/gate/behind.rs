//! Whether the gate has had more to do than it can for too long.
//!
//! What members send waits in three places: the kernel's buffers, the gate's own, and the ring to
//! the engine. Each is bounded, but together they hold a second of work, and who sends more than
//! the venue can do fills them all: then every order of everybody is a second late. So new orders
//! are refused once the gate has not caught up for a time that the operator chose, and taken again
//! as soon as it has. What waits because of its own member, who takes no answers or sent too much,
//! does not count: nobody else is to feel that.

use crate::topology::{Link, Topology};

/// The ring to the engine is crowded when less than this part of it is free.
const FREE_PARTS: (usize, usize) = (3, 4);

/// Since when there was always something left to do.
pub(super) struct Behind {
    bound_ns: Option<u64>,
    room_min: usize,
    since_ns: Option<u64>,
}

impl Behind {
    /// As the topology says.
    pub(super) fn new(topology: &Topology) -> Self {
        let bound = topology.order_entry.refuse_after;
        let depth = topology.depth(Link::GateEngine);
        Self {
            bound_ns: bound.map(|time| time.as_nanos() as u64),
            room_min: depth * FREE_PARTS.0 / FREE_PARTS.1,
            since_ns: None,
        }
    }

    /// Whether it is too long: once a turn, with whether a command waited for the engine in the
    /// last one, and the ring's room.
    pub(super) fn is_too_long(&mut self, now_ns: u64, is_waiting: bool, room: usize) -> bool {
        let Some(bound_ns) = self.bound_ns else {
            return false;
        };
        if !is_waiting && room >= self.room_min {
            self.since_ns = None;
            return false;
        }
        let since_ns = *self.since_ns.get_or_insert(now_ns);
        now_ns.saturating_sub(since_ns) >= bound_ns
    }
}
