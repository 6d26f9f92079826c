//! The rules of `docs/matching.md` for pegs, by cases written by hand.

mod desk;

use desk::{Desk, check};
use flow::naive::KNOWN;
use wire::ring::PRICE_MAX;

/// The price that a new order gets with a bid and an ask shown; 0 for none.
fn price(bid: i64, ask: i64, text: &str) -> i64 {
    let mut desk = Desk::new(KNOWN, 0);
    let symbol = if text.contains("sym=2") { 2 } else { 1 };
    for (quote, price) in [("2/1 B", bid), ("2/2 S", ask)] {
        if price != 0 {
            let answer = desk.answer(&format!("{quote} 5@{price} sym={symbol}"));
            assert!(answer.ends_with("B)"), "{answer}");
        }
    }
    let answer = desk.answer(text);
    assert!(answer.contains('H'), "{answer}");
    let at = answer
        .split('@')
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let price = at.and_then(|price| price.parse().ok()).expect("a price");
    assert_eq!(answer.ends_with("HP)"), price == 0, "{answer}");
    price
}

#[test]
fn prices_follow_the_table() {
    // A buy and a sell of each row, with bid, ask, and a price or 0 for none.
    for (bid, ask, text, expected) in [
        (100, 110, "1/1 B 1@any primary=0", 100),
        (100, 110, "1/1 B 1@any primary=3", 103),
        (100, 110, "1/1 B 1@any primary=-3", 97),
        (100, 110, "1/1 B 1@any primary=10", 109),
        (100, 110, "1/1 B 1@any primary=99", 109),
        (100, 0, "1/1 B 1@any primary=99", 199),
        (0, 110, "1/1 B 1@any primary=1", 0),
        (100, 110, "1/1 B 1@any primary=-100", 0),
        (100, 110, "1/1 S 1@any primary=0", 110),
        (100, 110, "1/1 S 1@any primary=3", 107),
        (100, 110, "1/1 S 1@any primary=-3", 113),
        (100, 110, "1/1 S 1@any primary=10", 101),
        (0, 110, "1/1 S 1@any primary=99", 11),
        (100, 0, "1/1 S 1@any primary=1", 0),
        (0, 110, "1/1 S 1@any primary=110", 0),
        (100, 110, "1/1 B 1@any market=1", 109),
        (0, 110, "1/1 B 1@any market=40", 70),
        (100, 0, "1/1 B 1@any market=1", 0),
        (100, 110, "1/1 S 1@any market=1", 101),
        (100, 0, "1/1 S 1@any market=40", 140),
        (0, 110, "1/1 S 1@any market=1", 0),
        (100, 110, "1/1 B 1@any middle=0", 105),
        (100, 111, "1/1 B 1@any middle=0", 105),
        (100, 111, "1/1 B 1@any middle=2", 103),
        (100, 111, "1/1 S 1@any middle=0", 106),
        (100, 111, "1/1 S 1@any middle=2", 108),
        (100, 0, "1/1 B 1@any middle=0", 0),
        (0, 110, "1/1 S 1@any middle=0", 0),
        // Caps.
        (100, 110, "1/1 B 1@102 primary=3", 102),
        (100, 110, "1/1 B 1@103 primary=3", 103),
        (100, 110, "1/1 S 1@108 primary=3", 108),
        (100, 110, "1/1 B 1@104 middle=0", 104),
        (100, 110, "1/1 S 1@106 market=1", 106),
        // Ticks of 5: bounds, rounding, and midpoints that are not rounded.
        (100, 110, "1/1 B 1@any primary=9 sym=2", 105),
        (100, 120, "1/1 B 1@any primary=9 sym=2", 105),
        (100, 120, "1/1 B 1@any primary=-1 sym=2", 95),
        (100, 120, "1/1 S 1@any primary=9 sym=2", 115),
        (100, 120, "1/1 S 1@any primary=-1 sym=2", 125),
        (100, 120, "1/1 B 1@any market=1 sym=2", 115),
        (100, 120, "1/1 S 1@any market=1 sym=2", 105),
        (100, 115, "1/1 B 1@any middle=0 sym=2", 107),
        (100, 115, "1/1 S 1@any middle=0 sym=2", 108),
        (100, 115, "1/1 B 1@105 middle=1 sym=2", 105),
        (5, 0, "1/1 B 1@any primary=-4 sym=2", 0),
    ] {
        assert_eq!(price(bid, ask, text), expected, "{bid} {ask} {text}");
    }
    let highest = format!("1/1 S 1@any market={}", PRICE_MAX - 100);
    assert_eq!(price(100, 0, &highest), PRICE_MAX);
    let too_high = format!("1/1 S 1@any market={}", PRICE_MAX - 99);
    assert_eq!(price(100, 0, &too_high), 0);
}

