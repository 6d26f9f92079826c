//! Orders that are not plain: what is known of them beyond their records.
//!
//! An order that its 32-byte record cannot say all about has a [`Part`] of a pool of its own; the
//! record says so by one flag, and names the part where others have their executed units, which
//! stand in the part then. An order has a part exactly while there is something in it that a record
//! cannot say: how many parts are taken follows from what the orders are, never from what they
//! were.

use bytemuck::{Pod, Zeroable};

use wire::ring::{Condition, PRICE_MARKET, PRICE_MAX, QUANTITY_MAX, TimeInForce};

use crate::Engine;
use crate::carry::Carrier;
use crate::slab::{NONE, Order, Slab};
use crate::watch::List;

const _: () = assert!(size_of::<Part>() == crate::LINE_BYTES);

/// Places of elected stops that are taken from a snapshot leave room for as many more.
const PLACES_MAX: u32 = u32::MAX / 2;

const _: () = assert!(crate::SPECIAL_MAX < PLACES_MAX);

/// What is known of an order beyond its record.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Part {
    /// When it leaves the book, 0 for never.
    pub(crate) expiry_ns: u64,
    /// Its order; in a free part, the next free one.
    pub(crate) order: u32,
    /// Units that traded, those of replaced orders included.
    pub(crate) executed: u32,
    /// Units that aggressors meet, 0 if it holds none back.
    pub(crate) tip: u32,
    /// Units of a fresh tip, 0 if it holds none back.
    pub(crate) displayed: u32,
    /// Its place among the orders that expire.
    pub(crate) heap_at: u32,
    /// Of a parked order its limit, of a peg its cap, or the market price; 0 for other orders.
    pub(crate) price: u32,
    /// Of its condition.
    pub(crate) amount: i32,
    /// The price that a trailing stop's trigger keeps its distance from, 0 for none yet.
    pub(crate) mark: u32,
    /// A [`Condition`].
    pub(crate) condition: u8,
    /// It trades whole.
    pub(crate) is_whole: u8,
    /// The [`List`] that it is in, 0 for none.
    pub(crate) list: u8,
    /// Which bit the branch of a tree of triggers is about that lies here, if one does.
    pub(crate) bit: u8,
    /// Its neighbours in its list.
    pub(crate) prev: u32,
    pub(crate) next: u32,
    /// What is below the branch; of an elected stop, its place among the elected ones and nothing.
    pub(crate) children: [u32; 2],
    /// A [`TimeInForce`] if it is only for an auction, 0 if not.
    pub(crate) life: u8,
    unused: [u8; 3],
}

impl Part {
    /// What a snapshot carries beside the order's record and executed units.
    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self {
            expiry_ns,
            order: _,
            executed: _,
            tip,
            displayed,
            heap_at: _,
            price,
            amount,
            mark,
            condition,
            is_whole,
            life,
            // Lists and trees are made anew.
            list,
            bit: _,
            prev: _,
            next: _,
            children: [place, _],
            unused: _,
        } = self;
        if *list != List::Elected as u8 {
            *place = 0;
        }
        to.number("part.expiry_ns", expiry_ns, 0..=i64::MAX as u64)?;
        to.number("part.displayed", displayed, 0..=QUANTITY_MAX)?;
        to.number("part.tip", tip, 0..=*displayed)?;
        to.number("part.price", price, 0..=PRICE_MARKET as u32)?;
        to.number(
            "part.condition",
            condition,
            0..=Condition::MidpointPeg as u8,
        )?;
        to.any("part.amount", amount)?;
        to.number("part.whole", is_whole, 0..=1)?;
        to.number("part.life", life, 0..=TimeInForce::AtClose as u8)?;
        to.check("part.life", *life != TimeInForce::ImmediateOrCancel as u8)?;
        to.number("part.mark", mark, 0..=PRICE_MAX as u32)?;
        to.number("part.elected", place, 0..=PLACES_MAX)
    }

    /// Whether an order on a book or a parked one can have it, as far as it was carried.
    pub(crate) fn fits(&self, order: &Order, tick: u32) -> bool {
        let is_iceberg = self.tip > 0 && self.tip < order.open() && !order.is_hidden();
        let is_shown_well = if order.is_parked() {
            self.tip == 0
        } else {
            self.displayed == 0 || is_iceberg
        };
        !self.is_empty() && is_shown_well && self.waits_well(order, tick)
    }

    /// Whether it says nothing that its order's record could not say.
    fn is_empty(&self) -> bool {
        self.expiry_ns == 0 && self.displayed == 0 && self.price == 0
    }
}

