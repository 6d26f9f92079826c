//! Trades that are taken back, as a member hears of them.

use wire::ouch::outbound::fields::BrokenTrade;
use wire::ring::{Event, Reason};

/// The letter that OUCH carries for why a trade was taken back.
pub(super) const fn broken_letter(reason: Reason) -> u8 {
    match reason {
        Reason::Erroneous => b'E',
        Reason::Consent => b'C',
        Reason::External => b'X',
        _ => b'S',
    }
}

/// What a member hears of its side of the trade.
pub(super) fn broken_trade(event: &Event, reason: Reason, timestamp: u64) -> BrokenTrade {
    BrokenTrade {
        timestamp,
        user_ref: event.user_ref,
        match_number: event.related,
        reason: broken_letter(reason),
        client_id: event.client_id(),
    }
}
