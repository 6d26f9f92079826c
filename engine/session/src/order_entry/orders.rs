//! OUCH messages of a member to commands for the engine.

use wire::ouch::inbound::{CancelOrder, EnterOrder, ReplaceOrder};
use wire::ouch::{Tag, Tags};
use wire::ring::{
    Command, CommandKind, Condition, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE, Side, TimeInForce,
};

use super::session::TAG_FIRM;
use crate::{DAY_NS, SECOND_NS};

/// The time in force of an order that lives until its expire time.
const UNTIL_TIME: u8 = b'6';

/// Expire times are below it.
const DAY_SECONDS: u32 = (DAY_NS / SECOND_NS) as u32;

/// A field's value that the engine refuses as invalid.
const INVALID: u8 = u8::MAX;

/// The command of Enter Order; `symbol` is its number, 0 for one that is not listed.
pub(super) fn new_order(order: &EnterOrder<'_>, session: u16, symbol: u16) -> Command {
    Command {
        kind: CommandKind::New as u8,
        side: side(order.side()),
        time_in_force: time_in_force(order.time_in_force(), order.cross_type()),
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
        ..Command::BLANK
    }
}

/// The command of Replace Order; `cross_type` is that of the replaced order, which goes on.
pub(super) fn replace(order: &ReplaceOrder<'_>, session: u16, cross_type: u8) -> Command {
    Command {
        kind: CommandKind::Replace as u8,
        time_in_force: time_in_force(order.time_in_force(), cross_type),
        session,
        user_ref: order.user_ref(),
        old_user_ref: order.old_user_ref(),
        quantity: order.quantity(),
        letters: [order.display(), 0, order.intermarket_sweep(), cross_type],
        price: price(order.price()),
        client_id: order.client_id(),
        wire_letters: [0, order.time_in_force()],
        ..Command::BLANK
    }
}

/// The command of Cancel Order.
pub(super) fn cancel(order: &CancelOrder<'_>, session: u16) -> Command {
    Command {
        kind: CommandKind::Cancel as u8,
        session,
        user_ref: order.user_ref(),
        quantity: order.quantity(),
        ..Command::BLANK
    }
}

/// The `Extra` that must go ahead of an order, if it asks for more than a plain order; a life until
/// a time of day makes it a day order that expires.
///
/// Offered are minimum quantity, greatest displayed quantity, post-only, expire time (with the time
/// in force [`UNTIL_TIME`]), display `N` for a hidden order, pegs (a price type with its offset),
/// the opening and the closing cross, and the member's own firm. Anything else, other crosses
/// included, has its tag in `letters[0]` (0 for a letter of the order itself) and something in
/// `client_id`: the engine refuses it. So it does for a firm that is not the member's, which is
/// told rather than anything else that is wrong. Of an element that comes twice the last one
/// counts.
pub(super) fn extra(
    order: &mut Command,
    tags: Tags<'_>,
    firm: [u8; 4],
    now_ns: u64,
) -> Option<Command> {
    let plain = Command {
        kind: CommandKind::Extra as u8,
        session: order.session,
        user_ref: order.user_ref,
        ..Command::BLANK
    };
    let mut extra = plain;
    let mut peg = Peg::default();
    let [display, _, _, cross_type] = order.letters;
    if display == b'N' {
        extra.flags |= EXTRA_HIDDEN;
    }
    if order.kind == CommandKind::New as u8 && !matches!(cross_type, b'N' | b' ' | b'O' | b'C') {
        refuse(&mut extra, 0);
    }
    for tag in tags {
        match tag {
            Tag::Firm(of) if of == firm => {}
            Tag::Firm(of) => {
                let mut wrong = plain;
                wrong.letters[0] = TAG_FIRM;
                wrong.client_id[..4].copy_from_slice(&of);
                return Some(wrong);
            }
            Tag::MinQuantity(quantity) => extra.quantity = quantity,
            Tag::MaxFloor(quantity) => extra.old_user_ref = quantity,
            Tag::PostOnly(letter) => post_only(&mut extra, letter),
            Tag::PriceType(letter) => peg.price_type = letter,
            Tag::PegOffset(offset) => peg.offset = Some(offset),
            Tag::ExpireTime(seconds)
                if order.wire_letters[1] == UNTIL_TIME && seconds < DAY_SECONDS =>
            {
                order.time_in_force = TimeInForce::Day as u8;
                extra.price = expiry(now_ns, seconds);
            }
            other => refuse(&mut extra, other.number()),
        }
    }
    peg.ask(&mut extra);
    (extra != plain).then_some(extra)
}

