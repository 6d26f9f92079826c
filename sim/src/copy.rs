//! Messages of a drop copy as who watches tells them apart: those that the model calls for, and
//! those that came.

use wire::drop_copy::Message;
use wire::ouch::Outbound;
use wire::ring::{Event, EventKind, Side};

use crate::reply::{broken_letter, cancel_letter, reject_code};

/// A message as a watcher can tell it from others; fields that it does not have are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    event: u8,
    timestamp: u64,
    account: u32,
    user_ref: u32,
    old_user_ref: u32,
    order_ref: u64,
    side: u8,
    quantity: u32,
    leaves: u32,
    price: u64,
    match_number: u64,
    reason: u16,
    liquidity: u8,
}

/// A turn of the day.
pub fn turn_of(timestamp: u64, letter: u8) -> Copied {
    Copied {
        event: b'S',
        timestamp,
        reason: letter.into(),
        ..Copied::default()
    }
}

/// What must be said of an event of an account; `liquidity` is the letter of a trade.
pub fn copy_of(event: &Event, timestamp: u64, account: u32, liquidity: u8) -> Option<Copied> {
    let kind = EventKind::from_byte(event.kind)?;
    let letter = match kind {
        EventKind::Accepted => b'A',
        EventKind::Replaced => b'U',
        EventKind::Canceled | EventKind::Reduced => b'C',
        EventKind::Executed => b'E',
        EventKind::Broken => b'B',
        EventKind::Rejected => b'J',
        EventKind::CancelRejected => b'I',
        EventKind::Refreshed => b'R',
        EventKind::Triggered => b'T',
        EventKind::Repriced => b'P',
        _ => return None,
    };
    let is_trade = letter == b'E';
    let is_broken = letter == b'B';
    let is_taken = matches!(letter, b'A' | b'U');
    Some(Copied {
        event: letter,
        timestamp,
        account,
        user_ref: event.user_ref,
        old_user_ref: if is_broken { 0 } else { event.old_user_ref },
        order_ref: if is_broken { 0 } else { event.order_ref },
        side: match event.side {
            side if side == Side::Buy as u8 => b'B',
            side if side == Side::Sell as u8 => b'S',
            _ => b' ',
        },
        quantity: if is_taken {
            event.leaves
        } else {
            event.quantity
        },
        leaves: if is_broken { 0 } else { event.leaves },
        price: event.price.unsigned_abs(),
        match_number: if is_trade || is_broken {
            event.related
        } else {
            0
        },
        reason: match letter {
            b'C' => cancel_letter(event.reason).into(),
            b'B' => broken_letter(event.reason).into(),
            b'J' | b'I' => reject_code(event.reason),
            _ => 0,
        },
        liquidity: if is_trade { liquidity } else { b' ' },
    })
}

/// Reads what a watcher heard.
pub fn copied_of(bytes: &[u8]) -> Result<Copied, String> {
    if let Ok(Outbound::SystemEvent(turn)) = Outbound::parse(bytes) {
        return Ok(turn_of(turn.timestamp(), turn.event()));
    }
    let Message::OrderEvent(m) =
        Message::parse(bytes).map_err(|error| format!("unreadable drop copy: {error}"))?;
    Ok(Copied {
        event: m.event(),
        timestamp: m.timestamp(),
        account: m.account(),
        user_ref: m.user_ref(),
        old_user_ref: m.old_user_ref(),
        order_ref: m.order_ref(),
        side: m.side(),
        quantity: m.quantity(),
        leaves: m.leaves(),
        price: m.price(),
        match_number: m.match_number(),
        reason: m.reason(),
        liquidity: m.liquidity(),
    })
}
