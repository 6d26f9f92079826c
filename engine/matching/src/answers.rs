//! How events are filled: about a command that was only answered, and about an order.

use wire::ring::{Command, Event, EventKind, Reason};

use crate::events::Words;
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

/// Kind, reason and flags where an event has them.
#[inline]
pub(crate) fn code(kind: EventKind, reason: Reason, flags: u8) -> u64 {
    kind as u64 | (reason as u64) << 16 | u64::from(flags) << 24
}

/// An event about an order: its code, its units and what is left of it.
#[inline]
pub(crate) fn of_order(who: &Identity, code: u64, units: u64, price: u32) -> Words {
    Words {
        head: who.head | code,
        user_refs: u64::from(who.user_ref),
        units,
        price: u64::from(price),
        order_ref: who.order_ref,
        related: 0,
    }
}

/// The whole rest of a resting order left the book.
#[inline]
pub(crate) fn canceled(order: &Order, price: u32, reason: Reason, flags: u8) -> Words {
    let code = code(EventKind::Canceled, reason, Event::BOOKED | flags);
    of_order(&order.identity(), code, u64::from(order.open()), price)
}
