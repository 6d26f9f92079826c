//! The books: levels of orders in the tries, and each side's best price at hand.
//!
//! A level is the head and tail of a queue of orders and their open units. The 64 levels of a group
//! lie side by side, 4 in a cache line, at `group * 64 + slot`: an order names its level by that
//! index, so that a cancel never looks for it. The two sides share a ladder: a book is never
//! crossed when an input is finished, so below the best buy there are only buys.

use bytemuck::{Pod, Zeroable};
use wire::ring::Side;

use crate::place::{CENTS, FINE, Place, Roots, split};
use crate::slab::{NONE, Order, Slab};
use crate::trie::Trie;

/// Levels of a group.
pub(crate) const GROUP_LEVELS: u32 = 64;

const _: () = assert!(size_of::<Level>() == 16 && size_of::<Book>() == 64);

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

/// One symbol.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Book {
    /// Best price by ladder and side: 0 for no buy, the greatest number for no sell.
    prices: [[u32; 2]; 2],
    /// The level of each best price.
    levels: [[u32; 2]; 2],
    roots: Roots,
    /// Its name, first letter lowest.
    pub(crate) name: u64,
    defined: u32,
    unused: u32,
}

impl Book {
    pub(crate) fn define(name: u64) -> Self {
        Self {
            prices: [[0, u32::MAX]; 2],
            name,
            defined: 1,
            ..Self::zeroed()
        }
    }

    #[inline]
    pub(crate) fn is_defined(&self) -> bool {
        self.defined != 0
    }

    /// Best price of a side: 0 for no buy, the greatest number for no sell.
    #[inline]
    pub(crate) fn best_price(&self, side: Side) -> u32 {
        let [cents, fine] = [
            self.prices[CENTS][side as usize],
            self.prices[FINE][side as usize],
        ];
        match side {
            Side::Buy => cents.max(fine),
            Side::Sell => cents.min(fine),
        }
    }

    /// The level of a side's best price, and that price.
    #[inline]
    pub(crate) fn best(&self, side: Side) -> Option<(u32, u32)> {
        let price = self.best_price(side);
        let ladder = if price == self.prices[CENTS][side as usize] {
            CENTS
        } else {
            FINE
        };
        is_price(price).then_some((self.levels[ladder][side as usize], price))
    }
}

/// Whether a best price is one.
#[inline]
fn is_price(price: u32) -> bool {
    price != 0 && price != u32::MAX
}

/// What stands for the best price of a side without orders.
fn none_price(side: Side) -> u32 {
    match side {
        Side::Buy => 0,
        Side::Sell => u32::MAX,
    }
}

/// Whether the first price is better than the second for those who rest on a side.
#[inline]
fn is_better(side: Side, price: u32, than: u32) -> bool {
    match side {
        Side::Buy => price > than,
        Side::Sell => price < than,
    }
}

/// All books.
pub(crate) struct Books<'m> {
    /// By symbol number; 0 is never defined.
    pub(crate) books: &'m mut [Book],
    pub(crate) levels: &'m mut [Level],
    pub(crate) trie: Trie<'m>,
}

