//! What an account may do: its limits, and what they are compared with.

use std::collections::BTreeSet;

use wire::ring::{Command, Event, EventKind, PRICE_MARKET, Reason, Side};

use super::market::Trade;
use super::{Day, Naive, increments};
use crate::answer::about;
use crate::book::Resting;

/// Numbers of the limits, in `flags` of a `SetLimit`.
const QUANTITY: usize = 1;
const NOTIONAL: usize = 2;
const DISTANCE: usize = 3;
const LIVE_ORDERS: usize = 4;
const POSITION: usize = 5;
const GROSS: usize = 6;
const NET: usize = 7;
const RATE: usize = 8;
const RESTRICTED: usize = 9;

const SECOND_NS: i128 = 1_000_000_000;

/// The limits of an account.
#[derive(Default)]
pub(super) struct Limits {
    /// By number, 0 for none.
    values: [i64; RESTRICTED + 1],
    /// Orders that may come at once.
    burst: u32,
    /// When the next order would be in time, if they came one by one.
    next_ns: i128,
    restricted: BTreeSet<u16>,
}

/// Units and their value.
#[derive(Clone, Copy, Default)]
pub(super) struct Amount {
    units: i128,
    value: i128,
}

impl Naive {
    pub(super) fn set_limit(&mut self, command: &Command) -> Event {
        let checked = self.check_room().and_then(|()| self.check_limit(command));
        if let Err(reason) = checked {
            return about(command, EventKind::Refused, reason);
        }
        self.keeps_accounts = true;
        let limits = self.limits.entry(command.user_ref).or_default();
        let number = usize::from(command.flags);
        limits.values[number] = command.price;
        match (number, command.price) {
            (RATE, _) => limits.burst = command.quantity,
            (RESTRICTED, 1) => _ = limits.restricted.insert(command.symbol),
            (RESTRICTED, _) => _ = limits.restricted.remove(&command.symbol),
            _ => {}
        }
        about(command, EventKind::Configured, Reason::None)
    }

    fn check_limit(&self, command: &Command) -> Result<(), Reason> {
        let number = usize::from(command.flags);
        let is_wrong = number > RESTRICTED
            || command.price < 0
            || number == RATE && command.price > 0 && command.quantity == 0
            || number == RESTRICTED && command.price > 1;
        let is_of = |session: u16| self.account(session) == Some(command.user_ref);
        let checks = [
            (!self.offers(increments::RISK), Reason::InvalidField),
            (
                self.day != Day::Before && !self.keeps_accounts,
                Reason::NotOpen,
            ),
            (
                !self.sessions.keys().copied().any(is_of),
                Reason::UnknownSession,
            ),
            (is_wrong, Reason::InvalidField),
            (
                number == RESTRICTED && !self.symbols.contains_key(&command.symbol),
                Reason::UnknownSymbol,
            ),
        ];
        first_wrong(&checks)
    }

    /// Checks an order that is good otherwise, as if the order that it replaces were gone.
    pub(super) fn check_risk(
        &mut self,
        order: &Resting,
        replaced: Option<&Resting>,
        now_ns: u64,
    ) -> Result<(), Reason> {
        let account = self.account(order.session);
        let Some(limits) = account.and_then(|account| self.limits.get_mut(&account)) else {
            return Ok(());
        };
        if limits.restricted.contains(&order.symbol) {
            return Err(Reason::Restricted);
        }
        limits.take_turn(i128::from(now_ns))?;
        let values = limits.values;
        let exceeds = |limit, amount| values[limit] != 0 && amount > i128::from(values[limit]);
        let live = self.live_of(order.session, replaced);
        let on_side = |one: &Resting| one.side == order.side;
        let in_symbol = |one: &Resting| one.symbol == order.symbol && on_side(one);
        let open = |fits: &dyn Fn(&Resting) -> bool| {
            let fitting = live.iter().filter(|one| fits(one));
            fitting.fold(Amount::default(), |sum, one| sum.plus(one, 0))
        };
        let price_last = self.price_last(order.symbol).unwrap_or(0);
        let this = Amount::default().plus(order, price_last);
        let traded = |side, symbol| self.traded_by(order.session, side, symbol);
        let (own, other) = (order.side, order.side.opposite());
        let position = traded(own, Some(order.symbol)).units
            - traded(other, Some(order.symbol)).units
            + open(&in_symbol).units
            + this.units;
        let trades = [traded(own, None).value, traded(other, None).value];
        let gross = trades[0] + trades[1] + open(&|_| true).value + this.value;
        let net = trades[0] - trades[1] + open(&on_side).value + this.value;
        first_wrong(&[
            (exceeds(QUANTITY, this.units), Reason::MaxQuantity),
            (exceeds(NOTIONAL, this.value), Reason::MaxNotional),
            (self.is_far(order, values[DISTANCE]), Reason::FatFinger),
            (
                exceeds(LIVE_ORDERS, live.len() as i128 + 1),
                Reason::MaxOpenOrders,
            ),
            (exceeds(POSITION, position), Reason::MaxPosition),
            (exceeds(GROSS, gross), Reason::GrossCredit),
            (exceeds(NET, net), Reason::NetCredit),
        ])
    }

