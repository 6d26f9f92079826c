//! Pre-trade risk: the limits of accounts, set by commands, and the checks of an order.
//!
//! A check is the same few comparisons for every order, whatever its account has open. An account
//! without a limit passes them, so there is nothing to ask but whether accounts are kept at all.

use wire::ring::{Command, Event, EventKind, PRICE_MARKET, Reason, Side};

use crate::Engine;
use crate::accounts::{Account, Position, Whose};
use crate::answers::{about, refused};
use crate::engine::Day;
use crate::refs::Found;
use crate::slab::Identity;
use crate::trade::Taker;

/// Numbers of the limits, in `flags` of a `SetLimit`.
const KEEP: u8 = 0;
const QUANTITY: u8 = 1;
const NOTIONAL: u8 = 2;
const DISTANCE: u8 = 3;
const LIVE_ORDERS: u8 = 4;
const POSITION: u8 = 5;
const GROSS: u8 = 6;
const NET: u8 = 7;
const RATE: u8 = 8;
const RESTRICTED: u8 = 9;

pub(crate) const SECOND_NS: u64 = 1_000_000_000;

/// A limit that is none. Units and orders never reach it; a value or a position may.
pub(crate) const NONE: u64 = u64::MAX;
pub(crate) const NONE_32: u32 = u32::MAX;

const _: () = assert!(crate::ORDERS_MAX < NONE_32 && wire::ring::QUANTITY_MAX < NONE_32);

/// What an order comes to.
#[derive(Clone, Copy)]
struct Amount {
    units: u32,
    value: u64,
}

impl Amount {
    const ZERO: Self = Self { units: 0, value: 0 };

    /// Of units at a price; a market price counts with the price given.
    fn of(units: u32, price: u32, price_market: u32) -> Self {
        let is_market = i64::from(price) == PRICE_MARKET;
        let price = if is_market { price_market } else { price };
        let value = u64::from(units) * u64::from(price);
        Self { units, value }
    }
}

/// An order as the limits of its account see it.
#[derive(Clone, Copy)]
struct Weighed {
    side: Side,
    /// Its limit.
    price: u32,
    order: Amount,
    /// What the order that it replaces came to.
    gone: Amount,
    replaces: bool,
}

impl Account {
    pub(crate) const UNLIMITED: Self = Self {
        net: [0; 2],
        gross: 0,
        live: 0,
        live_max: NONE_32,
        units_max: NONE_32,
        restrictions: 0,
        next_ns: 0,
        value_max: NONE,
        distance_max: NONE,
        position_max: NONE,
        gross_max: NONE,
        net_max: NONE,
        interval_ns: 0,
        burst: 0,
    };

    /// Sets a limit of the account's own record.
    fn set(&mut self, number: u8, value: u64, burst: u32) {
        let limit = if value == 0 { NONE } else { value };
        let limit_32 = u32::try_from(limit).unwrap_or(NONE_32);
        match number {
            QUANTITY => self.units_max = limit_32,
            NOTIONAL => self.value_max = limit,
            DISTANCE => self.distance_max = limit,
            LIVE_ORDERS => self.live_max = limit_32,
            POSITION => self.position_max = limit,
            GROSS => self.gross_max = limit,
            NET => self.net_max = limit,
            RATE => {
                self.burst = if value == 0 { 0 } else { burst };
                self.interval_ns = SECOND_NS.checked_div(value).unwrap_or(0) as u32;
            }
            _ => {}
        }
    }

    /// When the next order is in time behind one that comes now; none if that comes too soon.
    #[inline(always)]
    fn next_turn(&self, time_ns: u64) -> Option<u128> {
        if self.burst == 0 {
            return Some(self.next_ns);
        }
        let next_ns = self.next_ns.max(u128::from(time_ns));
        let ahead_ns = u64::from(self.burst - 1) * u64::from(self.interval_ns);
        let is_in_time = next_ns - u128::from(time_ns) <= u128::from(ahead_ns);
        is_in_time.then(|| next_ns + u128::from(self.interval_ns))
    }

    /// What an order would be too much of. `units` is the position, `market` the price that limits
    /// are measured by, 0 for none.
    #[inline(always)]
    fn excesses(&self, weighed: &Weighed, units: i64, market: u32) -> [(bool, Reason); 7] {
        let Weighed {
            side, order, gone, ..
        } = *weighed;
        let units = units - i64::from(gone.units) + i64::from(order.units);
        let value = i128::from(order.value) - i128::from(gone.value);
        let live = self.live + u32::from(!weighed.replaces);
        let is_far = is_far(side, weighed.price, market, self.distance_max);
        let net = self.net[side as usize] + value;
        [
            (order.units > self.units_max, Reason::MaxQuantity),
            (order.value > self.value_max, Reason::MaxNotional),
            (is_far, Reason::FatFinger),
            (live > self.live_max, Reason::MaxOpenOrders),
            (
                exceeds(i128::from(units), self.position_max),
                Reason::MaxPosition,
            ),
            (
                exceeds(self.gross + value, self.gross_max),
                Reason::GrossCredit,
            ),
            (exceeds(net, self.net_max), Reason::NetCredit),
        ]
    }
}

/// Whether there is any excess: one branch for an order that is within all limits.
#[inline(always)]
fn is_any(excesses: &[(bool, Reason); 7]) -> bool {
    excesses.iter().fold(false, |any, (is, _)| any | is)
}

