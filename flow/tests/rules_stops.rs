//! The rules of `docs/matching.md` for conditions, parked orders and stops, by cases written by
//! hand.

mod desk;

use desk::{Desk, begins, check, of};
use flow::naive::KNOWN;
use flow::naive::increments::{EXPIRY, PEGS, STOPS};
use wire::ring::{CommandKind, Event, PRICE_MAX, Reason};

/// The events that follow an input's own: from the first order that comes to life on.
fn followed(desk: &mut Desk, command: &str) -> String {
    let answer = desk.answer(command);
    let at = answer.find("Triggered").unwrap_or(answer.len());
    answer[at..].to_owned()
}

/// Lets session 2 trade one unit with itself.
fn trade(desk: &mut Desk, user_ref: u32, price: i64) -> String {
    desk.answer(&format!("2/{user_ref} S 1@{price}"));
    followed(desk, &format!("2/{} B 1@{price}", user_ref + 1))
}

#[test]
fn conditions_that_make_no_sense_are_refused_in_the_documented_order() {
    use Reason::{Expired, InvalidField, InvalidPrice, InvalidQuantity};
    let too_far = format!("1/1 B 5@99 trail={}", PRICE_MAX + 1);
    let far_enough = format!("1/1 B 5@99 trail={PRICE_MAX}");
    let cases = [
        ("1/1 B 5@99 stop=100 ioc show=6", InvalidQuantity),
        ("1/1 B 5@99 stop=100 ioc", InvalidField),
        ("1/1 B 5@99 stop=0 min=1", InvalidField),
        ("1/1 B 5@99 stop=0 post", InvalidField),
        ("1/1 B 5@99 stop=0 aon", InvalidField),
        ("1/1 B 5@any stop=0 limit", InvalidField),
        ("1/1 B 5@99 stop=0 exp=50", InvalidPrice),
        ("1/1 B 5@99 stop=-1", InvalidPrice),
        ("1/1 B 5@99 stop=2000000000", InvalidPrice),
        ("1/1 B 5@95 stop=99 sym=2", InvalidPrice),
        ("1/1 B 5@any stop=99 exp=50", Expired),
        ("1/1 B 5@any stop=99 show=2", InvalidField),
        ("1/1 B 5@99 trail=0", InvalidPrice),
        ("1/1 B 5@95 trail=7 sym=2", InvalidPrice),
        (too_far.as_str(), InvalidPrice),
        ("1/1 B 5@99 primary=0 show=5", InvalidField),
        ("1/1 B 5@99 market=0", InvalidField),
        ("1/1 B 5@99 market=-1", InvalidField),
        ("1/1 B 5@99 middle=-1", InvalidField),
        ("1/1 B 5@99 middle=0 min=1", InvalidField),
        ("1/1 B 5@99 primary=0 exp=50", Expired),
        ("1/1 B 5@any stop=99 exp=101 hide", Reason::None),
        ("1/1 B 5@99 stop=99 show=2", Reason::None),
        (far_enough.as_str(), Reason::None),
        ("1/1 B 5@any primary=-7 exp=101", Reason::None),
        ("1/1 B 5@95 middle=3 hide sym=2", Reason::None),
    ];
    for (text, reason) in cases {
        let mut desk = Desk::new(KNOWN, 0);
        desk.answer("- at=100");
        let answer = desk.answer(text);
        assert!(answer.starts_with(&begins(reason)), "{text}: {answer}");
        assert_eq!(
            reason == Reason::None,
            answer.ends_with("P)"),
            "{text}: {answer}"
        );
    }
}

#[test]
fn a_condition_that_is_not_offered_is_unsupported() {
    for (text, needs) in [
        ("1/1 B 5@99 stop=0", STOPS),
        ("1/1 B 5@99 trail=0", STOPS),
        ("1/1 B 5@99 primary=0", PEGS),
        ("1/1 B 5@99 market=0", PEGS),
        ("1/1 B 5@99 middle=0", PEGS),
        ("1/1 B 5@99 stop=100 exp=1", STOPS | EXPIRY),
    ] {
        for offered in [STOPS, PEGS, EXPIRY, STOPS | EXPIRY, PEGS | EXPIRY, KNOWN] {
            let answer = Desk::new(offered, 0).answer(text);
            let refused = answer.starts_with("Rejected:Unsupported");
            assert_eq!(
                refused,
                offered & needs != needs,
                "{text}, {offered:b}: {answer}"
            );
        }
    }
}

