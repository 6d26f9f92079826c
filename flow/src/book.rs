//! The books of the reference engine: sorted maps from price to sorted maps of orders, and the
//! orders that are parked beside them.
//!
//! Orders come to rest, and move back, in the order of their numbers, so the number is the time in
//! price-time.

use std::collections::{BTreeMap, BTreeSet};

use wire::ring::{Command, Condition, Event, PRICE_MARKET, Side, TimeInForce};

/// An order on the book, or parked beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Number of its symbol.
    pub symbol: u16,
    /// Its session.
    pub session: u16,
    /// The member's number of it.
    pub user_ref: u32,
    /// Its side.
    pub side: Side,
    /// Its limit; 0 while it is a peg without a price.
    pub price: i64,
    /// How long it lives.
    pub life: TimeInForce,
    /// Open units.
    pub open: u32,
    /// Units that trade before it moves back: those that an iceberg shows, all open ones of any
    /// other order.
    pub tip: u32,
    /// Units that traded already, also those of the orders it replaced.
    pub executed: u32,
    /// The engine's number of it.
    pub order_ref: u64,
    /// Units that an iceberg shows at a time; 0 for any other order.
    pub displayed: u32,
    /// Whether the feed shows nothing of it but its trades.
    pub hidden: bool,
    /// When it leaves, in nanoseconds since the Unix epoch; 0 for never.
    pub expiry_ns: u64,
    /// Whether it is live without being on the book.
    pub parked: bool,
    /// Whether it trades whole or not at all.
    pub whole: bool,
    /// What it waits for, or follows.
    pub condition: Condition,
    /// A trailing stop's distance, or a peg's offset.
    pub amount: i64,
    /// A stop's trigger.
    pub trigger: Option<i64>,
    /// A stop's place among all that were ever elected.
    pub elected: Option<u64>,
    /// The price beyond which a peg does not go.
    pub cap: i64,
}

impl Resting {
    /// A plain order as a `New` or `Replace` asks for it, without a number.
    pub(crate) const fn plain(
        command: &Command,
        life: TimeInForce,
        symbol: u16,
        side: Side,
        executed: u32,
    ) -> Self {
        let open = command.quantity - executed;
        Self {
            symbol,
            session: command.session,
            user_ref: command.user_ref,
            side,
            price: command.price,
            life,
            open,
            tip: open,
            executed,
            order_ref: 0,
            displayed: 0,
            hidden: false,
            expiry_ns: 0,
            parked: false,
            whole: false,
            condition: Condition::None,
            amount: 0,
            trigger: None,
            elected: None,
            cap: command.price,
        }
    }

    /// A stop that did not come to life yet.
    #[must_use]
    pub const fn is_stop(&self) -> bool {
        matches!(self.condition, Condition::Stop | Condition::TrailingStop)
    }

    /// Whether its price follows the market.
    #[must_use]
    pub const fn is_peg(&self) -> bool {
        matches!(
            self.condition,
            Condition::PrimaryPeg | Condition::MarketPeg | Condition::MidpointPeg
        )
    }

    /// The flag of events that tells where its units are.
    pub(crate) const fn place(&self) -> u8 {
        if self.parked {
            Event::PARKED
        } else {
            Event::BOOKED
        }
    }

    /// Units that the feed shows.
    #[must_use]
    pub const fn shown(&self) -> u32 {
        if self.hidden || self.parked {
            0
        } else {
            self.tip
        }
    }

    /// The units that it shows when it comes to rest, or moves back, with what is open now.
    pub(crate) fn tip_next(&self) -> u32 {
        match self.displayed {
            0 => self.open,
            displayed => displayed.min(self.open),
        }
    }
}

/// Orders of one side of a symbol, by the rank of their prices and by number.
type Levels = BTreeMap<i64, BTreeMap<u64, Resting>>;

/// All books, and where each live order is.
#[derive(Default)]
pub(crate) struct Books {
    /// By symbol and side.
    sides: BTreeMap<(u16, u8), Levels>,
    /// By session and user reference: symbol, side, price and number.
    live: BTreeMap<(u16, u32), (u16, Side, i64, u64)>,
    /// Session and user reference of those that expire, by expiry and number.
    timed: BTreeMap<(u64, u64), (u16, u32)>,
    /// By symbol and number.
    parked: BTreeMap<(u16, u64), Resting>,
    /// Session and user reference of all live pegs, by symbol and number.
    pegs: BTreeMap<(u16, u64), (u16, u32)>,
}

impl Books {
    pub(crate) fn live_orders(&self) -> usize {
        self.live.len()
    }

