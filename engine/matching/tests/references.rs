//! Orders are found under whatever references their members pick.

mod common;

use common::{Rig, SMALL, cancel, day};
use matching::Limits;
use wire::ring::Side::Buy;
use wire::ring::{Command, EventKind};

const CANCELED: u8 = EventKind::Canceled as u8;

/// The far line of a reference of session 1, for a member who read the hash.
fn far_line(user_ref: u32) -> u64 {
    let name = 1 << 32 | u64::from(user_ref);
    let name = (name ^ name >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let name = (name ^ name >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    (name ^ name >> 31) & 0xFF
}

#[test]
fn every_reference_finds_room_however_it_was_picked() {
    const ORDERS: usize = 1_000;
    let limits = Limits {
        orders: ORDERS as u32,
        ..SMALL
    };
    let strides = [1_u32, 8, 1 << 14, 1 << 20, 3 << 16];
    let mut picks: Vec<Vec<u32>> = strides
        .map(|stride| {
            (1..=u32::MAX / stride)
                .take(ORDERS)
                .map(|n| n * stride)
                .collect()
        })
        .into();
    // All in one near line and one far line: 4,096 slots are 256 lines. Several pools full of them.
    let near = (1..=u32::MAX >> 11).map(|n| n << 11);
    picks.push(
        near.filter(|pick| far_line(*pick) == 7)
            .take(5 * ORDERS)
            .collect(),
    );
    for picks in picks {
        let mut rig = Rig::open(limits);
        let numbered: Vec<(u64, u32)> = (1..).zip(picks).collect();
        for part in numbered.chunks(ORDERS) {
            enter_and_cancel(&mut rig, part);
        }
        assert_eq!(rig.engine.live_orders(), 0);
    }
}

/// Enters orders under these references, and cancels them in another order.
fn enter_and_cancel(rig: &mut Rig, numbered: &[(u64, u32)]) {
    for (number, pick) in numbered {
        assert_eq!(
            rig.apply(day(*pick, Buy, 1, 100))[0].order_ref,
            *number,
            "{pick}"
        );
    }
    let (odd, even): (Vec<_>, Vec<_>) = numbered.iter().partition(|(n, _)| n % 3 == 0);
    for (number, pick) in odd.into_iter().rev().chain(even) {
        let events = rig.apply(cancel(pick, 0));
        assert_eq!(
            (events[0].kind, events[0].order_ref),
            (CANCELED, number),
            "{pick}"
        );
        let again = rig.apply(cancel(pick, 0));
        assert_eq!(again[0].kind, EventKind::CancelRejected as u8, "{pick}");
    }
}

#[test]
fn sessions_may_use_the_same_references() {
    // Two lines of slots for all sessions: references of the same number meet in a line.
    for orders in [1, 4, 8] {
        let mut rig = Rig::open(Limits { orders, ..SMALL });
        let of_session = |session: u16, command: Command| Command { session, ..command };
        for (session, stranger) in [(1, 3), (3, 2), (2, 1)] {
            rig.apply(of_session(session, day(5, Buy, 1, 100)));
            let wrong = rig.apply(of_session(stranger, cancel(5, 0)));
            assert_eq!(wrong[0].kind, EventKind::CancelRejected as u8, "{orders}");
            let right = rig.apply(of_session(session, cancel(5, 0)));
            assert_eq!(
                (right[0].kind, right[0].session),
                (CANCELED, session),
                "{orders}"
            );
        }
    }
}
