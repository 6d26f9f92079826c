//! Orders are found under whatever references their members pick.

mod common;

use common::{Rig, SMALL, cancel, day, say};
use matching::Limits;
use wire::ring::EventKind;
use wire::ring::Side::Buy;

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
    // All in one near line and one far line: 2,048 slots are 256 lines.
    let near = (1..=u32::MAX >> 11).map(|n| n << 11);
    picks.push(
        near.filter(|pick| far_line(*pick) == 7)
            .take(ORDERS)
            .collect(),
    );
    for picks in picks {
        let mut rig = Rig::open(limits);
        for (number, pick) in (1..).zip(&picks) {
            assert_eq!(
                rig.apply(day(*pick, Buy, 1, 100))[0].order_ref,
                number,
                "{pick}"
            );
        }
        // Cancelled in another order than they came.
        let numbered: Vec<(u64, u32)> = (1..).zip(picks.iter().copied()).collect();
        let (odd, even): (Vec<_>, Vec<_>) = numbered.into_iter().partition(|(n, _)| n % 3 == 0);
        for (number, pick) in odd.into_iter().rev().chain(even) {
            let events = rig.apply(cancel(pick, 0));
            assert_eq!(
                (events[0].kind, events[0].order_ref),
                (EventKind::Canceled as u8, number),
                "{pick}"
            );
            assert_eq!(
                say(&rig.apply(cancel(pick, 0))[0]).split(' ').next(),
                Some("CancelRejected")
            );
        }
        assert_eq!(rig.engine.live_orders(), 0);
    }
}
