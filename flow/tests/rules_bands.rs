//! Price bands: their edges, what they do to orders, the limit state and its timers, by hand.

mod desk;

use desk::Desk;
use flow::naive::increments::{self, BANDS, STATES};
use wire::ring::Side;

const OFFERED: u16 = increments::first(7) | STATES | BANDS;

fn check(lines: &[(&str, &str)]) {
    let mut desk = Desk::new(OFFERED, 0);
    desk.check(lines);
}

/// A last price, and a dynamic reference, of 1,000 in symbol 1.
fn traded(bands: &str) -> Desk {
    let mut desk = Desk::new(OFFERED, 0);
    assert_eq!(desk.answer("- at=1000000"), "Noted(0/0 0@0 0)");
    let answer = desk.answer(&format!("SetBands symbol=1 {bands}"));
    assert!(answer.starts_with("Configured("), "{answer}");
    desk.answer("2/1 S 1@1000");
    let answer = desk.answer("1/1 B 1@1000");
    assert!(answer.contains("Executed"), "{answer}");
    desk
}

/// Whether orders at these prices pass the static band.
fn passes(state: &str, bands: &str, prices: [(&str, i64); 4]) -> [bool; 4] {
    prices.map(|(side, price)| {
        let mut desk = Desk::new(OFFERED, 0);
        desk.answer(state);
        desk.answer(bands);
        let symbol = if bands.contains("symbol=2") { 2 } else { 1 };
        let answer = desk.answer(&format!("1/1 {side} 1@{price} sym={symbol}"));
        let is_rejected = answer.starts_with("Rejected:PriceBand(");
        assert!(is_rejected || answer.starts_with("Accepted("), "{answer}");
        !is_rejected
    })
}

#[test]
fn edges_are_cut_and_rounded_to_the_tick_towards_the_reference() {
    let at = |reference| format!("SetState symbol=1 flags=3 price={reference}");
    let edges = [
        // 5 percent of 1,000.
        (at(1000), "quantity=500", 1050, 950),
        // 3.333 is cut to 3.
        (at(9999), "quantity=3", 10001, 9997),
        (at(100), "quantity=99", 100, 100),
        // All of it, and nothing below 1 can be asked.
        (at(100), "quantity=10000", 200, 1),
    ];
    for (state, width, upper, lower) in edges {
        let bands = format!("SetBands symbol=1 {width}");
        let prices = [
            ("B", upper),
            ("B", upper + 1),
            ("S", lower),
            ("S", (lower - 1).max(1)),
        ];
        let expected = [true, false, true, lower == 1];
        assert_eq!(passes(&state, &bands, prices), expected, "{state} {width}");
        // The other way there is no edge, and none without a width or a reference.
        let prices = [("B", 1), ("B", 1), ("S", 99999), ("S", 99999)];
        assert_eq!(passes(&state, &bands, prices), [true; 4]);
        let prices = [("B", 99999), ("B", 99999), ("S", 1), ("S", 1)];
        assert_eq!(passes("Time", &bands, prices), [true; 4]);
        assert_eq!(passes(&state, "SetBands symbol=1", prices), [true; 4]);
    }
    // 12 percent of 100 in ticks of 5: 88 to 112 become 90 to 110.
    let state = "SetState symbol=2 flags=3 price=100";
    let prices = [("B", 110), ("B", 115), ("S", 90), ("S", 85)];
    let found = passes(state, "SetBands symbol=2 quantity=1200", prices);
    assert_eq!(found, [true, false, true, false]);
}

