//! OUCH messages of a member to commands for the engine.

use wire::ouch::inbound::{CancelOrder, EnterOrder, ReplaceOrder};
use wire::ouch::{Tag, Tags};
use wire::ring::{Command, CommandKind, Side, TimeInForce};

use super::session::TAG_FIRM;

/// A field's value that the engine refuses as invalid.
const INVALID: u8 = u8::MAX;

/// A command without anything in it.
const NOTHING: Command = Command {
    kind: CommandKind::Time as u8,
    side: 0,
    time_in_force: 0,
    flags: 0,
    symbol: 0,
    session: 0,
    user_ref: 0,
    old_user_ref: 0,
    quantity: 0,
    letters: [0; 4],
    price: 0,
    client_id: [0; 14],
    wire_letters: [0; 2],
};

/// The command of Enter Order; `symbol` is its number, 0 for one that is not listed.
pub(super) fn new_order(order: &EnterOrder<'_>, session: u16, symbol: u16) -> Command {
    Command {
        kind: CommandKind::New as u8,
        side: side(order.side()),
        time_in_force: time_in_force(order.time_in_force()),
        symbol,
        session,
        user_ref: order.user_ref(),
        quantity: order.quantity(),
        letters: [
            order.display(),
            order.capacity(),
            order.intermarket_sweep(),
            order.cross_type(),
        ],
        price: price(order.price()),
        client_id: order.client_id(),
        wire_letters: [order.side(), order.time_in_force()],
        ..NOTHING
    }
}

/// The command of Replace Order.
pub(super) fn replace(order: &ReplaceOrder<'_>, session: u16) -> Command {
    Command {
        kind: CommandKind::Replace as u8,
        time_in_force: time_in_force(order.time_in_force()),
        session,
        user_ref: order.user_ref(),
        old_user_ref: order.old_user_ref(),
        quantity: order.quantity(),
        letters: [order.display(), 0, order.intermarket_sweep(), 0],
        price: price(order.price()),
        client_id: order.client_id(),
        wire_letters: [0, order.time_in_force()],
        ..NOTHING
    }
}

/// The command of Cancel Order.
pub(super) fn cancel(order: &CancelOrder<'_>, session: u16) -> Command {
    Command {
        kind: CommandKind::Cancel as u8,
        session,
        user_ref: order.user_ref(),
        quantity: order.quantity(),
        ..NOTHING
    }
}

/// The `Extra` that must go ahead of an order, if it asks for what is not offered: its tag is in
/// `letters[0]` (0 for a letter of the order itself), a firm that is not the member's in
/// `client_id`.
///
/// Not offered are every optional element but the member's own firm, hidden orders, and crosses.
pub(super) fn extra(order: &Command, tags: Tags<'_>, firm: [u8; 4]) -> Option<Command> {
    let [display, _, _, cross_type] = order.letters;
    let is_new = order.kind == CommandKind::New as u8;
    let plain = display != b'N' && (!is_new || matches!(cross_type, b'N' | b' '));
    let mut ask = (!plain).then_some(Command {
        kind: CommandKind::Extra as u8,
        session: order.session,
        user_ref: order.user_ref,
        ..NOTHING
    });
    for tag in tags {
        let mut named = [0; 14];
        match tag {
            Tag::Firm(of) if of == firm => continue,
            Tag::Firm(of) => named[..4].copy_from_slice(&of),
            _ => {}
        }
        let extra = Command {
            kind: CommandKind::Extra as u8,
            session: order.session,
            user_ref: order.user_ref,
            letters: [tag.number(), 0, 0, 0],
            client_id: named,
            ..NOTHING
        };
        // A wrong firm is told rather than anything else that is wrong.
        if tag.number() == TAG_FIRM {
            return Some(extra);
        }
        ask.get_or_insert(extra);
    }
    ask
}

/// What follows an `Extra` whose order was lost: the engine refuses it.
pub(super) fn stand_in(extra: &Command) -> Command {
    Command {
        kind: CommandKind::New as u8,
        session: extra.session,
        user_ref: extra.user_ref,
        client_id: [b' '; 14],
        ..NOTHING
    }
}

const fn side(letter: u8) -> u8 {
    match letter {
        b'B' => Side::Buy as u8,
        b'S' | b'T' | b'E' => Side::Sell as u8,
        _ => INVALID,
    }
}

const fn time_in_force(letter: u8) -> u8 {
    match letter {
        b'0' => TimeInForce::Day as u8,
        b'3' => TimeInForce::ImmediateOrCancel as u8,
        _ => INVALID,
    }
}

/// A price that no 63 bits hold stays too great for the engine.
fn price(wire: u64) -> i64 {
    i64::try_from(wire).unwrap_or(i64::MAX)
}
