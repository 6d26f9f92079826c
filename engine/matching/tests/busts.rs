//! Trades that are taken back: in snapshots, and how many there can be.

mod common;

use common::{ROOMY, Rig, day, ioc, of};
use matching::{BUSTS_MAX, RestoreError};
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, EventKind, Reason};

/// Names a trade of an order of session 2.
fn named(match_number: i64) -> Command {
    Command {
        session: 2,
        user_ref: match_number as u32,
        price: match_number,
        client_id: *b"a text of 14  ",
        ..of(CommandKind::Trade)
    }
}

/// Takes back a unit at 100, which session 1 sold.
fn bust() -> Command {
    Command {
        side: Sell as u8,
        symbol: 1,
        session: 1,
        user_ref: 1,
        quantity: 1,
        price: 100,
        flags: Reason::Supervisory as u8,
        ..of(CommandKind::Bust)
    }
}

/// A day with so many trades of a unit at 100, all of whose accounts are kept.
fn traded(count: u32) -> Rig {
    let mut rig = Rig::new(ROOMY);
    rig.apply(Command {
        symbol: 1,
        ..of(CommandKind::DefineSymbol)
    });
    for session in [1, 2] {
        rig.apply(Command {
            session,
            user_ref: session.into(),
            ..of(CommandKind::DefineSession)
        });
    }
    rig.apply(Command {
        user_ref: 1,
        ..of(CommandKind::SetLimit)
    });
    rig.apply(of(CommandKind::OpenDay));
    rig.apply(day(1, Sell, count, 100));
    for number in 1..=count {
        rig.apply(ioc(number, Buy, 1, 100));
    }
    rig
}

fn kind(rig: &mut Rig, command: Command) -> (EventKind, Reason) {
    let first = rig.apply(command)[0];
    (
        EventKind::from_byte(first.kind).expect("a kind"),
        Reason::from_byte(first.reason).expect("a reason"),
    )
}

fn take_back(rig: &mut Rig, match_number: i64) -> (EventKind, Reason) {
    rig.apply(named(match_number));
    kind(rig, bust())
}

const BROKEN: (EventKind, Reason) = (EventKind::Broken, Reason::Supervisory);

fn bytes_of(rig: &Rig) -> Vec<u8> {
    let mut bytes = Vec::new();
    rig.engine
        .snapshot(&mut |piece| bytes.extend_from_slice(piece));
    bytes
}

#[test]
fn a_restored_engine_knows_what_was_taken_back_and_what_is_named() {
    let mut first = traded(3);
    assert_eq!(take_back(&mut first, 2), BROKEN);
    first.apply(named(3));
    let bytes = bytes_of(&first);
    let mut second = Rig::restore(ROOMY, &bytes).expect("good bytes");
    assert_eq!(bytes_of(&second), bytes);
    for rig in [&mut first, &mut second] {
        let told = rig.apply(bust());
        assert_eq!(told.len(), 2);
        assert_eq!((told[1].related, told[1].user_ref), (3, 3));
        assert_eq!(told[1].client_id(), *b"a text of 14  ");
        assert_eq!(take_back(rig, 2), (EventKind::Refused, Reason::TradeBroken));
        assert_eq!(take_back(rig, 1), BROKEN);
    }
    assert_eq!(first.engine.state_hash(), second.engine.state_hash());
}

#[test]
fn the_order_in_which_trades_are_taken_back_is_no_part_of_the_state() {
    let hashes = [[1, 2, 3], [3, 1, 2]].map(|order| {
        let mut rig = traded(3);
        for number in order {
            assert_eq!(take_back(&mut rig, number), BROKEN);
        }
        rig.engine.state_hash()
    });
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn a_day_has_room_for_so_many() {
    let count = BUSTS_MAX as u32;
    let mut rig = traded(count + 1);
    for number in (1..=i64::from(count)).rev() {
        assert_eq!(take_back(&mut rig, number), BROKEN);
    }
    let full = (EventKind::Refused, Reason::TableFull);
    assert_eq!(take_back(&mut rig, i64::from(count) + 1), full);
    let again = (EventKind::Refused, Reason::TradeBroken);
    assert_eq!(take_back(&mut rig, 1), again);
    let mut rig = Rig::restore(ROOMY, &bytes_of(&rig)).expect("good bytes");
    assert_eq!(take_back(&mut rig, i64::from(count) + 1), full);
}

#[test]
fn numbers_that_cannot_be_are_refused_in_a_snapshot() {
    let mut rig = traded(2);
    take_back(&mut rig, 1);
    take_back(&mut rig, 2);
    let bytes = bytes_of(&rig);
    // The records of both stand behind that of the venue, a tag and eight bytes each.
    let tag = |bytes: &[u8]| {
        bytes
            .windows(18)
            .position(|it| it[0] == 10 && it[1] == 1 && it[9] == 10 && it[10] == 2)
    };
    let at = tag(&bytes).expect("both records");
    for (place, value, field) in [(1, 2, "broken"), (1, 0, "broken"), (10, 3, "broken")] {
        let mut wrong = bytes.clone();
        wrong[at + place] = value;
        match Rig::restore(ROOMY, &wrong).err() {
            Some(RestoreError::Bytes { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{place} {value}: {other:?}"),
        }
    }
}
