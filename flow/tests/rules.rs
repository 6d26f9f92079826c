//! Every rule of `docs/matching.md`, by cases written by hand.

mod desk;

use desk::{Desk, begins, of};
use flow::naive::KNOWN;
use flow::naive::increments::{self, BASIC, EXPIRY, ICEBERG, SELF_TRADE, WHOLE};
use wire::ring::{Command, CommandKind, EventKind, PRICE_MAX, Reason, Side};

/// Commands and their answers, one after the other.
type Case = (&'static str, &'static [(&'static str, &'static str)]);

fn check(offered: u16, mode: u8, cases: &[Case]) {
    for (name, lines) in cases {
        let mut desk = Desk::new(offered, mode);
        for (command, answer) in *lines {
            assert_eq!(desk.answer(command), *answer, "{name}: {command}");
        }
    }
}

/// A resting sell that all orders of the table could trade with.
const STANDING: &str = "2/1 S 10@100";

#[test]
fn attributes_that_make_no_sense_are_refused_in_the_documented_order() {
    use Reason::{
        DuplicateUserRef, Expired, InvalidField, InvalidPrice, InvalidQuantity, Unsupported,
        WouldTrade,
    };
    let cases = [
        ("1/1 B 5@100 odd flags=32", Unsupported),
        ("1/0 B 5@100 flags=32", DuplicateUserRef),
        ("1/1 B 5@0 flags=32", InvalidPrice),
        ("1/1 B 5@99 flags=64", InvalidField),
        ("1/1 B 5@99 flags=129", InvalidField),
        ("1/1 B 5@99 slide show=6", InvalidField),
        ("1/1 B 5@99 exp=-1 show=6", InvalidField),
        ("1/1 B 5@99 show=6 hide", InvalidQuantity),
        ("1/1 B 5@99 min=6 post", InvalidQuantity),
        ("1/1 B 5@99 show=2 hide", InvalidField),
        ("1/1 B 5@99 show=5 hide", InvalidField),
        ("1/1 B 5@99 show=2 ioc", InvalidField),
        ("1/1 B 5@any show=2", InvalidField),
        ("1/1 B 5@99 post ioc", InvalidField),
        ("1/1 B 5@any post", InvalidField),
        ("1/1 B 5@99 exp=200 ioc", InvalidField),
        ("1/1 B 5@any exp=200", InvalidField),
        ("1/1 B 5@100 post min=1 exp=50", InvalidField),
        ("1/1 B 5@100 post exp=50", Expired),
        ("1/1 B 5@99 exp=100", Expired),
        ("1/1 B 5@100 post exp=101", WouldTrade),
        ("1/1 B 5@103 post hide", WouldTrade),
        ("3/9 B 5@99 post exp=101 hide", Reason::None),
        ("1/1 B 5@99 min=5 hide ioc", Reason::None),
        ("1/1 B 5@any min=5 hide", Reason::None),
        ("1/1 B 5@99 show=5 exp=101 post", Reason::None),
    ];
    for (text, reason) in cases {
        let mut desk = Desk::new(KNOWN, 0);
        desk.answer(STANDING);
        desk.answer("- at=100");
        let answer = desk.answer(text);
        assert!(answer.starts_with(&begins(reason)), "{text}: {answer}");
        // Nothing of it is left for the next order, which takes the next number.
        let next = if reason == Reason::None {
            "1/3 B 1@1"
        } else {
            "1/1 B 1@1"
        };
        let answer = desk.answer(next);
        assert!(
            answer.starts_with("Accepted(") && answer.ends_with("1@1 1 B)"),
            "{answer}"
        );
        let orders = desk.naive.orders(1, Side::Buy);
        let numbers: Vec<u64> = orders.map(|order| order.order_ref).collect();
        assert!(
            numbers.ends_with(&[2 + u64::from(reason == Reason::None)]),
            "{text}"
        );
    }
}

#[test]
fn an_increment_that_is_not_offered_is_unsupported() {
    for (text, needs) in [
        ("1/1 B 5@99 min=1", BASIC),
        ("1/1 B 5@99 post", BASIC),
        ("1/1 B 5@99 hide", BASIC),
        ("1/1 B 5@99 flags=8", WHOLE),
        ("1/1 B 5@99 show=1", ICEBERG),
        ("1/1 B 5@99 exp=1", EXPIRY),
        ("1/1 B 5@99 exp=-1 show=9", EXPIRY | ICEBERG),
        ("1/1 B 5@99 odd", !KNOWN),
    ] {
        for offered in 0..=increments::first(6) {
            let answer = Desk::new(offered, 0).answer(text);
            let refused = answer.starts_with("Rejected:Unsupported");
            let expected = offered & needs != needs;
            assert_eq!(refused, expected, "{text}, {offered:b}: {answer}");
        }
    }
}

