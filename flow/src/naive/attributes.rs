//! What an `Extra` asks of the order behind it.

use wire::ring::{
    Command, Condition, EXTRA_ALL_OR_NONE, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE,
    EXTRA_TO_LIMIT, PRICE_MARKET, PRICE_MAX, Reason, TimeInForce,
};

use super::increments::{BASIC, EXPIRY, ICEBERG, PEGS, STOPS, WHOLE};
use crate::book::Resting;

/// The attributes of one order; those of a plain order are all 0.
#[derive(Clone, Copy)]
pub(super) struct Attributes {
    /// Whether there was an `Extra` at all.
    asked: bool,
    /// Whether something is asked that no increment offers.
    unknown: bool,
    flags: u8,
    quantity_min: u32,
    displayed: u32,
    expiry_ns: i64,
    condition: Condition,
    amount: i64,
}

/// An order that attributes are checked on, whose open units and price are good.
pub(super) struct Checked {
    pub(super) open: u32,
    pub(super) price: i64,
    pub(super) life: TimeInForce,
    pub(super) tick: i64,
    pub(super) now_ns: u64,
}

impl Attributes {
    /// Those of a plain order.
    pub(super) const NONE: Self = Self {
        asked: false,
        unknown: false,
        flags: 0,
        quantity_min: 0,
        displayed: 0,
        expiry_ns: 0,
        condition: Condition::None,
        amount: 0,
    };

    pub(super) fn of(extra: &Command) -> Self {
        let condition = Condition::from_byte(extra.letters[1]);
        Self {
            asked: true,
            unknown: extra.letters[0] != 0 || condition.is_none() || extra.client_id[0] != 0,
            condition: condition.unwrap_or(Condition::None),
            amount: i64::from(extra.amount()),
            flags: extra.flags,
            quantity_min: extra.quantity,
            displayed: extra.old_user_ref,
            expiry_ns: extra.price,
        }
    }

    pub(super) const fn is_post_only(&self) -> bool {
        self.flags & EXTRA_POST_ONLY != 0
    }

    pub(super) const fn slides(&self) -> bool {
        self.flags & EXTRA_SLIDE != 0
    }

    pub(super) const fn is_to_limit(&self) -> bool {
        self.flags & EXTRA_TO_LIMIT != 0
    }

    /// Whether an engine that offers a set of increments knows all of them.
    pub(super) fn are_offered(&self, offered: u16) -> bool {
        let has = |flags| self.flags & flags != 0;
        let is_basic = has(EXTRA_POST_ONLY | EXTRA_SLIDE | EXTRA_HIDDEN) || self.quantity_min != 0;
        let needs = [
            (is_basic, BASIC),
            (self.displayed != 0, ICEBERG),
            (self.expiry_ns != 0, EXPIRY),
            (has(EXTRA_ALL_OR_NONE | EXTRA_TO_LIMIT), WHOLE),
            (self.is_stop(), STOPS),
            (self.is_peg(), PEGS),
        ];
        let is_offered = |(asked, increment): (bool, u16)| !asked || offered & increment != 0;
        let is_plain = !self.asked;
        is_plain || (offered != 0 && !self.unknown && needs.into_iter().all(is_offered))
    }

