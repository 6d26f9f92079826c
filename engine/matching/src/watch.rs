//! What a symbol has beside its book: parked orders, and lists of those that something may follow
//! from.
//!
//! Every list is linked through what it is a list of, so none lacks room, and everything here but
//! the walk along a list is O(1). Order numbers grow, so a list that is only added to at its end is
//! sorted by number.

use bytemuck::{Pod, Zeroable};

use crate::Engine;
use crate::books::Book;
use crate::slab::{NONE, Slab};

/// First and last of a list, 0 for none.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Ends {
    pub(crate) head: u32,
    pub(crate) tail: u32,
}

/// A list that an order's part can be in. An order is in one at most.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum List {
    /// Stops that come to life next, in that order.
    Elected = 1,
    /// All-or-none orders, by number.
    AllOrNone = 2,
    /// Pegs, parked or on the book, by number.
    Pegs = 3,
    /// Trailing stops to buy: later ones have the same mark or a higher one.
    TrailingBuys = 4,
    /// Trailing stops to sell: later ones have the same mark or a lower one.
    TrailingSells = 5,
    /// Trailing stops that have seen no price yet.
    Unmarked = 6,
    /// Parked at-the-close orders, by number.
    AtClose = 7,
    /// Those of them that rest, by number.
    Closing = 8,
    /// At-the-open orders, which rest, by number.
    Opening = 9,
}

const LISTS: usize = 9;

/// References of pegs that are not known, or not true any more.
pub(crate) const MARKS_UNKNOWN: [u32; 2] = [u32::MAX; 2];

/// The ticks between two looks at them: an order's first and last trade.
const TICKS_MAX: usize = 2;

/// One symbol's.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Watch {
    /// Handles of parked orders, by number, linked as orders of a level are.
    pub(crate) parked: Ends,
    /// Parts, by [`List`].
    lists: [Ends; LISTS],
    /// Trees of triggers by side.
    pub(crate) stops: [u32; 2],
    /// Prices of trades that triggers were not compared with yet, oldest first, 0 for none.
    ticks: [u32; TICKS_MAX],
    /// The best shown price of each side, 0 for none, that all pegs are priced by.
    pub(crate) marks: [u32; 2],
    /// All-or-none orders may find units that they did not find before.
    pub(crate) is_due: u32,
    /// Parked orders and pegs.
    orders: u32,
    unused: [u32; 4],
}

const _: () = assert!(size_of::<Watch>() == 128);

impl Book {
    /// Something may follow from what happens to the book.
    pub(crate) const WATCHED: u32 = 1 << 9;

    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.flags & Self::WATCHED != 0
    }
}

impl Watch {
    pub(crate) fn list(&self, list: List) -> Ends {
        self.lists[list as usize - 1]
    }

    /// The oldest tick that was not looked at.
    pub(crate) fn tick(&self) -> Option<u32> {
        let [oldest, ..] = self.ticks;
        (oldest != 0).then_some(oldest)
    }

    /// Notes the price of a trade.
    pub(crate) fn tick_add(&mut self, price: u32) {
        let free = self.ticks.iter_mut().find(|tick| **tick == 0);
        assert!(free.is_some(), "more ticks than one input can leave");
        free.into_iter().for_each(|tick| *tick = price);
    }

    /// Forgets the oldest tick.
    pub(crate) fn tick_done(&mut self) {
        self.ticks.rotate_left(1);
        self.ticks[TICKS_MAX - 1] = 0;
    }
}

impl Slab<'_> {
    /// Sorts a list of parts by a key, from its first one on: runs of 1, 2, 4 and so on are merged.
    /// Gives its ends. O(n log n).
    fn sorted(&mut self, head: u32, key: impl Fn(&Self, u32) -> u64) -> Ends {
        let (mut ends, mut run) = (Ends { head, tail: NONE }, 1);
        loop {
            let (mut rest, mut merges) = (ends.head, 0);
            ends = Ends::zeroed();
            while rest != NONE {
                merges += 1;
                let mut ways = [(rest, run), (NONE, run)];
                for _ in 0..run {
                    rest = if rest == NONE {
                        NONE
                    } else {
                        self.parts.all[rest as usize].next
                    };
                }
                ways[1].0 = rest;
                for _ in 0..run {
                    rest = if rest == NONE {
                        NONE
                    } else {
                        self.parts.all[rest as usize].next
                    };
                }
                self.merge(&mut ends, ways, &key);
            }
            if merges <= 1 {
                return ends;
            }
            run *= 2;
        }
    }

    /// Puts two runs, of at most so many parts each, behind a list that is sorted anew.
    fn merge(
        &mut self,
        ends: &mut Ends,
        mut ways: [(u32, u32); 2],
        key: &impl Fn(&Self, u32) -> u64,
    ) {
        loop {
            let [one, two] = ways.map(|(at, left)| (at != NONE && left > 0).then_some(at));
            let way = match (one, two) {
                (None, None) => return,
                (Some(_), None) => 0,
                (None, Some(_)) => 1,
                (Some(one), Some(two)) => usize::from(key(self, two) < key(self, one)),
            };
            let part = ways[way].0;
            ways[way] = (self.parts.all[part as usize].next, ways[way].1 - 1);
            self.parts.all[part as usize].prev = ends.tail;
            self.parts.all[part as usize].next = NONE;
            match ends.tail {
                NONE => ends.head = part,
                tail => self.parts.all[tail as usize].next = part,
            }
            ends.tail = part;
        }
    }
}

