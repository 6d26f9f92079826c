//! Limits of accounts: at, below and above each of them.

mod desk;

use desk::Desk;
use flow::naive::increments::{self, RISK};

const OFFERED: u16 = increments::first(4) | RISK;

/// Account 1 is that of sessions 1 and 3.
fn check(first: &[&str], lines: &[(&str, &str)]) {
    let mut desk = Desk::with(OFFERED, 0, first);
    for (command, answer) in lines {
        let found = desk.answer(command);
        let is_it = match *answer {
            "ok" => found.starts_with("Accepted(") || found.starts_with("Replaced("),
            answer => found.starts_with(&format!("Rejected:{answer}(")),
        };
        assert!(is_it || found == *answer, "{first:?} {command}: {found}");
    }
}

#[test]
fn units_and_value_of_an_order() {
    check(
        &["SetLimit user_ref=1 flags=1 price=10"],
        &[
            ("1/1 B 9@50", "ok"),
            ("1/2 B 10@50", "ok"),
            ("1/3 B 11@50", "MaxQuantity"),
            ("3/1 S 11@any ioc", "MaxQuantity"),
            ("2/1 B 11@50", "ok"),
        ],
    );
    check(
        &["SetLimit user_ref=1 flags=2 price=1000"],
        &[
            ("1/1 B 9@111", "ok"),
            ("1/2 B 10@100", "ok"),
            ("1/3 B 7@143", "MaxNotional"),
            // There is no last price yet.
            ("1/3 S 500@any min=500", "ok"),
            ("2/1 S 1@111", "ok"),
            ("1/4 B 9@any", "ok"),
            ("1/5 B 10@any", "MaxNotional"),
        ],
    );
}

#[test]
fn executed_units_of_a_replaced_order_are_no_units_of_the_new_one() {
    check(
        &["SetLimit user_ref=1 flags=1 price=10"],
        &[
            ("1/1 B 10@50", "ok"),
            ("2/1 S 4@50", "ok"),
            ("1/2 R1 15@50", "MaxQuantity"),
            ("1/2 R1 14@50", "ok"),
        ],
    );
}

#[test]
fn the_distance_beyond_the_last_price() {
    check(
        &["SetLimit user_ref=1 flags=3 price=100"],
        &[
            // Nothing is far from nothing.
            ("1/1 B 1@9000", "ok"),
            ("2/1 S 1@9000", "ok"),
            // One in a hundred is 90.
            ("1/2 B 1@9090", "ok"),
            ("1/3 B 1@9091", "FatFinger"),
            ("1/3 B 1@1", "ok"),
            ("1/4 X0", "CancelRejected:UnknownOrder(1/4 0@0 0)"),
            ("1/4 S 1@9089", "ok"),
            ("3/1 S 1@8998", "FatFinger"),
            // The last trade was at 9090.
            ("3/1 S 1@8999", "FatFinger"),
            ("3/1 S 1@9000", "ok"),
            ("3/2 S 1@1999999999", "ok"),
            ("3/3 S 1@any", "ok"),
        ],
    );
}

#[test]
fn live_orders() {
    check(
        &["SetLimit user_ref=1 flags=4 price=2"],
        &[
            ("1/1 B 5@50", "ok"),
            ("3/1 B 5@51", "ok"),
            ("1/2 B 5@50", "MaxOpenOrders"),
            ("1/2 B 5@50 ioc", "MaxOpenOrders"),
            ("2/1 B 5@50", "ok"),
            ("2/2 B 5@50", "ok"),
            ("2/3 B 5@50", "ok"),
            // The replaced one does not count.
            ("1/2 R1 5@50", "ok"),
            ("2/4 S 5@51", "ok"),
            ("1/3 B 5@50", "ok"),
            (
                "SetLimit user_ref=1 flags=4 price=1",
                "Configured(0/1 0@1 0)",
            ),
            ("1/4 R3 4@50", "MaxOpenOrders"),
            ("SetLimit user_ref=1 flags=4", "Configured(0/1 0@0 0)"),
            ("1/4 B 4@50", "ok"),
        ],
    );
}

#[test]
fn the_position_of_a_symbol_with_open_orders() {
    check(
        &["SetLimit user_ref=1 flags=5 price=100"],
        &[
            ("1/1 B 60@50", "ok"),
            ("3/1 B 41@50", "MaxPosition"),
            ("3/1 B 40@50", "ok"),
            // Other symbols and the other side are apart.
            ("3/2 B 100@50 sym=2", "ok"),
            ("1/2 S 101@60", "MaxPosition"),
            ("1/2 S 100@60", "ok"),
            // Bought 60: 60 + 40 are full; 100 - 60 sold at most, and 60 more.
            ("2/1 S 60@50", "ok"),
            ("1/3 B 1@50", "MaxPosition"),
            ("1/3 S 61@60", "MaxPosition"),
            ("1/3 S 60@60", "ok"),
            // As if the replaced 40 were gone.
            ("3/3 R1 41@50", "MaxPosition"),
            ("3/3 R1 39@50", "ok"),
            ("1/4 B 1@50", "ok"),
            // Sold 10 to another account: 50 + 39 + 1 bought, 10 more.
            ("2/2 B 10@60", "ok"),
            ("1/5 B 11@50", "MaxPosition"),
            ("1/5 B 10@50", "ok"),
        ],
    );
}