/// A price type and an offset, which an order may name in any order.
struct Peg {
    price_type: u8,
    offset: Option<i32>,
}

impl Default for Peg {
    fn default() -> Self {
        Self {
            price_type: b'L',
            offset: None,
        }
    }
}

impl Peg {
    /// Adds it to what is asked. Of the two midpoint types only the one that follows the midpoint
    /// is offered.
    fn ask(self, extra: &mut Command) {
        let condition = match self.price_type {
            b'R' => Condition::PrimaryPeg,
            b'P' => Condition::MarketPeg,
            b'M' => Condition::MidpointPeg,
            b'L' => {
                if let Some(offset) = self.offset {
                    refuse(extra, Tag::PegOffset(offset).number());
                }
                return;
            }
            other => return refuse(extra, Tag::PriceType(other).number()),
        };
        *extra = extra.with_condition(condition, self.offset.unwrap_or(0));
    }
}

/// Marks an `Extra` as asking for what is not offered; the first such thing is named.
fn refuse(extra: &mut Command, tag: u8) {
    if extra.client_id[0] == 0 {
        extra.letters[0] = tag;
        extra.client_id[0] = b'?';
    }
}

fn post_only(extra: &mut Command, letter: u8) {
    extra.flags &= !(EXTRA_POST_ONLY | EXTRA_SLIDE);
    match letter {
        b'P' => extra.flags |= EXTRA_POST_ONLY,
        b'S' => extra.flags |= EXTRA_POST_ONLY | EXTRA_SLIDE,
        b'N' => {}
        _ => refuse(extra, Tag::PostOnly(letter).number()),
    }
}

/// A time of the day (UTC) that a message came on; midnight of the first day of all is no time.
fn expiry(now_ns: u64, seconds: u32) -> i64 {
    let midnight_ns = now_ns - now_ns % DAY_NS;
    let expiry_ns = midnight_ns.saturating_add(u64::from(seconds) * SECOND_NS);
    i64::try_from(expiry_ns.max(1)).unwrap_or(i64::MAX)
}

/// What follows an `Extra` whose order was lost: the engine refuses it.
pub(super) fn stand_in(extra: &Command) -> Command {
    Command {
        kind: CommandKind::New as u8,
        session: extra.session,
        user_ref: extra.user_ref,
        client_id: [b' '; 14],
        ..Command::BLANK
    }
}

const fn side(letter: u8) -> u8 {
    match letter {
        b'B' => Side::Buy as u8,
        b'S' | b'T' | b'E' => Side::Sell as u8,
        _ => INVALID,
    }
}

/// An order for a cross lives until that is over, as a day order as well as one that is to trade at
/// once.
const fn time_in_force(letter: u8, cross_type: u8) -> u8 {
    match (letter, cross_type) {
        (b'0' | b'3', b'O') => TimeInForce::AtOpen as u8,
        (b'0' | b'3', b'C') => TimeInForce::AtClose as u8,
        (b'0', _) => TimeInForce::Day as u8,
        (b'3', _) => TimeInForce::ImmediateOrCancel as u8,
        _ => INVALID,
    }
}

/// A price that no 63 bits hold stays too great for the engine.
fn price(wire: u64) -> i64 {
    i64::try_from(wire).unwrap_or(i64::MAX)
}
