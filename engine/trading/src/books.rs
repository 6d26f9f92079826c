//! The books of all symbols of a feed, kept by its messages.
//!
//! A book can be joined in the middle of a day: messages that name orders from before are counted
//! and change nothing, and so is what a correct feed cannot say.

use std::collections::BTreeMap;

use wire::itch::Message;
use wire::ring::Side;

use crate::book::{Book, Place};

/// What a message did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It changed a book.
    Changed,
    /// It says nothing about the orders of a book.
    Other,
    /// It names an order that this feed never added: the join came after it.
    UnknownOrder,
    /// A correct feed cannot say this: it adds an order that rests already, takes more units than
    /// are open, or names a side that does not exist.
    Wrong,
}

/// A change of the orders of a book, as feeds tell them that are not ITCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderChange {
    /// A new order, behind all others at its price.
    Add {
        /// Whose book.
        locate: u16,
        /// The venue's number of the order.
        order_ref: u64,
        /// Its side.
        side: Side,
        /// Its units.
        quantity: u32,
        /// Its price.
        price: i64,
    },
    /// Units that leave an order; it goes with its last one.
    Reduce {
        /// The order.
        order_ref: u64,
        /// The units.
        quantity: u32,
    },
    /// An order as it is from now on. At another price or with more units it goes behind all others
    /// there, otherwise it keeps its place.
    Modify {
        /// The order.
        order_ref: u64,
        /// Its units.
        quantity: u32,
        /// Its price.
        price: i64,
    },
    /// All orders of a book go.
    Clear {
        /// Whose book.
        locate: u16,
    },
}

/// How many messages did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that changed a book.
    pub changed: u64,
    /// Messages that say nothing about orders.
    pub other: u64,
    /// Messages that name an unknown order.
    pub unknown_orders: u64,
    /// Messages that a correct feed cannot send.
    pub wrong: u64,
    /// Of the others, trades that were broken.
    pub broken: u64,
}

/// The books of a feed, by stock locate.
#[derive(Clone, Debug, Default)]
pub struct Books {
    books: BTreeMap<u16, Book>,
    names: BTreeMap<u16, [u8; 8]>,
    orders: BTreeMap<u64, (u16, Place)>,
    arrivals: u64,
    digest: u64,
    counts: Counts,
}

impl Books {
    /// No book yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one message.
    pub fn apply(&mut self, message: &Message<'_>) -> Applied {
        let applied = self.apply_uncounted(message);
        self.counts.broken += u64::from(matches!(message, Message::BrokenTrade(_)));
        self.count(applied)
    }

    /// Applies a change of the orders, counted as a message.
    pub fn change(&mut self, change: OrderChange) -> Applied {
        let applied = match change {
            OrderChange::Add {
                locate,
                order_ref,
                side,
                quantity,
                price,
            } => self.add(locate, order_ref, Some(side), quantity, price),
            OrderChange::Reduce {
                order_ref,
                quantity,
            } => self.reduce(order_ref, quantity),
            OrderChange::Modify {
                order_ref,
                quantity,
                price,
            } => self.modify(order_ref, quantity, price),
            OrderChange::Clear { locate } => self.clear(locate),
        };
        self.count(applied)
    }

    fn count(&mut self, applied: Applied) -> Applied {
        match applied {
            Applied::Changed => self.counts.changed += 1,
            Applied::Other => self.counts.other += 1,
            Applied::UnknownOrder => self.counts.unknown_orders += 1,
            Applied::Wrong => self.counts.wrong += 1,
        }
        applied
    }

    /// The book of a stock locate.
    #[must_use]
    pub fn book(&self, locate: u16) -> Option<&Book> {
        self.books.get(&locate)
    }

    /// Every book with its stock locate, in the order of the locates.
    pub fn books(&self) -> impl Iterator<Item = (u16, &Book)> {
        self.books.iter().map(|(&locate, book)| (locate, book))
    }

    /// The name of a stock locate, padded with spaces, if the feed told it.
    #[must_use]
    pub fn name(&self, locate: u16) -> Option<[u8; 8]> {
        self.names.get(&locate).copied()
    }

    /// Every stock locate that the feed named, with its name, padded with spaces.
    pub fn names(&self) -> impl Iterator<Item = (u16, [u8; 8])> {
        self.names.iter().map(|(&locate, &name)| (locate, name))
    }

    /// The stock locate of a name, which is compared without its padding.
    #[must_use]
    pub fn locate(&self, name: &str) -> Option<u16> {
        let wanted = name.trim_end().as_bytes();
        let mut names = self.names.iter();
        names
            .find(|(_, name)| name.trim_ascii_end() == wanted)
            .map(|(&locate, _)| locate)
    }

