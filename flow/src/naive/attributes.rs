//! What an `Extra` asks of the order behind it.

use wire::ring::{
    Command, EXTRA_ALL_OR_NONE, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE, EXTRA_TO_LIMIT,
    PRICE_MARKET, Reason, TimeInForce,
};

use super::increments::{BASIC, EXPIRY, ICEBERG, WHOLE};
use crate::book::Resting;

/// The attributes of one order; those of a plain order are all 0.
#[derive(Clone, Copy, Default)]
pub(super) struct Attributes {
    /// Whether there was an `Extra` at all.
    asked: bool,
    /// Whether something is asked that no increment offers.
    unknown: bool,
    flags: u8,
    pub(super) quantity_min: u32,
    displayed: u32,
    expiry_ns: i64,
}

impl Attributes {
    pub(super) const fn of(extra: &Command) -> Self {
        Self {
            asked: true,
            unknown: extra.letters[0] != 0 || extra.letters[1] != 0 || extra.client_id[0] != 0,
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

    /// Whether an engine that offers a set of increments knows all of them.
    pub(super) fn are_offered(&self, offered: u16) -> bool {
        let has = |flags| self.flags & flags != 0;
        let is_basic = has(EXTRA_POST_ONLY | EXTRA_SLIDE | EXTRA_HIDDEN) || self.quantity_min != 0;
        let needs = [
            (is_basic, BASIC),
            (self.displayed != 0, ICEBERG),
            (self.expiry_ns != 0, EXPIRY),
            (has(EXTRA_ALL_OR_NONE | EXTRA_TO_LIMIT), WHOLE),
        ];
        let is_offered = |(asked, increment): (bool, u16)| !asked || offered & increment != 0;
        let is_plain = !self.asked;
        is_plain || (offered != 0 && !self.unknown && needs.into_iter().all(is_offered))
    }

    /// What is wrong with them on this order, whose open units and price are good.
    pub(super) fn check(
        &self,
        order: &Resting,
        life: TimeInForce,
        now_ns: u64,
    ) -> Result<(), Reason> {
        let known = EXTRA_POST_ONLY | EXTRA_SLIDE | EXTRA_HIDDEN;
        let never_rests = life != TimeInForce::Day || order.price == PRICE_MARKET;
        let is_hidden = self.flags & EXTRA_HIDDEN != 0;
        let checks = [
            (self.flags & !known != 0, Reason::InvalidField),
            (self.slides() && !self.is_post_only(), Reason::InvalidField),
            (self.expiry_ns < 0, Reason::InvalidField),
            (self.displayed > order.open, Reason::InvalidQuantity),
            (self.quantity_min > order.open, Reason::InvalidQuantity),
            (
                self.displayed != 0 && (is_hidden || never_rests),
                Reason::InvalidField,
            ),
            (self.is_post_only() && never_rests, Reason::InvalidField),
            (self.expiry_ns != 0 && never_rests, Reason::InvalidField),
            (
                self.is_post_only() && self.quantity_min != 0,
                Reason::InvalidField,
            ),
            (
                self.expiry_ns != 0 && self.expiry_ns.unsigned_abs() <= now_ns,
                Reason::Expired,
            ),
        ];
        match checks.into_iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, reason)) => Err(reason),
            None => Ok(()),
        }
    }

    /// Gives an order those that it keeps while it rests.
    pub(super) fn give(&self, order: &mut Resting) {
        order.hidden = self.flags & EXTRA_HIDDEN != 0;
        order.displayed = self.displayed;
        order.expiry_ns = self.expiry_ns.unsigned_abs();
        order.tip = order.tip_next();
    }
}
