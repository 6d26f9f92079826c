//! What every order passes before it leaves the desk, whichever strategy sends it.
//!
//! The first reason in the order of [`Refusal`] that fits is the one that is told and counted.

use core::fmt;

use wire::ring::Side;

use super::account::Account;
use super::listing::Listings;
use super::money::{Money, sign};
use super::order::{NewOrder, OwnOrder};

/// Parts of a million.
const PPM: i128 = 1_000_000;
/// Nanoseconds in a second.
const SECOND_NS: u64 = 1_000_000_000;

/// What the desk allows itself. The limits of each market are in its listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What an order may be worth, in the home currency.
    pub order_value_max: Money,
    /// What all that is held and open may be worth, signs apart, in the home currency.
    pub exposure_max: Money,
    /// How far a limit may be from the middle of the market, in millionths of it, towards a worse
    /// price for us.
    pub band_ppm: u32,
    /// Orders and replacements in any second.
    pub orders_per_second: u32,
    /// Orders that may live at once.
    pub open_orders_max: u32,
    /// What may be lost before the desk is stopped, in the home currency.
    pub loss_max: Money,
}

/// Why an order does not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// The desk was stopped.
    Killed,
    /// The strategy was stopped.
    Stopped,
    /// There is no such market.
    Market,
    /// There is no such order of this strategy.
    Order,
    /// The venue has not answered what was asked last of this order.
    Busy,
    /// No lots, or more than an order may have.
    Quantity,
    /// The market has no bid or no offer: there is nothing to compare a price with.
    NoMiddle,
    /// Too far from the middle.
    Band,
    /// Worth more than an order may be.
    Value,
    /// More could be held of the market than may.
    Position,
    /// More could be held of everything than may.
    Exposure,
    /// It would trade with an order of ours.
    Own,
    /// Too many orders live.
    OpenOrders,
    /// Too many in a second.
    Rate,
    /// There is no room on the way to the venue.
    Room,
    /// The market said nothing for longer than the strategy trades on.
    Stale,
    /// The strategy's model gave no answer.
    Model,
    /// The strategy's model is right less often than it was.
    Accuracy,
}

/// How many [`Refusal`]s there are.
pub const REFUSALS: usize = Refusal::Accuracy as usize + 1;

impl Refusal {
    /// All of them.
    pub const ALL: [Self; REFUSALS] = [
        Self::Killed,
        Self::Stopped,
        Self::Market,
        Self::Order,
        Self::Busy,
        Self::Quantity,
        Self::NoMiddle,
        Self::Band,
        Self::Value,
        Self::Position,
        Self::Exposure,
        Self::Own,
        Self::OpenOrders,
        Self::Rate,
        Self::Room,
        Self::Stale,
        Self::Model,
        Self::Accuracy,
    ];

    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Stopped => "stopped",
            Self::Market => "market",
            Self::Order => "order",
            Self::Busy => "busy",
            Self::Quantity => "quantity",
            Self::NoMiddle => "no-middle",
            Self::Band => "band",
            Self::Value => "value",
            Self::Position => "position",
            Self::Exposure => "exposure",
            Self::Own => "own",
            Self::OpenOrders => "open-orders",
            Self::Rate => "rate",
            Self::Room => "room",
            Self::Stale => "stale",
            Self::Model => "model",
            Self::Accuracy => "accuracy",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// The times of the last orders, as many as a second may have.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    times_ns: Vec<u64>,
    next: usize,
    window_ns: u64,
}

impl Pace {
    /// At most so many in any window.
    pub(super) fn new(count: u32, window_ns: u64) -> Self {
        // A time that lies more than a window behind any other one.
        let never = vec![0; count as usize];
        Self {
            times_ns: never,
            next: 0,
            window_ns,
        }
    }

    /// Whether one more may be.
    pub(super) fn has_room(&self, now_ns: u64) -> bool {
        let oldest = self.times_ns.get(self.next);
        oldest.is_some_and(|&oldest| oldest == 0 || now_ns - oldest >= self.window_ns)
    }

    /// One more is.
    pub(super) fn take(&mut self, now_ns: u64) {
        if let Some(place) = self.times_ns.get_mut(self.next) {
            *place = now_ns.max(1);
            self.next = (self.next + 1) % self.times_ns.len();
        }
    }
}

/// The desk's risk: limits, and what was refused.
#[derive(Clone, Debug)]
pub struct Risk {
    limits: Limits,
    pace: Pace,
    refused: [u64; REFUSALS],
    is_killed: bool,
    /// What is held, signs apart, in the home currency, since that was last reckoned: the orders of
    /// a strategy often come together.
    held: Option<Money>,
}

/// What an order is judged by.
pub(super) struct Judged<'d> {
    pub(super) now_ns: u64,
    pub(super) listings: &'d Listings,
    pub(super) account: &'d Account,
    pub(super) orders: &'d [OwnOrder],
}