    /// Orders of one side of a symbol, best price first, then the oldest.
    pub(crate) fn orders(&self, symbol: u16, side: Side) -> impl Iterator<Item = &Resting> {
        let levels = self.sides.get(&(symbol, side as u8));
        let levels = levels.into_iter().flat_map(BTreeMap::values);
        levels.flat_map(BTreeMap::values)
    }

    /// The parked orders of a symbol, by number.
    pub(crate) fn parked(&self, symbol: u16) -> impl Iterator<Item = &Resting> {
        let of_symbol = self.parked.range((symbol, 0)..=(symbol, u64::MAX));
        of_symbol.map(|(_, order)| order)
    }

    /// The pegs of a symbol, parked ones too, by number.
    pub(crate) fn pegs(&self, symbol: u16) -> Vec<Resting> {
        let of_symbol = self.pegs.range((symbol, 0)..=(symbol, u64::MAX));
        of_symbol
            .filter_map(|(_, (session, user_ref))| self.find(*session, *user_ref))
            .collect()
    }

    /// A session's live order.
    pub(crate) fn find(&self, session: u16, user_ref: u32) -> Option<Resting> {
        let (symbol, side, price, order_ref) = self.live.get(&(session, user_ref))?;
        if let Some(parked) = self.parked.get(&(*symbol, *order_ref)) {
            return Some(*parked);
        }
        let level = self
            .sides
            .get(&(*symbol, *side as u8))?
            .get(&rank(*side, *price))?;
        level.get(order_ref).copied()
    }

    /// Stores an order that comes to rest or is parked, or the new units of one that was before;
    /// without open units it leaves.
    pub(crate) fn store(&mut self, order: &Resting) {
        let who = (order.session, order.user_ref);
        let number = (order.symbol, order.order_ref);
        self.timed.remove(&(order.expiry_ns, order.order_ref));
        self.pegs.remove(&number);
        self.parked.remove(&number);
        if order.open > 0 && order.is_peg() {
            self.pegs.insert(number, who);
        }
        let levels = self
            .sides
            .entry((order.symbol, order.side as u8))
            .or_default();
        let level = levels.entry(rank(order.side, order.price)).or_default();
        if order.open > 0 {
            if order.expiry_ns != 0 {
                self.timed.insert((order.expiry_ns, order.order_ref), who);
            }
            let at = (order.symbol, order.side, order.price, order.order_ref);
            self.live.insert(who, at);
            if order.parked {
                self.parked.insert(number, *order);
            } else {
                level.insert(order.order_ref, *order);
            }
        } else {
            level.remove(&order.order_ref);
            self.live.remove(&who);
        }
        if level.is_empty() {
            levels.remove(&rank(order.side, order.price));
        }
    }

    /// Takes an order off.
    pub(crate) fn remove(&mut self, order: &Resting) {
        self.store(&Resting { open: 0, ..*order });
    }

    /// The resting orders that one with such a limit meets: those of the other side at prices that
    /// it accepts, best price first, then the oldest.
    pub(crate) fn met(
        &self,
        symbol: u16,
        side: Side,
        limit: i64,
    ) -> impl Iterator<Item = &Resting> {
        let meets = move |resting: &&Resting| match side {
            _ if limit == PRICE_MARKET => true,
            Side::Buy => resting.price <= limit,
            Side::Sell => resting.price >= limit,
        };
        self.orders(symbol, side.opposite()).take_while(meets)
    }

    /// The best price at which units of a side are shown, when one order of it is not looked at.
    pub(crate) fn best_shown(&self, symbol: u16, side: Side, but: Option<u64>) -> Option<i64> {
        let mut orders = self.orders(symbol, side);
        let shown = orders.find(|order| order.shown() > 0 && Some(order.order_ref) != but)?;
        Some(shown.price)
    }

    /// The symbols that have orders which are parked or follow the market.
    pub(crate) fn symbols_waiting(&self) -> BTreeSet<u16> {
        let numbers = self.parked.keys().chain(self.pegs.keys());
        numbers.map(|(symbol, _)| *symbol).collect()
    }

    /// The orders whose time is over, by expiry and number.
    pub(crate) fn expired(&self, now_ns: u64) -> Vec<Resting> {
        let due = self.timed.range(..=(now_ns, u64::MAX));
        due.filter_map(|(_, (session, user_ref))| self.find(*session, *user_ref))
            .collect()
    }
}

/// Orders the prices of a side: market orders first, then the best limit.
const fn rank(side: Side, price: i64) -> i64 {
    match side {
        _ if price == PRICE_MARKET => i64::MIN,
        Side::Buy => -price,
        Side::Sell => price,
    }
}