#[test]
fn a_condition_that_nobody_knows_is_unsupported() {
    for (letters, answer) in [
        ("00050000", "Accepted(1/1 5@0 5 HP)"),
        ("00060000", "Rejected:Unsupported(1/1 5@99 0)"),
        ("00ff0000", "Rejected:Unsupported(1/1 5@99 0)"),
    ] {
        let mut desk = Desk::new(KNOWN, 0);
        desk.answer(&format!("Extra session=1 letters={letters}"));
        assert_eq!(desk.answer("1/1 B 5@99"), answer, "{letters}");
    }
}

#[test]
fn stops_cascade_over_several_rounds() {
    let desk = check(
        0,
        &[
            ("2/1 S 2@100", "Accepted(2/1 2@100 2 B)"),
            ("2/2 S 2@101", "Accepted(2/2 2@101 2 B)"),
            ("2/3 S 2@102", "Accepted(2/3 2@102 2 B)"),
            ("2/4 S 2@103", "Accepted(2/4 2@103 2 B)"),
            ("1/1 B 1@any stop=102", "Accepted(1/1 1@any 1 P)"),
            ("1/2 B 2@any stop=100", "Accepted(1/2 2@any 2 P)"),
            ("1/3 B 3@102 stop=101", "Accepted(1/3 3@102 3 P)"),
            (
                "1/4 B 1@100",
                "Accepted(1/4 1@100 1) Executed(2/1 1@100 1 MB) Executed(1/4 1@100 0) \
                 Triggered(1/2 2@any 2)9<6 Executed(2/1 1@100 0 MB) Executed(1/2 1@100 1) \
                 Executed(2/2 1@101 1 MB) Executed(1/2 1@101 0) \
                 Triggered(1/3 3@102 3)10<7 Executed(2/2 1@101 0 MB) Executed(1/3 1@101 2) \
                 Executed(2/3 2@102 0 MB) Executed(1/3 2@102 0) \
                 Triggered(1/1 1@any 1)11<5 Executed(2/4 1@103 1 MB) Executed(1/1 1@103 0)",
            ),
        ],
    );
    assert_eq!(desk.naive.live_orders(), 1);
}

#[test]
fn touched_stops_come_to_life_by_trigger_then_number_buys_first() {
    check(
        0,
        &[
            ("1/1 B 1@90 stop=102", "Accepted(1/1 1@90 1 P)"),
            ("1/2 B 1@91 stop=101", "Accepted(1/2 1@91 1 P)"),
            ("1/3 B 1@92 stop=102", "Accepted(1/3 1@92 1 P)"),
            ("1/4 S 1@110 stop=103", "Accepted(1/4 1@110 1 P)"),
            ("1/5 S 1@111 stop=104", "Accepted(1/5 1@111 1 P)"),
            ("1/6 B 1@93 stop=103", "Accepted(1/6 1@93 1 P)"),
            ("1/7 S 1@112 stop=101", "Accepted(1/7 1@112 1 P)"),
            ("2/1 S 1@102", "Accepted(2/1 1@102 1 B)"),
            (
                "2/2 B 1@102",
                "Accepted(2/2 1@102 1) Executed(2/1 1@102 0 MB) Executed(2/2 1@102 0) \
                 Triggered(1/2 1@91 1 B)10<2 Triggered(1/1 1@90 1 B)11<1 \
                 Triggered(1/3 1@92 1 B)12<3 Triggered(1/5 1@111 1 B)13<5 \
                 Triggered(1/4 1@110 1 B)14<4",
            ),
            ("1/8 B 1@94 stop=103", "Accepted(1/8 1@94 1 P)"),
            (
                "1/9 B 1@94 stop=102",
                "Accepted(1/9 1@94 1 P) Triggered(1/9 1@94 1 B)17<16",
            ),
            (
                "1/10 S 4@113 stop=102 show=3 hide",
                "Rejected:InvalidField(1/10 4@113 0)",
            ),
            (
                "1/10 S 4@113 stop=102 show=3",
                "Accepted(1/10 3@113 4 P) Triggered(1/10 3@113 4 B)19<18",
            ),
            (
                "1/11 S 1@113 stop=101 sym=2",
                "Rejected:InvalidPrice(1/11 1@113 0)",
            ),
            ("1/11 S 1@115 stop=105 sym=2", "Accepted(1/11 1@115 1 P)"),
        ],
    );
}

