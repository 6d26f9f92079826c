//! What the venue replies, as a client hears it.

use super::messages::{Kind, OrderEvent, Side};
use wire::ouch::{Outbound, Tag, Tags};
use wire::ring::{PRICE_MARKET, Reason};
use wire::trimmed;

/// Refusals that are not OUCH's carry this and the venue's reason.
const REASON_OWN: u16 = 0x8000;

/// A reply of this number; `None` for what concerns no order.
pub(super) fn event(number: u64, told: &Outbound<'_>) -> Option<OrderEvent> {
    let mut event = OrderEvent {
        number,
        time_ns: nanoseconds(told),
        ..OrderEvent::default()
    };
    let kind = match told {
        Outbound::Accepted(told) => {
            event.reference = told.user_ref();
            event.order = told.order_ref();
            event.quantity = told.quantity();
            entered(&mut event, (told.side(), &told.symbol(), told.price()));
            tagged(&mut event, told.tags());
            event.text = text(&told.client_id());
            Kind::Accepted
        }
        Outbound::Replaced(told) => {
            (event.reference, event.old_reference) = (told.user_ref(), told.old_user_ref());
            event.order = told.order_ref();
            event.quantity = told.quantity();
            entered(&mut event, (told.side(), &told.symbol(), told.price()));
            tagged(&mut event, told.tags());
            event.text = text(&told.client_id());
            Kind::Replaced
        }
        Outbound::Executed(told) => {
            (event.reference, event.quantity) = (told.user_ref(), told.quantity());
            (event.price, event.r#match) = (Some(told.price()), told.match_number());
            event.liquidity = letter(told.liquidity());
            Kind::Executed
        }
        Outbound::Canceled(told) => {
            (event.reference, event.quantity) = (told.user_ref(), told.quantity());
            event.reason = letter(told.reason());
            Kind::Canceled
        }
        Outbound::AiqCanceled(told) => {
            (event.reference, event.quantity) = (told.user_ref(), told.decremented());
            event.reason = letter(told.reason());
            Kind::Canceled
        }
        Outbound::Rejected(told) => {
            event.reference = told.user_ref();
            event.reason = reject_words(told.reason());
            event.text = text(&told.client_id());
            Kind::Rejected
        }
        Outbound::CancelReject(told) => {
            event.reference = told.user_ref();
            Kind::CancelRejected
        }
        Outbound::PriorityUpdate(told) => {
            (event.reference, event.order) = (told.user_ref(), told.order_ref());
            event.price = Some(told.price());
            Kind::Moved
        }
        Outbound::Restated(told) => {
            event.reference = told.user_ref();
            tagged(&mut event, told.tags());
            Kind::Refreshed
        }
        Outbound::BrokenTrade(told) => {
            (event.reference, event.r#match) = (told.user_ref(), told.match_number());
            event.reason = letter(told.reason());
            event.text = text(&told.client_id());
            Kind::Broken
        }
        Outbound::MassCancelResponse(told) => {
            event.reference = told.user_ref();
            event.symbol = text(&told.symbol());
            tagged(&mut event, told.tags());
            Kind::MassCanceled
        }
        _ => return None,
    };
    event.set_kind(kind);
    Some(event)
}

/// Nanoseconds of the day, which every message of the venue says behind its type.
fn nanoseconds(told: &Outbound<'_>) -> u64 {
    let bytes = told.fixed_bytes().get(1..9);
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_be_bytes)
}

fn entered(event: &mut OrderEvent, (side, symbol, price): (u8, &[u8], u64)) {
    event.set_side(side_of(side));
    event.symbol = text(symbol);
    event.price = (price != PRICE_MARKET as u64).then_some(price);
}

fn tagged(event: &mut OrderEvent, tags: Tags<'_>) {
    for tag in tags {
        match tag {
            Tag::Account(account) => event.account = account,
            Tag::SecondaryRef(order) => event.order = order,
            Tag::Orders(orders) => event.quantity = orders,
            Tag::Side(side) => event.set_side(side_of(side)),
            _ => {}
        }
    }
}

fn side_of(letter: u8) -> Side {
    match letter {
        b'B' => Side::Buy,
        b'S' => Side::Sell,
        b'T' => Side::SellShort,
        b'E' => Side::SellShortExempt,
        _ => Side::Unspecified,
    }
}

fn letter(letter: u8) -> String {
    char::from(letter).to_string()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(trimmed(bytes)).into_owned()
}

/// OUCH's reasons by their words, the venue's by its names.
fn reject_words(code: u16) -> String {
    match code {
        0x13 => return "invalid quantity".to_owned(),
        0x17 => return "unknown symbol".to_owned(),
        0x1D => return "invalid price".to_owned(),
        _ => {}
    }
    let own = code.checked_sub(REASON_OWN);
    let own = own.and_then(|own| u8::try_from(own).ok());
    let name = own.and_then(Reason::from_byte);
    name.map_or_else(|| format!("{code:#06x}"), |name| format!("{name:?}"))
}
