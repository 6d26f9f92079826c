//! The order pool: 32-byte records with their queue links inside, named by a dense handle.
//!
//! Two records share a cache line, so a cancel of a cold order costs one miss for all that is to be
//! known of it. Freed records are reused last in, first out: the next order finds a warm one. A
//! free record says how much farther than the record behind it the next free one is, as bits that
//! differ, so that memory of zeros is a pool whose records are all free, in their order. Handle 0
//! means none.

use bytemuck::{Pod, Zeroable};
use wire::ring::{Event, QUANTITY_MAX, Side};

use crate::memory::cleared;
use crate::parts::{Part, Parts};

/// The handle that names no order.
pub(crate) const NONE: u32 = 0;

/// The greatest order number that a record can hold.
pub(crate) const ORDER_REF_MAX: u64 = (1 << 48) - 1;

const QUANTITY_BITS: u32 = 20;
const QUANTITY_MASK: u64 = (1 << QUANTITY_BITS) - 1;
const SYMBOL_SHIFT: u32 = 2 * QUANTITY_BITS;
const SIDE_SHIFT: u32 = SYMBOL_SHIFT + 16;

const _: () = assert!(QUANTITY_MAX as u64 <= QUANTITY_MASK);
const _: () = assert!(crate::SPECIAL_MAX as u64 <= QUANTITY_MASK);
/// From here on, flags of orders that are not plain.
const FLAG_SHIFT: u32 = SIDE_SHIFT + 1;
const HIDDEN: u64 = 1 << FLAG_SHIFT;
/// It has a part, which is named where a plain order has its executed units.
const IN_PART: u64 = 2 << FLAG_SHIFT;
/// It is live beside the book.
const PARKED: u64 = 4 << FLAG_SHIFT;
/// It stands at the end of the ladder, for any price.
const ANY_PRICE: u64 = 8 << FLAG_SHIFT;

/// Where the words of an event have [`Event::HIDDEN`].
pub(crate) const HEAD_HIDDEN: u64 = (Event::HIDDEN as u64) << 24;
/// From a head to a record's state.
const HIDDEN_UP: u32 = HIDDEN.trailing_zeros() - HEAD_HIDDEN.trailing_zeros();

const _: () = assert!(FLAG_SHIFT < 64);
const _: () = assert!(size_of::<Order>() == 32);

/// An order on a book.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Order {
    /// Order number, and the session in the lowest 16 bits.
    id: u64,
    /// From the lowest bit: open units (20), executed units or part (20), symbol (16), side (1),
    /// flags (7).
    state: u64,
    /// The member's number.
    pub(crate) user_ref: u32,
    /// Where it rests: an index of the ladder's levels.
    pub(crate) level: u32,
    /// The order before it at its price.
    pub(crate) prev: u32,
    /// The order behind it at its price; in a free record, the next free one as it differs from the
    /// next record.
    pub(crate) next: u32,
}

/// What an order is before it has a place.
#[derive(Clone, Copy)]
pub(crate) struct Identity {
    /// Side, symbol and session where an event has them: a byte from bit 8, and 16 bits each from
    /// bits 32 and 48; and [`HEAD_HIDDEN`].
    pub(crate) head: u64,
    pub(crate) order_ref: u64,
    pub(crate) user_ref: u32,
}

impl Identity {
    #[inline]
    pub(crate) fn head(side: Side, symbol: u16, session: u16) -> u64 {
        (side as u64) << 8 | u64::from(symbol) << 32 | u64::from(session) << 48
    }

