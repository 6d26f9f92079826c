//! Drop copies: what happened to the orders of some accounts, once more for those who watch them.
//!
//! Who watches logs in as a member does and reads a numbered stream as a member does, but has no
//! session in the engine and sends nothing.

use wire::drop_copy::fields::OrderEvent;
use wire::ring::{Event, EventKind, Reason, Side};

use super::broken::broken_letter;
use super::replies::{cancel_letter, liquidity, price_of, reject_code};
use super::symbols::Symbol;
use crate::Network;

/// A login that hears of everything that happens to the orders of some accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropCopy {
    /// User name, at most 6 letters, other than those of all members.
    pub user: String,
    /// Password, at most 10 letters.
    pub password: String,
    /// Where it may log in from; from anywhere if there are none.
    pub networks: Vec<Network>,
    /// The accounts.
    pub accounts: Vec<u32>,
    /// Bytes of the day's messages, 3 for each message included.
    pub store_bytes: usize,
    /// Messages of the day.
    pub store_messages: usize,
}

impl DropCopy {
    /// Whether it hears of a session of this account.
    pub(super) fn watches(&self, account: Option<u32>) -> bool {
        account.is_some_and(|account| self.accounts.contains(&account))
    }
}

/// Whose order it was.
pub(super) struct Owner {
    pub(super) account: u32,
    pub(super) user: [u8; 6],
    /// The order names a firm that is not the member's.
    pub(super) is_wrong_firm: bool,
}

/// What a drop copy says of an event that has a reply.
pub(super) fn told(
    kind: EventKind,
    event: &Event,
    timestamp: u64,
    symbol: Symbol,
    owner: &Owner,
) -> OrderEvent {
    let is_taken = matches!(kind, EventKind::Accepted | EventKind::Replaced);
    let is_trade = kind == EventKind::Executed;
    let is_broken = kind == EventKind::Broken;
    // The event of a trade that was taken back has the order's text there.
    let event = &if is_broken {
        Event {
            old_user_ref: 0,
            leaves: 0,
            order_ref: 0,
            ..*event
        }
    } else {
        *event
    };
    OrderEvent {
        timestamp,
        event: letter(kind),
        account: owner.account,
        user: owner.user,
        user_ref: event.user_ref,
        old_user_ref: event.old_user_ref,
        order_ref: event.order_ref,
        symbol: symbol.name,
        side: match Side::from_byte(event.side) {
            Some(Side::Buy) => b'B',
            Some(Side::Sell) => b'S',
            None => b' ',
        },
        quantity: if is_taken {
            event.leaves
        } else {
            event.quantity
        },
        leaves: event.leaves,
        price: price_of(event),
        match_number: if is_trade || is_broken {
            event.related
        } else {
            0
        },
        reason: reason(kind, event, owner),
        liquidity: if is_trade {
            liquidity(event, symbol)
        } else {
            b' '
        },
    }
}

const fn letter(kind: EventKind) -> u8 {
    match kind {
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
        _ => b' ',
    }
}

fn reason(kind: EventKind, event: &Event, owner: &Owner) -> u16 {
    let reason = Reason::from_byte(event.reason).unwrap_or(Reason::InvalidField);
    match kind {
        EventKind::Canceled | EventKind::Reduced => cancel_letter(reason).into(),
        EventKind::Broken => broken_letter(reason).into(),
        EventKind::Rejected if owner.is_wrong_firm && reason == Reason::Unsupported => {
            reject_code(Reason::WrongFirm)
        }
        EventKind::Rejected | EventKind::CancelRejected => reject_code(reason),
        _ => 0,
    }
}
