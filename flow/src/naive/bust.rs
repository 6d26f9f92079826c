//! Trades that are taken back: what must be true of one, and what it undoes.

use wire::ring::{Command, Event, EventKind, PRICE_MAX, QUANTITY_MAX, Reason, Side};

use super::market::Trade;
use super::{Naive, increments};
use crate::answer::about;

/// The most trades that are taken back in a day.
const BUSTS_MAX: usize = 1_024;

impl Naive {
    /// Which trade the next `Bust` is about.
    pub(super) fn name_trade(&mut self, command: &Command) -> Event {
        self.trade_named = (command.price > 0).then_some(*command);
        about(command, EventKind::Noted, Reason::None)
    }

    pub(super) fn bust(&mut self, command: &Command) -> Vec<Event> {
        let named = self.trade_named.take();
        let aggressor = match self.check_bust(command, named) {
            Ok(aggressor) => aggressor,
            Err(reason) => return vec![about(command, EventKind::Refused, reason)],
        };
        self.broken.insert(aggressor.price);
        let is_buy = command.side == Side::Buy as u8;
        let (buyer, seller) = match is_buy {
            true => (command.session, aggressor.session),
            false => (aggressor.session, command.session),
        };
        let trade = Trade {
            symbol: command.symbol,
            quantity: command.quantity,
            price: command.price,
            buyer,
            seller,
        };
        self.count_back(buyer, Side::Buy, &trade);
        self.count_back(seller, Side::Sell, &trade);
        let maker = Event {
            flags: Event::MAKER,
            related: aggressor.price as u64,
            reason: command.flags,
            ..about(command, EventKind::Broken, Reason::None)
        };
        let other = Event {
            side: u8::from(is_buy),
            flags: 0,
            session: aggressor.session,
            user_ref: aggressor.user_ref,
            ..maker
        };
        vec![
            maker.with_client_id(command.client_id),
            other.with_client_id(aggressor.client_id),
        ]
    }

    /// The named trade, if what is said of it can be true.
    fn check_bust(&self, command: &Command, named: Option<Command>) -> Result<Command, Reason> {
        let whys = [
            Reason::Erroneous,
            Reason::Consent,
            Reason::Supervisory,
            Reason::External,
        ];
        let is_why = whys.iter().any(|why| *why as u8 == command.flags);
        let is_side = Side::from_byte(command.side).is_some();
        if !self.offers(increments::BUST) || !is_why || !is_side {
            return Err(Reason::InvalidField);
        }
        let aggressor = named.filter(|named| named.price.unsigned_abs() <= self.matches);
        let aggressor = aggressor.ok_or(Reason::UnknownTrade)?;
        let accounts = [command.session, aggressor.session].map(|session| self.account(session));
        let checks = [
            (
                !self.symbols.contains_key(&command.symbol),
                Reason::UnknownSymbol,
            ),
            (accounts.contains(&None), Reason::UnknownSession),
            (
                !(1..=QUANTITY_MAX).contains(&command.quantity),
                Reason::InvalidQuantity,
            ),
            (
                !(1..=PRICE_MAX).contains(&command.price),
                Reason::InvalidPrice,
            ),
            (self.broken.contains(&aggressor.price), Reason::TradeBroken),
            (self.broken.len() == BUSTS_MAX, Reason::TableFull),
        ];
        if let Some((_, reason)) = checks.iter().find(|(is_wrong, _)| *is_wrong) {
            return Err(*reason);
        }
        let sides = if accounts[0] == accounts[1] { 2 } else { 1 };
        let value = sides * i128::from(command.quantity) * i128::from(command.price);
        let has_traded = |account: &Option<u32>| self.value_traded(*account) >= value;
        if self.keeps_accounts && !accounts.iter().all(has_traded) {
            return Err(Reason::UnknownTrade);
        }
        Ok(aggressor)
    }
}
