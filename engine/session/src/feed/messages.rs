//! Events of the engine to ITCH messages.
//!
//! Only what rests is shown: an order that trades on entry appears with what is left of it, and its
//! trades appear at the orders that it met. Events say by themselves what of an order is shown, so
//! that nothing needs to be remembered of any order.

use wire::Error;
use wire::itch::fields::{
    AddOrder, BrokenTrade, OrderCancel, OrderDelete, OrderExecuted, OrderExecutedPrice,
    OrderReplace, StockDirectory, SystemEvent, Trade,
};
use wire::ring::{Event, EventKind, MarketState, PRICE_MARKET, Side};

/// The most messages that one event makes.
pub(super) const MESSAGES_MAX: usize = 4;

/// The bytes of a written message.
pub(super) type Written = Result<usize, Error>;

/// Writes the system event that opens the stream.
pub(super) fn opening(timestamp: u64, out: &mut [u8]) -> Result<usize, Error> {
    system(b'O', timestamp, out)
}

/// The letters of the system events that a turn of the day makes.
pub(super) const fn turns(kind: EventKind) -> &'static [u8] {
    match kind {
        EventKind::DayOpened => b"SQ",
        EventKind::DayClosed => b"MEC",
        _ => b"",
    }
}

/// Writes a system event.
pub(super) fn system(event: u8, timestamp: u64, out: &mut [u8]) -> Result<usize, Error> {
    SystemEvent {
        stock_locate: 0,
        tracking_number: 0,
        timestamp,
        event,
    }
    .encode(out)
}

/// Writes the directory entry of a symbol that trades in single units.
pub(super) fn directory(stock_locate: u16, head: &Head, out: &mut [u8]) -> Result<usize, Error> {
    let entry = StockDirectory {
        stock_locate,
        tracking_number: 0,
        timestamp: head.timestamp,
        stock: head.stock,
        market_category: b' ',
        financial_status: b' ',
        round_lot: 1,
        round_lots_only: b'N',
        issue_class: b'C',
        issue_subtype: *b"Z ",
        authenticity: b'P',
        short_sale_threshold: b' ',
        ipo_flag: b' ',
        luld_tier: b' ',
        etp_flag: b' ',
        etp_leverage: 0,
        inverse: b'N',
    };
    entry.encode(out)
}

/// What the messages of one event share.
pub(super) struct Head {
    /// Name of its symbol.
    pub(super) stock: [u8; 8],
    /// What its market does.
    pub(super) state: MarketState,
    /// Nanoseconds since midnight.
    pub(super) timestamp: u64,
}

/// Writes the message of an event about an order; `None` when the feed does not tell it.
///
/// Of a hidden order the feed tells its trades, of an iceberg what it shows: it leaves with its
/// last shown unit and comes again, under its new number, when it shows more. An auction's trades
/// are told in one by its cross; of each the feed only says what it took off the book. A parked
/// order is not on the book, so its events lack [`Event::BOOKED`].
pub(super) fn order(
    event: &Event,
    kind: EventKind,
    head: &Head,
    out: &mut [u8],
) -> Option<Written> {
    let is_hidden = event.has(Event::HIDDEN);
    let is_shown = event.has(Event::BOOKED) && !is_hidden;
    match kind {
        EventKind::Replaced => replaced(event, is_shown, head, out),
        EventKind::Broken if event.has(Event::MAKER) => Some(broken(event, head, out)),
        EventKind::Executed if event.has(Event::AUCTION) => {
            (!is_hidden).then(|| crossed(event, head, out))
        }
        EventKind::Executed if event.has(Event::MAKER) && is_hidden => {
            Some(trade(event, head, out))
        }
        EventKind::Executed if event.has(Event::MAKER) => Some(executed(event, head, out)),
        EventKind::Accepted
        | EventKind::Booked
        | EventKind::Refreshed
        | EventKind::Triggered
        | EventKind::Repriced
            if is_shown =>
        {
            Some(add(event, head, out))
        }
        EventKind::Reduced if is_shown => {
            let held_back = u32::try_from(event.related).unwrap_or(u32::MAX);
            let shares = event.quantity.saturating_sub(held_back);
            (shares > 0).then(|| cancel(event, shares, head, out))
        }
        EventKind::Canceled if is_shown => Some(delete(event, event.order_ref, head, out)),
        _ => None,
    }
}

