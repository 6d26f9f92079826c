//! Expiry: a heap of the orders that leave the book at a time, the next one at hand.
//!
//! An input before the next expiry costs one comparison. Adding, taking out and moving an order is
//! at most 20 steps along the heap, whatever its expiry: as many as [`crate::SPECIAL_MAX`] has
//! bits.

use wire::ring::{Input, Reason};

use crate::engine::Pending;
use crate::parts::Part;
use crate::slab::{NONE, Order, Slab};
use crate::{Engine, Events, Step};

/// Events that are kept for the input itself behind those of the orders that expire.
const ROOM_OF_INPUT: usize = 8;

const _: () = assert!(crate::EVENTS_MAX > ROOM_OF_INPUT);

/// The orders that expire: by expiry, then by order number.
pub(crate) struct Expiries<'m> {
    /// Parts; each one has its place.
    pub(crate) heap: &'m mut [u32],
    pub(crate) len: usize,
    /// The earliest expiry, the greatest number if there is none.
    pub(crate) next_ns: u64,
}

/// What an engine's orders are sorted by.
struct Keys<'a> {
    orders: &'a [Order],
    parts: &'a mut [Part],
}

impl Keys<'_> {
    fn key(&self, part: u32) -> (u64, u64) {
        let Part {
            expiry_ns, order, ..
        } = self.parts[part as usize];
        (expiry_ns, self.orders[order as usize].identity().order_ref)
    }
}

impl<'m> Expiries<'m> {
    /// Room for as many orders as there are entries.
    pub(crate) fn new(heap: &'m mut [u32]) -> Self {
        Self {
            heap,
            len: 0,
            next_ns: u64::MAX,
        }
    }

    /// The part of the next order that expires by a time, if there is one.
    fn due(&self, time_ns: u64) -> Option<u32> {
        let first = self.heap[..self.len].first().copied();
        first.filter(|_| self.next_ns <= time_ns)
    }

    fn add(&mut self, keys: &mut Keys<'_>, part: u32) {
        self.heap[self.len] = part;
        self.len += 1;
        self.rise(keys, self.len - 1);
        self.look(keys);
    }

    fn remove(&mut self, keys: &mut Keys<'_>, part: u32) {
        let at = keys.parts[part as usize].heap_at as usize;
        assert!(
            at < self.len && self.heap[at] == part,
            "an order that expires is not in the heap"
        );
        self.len -= 1;
        if at < self.len {
            self.heap[at] = self.heap[self.len];
            self.rise(keys, at);
            self.sink(keys, keys.parts[self.heap[at] as usize].heap_at as usize);
        }
        self.look(keys);
    }

    /// Moves an entry up to where it belongs.
    fn rise(&mut self, keys: &mut Keys<'_>, mut at: usize) {
        let part = self.heap[at];
        while at > 0 && keys.key(part) < keys.key(self.heap[(at - 1) / 2]) {
            self.put(keys, at, self.heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        self.put(keys, at, part);
    }

    /// Moves an entry down to where it belongs.
    fn sink(&mut self, keys: &mut Keys<'_>, mut at: usize) {
        let part = self.heap[at];
        loop {
            let children = 2 * at + 1..(2 * at + 3).min(self.len);
            let least = children.min_by_key(|child| keys.key(self.heap[*child]));
            match least.filter(|child| keys.key(self.heap[*child]) < keys.key(part)) {
                Some(child) => {
                    self.put(keys, at, self.heap[child]);
                    at = child;
                }
                None => break,
            }
        }
        self.put(keys, at, part);
    }

    fn put(&mut self, keys: &mut Keys<'_>, at: usize, part: u32) {
        self.heap[at] = part;
        keys.parts[part as usize].heap_at = at as u32;
    }

    fn look(&mut self, keys: &Keys<'_>) {
        let first = self.heap[..self.len].first();
        self.next_ns = first.map_or(u64::MAX, |part| keys.parts[*part as usize].expiry_ns);
    }
}

impl Engine<'_> {
    /// Lets an order that just rested leave the book at a time.
    #[cold]
    pub(crate) fn expire_at(&mut self, handle: u32, expiry_ns: u64) {
        self.slab.make_part(handle).expiry_ns = expiry_ns;
        self.sort_expiries(handle, |expiries, keys, part| expiries.add(keys, part));
    }

    /// Forgets the expiry of an order that leaves.
    #[cold]
    pub(crate) fn expire_never(&mut self, handle: u32) {
        self.sort_expiries(handle, |expiries, keys, part| expiries.remove(keys, part));
    }

    /// Puts an order that expires and has a greater number than before where it belongs now.
    pub(crate) fn expire_later(&mut self, handle: u32) {
        self.sort_expiries(handle, |expiries, keys, part| {
            let at = keys.parts[part as usize].heap_at as usize;
            expiries.sink(keys, at);
        });
    }

    /// Changes the heap for an order that expires.
    fn sort_expiries(
        &mut self,
        handle: u32,
        change: impl FnOnce(&mut Expiries<'_>, &mut Keys<'_>, u32),
    ) {
        let Slab { orders, parts, .. } = &mut self.slab;
        let part = orders[handle as usize].part().unwrap_or(NONE);
        let mut keys = Keys {
            orders,
            parts: parts.all,
        };
        change(&mut self.expiries, &mut keys, part);
    }

    /// Takes off the orders that expire by an input's time, then applies the input.
    #[cold]
    pub(crate) fn expire_then_apply(&mut self, input: &Input, events: &mut Events) -> Step {
        while let Some(part) = self.expiries.due(input.time_ns) {
            if events.room() <= ROOM_OF_INPUT {
                self.pending = Pending::Expire(*input);
                return Step::More;
            }
            let handle = self.slab.parts.all[part as usize].order;
            self.touch(self.slab.orders[handle as usize].identity().symbol());
            events.push_words(self.canceled(handle, Reason::Expired, 0));
            self.take_off(self.refs.find(self.slab.orders, handle));
        }
        let step = self.apply_now(input, events);
        self.ended(step, events)
    }
}