impl Risk {
    /// Nothing refused yet. Takes all memory.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            pace: Pace::new(limits.orders_per_second, SECOND_NS),
            limits,
            refused: [0; REFUSALS],
            is_killed: false,
            held: None,
        }
    }

    /// How often an order was refused for this reason.
    #[must_use]
    pub const fn refused(&self, why: Refusal) -> u64 {
        self.refused[why as usize]
    }

    /// What the desk allows itself.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether the desk was stopped.
    #[must_use]
    pub const fn is_killed(&self) -> bool {
        self.is_killed
    }

    /// Stops the desk for good.
    pub(super) const fn kill(&mut self) {
        self.is_killed = true;
    }

    /// What is held is another thing now, or worth something else.
    pub(super) const fn forget(&mut self) {
        self.held = None;
    }

    pub(super) const fn count(&mut self, why: Refusal) {
        self.refused[why as usize] += 1;
    }

    /// Whether this may leave now, as a new order or, where `old` is, in its place.
    pub(super) fn judge(
        &mut self,
        new: &NewOrder,
        old: Option<&OwnOrder>,
        by: &Judged<'_>,
    ) -> Result<(), Refusal> {
        if self.is_killed {
            return Err(Refusal::Killed);
        }
        let listing = by.listings.get(new.symbol).ok_or(Refusal::Market)?;
        if new.quantity == 0 || new.quantity > listing.order_max {
            return Err(Refusal::Quantity);
        }
        self.price(new, by)?;
        let lots = new.quantity as i64;
        let value = by.listings.worth(new.symbol).value(new.price, lots);
        if by.listings.home(new.symbol, value).abs() > self.limits.order_value_max {
            return Err(Refusal::Value);
        }
        let is_other = |order: &&OwnOrder| old.is_none_or(|old| old.id != order.id);
        let others = || by.orders.iter().filter(is_other);
        let held = by.account.position(new.symbol).lots;
        let same = others().filter(|it| (it.symbol, it.side) == (new.symbol, new.side));
        let open: u64 = same.map(OwnOrder::open_max).sum();
        let reach = sign(new.side) * held + open as i64 + lots;
        if reach > listing.position_max as i64 {
            return Err(Refusal::Position);
        }
        let held = *self.held.get_or_insert_with(|| held_value(by));
        debug_assert_eq!(held, held_value(by), "it was to be forgotten");
        let open = others().map(|order| open_value(by, order)).sum();
        let exposure = held + open + by.listings.home(new.symbol, value).abs();
        if exposure > self.limits.exposure_max {
            return Err(Refusal::Exposure);
        }
        let is_met = |order: &OwnOrder| {
            let against = (order.symbol, order.side) == (new.symbol, new.side.opposite());
            against && sign(new.side) * (new.price - order.price_reach()) >= 0
        };
        if others().any(is_met) {
            return Err(Refusal::Own);
        }
        if old.is_none() && by.orders.len() >= self.limits.open_orders_max as usize {
            return Err(Refusal::OpenOrders);
        }
        if !self.pace.has_room(by.now_ns) {
            return Err(Refusal::Rate);
        }
        self.pace.take(by.now_ns);
        Ok(())
    }

    /// Whether the price is near enough to the middle.
    fn price(&self, new: &NewOrder, by: &Judged<'_>) -> Result<(), Refusal> {
        if !by.listings.has_touch(new.symbol) {
            return Err(Refusal::NoMiddle);
        }
        let middle_twice = by.listings.middle_twice(new.symbol);
        let worse = sign(new.side) * (2 * new.price - middle_twice);
        let limit = i128::from(middle_twice.abs()) * i128::from(self.limits.band_ppm);
        if i128::from(worse) * PPM > limit {
            return Err(Refusal::Band);
        }
        Ok(())
    }
}

/// What is held, signs apart, in the home currency.
fn held_value(by: &Judged<'_>) -> Money {
    let held = |&symbol: &u32| {
        let lots = by.account.position(symbol).lots;
        let middle = by.listings.middle_twice(symbol);
        let value = by.listings.worth(symbol).value_half(middle, lots);
        by.listings.home(symbol, value).abs()
    };
    by.account.held().iter().map(held).sum()
}

/// What an order that is open may come to, in the home currency.
fn open_value(by: &Judged<'_>, order: &OwnOrder) -> Money {
    let lots = order.open_max() as i64;
    let value = by.listings.worth(order.symbol).value(order.price, lots);
    by.listings.home(order.symbol, value).abs()
}

/// Whether an order of this side at this price would take from a level.
#[must_use]
pub const fn reaches(side: Side, price: i64, level: i64) -> bool {
    sign(side) * (price - level) >= 0
}