#[test]
fn an_extra_waits_for_the_next_order_of_its_session() {
    let extra = |session, price, old_user_ref| Command {
        session,
        price,
        old_user_ref,
        ..of(CommandKind::Extra)
    };
    let mut desk = Desk::new(KNOWN, 0);
    desk.send(extra(1, -1, 0));
    desk.send(extra(1, 0, 3));
    desk.send(extra(9, -1, 0));
    let cancel = "CancelRejected:UnknownOrder(1/7 0@0 0)";
    assert_eq!(desk.answer("1/7 X0"), cancel);
    assert_eq!(desk.answer("2/1 B 9@50"), "Accepted(2/1 9@50 9 B)");
    assert_eq!(desk.answer("1/1 B 9@50"), "Accepted(1/1 3@50 9 B)");
    assert_eq!(desk.answer("1/2 B 9@50"), "Accepted(1/2 9@50 9 B)");
    desk.send(extra(1, 0, 0));
    assert_eq!(desk.answer("1/3 B 9@50"), "Accepted(1/3 9@50 9 B)");
    let mut closed = flow::Naive::offering(0);
    let first = flow::Sequencer::new(0).number(0, extra(1, 0, 0));
    assert_eq!(closed.apply(&first)[0].kind, EventKind::Noted as u8);
}

#[test]
fn definitions_check_ticks_and_modes_where_they_are_offered() {
    for offered in 0..=increments::first(4) {
        let mut desk = Desk::new(offered, 0);
        let [has_ticks, has_modes] = [BASIC, SELF_TRADE].map(|bit| offered & bit != 0);
        for (price, is_good) in [(-1, false), (PRICE_MAX + 1, false), (PRICE_MAX, true)] {
            let symbol = Command {
                symbol: if is_good { 8 } else { 7 },
                price,
                ..of(CommandKind::DefineSymbol)
            };
            let event = desk.send(symbol)[0];
            let refused = event.reason == Reason::InvalidField as u8;
            let first_taken = event.reason == Reason::TableFull as u8;
            assert_eq!(refused, !is_good && has_ticks, "{offered:b}: tick {price}");
            assert_eq!(first_taken, price > PRICE_MAX && !has_ticks);
        }
        for (session, mode) in [(7, 5), (8, 255), (9, 4)] {
            let letters = [mode, 0, 0, 0];
            let event = desk.send(Command {
                session,
                letters,
                ..of(CommandKind::DefineSession)
            })[0];
            let refused = event.reason == Reason::InvalidField as u8;
            assert_eq!(refused, mode > 4 && has_modes, "{offered:b}: mode {mode}");
        }
    }
}

#[test]
fn prices_are_multiples_of_the_tick() {
    check(
        BASIC,
        0,
        &[(
            "tick",
            &[
                ("1/1 B 5@12 sym=2", "Rejected:InvalidPrice(1/1 5@12 0)"),
                ("1/1 B 5@15 sym=2", "Accepted(1/1 5@15 5 B)"),
                ("1/2 R1 5@16 sym=1", "Rejected:InvalidPrice(1/2 5@16 0)"),
                ("1/2 R1 5@20 sym=1", "Replaced(1/2 5@20 5 B)2<1"),
                (
                    "2/1 S 5@any sym=2",
                    "Accepted(2/1 5@any 5) Executed(1/2 5@20 0 MB) Executed(2/1 5@20 0)",
                ),
            ],
        )],
    );
    check(
        0,
        0,
        &[("no tick", &[("1/1 B 5@12 sym=2", "Accepted(1/1 5@12 5 B)")])],
    );
}

