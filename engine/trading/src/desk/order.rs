//! Orders of the desk, and what the venue says of them.

use core::fmt;

use wire::ring::Side;

/// The desk's number of an order, from 1, in the order in which they were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub u32);

impl fmt::Display for OrderId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "#{}", self.0)
    }
}

/// How long an order lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    /// Until the day ends; it may trade on entry.
    Day,
    /// Until the day ends; refused by the venue if it would trade on entry.
    Post,
    /// What does not trade on entry leaves.
    Immediate,
}

/// What a strategy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NewOrder {
    /// Number of the market.
    pub symbol: u32,
    /// Which way.
    pub side: Side,
    /// Limit in ticks.
    pub price: i64,
    /// In lots.
    pub quantity: u64,
    /// How long it lives.
    pub life: Life,
}

/// What leaves for the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A new order.
    New {
        /// Its number.
        order: OrderId,
        /// What it asks for.
        new: NewOrder,
    },
    /// Another price and quantity for an order; it loses its place.
    Replace {
        /// Its number, which it keeps.
        order: OrderId,
        /// The new limit in ticks.
        price: i64,
        /// The new quantity in lots, all that has been filled included: a fill that is under way
        /// makes what is open less, not more.
        total: u64,
    },
    /// Takes an order off the book.
    Cancel {
        /// Its number.
        order: OrderId,
    },
}

impl Action {
    /// The order that it is about.
    #[must_use]
    pub const fn order(&self) -> OrderId {
        match self {
            Self::New { order, .. } | Self::Replace { order, .. } | Self::Cancel { order } => {
                *order
            }
        }
    }
}

/// What the venue says of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// Which one.
    pub order: OrderId,
    /// What became of it.
    pub what: Answer,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It was taken.
    Accepted,
    /// It was refused, with the venue's number of the reason: it is gone.
    Refused(u16),
    /// It has another price, and so much of it is open.
    Replaced {
        /// In ticks.
        price: i64,
        /// In lots.
        open: u64,
    },
    /// It was to be replaced, and was not: it is as it was, if it lives.
    ReplaceRefused(u16),
    /// It traded.
    Filled {
        /// In ticks.
        price: i64,
        /// In lots.
        quantity: u64,
        /// Whether it stood on the book.
        is_maker: bool,
    },
    /// So many lots of it left the book without a trade.
    Canceled {
        /// In lots.
        quantity: u64,
    },
    /// It was to be cancelled, and was gone already or could not be.
    CancelRefused,
}

/// What is under way for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pending {
    /// Nothing: the venue has answered everything.
    None,
    /// The order itself.
    New,
    /// A replacement.
    Replace {
        /// The price asked for.
        price: i64,
        /// The open quantity asked for.
        open: u64,
    },
    /// A cancel.
    Cancel,
}

/// An order that lives, as far as the desk knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnOrder {
    /// Its number.
    pub id: OrderId,
    /// Which strategy's, by its place in order of priority.
    pub seat: u16,
    /// Number of the market.
    pub symbol: u32,
    /// Which way.
    pub side: Side,
    /// Limit in ticks.
    pub price: i64,
    /// Lots that are open.
    pub open: u64,
    /// Lots that were filled.
    pub filled: u64,
    /// What is under way.
    pub pending: Pending,
    /// When the last request left.
    pub sent_ns: u64,
    /// It leaves as soon as the venue has answered what is under way.
    pub is_leaving: bool,
}

impl OwnOrder {
    /// The most that may still trade: a replacement under way may be there already.
    #[must_use]
    pub fn open_max(&self) -> u64 {
        match self.pending {
            Pending::Replace { open, .. } => self.open.max(open),
            _ => self.open,
        }
    }

    /// The price that reaches furthest into the other side.
    #[must_use]
    pub fn price_reach(&self) -> i64 {
        match (self.pending, self.side) {
            (Pending::Replace { price, .. }, Side::Buy) => self.price.max(price),
            (Pending::Replace { price, .. }, Side::Sell) => self.price.min(price),
            _ => self.price,
        }
    }
}

/// A fill, as strategies hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fill {
    /// When the desk heard of it, in ns.
    pub time_ns: u64,
    /// Whose, by its place in order of priority.
    pub seat: u16,
    /// Of which order.
    pub order: OrderId,
    /// Number of the market.
    pub symbol: u32,
    /// Which way.
    pub side: Side,
    /// In ticks.
    pub price: i64,
    /// In lots.
    pub quantity: u64,
    /// Whether it stood on the book.
    pub is_maker: bool,
}

/// The letters of a side, as people write them.
#[must_use]
pub const fn side_text(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}