/// The pool. Every operation is O(1).
pub(crate) struct Parts<'m> {
    /// Part 0 is none.
    pub(crate) all: &'m mut [Part],
    pub(crate) free: u32,
    pub(crate) fresh: u32,
    pub(crate) live: u32,
}

impl<'m> Parts<'m> {
    pub(crate) fn new(all: &'m mut [Part]) -> Self {
        Self {
            all,
            free: NONE,
            fresh: 1,
            live: 0,
        }
    }

    /// Whether one more order can have one.
    pub(crate) fn has_room(&self) -> bool {
        (self.live as usize) < self.all.len() - 1
    }

    /// Takes a part for an order; the caller has looked at [`Parts::has_room`].
    fn take(&mut self, order: u32, executed: u32) -> u32 {
        assert!(self.has_room(), "an order got a part that is not there");
        let mut handle = self.free;
        if handle == NONE {
            handle = self.fresh;
            self.fresh += 1;
        } else {
            self.free = self.all[handle as usize].order;
        }
        self.live += 1;
        self.all[handle as usize] = Part {
            order,
            executed,
            ..Part::zeroed()
        };
        handle
    }

    fn give_back(&mut self, handle: u32) {
        debug_assert!(handle != NONE && self.live > 0);
        self.all[handle as usize].order = self.free;
        self.free = handle;
        self.live -= 1;
    }
}

impl Slab<'_> {
    /// What is known of an order beyond its record, if there is more.
    #[inline]
    pub(crate) fn part_of(&self, handle: u32) -> Option<&Part> {
        let part = self.orders[handle as usize].part()?;
        self.parts.all.get(part as usize)
    }

    /// Where the part of an order is that has one.
    pub(crate) fn part_at(&self, handle: u32) -> u32 {
        self.orders[handle as usize].part().unwrap_or(NONE)
    }

    /// As [`Slab::part_of`], to be changed; [`Slab::settle`] comes after.
    pub(crate) fn part_of_mut(&mut self, handle: u32) -> Option<&mut Part> {
        let part = self.orders[handle as usize].part()?;
        self.parts.all.get_mut(part as usize)
    }

    /// The part of an order, a fresh one if it has none; for that the caller has looked at
    /// [`Parts::has_room`].
    pub(crate) fn make_part(&mut self, handle: u32) -> &mut Part {
        let order = &mut self.orders[handle as usize];
        let part = match order.part() {
            Some(part) => part,
            None => {
                let part = self.parts.take(handle, order.executed());
                order.set_part(part);
                part
            }
        };
        &mut self.parts.all[part as usize]
    }

    /// Gives an order's part back if it says nothing any more.
    pub(crate) fn settle(&mut self, handle: u32) {
        if self.part_of(handle).is_some_and(Part::is_empty) {
            self.drop_part(handle);
        }
    }

    /// Gives an order's part back, if it has one.
    fn drop_part(&mut self, handle: u32) {
        let order = &mut self.orders[handle as usize];
        if let Some(part) = order.part() {
            order.set_executed(self.parts.all[part as usize].executed);
            self.parts.give_back(part);
        }
    }

    /// Units of an order that traded, those of replaced orders included.
    #[inline]
    pub(crate) fn executed(&self, order: &Order) -> u32 {
        match order.part() {
            None => order.executed(),
            Some(part) => self.parts.all[part as usize].executed,
        }
    }

    /// Moves open units of any order, no more than there are, to the executed ones.
    pub(crate) fn execute(&mut self, handle: u32, quantity: u32) {
        match self.part_of_mut(handle) {
            None => self.orders[handle as usize].execute(quantity),
            Some(part) => {
                part.executed += quantity;
                self.orders[handle as usize].reduce(quantity);
            }
        }
    }
}

impl Engine<'_> {
    /// Takes an order that is not plain, and that leaves, out of everything that knows of it beside
    /// its record; gives its part back.
    #[cold]
    pub(crate) fn forget(&mut self, handle: u32) {
        self.lighten(handle);
        self.forget_wait(handle);
        if self
            .slab
            .part_of(handle)
            .is_some_and(|part| part.expiry_ns != 0)
        {
            self.expire_never(handle);
        }
        self.slab.drop_part(handle);
    }
}
