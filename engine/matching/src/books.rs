//! The books: levels of orders in the tries, and each side's best price at hand.
//!
//! A level is the head and tail of a queue of orders and their open units. The 64 levels of a group
//! lie side by side, 4 in a cache line, at `group * 64 + slot`: an order names its level by that
//! index, so that a cancel never looks for it. Each side has its own groups: a book may be crossed
//! while orders are only called.

use core::hint::select_unpredictable;

use bytemuck::{Pod, Zeroable};
use wire::ring::{PRICE_MAX, Side};

use crate::carry::Carrier;
use crate::place::{ANY_BUY, ANY_SELL, CENTS, FINE, Place, Roots, half};
use crate::slab::{NONE, Order, Slab};
use crate::trie::Trie;

/// Levels of a group.
pub(crate) const GROUP_LEVELS: u32 = 64;

const _: () = assert!(size_of::<Level>() == 16 && size_of::<Book>() == 128);

/// The orders of one price.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Level {
    /// The oldest order.
    pub(crate) head: u32,
    /// The youngest order.
    pub(crate) tail: u32,
    /// Open units of all of them.
    pub(crate) quantity: u64,
}

/// One symbol. What every order looks at fills the first line.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Book {
    /// The [`rank`] of the best price by side and ladder, 0 for none.
    ranks: [[u32; 2]; 2],
    /// The level of each best price.
    levels: [[u32; 2]; 2],
    /// Good prices are multiples of it.
    pub(crate) tick: u32,
    /// [`Book::DEFINED`], and what makes it more than a plain book.
    pub(crate) flags: u32,
    /// Price of the last trade, 0 before the first one.
    pub(crate) last: u32,
    /// How arriving orders are shared out, and what the top order gets ahead of the others.
    pub(crate) allocation: u8,
    pub(crate) top_percent: u8,
    unused_bytes: [u8; 2],
    unused: [u32; 4],
    /// The tries by side.
    roots: [Roots; 2],
    /// Its name, first letter lowest.
    pub(crate) name: u64,
    unused_cold: [u32; 6],
}

const _: () = assert!(core::mem::offset_of!(Book, roots) == crate::LINE_BYTES);

/// The way over the levels of a side, best price first: the next level of each ladder and its
/// [`rank`], 0 for none.
#[derive(Clone, Copy)]
pub(crate) struct Walk {
    side: Side,
    levels: [u32; 2],
    ranks: [u32; 2],
}

/// A price turned so that a greater one is better for those who rest on a side, and back. A price
/// to buy at is never 0 and one to sell at never the greatest number, so no rank is 0.
#[inline]
pub(crate) fn rank(side: Side, price: u32) -> u32 {
    price ^ (side as u32).wrapping_neg()
}

impl Walk {
    /// The price of the next level.
    pub(crate) fn price(&self) -> Option<u32> {
        let [cents, fine] = self.ranks;
        let best = cents.max(fine);
        (best != 0).then(|| rank(self.side, best))
    }
}

/// What an order at a level's price asked for.
pub(crate) fn limit(price: u32) -> u32 {
    if price == ANY_SELL { ANY_BUY } else { price }
}

impl Book {
    /// The symbol is listed.
    const DEFINED: u32 = 1;
    /// Its market is in another state than `Continuous`.
    pub(crate) const OTHER_STATE: u32 = 2;

    pub(crate) fn define(name: u64, tick: u32) -> Self {
        Self {
            name,
            tick,
            flags: Self::DEFINED,
            ..Self::zeroed()
        }
    }

    #[inline]
    pub(crate) fn is_defined(&self) -> bool {
        self.flags & Self::DEFINED != 0
    }

    /// What a snapshot carries beside its number and its orders.
    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self {
            // They follow from the orders.
            ranks: _,
            levels: _,
            roots: _,
            tick,
            flags,
            last,
            allocation,
            top_percent,
            name,
            unused_bytes: _,
            unused: _,
            unused_cold: _,
        } = self;
        to.any("symbol.name", name)?;
        to.number("symbol.tick", tick, 1..=PRICE_MAX as u32)?;
        to.number("symbol.last", last, 0..=PRICE_MAX as u32)?;
        // All else that makes it more than a plain one follows from other fields.
        debug_assert!(
            *flags & !(Self::DEFINED | Self::OTHER_STATE | Self::KILLED | Self::WATCHED) == 0
        );
        let mut killed = u8::from(*flags & Self::KILLED != 0);
        to.number("symbol.killed", &mut killed, 0..=1)?;
        *flags = Self::DEFINED;
        to.number("symbol.allocation", allocation, 0..=Self::ALLOCATION_MAX)?;
        let percent_max = Self::top_percent_max(*allocation);
        to.number("symbol.top_percent", top_percent, 0..=percent_max)?;
        self.set(Self::KILLED, killed == 1);
        Ok(())
    }

    /// Whether a plain order needs no look at anything but this book's prices.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.flags == Self::DEFINED
    }

    /// The way over a side from its best level on.
    pub(crate) fn walk(&self, side: Side) -> Walk {
        let (levels, ranks) = (self.levels[side as usize], self.ranks[side as usize]);
        Walk {
            side,
            levels,
            ranks,
        }
    }

    /// Sets or clears a flag.
    pub(crate) fn set(&mut self, flag: u32, is_set: bool) {
        self.flags = self.flags & !flag | if is_set { flag } else { 0 };
    }

    /// The [`rank`] of a side's best price, 0 for none.
    #[inline]
    pub(crate) fn best_rank(&self, side: Side) -> u32 {
        let [cents, fine] = self.ranks[side as usize];
        cents.max(fine)
    }

    /// The level of a side's best price, and that price.
    #[inline]
    pub(crate) fn best(&self, side: Side) -> Option<(u32, u32)> {
        let best = self.best_rank(side);
        let ladder = if best == self.ranks[side as usize][CENTS] {
            CENTS
        } else {
            FINE
        };
        (best != 0).then_some((self.levels[side as usize][ladder], rank(side, best)))
    }
}

