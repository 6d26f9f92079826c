//! The two shapes of events: about a command, and about an order.

use wire::ring::{Command, Event, EventKind, Reason};

use crate::book::Resting;

/// An event that repeats the fields of its command.
pub(crate) fn about(command: &Command, kind: EventKind, reason: Reason) -> Event {
    Event {
        kind: kind as u8,
        side: command.side,
        reason: reason as u8,
        flags: 0,
        symbol: command.symbol,
        session: command.session,
        user_ref: command.user_ref,
        old_user_ref: command.old_user_ref,
        quantity: command.quantity,
        leaves: 0,
        price: command.price,
        order_ref: 0,
        related: 0,
    }
}

/// An event about an order: its open units in `leaves`, those it shows in `quantity`.
pub(crate) fn about_order(order: &Resting, kind: EventKind, flags: u8) -> Event {
    Event {
        kind: kind as u8,
        side: order.side as u8,
        reason: Reason::None as u8,
        flags: flags | if order.hidden { Event::HIDDEN } else { 0 },
        symbol: order.symbol,
        session: order.session,
        user_ref: order.user_ref,
        old_user_ref: 0,
        quantity: order.tip,
        leaves: order.open,
        price: order.price,
        order_ref: order.order_ref,
        related: 0,
    }
}

/// All open units of an order leave.
pub(crate) fn canceled(order: &Resting, reason: Reason, flags: u8) -> Event {
    Event {
        reason: reason as u8,
        quantity: order.open,
        leaves: 0,
        ..about_order(order, EventKind::Canceled, flags)
    }
}

/// Takes units off an order, held back ones first, and tells of it: `Reduced`, or `Canceled` when
/// none are left.
pub(crate) fn lower(order: &mut Resting, quantity: u32, reason: Reason, flags: u8) -> Event {
    if quantity >= order.open {
        let event = canceled(order, reason, flags);
        order.open = 0;
        order.tip = 0;
        return event;
    }
    let held_back = quantity.min(order.open - order.tip);
    order.open -= quantity;
    order.tip -= quantity - held_back;
    Event {
        reason: reason as u8,
        quantity,
        related: u64::from(held_back),
        ..about_order(order, EventKind::Reduced, flags)
    }
}
