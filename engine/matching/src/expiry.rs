//! Expiry: a heap of the orders that leave the book at a time, the next one at hand.
//!
//! An input before the next expiry costs one comparison. Adding, taking out and moving an order is
//! at most 20 steps along the heap: as many as [`crate::SPECIAL_MAX`] has bits.

use wire::ring::{Command, Reason};

use crate::engine::Pending;
use crate::heap::{Heap, Timed};
use crate::parts::Part;
use crate::slab::{Order, Slab};
use crate::{Engine, Events, Step};

/// Events that are kept for the input itself behind those of the orders that expire.
const ROOM_OF_INPUT: usize = 8;

const _: () = assert!(crate::EVENTS_MAX > ROOM_OF_INPUT);

/// What orders that expire are sorted by: their parts' expiry, then their numbers.
struct Keys<'a> {
    orders: &'a [Order],
    parts: &'a mut [Part],
}

impl Timed for Keys<'_> {
    fn key(&self, part: u32) -> (u64, u64) {
        let Part {
            expiry_ns, order, ..
        } = self.parts[part as usize];
        (expiry_ns, self.orders[order as usize].identity().order_ref)
    }

    fn place(&mut self, part: u32) -> &mut u32 {
        &mut self.parts[part as usize].heap_at
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
        self.sort_expiries(handle, |expiries, keys, part| expiries.delay(keys, part));
    }

    /// Changes the heap for an order that expires.
    fn sort_expiries(
        &mut self,
        handle: u32,
        change: impl FnOnce(&mut Heap<'_>, &mut Keys<'_>, u32),
    ) {
        let part = self.slab.part_at(handle);
        let Slab { orders, parts, .. } = &mut self.slab;
        let mut keys = Keys {
            orders,
            parts: parts.all,
        };
        change(&mut self.expiries, &mut keys, part);
        self.look_at_clock();
    }

    /// Notes when the next order expires or the next state ends.
    pub(crate) fn look_at_clock(&mut self) {
        self.due_ns = self.expiries.next_ns.min(self.timers.next_ns);
    }

    /// Takes off the orders that expire by the input's time, then changes the states that end by
    /// it, then applies its command.
    #[cold]
    pub(crate) fn expire_then_apply(&mut self, command: &Command, events: &mut Events) -> Step {
        while let Some(part) = self.expiries.due(self.now_ns) {
            if events.room() <= ROOM_OF_INPUT {
                self.pending = Pending::Expire(*command);
                return Step::More;
            }
            let handle = self.slab.parts.all[part as usize].order;
            self.touch(self.slab.orders[handle as usize].identity().symbol());
            events.push_words(self.canceled(handle, Reason::Expired, 0));
            self.take_off(self.refs.find(self.slab.orders, handle));
        }
        while let Some(symbol) = self.timers.due(self.now_ns) {
            if events.room() <= ROOM_OF_INPUT {
                self.pending = Pending::Expire(*command);
                return Step::More;
            }
            if self.time_out(symbol as u16, command, events) == Step::More {
                return Step::More;
            }
        }
        let step = self.apply_now(command, events);
        self.ended(step, events)
    }
}
