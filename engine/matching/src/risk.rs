//! Pre-trade risk: the limits of accounts, set by commands, and the checks of an order.
//!
//! A check is the same few comparisons for every order, whatever its account has open. An account
//! without a limit passes them, so there is nothing to ask but whether accounts are kept at all.

use wire::ring::{Command, Event, EventKind, PRICE_MARKET, Reason, Side};

use crate::Engine;
use crate::accounts::{Account, Position};
use crate::answers::{about, refused};
use crate::engine::Day;
use crate::refs::Found;
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

    /// Whether an order comes in time; if so it moves the time of the next one.
    #[inline]
    fn take_turn(&mut self, time_ns: u64) -> bool {
        if self.burst == 0 {
            return true;
        }
        let next_ns = self.next_ns.max(u128::from(time_ns));
        let ahead_ns = u64::from(self.burst - 1) * u64::from(self.interval_ns);
        let is_in_time = next_ns - u128::from(time_ns) <= u128::from(ahead_ns);
        if is_in_time {
            self.next_ns = next_ns + u128::from(self.interval_ns);
        }
        is_in_time
    }
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
        let gone = replaced.map_or(Amount::ZERO, |found| self.amount_live(found));
        let order = Amount::of(taker.open, taker.price, last);
        let Position(units) = self.accounts.position(whose.place, symbol);
        let restrictions = self.accounts.all[usize::from(whose.place)].restrictions;
        if restrictions != 0 && self.accounts.is_restricted(whose.place, symbol) {
            return Err(Reason::Restricted);
        }
        let account = &mut self.accounts.all[usize::from(whose.place)];
        if !account.take_turn(self.now_ns) {
            return Err(Reason::RateLimit);
        }
        let side = whose.side as usize;
        let units = units[side] - i64::from(gone.units) + i64::from(order.units);
        let value = i128::from(order.value) - i128::from(gone.value);
        let live = account.live + u32::from(replaced.is_none());
        let wrong = [
            (order.units > account.units_max, Reason::MaxQuantity),
            (order.value > account.value_max, Reason::MaxNotional),
            (
                is_far(whose.side, taker.price, market, account.distance_max),
                Reason::FatFinger,
            ),
            (live > account.live_max, Reason::MaxOpenOrders),
            (
                exceeds(i128::from(units), account.position_max),
                Reason::MaxPosition,
            ),
            (
                exceeds(account.gross + value, account.gross_max),
                Reason::GrossCredit,
            ),
            (
                exceeds(account.net[side] + value, account.net_max),
                Reason::NetCredit,
            ),
        ];
        // One branch for an order that is within all of them.
        if !wrong
            .iter()
            .fold(false, |any, (is_wrong, _)| any | is_wrong)
        {
            return Ok(());
        }
        let first = wrong.iter().find(|(is_wrong, _)| *is_wrong);
        first.map_or(Ok(()), |(_, reason)| Err(*reason))
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
    let is_beyond = i128::from(beyond * 10_000) > i128::from(distance) * i128::from(market);
    is_beyond & (limit != 0) & (limit != PRICE_MARKET) & (market != 0)
}