#[test]
fn the_static_band_is_checked_behind_the_attributes_in_continuous_trading_only() {
    check(&[
        (
            "SetState symbol=1 flags=3 price=1000",
            "StateChanged(0/0 3@1000 3)",
        ),
        (
            "SetBands symbol=1 quantity=1000",
            "Configured(0/0 1000@0 0)",
        ),
        ("2/1 S 5@1050", "Accepted(2/1 5@1050 5 B)"),
        ("1/1 B 1@1101 post", "Rejected:WouldTrade(1/1 1@1101 0)"),
        ("1/1 B 1@1101 exp=-1", "Rejected:InvalidField(1/1 1@1101 0)"),
        ("1/1 B 1@1101 ioc", "Rejected:PriceBand(1/1 1@1101 0)"),
        // A slide and a market order that becomes a limit are looked at with their new prices.
        ("1/1 B 1@1101 post slide", "Accepted(1/1 1@1049 1 B)"),
        (
            "1/2 B 1@any limit",
            "Accepted(1/2 1@1050 1) Executed(2/1 1@1050 4 MB) Executed(1/2 1@1050 0)",
        ),
        (
            "1/3 B 1@any",
            "Accepted(1/3 1@any 1) Executed(2/1 1@1050 3 MB) Executed(1/3 1@1050 0)",
        ),
        ("1/4 R1 1@1101", "Rejected:PriceBand(1/4 1@1101 0)"),
        ("1/4 B 1@1101 stop=1200", "Rejected:PriceBand(1/4 1@1101 0)"),
        ("1/4 B 1@any stop=1200", "Accepted(1/4 1@any 1 P)"),
        ("1/5 B 1@1101 aon", "Rejected:PriceBand(1/5 1@1101 0)"),
        ("1/5 B 1@1101 close", "Rejected:PriceBand(1/5 1@1101 0)"),
        // A peg's limit is only its cap.
        ("1/5 B 1@1101 primary=-9", "Accepted(1/5 1@1040 1 BH)"),
        ("SetState symbol=1 flags=6", "StateChanged(0/0 6@1000 3)"),
        ("1/6 B 1@1101", "Accepted(1/6 1@1101 1 B)"),
    ]);
}

#[test]
fn nobody_trades_beyond_the_dynamic_edges() {
    // 990 to 1,010.
    let mut desk = traded("old_user_ref=100");
    desk.check(&[
        ("2/2 S 3@1010", "Accepted(2/2 3@1010 3 B)"),
        ("2/3 S 3@1011", "Accepted(2/3 3@1011 3 B)"),
        (
            "1/2 B 4@any",
            "Accepted(1/2 4@any 4) Executed(2/2 3@1010 0 MB) Executed(1/2 3@1010 1) \
             Canceled:ImmediateOrCancel(1/2 1@any 0)",
        ),
        (
            "1/3 B 4@1050 ioc",
            "Accepted(1/3 4@1050 4) Canceled:ImmediateOrCancel(1/3 4@1050 0)",
        ),
        // A limit takes the edge as its price.
        ("1/4 B 2@1050", "Accepted(1/4 2@1010 2 B)"),
        ("1/5 B 2@1050 post", "Accepted(1/5 2@1010 2 B)"),
        ("1/6 R5 2@1011", "Replaced(1/6 2@1010 2 B)9<8"),
        (
            "1/7 B 3@1050 min=1",
            "Accepted(1/7 3@1010 3) Canceled:MinimumQuantity(1/7 3@1010 0)",
        ),
        ("1/8 B 3@any limit", "Accepted(1/8 3@1010 3 B)"),
        ("1/9 B 3@1011 aon", "Accepted(1/9 3@1010 3 P)"),
        ("1/9 X0", "Canceled:User(1/9 3@1010 0 P)"),
        ("3/1 S 1@900 post slide", "Accepted(3/1 1@1011 1 B)"),
        ("3/1 X0", "Canceled:User(3/1 1@1011 0 B)"),
        // Sells do not trade below 990, but above 1,010.
        (
            "2/4 S 8@900",
            "Accepted(2/4 8@990 8) Executed(1/4 2@1010 0 MB) Executed(2/4 2@1010 6) \
             Executed(1/6 2@1010 0 MB) Executed(2/4 2@1010 4) \
             Executed(1/8 3@1010 0 MB) Executed(2/4 3@1010 1) Booked(2/4 1@990 1 B)",
        ),
        ("2/5 S 1@any limit", "Rejected:NoLiquidity(2/5 1@any 0)"),
    ]);
}