    /// What is wrong with them on an order.
    pub(super) fn check(&self, order: &Checked) -> Result<(), Reason> {
        let known =
            EXTRA_POST_ONLY | EXTRA_SLIDE | EXTRA_HIDDEN | EXTRA_ALL_OR_NONE | EXTRA_TO_LIMIT;
        let has = |flag| self.flags & flag != 0;
        let is_day = order.life == TimeInForce::Day;
        let has_limit = order.price != PRICE_MARKET || has(EXTRA_TO_LIMIT);
        let may_expire = is_day && (has_limit || self.condition != Condition::None);
        let rests = is_day && has_limit;
        let waits = matches!(order.life, TimeInForce::AtOpen | TimeInForce::AtClose);
        let is_expired = self.expiry_ns != 0 && self.expiry_ns.unsigned_abs() <= order.now_ns;
        let invalid = |is_wrong| (is_wrong, Reason::InvalidField);
        let checks = [
            invalid(has(!known)),
            invalid(has(EXTRA_SLIDE) && !has(EXTRA_POST_ONLY)),
            invalid(self.expiry_ns < 0),
            (self.displayed > order.open, Reason::InvalidQuantity),
            (self.quantity_min > order.open, Reason::InvalidQuantity),
            invalid(self.displayed != 0 && (has(EXTRA_HIDDEN) || !rests)),
            invalid(has(EXTRA_POST_ONLY) && !rests),
            invalid(self.expiry_ns != 0 && !may_expire),
            invalid(self.quantity_min != 0 && (has(EXTRA_POST_ONLY) || waits)),
            invalid(has(EXTRA_TO_LIMIT) && (order.price != PRICE_MARKET || !is_day)),
            invalid(has(EXTRA_TO_LIMIT) && has(EXTRA_POST_ONLY)),
            invalid(has(EXTRA_ALL_OR_NONE) && (has(EXTRA_POST_ONLY) || self.displayed != 0)),
            invalid(has(EXTRA_ALL_OR_NONE) && (self.quantity_min != 0 || waits)),
            invalid(!self.condition_fits(is_day)),
            (!self.amount_is_price(order.tick), Reason::InvalidPrice),
            (is_expired, Reason::Expired),
        ];
        match checks.into_iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, reason)) => Err(reason),
            None => Ok(()),
        }
    }

    /// Whether the condition may stand with the other attributes, and a peg's offset is in range.
    fn condition_fits(&self, is_day: bool) -> bool {
        let others = EXTRA_POST_ONLY | EXTRA_ALL_OR_NONE | EXTRA_TO_LIMIT;
        let is_alone = is_day && self.quantity_min == 0 && self.flags & others == 0;
        match self.condition {
            Condition::None => true,
            Condition::Stop | Condition::TrailingStop => is_alone,
            Condition::PrimaryPeg => is_alone && self.displayed == 0,
            Condition::MarketPeg => is_alone && self.displayed == 0 && self.amount >= 1,
            Condition::MidpointPeg => is_alone && self.displayed == 0 && self.amount >= 0,
        }
    }

    /// Whether a stop's trigger or distance is one.
    fn amount_is_price(&self, tick: i64) -> bool {
        !self.is_stop() || (1..=PRICE_MAX).contains(&self.amount) && self.amount % tick == 0
    }

    const fn is_stop(&self) -> bool {
        matches!(self.condition, Condition::Stop | Condition::TrailingStop)
    }

    pub(super) const fn is_conditional(&self) -> bool {
        !matches!(self.condition, Condition::None)
    }

    const fn is_peg(&self) -> bool {
        !self.is_stop() && !matches!(self.condition, Condition::None)
    }

    /// Whether an order must meet others on entry, or must not.
    pub(super) fn look_at_others(&self, order: &Resting) -> bool {
        let is_whole = self.flags & EXTRA_ALL_OR_NONE != 0 && order.price == PRICE_MARKET;
        let looks = self.flags & (EXTRA_POST_ONLY | EXTRA_TO_LIMIT) != 0 || self.quantity_min != 0;
        is_whole || looks || order.life == TimeInForce::ImmediateOrCancel
    }

    /// The units that must be there for an order on entry, or it leaves.
    pub(super) const fn units_needed(&self, order: &Resting) -> u32 {
        if self.flags & EXTRA_ALL_OR_NONE != 0 && !order.whole {
            order.open
        } else {
            self.quantity_min
        }
    }

    /// Gives an order those that it keeps while it is live.
    pub(super) fn give(&self, order: &mut Resting) {
        let rests = order.price != PRICE_MARKET && order.life == TimeInForce::Day;
        order.hidden = self.flags & EXTRA_HIDDEN != 0 || self.is_peg();
        order.displayed = self.displayed;
        order.expiry_ns = self.expiry_ns.unsigned_abs();
        order.tip = order.tip_next();
        order.whole = self.flags & EXTRA_ALL_OR_NONE != 0 && rests;
        order.condition = self.condition;
        order.amount = self.amount;
    }
}