    #[inline]
    pub(crate) fn side(&self) -> Side {
        if self.head & 1 << 8 == 0 {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    #[inline]
    pub(crate) fn is_hidden(&self) -> bool {
        self.head & HEAD_HIDDEN != 0
    }

    #[inline]
    pub(crate) fn symbol(&self) -> u16 {
        (self.head >> 32) as u16
    }

    #[inline]
    pub(crate) fn session(&self) -> u16 {
        (self.head >> 48) as u16
    }
}

impl Order {
    /// All flags that a snapshot carries.
    pub(crate) const KEPT_FLAGS: u8 = ((HIDDEN | PARKED) >> FLAG_SHIFT) as u8;
    /// Of these: it is parked.
    pub(crate) const KEPT_PARKED: u8 = (PARKED >> FLAG_SHIFT) as u8;

    #[inline]
    pub(crate) fn new(who: &Identity, open: u32, executed: u32, level: u32) -> Self {
        debug_assert!(who.order_ref <= ORDER_REF_MAX);
        Self {
            id: who.order_ref << 16 | u64::from(who.session()),
            state: u64::from(open)
                | u64::from(executed) << QUANTITY_BITS
                | u64::from(who.symbol()) << SYMBOL_SHIFT
                | (who.side() as u64) << SIDE_SHIFT
                | (who.head & HEAD_HIDDEN) << HIDDEN_UP,
            user_ref: who.user_ref,
            level,
            prev: NONE,
            next: NONE,
        }
    }

    #[inline]
    pub(crate) fn identity(&self) -> Identity {
        let side = self.state >> SIDE_SHIFT & 1;
        let symbol = self.state >> SYMBOL_SHIFT & 0xFFFF;
        let hidden = self.state >> HIDDEN_UP & HEAD_HIDDEN;
        Identity {
            head: side << 8 | symbol << 32 | self.id << 48 | hidden,
            order_ref: self.id >> 16,
            user_ref: self.user_ref,
        }
    }

    #[inline]
    pub(crate) fn session(&self) -> u16 {
        self.id as u16
    }

    /// Whether it is the order that a session calls so.
    #[inline]
    pub(crate) fn is_named(&self, session: u16, user_ref: u32) -> bool {
        self.user_ref == user_ref && self.session() == session
    }

    /// What the member calls it, as one number.
    #[inline]
    pub(crate) fn name(&self) -> u64 {
        name(self.session(), self.user_ref)
    }

    /// Open units.
    #[inline]
    pub(crate) fn open(&self) -> u32 {
        (self.state & QUANTITY_MASK) as u32
    }

    /// Of an order without a part: units that traded, those of replaced orders included.
    #[inline]
    pub(crate) fn executed(&self) -> u32 {
        debug_assert!(self.part().is_none());
        (self.state >> QUANTITY_BITS & QUANTITY_MASK) as u32
    }

    /// Whether it is more than a plain order: something beside its record knows of it.
    #[inline]
    pub(crate) fn is_special(&self) -> bool {
        self.state >> FLAG_SHIFT != 0
    }

    #[inline]
    pub(crate) fn is_hidden(&self) -> bool {
        self.state & HIDDEN != 0
    }

    /// The flags that a snapshot carries, from the lowest bit; the others follow from other fields.
    pub(crate) fn kept_flags(&self) -> u8 {
        debug_assert!(self.state & !(HIDDEN | IN_PART | PARKED | ANY_PRICE) < HIDDEN);
        (self.state >> FLAG_SHIFT) as u8 & Self::KEPT_FLAGS
    }

    /// Sets the flags that a snapshot carried.
    pub(crate) fn set_kept_flags(&mut self, flags: u8) {
        debug_assert!(flags <= Self::KEPT_FLAGS);
        self.state |= u64::from(flags) << FLAG_SHIFT;
    }

    #[inline]
    pub(crate) fn is_parked(&self) -> bool {
        self.state & PARKED != 0
    }

    pub(crate) fn set_parked(&mut self) {
        self.state |= PARKED;
    }

    /// Where the rest of what is known of it stands, if there is more than this record.
    #[inline]
    pub(crate) fn part(&self) -> Option<u32> {
        (self.state & IN_PART != 0).then_some((self.state >> QUANTITY_BITS & QUANTITY_MASK) as u32)
    }

    /// Gives it a part, in which its executed units stand.
    pub(crate) fn set_part(&mut self, part: u32) {
        self.set_field(part);
        self.state |= IN_PART;
    }

    /// Takes its part from it.
    pub(crate) fn set_executed(&mut self, executed: u32) {
        self.set_field(executed);
        self.state &= !IN_PART;
    }

    fn set_field(&mut self, value: u32) {
        debug_assert!(u64::from(value) <= QUANTITY_MASK);
        self.state =
            self.state & !(QUANTITY_MASK << QUANTITY_BITS) | u64::from(value) << QUANTITY_BITS;
    }

    pub(crate) fn set_any_price(&mut self) {
        self.state |= ANY_PRICE;
    }

    pub(crate) fn set_order_ref(&mut self, order_ref: u64) {
        debug_assert!(order_ref <= ORDER_REF_MAX);
        self.id = order_ref << 16 | u64::from(self.session());
    }

    /// Moves open units of an order without a part, no more than there are, to the executed ones.
    #[inline]
    pub(crate) fn execute(&mut self, quantity: u32) {
        debug_assert!(quantity <= self.open() && self.part().is_none());
        let quantity = u64::from(quantity);
        self.state = self.state + (quantity << QUANTITY_BITS) - quantity;
    }

    /// Takes off open units, no more than there are.
    #[inline]
    pub(crate) fn reduce(&mut self, quantity: u32) {
        debug_assert!(quantity <= self.open());
        self.state -= u64::from(quantity);
    }
}

/// Bits of a [`name`].
pub(crate) const NAME_BITS: u32 = 48;

/// A session's order as one number.
#[inline]
pub(crate) fn name(session: u16, user_ref: u32) -> u64 {
    u64::from(session) << 32 | u64::from(user_ref)
}

/// The pool. Every operation is O(1).
pub(crate) struct Slab<'m> {
    /// Record 0 is no order. As the neighbour of the first and of the last of a queue it is
    /// written to, which is cheaper than to ask whether there is a neighbour.
    pub(crate) orders: &'m mut [Order],
    /// Of the orders that are not plain.
    pub(crate) parts: Parts<'m>,
    /// The first free record; none if it is beyond the last one.
    pub(crate) free: u32,
    pub(crate) live: u32,
}

impl<'m> Slab<'m> {
    pub(crate) fn new(orders: &'m mut [Order], parts: &'m mut [Part]) -> Self {
        Self {
            orders,
            parts: Parts::new(parts),
            free: 1,
            live: 0,
        }
    }

