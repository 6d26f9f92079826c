//! Messages of a member and replies to it, in short.

use wire::ouch::inbound::fields::{CancelOrder, EnterOrder, MassCancel};
use wire::ouch::{Outbound, Tag};

use super::{Venue, login, packet, packets};

pub fn enter(user_ref: u32, side: u8, quantity: u32, price: u64) -> EnterOrder {
    EnterOrder {
        user_ref,
        side,
        quantity,
        symbol: *b"AAPL    ",
        price,
        time_in_force: b'0',
        display: b'Y',
        capacity: b'A',
        intermarket_sweep: b'N',
        cross_type: b'N',
        client_id: *b"my order      ",
    }
}

pub fn with_tags(order: &EnterOrder, tags: &[Tag<'_>]) -> Vec<u8> {
    let mut bytes = [0; 512];
    let length = order.encode_with(tags.iter().copied(), &mut bytes).unwrap();
    packet(b'U', &bytes[..length])
}

pub fn plain(order: &EnterOrder) -> Vec<u8> {
    with_tags(order, &[])
}

pub fn mass_cancel(user_ref: u32, symbol: &str, tags: &[Tag<'_>]) -> Vec<u8> {
    let asked = MassCancel {
        user_ref,
        firm: [b' '; 4],
        symbol: wire::padded(symbol),
    };
    let mut bytes = [0; 512];
    let length = asked.encode_with(tags.iter().copied(), &mut bytes).unwrap();
    packet(b'U', &bytes[..length])
}

pub fn cancel(user_ref: u32, quantity: u32) -> Vec<u8> {
    let mut bytes = [0; 64];
    let length = CancelOrder { user_ref, quantity }
        .encode(&mut bytes)
        .unwrap();
    packet(b'U', &bytes[..length])
}

/// The replies of the stream after the day's opening, one line each without the time.
pub fn replies(bytes: &[u8]) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let line = |message: &[u8]| match Outbound::parse(message).unwrap() {
        Outbound::SystemEvent(it) => format!("S {}", it.event() as char),
        Outbound::Accepted(it) => format!(
            "A {} {}{} {} @{} #{} {}",
            it.user_ref(),
            it.side() as char,
            it.quantity(),
            text(&it.symbol()),
            it.price(),
            it.order_ref(),
            text(&it.client_id())
        ),
        Outbound::Replaced(it) => format!(
            "U {}>{} {}{} {} @{} #{} {}{}{}{}{}",
            it.old_user_ref(),
            it.user_ref(),
            it.side() as char,
            it.quantity(),
            text(&it.symbol()),
            it.price(),
            it.order_ref(),
            it.time_in_force() as char,
            it.display() as char,
            it.capacity() as char,
            it.intermarket_sweep() as char,
            it.cross_type() as char,
        ),
        Outbound::Canceled(it) => {
            format!(
                "C {} -{} {}",
                it.user_ref(),
                it.quantity(),
                it.reason() as char
            )
        }
        Outbound::Executed(it) => format!(
            "E {} {} @{} {} ={}",
            it.user_ref(),
            it.quantity(),
            it.price(),
            it.liquidity() as char,
            it.match_number()
        ),
        Outbound::Rejected(it) => {
            format!(
                "J {} {:x} {}",
                it.user_ref(),
                it.reason(),
                text(&it.client_id())
            )
        }
        Outbound::Restated(it) => {
            let tags: Vec<Tag<'_>> = it.tags().collect();
            format!("R {} {} {tags:?}", it.user_ref(), it.reason() as char)
        }
        Outbound::PriorityUpdate(it) => format!(
            "T {} @{} #{} {}",
            it.user_ref(),
            it.price(),
            it.order_ref(),
            it.display() as char
        ),
        Outbound::BrokenTrade(it) => format!(
            "B {} ={} {} {}",
            it.user_ref(),
            it.match_number(),
            it.reason() as char,
            text(&it.client_id())
        ),
        Outbound::CancelReject(it) => format!("I {}", it.user_ref()),
        Outbound::MassCancelResponse(it) => {
            let tags: Vec<Tag<'_>> = it.tags().collect();
            let (firm, symbol) = (text(&it.firm()), text(&it.symbol()));
            format!("X {} {firm} [{symbol}] {tags:?}", it.user_ref())
        }
        Outbound::AccountQueryResponse(it) => format!("Q {}", it.next_user_ref()),
        other => panic!("{other:?}"),
    };
    let data = |(kind, _): &(u8, Vec<u8>)| matches!(kind, b'S' | b'U');
    packets(bytes)
        .into_iter()
        .filter(data)
        .map(|(_, message)| line(&message))
        .collect()
}

/// What one member hears when it sends these packets, each applied before the next.
pub fn heard(venue: &mut Venue, conn: u32, sent: &[Vec<u8>]) -> Vec<String> {
    for bytes in sent {
        assert_eq!(venue.received(conn, bytes), bytes.len());
        venue.run();
    }
    replies(&venue.taken(conn))
}

/// A conversation with everything that a member may send.
pub fn conversation() -> Vec<u8> {
    [
        login("ALPHA", "secret", "", "1"),
        plain(&enter(1, b'S', 100, 5_000)),
        packet(b'+', b"hello"),
        packet(b'R', &[]),
        with_tags(&enter(2, b'S', 10, 5_000), &[Tag::Route(*b"LIME")]),
        cancel(1, 50),
        packet(b'+', &[]),
        with_tags(&enter(3, b'B', 10, 4_000), &[Tag::Firm(*b"AAAA")]),
    ]
    .concat()
}
