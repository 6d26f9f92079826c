//! Orders are found under whatever references their members pick.

mod common;

use common::{Rig, SMALL, cancel, day, of};
use matching::Limits;
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, EventKind};

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
fn of_few_with_one_home_each_is_found_when_others_left() {
    // Fewer than a home counts: of more it only knows that there are many.
    let mut rig = Rig::open(Limits { orders: 8, ..SMALL });
    let numbered: Vec<(u64, u32)> = (1..=8).map(|n| (n, (n as u32) << 20)).collect();
    enter_and_cancel(&mut rig, &numbered);
    assert_eq!(rig.engine.live_orders(), 0);
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

#[test]
fn free_references_are_brought_back_by_a_snapshot() {
    let mut rig = Rig::new(SMALL);
    rig.apply(Command {
        symbol: 1,
        ..of(CommandKind::DefineSymbol)
    });
    rig.apply(Command {
        session: 1,
        letters: [4, 1, 0, 0],
        ..of(CommandKind::DefineSession)
    });
    rig.apply(of(CommandKind::OpenDay));
    rig.apply(day(9, Buy, 1, 100));
    let mut bytes = Vec::new();
    rig.engine
        .snapshot(&mut |part| bytes.extend_from_slice(part));
    let mut restored = Rig::restore(SMALL, &bytes).expect("room and good bytes");
    restored.sequence = rig.sequence;
    for rig in [&mut rig, &mut restored] {
        let kinds = [
            day(3, Buy, 1, 100),
            day(9, Buy, 1, 100),
            day(2, Sell, 1, 100),
        ]
        .map(|command| rig.apply(command)[0].kind);
        let [accepted, rejected] = [EventKind::Accepted, EventKind::Rejected].map(|one| one as u8);
        // With a mode of 4 the last one meets its own account's order instead of trading.
        assert_eq!(kinds, [accepted, rejected, accepted]);
    }
    assert_eq!(rig.engine.state_hash(), restored.engine.state_hash());
}