#[test]
fn the_dynamic_reference_is_30_seconds_old_before_a_trade_takes_its_place() {
    let mut desk = traded("old_user_ref=100");
    desk.check(&[
        ("2/2 S 9@1009", "Accepted(2/2 9@1009 9 B)"),
        // It is of the millisecond 1.
        ("- at=30000999999", "Noted(0/0 0@0 0)"),
        (
            "1/2 B 1@1009",
            "Accepted(1/2 1@1009 1) Executed(2/2 1@1009 8 MB) Executed(1/2 1@1009 0)",
        ),
        ("1/3 B 1@1050 close", "Accepted(1/3 1@1050 1 P)"),
        ("2/3 S 1@1019", "Accepted(2/3 1@1019 1 B)"),
        ("- at=30001000000", "Noted(0/0 0@0 0)"),
        // The edges are those of its arrival: 1,010, though its first trade sets them to 1,019.
        (
            "1/4 B 10@any",
            "Accepted(1/4 10@any 10) Executed(2/2 8@1009 0 MB) Executed(1/4 8@1009 2) \
             Canceled:ImmediateOrCancel(1/4 2@any 0)",
        ),
        (
            "1/5 B 2@any",
            "Accepted(1/5 2@any 2) Executed(2/3 1@1019 0 MB) Executed(1/5 1@1019 1) \
             Canceled:ImmediateOrCancel(1/5 1@any 0)",
        ),
        ("1/6 B 1@1050", "Accepted(1/6 1@1019 1 B)"),
        // An uncross sets it at once.
        ("SetState symbol=1 flags=6", "StateChanged(0/0 6@0 3)"),
        ("2/4 S 1@500", "Accepted(2/4 1@500 1 B)"),
        ("1/6 X0", "Canceled:User(1/6 1@1019 0 B)"),
        ("1/7 B 1@500", "Accepted(1/7 1@500 1 B)"),
        (
            "SetState symbol=1 flags=3",
            "Uncrossed(0/0 1@500 0)B Executed(1/7 1@500 0 MBA) Executed(2/4 1@500 0 MBA) \
             StateChanged(0/0 3@500 6)",
        ),
        ("1/8 B 1@1050", "Accepted(1/8 1@505 1 B)"),
    ]);
}

#[test]
fn what_traded_before_the_first_bands_is_no_reference() {
    let mut desk = Desk::new(OFFERED, 0);
    for command in [
        "2/1 S 2@1000",
        "1/1 B 1@1000",
        "SetBands symbol=1 old_user_ref=100",
    ] {
        desk.answer(command);
    }
    assert_eq!(desk.answer("1/2 B 1@900"), "Accepted(1/2 1@900 1 B)");
    assert_eq!(desk.answer("2/2 S 1@2000"), "Accepted(2/2 1@2000 1 B)");
    desk.answer("1/3 B 1@1000");
    assert_eq!(desk.answer("1/4 B 1@2000"), "Accepted(1/4 1@1010 1 B)");
}

#[test]
fn stops_take_the_edge_when_they_come_to_life_and_pegs_follow_it() {
    let mut desk = traded("old_user_ref=100");
    desk.check(&[
        ("1/2 B 2@1050 stop=1005", "Accepted(1/2 2@1050 2 P)"),
        ("2/2 S 1@1005", "Accepted(2/2 1@1005 1 B)"),
        (
            "1/3 B 1@1005",
            "Accepted(1/3 1@1005 1) Executed(2/2 1@1005 0 MB) Executed(1/3 1@1005 0) \
             Triggered(1/2 2@1010 2 B)6<3",
        ),
        // Its bid and 5, but no further than the edge.
        ("1/4 B 1@any primary=5", "Accepted(1/4 1@1010 1 BH)"),
        (
            "SetBands symbol=1",
            "Configured(0/0 0@0 0) Repriced(1/4 1@1015 1 BH)8<7",
        ),
        (
            "SetBands symbol=1 old_user_ref=100",
            "Configured(0/0 0@0 0) Repriced(1/4 1@1010 1 BH)9<8",
        ),
        // The all-or-none order keeps its price and trades within the edges.
        (
            "SetBands symbol=1",
            "Configured(0/0 0@0 0) Repriced(1/4 1@1015 1 BH)10<9",
        ),
        ("3/1 B 4@1030 aon", "Accepted(3/1 4@1030 4 P)"),
        (
            "SetBands symbol=1 old_user_ref=100",
            "Configured(0/0 0@0 0) Repriced(1/4 1@1010 1 BH)12<10",
        ),
        ("2/3 S 5@1011", "Accepted(2/3 5@1011 5 B)"),
        (
            "SetBands symbol=1 old_user_ref=110",
            "Configured(0/0 0@0 0) Triggered(3/1 4@1030 4)14<11 Executed(2/3 4@1011 1 MB) \
             Executed(3/1 4@1011 0)",
        ),
    ]);
}

