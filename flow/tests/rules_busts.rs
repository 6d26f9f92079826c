//! Trades that are taken back: what is looked at, what is told, and what accounts get back.

mod desk;

use desk::{Desk, Lines};
use flow::naive::OFFERED;

/// Session 1 sells 5 and 3 at 50 to session 2, whose account is another one.
fn check(first: &[&str], lines: Lines<'_>) {
    let mut desk = Desk::with(OFFERED, 0, first);
    for command in ["1/1 S 8@50", "2/1 B 5@50", "2/2 B 3@50"] {
        assert!(desk.answer(command).starts_with("Accepted"), "{command}");
    }
    desk.check(lines);
}

/// Names match 1, whose aggressor is the first order of session 2.
const FIRST: &str = "Trade session=2 user_ref=1 price=1 client_id=6275796572000000000000000000";

/// What is said of that.
const NAMED: &str = "Noted(2/1 0@1 0)";

/// The rest of it, as it was, and why.
const BUST: &str = "Bust side=1 flags=39 symbol=1 session=1 user_ref=1 quantity=5 price=50 \
                    client_id=73656c6c657200000000000000ff";

const BROKEN: &str = "Broken:Erroneous(1/1 5@50 0 M)#1 seller\0\0\0\0\0\0\0\u{fffd} \
                      Broken:Erroneous(2/1 5@50 0)#1 buyer";

#[test]
fn both_sides_are_told_once_and_with_their_texts() {
    let again = "Refused:TradeBroken(1/1 5@50 0)";
    check(
        &[],
        &[
            (FIRST, NAMED),
            (BUST, BROKEN),
            (FIRST, NAMED),
            (BUST, again),
            // A trade is named for one attempt only, whatever becomes of it.
            (BUST, "Refused:UnknownTrade(1/1 5@50 0)"),
        ],
    );
}

#[test]
fn every_field_is_looked_at() {
    let bust = |from: &str, to: &str| BUST.replacen(from, to, 1);
    let cases = [
        (
            FIRST.to_owned(),
            bust("flags=39", "flags=38"),
            "InvalidField(1/1 5@50 0)",
        ),
        (
            FIRST.to_owned(),
            bust("flags=39", "flags=43"),
            "InvalidField(1/1 5@50 0)",
        ),
        (
            FIRST.to_owned(),
            bust("side=1", "side=2"),
            "InvalidField(1/1 5@50 0)",
        ),
        (
            FIRST.replace("price=1 ", "price=3 "),
            BUST.to_owned(),
            "UnknownTrade(1/1 5@50 0)",
        ),
        (
            FIRST.replace("price=1 ", "price=0 "),
            BUST.to_owned(),
            "UnknownTrade(1/1 5@50 0)",
        ),
        (
            FIRST.replace("price=1 ", "price=-1 "),
            BUST.to_owned(),
            "UnknownTrade(1/1 5@50 0)",
        ),
        (
            FIRST.to_owned(),
            bust("symbol=1", "symbol=3"),
            "UnknownSymbol(1/1 5@50 0)",
        ),
        (
            FIRST.to_owned(),
            bust("session=1", "session=4"),
            "UnknownSession(4/1 5@50 0)",
        ),
        (
            FIRST.replace("session=2", "session=9"),
            BUST.to_owned(),
            "UnknownSession(1/1 5@50 0)",
        ),
        (
            FIRST.to_owned(),
            bust("quantity=5", "quantity=0"),
            "InvalidQuantity(1/1 0@50 0)",
        ),
        (
            FIRST.to_owned(),
            bust("quantity=5", "quantity=1000000"),
            "InvalidQuantity(1/1 1000000@50 0)",
        ),
        (
            FIRST.to_owned(),
            bust("price=50", "price=0"),
            "InvalidPrice(1/1 5@0 0)",
        ),
        (
            FIRST.to_owned(),
            bust("price=50", "price=2000000000"),
            "InvalidPrice(1/1 5@any 0)",
        ),
    ];
    let mut desk = Desk::new(OFFERED, 0);
    for command in ["1/1 S 8@50", "2/1 B 5@50", "2/2 B 3@50"] {
        desk.answer(command);
    }
    for (named, bust, refused) in cases {
        desk.answer(&named);
        assert_eq!(
            desk.answer(&bust),
            format!("Refused:{refused}"),
            "{named} {bust}"
        );
    }
    // None of these took it back.
    desk.check(&[(FIRST, NAMED), (BUST, BROKEN)]);
}