impl Books<'_> {
    /// Whether an order can rest at a price of a symbol. O(1).
    #[inline]
    pub(crate) fn has_room(&mut self, symbol: u16, price: u32) -> bool {
        let (ladder, key, _) = split(price);
        let roots = &self.books[usize::from(symbol)].roots;
        self.trie.has_room()
            || self.trie.find(
                roots,
                Place {
                    symbol,
                    ladder,
                    key,
                },
            ) != NONE
    }

    /// The level of a price, its group opened if need be; the caller has looked at
    /// [`Books::has_room`]. O(1).
    #[inline]
    pub(crate) fn level(&mut self, symbol: u16, price: u32) -> u32 {
        let (ladder, key, slot) = split(price);
        let place = Place {
            symbol,
            ladder,
            key,
        };
        let roots = &mut self.books[usize::from(symbol)].roots;
        let mut group = self.trie.find(roots, place);
        if group == NONE {
            group = self.trie.open(roots, place);
        }
        group * GROUP_LEVELS + slot
    }

    /// Price of a level.
    #[inline]
    pub(crate) fn price(&self, level: u32) -> u32 {
        self.trie.groups[(level / GROUP_LEVELS) as usize].price(level % GROUP_LEVELS)
    }

    /// Puts an order, whose level and symbol are set, behind all others of its price. O(1).
    #[inline]
    pub(crate) fn append(&mut self, slab: &mut Slab<'_>, mut order: Order, price: u32) -> u32 {
        let at = order.level;
        let level = &mut self.levels[at as usize];
        order.prev = level.tail;
        let handle = slab.insert(order);
        level.tail = handle;
        level.quantity += u64::from(order.open());
        if order.prev == NONE {
            level.head = handle;
            self.level_opened(&order, price);
        } else {
            slab.orders[order.prev as usize].next = handle;
        }
        handle
    }

    fn level_opened(&mut self, order: &Order, price: u32) {
        let at = order.level;
        let group = &mut self.trie.groups[(at / GROUP_LEVELS) as usize];
        group.occupied |= 1 << (at % GROUP_LEVELS);
        let ladder = group.ladder();
        let who = order.identity();
        let (book, side) = (&mut self.books[usize::from(who.symbol)], who.side as usize);
        if is_better(who.side, price, book.prices[ladder][side]) {
            book.prices[ladder][side] = price;
            book.levels[ladder][side] = at;
        }
    }

    /// Takes an order off its level and frees its record. O(1).
    #[inline]
    pub(crate) fn unlink(&mut self, slab: &mut Slab<'_>, handle: u32) {
        let order = slab.orders[handle as usize];
        let level = &mut self.levels[order.level as usize];
        level.quantity -= u64::from(order.open());
        match order.prev {
            NONE => level.head = order.next,
            prev => slab.orders[prev as usize].next = order.next,
        }
        match order.next {
            NONE => level.tail = order.prev,
            next => slab.orders[next as usize].prev = order.prev,
        }
        let emptied = level.head == NONE;
        slab.remove(handle);
        if emptied {
            self.level_emptied(&order);
        }
    }

    /// Takes a level without orders out of its group; if it was the best, finds the next. O(1).
    fn level_emptied(&mut self, order: &Order) {
        let at = order.level;
        debug_assert!(self.levels[at as usize].quantity == 0);
        let who = order.identity();
        let (group, slot) = (at / GROUP_LEVELS, at % GROUP_LEVELS);
        let symbol = usize::from(who.symbol);
        let ladder = self.trie.groups[group as usize].ladder();
        if self.books[symbol].levels[ladder][who.side as usize] == at {
            let best = self.beyond(&self.books[symbol], who.side, at);
            let book = &mut self.books[symbol];
            let (level, price) = best.unwrap_or((NONE, none_price(who.side)));
            book.levels[ladder][who.side as usize] = level;
            book.prices[ladder][who.side as usize] = price;
        }
        self.trie.groups[group as usize].occupied &= !(1 << slot);
        if self.trie.groups[group as usize].occupied == 0 {
            self.trie.close(&mut self.books[symbol].roots, group);
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
        let mut at = [CENTS, FINE].map(|ladder| {
            let price = book.prices[ladder][side as usize];
            is_price(price).then_some((book.levels[ladder][side as usize], price))
        });
        loop {
            let ladder = match at {
                [None, None] => return,
                [Some(_), None] => CENTS,
                [None, Some(_)] => FINE,
                [Some((_, cents)), Some((_, fine))] => {
                    if is_better(side, cents, fine) {
                        CENTS
                    } else {
                        FINE
                    }
                }
            };
            let Some((level, price)) = at[ladder] else {
                return;
            };
            visit(&self.levels[level as usize], price);
            at[ladder] = self.beyond(&book, side, level);
        }
    }

    /// The next worse level of a side in the same ladder.
    fn beyond(&self, book: &Book, side: Side, level: u32) -> Option<(u32, u32)> {
        let (group, slot) = (level / GROUP_LEVELS, level % GROUP_LEVELS);
        let (group, slot) = match side {
            Side::Buy => self.trie.next::<false>(&book.roots, group, slot),
            Side::Sell => self.trie.next::<true>(&book.roots, group, slot),
        }?;
        Some((
            group * GROUP_LEVELS + slot,
            self.trie.groups[group as usize].price(slot),
        ))
    }
}