    /// Forgets all orders.
    pub(crate) fn clear(&mut self) {
        let orders = cleared(&mut self.orders);
        *self = Self::new(orders, cleared(&mut self.parts.all));
    }

    pub(crate) fn live(&self) -> u32 {
        self.live
    }

    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        (self.free as usize) < self.orders.len()
    }

    /// Stores an order; the caller has looked at [`Slab::has_room`].
    pub(crate) fn insert(&mut self, order: Order) -> u32 {
        let handle = self.take();
        self.orders[handle as usize] = order;
        handle
    }

    /// Takes a record, to be written over; the caller has looked at [`Slab::has_room`].
    #[inline(always)]
    pub(crate) fn take(&mut self) -> u32 {
        assert!(
            self.has_room(),
            "an order was taken for which there is no room"
        );
        let handle = self.free;
        self.free = self.orders[handle as usize].next ^ (handle + 1);
        self.live += 1;
        handle
    }

    /// Frees the record of an order that has no part any more.
    #[inline]
    pub(crate) fn remove(&mut self, handle: u32) {
        debug_assert!(handle != NONE && self.live > 0);
        debug_assert!(self.orders[handle as usize].part().is_none());
        self.orders[handle as usize].next = self.free ^ (handle + 1);
        self.free = handle;
        self.live -= 1;
    }
}
