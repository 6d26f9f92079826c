//! Auctions: their price by tables, their trades and what they leave, by hand.

mod desk;

use desk::Desk;
use flow::naive::increments::{self, STATES};

const OFFERED: u16 = increments::first(4) | STATES;

/// What an auction of such orders would do: units at the price, the imbalance and its side.
fn indication(reference: i64, orders: &[&str]) -> String {
    let mut desk = Desk::new(OFFERED, 0);
    desk.answer(&format!("SetState symbol=1 flags=2 price={reference}"));
    for (order, user_ref) in orders.iter().zip(1..) {
        let answer = desk.answer(&format!("1/{user_ref} {order}"));
        assert!(
            answer.starts_with("Accepted(") && answer.contains(" B"),
            "{answer}"
        );
    }
    let answer = desk.answer("Indicate symbol=1");
    let uncrossed = desk.answer("SetState symbol=1 flags=3");
    let told = answer
        .strip_prefix("Indicative(0/0 ")
        .expect("an indication");
    assert!(
        uncrossed.starts_with(&format!("Uncrossed(0/0 {told}")),
        "{uncrossed}"
    );
    // As many units trade as it says.
    let traded = uncrossed.split(' ').zip(uncrossed.split(' ').skip(1));
    let traded = traded.filter(|(word, _)| word.starts_with("Executed(1/"));
    let units = traded.map(|(_, at)| at.split('@').next().and_then(|units| units.parse().ok()));
    let sum: u64 = units.map(|units: Option<u64>| units.expect("units")).sum();
    let volume = told.split('@').next().and_then(|units| units.parse().ok());
    assert_eq!(volume, Some(sum / 2), "{uncrossed}");
    told.to_owned()
}

#[test]
fn the_price_is_that_of_most_units_then_of_the_least_imbalance() {
    let cases: [(&[&str], &str); 8] = [
        // 4 at 100, 10 at 102.
        (&["B 10@102", "S 4@100", "S 6@102"], "10@102 0)B"),
        // 10 at 100, 12 at 101, 10 at 102.
        (
            &["B 10@102", "B 2@101", "S 10@100", "S 9@101"],
            "12@101 7)S",
        ),
        // 10 at all three; the imbalance is 5, 5, 0.
        (&["B 10@102", "B 5@101", "S 10@100"], "10@102 0)B"),
        // 10 at all three; the imbalance is 0, 5, 5.
        (&["B 10@102", "S 10@100", "S 5@101"], "10@100 0)B"),
        // Held back and hidden units count.
        (
            &["B 10@101 show=1", "B 4@100", "S 14@100 hide"],
            "14@100 0)B",
        ),
        // 14 at 99 (of 20 and 14), 15 at 100 (of 20 and 15).
        (&["B 20@100", "S 14@99", "S 1@100"], "15@100 5)B"),
        (&["B 10@99", "S 10@100"], "0@0 0)B"),
        (&["B 10@99"], "0@0 0)B"),
    ];
    for (orders, expected) in cases {
        assert_eq!(indication(0, orders), expected, "{orders:?}");
    }
}

#[test]
fn of_prices_with_more_demand_the_highest_and_with_more_supply_the_lowest() {
    let cases: [(i64, &[&str], &str); 5] = [
        (0, &["B 20@102", "S 10@100"], "10@102 10)B"),
        (0, &["B 10@102", "S 20@100"], "10@100 10)S"),
        // The reference is another price, but does not decide.
        (101, &["B 20@102", "S 10@100"], "10@102 10)B"),
        (101, &["B 10@102", "S 20@100"], "10@100 10)S"),
        (50, &["B 20@102", "B 1@99", "S 10@100"], "10@102 10)B"),
    ];
    for (reference, orders, expected) in cases {
        assert_eq!(
            indication(reference, orders),
            expected,
            "{reference} {orders:?}"
        );
    }
}

