//! The defects that benchmarks of public engines find most, a test each: commands and their
//! answers. Those of orders that are not plain are in `defects_special.rs`.

mod common;

use common::{ROOMY, Rig, cancel, day, ioc, of, replace, say};
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, PRICE_MARKET, PRICE_MAX, TimeInForce};

/// Applies commands and looks at the last answers.
fn check(commands: &[Command], expected: &[&str]) {
    let mut rig = Rig::open(ROOMY);
    let answers = commands.iter().flat_map(|command| rig.apply(*command));
    let answers: Vec<String> = answers.map(|event| say(&event)).collect();
    let from = answers.len().saturating_sub(expected.len());
    assert_eq!(&answers[from..], expected, "all answers: {answers:#?}");
}

/// A day order of another session in symbol 1.
fn other(user_ref: u32, side: wire::ring::Side, quantity: u32, price: i64) -> Command {
    Command {
        session: 2,
        ..day(user_ref, side, quantity, price)
    }
}

#[test]
fn the_rest_of_an_immediate_or_cancel_order_does_not_rest() {
    check(
        &[
            day(1, Sell, 5, 100),
            ioc(1, Buy, 8, 100),
            ioc(2, Sell, 3, 100),
        ],
        &[
            "Accepted 1:1 5@100 left 5 booked",
            "Accepted 2:1 8@100 left 8",
            "Executed 1:1 5@100 left 0 maker booked",
            "Executed 2:1 5@100 left 3",
            "Canceled 2:1 3@100 left 0 ImmediateOrCancel",
            "Accepted 2:2 3@100 left 3",
            "Canceled 2:2 3@100 left 0 ImmediateOrCancel",
        ],
    );
}

#[test]
fn a_market_order_takes_any_price_and_does_not_rest() {
    check(
        &[
            day(1, Buy, 5, 1),
            Command {
                session: 2,
                ..day(1, Sell, 7, PRICE_MARKET)
            },
            Command {
                session: 2,
                ..day(2, Buy, 1, PRICE_MARKET)
            },
        ],
        &[
            "Accepted 2:1 7@2000000000 left 7",
            "Executed 1:1 5@1 left 0 maker booked",
            "Executed 2:1 5@1 left 2",
            "Canceled 2:1 2@2000000000 left 0 ImmediateOrCancel",
            "Accepted 2:2 1@2000000000 left 1",
            "Canceled 2:2 1@2000000000 left 0 ImmediateOrCancel",
        ],
    );
}

#[test]
fn a_market_replacement_does_not_rest() {
    check(
        &[
            day(1, Buy, 5, 100),
            replace(1, 2, 5, PRICE_MARKET),
            ioc(1, Sell, 1, 1),
        ],
        &[
            "Replaced 1:2 5@2000000000 left 5",
            "Canceled 1:2 5@2000000000 left 0 ImmediateOrCancel",
            "Accepted 2:1 1@1 left 1",
            "Canceled 2:1 1@1 left 0 ImmediateOrCancel",
        ],
    );
}

#[test]
fn an_immediate_or_cancel_replacement_does_not_rest() {
    check(
        &[
            day(1, Buy, 5, 100),
            Command {
                time_in_force: TimeInForce::ImmediateOrCancel as u8,
                ..replace(1, 2, 5, 100)
            },
        ],
        &[
            "Replaced 1:2 5@100 left 5",
            "Canceled 1:2 5@100 left 0 ImmediateOrCancel",
        ],
    );
}

#[test]
fn a_best_price_goes_with_its_last_order() {
    check(
        &[
            day(1, Buy, 10, 10_000),
            day(2, Buy, 10, 9_900),
            cancel(1, 0),
            ioc(1, Sell, 5, 10_000),
            ioc(2, Sell, 5, 9_900),
        ],
        &[
            "Canceled 1:1 10@10000 left 0 booked User",
            "Accepted 2:1 5@10000 left 5",
            "Canceled 2:1 5@10000 left 0 ImmediateOrCancel",
            "Accepted 2:2 5@9900 left 5",
            "Executed 1:2 5@9900 left 5 maker booked",
            "Executed 2:2 5@9900 left 0",
        ],
    );
}

#[test]
fn a_fill_happens_at_the_makers_price() {
    check(
        &[
            day(1, Sell, 5, 100),
            day(2, Sell, 5, 101),
            other(1, Buy, 12, 102),
        ],
        &[
            "Accepted 2:1 12@102 left 12",
            "Executed 1:1 5@100 left 0 maker booked",
            "Executed 2:1 5@100 left 7",
            "Executed 1:2 5@101 left 0 maker booked",
            "Executed 2:1 5@101 left 2",
            "Booked 2:1 2@102 left 2 booked",
        ],
    );
}