#[test]
fn trades_are_looked_at_when_the_order_is_finished() {
    check(
        0,
        &[
            ("2/1 S 1@100", "Accepted(2/1 1@100 1 B)"),
            ("2/2 S 1@101", "Accepted(2/2 1@101 1 B)"),
            ("2/3 S 5@105", "Accepted(2/3 5@105 5 B)"),
            ("1/1 B 1@any stop=101", "Accepted(1/1 1@any 1 P)"),
            ("1/2 B 1@any stop=100", "Accepted(1/2 1@any 1 P)"),
            // 1/2 is elected by the first trade, 1/1 by the second one. Neither meets what is left.
            (
                "2/4 B 3@101",
                "Accepted(2/4 3@101 3) Executed(2/1 1@100 0 MB) Executed(2/4 1@100 2) \
                 Executed(2/2 1@101 0 MB) Executed(2/4 1@101 1) Booked(2/4 1@101 1 B) \
                 Triggered(1/2 1@any 1)7<5 Executed(2/3 1@105 4 MB) Executed(1/2 1@105 0) \
                 Triggered(1/1 1@any 1)8<4 Executed(2/3 1@105 3 MB) Executed(1/1 1@105 0)",
            ),
        ],
    );
}

#[test]
fn triggers_trail_the_market() {
    let mut desk = check(
        0,
        &[
            ("1/1 S 1@any trail=3", "Accepted(1/1 1@any 1 P)"),
            ("1/2 B 1@any trail=3", "Accepted(1/2 1@any 1 P)"),
        ],
    );
    let triggers = |desk: &Desk| -> Vec<Option<i64>> {
        let parked = desk.naive.parked(1);
        parked.map(|order| order.trigger).collect()
    };
    assert_eq!(triggers(&desk), [None, None]);
    // The first trade places them; others only move them towards the market.
    for (user_ref, price, expected) in [
        (1, 100, [Some(97), Some(103)]),
        (3, 102, [Some(99), Some(103)]),
        (5, 100, [Some(99), Some(103)]),
    ] {
        assert_eq!(trade(&mut desk, user_ref, price), "");
        assert_eq!(triggers(&desk), expected);
    }
    let gone = "Canceled:ImmediateOrCancel(1/1 1@any 0)";
    assert_eq!(
        trade(&mut desk, 7, 99),
        format!("Triggered(1/1 1@any 1)11<1 {gone}")
    );
    assert_eq!(triggers(&desk), [Some(102)]);
    // A trigger that would be no price is none, and it stays where it was.
    desk.answer("1/3 S 1@any trail=200");
    desk.answer("1/4 S 1@95 trail=1");
    assert_eq!(triggers(&desk), [Some(102), None, Some(98)]);
    assert_eq!(trade(&mut desk, 9, 98), "Triggered(1/4 1@95 1 B)16<13");
    assert_eq!(triggers(&desk), [Some(101), None]);
    let gone = "Canceled:ImmediateOrCancel(1/2 1@any 0)";
    desk.answer("1/4 X0");
    assert_eq!(
        trade(&mut desk, 11, 300),
        format!("Triggered(1/2 1@any 1)19<2 {gone}")
    );
    assert_eq!(triggers(&desk), [Some(100)]);
}

#[test]
fn parked_orders_are_reduced_replaced_and_canceled() {
    check(
        0,
        &[
            ("1/1 B 5@99 stop=105", "Accepted(1/1 5@99 5 P)"),
            ("1/1 X7", "Noted(1/1 7@0 0)"),
            ("1/1 X4", "Reduced:User(1/1 1@99 4 P)0"),
            // A stop in the place of a stop, then an order in the place of a stop and back.
            ("1/2 R1 6@98 stop=104 show=2", "Replaced(1/2 2@98 6 OP)2<1"),
            ("1/2 X5", "Reduced:User(1/2 1@98 5 P)1"),
            ("1/2 X1", "Reduced:User(1/2 4@98 1 P)3"),
            ("1/3 R2 3@97", "Replaced(1/3 3@97 3 BO)3<2"),
            ("1/4 R3 3@96 hide stop=101", "Replaced(1/4 3@96 3 HP)4<3"),
            ("1/5 R4 3@96 hide", "Replaced(1/5 3@96 3 BHO)5<4"),
            ("1/6 R5 3@any stop=101", "Replaced(1/6 3@any 3 OP)6<5"),
            ("1/6 X0", "Canceled:User(1/6 3@any 0 P)"),
            ("1/6 X0", "CancelRejected:UnknownOrder(1/6 0@0 0)"),
        ],
    );
}