    /// Orders that rest, over all books.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.orders.len()
    }

    /// Stock locate, side and price of an order that rests.
    #[must_use]
    pub fn place_of(&self, order_ref: u64) -> Option<(u16, Side, i64)> {
        let &(locate, place) = self.orders.get(&order_ref)?;
        Some((locate, place.side, place.price))
    }

    /// The units that stand before an order at its price; `None` for one that does not rest.
    #[must_use]
    pub fn ahead_of(&self, order_ref: u64) -> Option<u64> {
        let &(locate, place) = self.orders.get(&order_ref)?;
        self.books.get(&locate)?.ahead_of(place)
    }

    /// A number that two feeds share as long as the same orders rest with the same open units at
    /// the same prices; which of them came first it does not say.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// What all messages so far did.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn apply_uncounted(&mut self, message: &Message<'_>) -> Applied {
        match message {
            Message::StockDirectory(m) => {
                self.names.insert(m.stock_locate(), m.stock());
                Applied::Other
            }
            Message::AddOrder(m) => {
                self.learn_name(m.stock_locate(), m.stock());
                let side = side_of(m.side());
                self.add(
                    m.stock_locate(),
                    m.order_ref(),
                    side,
                    m.shares(),
                    m.price().into(),
                )
            }
            Message::AddOrderMpid(m) => {
                self.learn_name(m.stock_locate(), m.stock());
                let side = side_of(m.side());
                self.add(
                    m.stock_locate(),
                    m.order_ref(),
                    side,
                    m.shares(),
                    m.price().into(),
                )
            }
            Message::OrderExecuted(m) => self.reduce(m.order_ref(), m.shares()),
            Message::OrderExecutedPrice(m) => self.reduce(m.order_ref(), m.shares()),
            Message::OrderCancel(m) => self.reduce(m.order_ref(), m.shares()),
            Message::OrderDelete(m) => match self.delete(m.order_ref()) {
                Some(_) => Applied::Changed,
                None => Applied::UnknownOrder,
            },
            Message::OrderReplace(m) => match self.delete(m.old_order_ref()) {
                Some((locate, place)) => {
                    let side = Some(place.side);
                    self.add(
                        locate,
                        m.new_order_ref(),
                        side,
                        m.shares(),
                        m.price().into(),
                    )
                }
                None => Applied::UnknownOrder,
            },
            _ => Applied::Other,
        }
    }

    /// A feed joined in the middle names its stocks in the orders it adds.
    fn learn_name(&mut self, locate: u16, name: [u8; 8]) {
        self.names.entry(locate).or_insert(name);
    }

    fn add(
        &mut self,
        locate: u16,
        order_ref: u64,
        side: Option<Side>,
        shares: u32,
        price: i64,
    ) -> Applied {
        let Some(side) = side else {
            return Applied::Wrong;
        };
        if shares == 0 || self.orders.contains_key(&order_ref) {
            return Applied::Wrong;
        }
        self.arrivals += 1;
        let place = Place {
            side,
            price,
            arrival: self.arrivals,
        };
        self.digest = self
            .digest
            .wrapping_add(trace(order_ref, locate, &place, shares));
        self.orders.insert(order_ref, (locate, place));
        self.books
            .entry(locate)
            .or_default()
            .insert(place, order_ref, shares);
        Applied::Changed
    }

    fn reduce(&mut self, order_ref: u64, shares: u32) -> Applied {
        let Some(&(locate, place)) = self.orders.get(&order_ref) else {
            return Applied::UnknownOrder;
        };
        let Some(book) = self.books.get_mut(&locate) else {
            return Applied::Wrong;
        };
        let Some(left) = book.reduce(place, shares) else {
            return Applied::Wrong;
        };
        let before = trace(order_ref, locate, &place, left + shares);
        self.digest = self.digest.wrapping_sub(before);
        if left == 0 {
            self.orders.remove(&order_ref);
        } else {
            let now = trace(order_ref, locate, &place, left);
            self.digest = self.digest.wrapping_add(now);
        }
        Applied::Changed
    }

    fn modify(&mut self, order_ref: u64, quantity: u32, price: i64) -> Applied {
        let Some(&(locate, place)) = self.orders.get(&order_ref) else {
            return Applied::UnknownOrder;
        };
        let open = self.books.get(&locate).and_then(|book| book.open(place));
        match open.and_then(|open| open.checked_sub(quantity)) {
            Some(0) if price == place.price => Applied::Other,
            Some(less) if price == place.price => self.reduce(order_ref, less),
            _ => {
                self.delete(order_ref);
                self.add(locate, order_ref, Some(place.side), quantity, price)
            }
        }
    }

    fn clear(&mut self, locate: u16) -> Applied {
        let of_book = self.orders.iter().filter(|(_, order)| order.0 == locate);
        let gone: Vec<u64> = of_book.map(|(&order_ref, _)| order_ref).collect();
        for &order_ref in &gone {
            self.delete(order_ref);
        }
        if gone.is_empty() {
            Applied::Other
        } else {
            Applied::Changed
        }
    }

    fn delete(&mut self, order_ref: u64) -> Option<(u16, Place)> {
        let (locate, place) = self.orders.remove(&order_ref)?;
        let book = self.books.get_mut(&locate);
        let open = book.and_then(|book| book.remove(place)).unwrap_or(0);
        let before = trace(order_ref, locate, &place, open);
        self.digest = self.digest.wrapping_sub(before);
        Some((locate, place))
    }
}

/// What an order adds to the digest.
fn trace(order_ref: u64, locate: u16, place: &Place, open: u32) -> u64 {
    let mix = |state: u64, word: u64| {
        let state = (state ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        state ^ (state >> 31)
    };
    let side = u64::from(locate) << 1 | place.side as u64;
    let state = mix(mix(order_ref, side), place.price as u64);
    mix(state, open.into())
}

fn side_of(letter: u8) -> Option<Side> {
    match letter {
        b'B' => Some(Side::Buy),
        b'S' => Some(Side::Sell),
        _ => None,
    }
}
