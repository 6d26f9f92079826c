//! What the feed tells of a symbol's market: states, indications of an auction, its cross.

use wire::itch::fields::{CrossTrade, Noii, TradingAction};
use wire::ring::{Event, EventKind, MarketState, Side};

use super::messages::{Head, Written, price4};

/// Writes the message of an event about a market.
pub(super) fn message(event: &Event, kind: EventKind, head: &Head, out: &mut [u8]) -> Written {
    match kind {
        EventKind::Indicative => indication(event, head, out),
        EventKind::Uncrossed => cross(event, head, out),
        _ => action(event.symbol, head, out),
    }
}

/// The letter of a state, and as a reason the venue's own name for it, which says more.
pub(super) const fn action_of(state: MarketState) -> (u8, [u8; 4]) {
    match state {
        MarketState::PreOpen => (b'Q', *b"PRE "),
        MarketState::OpeningAuction => (b'Q', *b"OPEN"),
        MarketState::Continuous => (b'T', *b"    "),
        MarketState::Halt => (b'H', *b"HALT"),
        MarketState::VolatilityAuction => (b'P', *b"VOLA"),
        MarketState::Reopening => (b'Q', *b"REOP"),
        MarketState::ClosingAuction => (b'Q', *b"CLOS"),
        MarketState::Closed => (b'H', *b"DONE"),
        MarketState::LimitState => (b'T', *b"LIMT"),
    }
}

/// The letter of the auction that a state calls, or that ends it.
pub(crate) const fn cross_of(state: MarketState) -> u8 {
    match state {
        MarketState::PreOpen | MarketState::OpeningAuction => b'O',
        MarketState::ClosingAuction => b'C',
        _ => b'H',
    }
}

/// Writes the state of a symbol.
pub(super) fn action(stock_locate: u16, head: &Head, out: &mut [u8]) -> Written {
    let (state, reason) = action_of(head.state);
    TradingAction {
        stock_locate,
        tracking_number: 0,
        timestamp: head.timestamp,
        stock: head.stock,
        state,
        reserved: b' ',
        reason,
    }
    .encode(out)
}

/// There is one price: that of the auction as it would be now, with all its orders.
fn indication(event: &Event, head: &Head, out: &mut [u8]) -> Written {
    let direction = match (event.quantity, event.leaves) {
        (0, _) => b'O',
        (_, 0) => b'N',
        _ if event.side == Side::Sell as u8 => b'S',
        _ => b'B',
    };
    let price = price4(event.price);
    Noii {
        stock_locate: event.symbol,
        tracking_number: 0,
        timestamp: head.timestamp,
        paired: event.quantity.into(),
        imbalance: event.leaves.into(),
        direction,
        stock: head.stock,
        far_price: price,
        near_price: price,
        reference_price: price,
        cross_type: cross_of(head.state),
        variation: b' ',
    }
    .encode(out)
}

/// Comes ahead of the symbol's new state, so that the old one says which auction it was. It has no
/// match number of its own; those of its trades follow.
fn cross(event: &Event, head: &Head, out: &mut [u8]) -> Written {
    CrossTrade {
        stock_locate: event.symbol,
        tracking_number: 0,
        timestamp: head.timestamp,
        shares: event.quantity.into(),
        stock: head.stock,
        price: price4(event.price),
        match_number: 0,
        cross_type: cross_of(head.state),
    }
    .encode(out)
}