/// All books.
pub(crate) struct Books<'m> {
    /// By symbol number; 0 is never defined.
    pub(crate) books: &'m mut [Book],
    pub(crate) levels: &'m mut [Level],
    /// By level: open units that are not shown.
    pub(crate) dark: &'m mut [u64],
    pub(crate) trie: Trie<'m>,
}

impl Books<'_> {
    /// The level of a price of a side, if its group is open. O(1).
    #[inline(always)]
    pub(crate) fn find(&mut self, symbol: u16, side: Side, price: u32) -> Option<u32> {
        let (place, slot) = Place::of(half(symbol, side as u8), price);
        let roots = &self.books[usize::from(symbol)].roots[side as usize];
        let group = self.trie.find(roots, place);
        (group != NONE).then_some(group * GROUP_LEVELS + slot)
    }

    /// As [`Books::find`], if the group is in the cache.
    #[inline(always)]
    pub(crate) fn find_near(&self, symbol: u16, side: Side, price: u32) -> Option<u32> {
        let (place, slot) = Place::of(half(symbol, side as u8), price);
        let group = self.trie.find_near(place)?;
        Some(group * GROUP_LEVELS + slot)
    }

    /// Opens the group of a price that [`Books::find`] did not find; the caller has looked at
    /// [`Trie::has_room`]. O(1).
    pub(crate) fn open(&mut self, symbol: u16, side: Side, price: u32) -> u32 {
        let (place, slot) = Place::of(half(symbol, side as u8), price);
        let roots = &mut self.books[usize::from(symbol)].roots[side as usize];
        self.trie.open(roots, place) * GROUP_LEVELS + slot
    }

    /// Price of a level.
    #[inline]
    pub(crate) fn price(&self, level: u32) -> u32 {
        self.trie.groups[(level / GROUP_LEVELS) as usize].price(level % GROUP_LEVELS)
    }

    /// Puts an order, whose level and symbol are set, behind all others of its price. O(1).
    #[inline(always)]
    pub(crate) fn append(&mut self, slab: &mut Slab<'_>, order: Order) -> u32 {
        let handle = slab.take();
        self.link(slab, handle, order);
        handle
    }

    /// As [`Books::append`], in a record that is taken.
    #[inline(always)]
    fn link(&mut self, slab: &mut Slab<'_>, handle: u32, mut order: Order) {
        let level = &mut self.levels[order.level as usize];
        order.prev = level.tail;
        level.tail = handle;
        level.quantity += u64::from(order.open());
        let is_first = order.prev == NONE;
        if is_first {
            level.head = handle;
        }
        slab.orders[order.prev as usize].next = handle;
        slab.orders[handle as usize] = order;
        if is_first {
            self.level_opened(&order);
        }
    }

    #[inline(never)]
    fn level_opened(&mut self, order: &Order) {
        let at = order.level;
        let group = &mut self.trie.groups[(at / GROUP_LEVELS) as usize];
        group.occupied |= 1 << (at % GROUP_LEVELS);
        let (ladder, price) = (group.ladder(), group.price(at % GROUP_LEVELS));
        let who = order.identity();
        let (book, side) = (&mut self.books[usize::from(who.symbol())], who.side());
        let rank = rank(side, price);
        if rank > book.ranks[side as usize][ladder] {
            book.ranks[side as usize][ladder] = rank;
            book.levels[side as usize][ladder] = at;
        }
    }

    /// Takes an order off its level and frees its record. O(1).
    #[inline(always)]
    pub(crate) fn unlink(&mut self, slab: &mut Slab<'_>, handle: u32) {
        let order = slab.orders[handle as usize];
        self.unlink_order(slab, handle, &order);
    }

    /// As [`Books::unlink`], for an order whose record is at hand.
    #[inline(always)]
    pub(crate) fn unlink_order(&mut self, slab: &mut Slab<'_>, handle: u32, order: &Order) {
        let emptied = self.cut(slab, order);
        slab.remove(handle);
        if emptied {
            self.level_emptied(order);
        }
    }

    /// Puts an order in another's place and record, behind all others of its price. O(1).
    #[inline(always)]
    pub(crate) fn exchange(&mut self, slab: &mut Slab<'_>, handle: u32, old: &Order, order: Order) {
        let emptied = self.cut(slab, old);
        self.link(slab, handle, order);
        // Not before: with the old level its group would close, which may be the new one's, too.
        if emptied && old.level != order.level {
            self.level_emptied(old);
        }
    }

    /// Takes an order out of its queue; says whether that is empty now.
    #[inline(always)]
    fn cut(&mut self, slab: &mut Slab<'_>, order: &Order) -> bool {
        let Order { prev, next, .. } = *order;
        let level = &mut self.levels[order.level as usize];
        level.quantity -= u64::from(order.open());
        level.head = select_unpredictable(prev == NONE, next, level.head);
        level.tail = select_unpredictable(next == NONE, prev, level.tail);
        let emptied = level.head == NONE;
        slab.orders[prev as usize].next = next;
        slab.orders[next as usize].prev = prev;
        emptied
    }

    /// Moves an order behind all others of its level. O(1).
    pub(crate) fn move_back(&mut self, slab: &mut Slab<'_>, handle: u32) {
        let Order {
            prev, next, level, ..
        } = slab.orders[handle as usize];
        if next == NONE {
            return;
        }
        let level = &mut self.levels[level as usize];
        let tail = level.tail;
        level.tail = handle;
        if prev == NONE {
            level.head = next;
        }
        slab.orders[prev as usize].next = next;
        slab.orders[next as usize].prev = prev;
        slab.orders[tail as usize].next = handle;
        slab.orders[handle as usize].prev = tail;
        slab.orders[handle as usize].next = NONE;
    }

    /// Takes a level without orders out of its group; if it was the best, finds the next. O(1).
    #[inline(never)]
    fn level_emptied(&mut self, order: &Order) {
        let at = order.level;
        debug_assert!(self.levels[at as usize].quantity == 0);
        debug_assert!(self.dark[at as usize] == 0);
        let who = order.identity();
        let (group, slot) = (at / GROUP_LEVELS, at % GROUP_LEVELS);
        let (symbol, side) = (usize::from(who.symbol()), who.side());
        let ladder = self.trie.groups[group as usize].ladder();
        if self.books[symbol].levels[side as usize][ladder] == at {
            let best = self.beyond(&self.books[symbol], side, at);
            let book = &mut self.books[symbol];
            let (level, rank) = best.map_or((NONE, 0), |(at, price)| (at, rank(side, price)));
            book.levels[side as usize][ladder] = level;
            book.ranks[side as usize][ladder] = rank;
        }
        self.trie.groups[group as usize].occupied &= !(1 << slot);
        if self.trie.groups[group as usize].occupied == 0 {
            let roots = &mut self.books[symbol].roots[side as usize];
            self.trie.close(roots, group);
        }
    }

    /// Visits the levels of a side, best price first.
    pub(crate) fn for_levels(&self, symbol: u16, side: Side, mut visit: impl FnMut(&Level, u32)) {
        let book = self
            .books
            .get(usize::from(symbol))
            .copied()
            .unwrap_or(Book::zeroed());
        if !book.is_defined() {
            return;
        }
        let mut walk = book.walk(side);
        while let Some((level, best)) = self.walk_on(&book, &mut walk) {
            visit(&self.levels[level as usize], rank(side, best));
        }
    }

    /// The next level of a walk over a book, and the [`rank`] of its price.
    pub(crate) fn walk_on(&self, book: &Book, walk: &mut Walk) -> Option<(u32, u32)> {
        let ladder = if walk.ranks[CENTS] > walk.ranks[FINE] {
            CENTS
        } else {
            FINE
        };
        let (level, best) = (walk.levels[ladder], walk.ranks[ladder]);
        if best == 0 {
            return None;
        }
        let next = self.beyond(book, walk.side, level);
        (walk.levels[ladder], walk.ranks[ladder]) =
            next.map_or((NONE, 0), |(at, price)| (at, rank(walk.side, price)));
        Some((level, best))
    }

    /// The next worse level of a side in the same ladder.
    fn beyond(&self, book: &Book, side: Side, level: u32) -> Option<(u32, u32)> {
        let (group, slot) = (level / GROUP_LEVELS, level % GROUP_LEVELS);
        let roots = &book.roots[side as usize];
        let (group, slot) = match side {
            Side::Buy => self.trie.next::<false>(roots, group, slot),
            Side::Sell => self.trie.next::<true>(roots, group, slot),
        }?;
        Some((
            group * GROUP_LEVELS + slot,
            self.trie.groups[group as usize].price(slot),
        ))
    }
}