#[test]
fn pegs_follow_are_capped_and_park() {
    check(
        0,
        &[
            ("2/1 B 5@100", "Accepted(2/1 5@100 5 B)"),
            ("2/2 S 5@110", "Accepted(2/2 5@110 5 B)"),
            ("1/1 B 3@any primary=1", "Accepted(1/1 3@101 3 BH)"),
            ("1/2 B 4@103 primary=2", "Accepted(1/2 4@102 4 BH)"),
            (
                "2/3 B 1@105",
                "Accepted(2/3 1@105 1 B) Repriced(1/1 3@106 3 BH)6<3 Repriced(1/2 4@103 4 BH)7<4",
            ),
            // At its cap it stays; the other one stops below the ask.
            (
                "2/4 B 1@109",
                "Accepted(2/4 1@109 1 B) Repriced(1/1 3@109 3 BH)9<6",
            ),
            (
                "2/2 X0",
                "Canceled:User(2/2 5@110 0 B) Repriced(1/1 3@110 3 BH)10<9",
            ),
            (
                "2/4 X0",
                "Canceled:User(2/4 1@109 0 B) Repriced(1/1 3@106 3 BH)11<10",
            ),
            (
                "2/3 X0",
                "Canceled:User(2/3 1@105 0 B) Repriced(1/2 4@102 4 BH)12<7 \
              Repriced(1/1 3@101 3 BH)13<11",
            ),
            ("1/1 X2", "Reduced:User(1/1 1@101 2 BH)0"),
            (
                "2/1 X0",
                "Canceled:User(2/1 5@100 0 B) Repriced(1/2 4@0 4 HP)14<12 \
                 Repriced(1/1 2@0 2 HP)15<13",
            ),
            ("1/1 X1", "Reduced:User(1/1 1@0 1 HP)0"),
            ("1/3 B 1@any middle=0", "Accepted(1/3 1@0 1 HP)"),
            (
                "2/5 B 1@50",
                "Accepted(2/5 1@50 1 B) Repriced(1/2 4@52 4 BH)18<14 Repriced(1/1 1@51 1 BH)19<15",
            ),
            ("1/3 X0", "Canceled:User(1/3 1@0 0 HP)"),
            (
                "1/4 R2 4@60",
                "Replaced(1/4 4@60 4 BO)20<18 Repriced(1/1 1@61 1 BH)21<19",
            ),
            // The order that a peg replaces is no reference for it.
            (
                "1/5 R4 4@any primary=0",
                "Replaced(1/5 4@50 4 BH)22<20 Repriced(1/1 1@51 1 BH)23<21",
            ),
            ("1/5 X0", "Canceled:User(1/5 4@50 0 BH)"),
        ],
    );
}

#[test]
fn only_shown_units_are_references() {
    check(
        0,
        &[
            ("2/1 B 5@100", "Accepted(2/1 5@100 5 B)"),
            ("1/1 B 3@any primary=0", "Accepted(1/1 3@100 3 BH)"),
            ("2/2 B 5@103 hide", "Accepted(2/2 5@103 5 BH)"),
            ("2/3 B 5@104 stop=200", "Accepted(2/3 5@104 5 P)"),
            ("2/4 B 5@105 aon", "Accepted(2/4 5@105 5 P)"),
            ("1/2 B 3@any primary=9", "Accepted(1/2 3@109 3 BH)"),
            (
                "2/5 B 9@102 show=1",
                "Accepted(2/5 1@102 9 B) Repriced(1/1 3@102 3 BH)8<2 Repriced(1/2 3@111 3 BH)9<6",
            ),
        ],
    );
}