#[test]
fn minimum_quantity_is_judged_once_on_entry() {
    check(
        KNOWN,
        0,
        &[
            (
                "too few at good prices",
                &[
                    (STANDING, "Accepted(2/1 10@100 10 B)"),
                    ("2/2 S 10@101", "Accepted(2/2 10@101 10 B)"),
                    (
                        "1/1 B 20@100 min=11",
                        "Accepted(1/1 20@100 20) Canceled:MinimumQuantity(1/1 20@100 0)",
                    ),
                    (
                        "1/2 B 30@101 min=21",
                        "Accepted(1/2 30@101 30) Canceled:MinimumQuantity(1/2 30@101 0)",
                    ),
                    (
                        "1/3 B 15@100 min=10",
                        "Accepted(1/3 15@100 15) Executed(2/1 10@100 0 MB) \
                     Executed(1/3 10@100 5) Booked(1/3 5@100 5 B)",
                    ),
                ],
            ),
            (
                "fill or kill, with hidden and held back units",
                &[
                    ("2/1 S 4@100 hide", "Accepted(2/1 4@100 4 BH)"),
                    ("2/2 S 6@100 show=1", "Accepted(2/2 1@100 6 B)"),
                    (
                        "1/1 B 11@100 min=11 ioc",
                        "Accepted(1/1 11@100 11) Canceled:MinimumQuantity(1/1 11@100 0)",
                    ),
                    (
                        "1/2 B 5@any min=5",
                        "Accepted(1/2 5@any 5) Executed(2/1 4@100 0 MBH) Executed(1/2 4@100 1) \
                     Executed(2/2 1@100 5 MB) Executed(1/2 1@100 0) Refreshed(2/2 1@100 5 B)5<2",
                    ),
                ],
            ),
            (
                "a replacement that fails it has left the book",
                &[
                    ("1/1 B 5@99", "Accepted(1/1 5@99 5 B)"),
                    (
                        "1/2 R1 5@99 min=1",
                        "Replaced(1/2 5@99 5)2<1 Canceled:MinimumQuantity(1/2 5@99 0)",
                    ),
                    ("1/1 X0", "CancelRejected:UnknownOrder(1/1 0@0 0)"),
                ],
            ),
        ],
    );
}

#[test]
fn post_only_orders_do_not_trade_on_entry() {
    check(
        KNOWN,
        0,
        &[
            (
                "rest, are refused, or slide one tick off the best price",
                &[
                    ("2/1 S 5@105 sym=2", "Accepted(2/1 5@105 5 B)"),
                    ("2/2 S 5@100 hide sym=2", "Accepted(2/2 5@100 5 BH)"),
                    ("1/1 B 5@100 post sym=2", "Rejected:WouldTrade(1/1 5@100 0)"),
                    ("1/1 B 5@95 post sym=2", "Accepted(1/1 5@95 5 B)"),
                    ("1/2 B 5@110 post slide sym=2", "Accepted(1/2 5@95 5 B)"),
                    ("2/3 S 5@90 post slide sym=2", "Accepted(2/3 5@100 5 B)"),
                    (
                        "1/3 B 9@95 post slide show=2 hide sym=2",
                        "Rejected:InvalidField(1/3 9@95 0)",
                    ),
                    (
                        "1/3 B 9@100 post slide show=2 sym=2",
                        "Accepted(1/3 2@95 9 B)",
                    ),
                ],
            ),
            (
                "no good price is left",
                &[
                    ("2/1 S 5@1", "Accepted(2/1 5@1 5 B)"),
                    ("1/1 B 5@1 post slide", "Rejected:WouldTrade(1/1 5@1 0)"),
                ],
            ),
            (
                "a replacement that is refused leaves the old order",
                &[
                    (STANDING, "Accepted(2/1 10@100 10 B)"),
                    ("1/1 B 5@99", "Accepted(1/1 5@99 5 B)"),
                    ("1/2 R1 5@100 post", "Rejected:WouldTrade(1/2 5@100 0)"),
                    ("1/2 R1 5@101 post slide", "Replaced(1/2 5@99 5 B)3<2"),
                ],
            ),
        ],
    );
}

#[test]
fn hidden_orders_stand_in_the_queue_like_others() {
    check(
        BASIC,
        0,
        &[(
            "hidden",
            &[
                ("1/1 B 5@99 hide", "Accepted(1/1 5@99 5 BH)"),
                ("1/2 B 5@99", "Accepted(1/2 5@99 5 B)"),
                ("1/1 X4", "Reduced:User(1/1 1@99 4 BH)0"),
                (
                    "2/1 S 6@99 hide",
                    "Accepted(2/1 6@99 6 H) Executed(1/1 4@99 0 MBH) Executed(2/1 4@99 2 H) \
                 Executed(1/2 2@99 3 MB) Executed(2/1 2@99 0 H)",
                ),
                ("1/3 R2 5@98 hide", "Replaced(1/3 3@98 3 BH)4<2"),
                ("1/4 R3 6@98 hide", "Replaced(1/4 4@98 4 BHO)5<4"),
                ("1/5 R4 6@98", "Replaced(1/5 4@98 4 BO)6<5"),
                ("1/6 R5 6@97 hide", "Replaced(1/6 4@97 4 BH)7<6"),
                ("1/6 X0", "Canceled:User(1/6 4@97 0 BH)"),
            ],
        )],
    );
}
