//! The pool of orders that are not plain: who takes a place, who gives one back.

mod common;

use common::{Rig, SMALL, answers, cancel, day, ioc, of, replace};
use matching::Limits;
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind};

/// Two orders that are not plain, at most.
const TWO: Limits = Limits {
    orders: 8,
    special: 2,
    ..SMALL
};

const FULL: &str = "PoolFull";

/// An `Extra` for session 1's next order: displayed quantity and expiry.
fn extra(displayed: u32, expiry_ns: i64) -> Command {
    Command {
        session: 1,
        old_user_ref: displayed,
        price: expiry_ns,
        ..of(CommandKind::Extra)
    }
}

/// The answer to an order with attributes.
fn asked(rig: &mut Rig, extra: Command, order: Command) -> String {
    rig.apply(extra);
    answers(rig, order).remove(0)
}

/// A rig whose two places are taken: by order 1, of 10 units that show 3, and order 2, of 10 units
/// that expire.
fn taken() -> Rig {
    let mut rig = Rig::open(TWO);
    for (extra, order) in [(extra(3, 0), 1), (extra(0, 1_000), 2)] {
        let answer = asked(&mut rig, extra, day(order, Buy, 10, 100));
        assert!(answer.ends_with("left 10 booked"), "{answer}");
    }
    rig
}

/// How many more icebergs are taken.
fn free(rig: &mut Rig) -> usize {
    let mut enter = |order| asked(rig, extra(3, 0), day(order, Buy, 10, 99));
    (20..24)
        .take_while(|order| !enter(*order).contains(FULL))
        .count()
}

#[test]
fn a_third_special_order_is_refused_and_a_plain_one_is_not() {
    let mut rig = taken();
    for extra in [extra(3, 0), extra(0, 1_000), extra(3, 1_000)] {
        let answer = asked(&mut rig, extra, day(3, Buy, 10, 100));
        assert!(answer.contains(FULL), "{answer}");
    }
    // It shows all it has.
    let whole = asked(&mut rig, extra(10, 0), day(3, Buy, 10, 100));
    assert!(whole.starts_with("Accepted"), "{whole}");
    let plain = answers(&mut rig, day(4, Buy, 10, 100)).remove(0);
    assert!(plain.starts_with("Accepted"), "{plain}");
    assert_eq!(rig.engine.live_orders(), 4);
}

#[test]
fn places_come_back_with_what_took_them() {
    let ways: [(&str, u64, &[Command], usize); 8] = [
        ("nothing", 10, &[], 0),
        ("cancelled", 10, &[cancel(1, 0)], 1),
        ("cancelled, expiring", 10, &[cancel(2, 0)], 1),
        ("replaced by a plain one", 10, &[replace(1, 5, 10, 100)], 1),
        ("reduced to its tip", 10, &[cancel(1, 3)], 1),
        ("filled, expiring", 10, &[ioc(1, Sell, 13, 100)], 1),
        (
            "its last tip shown",
            10,
            &[ioc(1, Sell, 17, 100), ioc(2, Sell, 2, 100)],
            2,
        ),
        ("expired", 1_000, &[of(CommandKind::Time)], 1),
    ];
    for (way, time_ns, commands, places) in ways {
        let mut rig = taken();
        rig.sequence = time_ns;
        for command in commands {
            rig.apply(*command);
        }
        assert_eq!(free(&mut rig), places, "{way}");
    }
}

#[test]
fn a_replacement_has_the_place_of_the_replaced_order() {
    let mut rig = taken();
    let answer = asked(&mut rig, extra(0, 2_000), replace(1, 5, 10, 100));
    assert!(answer.starts_with("Replaced"), "{answer}");
    let plain = answers(&mut rig, day(6, Buy, 10, 100)).remove(0);
    assert!(plain.starts_with("Accepted"), "{plain}");
    let answer = asked(&mut rig, extra(3, 0), replace(6, 7, 10, 100));
    assert!(answer.contains(FULL), "{answer}");
    assert_eq!(rig.engine.live_orders(), 3);
}

#[test]
fn executed_units_count_however_they_are_kept() {
    let mut rig = taken();
    // Order 1: 3, then 3 more behind order 2's 10; it has 4 open units and shows 3.
    rig.apply(ioc(1, Sell, 16, 100));
    let answer = answers(&mut rig, cancel(1, 8));
    assert_eq!(answer, ["Reduced 1:1 2@100 left 2 booked User"]);
    // It is plain now, its 6 executed units are not forgotten.
    let answer = answers(&mut rig, cancel(1, 7));
    assert_eq!(answer, ["Reduced 1:1 1@100 left 1 booked User"]);
    let answer = answers(&mut rig, replace(1, 5, 6, 100)).remove(0);
    assert!(answer.ends_with("InvalidQuantity"), "{answer}");
    let answer = answers(&mut rig, replace(1, 5, 9, 100)).remove(0);
    assert_eq!(answer, "Replaced 1:5 3@100 left 3 booked");
}

#[test]
fn an_iceberg_expires_by_its_present_number() {
    let mut rig = Rig::open(TWO);
    for (displayed, order) in [(3, 1), (0, 2)] {
        asked(&mut rig, extra(displayed, 1_000), day(order, Buy, 10, 100));
    }
    // Its tip goes, and with it the number that was below the other's.
    rig.apply(ioc(1, Sell, 3, 100));
    rig.sequence = 1_000;
    let said = answers(&mut rig, of(CommandKind::Time));
    assert_eq!(
        said,
        [
            "Canceled 1:2 10@100 left 0 booked Expired",
            "Canceled 1:1 7@100 left 0 booked Expired",
            "Noted 0:0 0@0 left 0",
        ]
    );
}