#[test]
fn a_replacement_is_a_new_stop() {
    let mut desk = Desk::new(KNOWN, 0);
    desk.answer("1/1 B 2@90 stop=101");
    desk.answer("1/2 S 1@110 trail=5");
    assert_eq!(trade(&mut desk, 1, 100), "");
    assert_eq!(
        desk.answer("1/3 R1 2@91 stop=100"),
        "Replaced(1/3 2@91 2 OP)5<1 Triggered(1/3 2@91 2 B)6<5"
    );
    assert_eq!(
        desk.answer("1/4 R2 1@110 trail=2"),
        "Replaced(1/4 1@110 1 OP)7<2"
    );
    // 98, not 95.
    assert_eq!(trade(&mut desk, 3, 98), "Triggered(1/4 1@110 1 B)10<7");
    // What a part of it traded counts for the total of its replacement.
    assert_eq!(
        desk.answer("2/9 S 1@91"),
        "Accepted(2/9 1@91 1) Executed(1/3 1@91 1 MB) Executed(2/9 1@91 0)"
    );
    assert_eq!(
        desk.answer("1/5 R3 4@92 stop=99"),
        "Replaced(1/5 3@92 3 P)12<6"
    );
}

#[test]
fn parked_orders_expire() {
    let mut desk = check(
        0,
        &[
            ("1/1 B 5@any stop=105 exp=60", "Accepted(1/1 5@any 5 P)"),
            ("1/2 B 5@90 exp=50", "Accepted(1/2 5@90 5 B)"),
            ("1/3 B 5@90 stop=105 exp=50", "Accepted(1/3 5@90 5 P)"),
            (
                "- at=60",
                "Canceled:Expired(1/2 5@90 0 B) Canceled:Expired(1/3 5@90 0 P) \
                 Canceled:Expired(1/1 5@any 0 P) Noted(0/0 0@0 0)",
            ),
        ],
    );
    assert_eq!(desk.naive.live_orders(), 0);
    // An order that comes to life keeps its expiry, under its new number.
    desk.answer("1/4 B 5@90 stop=105 exp=70");
    assert_eq!(trade(&mut desk, 1, 105), "Triggered(1/4 5@90 5 B)7<4");
    assert_eq!(desk.answer("- at=69"), "Noted(0/0 0@0 0)");
    assert_eq!(
        desk.answer("- at=70"),
        "Canceled:Expired(1/4 5@90 0 B) Noted(0/0 0@0 0)"
    );
}

#[test]
fn an_order_that_comes_to_life_does_not_trade_with_its_own_account() {
    let after = |mode| {
        let mut desk = Desk::new(KNOWN, mode);
        desk.answer("3/1 S 1@101");
        desk.answer("2/10 S 5@102");
        desk.answer("1/1 B 3@any stop=100");
        trade(&mut desk, 20, 100)
    };
    let meets = |rest: &str| format!("Triggered(1/1 3@any 3)6<3 {rest}");
    assert_eq!(
        after(0),
        meets(
            "Executed(3/1 1@101 0 MB) Executed(1/1 1@101 2) \
             Executed(2/10 2@102 3 MB) Executed(1/1 2@102 0)"
        )
    );
    assert_eq!(after(1), meets("Canceled:SelfTrade(1/1 3@any 0)"));
    assert_eq!(
        after(2),
        meets("Canceled:SelfTrade(3/1 1@101 0 B) Executed(2/10 3@102 2 MB) Executed(1/1 3@102 0)")
    );
    assert_eq!(
        after(3),
        meets("Canceled:SelfTrade(3/1 1@101 0 B) Canceled:SelfTrade(1/1 3@any 0)")
    );
    assert_eq!(
        after(4),
        meets(
            "Canceled:SelfTrade(3/1 1@101 0 B) Reduced:SelfTrade(1/1 1@any 2)0 \
             Executed(2/10 2@102 3 MB) Executed(1/1 2@102 0)"
        )
    );
}

#[test]
fn parked_orders_leave_after_booked_ones() {
    let mut desk = Desk::new(KNOWN, 0);
    for line in [
        "1/1 S 5@any stop=20",
        "1/2 B 5@90 stop=105",
        "1/3 S 5@100",
        "1/4 B 5@95 sym=2",
        "1/5 B 5@90",
        "1/6 B 5@95 sym=2 stop=100",
    ] {
        desk.answer(line);
    }
    let events = desk.send(of(CommandKind::CloseDay));
    let left: Vec<(u32, u8)> = events
        .iter()
        .map(|event| (event.user_ref, event.flags))
        .collect();
    let expected = [
        (5, Event::BOOKED),
        (3, Event::BOOKED),
        (1, Event::PARKED),
        (2, Event::PARKED),
        (4, Event::BOOKED),
        (6, Event::PARKED),
        (0, Event::LAST),
    ];
    assert_eq!(left, expected);
    assert_eq!(desk.naive.live_orders(), 0);
}