#[test]
fn a_best_price_at_the_edge_is_the_limit_state_then_a_volatility_auction_then_trades_again() {
    // 990 to 1,010; 5 ms, then 7 ms.
    let mut desk = traded("old_user_ref=100 user_ref=5 price=7");
    desk.check(&[
        ("1/2 B 1@1009", "Accepted(1/2 1@1009 1 B)"),
        (
            "1/3 B 4@1050",
            "Accepted(1/3 4@1010 4 B) StateChanged(0/0 9@0 3)!6000000",
        ),
        // It trades on, and leaves the state as soon as the edge is free.
        ("1/4 B 1@1010", "Accepted(1/4 1@1010 1 B)"),
        (
            "2/2 S 1@1010",
            "Accepted(2/2 1@1010 1) Executed(1/3 1@1010 3 MB) Executed(2/2 1@1010 0)",
        ),
        ("1/4 X0", "Canceled:User(1/4 1@1010 0 B)"),
        (
            "1/3 X1",
            "Canceled:User(1/3 3@1010 0 B) StateChanged(0/0 3@0 9)",
        ),
        ("- at=2000000", "Noted(0/0 0@0 0)"),
        // The other side, until its time is over: one before, then at it.
        (
            "2/3 S 2@900",
            "Accepted(2/3 2@990 2) Executed(1/2 1@1009 0 MB) Executed(2/3 1@1009 1) \
             Booked(2/3 1@990 1 B) StateChanged(0/0 9@0 3)!7000000",
        ),
        ("- at=6999999", "Noted(0/0 0@0 0)"),
        (
            "- at=7000000",
            "StateChanged(0/0 5@0 9)!14000000 Noted(0/0 0@0 0)",
        ),
        ("1/5 B 2@995", "Accepted(1/5 2@995 2 B)"),
        ("- at=13999999", "Noted(0/0 0@0 0)"),
        // Back by time, ahead of what the input itself does; then 995 is the reference.
        (
            "1/6 B 1@1050 at=14000000",
            "Uncrossed(0/0 1@995 1)B Executed(1/5 1@995 1 MBA) Executed(2/3 1@995 0 MBA) \
             StateChanged(0/0 3@995 5) Accepted(1/6 1@1004 1 B) StateChanged(0/0 9@995 3)!19000000",
        ),
        // A `SetState` ends the timer; the consequences begin it anew, while the edge is met.
        (
            "SetState symbol=1 flags=3",
            "StateChanged(0/0 3@995 9) StateChanged(0/0 9@995 3)!19000000",
        ),
        ("SetState symbol=1 flags=5", "StateChanged(0/0 5@995 9)"),
        ("- at=99000000", "Noted(0/0 0@0 0)"),
        ("SetState symbol=1 flags=4", "StateChanged(0/0 4@995 5)"),
    ]);
}

