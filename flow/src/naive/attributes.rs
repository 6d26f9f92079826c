//! What an `Extra` asks of the order behind it.

use wire::ring::{
    Command, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE, PRICE_MARKET, Reason, TimeInForce,
};

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

    /// Whether an engine that offers so many increments knows all of them.
    pub(super) const fn are_offered(&self, level: u8) -> bool {
        match level {
            _ if self.unknown => false,
            0 => !self.asked,
            1 => self.displayed == 0 && self.expiry_ns == 0,
            2 => self.expiry_ns == 0,
            _ => true,
        }
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