#[test]
fn prices_between_cents_are_in_order_with_whole_cents() {
    check(
        &[
            day(1, Buy, 1, 200),
            day(2, Buy, 1, 199),
            day(3, Buy, 1, 201),
            day(4, Buy, 1, 100),
            day(5, Buy, 1, 101),
            ioc(1, Sell, 5, 1),
        ],
        &[
            "Executed 1:3 1@201 left 0 maker booked",
            "Executed 2:1 1@201 left 4",
            "Executed 1:1 1@200 left 0 maker booked",
            "Executed 2:1 1@200 left 3",
            "Executed 1:2 1@199 left 0 maker booked",
            "Executed 2:1 1@199 left 2",
            "Executed 1:5 1@101 left 0 maker booked",
            "Executed 2:1 1@101 left 1",
            "Executed 1:4 1@100 left 0 maker booked",
            "Executed 2:1 1@100 left 0",
        ],
    );
}

#[test]
fn far_prices_are_not_lost() {
    check(
        &[
            day(1, Sell, 1, PRICE_MAX),
            day(2, Sell, 1, 1_999_999_900),
            day(3, Sell, 1, 3),
            day(4, Buy, 1, 1),
            cancel(3, 0),
            ioc(1, Buy, 2, PRICE_MAX),
        ],
        &[
            "Executed 1:2 1@1999999900 left 0 maker booked",
            "Executed 2:1 1@1999999900 left 1",
            "Executed 1:1 1@1999999999 left 0 maker booked",
            "Executed 2:1 1@1999999999 left 0",
        ],
    );
}

#[test]
fn a_partial_fill_keeps_priority() {
    check(
        &[
            day(1, Buy, 10, 100),
            day(2, Buy, 10, 100),
            ioc(1, Sell, 4, 100),
            ioc(2, Sell, 8, 100),
        ],
        &[
            "Executed 1:1 6@100 left 0 maker booked",
            "Executed 2:2 6@100 left 2",
            "Executed 1:2 2@100 left 8 maker booked",
            "Executed 2:2 2@100 left 0",
        ],
    );
}

#[test]
fn a_reduction_keeps_priority() {
    check(
        &[
            day(1, Buy, 10, 100),
            day(2, Buy, 10, 100),
            cancel(1, 6),
            ioc(1, Sell, 7, 100),
        ],
        &[
            "Reduced 1:1 4@100 left 6 booked User",
            "Accepted 2:1 7@100 left 7",
            "Executed 1:1 6@100 left 0 maker booked",
            "Executed 2:1 6@100 left 1",
            "Executed 1:2 1@100 left 9 maker booked",
            "Executed 2:1 1@100 left 0",
        ],
    );
}

#[test]
fn a_replacement_loses_priority() {
    check(
        &[
            day(1, Buy, 10, 100),
            day(2, Buy, 10, 100),
            replace(1, 3, 10, 100),
            ioc(1, Sell, 11, 100),
        ],
        &[
            "Replaced 1:3 10@100 left 10 booked",
            "Accepted 2:1 11@100 left 11",
            "Executed 1:2 10@100 left 0 maker booked",
            "Executed 2:1 10@100 left 1",
            "Executed 1:3 1@100 left 9 maker booked",
            "Executed 2:1 1@100 left 0",
        ],
    );
}

#[test]
fn a_cancelled_middle_order_leaves_the_queue_whole() {
    check(
        &[
            day(1, Sell, 1, 100),
            day(2, Sell, 2, 100),
            day(3, Sell, 3, 100),
            day(4, Sell, 4, 100),
            cancel(2, 0),
            cancel(4, 0),
            day(5, Sell, 5, 100),
            cancel(1, 0),
            ioc(1, Buy, 9, 100),
        ],
        &[
            "Executed 1:3 3@100 left 0 maker booked",
            "Executed 2:1 3@100 left 6",
            "Executed 1:5 5@100 left 0 maker booked",
            "Executed 2:1 5@100 left 1",
            "Canceled 2:1 1@100 left 0 ImmediateOrCancel",
        ],
    );
}

#[test]
fn a_replacement_that_crosses_matches() {
    check(
        &[
            day(1, Buy, 10, 99),
            other(1, Sell, 4, 100),
            replace(1, 2, 10, 100),
        ],
        &[
            "Replaced 1:2 10@100 left 10",
            "Executed 2:1 4@100 left 0 maker booked",
            "Executed 1:2 4@100 left 6",
            "Booked 1:2 6@100 left 6 booked",
        ],
    );
}

