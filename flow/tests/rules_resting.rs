//! The rules of `docs/matching.md` for icebergs, expiry and self-trade prevention, by cases written
//! by hand.

mod desk;

use desk::{check, of};
use wire::ring::{CommandKind, Side};

#[test]
fn icebergs_show_a_part_and_move_back_when_it_is_gone() {
    let desk = check(
        0,
        &[
            ("2/1 S 10@100 show=4", "Accepted(2/1 4@100 10 B)"),
            ("2/2 S 3@100", "Accepted(2/2 3@100 3 B)"),
            (
                "1/1 B 3@100",
                "Accepted(1/1 3@100 3) Executed(2/1 3@100 7 MB) Executed(1/1 3@100 0)",
            ),
            (
                "1/2 B 2@100",
                "Accepted(1/2 2@100 2) Executed(2/1 1@100 6 MB) Executed(1/2 1@100 1) \
                 Refreshed(2/1 4@100 6 B)5<1 Executed(2/2 1@100 2 MB) Executed(1/2 1@100 0)",
            ),
            (
                "1/3 B 7@100",
                "Accepted(1/3 7@100 7) Executed(2/2 2@100 0 MB) Executed(1/3 2@100 5) \
                 Executed(2/1 4@100 2 MB) Executed(1/3 4@100 1) Refreshed(2/1 2@100 2 B)7<5 \
                 Executed(2/1 1@100 1 MB) Executed(1/3 1@100 0)",
            ),
            (
                "1/4 B 1@100",
                "Accepted(1/4 1@100 1) Executed(2/1 1@100 0 MB) Executed(1/4 1@100 0)",
            ),
        ],
    );
    assert_eq!(desk.naive.live_orders(), 0);
}

#[test]
fn reductions_take_held_back_units_first() {
    let mut desk = check(
        0,
        &[
            ("2/1 S 10@100 show=4", "Accepted(2/1 4@100 10 B)"),
            ("2/2 S 3@100", "Accepted(2/2 3@100 3 B)"),
            ("2/1 X9", "Reduced:User(2/1 1@100 9 B)1"),
            ("2/1 X9", "Noted(2/1 9@0 0)"),
            ("2/1 X3", "Reduced:User(2/1 6@100 3 B)5"),
            ("2/1 X2", "Reduced:User(2/1 1@100 2 B)0"),
        ],
    );
    assert_eq!(desk.shown(1, Side::Sell), "2@100 3@100");
    let answer = desk.answer("2/1 X0");
    assert_eq!(answer, "Canceled:User(2/1 2@100 0 B)");
    let answer = desk.answer("2/3 S 8@100 show=3");
    assert_eq!(answer, "Accepted(2/3 3@100 8 B)");
    assert_eq!(desk.answer("2/3 X0"), "Canceled:User(2/3 8@100 0 B)");
}

#[test]
fn an_iceberg_that_trades_on_entry_shows_a_part_of_its_rest() {
    let desk = check(
        0,
        &[
            ("2/1 S 4@100", "Accepted(2/1 4@100 4 B)"),
            (
                "1/1 B 10@100 show=3",
                "Accepted(1/1 3@100 10) Executed(2/1 4@100 0 MB) Executed(1/1 4@100 6) \
                 Booked(1/1 3@100 6 B)",
            ),
            ("1/2 R1 12@100 show=4", "Replaced(1/2 4@100 8 B)3<2"),
            ("2/2 S 3@101", "Accepted(2/2 3@101 3 B)"),
            (
                "1/3 R2 9@101 show=4",
                "Replaced(1/3 4@101 5)5<3 Executed(2/2 3@101 0 MB) Executed(1/3 3@101 2) \
                 Booked(1/3 2@101 2 B)",
            ),
            ("1/4 B 5@90 show=5", "Accepted(1/4 5@90 5 B)"),
            ("1/4 X3", "Reduced:User(1/4 2@90 3 B)0"),
            ("1/5 R3 8@91 show=2", "Rejected:InvalidQuantity(1/5 8@91 0)"),
            ("1/5 R3 9@91 show=2", "Replaced(1/5 2@91 2 B)7<5"),
        ],
    );
    assert_eq!(desk.shown(1, Side::Buy), "2@91 3@90");
}

