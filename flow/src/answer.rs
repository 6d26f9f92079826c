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

/// An event about an order with all its open units.
pub(crate) fn about_order(order: &Resting, kind: EventKind) -> Event {
    Event {
        kind: kind as u8,
        side: order.side as u8,
        reason: Reason::None as u8,
        flags: 0,
        symbol: order.symbol,
        session: order.session,
        user_ref: order.user_ref,
        old_user_ref: 0,
        quantity: order.open,
        leaves: order.open,
        price: order.price,
        order_ref: order.order_ref,
        related: 0,
    }
}
