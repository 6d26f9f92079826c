//! Messages of a member, and replies of a venue.
#![allow(dead_code, reason = "each test program uses a part")]

use fix::message::{Body, Header, write};
use fix::moment;
use wire::ouch::outbound::fields::{Accepted, Replaced};

/// A message of the member's; `fields` are those behind the header, apart by `|`.
pub fn frame_of(kind: &str, number: u64, fields: &str, now: u64) -> Vec<u8> {
    let header = Header {
        kind,
        sender: "ALPHA",
        target: "VENUE",
        number,
        time: &moment::text(now),
        time_first: None,
    };
    let mut out = Vec::new();
    write(
        &header,
        &Body::from_sent(&fields.replace('|', "\x01")),
        &mut out,
    );
    out
}

/// An order to buy that rests.
pub fn accepted(user_ref: u32, quantity: u32, client_id: [u8; 14]) -> Accepted {
    Accepted {
        timestamp: 1,
        user_ref,
        side: b'B',
        quantity,
        symbol: *b"AAPL    ",
        price: 1_000_000,
        time_in_force: b'0',
        display: b'Y',
        order_ref: 9,
        capacity: b'P',
        intermarket_sweep: b'N',
        cross_type: b'N',
        state: b'L',
        client_id,
    }
}

/// One that rests in its place.
pub fn replaced(old_user_ref: u32, user_ref: u32, quantity: u32, client_id: [u8; 14]) -> Replaced {
    Replaced {
        timestamp: 1,
        old_user_ref,
        user_ref,
        side: b'B',
        quantity,
        symbol: *b"AAPL    ",
        price: 1_000_000,
        time_in_force: b'0',
        display: b'Y',
        order_ref: 10,
        capacity: b'P',
        intermarket_sweep: b'N',
        cross_type: b'N',
        state: b'L',
        client_id,
    }
}