#[test]
fn gross_credit_counts_both_sides_and_net_credit_the_difference() {
    check(
        &["SetLimit user_ref=1 flags=6 price=1000"],
        &[
            ("1/1 B 5@100", "ok"),
            ("3/1 S 4@125", "ok"),
            ("1/2 B 1@1", "GrossCredit"),
            ("1/2 R1 6@100", "GrossCredit"),
            ("1/2 R1 4@100", "ok"),
            ("1/3 B 1@101", "GrossCredit"),
            ("1/3 B 1@100", "ok"),
            // A trade counts as its orders did, and when they are gone, too.
            ("2/1 S 5@100", "ok"),
            ("1/4 B 1@1", "GrossCredit"),
            ("3/1 X0", "Canceled:User(3/1 4@125 0 B)"),
            ("1/4 B 5@101 sym=2", "InvalidPrice"),
            ("1/4 B 5@105 sym=2", "GrossCredit"),
            ("1/4 B 5@100 sym=2", "ok"),
        ],
    );
    check(
        &["SetLimit user_ref=1 flags=7 price=1000"],
        &[
            ("1/1 B 5@100", "ok"),
            ("3/1 S 8@125", "ok"),
            ("1/2 S 1@200", "NetCredit"),
            ("1/2 B 5@100", "ok"),
            ("1/3 B 1@1", "NetCredit"),
            // Sold for 1,000: as much more may be bought, and nothing sold.
            ("2/1 B 8@125", "ok"),
            ("1/3 B 10@100", "ok"),
            ("1/4 B 1@1", "NetCredit"),
            ("1/4 S 1@200", "NetCredit"),
            // Bought for 400 of it: nothing more to buy, 400 to sell.
            ("2/2 S 4@100", "ok"),
            ("1/4 B 1@1", "NetCredit"),
            ("1/4 S 3@134", "NetCredit"),
            ("1/4 S 2@200", "ok"),
        ],
    );
}

#[test]
fn a_market_order_counts_with_the_last_price() {
    check(
        &["SetLimit user_ref=1 flags=6 price=1000"],
        &[
            ("1/1 B 100@any", "ok"),
            ("2/1 S 1@100", "ok"),
            ("2/2 B 1@100", "ok"),
            ("1/2 B 11@any", "GrossCredit"),
            ("1/2 B 10@any", "ok"),
        ],
    );
}

#[test]
fn orders_a_second_with_so_many_at_once() {
    // One in 250,000,000 ns, three at once.
    check(
        &["SetLimit user_ref=1 flags=8 price=4 quantity=3"],
        &[
            ("- at=1000000000", "Noted(0/0 0@0 0)"),
            ("1/1 B 1@50", "ok"),
            ("3/1 B 1@50", "ok"),
            ("1/2 B 1@50", "ok"),
            ("1/3 B 1@50", "RateLimit"),
            ("2/1 B 1@50", "ok"),
            ("- at=1249999999", "Noted(0/0 0@0 0)"),
            ("1/3 B 1@50", "RateLimit"),
            ("- at=1250000000", "Noted(0/0 0@0 0)"),
            ("1/3 B 1@50", "ok"),
            ("1/4 R3 1@51", "RateLimit"),
            // Turns do not pile up beyond three.
            ("- at=9000000000", "Noted(0/0 0@0 0)"),
            ("1/4 R3 1@51", "ok"),
            ("1/5 B 1@50", "ok"),
            ("1/6 B 1@50", "ok"),
            ("1/7 B 1@50", "RateLimit"),
            // What fails ahead of it takes no turn, what fails behind it does.
            (
                "SetLimit user_ref=1 flags=1 price=10",
                "Configured(0/1 0@10 0)",
            ),
            ("- at=9250000000", "Noted(0/0 0@0 0)"),
            ("1/7 B 0@50", "InvalidQuantity"),
            ("1/7 B 11@50", "MaxQuantity"),
            ("1/7 B 1@50", "RateLimit"),
            // A new rate counts from the same time: the next turn is at 10 s, three at once are
            // 0.5 s of the new one ahead.
            (
                "SetLimit user_ref=1 flags=8 price=8 quantity=5",
                "Configured(0/1 5@8 0)",
            ),
            ("- at=9499999999", "Noted(0/0 0@0 0)"),
            ("1/7 B 1@50", "RateLimit"),
            ("- at=9500000000", "Noted(0/0 0@0 0)"),
            ("1/7 B 1@50", "ok"),
            ("SetLimit user_ref=1 flags=8", "Configured(0/1 0@0 0)"),
            ("1/8 B 1@50", "ok"),
        ],
    );
    // Faster than the clock can tell.
    check(
        &["SetLimit user_ref=1 flags=8 price=1000000001 quantity=1"],
        &[("1/1 B 1@50", "ok"), ("1/2 B 1@50", "ok")],
    );
}