#[test]
fn pegs_trade_as_they_arrive_and_others_follow() {
    check(
        0,
        &[
            ("2/1 B 5@100", "Accepted(2/1 5@100 5 B)"),
            ("2/2 S 5@110", "Accepted(2/2 5@110 5 B)"),
            // On entry with a hidden order, then the rest stands at the peg's price.
            ("2/3 S 1@104 hide", "Accepted(2/3 1@104 1 BH)"),
            (
                "1/1 B 2@any middle=0",
                "Accepted(1/1 2@105 2 H) Executed(2/3 1@104 0 MBH) Executed(1/1 1@104 1 H) \
                 Booked(1/1 1@105 1 BH)",
            ),
            ("1/2 B 1@any stop=105", "Accepted(1/2 1@any 1 P)"),
            ("2/4 S 3@any market=7", "Accepted(2/4 3@107 3 BH)"),
            // Both move; the first one trades, which elects a stop, which meets the second one.
            ("2/5 S 1@108 hide", "Accepted(2/5 1@108 1 BH)"),
            (
                "2/6 B 1@104",
                "Accepted(2/6 1@104 1 B) Repriced(1/1 1@107 1 H)9<4 \
                 Executed(2/4 1@107 2 MBH) Executed(1/1 1@107 0 H) \
                 Repriced(2/4 2@111 2 BH)10<6 Triggered(1/2 1@any 1)11<5 \
                 Executed(2/5 1@108 0 MBH) Executed(1/2 1@108 0)",
            ),
        ],
    );
}

#[test]
fn a_peg_that_was_met_before_its_turn_does_not_move() {
    check(
        0,
        &[
            ("2/1 B 5@100", "Accepted(2/1 5@100 5 B)"),
            ("2/2 S 5@110", "Accepted(2/2 5@110 5 B)"),
            ("1/1 B 1@any primary=2", "Accepted(1/1 1@102 1 BH)"),
            ("2/3 S 1@103 market=2", "Accepted(2/3 1@103 1 BH)"),
            (
                "1/2 B 1@any middle=2",
                "Accepted(1/2 1@103 1 H) Executed(2/3 1@103 0 MBH) \
              Executed(1/2 1@103 0 H)",
            ),
            ("2/4 S 1@103 market=2", "Accepted(2/4 1@103 1 BH)"),
            (
                "2/5 B 1@102",
                "Accepted(2/5 1@102 1 B) Repriced(1/1 1@104 1 H)8<3 \
                 Executed(2/4 1@103 0 MBH) Executed(1/1 1@103 0 H)",
            ),
        ],
    );
}

#[test]
fn a_peg_expires_and_meets_its_own_account() {
    let mut desk = Desk::new(KNOWN, 2);
    desk.check(&[
        ("2/1 B 5@100", "Accepted(2/1 5@100 5 B)"),
        ("2/2 S 5@110", "Accepted(2/2 5@110 5 B)"),
        ("3/1 S 5@105 hide", "Accepted(3/1 5@105 5 BH)"),
        (
            "1/1 B 2@any middle=0 exp=50",
            "Accepted(1/1 2@105 2 H) Canceled:SelfTrade(3/1 5@105 0 BH) Booked(1/1 2@105 2 BH)",
        ),
        (
            "2/2 X0",
            "Canceled:User(2/2 5@110 0 B) Repriced(1/1 2@0 2 HP)5<4",
        ),
        ("- at=50", "Canceled:Expired(1/1 2@0 0 HP) Noted(0/0 0@0 0)"),
        ("1/2 B 2@any primary=0 exp=60", "Accepted(1/2 2@100 2 BH)"),
        (
            "2/1 X0 at=60",
            "Canceled:Expired(1/2 2@100 0 BH) Canceled:User(2/1 5@100 0 B)",
        ),
    ]);
    assert_eq!(desk.naive.live_orders(), 0);
}