#[test]
fn orders_leave_when_their_time_is_over() {
    let mut desk = check(
        0,
        &[
            ("1/1 B 10@50 exp=30", "Accepted(1/1 10@50 10 B)"),
            ("1/2 B 10@51 exp=20 show=4", "Accepted(1/2 4@51 10 B)"),
            ("1/3 B 10@52 exp=30 hide", "Accepted(1/3 10@52 10 BH)"),
            ("1/4 B 10@53 exp=40", "Accepted(1/4 10@53 10 B)"),
            ("1/5 R4 10@53", "Replaced(1/5 10@53 10 B)5<4"),
            ("1/6 B 4@60 exp=31", "Accepted(1/6 4@60 4 B)"),
            (
                "2/1 S 4@60 at=19",
                "Accepted(2/1 4@60 4) Executed(1/6 4@60 0 MB) Executed(2/1 4@60 0)",
            ),
            (
                "1/2 X0 at=20",
                "Canceled:Expired(1/2 10@51 0 B) CancelRejected:UnknownOrder(1/2 0@0 0)",
            ),
            ("2/2 S 9@40 exp=20", "Rejected:Expired(2/2 9@40 0)"),
            (
                "- at=35",
                "Canceled:Expired(1/1 10@50 0 B) Canceled:Expired(1/3 10@52 0 BH) \
                 Noted(0/0 0@0 0)",
            ),
            (
                "2/2 S 9@40 exp=60",
                "Accepted(2/2 9@40 9) Executed(1/5 9@53 1 MB) Executed(2/2 9@53 0)",
            ),
            ("1/7 B 5@30 exp=99", "Accepted(1/7 5@30 5 B)"),
            ("1/8 B 1@30", "Accepted(1/8 1@30 1 B)"),
        ],
    );
    desk.answer("- at=98");
    assert_eq!(desk.naive.live_orders(), 3);
    let closing = desk.send(of(CommandKind::CloseDay));
    assert_eq!(closing.len(), 4, "{closing:?}");
    assert_eq!(desk.answer("- at=500"), "Noted(0/0 0@0 0)");
}

#[test]
fn icebergs_expire_by_their_present_number() {
    check(
        0,
        &[
            ("2/1 S 9@100 show=3 exp=20", "Accepted(2/1 3@100 9 B)"),
            ("2/2 S 9@101 exp=20", "Accepted(2/2 9@101 9 B)"),
            (
                "1/1 B 3@100",
                "Accepted(1/1 3@100 3) Executed(2/1 3@100 6 MB) Executed(1/1 3@100 0) \
                 Refreshed(2/1 3@100 6 B)4<1",
            ),
            (
                "- at=20",
                "Canceled:Expired(2/2 9@101 0 B) Canceled:Expired(2/1 6@100 0 B) Noted(0/0 0@0 0)",
            ),
        ],
    );
}

/// What stands when session 1 comes: another account's order in front, two of its own, one behind.
const QUEUE: desk::Lines<'_> = &[
    ("2/1 S 1@99", "Accepted(2/1 1@99 1 B)"),
    ("3/1 S 6@100 show=2", "Accepted(3/1 2@100 6 B)"),
    ("1/1 S 2@100 hide", "Accepted(1/1 2@100 2 BH)"),
    ("2/2 S 5@100", "Accepted(2/2 5@100 5 B)"),
];

