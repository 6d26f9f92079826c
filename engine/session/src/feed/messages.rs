//! Events of the engine to ITCH messages.
//!
//! Only what rests is shown: an order that trades on entry appears with what is left of it, and its
//! trades appear at the orders that it met.

use wire::Error;
use wire::itch::fields::{
    AddOrder, OrderCancel, OrderDelete, OrderExecuted, OrderReplace, StockDirectory, SystemEvent,
};
use wire::ring::{Event, EventKind, Side};

/// The most messages that one event makes.
pub(super) const MESSAGES_MAX: usize = 4;

/// The longest message made: Stock Directory.
pub(super) const MESSAGE_BYTES_MAX: usize = 39;

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
pub(super) fn directory(
    stock_locate: u16,
    stock: [u8; 8],
    timestamp: u64,
    out: &mut [u8],
) -> Result<usize, Error> {
    let entry = StockDirectory {
        stock_locate,
        tracking_number: 0,
        timestamp,
        stock,
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

/// Writes the message of an event about an order; `None` when the book does not show it.
pub(super) fn order(
    event: &Event,
    kind: EventKind,
    stock: [u8; 8],
    timestamp: u64,
    out: &mut [u8],
) -> Option<Result<usize, Error>> {
    let stock_locate = event.symbol;
    let tracking_number = 0;
    let order_ref = event.order_ref;
    let booked = event.has(Event::BOOKED);
    let price = price_of(event);
    let written = match kind {
        EventKind::Accepted | EventKind::Booked if booked => AddOrder {
            stock_locate,
            tracking_number,
            timestamp,
            order_ref,
            side: if event.side == Side::Sell as u8 {
                b'S'
            } else {
                b'B'
            },
            shares: event.quantity,
            stock,
            price,
        }
        .encode(out),
        EventKind::Replaced if booked => OrderReplace {
            stock_locate,
            tracking_number,
            timestamp,
            old_order_ref: event.related,
            new_order_ref: order_ref,
            shares: event.quantity,
            price,
        }
        .encode(out),
        // The old order leaves; the new one is added with what is left of it after its trades.
        EventKind::Replaced => {
            let order_ref = event.related;
            OrderDelete {
                stock_locate,
                tracking_number,
                timestamp,
                order_ref,
            }
            .encode(out)
        }
        EventKind::Executed if event.has(Event::MAKER) => OrderExecuted {
            stock_locate,
            tracking_number,
            timestamp,
            order_ref,
            shares: event.quantity,
            match_number: event.related,
        }
        .encode(out),
        EventKind::Reduced => OrderCancel {
            stock_locate,
            tracking_number,
            timestamp,
            order_ref,
            shares: event.quantity,
        }
        .encode(out),
        EventKind::Canceled if booked => OrderDelete {
            stock_locate,
            tracking_number,
            timestamp,
            order_ref,
        }
        .encode(out),
        _ => return None,
    };
    Some(written)
}

/// Prices of resting orders fit: the engine takes none above 200,000.0000.
fn price_of(event: &Event) -> u32 {
    u32::try_from(event.price).unwrap_or(u32::MAX)
}
