//! Pegs, through the public face.

mod common;

use common::{ROOMY, Rig, answers, cancel, day, of};
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, Condition, EXTRA_HIDDEN, EventKind, PRICE_MARKET, Side};

/// Session 1's next order follows this.
fn follows(condition: Condition, amount: i32) -> Command {
    Command {
        session: 1,
        ..of(CommandKind::Extra)
    }
    .with_condition(condition, amount)
}

/// An order of session 2.
fn other(user_ref: u32, side: Side, quantity: u32, price: i64) -> Command {
    Command {
        session: 2,
        ..day(user_ref, side, quantity, price)
    }
}

/// Takes an order of session 2 off.
fn gone(user_ref: u32) -> Command {
    Command {
        session: 2,
        ..cancel(user_ref, 0)
    }
}

#[test]
fn a_primary_peg_follows_its_side_and_is_parked_without_it() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(follows(Condition::PrimaryPeg, 2));
    let said = answers(&mut rig, day(1, Buy, 5, 104));
    assert_eq!(said, ["Accepted 1:1 5@0 left 5 hidden parked"]);
    let said = answers(&mut rig, other(1, Buy, 1, 100));
    assert_eq!(said[1..], ["Repriced 1:1 5@102 left 5 booked hidden"]);
    let said = answers(&mut rig, other(2, Buy, 1, 103));
    assert_eq!(said[1..], ["Repriced 1:1 5@104 left 5 booked hidden"]);
    rig.apply(gone(2));
    let said = answers(&mut rig, gone(1));
    assert_eq!(said[1..], ["Repriced 1:1 5@0 left 5 hidden parked"]);
    assert_eq!(
        answers(&mut rig, cancel(1, 0)),
        ["Canceled 1:1 5@0 left 0 hidden parked User"]
    );
}

#[test]
fn hidden_orders_and_pegs_are_no_references() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(other(1, Buy, 1, 100));
    rig.apply(other(2, Sell, 1, 111));
    rig.apply(Command {
        flags: EXTRA_HIDDEN,
        ..follows(Condition::None, 0)
    });
    rig.apply(day(1, Buy, 1, 105));
    for (user_ref, condition, side, price) in [
        (2, Condition::MidpointPeg, Buy, 105),
        (3, Condition::MarketPeg, Sell, 102),
        (4, Condition::MidpointPeg, Sell, 106),
    ] {
        let amount = if condition == Condition::MarketPeg {
            2
        } else {
            0
        };
        rig.apply(follows(condition, amount));
        let events = rig.apply(day(user_ref, side, 1, PRICE_MARKET));
        assert_eq!(events[0].price, price, "{condition:?}");
    }
    // The market peg traded with the hidden order.
    assert_eq!(rig.engine.best(1, Buy), Some((105, 1)));
    assert_eq!(rig.engine.best(1, Sell), Some((106, 1)));
}

#[test]
fn many_pegs_are_repriced_by_number_in_bounded_steps() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(other(1, Buy, 1, 10_000));
    for user_ref in 1..=5_000 {
        rig.apply(follows(Condition::PrimaryPeg, -((user_ref % 7) as i32)));
        rig.apply(day(user_ref, Buy, 1, PRICE_MARKET));
    }
    let events = rig.apply(other(2, Buy, 1, 10_100));
    let repriced: Vec<_> = events[1..]
        .iter()
        .map(|event| (event.kind, event.user_ref))
        .collect();
    let due: Vec<_> = (1..=5_000)
        .map(|user_ref| (EventKind::Repriced as u8, user_ref))
        .collect();
    assert_eq!(repriced, due);
    assert!(rig.steps >= 5_000 / 64, "{} steps", rig.steps);
    assert_eq!(
        rig.apply(other(3, Buy, 1, 10_050)).len(),
        1,
        "nothing follows"
    );
}

#[test]
fn a_peg_that_goes_in_the_batch_of_another_one_is_left_out() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(other(1, Buy, 1, 100));
    rig.apply(other(2, Sell, 9, 110));
    // The buy's market peg reaches down from the ask, the sell's up from the bid.
    rig.apply(follows(Condition::MarketPeg, 4));
    rig.apply(day(1, Buy, 2, PRICE_MARKET));
    rig.apply(follows(Condition::MarketPeg, 7));
    rig.apply(day(2, Sell, 2, PRICE_MARKET));
    assert_eq!(rig.engine.best(1, Sell), Some((107, 2)));
    let said = answers(&mut rig, other(3, Sell, 1, 108));
    assert_eq!(said[1..], ["Repriced 1:1 2@104 left 2 booked hidden"]);
    let said = answers(&mut rig, other(4, Buy, 1, 95));
    assert_eq!(said.len(), 1, "a worse price is no reference");
    let said = answers(&mut rig, gone(1));
    assert_eq!(
        said[1..],
        [
            "Repriced 1:2 2@102 left 2 hidden",
            "Executed 1:1 2@104 left 0 maker booked hidden",
            "Executed 1:2 2@104 left 0 hidden",
        ]
    );
}