#[test]
fn the_aggressors_session_decides_what_comes_instead_of_a_self_trade() {
    let first = "Accepted(1/2 9@100 9) Executed(2/1 1@99 0 MB) Executed(1/2 1@99 8)";
    let cases = [
        (
            0,
            "Executed(3/1 2@100 4 MB) Executed(1/2 2@100 6) Refreshed(3/1 2@100 4 B)6<2 \
             Executed(1/1 2@100 0 MBH) Executed(1/2 2@100 4) Executed(2/2 4@100 1 MB) \
             Executed(1/2 4@100 0)",
            "1@100 2@100",
        ),
        (1, "Canceled:SelfTrade(1/2 8@100 0)", "2@100 5@100"),
        (
            2,
            "Canceled:SelfTrade(3/1 6@100 0 B) Canceled:SelfTrade(1/1 2@100 0 BH) \
             Executed(2/2 5@100 0 MB) Executed(1/2 5@100 3) Booked(1/2 3@100 3 B)",
            "",
        ),
        (
            3,
            "Canceled:SelfTrade(3/1 6@100 0 B) Canceled:SelfTrade(1/2 8@100 0)",
            "5@100",
        ),
        (
            4,
            "Canceled:SelfTrade(3/1 6@100 0 B) Reduced:SelfTrade(1/2 6@100 2)0 \
             Canceled:SelfTrade(1/1 2@100 0 BH) Canceled:SelfTrade(1/2 2@100 0)",
            "5@100",
        ),
    ];
    for (mode, rest, shown) in cases {
        let mut desk = check(mode, QUEUE);
        assert_eq!(
            desk.answer("1/2 B 9@100"),
            format!("{first} {rest}"),
            "mode {mode}"
        );
        assert_eq!(desk.shown(1, Side::Sell), shown, "mode {mode}");
    }
    // The other way round nothing is prevented: session 3 lets its account trade.
    for mode in 0..=4 {
        let mut desk = check(mode, &[("1/1 S 5@100", "Accepted(1/1 5@100 5 B)")]);
        let traded = "Accepted(3/1 5@100 5) Executed(1/1 5@100 0 MB) Executed(3/1 5@100 0)";
        assert_eq!(desk.answer("3/1 B 5@100"), traded);
    }
}

#[test]
fn a_decrement_leaves_the_difference_of_the_greater_order() {
    check(
        4,
        &[
            ("3/1 S 10@100 show=4", "Accepted(3/1 4@100 10 B)"),
            (
                "1/1 B 7@100 ioc",
                "Accepted(1/1 7@100 7) Reduced:SelfTrade(3/1 7@100 3 B)6 \
                 Canceled:SelfTrade(1/1 7@100 0)",
            ),
            (
                "1/2 B 8@100 show=2",
                "Accepted(1/2 2@100 8) Canceled:SelfTrade(3/1 3@100 0 B) \
                 Reduced:SelfTrade(1/2 3@100 5)0 Booked(1/2 2@100 5 B)",
            ),
            // What was decremented is not executed: the total is 5 now.
            ("1/2 X5", "Noted(1/2 5@0 0)"),
            ("1/3 R2 6@100", "Replaced(1/3 6@100 6 B)4<3"),
        ],
    );
}

#[test]
fn an_order_that_only_made_others_leave_is_booked_after_them() {
    check(
        2,
        &[
            ("3/1 S 10@100", "Accepted(3/1 10@100 10 B)"),
            (
                "1/1 B 7@100",
                "Accepted(1/1 7@100 7) Canceled:SelfTrade(3/1 10@100 0 B) Booked(1/1 7@100 7 B)",
            ),
        ],
    );
}

#[test]
fn own_units_count_for_post_only_but_not_for_a_minimum_quantity() {
    for mode in 0..=4 {
        let mut desk = check(
            mode,
            &[
                ("2/1 S 5@100", "Accepted(2/1 5@100 5 B)"),
                ("3/1 S 5@100", "Accepted(3/1 5@100 5 B)"),
                ("3/2 S 5@99", "Accepted(3/2 5@99 5 B)"),
                ("1/1 B 5@99 post", "Rejected:WouldTrade(1/1 5@99 0)"),
            ],
        );
        let answer = desk.answer("1/1 B 15@100 min=6");
        let fails = answer.ends_with("Canceled:MinimumQuantity(1/1 15@100 0)");
        assert_eq!(fails, mode != 0, "mode {mode}: {answer}");
    }
}
