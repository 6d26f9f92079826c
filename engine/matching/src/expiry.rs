//! Expiry: a heap of the orders that leave the book at a time, the next one at hand.
//!
//! An input before the next expiry costs one comparison. Adding, taking out and moving an order is
//! at most 27 steps along the heap, whatever its expiry: as many as [`crate::ORDERS_MAX`] has bits.

use wire::ring::{Input, Reason};

use crate::answers::canceled;
use crate::engine::Pending;
use crate::iceberg::Part;
use crate::slab::Order;
use crate::{Engine, Events, Step};

/// Events that are kept for the input itself behind those of the orders that expire.
const ROOM_OF_INPUT: usize = 8;

const _: () = assert!(crate::EVENTS_MAX > ROOM_OF_INPUT);

/// The orders that expire: by expiry, then by order number.
pub(crate) struct Expiries<'m> {
    /// Handles; each one's place stands in its [`Part`].
    heap: &'m mut [u32],
    len: usize,
    /// The earliest expiry, the greatest number if there is none.
    pub(crate) next_ns: u64,
}

/// What an engine's orders are sorted by.
struct Keys<'a> {
    orders: &'a [Order],
    parts: &'a mut [Part],
}

impl Keys<'_> {
    fn key(&self, handle: u32) -> (u64, u64) {
        let order_ref = self.orders[handle as usize].identity().order_ref;
        (self.parts[handle as usize].expiry_ns, order_ref)
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

    /// The next order that expires by a time, if there is one.
    fn due(&self, time_ns: u64) -> Option<u32> {
        let first = self.heap[..self.len].first().copied();
        first.filter(|_| self.next_ns <= time_ns)
    }

    fn add(&mut self, keys: &mut Keys<'_>, handle: u32) {
        self.heap[self.len] = handle;
        self.len += 1;
        self.rise(keys, self.len - 1);
        self.look(keys);
    }

    fn remove(&mut self, keys: &mut Keys<'_>, handle: u32) {
        let at = keys.parts[handle as usize].heap_at as usize;
        assert!(
            at < self.len && self.heap[at] == handle,
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
        let handle = self.heap[at];
        while at > 0 && keys.key(handle) < keys.key(self.heap[(at - 1) / 2]) {
            self.put(keys, at, self.heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        self.put(keys, at, handle);
    }

    /// Moves an entry down to where it belongs.
    fn sink(&mut self, keys: &mut Keys<'_>, mut at: usize) {
        let handle = self.heap[at];
        loop {
            let children = 2 * at + 1..(2 * at + 3).min(self.len);
            let least = children.min_by_key(|child| keys.key(self.heap[*child]));
            match least.filter(|child| keys.key(self.heap[*child]) < keys.key(handle)) {
                Some(child) => {
                    self.put(keys, at, self.heap[child]);
                    at = child;
                }
                None => break,
            }
        }
        self.put(keys, at, handle);
    }

    fn put(&mut self, keys: &mut Keys<'_>, at: usize, handle: u32) {
        self.heap[at] = handle;
        keys.parts[handle as usize].heap_at = at as u32;
    }

    fn look(&mut self, keys: &Keys<'_>) {
        let first = self.heap[..self.len].first();
        self.next_ns = first.map_or(u64::MAX, |handle| keys.parts[*handle as usize].expiry_ns);
    }
}

impl Engine<'_> {
    /// Lets an order that just rested leave the book at a time.
    #[cold]
    pub(crate) fn expire_at(&mut self, handle: u32, expiry_ns: u64) {
        self.slab.orders[handle as usize].set_expires();
        self.parts[handle as usize].expiry_ns = expiry_ns;
        let (orders, parts) = (&*self.slab.orders, &mut *self.parts);
        self.expiries.add(&mut Keys { orders, parts }, handle);
    }

    /// Forgets the expiry of an order that leaves.
    #[cold]
    pub(crate) fn expire_never(&mut self, handle: u32) {
        let (orders, parts) = (&*self.slab.orders, &mut *self.parts);
        self.expiries.remove(&mut Keys { orders, parts }, handle);
    }

    /// Puts an order that expires and has a greater number than before where it belongs now.
    pub(crate) fn expire_later(&mut self, handle: u32) {
        let (orders, parts) = (&*self.slab.orders, &mut *self.parts);
        let at = parts[handle as usize].heap_at as usize;
        self.expiries.sink(&mut Keys { orders, parts }, at);
    }

    /// Takes off the orders that expire by an input's time, then applies the input.
    #[cold]
    pub(crate) fn expire_then_apply(&mut self, input: &Input, events: &mut Events) -> Step {
        while let Some(handle) = self.expiries.due(input.time_ns) {
            if events.room() <= ROOM_OF_INPUT {
                self.pending = Pending::Expire(*input);
                return Step::More;
            }
            let order = self.slab.orders[handle as usize];
            let price = self.books.price(order.level);
            self.take_off(self.refs.find(self.slab.orders, handle));
            events.push_words(canceled(&order, price, Reason::Expired, 0));
        }
        self.apply_now(input, events)
    }
}
