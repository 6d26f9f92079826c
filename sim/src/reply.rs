//! Replies as a member tells them apart: those that the model calls for, and those that came.
//! Drop copies are told on the way, for they follow from the same events.

use std::collections::{BTreeMap, BTreeSet};

use wire::ouch::{Outbound, Tag, Tags};
use wire::padded;
use wire::ring::{Command, Event, EventKind, Input, Reason, Side};

use crate::accounts::Holder;
use crate::copy::{Copied, copy_of, turn_of};
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
    /// Reject code, letter of a cancellation, a restatement or a system event, liquidity flag, or
    /// display of an order with another priority.
    detail: u16,
    /// Side and time in force.
    letters: [u8; 2],
    symbol: [u8; 8],
    client_id: [u8; 14],
}

/// Tells the replies that the model's events call for.
pub struct Teller {
    /// Display letter of each order, by session and the member's number.
    displays: BTreeMap<(u16, u32), u8>,
    /// The state of each symbol as far as it changed, by its number in `StateChanged`.
    states: BTreeMap<u16, u32>,
    /// The accounts that are watched.
    watched: BTreeSet<u32>,
    /// What each session must hear, from session 1 on.
    pub replies: Vec<Vec<Reply>>,
    /// What who watches must hear.
    pub copies: Vec<Copied>,
}

impl Teller {
    /// A teller for so many sessions; `watched` says of which accounts drop copies are told.
    pub fn new(sessions: u16, watched: BTreeSet<u32>) -> Self {
        Self {
            displays: BTreeMap::new(),
            states: BTreeMap::new(),
            watched,
            replies: vec![Vec::new(); usize::from(sessions)],
            copies: Vec::new(),
        }
    }

    /// Adds the replies that an event of the model calls for; `holder` has its session number.
    pub fn tell(&mut self, event: &Event, input: &Input, holder: Option<&Holder>) {
        let timestamp = input.time_ns % DAY_NS;
        let kind = EventKind::from_byte(event.kind);
        let order = (event.session, event.user_ref);
        match kind {
            Some(EventKind::DayOpened) => self.tell_all(timestamp, b'S'),
            Some(EventKind::DayClosed) => self.tell_all(timestamp, b'E'),
            Some(EventKind::StateChanged) => {
                self.states.insert(event.symbol, event.quantity);
            }
            Some(EventKind::Accepted | EventKind::Replaced) => {
                self.displays.insert(order, input.command.letters[0]);
            }
            _ => {}
        }
        let letter = match kind {
            Some(EventKind::Executed) if event.has(Event::AUCTION) => {
                match self.states.get(&event.symbol) {
                    Some(1 | 2) => b'O',
                    Some(7) => b'C',
                    _ => b'H',
                }
            }
            Some(EventKind::Executed) if event.has(Event::MAKER) => b'A',
            Some(EventKind::Executed) => b'R',
            _ => self.displays.get(&order).copied().unwrap_or(0),
        };
        let about = Reply {
            timestamp,
            user_ref: event.user_ref,
            ..Reply::default()
        };
        let reply = kind.and_then(|kind| reply_to(kind, event, &input.command, letter, about));
        let Some(holder) = holder else { return };
        if self.watched.contains(&holder.account) {
            let copy = copy_of(event, timestamp, holder.account, letter);
            self.copies.extend(copy);
        }
        let session = usize::from(holder.session).wrapping_sub(1);
        if let (Some(reply), Some(session)) = (reply, self.replies.get_mut(session)) {
            session.push(reply);
        }
    }

    fn tell_all(&mut self, timestamp: u64, letter: u8) {
        self.copies.push(turn_of(timestamp, letter));
        let reply = Reply {
            letter: b'S',
            timestamp,
            detail: letter.into(),
            ..Reply::default()
        };
        self.replies
            .iter_mut()
            .for_each(|one| one.push(reply.clone()));
    }
}