impl Engine<'_> {
    /// Sets a limit of an account; with the first one accounts are kept.
    pub(crate) fn set_limit(&mut self, command: &Command) -> Event {
        let place = match self.check_limit(command) {
            Ok(place) => place,
            Err(reason) => return refused(command, reason),
        };
        self.accounts.is_kept = true;
        if command.flags == RESTRICTED {
            let is_set = command.price == 1;
            self.accounts.restrict(place, command.symbol, is_set);
        } else {
            let account = &mut self.accounts.all[usize::from(place)];
            account.set(command.flags, command.price as u64, command.quantity);
        }
        about(command, EventKind::Configured, Reason::None)
    }

    /// The place of the account.
    fn check_limit(&self, command: &Command) -> Result<u16, Reason> {
        let (number, value) = (command.flags, command.price);
        if !self.accounts.has_places() {
            return Err(Reason::TableFull);
        }
        if self.day != Day::Before && !self.accounts.is_kept {
            return Err(Reason::NotOpen);
        }
        let place = self.accounts.place(command.user_ref);
        let place = place.ok_or(Reason::UnknownSession)?;
        let is_wrong = !(KEEP..=RESTRICTED).contains(&number)
            || value < 0
            || number == RATE && value > 0 && command.quantity == 0
            || number == RESTRICTED && value > 1;
        if is_wrong {
            return Err(Reason::InvalidField);
        }
        let book = self.books.books.get(usize::from(command.symbol));
        if number == RESTRICTED && !book.is_some_and(|book| book.is_defined()) {
            return Err(Reason::UnknownSymbol);
        }
        Ok(place)
    }

    /// Checks an order that is good otherwise, as if the one that it replaces were gone. To be
    /// called once for an order: it takes a turn of the account's rate.
    #[inline(never)]
    pub(crate) fn check_risk(
        &mut self,
        taker: &Taker,
        replaced: Option<Found>,
    ) -> Result<(), Reason> {
        let (whose, book) = (self.whose(&taker.who), self.book_of(taker));
        let (symbol, last) = (whose.symbol, book.last);
        let market = self.market_price(symbol).unwrap_or(0);
        let weighed = Weighed {
            side: whose.side,
            price: taker.price,
            order: Amount::of(taker.open, taker.price, last),
            gone: replaced.map_or(Amount::ZERO, |found| self.amount_live(found)),
            replaces: replaced.is_some(),
        };
        let Position(units) = self.accounts.position(whose.place, symbol);
        if self.is_restricted(whose) {
            return Err(Reason::Restricted);
        }
        let account = &mut self.accounts.all[usize::from(whose.place)];
        account.next_ns = account.next_turn(self.now_ns).ok_or(Reason::RateLimit)?;
        let excesses = account.excesses(&weighed, units[whose.side as usize], market);
        if !is_any(&excesses) {
            return Ok(());
        }
        let first = excesses.iter().find(|(is, _)| *is);
        first.map_or(Ok(()), |(_, reason)| Err(*reason))
    }

    /// Counts a plain order that will rest, for good, if it is within all limits of its account;
    /// else nothing changes. `old` are units and price of the order that it replaces.
    #[inline(never)]
    pub(crate) fn count_within(
        &mut self,
        who: &Identity,
        units: u32,
        price: u32,
        old: Option<(u32, u32)>,
    ) -> Option<()> {
        let whose = self.whose(who);
        let gone = old.map_or(Amount::ZERO, |(units, price)| Amount::of(units, price, 0));
        let weighed = Weighed {
            side: whose.side,
            price,
            order: Amount::of(units, price, 0),
            gone,
            replaces: old.is_some(),
        };
        let market = self.market_price(whose.symbol).unwrap_or(0);
        if self.is_restricted(whose) {
            return None;
        }
        let Position(position) = self.accounts.position(whose.place, whose.symbol);
        let account = &mut self.accounts.all[usize::from(whose.place)];
        let next_ns = account.next_turn(self.now_ns)?;
        let excesses = account.excesses(&weighed, position[whose.side as usize], market);
        if is_any(&excesses) {
            return None;
        }
        account.next_ns = next_ns;
        account.live += u32::from(old.is_none());
        if let Some((units, price)) = old {
            self.accounts.change(whose, -i64::from(units), price);
        }
        self.accounts.change(whose, i64::from(units), price);
        Some(())
    }

    /// Whether somebody may not trade what an order of his is about.
    #[inline(always)]
    fn is_restricted(&self, whose: Whose) -> bool {
        let account = &self.accounts.all[usize::from(whose.place)];
        account.restrictions != 0 && self.accounts.is_restricted(whose.place, whose.symbol)
    }

    /// What a live order comes to.
    fn amount_live(&self, found: Found) -> Amount {
        let order = &self.slab.orders[found.order as usize];
        Amount::of(order.open(), self.price_of(found.order), 0)
    }
}

/// Whether an amount is beyond a limit.
#[inline]
fn exceeds(amount: i128, limit: u64) -> bool {
    (amount > i128::from(limit)) & (limit != NONE)
}

/// Whether a limit is too far beyond the market, in 1/10,000 of its price. Without a limit or a
/// market nothing is.
#[inline]
fn is_far(side: Side, price: u32, market: u32, distance: u64) -> bool {
    let (limit, market) = (i64::from(price), i64::from(market));
    let beyond = match side {
        Side::Buy => limit - market,
        Side::Sell => market - limit,
    };
    let reach = u128::from(distance) * u128::from(market.unsigned_abs());
    let is_beyond = (beyond > 0) & (u128::from((beyond * 10_000) as u64) > reach);
    is_beyond & (limit != 0) & (limit != PRICE_MARKET) & (market != 0)
}
