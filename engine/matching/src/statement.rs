//! Accounts in snapshots.
//!
//! A snapshot has an account's sums as they are kept, live orders included, and the orders. So they
//! are read as they stand, all orders are taken out of them, what is left must come from trades
//! alone, and the orders are counted in again.

use bytemuck::Zeroable;

use crate::Engine;
use crate::accounts::{Account, Accounts, Position, UNITS_MAX, VALUE_MAX};
use crate::carry::{Carrier, Tag};
use crate::reader::{Reader, RestoreError, RestoreFault};
use crate::risk::{NONE, NONE_32, SECOND_NS};
use crate::snapshot::Writer;

impl Account {
    /// What a snapshot carries. How many orders and restrictions there are follows from these.
    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self {
            net: [buy, sell],
            gross,
            live: _,
            live_max,
            units_max,
            restrictions: _,
            next_ns,
            value_max,
            distance_max,
            position_max,
            gross_max,
            net_max,
            interval_ns,
            burst,
        } = self;
        to.number("account.net_buy", buy, -VALUE_MAX..=VALUE_MAX)?;
        to.number("account.net_sell", sell, -VALUE_MAX..=VALUE_MAX)?;
        to.number("account.gross", gross, 0..=VALUE_MAX)?;
        to.number("account.units_max", units_max, 1..=NONE_32)?;
        to.number("account.value_max", value_max, 1..=NONE)?;
        to.number("account.distance_max", distance_max, 1..=NONE)?;
        to.number("account.live_max", live_max, 1..=NONE_32)?;
        to.number("account.position_max", position_max, 1..=NONE)?;
        to.number("account.gross_max", gross_max, 1..=NONE)?;
        to.number("account.net_max", net_max, 1..=NONE)?;
        to.number("account.interval_ns", interval_ns, 0..=SECOND_NS as u32)?;
        to.any("account.burst", burst)?;
        to.number("account.next_ns", next_ns, 0..=1 << 65)
    }
}

impl Position {
    /// What a snapshot carries.
    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self([buy, sell]) = self;
        to.number("position.buy", buy, -UNITS_MAX..=UNITS_MAX)?;
        to.number("position.sell", sell, -UNITS_MAX..=UNITS_MAX)
    }
}

impl Accounts<'_> {
    /// Whether all that is counted comes from trades alone, as it does without live orders.
    fn is_traded_only(&self) -> bool {
        let is_even = |account: &Account| {
            let [buy, sell] = account.net;
            // Of a trade that is taken back the engine knows what it was told, and its value only.
            let is_gross = account.gross >= 0 && (account.gross + buy) % 2 == 0;
            buy + sell == 0 && is_gross
        };
        let is_opposite = |Position([buy, sell]): &Position| buy + sell == 0;
        self.all.iter().all(is_even) && self.positions.iter().all(is_opposite)
    }
}

impl Engine<'_> {
    /// Whether a session is the one that a kept account is carried with.
    pub(crate) fn is_kept_by(&self, session: u16) -> bool {
        let place = self.sessions[usize::from(session)].defined;
        self.accounts.is_kept && self.accounts.is_first(place, session)
    }

    /// Writes what accounts have of a symbol, if they have or may not have something.
    pub(crate) fn write_positions(&self, writer: &mut Writer<'_>, symbol: u16) {
        if !self.accounts.is_kept {
            return;
        }
        let sessions = (0..=u16::MAX).zip(self.sessions.iter());
        for (mut number, session) in sessions.filter(|(number, _)| self.is_kept_by(*number)) {
            let mut position = self.accounts.position(session.defined, symbol);
            let mut restricted = self.accounts.is_restricted(session.defined, symbol).into();
            if !position.is_none() || restricted == 1 {
                writer.record(Tag::Position, |to| {
                    to.any("position.session", &mut number)?;
                    position.carry(to)?;
                    to.number("position.restricted", &mut restricted, 0_u8..=1)
                });
            }
        }
    }

    /// Reads what an account has of a symbol, whose session is above the last one; gives that.
    pub(crate) fn restore_position(
        &mut self,
        reader: &mut Reader<'_>,
        symbol: u16,
        last: u16,
    ) -> Result<u16, RestoreError> {
        let (mut number, mut position, mut restricted) = (0, Position::zeroed(), 0_u8);
        reader.record(Tag::Position, |from| {
            from.any("position.session", &mut number)?;
            position.carry(from)?;
            from.number("position.restricted", &mut restricted, 0..=1)
        })?;
        reader.require(number > last, "position.session", RestoreFault::Order)?;
        let session = self.sessions.get(usize::from(number));
        let session = session.filter(|one| one.is_defined() && self.is_kept_by(number));
        let session = session.ok_or(reader.wrong("position.session", RestoreFault::Value))?;
        let has_any = !position.is_none() || restricted == 1;
        reader.require(has_any, "position", RestoreFault::Value)?;
        let place = session.defined;
        *self.accounts.position_mut(place, symbol) = position;
        self.accounts.restrict(place, symbol, restricted == 1);
        Ok(number)
    }

    /// Looks whether what was read of accounts fits the orders, all of which are there, and counts
    /// these.
    pub(crate) fn restore_counts(&mut self, reader: &Reader<'_>) -> Result<(), RestoreError> {
        // No record was freed yet.
        let live = 1..=self.slab.live();
        for handle in live.clone() {
            let order = self.slab.orders[handle as usize];
            let (whose, price) = (self.whose(&order.identity()), self.price_of(handle));
            self.accounts.change(whose, -i64::from(order.open()), price);
        }
        let fits = self.accounts.is_traded_only();
        reader.require(fits, "accounts", RestoreFault::Value)?;
        live.for_each(|handle| self.count_in_live(handle));
        Ok(())
    }
}
