//! Where a real engine lacks room. The reference has none of its limits: it is told what the real
//! one had no room for, and says what must follow from that.

use std::collections::BTreeSet;

use wire::ring::{Event, EventKind, Input, PRICE_MARKET, Reason, TimeInForce};

use super::Naive;
use crate::book::Resting;

/// What a real engine lacked room for at an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lack {
    /// Why the command was refused.
    refused: Option<Reason>,
    /// The orders, by number, that found no level to rest on.
    homeless: BTreeSet<u64>,
}

impl Lack {
    /// What a real engine's events say about that.
    #[must_use]
    pub fn told(events: &[Event]) -> Self {
        let refuses = [EventKind::Rejected, EventKind::Refused].map(|kind| kind as u8);
        let reasons = [Reason::PoolFull, Reason::LadderFull, Reason::TableFull];
        let refused = events.iter().filter(|event| refuses.contains(&event.kind));
        let mut refused = refused.filter_map(|event| Reason::from_byte(event.reason));
        let is_homeless = |event: &&Event| {
            event.kind == EventKind::Canceled as u8 && event.reason == Reason::LadderFull as u8
        };
        let homeless = events.iter().filter(is_homeless);
        Self {
            refused: refused.find(|reason| reasons.contains(reason)),
            homeless: homeless.map(|event| event.order_ref).collect(),
        }
    }

    /// Whether an order that is to rest finds no level.
    pub(super) fn has_no_level(&self, order: &Resting) -> bool {
        self.homeless.contains(&order.order_ref)
    }
}

impl Naive {
    /// As [`Naive::apply`], where a real engine lacks room. A command that is refused for another
    /// reason, or would be by the tables here, is refused for that.
    pub fn apply_lacking(&mut self, input: &Input, lack: Lack) -> Vec<Event> {
        self.lack = lack;
        let events = self.apply(input);
        self.lack = Lack::default();
        events
    }

    /// Number of live orders that may have more to them than a plain one: those that hold units
    /// back, expire, wait for something, follow something or are only for an auction.
    #[must_use]
    pub fn orders_special(&self) -> usize {
        let is_special = |order: &&Resting| {
            let waits = order.parked || order.is_peg() || order.life != TimeInForce::Day;
            let stands_out = order.price == PRICE_MARKET || order.expiry_ns != 0;
            waits || stands_out || order.tip < order.open
        };
        let orders = self.all_orders();
        orders.iter().filter(is_special).count()
    }

    /// The last check of all.
    pub(super) fn check_room(&self) -> Result<(), Reason> {
        self.lack.refused.map_or(Ok(()), Err)
    }
}