#[test]
fn else_the_nearest_to_the_reference_and_without_one_the_lowest() {
    let even: &[&str] = &["B 10@104", "S 10@100"];
    // More demand by 5 at 100, more supply by 5 at 101.
    let odd: &[&str] = &["B 10@101", "B 5@100", "S 10@100", "S 5@101"];
    let cases: [(i64, &[&str], &str); 11] = [
        (0, even, "10@100 0)B"),
        (99, even, "10@100 0)B"),
        (100, even, "10@100 0)B"),
        (101, even, "10@101 0)B"),
        (103, even, "10@103 0)B"),
        (104, even, "10@104 0)B"),
        (900, even, "10@104 0)B"),
        (0, odd, "10@100 5)B"),
        (90, odd, "10@100 5)B"),
        (101, odd, "10@101 5)S"),
        (105, odd, "10@101 5)S"),
    ];
    for (reference, orders, expected) in cases {
        assert_eq!(
            indication(reference, orders),
            expected,
            "{reference} {orders:?}"
        );
    }
}

#[test]
fn market_orders_accept_every_price_but_are_none() {
    let cases: [(i64, &[&str], &str); 6] = [
        (0, &["B 10@any", "S 10@any"], "0@0 0)B"),
        (77, &["B 10@any", "S 10@any"], "10@77 0)B"),
        (77, &["B 12@any", "S 10@any"], "10@77 2)B"),
        (0, &["B 10@any", "S 10@100"], "10@100 0)B"),
        // 12 at 99, 100, 103: demand is 16, 16, 12, supply 12.
        (
            0,
            &["B 12@any", "B 4@100", "S 6@any", "S 6@99", "B 1@90"],
            "12@100 4)B",
        ),
        (
            103,
            &["B 12@any", "B 4@100", "S 6@any", "S 6@99"],
            "12@103 0)B",
        ),
    ];
    for (reference, orders, expected) in cases {
        assert_eq!(
            indication(reference, orders),
            expected,
            "{reference} {orders:?}"
        );
    }
}

#[test]
fn the_last_price_is_the_reference_ahead_of_the_reference_price() {
    let mut desk = Desk::new(OFFERED, 0);
    for command in [
        "1/1 B 1@102",
        "2/1 S 1@102",
        "SetState symbol=1 flags=5 price=101",
    ] {
        desk.answer(command);
    }
    for order in ["1/2 B 10@104", "2/2 S 10@100"] {
        desk.answer(order);
    }
    assert_eq!(
        desk.answer("Indicate symbol=1"),
        "Indicative(0/0 10@102 0)B"
    );
    desk.answer("SetState symbol=1 flags=3 price=104");
    desk.answer("SetState symbol=1 flags=1");
    // Now 102 is both.
    desk.answer("1/3 B 10@104");
    desk.answer("2/3 S 10@101");
    assert_eq!(
        desk.answer("Indicate symbol=1"),
        "Indicative(0/0 10@102 0)B"
    );
}

fn check(lines: &[(&str, &str)]) {
    let mut desk = Desk::new(OFFERED, 4);
    desk.check(lines);
}

