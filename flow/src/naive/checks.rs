//! What `New` and `Replace` must pass before they are taken.

use wire::ring::{
    Command, Input, PRICE_MARKET, PRICE_MAX, QUANTITY_MAX, Reason, Side, TimeInForce,
};

use super::attributes::{Attributes, Checked};
use super::increments::STATES;
use super::{Day, Naive};
use crate::book::Resting;

/// An order that passed, without its number yet.
pub(super) struct Good {
    pub(super) order: Resting,
    pub(super) attributes: Attributes,
}

impl Naive {
    pub(super) fn check_new(&mut self, input: &Input) -> Result<Good, Reason> {
        let command = &input.command;
        let attributes = self.check_session(command)?;
        let market = self.symbols.get(&command.symbol);
        let tick = market.ok_or(Reason::UnknownSymbol)?.tick;
        let side = Side::from_byte(command.side).ok_or(Reason::InvalidField)?;
        let life = self.life_offered(command.time_in_force)?;
        self.check_user_ref(command, None)?;
        check_amounts(command, 0, tick)?;
        self.check_switches(command.session, command.symbol)?;
        let order = Resting::plain(command, life, command.symbol, side, 0);
        let good = self.check_attributes(order, attributes)?;
        self.check_risk(&good.order, None, input.time_ns)?;
        self.check_room()?;
        Ok(good)
    }

    /// Gives the order to be replaced, too.
    pub(super) fn check_replace(&mut self, input: &Input) -> Result<(Resting, Good), Reason> {
        let command = &input.command;
        let attributes = self.check_session(command)?;
        let life = self.life_offered(command.time_in_force)?;
        self.check_user_ref(command, Some(command.old_user_ref))?;
        let old = self
            .find(command.session, command.old_user_ref)
            .ok_or(Reason::UnknownOrder)?;
        check_amounts(command, old.executed, self.tick(old.symbol))?;
        self.check_switches(old.session, old.symbol)?;
        let order = Resting {
            order_ref: old.order_ref,
            session: old.session,
            ..Resting::plain(command, life, old.symbol, old.side, old.executed)
        };
        let good = self.check_attributes(order, attributes)?;
        self.check_risk(&good.order, Some(&old), input.time_ns)?;
        self.check_room()?;
        Ok((old, good))
    }

    /// References grow, or they are free: then only those of live orders are taken.
    fn check_user_ref(&self, command: &Command, old: Option<u32>) -> Result<(), Reason> {
        let Some(session) = self.sessions.get(&command.session) else {
            return Err(Reason::UnknownSession);
        };
        let is_live = self.find(command.session, command.user_ref).is_some();
        let is_taken = session.free_refs && is_live && old != Some(command.user_ref);
        if command.user_ref <= self.user_ref_last(session.user) || is_taken {
            return Err(Reason::DuplicateUserRef);
        }
        Ok(())
    }

    /// What `New` and `Replace` check first; gives the attributes, which are used up.
    fn check_session(&mut self, command: &Command) -> Result<Attributes, Reason> {
        let session = self.sessions.get_mut(&command.session);
        let asked =
            session.map(|session| std::mem::replace(&mut session.attributes, Attributes::NONE));
        if self.day != Day::Open {
            return Err(Reason::NotOpen);
        }
        let attributes = asked.ok_or(Reason::UnknownSession)?;
        if !attributes.are_offered(self.offered) {
            return Err(Reason::Unsupported);
        }
        Ok(attributes)
    }

    /// The checks of attributes; the last ones look at the book. The number of an order that
    /// replaces is still that of the old one.
    fn check_attributes(&self, mut order: Resting, attributes: Attributes) -> Result<Good, Reason> {
        attributes.check(&Checked {
            open: order.open,
            price: order.price,
            life: order.life,
            tick: self.tick(order.symbol),
            now_ns: self.now_ns,
        })?;
        self.check_in_state(&order, attributes)?;
        if attributes.is_to_limit() {
            let best = self.best(order.symbol, order.side.opposite());
            (order.price, _) = best.ok_or(Reason::NoLiquidity)?;
        }
        if !attributes.is_conditional() {
            order.price = self.price_to_rest(&order);
        }
        attributes.give(&mut order);
        self.set_condition(&mut order);
        let best = self.met(&order).next();
        if let Some(best) = best.filter(|_| attributes.is_post_only()) {
            let tick = self.tick(order.symbol);
            order.price = match order.side {
                Side::Buy => best.price - tick,
                Side::Sell => best.price + tick,
            };
            if !attributes.slides() || !(1..=PRICE_MAX).contains(&order.price) {
                return Err(Reason::WouldTrade);
            }
        }
        self.check_static_band(&order)?;
        Ok(Good { order, attributes })
    }

    fn life_offered(&self, byte: u8) -> Result<TimeInForce, Reason> {
        match TimeInForce::from_byte(byte) {
            Some(TimeInForce::AtOpen | TimeInForce::AtClose) if !self.offers(STATES) => {
                Err(Reason::InvalidField)
            }
            life => life.ok_or(Reason::InvalidField),
        }
    }
}

fn check_amounts(command: &Command, executed: u32, tick: i64) -> Result<(), Reason> {
    if command.quantity <= executed || command.quantity > QUANTITY_MAX {
        return Err(Reason::InvalidQuantity);
    }
    let is_limit = (1..=PRICE_MAX).contains(&command.price) && command.price % tick == 0;
    if command.price != PRICE_MARKET && !is_limit {
        return Err(Reason::InvalidPrice);
    }
    Ok(())
}