#[test]
fn a_replacement_remembers_what_was_executed_before_it() {
    check(
        &[
            day(1, Buy, 10, 100),
            ioc(1, Sell, 4, 100),
            replace(1, 2, 12, 99),
            ioc(2, Sell, 3, 99),
            replace(2, 3, 7, 99),
            cancel(2, 0),
            cancel(3, 8),
            cancel(3, 6),
        ],
        &[
            "Replaced 1:2 8@99 left 8 booked",
            "Accepted 2:2 3@99 left 3",
            "Executed 1:2 3@99 left 5 maker booked",
            "Executed 2:2 3@99 left 0",
            "Rejected 1:3 7@99 left 0 InvalidQuantity",
            "Canceled 1:2 5@99 left 0 booked User",
            "CancelRejected 1:3 8@0 left 0 UnknownOrder",
            "CancelRejected 1:3 6@0 left 0 UnknownOrder",
        ],
    );
}

#[test]
fn a_cancel_to_a_total_counts_executed_units() {
    check(
        &[
            day(1, Buy, 10, 100),
            ioc(1, Sell, 4, 100),
            cancel(1, 10),
            cancel(1, 7),
            cancel(1, 4),
        ],
        &[
            "Noted 1:1 10@0 left 0",
            "Reduced 1:1 3@100 left 3 booked User",
            "Canceled 1:1 3@100 left 0 booked User",
        ],
    );
}

#[test]
fn an_exact_fill_leaves_no_order_of_zero_units() {
    check(
        &[
            day(1, Buy, 5, 100),
            ioc(1, Sell, 5, 100),
            ioc(2, Sell, 5, 100),
            cancel(1, 0),
        ],
        &[
            "Executed 1:1 5@100 left 0 maker booked",
            "Executed 2:1 5@100 left 0",
            "Accepted 2:2 5@100 left 5",
            "Canceled 2:2 5@100 left 0 ImmediateOrCancel",
            "CancelRejected 1:1 0@0 left 0 UnknownOrder",
        ],
    );
}

#[test]
fn an_attribute_that_is_not_offered_is_refused() {
    check(
        &[
            Command {
                session: 1,
                letters: [1, 0, 0, 0],
                ..of(CommandKind::Extra)
            },
            other(1, Buy, 1, 100),
            cancel(7, 0),
            day(1, Buy, 1, 100),
            day(1, Buy, 1, 100),
        ],
        &[
            "Noted 1:0 0@0 left 0",
            "Accepted 2:1 1@100 left 1 booked",
            "CancelRejected 1:7 0@0 left 0 UnknownOrder",
            "Rejected 1:1 1@100 left 0 Unsupported",
            "Accepted 1:1 1@100 left 1 booked",
        ],
    );
}

#[test]
fn a_reference_and_an_order_number_are_never_used_again() {
    let mut rig = Rig::open(ROOMY);
    let numbers = [
        (day(5, Buy, 1, 100), "Accepted 1:5 1@100 left 1 booked", 1),
        (
            day(5, Buy, 1, 100),
            "Rejected 1:5 1@100 left 0 DuplicateUserRef",
            0,
        ),
        (cancel(5, 0), "Canceled 1:5 1@100 left 0 booked User", 1),
        (
            day(5, Buy, 1, 100),
            "Rejected 1:5 1@100 left 0 DuplicateUserRef",
            0,
        ),
        (
            day(4, Buy, 1, 100),
            "Rejected 1:4 1@100 left 0 DuplicateUserRef",
            0,
        ),
        (
            day(9, Buy, 0, 100),
            "Rejected 1:9 0@100 left 0 InvalidQuantity",
            0,
        ),
        (day(6, Buy, 1, 100), "Accepted 1:6 1@100 left 1 booked", 2),
        (
            replace(6, 6, 1, 100),
            "Rejected 1:6 1@100 left 0 DuplicateUserRef",
            0,
        ),
        (replace(6, 7, 1, 100), "Replaced 1:7 1@100 left 1 booked", 3),
        (
            replace(6, 8, 1, 100),
            "Rejected 1:8 1@100 left 0 UnknownOrder",
            0,
        ),
        (other(5, Buy, 1, 100), "Accepted 2:5 1@100 left 1 booked", 4),
    ];
    for (command, answer, order_ref) in numbers {
        let events = rig.apply(command);
        assert_eq!(
            (say(&events[0]).as_str(), events[0].order_ref),
            (answer, order_ref)
        );
    }
    let events = rig.apply(ioc(6, Sell, 2, 100));
    assert_eq!(
        events.iter().map(|event| event.related).collect::<Vec<_>>(),
        [0, 1, 1, 2, 2]
    );
    assert_eq!(
        events
            .iter()
            .map(|event| event.order_ref)
            .collect::<Vec<_>>(),
        [5, 3, 5, 4, 5]
    );
}
