//! OUCH messages of a member to commands for the engine.

use wire::ouch::inbound::{CancelOrder, EnterOrder, ReplaceOrder};
use wire::ouch::{Tag, Tags};
use wire::ring::{
    Command, CommandKind, Condition, EXTRA_ALL_OR_NONE, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE,
    EXTRA_TO_LIMIT, PRICE_MARKET, Reason, Side, TimeInForce,
};

use super::session::TAG_FIRM;
use crate::{DAY_NS, SECOND_NS};

/// The time in force of an order that lives until its expire time.
const UNTIL_TIME: u8 = b'6';

/// The price type of an order that is not pegged.
const LIMIT: u8 = b'L';

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
/// `docs/orders.md` lists what is taken. Anything else, other crosses included, has its tag in
/// `letters[0]` (0 for a letter of the order itself) and something in `client_id`: the engine
/// refuses it. So it does for a firm that is not the member's, which is told rather than anything
/// else that is wrong. Of an element that comes twice the last one counts.
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
    let mut waits = Waits::default();
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
            // It decided which number the order goes under.
            Tag::Account(_) => {}
            Tag::Firm(of) => {
                let mut wrong = plain;
                wrong.letters[0] = TAG_FIRM;
                wrong.client_id[..4].copy_from_slice(&of);
                return Some(wrong);
            }
            Tag::MinQuantity(quantity) => extra.quantity = quantity,
            Tag::MaxFloor(quantity) => extra.old_user_ref = quantity,
            Tag::PostOnly(letter) => post_only(&mut extra, letter),
            Tag::AllOrNone(letter) => {
                yes_or_no(&mut extra, EXTRA_ALL_OR_NONE, tag.number(), letter)
            }
            Tag::MarketToLimit(letter) => {
                yes_or_no(&mut extra, EXTRA_TO_LIMIT, tag.number(), letter)
            }
            Tag::PriceType(letter) => waits.price_type = letter,
            Tag::PegOffset(offset) => waits.offset = Some(offset),
            Tag::TriggerPrice(price) => waits.trigger = Some(price),
            Tag::TrailDistance(distance) => waits.distance = Some(distance),
            Tag::ExpireTime(seconds)
                if order.wire_letters[1] == UNTIL_TIME && seconds < DAY_SECONDS =>
            {
                // For a cross it is an expiry too many, which the engine refuses.
                order.time_in_force = time_in_force(b'0', cross_type);
                extra.price = expiry(now_ns, seconds);
            }
            other => refuse(&mut extra, other.number()),
        }
    }
    waits.ask(&mut extra);
    (extra != plain).then_some(extra)
}

/// What an order waits for, or follows, in the elements that may say so in any order.
struct Waits {
    price_type: u8,
    offset: Option<i32>,
    trigger: Option<u64>,
    distance: Option<u64>,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            price_type: LIMIT,
            offset: None,
            trigger: None,
            distance: None,
        }
    }
}

impl Waits {
    /// Adds it to what is asked. An order has one condition at most; of the two midpoint types only
    /// the one that follows the midpoint is offered.
    fn ask(self, extra: &mut Command) {
        let peg = match self.price_type {
            LIMIT => None,
            b'R' => Some(Condition::PrimaryPeg),
            b'P' => Some(Condition::MarketPeg),
            b'M' => Some(Condition::MidpointPeg),
            other => return refuse(extra, Tag::PriceType(other).number()),
        };
        match (peg, self.offset, self.trigger, self.distance) {
            (None, None, None, None) => {}
            (Some(peg), offset, None, None) => {
                *extra = extra.with_condition(peg, offset.unwrap_or(0));
            }
            (None, None, Some(price), None) => {
                *extra = extra.with_condition(Condition::Stop, amount(price));
            }
            (None, None, None, Some(distance)) => {
                *extra = extra.with_condition(Condition::TrailingStop, amount(distance));
            }
            (_, _, Some(price), _) => refuse(extra, Tag::TriggerPrice(price).number()),
            (_, _, _, Some(distance)) => refuse(extra, Tag::TrailDistance(distance).number()),
            (None, Some(offset), ..) => refuse(extra, Tag::PegOffset(offset).number()),
        }
    }
}

/// A price as the amount of a condition: what does not fit stays too great for the engine.
fn amount(price: u64) -> i32 {
    i32::try_from(price).unwrap_or(i32::MAX)
}

const _: () = assert!(PRICE_MARKET < i32::MAX as i64);

/// An order and its `Extra`; or, if there is a reason, the order as one that was refused for it.
pub(super) fn unless_refused(
    reason: Option<Reason>,
    extra: Option<Command>,
    order: Command,
) -> (Option<Command>, Command) {
    let Some(reason) = reason else {
        return (extra, order);
    };
    let refused = Command {
        kind: CommandKind::Refuse as u8,
        flags: reason as u8,
        ..order
    };
    (None, refused)
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

fn yes_or_no(extra: &mut Command, flag: u8, tag: u8, letter: u8) {
    extra.flags &= !flag;
    match letter {
        b'Y' => extra.flags |= flag,
        b'N' => {}
        _ => refuse(extra, tag),
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