#[test]
fn an_uncross_trades_market_orders_first_and_refreshes_icebergs_of_both_sides() {
    check(&[
        ("SetState symbol=1 flags=2", "StateChanged(0/0 2@0 3)"),
        ("1/1 B 10@101 show=4", "Accepted(1/1 4@101 10 B)"),
        ("1/2 B 3@101 hide", "Accepted(1/2 3@101 3 BH)"),
        ("2/1 S 9@100", "Accepted(2/1 9@100 9 B)"),
        ("2/2 S 6@any", "Accepted(2/2 6@any 6 B)"),
        // 13 of 13 and 15 at both prices: more supply.
        (
            "SetState symbol=1 flags=3",
            "Uncrossed(0/0 13@100 2)S \
             Executed(1/1 4@100 6 MBA) Executed(2/2 4@100 2 MBA) Refreshed(1/1 4@101 6 B)5<1 \
             Executed(1/2 2@100 1 MBHA) Executed(2/2 2@100 0 MBA) \
             Executed(1/2 1@100 0 MBHA) Executed(2/1 1@100 8 MBA) \
             Executed(1/1 4@100 2 MBA) Executed(2/1 4@100 4 MBA) Refreshed(1/1 2@101 2 B)6<5 \
             Executed(1/1 2@100 0 MBA) Executed(2/1 2@100 2 MBA) \
             StateChanged(0/0 3@100 2)",
        ),
        // Orders of one account trade in an auction, two icebergs refresh, the buy first.
        (
            "SetState symbol=1 flags=6 price=90",
            "StateChanged(0/0 6@90 3)",
        ),
        ("2/1 X0", "Canceled:User(2/1 2@100 0 B)"),
        ("3/1 S 6@100 show=3", "Accepted(3/1 3@100 6 B)"),
        ("1/3 B 5@100 show=3", "Accepted(1/3 3@100 5 B)"),
        (
            "SetState symbol=1 flags=3",
            "Uncrossed(0/0 5@100 1)S \
             Executed(1/3 3@100 2 MBA) Executed(3/1 3@100 3 MBA) \
             Refreshed(1/3 2@100 2 B)9<8 Refreshed(3/1 3@100 3 B)10<7 \
             Executed(1/3 2@100 0 MBA) Executed(3/1 2@100 1 MBA) \
             StateChanged(0/0 3@100 6)",
        ),
        (
            "2/3 B 1@100",
            "Accepted(2/3 1@100 1) Executed(3/1 1@100 0 MB) Executed(2/3 1@100 0)",
        ),
    ]);
}

#[test]
fn orders_for_an_auction_leave_behind_it() {
    check(&[
        ("1/1 B 5@100 open", "Rejected:NotInState(1/1 5@100 0)"),
        ("1/1 B 5@99 close", "Accepted(1/1 5@99 5 P)"),
        ("SetState symbol=1 flags=1", "StateChanged(0/0 1@0 3)"),
        ("1/2 B 5@100 open", "Accepted(1/2 5@100 5 B)"),
        ("2/1 S 4@any", "Accepted(2/1 4@any 4 B)"),
        ("2/2 S 6@101 open", "Accepted(2/2 6@101 6 B)"),
        ("1/3 B 7@98", "Accepted(1/3 7@98 7 B)"),
        ("2/3 S 2@102 close hide", "Accepted(2/3 2@102 2 HP)"),
        // Market and at-the-open orders leave; those at the close wait.
        (
            "SetState symbol=1 flags=3",
            "Uncrossed(0/0 4@100 1)B \
             Executed(1/2 4@100 1 MBA) Executed(2/1 4@100 0 MBA) \
             Canceled:AuctionOver(1/2 1@100 0 B) Canceled:AuctionOver(2/2 6@101 0 B) \
             StateChanged(0/0 3@100 1)",
        ),
        ("2/4 S 1@99", "Accepted(2/4 1@99 1 B)"),
        ("1/1 X3", "Reduced:User(1/1 2@99 3 P)0"),
        ("1/4 R1 4@any close", "Replaced(1/4 4@any 4 OP)8<1"),
        // They come to rest in the order of their numbers.
        (
            "SetState symbol=1 flags=7",
            "StateChanged(0/0 7@100 3) Triggered(2/3 2@102 2 BH)9<6 Triggered(1/4 4@any 4 B)10<8",
        ),
        ("1/5 B 1@103 close", "Accepted(1/5 1@103 1 B)"),
        ("1/6 B 5@103 open", "Rejected:NotInState(1/6 5@103 0)"),
        // 5 of 5 and 3 at 102 and 103, 5 and 1 at 99 to 100: the highest of the first two.
        (
            "SetState symbol=1 flags=3",
            "Uncrossed(0/0 3@103 2)B \
             Executed(1/4 1@103 3 MBA) Executed(2/4 1@103 0 MBA) \
             Executed(1/4 2@103 1 MBA) Executed(2/3 2@103 0 MBHA) \
             Canceled:AuctionOver(1/4 1@any 0 B) Canceled:AuctionOver(1/5 1@103 0 B) \
             StateChanged(0/0 3@103 7)",
        ),
    ]);
}