#[test]
fn without_an_auction_time_a_volatility_auction_waits_for_somebody() {
    let mut desk = traded("old_user_ref=100 user_ref=5");
    desk.check(&[
        (
            "1/2 B 4@1010",
            "Accepted(1/2 4@1010 4 B) StateChanged(0/0 9@0 3)!6000000",
        ),
        // Other bands do not move a timer that runs.
        (
            "SetBands symbol=1 old_user_ref=100 user_ref=9",
            "Configured(0/9 0@0 0)",
        ),
        ("- at=6000000", "StateChanged(0/0 5@0 9) Noted(0/0 0@0 0)"),
        ("- at=9000000000", "Noted(0/0 0@0 0)"),
        (
            "SetState symbol=1 flags=3",
            "Uncrossed(0/0 0@0 0)B StateChanged(0/0 3@0 5) StateChanged(0/0 9@0 3)!9009000000",
        ),
        (
            "SetBands symbol=1 old_user_ref=100",
            "Configured(0/0 0@0 0) StateChanged(0/0 3@0 9)",
        ),
        (
            "SetBands symbol=1 old_user_ref=100 user_ref=1",
            "Configured(0/1 0@0 0) StateChanged(0/0 9@0 3)!9001000000",
        ),
        (
            "SetBands symbol=1 user_ref=1",
            "Configured(0/1 0@0 0) StateChanged(0/0 3@0 9)",
        ),
    ]);
    assert_eq!(desk.shown(1, Side::Buy), "4@1010");
}

#[test]
fn orders_expire_before_timers_and_timers_run_by_time_then_number() {
    let mut desk = Desk::new(OFFERED, 0);
    desk.answer("- at=1000000");
    for (symbol, limit_ms) in [(1, 5), (2, 3)] {
        desk.answer(&format!(
            "SetBands symbol={symbol} old_user_ref=100 user_ref={limit_ms} price=1"
        ));
        desk.answer(&format!("2/{symbol} S 1@1000 sym={symbol}"));
        desk.answer(&format!("1/{symbol} B 1@1000 sym={symbol}"));
    }
    desk.check(&[
        (
            "1/3 B 1@1010",
            "Accepted(1/3 1@1010 1 B) StateChanged(0/0 9@0 3)!6000000",
        ),
        (
            "1/4 B 1@1010 sym=2",
            "Accepted(1/4 1@1010 1 B) StateChanged(0/0 9@0 3)!4000000",
        ),
        ("1/5 B 1@900 exp=7000000", "Accepted(1/5 1@900 1 B)"),
        (
            "- at=8000000",
            "Canceled:Expired(1/5 1@900 0 B) StateChanged(0/0 5@0 9)!9000000 \
             StateChanged(0/0 5@0 9)!9000000 Noted(0/0 0@0 0)",
        ),
        (
            "- at=9000000",
            "Uncrossed(0/0 0@0 0)B StateChanged(0/0 3@0 5) Uncrossed(0/0 0@0 0)B \
             StateChanged(0/0 3@0 5) Noted(0/0 0@0 0) StateChanged(0/0 9@0 3)!14000000 \
             StateChanged(0/0 9@0 3)!12000000",
        ),
    ]);
}

#[test]
fn bands_that_make_no_sense_are_refused() {
    for (bands, answer) in [
        ("symbol=9 quantity=10001", "Refused:UnknownSymbol"),
        ("symbol=1 quantity=10001", "Refused:InvalidField"),
        ("symbol=1 old_user_ref=10001", "Refused:InvalidField"),
        ("symbol=1 price=-1", "Refused:InvalidField"),
        ("symbol=1 price=4294967296", "Refused:InvalidField"),
        (
            "symbol=1 price=4294967295 user_ref=4294967295",
            "Configured",
        ),
        ("symbol=1 quantity=10000 old_user_ref=10000", "Configured"),
        ("symbol=1", "Configured"),
    ] {
        let command = format!("SetBands {bands}");
        let found = Desk::new(OFFERED, 0).answer(&command);
        assert!(found.starts_with(&format!("{answer}(")), "{bands}: {found}");
        let unknown = Desk::new(increments::first(4), 0).answer(&command);
        assert!(unknown.starts_with("Refused:InvalidField("), "{unknown}");
    }
}
