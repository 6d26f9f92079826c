//! The rules of `docs/matching.md` for market-to-limit and all-or-none, by cases written by hand.

mod desk;

use desk::{Desk, begins, check};
use flow::naive::KNOWN;
use wire::ring::Reason;

#[test]
fn what_makes_no_sense_is_refused_in_the_documented_order() {
    use Reason::{Expired, InvalidField, InvalidQuantity, NoLiquidity};
    let cases = [
        ("1/1 B 5@100 limit show=6", InvalidQuantity),
        ("1/1 B 5@100 limit exp=50", InvalidField),
        ("1/1 B 5@any limit ioc exp=50", InvalidField),
        ("1/1 B 5@any limit post", InvalidField),
        ("1/1 B 5@any limit show=2 hide", InvalidField),
        ("1/1 B 5@any limit exp=50", Expired),
        ("1/1 S 5@any limit exp=101", NoLiquidity),
        ("1/1 S 5@any limit aon", NoLiquidity),
        ("1/1 B 5@99 aon post", InvalidField),
        ("1/1 B 5@99 aon show=6", InvalidQuantity),
        ("1/1 B 5@99 aon show=5", InvalidField),
        ("1/1 B 5@99 aon min=1", InvalidField),
        ("1/1 B 5@99 aon ioc min=5", InvalidField),
        ("1/1 B 5@any aon exp=101", InvalidField),
        ("1/1 B 5@99 aon exp=50", Expired),
        ("1/1 B 5@99 aon hide exp=101", Reason::None),
        ("1/1 B 5@any limit min=5 show=2 exp=101", Reason::None),
        ("1/1 B 5@any limit hide", Reason::None),
    ];
    for (text, reason) in cases {
        let mut desk = Desk::new(KNOWN, 0);
        desk.answer("2/1 S 10@100");
        desk.answer("- at=100");
        let answer = desk.answer(text);
        assert!(answer.starts_with(&begins(reason)), "{text}: {answer}");
    }
}

#[test]
fn a_market_order_takes_the_best_price_as_its_limit() {
    check(
        0,
        &[
            ("1/1 B 5@any limit", "Rejected:NoLiquidity(1/1 5@any 0)"),
            ("2/1 S 3@100 hide", "Accepted(2/1 3@100 3 BH)"),
            ("2/2 S 3@101", "Accepted(2/2 3@101 3 B)"),
            (
                "1/1 B 5@any limit show=1",
                "Accepted(1/1 1@100 5) Executed(2/1 3@100 0 MBH) Executed(1/1 3@100 2) \
                 Booked(1/1 1@100 2 B)",
            ),
            (
                "1/2 R1 9@any limit",
                "Replaced(1/2 6@101 6)4<3 Executed(2/2 3@101 0 MB) Executed(1/2 3@101 3) \
                 Booked(1/2 3@101 3 B)",
            ),
            ("1/3 R2 9@any limit", "Rejected:NoLiquidity(1/3 9@any 0)"),
            (
                "2/3 S 5@any limit min=4",
                "Accepted(2/3 5@101 5) Canceled:MinimumQuantity(2/3 5@101 0)",
            ),
        ],
    );
    // Its own account's order gives the limit, too.
    check(
        1,
        &[
            ("3/1 S 3@100", "Accepted(3/1 3@100 3 B)"),
            (
                "1/1 B 5@any limit",
                "Accepted(1/1 5@100 5) Canceled:SelfTrade(1/1 5@100 0)",
            ),
        ],
    );
}

#[test]
fn all_or_none_does_not_stand() {
    check(
        0,
        &[
            ("2/1 S 3@100", "Accepted(2/1 3@100 3 B)"),
            ("1/1 B 5@100 aon", "Accepted(1/1 5@100 5 P)"),
            // Nobody meets it, and it locks nobody out.
            ("2/2 S 1@100", "Accepted(2/2 1@100 1 B)"),
            (
                "2/3 S 9@99 ioc",
                "Accepted(2/3 9@99 9) Canceled:ImmediateOrCancel(2/3 9@99 0)",
            ),
            ("1/2 B 1@100 post", "Rejected:WouldTrade(1/2 1@100 0)"),
            (
                "2/4 S 1@99 post",
                "Accepted(2/4 1@99 1 B) Triggered(1/1 5@100 5)6<2 \
              Executed(2/4 1@99 0 MB) Executed(1/1 1@99 4) Executed(2/1 3@100 0 MB) \
              Executed(1/1 3@100 1) Executed(2/2 1@100 0 MB) Executed(1/1 1@100 0)",
            ),
        ],
    );
}

