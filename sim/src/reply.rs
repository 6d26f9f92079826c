//! Replies as a member tells them apart: those that the model calls for, and those that came.

use wire::ouch::Outbound;
use wire::padded;
use wire::ring::{Command, Event, EventKind, Input, Reason, Side};

use crate::wiring::symbol_name;

const DAY_NS: u64 = 86_400_000_000_000;

/// A reply as a member can tell it from others; fields that it does not have are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    letter: u8,
    timestamp: u64,
    user_ref: u32,
    old_user_ref: u32,
    quantity: u32,
    price: u64,
    order_ref: u64,
    match_number: u64,
    /// Reject code, letter of a cancellation, liquidity flag, or letter of a system event.
    detail: u16,
    /// Side and time in force.
    letters: [u8; 2],
    symbol: [u8; 8],
    client_id: [u8; 14],
}

/// Adds the replies that an event of the model calls for.
pub fn tell(event: &Event, input: &Input, replies: &mut [Vec<Reply>]) {
    let timestamp = input.time_ns % DAY_NS;
    let kind = EventKind::from_byte(event.kind);
    if let Some(EventKind::DayOpened | EventKind::DayClosed) = kind {
        let detail = if kind == Some(EventKind::DayOpened) {
            b'S'
        } else {
            b'E'
        };
        let reply = Reply {
            letter: b'S',
            timestamp,
            detail: detail.into(),
            ..Reply::default()
        };
        replies.iter_mut().for_each(|one| one.push(reply.clone()));
        return;
    }
    let about = Reply {
        timestamp,
        user_ref: event.user_ref,
        ..Reply::default()
    };
    let reply = kind.and_then(|kind| reply_to(kind, event, &input.command, about));
    let session = replies.get_mut(usize::from(event.session).wrapping_sub(1));
    if let (Some(reply), Some(session)) = (reply, session) {
        session.push(reply);
    }
}

fn reply_to(kind: EventKind, event: &Event, command: &Command, about: Reply) -> Option<Reply> {
    let side = if event.side == Side::Buy as u8 {
        b'B'
    } else {
        b'S'
    };
    let quantity = event.quantity;
    let taken = Reply {
        quantity,
        price: event.price.unsigned_abs(),
        order_ref: event.order_ref,
        letters: [side, command.wire_letters[1]],
        symbol: padded(&symbol_name(event.symbol)),
        client_id: command.client_id,
        ..about.clone()
    };
    match kind {
        EventKind::Accepted => Some(Reply {
            letter: b'A',
            ..taken
        }),
        EventKind::Replaced => Some(Reply {
            letter: b'U',
            old_user_ref: event.old_user_ref,
            ..taken
        }),
        EventKind::Canceled | EventKind::Reduced => {
            let letter = match Reason::from_byte(event.reason) {
                Some(Reason::ImmediateOrCancel) => b'I',
                Some(Reason::DayClosed) => b'E',
                _ => b'U',
            };
            Some(Reply {
                letter: b'C',
                quantity,
                detail: letter.into(),
                ..about
            })
        }
        EventKind::Executed => {
            let liquidity = if event.has(Event::MAKER) { b'A' } else { b'R' };
            Some(Reply {
                letter: b'E',
                quantity,
                price: event.price.unsigned_abs(),
                match_number: event.related,
                detail: liquidity.into(),
                ..about
            })
        }
        EventKind::Rejected => {
            let detail = reject_code(event.reason);
            Some(Reply {
                letter: b'J',
                detail,
                client_id: command.client_id,
                ..about
            })
        }
        EventKind::CancelRejected => Some(Reply {
            letter: b'I',
            ..about
        }),
        _ => None,
    }
}

/// The codes of docs/wire.md.
fn reject_code(reason: u8) -> u16 {
    match Reason::from_byte(reason) {
        Some(Reason::InvalidQuantity) => 0x13,
        Some(Reason::UnknownSymbol) => 0x17,
        Some(Reason::InvalidPrice) => 0x1D,
        _ => 0x8000 + u16::from(reason),
    }
}

/// Reads what a member heard.
pub fn reply_of(bytes: &[u8]) -> Result<Reply, String> {
    let none = Reply {
        letter: bytes.first().copied().unwrap_or(0),
        ..Reply::default()
    };
    Ok(
        match Outbound::parse(bytes).map_err(|error| format!("unreadable reply: {error}"))? {
            Outbound::SystemEvent(m) => Reply {
                timestamp: m.timestamp(),
                detail: m.event().into(),
                ..none
            },
            Outbound::Accepted(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                quantity: m.quantity(),
                price: m.price(),
                order_ref: m.order_ref(),
                letters: [m.side(), m.time_in_force()],
                symbol: m.symbol(),
                client_id: m.client_id(),
                ..none
            },
            Outbound::Replaced(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                old_user_ref: m.old_user_ref(),
                quantity: m.quantity(),
                price: m.price(),
                order_ref: m.order_ref(),
                letters: [m.side(), m.time_in_force()],
                symbol: m.symbol(),
                client_id: m.client_id(),
                ..none
            },
            Outbound::Canceled(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                quantity: m.quantity(),
                detail: m.reason().into(),
                ..none
            },
            Outbound::Executed(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                quantity: m.quantity(),
                price: m.price(),
                match_number: m.match_number(),
                detail: m.liquidity().into(),
                ..none
            },
            Outbound::Rejected(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                detail: m.reason(),
                client_id: m.client_id(),
                ..none
            },
            Outbound::CancelReject(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                ..none
            },
            other => return Err(format!("a reply that nothing calls for: {other:?}")),
        },
    )
}