#[test]
fn a_symbol_that_closes_uncrosses_its_closing_auction_and_keeps_nothing() {
    check(&[
        ("2/1 S 3@100", "Accepted(2/1 3@100 3 B)"),
        ("1/1 B 2@100 close", "Accepted(1/1 2@100 2 P)"),
        ("1/2 B 1@90 close sym=2", "Accepted(1/2 1@90 1 P)"),
        ("1/3 B 1@95", "Accepted(1/3 1@95 1 B)"),
        (
            "SetState symbol=1 flags=7",
            "StateChanged(0/0 7@0 3) Triggered(1/1 2@100 2 B)5<2",
        ),
        (
            "SetState symbol=1 flags=8",
            "Uncrossed(0/0 2@100 1)S Executed(1/1 2@100 0 MBA) Executed(2/1 2@100 1 MBA) \
             Canceled:DayClosed(1/3 1@95 0 B) Canceled:DayClosed(2/1 1@100 0 B) \
             StateChanged(0/0 8@100 7)",
        ),
        ("1/4 B 1@95", "Rejected:Halted(1/4 1@95 0)"),
        ("SetState symbol=1 flags=3", "Refused:NotOpen(0/0 0@0 0)"),
        (
            "SetState symbol=1 flags=9",
            "Refused:InvalidField(0/0 0@0 0)",
        ),
        // From any other state it just closes; parked orders leave last.
        ("2/2 S 3@100 sym=2", "Accepted(2/2 3@100 3 B)"),
        ("2/3 B 3@90 sym=2", "Accepted(2/3 3@90 3 B)"),
        (
            "SetState symbol=2 flags=8 price=55",
            "Canceled:DayClosed(2/3 3@90 0 B) Canceled:DayClosed(2/2 3@100 0 B) \
             Canceled:DayClosed(1/2 1@90 0 P) StateChanged(0/0 8@55 3)",
        ),
    ]);
}

#[test]
fn an_auction_of_nobody_leaves_prices_as_they_are() {
    check(&[
        ("1/1 B 1@100", "Accepted(1/1 1@100 1 B)"),
        (
            "2/1 S 1@100",
            "Accepted(2/1 1@100 1) Executed(1/1 1@100 0 MB) Executed(2/1 1@100 0)",
        ),
        (
            "SetState symbol=1 flags=2 price=90",
            "StateChanged(0/0 2@90 3)",
        ),
        ("1/2 B 1@any", "Accepted(1/2 1@any 1 B)"),
        ("1/3 B 1@95", "Accepted(1/3 1@95 1 B)"),
        (
            "SetState symbol=1 flags=3",
            "Uncrossed(0/0 0@0 0)B Canceled:AuctionOver(1/2 1@any 0 B) StateChanged(0/0 3@90 2)",
        ),
        ("SetState symbol=1 flags=3", "StateChanged(0/0 3@90 3)"),
    ]);
}

#[test]
fn closing_auctions_that_go_on_elsewhere_keep_their_orders() {
    check(&[
        ("SetState symbol=1 flags=7", "StateChanged(0/0 7@0 3)"),
        ("1/1 B 1@95 close", "Accepted(1/1 1@95 1 B)"),
        ("SetState symbol=1 flags=4", "StateChanged(0/0 4@0 7)"),
        (
            "SetState symbol=1 flags=3",
            "Uncrossed(0/0 0@0 0)B StateChanged(0/0 3@0 4)",
        ),
        (
            "2/1 S 1@95",
            "Accepted(2/1 1@95 1) Executed(1/1 1@95 0 MB) Executed(2/1 1@95 0)",
        ),
    ]);
}