#[test]
fn all_or_none_trades_whole_on_entry_or_waits() {
    check(
        0,
        &[
            ("2/1 S 2@99 hide", "Accepted(2/1 2@99 2 BH)"),
            ("2/2 S 6@100 show=1", "Accepted(2/2 1@100 6 B)"),
            (
                "1/1 B 4@100 aon",
                "Accepted(1/1 4@100 4) Executed(2/1 2@99 0 MBH) Executed(1/1 2@99 2) \
                 Executed(2/2 1@100 5 MB) Executed(1/1 1@100 1) Refreshed(2/2 1@100 5 B)4<2 \
                 Executed(2/2 1@100 4 MB) Executed(1/1 1@100 0) Refreshed(2/2 1@100 4 B)5<4",
            ),
            (
                "1/2 B 5@any aon",
                "Accepted(1/2 5@any 5) Canceled:MinimumQuantity(1/2 5@any 0)",
            ),
            (
                "1/3 B 5@100 aon ioc",
                "Accepted(1/3 5@100 5) Canceled:MinimumQuantity(1/3 5@100 0)",
            ),
            ("1/4 B 5@any limit aon", "Accepted(1/4 5@100 5 P)"),
            // A reduction may be what it waits for, and so may a replacement.
            (
                "1/4 X4",
                "Reduced:User(1/4 1@100 4 P)0 Triggered(1/4 4@100 4)9<8 \
                 Executed(2/2 1@100 3 MB) Executed(1/4 1@100 3) Refreshed(2/2 1@100 3 B)10<5 \
                 Executed(2/2 1@100 2 MB) Executed(1/4 1@100 2) Refreshed(2/2 1@100 2 B)11<10 \
                 Executed(2/2 1@100 1 MB) Executed(1/4 1@100 1) Refreshed(2/2 1@100 1 B)12<11 \
                 Executed(2/2 1@100 0 MB) Executed(1/4 1@100 0)",
            ),
            ("1/5 B 2@100 aon", "Accepted(1/5 2@100 2 P)"),
            ("2/3 S 2@101", "Accepted(2/3 2@101 2 B)"),
            (
                "1/6 R5 2@101 aon",
                "Replaced(1/6 2@101 2 O)15<13 Executed(2/3 2@101 0 MB) Executed(1/6 2@101 0)",
            ),
        ],
    );
}

#[test]
fn waiting_all_or_none_orders_are_tried_by_number() {
    check(
        0,
        &[
            ("1/1 B 5@101 aon", "Accepted(1/1 5@101 5 P)"),
            ("1/2 B 2@100 aon", "Accepted(1/2 2@100 2 P)"),
            ("1/3 B 2@102 aon", "Accepted(1/3 2@102 2 P)"),
            ("2/1 S 1@100", "Accepted(2/1 1@100 1 B)"),
            (
                "2/2 S 3@100",
                "Accepted(2/2 3@100 3 B) Triggered(1/2 2@100 2)6<2 Executed(2/1 1@100 0 MB) \
                 Executed(1/2 1@100 1) Executed(2/2 1@100 2 MB) Executed(1/2 1@100 0) \
                 Triggered(1/3 2@102 2)7<3 Executed(2/2 2@100 0 MB) Executed(1/3 2@100 0)",
            ),
            (
                "1/4 B 3@103 stop=100",
                "Accepted(1/4 3@103 3 P) Triggered(1/4 3@103 3 B)9<8",
            ),
            ("1/4 X0", "Canceled:User(1/4 3@103 0 B)"),
            // The trade of an all-or-none order elects a stop.
            ("1/5 B 1@103 stop=101", "Accepted(1/5 1@103 1 P)"),
            (
                "2/3 S 7@101",
                "Accepted(2/3 7@101 7 B) Triggered(1/1 5@101 5)12<1 Executed(2/3 5@101 2 MB) \
                 Executed(1/1 5@101 0) Triggered(1/5 1@103 1)13<10 Executed(2/3 1@101 1 MB) \
                 Executed(1/5 1@101 0)",
            ),
        ],
    );
}

#[test]
fn units_of_its_own_account_do_not_count() {
    let lines = ["3/1 S 3@99", "1/1 B 5@100 aon", "2/1 S 2@100"];
    for mode in [1, 2, 3, 4] {
        let mut desk = Desk::new(KNOWN, mode);
        for line in lines {
            let answer = desk.answer(line);
            assert!(!answer.contains("Triggered"), "mode {mode}: {answer}");
        }
        let triggered = "Accepted(2/2 3@100 3 B) Triggered(1/1 5@100 5)5<2 ";
        let expected = match mode {
            1 => "Canceled:SelfTrade(1/1 5@100 0)",
            2 => {
                "Canceled:SelfTrade(3/1 3@99 0 B) Executed(2/1 2@100 0 MB) \
                 Executed(1/1 2@100 3) Executed(2/2 3@100 0 MB) Executed(1/1 3@100 0)"
            }
            3 => "Canceled:SelfTrade(3/1 3@99 0 B) Canceled:SelfTrade(1/1 5@100 0)",
            _ => {
                "Canceled:SelfTrade(3/1 3@99 0 B) Reduced:SelfTrade(1/1 3@100 2)0 \
                 Executed(2/1 2@100 0 MB) Executed(1/1 2@100 0)"
            }
        };
        assert_eq!(
            desk.answer("2/2 S 3@100"),
            format!("{triggered}{expected}"),
            "mode {mode}"
        );
    }
    let mut desk = Desk::new(KNOWN, 0);
    let answers = lines.map(|line| desk.answer(line));
    assert!(
        answers[2].contains("Triggered(1/1 5@100 5)4<2"),
        "{answers:?}"
    );
}