/// A trade was taken back: told once, and nothing on a book changes.
fn broken(event: &Event, head: &Head, out: &mut [u8]) -> Written {
    BrokenTrade {
        stock_locate: event.symbol,
        tracking_number: 0,
        timestamp: head.timestamp,
        match_number: event.related,
    }
    .encode(out)
}

/// An order took another one's place. One that trades on entry is added later, with what is left.
fn replaced(event: &Event, is_shown: bool, head: &Head, out: &mut [u8]) -> Option<Written> {
    let was_shown = !event.has(Event::OLD_HIDDEN);
    match (was_shown, is_shown) {
        (true, true) => Some(replace(event, head, out)),
        (true, false) => Some(delete(event, event.related, head, out)),
        (false, true) => Some(add(event, head, out)),
        (false, false) => None,
    }
}

fn add(event: &Event, head: &Head, out: &mut [u8]) -> Written {
    AddOrder {
        stock_locate: event.symbol,
        tracking_number: 0,
        timestamp: head.timestamp,
        order_ref: event.order_ref,
        side: if event.side == Side::Sell as u8 {
            b'S'
        } else {
            b'B'
        },
        shares: event.quantity,
        stock: head.stock,
        price: price_of(event),
    }
    .encode(out)
}

fn replace(event: &Event, head: &Head, out: &mut [u8]) -> Written {
    OrderReplace {
        stock_locate: event.symbol,
        tracking_number: 0,
        timestamp: head.timestamp,
        old_order_ref: event.related,
        new_order_ref: event.order_ref,
        shares: event.quantity,
        price: price_of(event),
    }
    .encode(out)
}

fn delete(event: &Event, order_ref: u64, head: &Head, out: &mut [u8]) -> Written {
    OrderDelete {
        stock_locate: event.symbol,
        tracking_number: 0,
        timestamp: head.timestamp,
        order_ref,
    }
    .encode(out)
}

fn cancel(event: &Event, shares: u32, head: &Head, out: &mut [u8]) -> Written {
    OrderCancel {
        stock_locate: event.symbol,
        tracking_number: 0,
        timestamp: head.timestamp,
        order_ref: event.order_ref,
        shares,
    }
    .encode(out)
}

fn executed(event: &Event, head: &Head, out: &mut [u8]) -> Written {
    OrderExecuted {
        stock_locate: event.symbol,
        tracking_number: 0,
        timestamp: head.timestamp,
        order_ref: event.order_ref,
        shares: event.quantity,
        match_number: event.related,
    }
    .encode(out)
}

/// A trade of an auction, which the cross counted already.
fn crossed(event: &Event, head: &Head, out: &mut [u8]) -> Written {
    OrderExecutedPrice {
        stock_locate: event.symbol,
        tracking_number: 0,
        timestamp: head.timestamp,
        order_ref: event.order_ref,
        shares: event.quantity,
        match_number: event.related,
        printable: b'N',
        price: price4(event.price),
    }
    .encode(out)
}

/// A trade with an order that the book does not show: it names no order and no side, as on the
/// exchange (the side is always B since 2014).
fn trade(event: &Event, head: &Head, out: &mut [u8]) -> Written {
    Trade {
        stock_locate: event.symbol,
        tracking_number: 0,
        timestamp: head.timestamp,
        order_ref: 0,
        side: b'B',
        shares: event.quantity,
        stock: head.stock,
        price: price_of(event),
        match_number: event.related,
    }
    .encode(out)
}

/// The price at which an order stands in the feed. Market orders, which only rest while an auction
/// is called, stand ahead of all limits of their side: at the greatest price, and at 0.
fn price_of(event: &Event) -> u32 {
    if event.price == PRICE_MARKET && event.side == Side::Sell as u8 {
        return 0;
    }
    price4(event.price)
}

/// Prices of resting orders fit: the engine takes none above 200,000.0000.
pub(super) fn price4(price: i64) -> u32 {
    u32::try_from(price).unwrap_or(u32::MAX)
}