/// `letter` is the liquidity of a trade and the display of anything else.
fn reply_to(
    kind: EventKind,
    event: &Event,
    command: &Command,
    letter: u8,
    about: Reply,
) -> Option<Reply> {
    let side = if event.side == Side::Buy as u8 {
        b'B'
    } else {
        b'S'
    };
    let quantity = event.quantity;
    let taken = Reply {
        quantity: event.leaves,
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
        EventKind::Canceled | EventKind::Reduced => Some(Reply {
            letter: b'C',
            quantity,
            detail: cancel_letter(event.reason).into(),
            ..about
        }),
        EventKind::Executed => Some(Reply {
            letter: b'E',
            quantity,
            price: event.price.unsigned_abs(),
            match_number: event.related,
            detail: letter.into(),
            ..about
        }),
        EventKind::Broken => Some(Reply {
            letter: b'B',
            match_number: event.related,
            detail: broken_letter(event.reason).into(),
            client_id: event.client_id(),
            ..about
        }),
        EventKind::Rejected => {
            let detail = reject_code(event.reason);
            Some(Reply {
                letter: b'J',
                detail,
                client_id: command.client_id,
                ..about
            })
        }
        EventKind::Refreshed => Some(Reply {
            letter: b'R',
            order_ref: event.order_ref,
            detail: b'R'.into(),
            ..about
        }),
        EventKind::Triggered | EventKind::Repriced => Some(Reply {
            letter: b'T',
            price: event.price.unsigned_abs(),
            order_ref: event.order_ref,
            detail: letter.into(),
            ..about
        }),
        EventKind::CancelRejected => Some(Reply {
            letter: b'I',
            ..about
        }),
        EventKind::MassCanceled if event.has(Event::OF_USER) => Some(Reply {
            letter: b'X',
            user_ref: event.old_user_ref,
            quantity,
            symbol: match event.symbol {
                0 => [b' '; 8],
                symbol => padded(&symbol_name(symbol)),
            },
            ..about
        }),
        EventKind::Refused if event.has(Event::OF_USER) => Some(Reply {
            letter: b'J',
            user_ref: event.old_user_ref,
            detail: reject_code(event.reason),
            client_id: [b' '; 14],
            ..about
        }),
        _ => None,
    }
}

/// The letters of docs/orders.md.
pub fn cancel_letter(reason: u8) -> u8 {
    match Reason::from_byte(reason) {
        Some(Reason::User) => b'U',
        Some(Reason::ImmediateOrCancel | Reason::MinimumQuantity) => b'I',
        Some(Reason::DayClosed) => b'E',
        Some(Reason::Expired) => b'T',
        Some(Reason::SelfTrade) => b'Q',
        Some(Reason::AuctionOver) => b'C',
        Some(Reason::Killed | Reason::MassCancel) => b'S',
        _ => b'Z',
    }
}

/// The letters of docs/orders.md.
pub fn broken_letter(reason: u8) -> u8 {
    match Reason::from_byte(reason) {
        Some(Reason::Erroneous) => b'E',
        Some(Reason::Consent) => b'C',
        Some(Reason::External) => b'X',
        _ => b'S',
    }
}

/// The codes of docs/orders.md.
pub fn reject_code(reason: u8) -> u16 {
    match Reason::from_byte(reason) {
        Some(Reason::InvalidQuantity) => 0x13,
        Some(Reason::UnknownSymbol) => 0x17,
        Some(Reason::InvalidPrice) => 0x1D,
        _ => 0x8000 + u16::from(reason),
    }
}

fn secondary_ref(mut tags: Tags<'_>) -> Option<u64> {
    tags.find_map(|tag| match tag {
        Tag::SecondaryRef(number) => Some(number),
        _ => None,
    })
}

fn orders(mut tags: Tags<'_>) -> Option<u32> {
    tags.find_map(|tag| match tag {
        Tag::Orders(count) => Some(count),
        _ => None,
    })
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
            Outbound::BrokenTrade(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                match_number: m.match_number(),
                detail: m.reason().into(),
                client_id: m.client_id(),
                ..none
            },
            Outbound::Rejected(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                detail: m.reason(),
                client_id: m.client_id(),
                ..none
            },
            Outbound::MassCancelResponse(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                quantity: orders(m.tags()).unwrap_or(0),
                symbol: m.symbol(),
                ..none
            },
            Outbound::CancelReject(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                ..none
            },
            Outbound::Restated(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                order_ref: secondary_ref(m.tags()).unwrap_or(0),
                detail: m.reason().into(),
                ..none
            },
            Outbound::PriorityUpdate(m) => Reply {
                timestamp: m.timestamp(),
                user_ref: m.user_ref(),
                price: m.price(),
                order_ref: m.order_ref(),
                detail: m.display().into(),
                ..none
            },
            other => return Err(format!("a reply that nothing calls for: {other:?}")),
        },
    )
}