    /// Whether a limit is too far beyond the market, in 1/10,000 of its price.
    fn is_far(&self, order: &Resting, distance: i64) -> bool {
        let has_limit = order.price != PRICE_MARKET && order.price != 0;
        let Some(market) = self.price_reference(order.symbol) else {
            return false;
        };
        let beyond = match order.side {
            Side::Buy => order.price - market,
            Side::Sell => market - order.price,
        };
        let is_beyond = i128::from(beyond) * 10_000 > i128::from(distance) * i128::from(market);
        distance != 0 && has_limit && is_beyond
    }

    /// The live orders of a session's account but one.
    fn live_of(&self, session: u16, but: Option<&Resting>) -> Vec<Resting> {
        let account = self.account(session);
        let is_of = |one: &Resting| self.account(one.session) == account && Some(one) != but;
        self.all_orders().into_iter().filter(is_of).collect()
    }

    /// What a session's account bought or sold, of one symbol or of all.
    fn traded_by(&self, session: u16, side: Side, symbol: Option<u16>) -> Amount {
        let account = self.account(session);
        let fits = |(of, traded, on): &(u32, u16, u8)| {
            Some(*of) == account && symbol.is_none_or(|one| one == *traded) && *on == side as u8
        };
        let fitting = self.trades.iter().filter(|(key, _)| fits(key));
        fitting.fold(Amount::default(), |sum, (_, one)| Amount {
            units: sum.units + one.units,
            value: sum.value + one.value,
        })
    }

    /// Value of all that an account traded.
    pub(super) fn value_traded(&self, account: Option<u32>) -> i128 {
        let of = self.trades.iter();
        let of = of.filter(|((one, _, _), _)| Some(*one) == account);
        of.map(|(_, amount)| amount.value).sum()
    }

    /// Counts a trade of the account of one of its sessions no longer.
    pub(super) fn count_back(&mut self, session: u16, side: Side, trade: &Trade) {
        let Some(account) = self.account(session) else {
            return;
        };
        let key = (account, trade.symbol, side as u8);
        let amount = self.trades.entry(key).or_default();
        amount.units -= i128::from(trade.quantity);
        amount.value -= i128::from(trade.quantity) * i128::from(trade.price);
    }

    /// Counts a trade for the account of one of its sessions.
    pub(super) fn count_trade(&mut self, session: u16, side: Side, trade: &Trade) {
        let Some(account) = self.account(session) else {
            return;
        };
        let key = (account, trade.symbol, side as u8);
        let amount = self.trades.entry(key).or_default();
        amount.units += i128::from(trade.quantity);
        amount.value += i128::from(trade.quantity) * i128::from(trade.price);
    }
}

impl Limits {
    /// Whether an order comes in time; if so it moves the time of the next one.
    fn take_turn(&mut self, now_ns: i128) -> Result<(), Reason> {
        let rate = i128::from(self.values[RATE]);
        if rate == 0 {
            return Ok(());
        }
        let interval_ns = SECOND_NS / rate;
        self.next_ns = self.next_ns.max(now_ns);
        if self.next_ns - now_ns > i128::from(self.burst - 1) * interval_ns {
            return Err(Reason::RateLimit);
        }
        self.next_ns += interval_ns;
        Ok(())
    }
}

impl Amount {
    /// With an order's open units; one at a market price counts with the price given.
    fn plus(self, order: &Resting, price_market: i64) -> Self {
        let units = i128::from(order.open);
        let price = match order.price {
            PRICE_MARKET => price_market,
            price => price,
        };
        Self {
            units: self.units + units,
            value: self.value + units * i128::from(price),
        }
    }
}

/// The reason of the first check that says that something is wrong.
fn first_wrong(checks: &[(bool, Reason)]) -> Result<(), Reason> {
    match checks.iter().find(|(is_wrong, _)| *is_wrong) {
        Some((_, reason)) => Err(*reason),
        None => Ok(()),
    }
}
