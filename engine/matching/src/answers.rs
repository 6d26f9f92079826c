//! How events are filled: about a command that was only answered, and about an order.

use wire::ring::{Command, Event, EventKind, Reason};

use crate::slab::{Identity, Order};

/// The only event of an input: it repeats the fields of the command.
pub(crate) fn about(command: &Command, kind: EventKind, reason: Reason) -> Event {
    Event {
        kind: kind as u8,
        side: command.side,
        reason: reason as u8,
        flags: Event::LAST,
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

/// A definition or a day that was refused.
pub(crate) fn refused(command: &Command, reason: Reason) -> Event {
    about(command, EventKind::Refused, reason)
}

/// An event about an order, without flags and leaves.
#[inline]
pub(crate) fn of_order(who: &Identity, kind: EventKind, quantity: u32, price: u32) -> Event {
    Event {
        kind: kind as u8,
        side: who.side as u8,
        reason: Reason::None as u8,
        flags: 0,
        symbol: who.symbol,
        session: who.session,
        user_ref: who.user_ref,
        old_user_ref: 0,
        quantity,
        leaves: 0,
        price: i64::from(price),
        order_ref: who.order_ref,
        related: 0,
    }
}

/// The whole rest of a resting order left the book.
#[inline]
pub(crate) fn canceled(order: &Order, price: u32, reason: Reason, flags: u8) -> Event {
    Event {
        reason: reason as u8,
        flags: Event::BOOKED | flags,
        ..of_order(&order.identity(), EventKind::Canceled, order.open(), price)
    }
}