#[test]
fn a_restricted_symbol() {
    check(
        &["SetLimit user_ref=1 flags=9 symbol=2 price=1"],
        &[
            ("1/1 B 1@50", "ok"),
            ("3/1 B 1@50 sym=2", "Restricted"),
            ("2/1 B 1@50 sym=2", "ok"),
            (
                "SetLimit user_ref=1 flags=9 symbol=2",
                "Configured(0/1 0@0 0)",
            ),
            ("3/1 B 1@50 sym=2", "ok"),
            (
                "SetLimit user_ref=1 flags=9 symbol=2 price=1",
                "Configured(0/1 0@1 0)",
            ),
            ("3/2 R1 2@50", "Restricted"),
            ("3/1 X0", "Canceled:User(3/1 1@50 0 B)"),
        ],
    );
}

#[test]
fn the_reason_is_that_of_the_first_limit() {
    let limits = [
        ("flags=7 price=100", "NetCredit"),
        ("flags=6 price=100", "GrossCredit"),
        ("flags=5 price=4", "MaxPosition"),
        ("flags=4 price=1", "MaxOpenOrders"),
        ("flags=3 price=1", "FatFinger"),
        ("flags=2 price=100", "MaxNotional"),
        ("flags=1 price=4", "MaxQuantity"),
        ("flags=8 price=1 quantity=1", "RateLimit"),
        ("flags=9 symbol=1 price=1", "Restricted"),
    ];
    let mut desk = Desk::with(OFFERED, 0, &["SetLimit user_ref=1"]);
    for order in ["1/1 B 1@50", "2/1 B 1@80", "2/2 S 1@80"] {
        assert!(desk.answer(order).starts_with("Accepted"));
    }
    for (limit, reason) in limits {
        desk.answer(&format!("SetLimit user_ref=1 {limit}"));
        if reason == "RateLimit" {
            // It takes the only turn.
            assert!(
                desk.answer("1/2 B 5@90")
                    .starts_with("Rejected:MaxQuantity")
            );
        }
        let answer = desk.answer("1/2 B 5@90");
        assert!(
            answer.starts_with(&format!("Rejected:{reason}(")),
            "{limit}: {answer}"
        );
    }
    // They come behind those of the order.
    assert!(
        desk.answer("1/2 B 5@80 post")
            .starts_with("Rejected:Restricted")
    );
    desk.answer("2/3 S 5@90");
    assert!(
        desk.answer("1/2 B 5@90 post")
            .starts_with("Rejected:WouldTrade")
    );
}

#[test]
fn accounts_are_kept_from_the_first_limit_on_which_must_come_before_the_day() {
    let limit = "SetLimit user_ref=1 flags=1 price=10";
    for (first, answer) in [
        ("Time", "Refused:NotOpen(0/1 0@10 0)"),
        ("SetLimit user_ref=9", "Refused:NotOpen(0/1 0@10 0)"),
        ("SetLimit user_ref=2", "Configured(0/1 0@10 0)"),
    ] {
        let mut desk = Desk::with(OFFERED, 0, &[first]);
        assert_eq!(desk.answer(limit), answer, "{first}");
        let is_kept = answer.starts_with("Configured");
        let rejected = desk
            .answer("1/1 B 11@50")
            .starts_with("Rejected:MaxQuantity");
        assert_eq!(rejected, is_kept);
    }
}

#[test]
fn a_limit_that_makes_no_sense_is_refused() {
    for (limit, answer) in [
        ("user_ref=9 flags=77 price=-1", "Refused:UnknownSession"),
        ("user_ref=0 flags=1 price=10", "Refused:UnknownSession"),
        ("user_ref=1 flags=10 price=10", "Refused:InvalidField"),
        ("user_ref=1 flags=1 price=-1", "Refused:InvalidField"),
        ("user_ref=1 price=-1", "Refused:InvalidField"),
        ("user_ref=1 flags=8 price=1", "Refused:InvalidField"),
        ("user_ref=1 flags=8", "Configured"),
        (
            "user_ref=1 flags=9 symbol=1 price=2",
            "Refused:InvalidField",
        ),
        (
            "user_ref=1 flags=9 symbol=9 price=2",
            "Refused:InvalidField",
        ),
        (
            "user_ref=1 flags=9 symbol=9 price=1",
            "Refused:UnknownSymbol",
        ),
        ("user_ref=1 flags=9 symbol=9", "Refused:UnknownSymbol"),
        ("user_ref=1 flags=1 symbol=9 price=1", "Configured"),
        ("user_ref=1 price=5", "Configured"),
    ] {
        let mut desk = Desk::with(OFFERED, 0, &["SetLimit user_ref=2"]);
        let found = desk.answer(&format!("SetLimit {limit}"));
        assert!(found.starts_with(&format!("{answer}(")), "{limit}: {found}");
        let unknown = Desk::new(increments::first(4), 0).answer(&format!("SetLimit {limit}"));
        assert!(unknown.starts_with("Refused:InvalidField("), "{unknown}");
    }
}