impl Engine<'_> {
    /// Sorts a symbol's list to which parts were added in another order than its own.
    pub(crate) fn list_sort(
        &mut self,
        symbol: u16,
        list: List,
        key: impl Fn(&Slab<'_>, u32) -> u64,
    ) {
        let ends = &mut self.watches[usize::from(symbol)].lists[list as usize - 1];
        *ends = self.slab.sorted(ends.head, key);
    }

    /// Adds a part at the end of a list of its order's symbol.
    pub(crate) fn list_add(&mut self, symbol: u16, list: List, part: u32) {
        let parts = &mut *self.slab.parts.all;
        let ends = &mut self.watches[usize::from(symbol)].lists[list as usize - 1];
        let tail = ends.tail;
        let added = &mut parts[part as usize];
        debug_assert!(added.list == 0);
        (added.list, added.prev, added.next) = (list as u8, tail, NONE);
        ends.tail = part;
        if tail == NONE {
            ends.head = part;
        } else {
            parts[tail as usize].next = part;
        }
    }

    /// Takes a part out of the list that it is in, if it is in one.
    pub(crate) fn list_remove(&mut self, symbol: u16, part: u32) {
        let parts = &mut *self.slab.parts.all;
        let removed = parts[part as usize];
        let Some(at) = usize::from(removed.list).checked_sub(1) else {
            return;
        };
        parts[part as usize].list = 0;
        let ends = &mut self.watches[usize::from(symbol)].lists[at];
        match removed.prev {
            NONE => ends.head = removed.next,
            prev => parts[prev as usize].next = removed.next,
        }
        match removed.next {
            NONE => ends.tail = removed.prev,
            next => parts[next as usize].prev = removed.prev,
        }
        self.after.skip(part, removed.next);
    }

    /// Adds an order at the end of the parked ones of its symbol.
    pub(crate) fn parked_add(&mut self, symbol: u16, handle: u32) {
        let Slab { orders, .. } = &mut self.slab;
        let ends = &mut self.watches[usize::from(symbol)].parked;
        (orders[handle as usize].prev, orders[handle as usize].next) = (ends.tail, NONE);
        match ends.tail {
            NONE => ends.head = handle,
            tail => orders[tail as usize].next = handle,
        }
        ends.tail = handle;
        self.watch(symbol);
    }

    /// Takes an order out of the parked ones of its symbol.
    pub(crate) fn parked_remove(&mut self, symbol: u16, handle: u32) {
        let Slab { orders, .. } = &mut self.slab;
        let ends = &mut self.watches[usize::from(symbol)].parked;
        let (prev, next) = (orders[handle as usize].prev, orders[handle as usize].next);
        match prev {
            NONE => ends.head = next,
            prev => orders[prev as usize].next = next,
        }
        match next {
            NONE => ends.tail = prev,
            next => orders[next as usize].prev = prev,
        }
        self.unwatch(symbol);
    }

    /// One more reason to look at what follows from a symbol's inputs.
    pub(crate) fn watch(&mut self, symbol: u16) {
        let watch = &mut self.watches[usize::from(symbol)];
        watch.orders += 1;
        if watch.orders == 1 {
            self.books.books[usize::from(symbol)].set(Book::WATCHED, true);
            self.after.books_watched += 1;
        }
        self.after.mark(symbol);
    }

    /// One reason less.
    pub(crate) fn unwatch(&mut self, symbol: u16) {
        let watch = &mut self.watches[usize::from(symbol)];
        watch.orders -= 1;
        if watch.orders == 0 {
            self.books.books[usize::from(symbol)].set(Book::WATCHED, false);
            self.after.books_watched -= 1;
        }
    }
}