#[test]
fn accounts_get_back_position_and_credit() {
    // Account 1 sold 8, account 2 bought 8: each at 400 of gross, and 8 units of position.
    let limits = [
        "SetLimit user_ref=1 flags=6 price=400",
        "SetLimit user_ref=1 flags=5 price=8",
        "SetLimit user_ref=2 flags=7 price=400",
    ];
    check(
        &limits,
        &[
            ("1/2 S 1@60", "Rejected:MaxPosition(1/2 1@60 0)"),
            ("1/2 B 1@1", "Rejected:GrossCredit(1/2 1@1 0)"),
            ("2/3 B 1@1", "Rejected:NetCredit(2/3 1@1 0)"),
            (FIRST, NAMED),
            (BUST, BROKEN),
            ("1/2 S 6@41", "Rejected:MaxPosition(1/2 6@41 0)"),
            ("1/2 S 5@51", "Rejected:GrossCredit(1/2 5@51 0)"),
            ("2/3 B 6@42", "Rejected:NetCredit(2/3 6@42 0)"),
            ("2/3 B 5@40", "Accepted(2/3 5@40 5 B)"),
            ("1/2 S 5@50", "Accepted(1/2 5@50 5 B)"),
        ],
    );
}

#[test]
fn no_more_is_taken_back_than_was_traded() {
    let more = BUST.replace("quantity=5", "quantity=9");
    check(
        &["SetLimit user_ref=1 flags=0"],
        &[
            (FIRST, NAMED),
            (&more, "Refused:UnknownTrade(1/1 9@50 0)"),
            (FIRST, NAMED),
            (BUST, BROKEN),
            ("Trade session=2 user_ref=2 price=2", "Noted(2/2 0@2 0)"),
            (
                "Bust flags=42 symbol=1 session=1 user_ref=1 quantity=4 price=50",
                "Refused:UnknownTrade(1/1 4@50 0)",
            ),
        ],
    );
    // An account that trades with itself counts on both sides, and gets both back.
    let mut desk = Desk::with(OFFERED, 0, &["SetLimit user_ref=1 flags=6 price=500"]);
    desk.answer("1/1 S 5@50");
    desk.answer("3/1 B 5@50");
    desk.check(&[
        ("1/2 B 1@1", "Rejected:GrossCredit(1/2 1@1 0)"),
        ("Trade session=3 user_ref=1 price=1", "Noted(3/1 0@1 0)"),
        (
            "Bust side=1 flags=41 symbol=1 session=1 user_ref=1 quantity=5 price=50",
            "Broken:Supervisory(1/1 5@50 0 M)#1  Broken:Supervisory(3/1 5@50 0)#1 ",
        ),
        ("1/2 B 10@50", "Accepted(1/2 10@50 10 B)"),
    ]);
}

#[test]
fn orders_and_prices_stay_as_they_are_and_the_day_may_be_over() {
    check(
        &["SetLimit user_ref=1 flags=3 price=100"],
        &[
            (FIRST, NAMED),
            (BUST, BROKEN),
            // Neither do the units come back, nor is the last price another one.
            ("1/1 X1", "CancelRejected:UnknownOrder(1/1 1@0 0)"),
            ("1/2 B 1@51", "Rejected:FatFinger(1/2 1@51 0)"),
            ("CloseDay", "DayClosed(0/0 0@0 0)"),
            ("Trade session=2 user_ref=2 price=2", "Noted(2/2 0@2 0)"),
            (
                "Bust side=1 flags=40 symbol=1 session=1 user_ref=1 quantity=3 price=50",
                "Broken:Consent(1/1 3@50 0 M)#2  Broken:Consent(2/2 3@50 0)#2 ",
            ),
        ],
    );
}
