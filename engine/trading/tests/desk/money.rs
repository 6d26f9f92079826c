//! Money by hand: what fills cost, what is held is worth, and how far it fell.

use crate::kit::{Rig, breaker, filled, limits, listing, money, once, order};
use trading::desk::{Answer, ListingError, Listings, Money, Worth};
use trading::{Instrument, Step};
use wire::ring::Side::{Buy, Sell};

#[test]
fn text_is_exact() {
    for text in [
        "0.00",
        "12.50",
        "-3.000000000000000000000001",
        "70000000000000.00",
    ] {
        assert_eq!(money(text).to_string(), text);
    }
    let pairs = [("7", "7.00"), ("-0.5", "-0.50"), ("1.230", "1.23")];
    for (text, shown) in pairs {
        assert_eq!(money(text).to_string(), shown);
    }
    let long = format!("0.{}", "1".repeat(25));
    for text in ["", "-", ".5", "1,5", "1e3", "--1", "999999999999999", &long] {
        assert_eq!(Money::parse(text), None, "{text:?}");
    }
    assert_eq!(Money::MAX + money("1"), Money::MAX);
}

#[test]
fn worth_is_exact_to_the_last_digit() {
    // A tick of 0.25 and a lot of 0.0001: 12 lots at 4 ticks are 0.0012 of something at 1.00.
    let instrument = |tick, lot| Instrument {
        name: "X".to_owned(),
        venue: "test".to_owned(),
        tick,
        lot,
    };
    let worth = Worth::of(&instrument(
        Step::new(25, 2).unwrap(),
        Step::new(1, 4).unwrap(),
    ));
    let worth = worth.unwrap();
    assert_eq!(worth.value(4, 12), money("0.0012"));
    assert_eq!(worth.value_half(9, -2), money("-0.000225"));
    assert_eq!(worth.fee(4, 12, 1), money("0.0000000012"));
    assert_eq!(worth.fee(4, 12, -250), money("-0.0000003"));
    let fine = Step::new(1, 10).unwrap();
    assert_eq!(Worth::of(&instrument(fine, fine)), None);
}

/// 100 bought at 10.02 as the taker, 60 sold at 10.10 as the maker; fees 300 and -100 millionths.
#[test]
fn profit_behind_fees() {
    let act = once(|desk| {
        desk.send(order(Buy, 1_002, 100)).unwrap();
        desk.send(order(Sell, 1_010, 60)).unwrap();
    });
    let mut rig = Rig::plain(act);
    rig.book(0, 1_000, 1_002);
    for id in [1, 2] {
        rig.answer(id, Answer::Accepted);
    }
    rig.answer(1, filled(1_002, 100, false));
    let position = rig.desk.account().position(0);
    assert_eq!(position.lots, 100);
    assert_eq!(position.cash, money("-1002"));
    assert_eq!(position.fees, money("0.3006"));
    // 100 at the middle of 10.01.
    assert_eq!(rig.desk.account().equity(), money("-1.3006"));

    rig.answer(2, filled(1_010, 60, true));
    let position = rig.desk.account().position(0);
    assert_eq!((position.lots, position.lots_traded), (40, 160));
    assert_eq!((position.fills, position.fills_maker), (2, 1));
    assert_eq!(position.cash, money("-396"));
    assert_eq!(position.fees, money("0.24"));
    // 40 at 10.01 are 400.40.
    assert_eq!(rig.desk.account().equity(), money("4.16"));
    assert_eq!(rig.desk.account().drawdown(), money("1.3006"));

    // The middle falls by 0.05 and comes back: 40 * 0.05 from the peak.
    rig.book(0, 995, 997);
    assert_eq!(rig.desk.account().equity(), money("2.16"));
    rig.book(0, 1_000, 1_002);
    assert_eq!(rig.desk.account().equity(), money("4.16"));
    assert_eq!(rig.desk.account().drawdown(), money("2.00"));
    assert_eq!(rig.desk.account().fees(rig.desk.listings()), money("0.24"));
}

/// Profits in another currency count at the middle of the market between the two.
#[test]
fn other_currencies() {
    let (mut cross, mut eur) = (listing("CCC"), listing("EUR"));
    cross.quote = "EUR".to_owned();
    eur.maker_ppm = 0;
    let act = once(|desk| {
        desk.send(order(Sell, 500, 100)).unwrap();
    });
    let mut rig = Rig::new(vec![cross, eur], limits(), vec![("s", 1, breaker(), act)]);
    rig.book(1, 109, 111);
    rig.book(0, 498, 500);
    rig.answer(1, Answer::Accepted);
    rig.answer(1, filled(500, 100, true));
    // Sold at 5.00, worth 4.99: 1.00 EUR, and 0.05 for standing there; at 1.10 USD.
    assert_eq!(rig.desk.account().equity(), money("1.155"));

    let mut alone = listing("DDD");
    alone.quote = "GBP".to_owned();
    let error = Listings::new(vec![alone], "USD").unwrap_err();
    assert!(matches!(error, ListingError::NoWay { .. }), "{error}");
    assert!(error.to_string().contains("no market has GBP and USD"));
    assert_eq!(
        Listings::new(vec![], "USD").unwrap_err(),
        ListingError::Count(0)
    );
}
