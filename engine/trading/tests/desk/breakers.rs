//! Who loses, asks or dawdles too much is stopped, and the others go on.

use crate::kit::{Heard, Rig, breaker, filled, limits, listens, listing, money, once, order};
use trading::desk::{Answer, BreakerRule, Stopwatch, Trip};
use trading::{Event, What};
use wire::ring::Side::Buy;

fn rig(rule: BreakerRule, act: crate::kit::Act) -> Rig {
    let parts = vec![("first", 1, rule, act), ("second", 2, breaker(), listens())];
    Rig::new(vec![listing("AAA")], limits(), parts)
}

fn tripped(rig: &Rig) -> [Option<Trip>; 2] {
    let mut all = rig.desk.seats().map(|(_, breaker, _)| breaker.tripped());
    [all.next().unwrap(), all.next().unwrap()]
}

#[test]
fn loss() {
    let rule = BreakerRule {
        loss_max: money("1"),
        ..breaker()
    };
    let act = once(|desk| {
        desk.send(order(Buy, 1_002, 60)).unwrap();
        desk.send(order(Buy, 990, 1)).unwrap();
    });
    let mut rig = rig(rule, act);
    rig.book(0, 1_000, 1_002);
    rig.answer(1, Answer::Accepted);
    rig.answer(2, Answer::Accepted);
    rig.answer(1, filled(1_002, 60, false));
    assert_eq!(tripped(&rig), [None, None], "0.60 and a fee of 0.18036");
    rig.lines();
    rig.heard();
    rig.book(0, 999, 1_001);
    let profit = money("-1.38036");
    assert_eq!(tripped(&rig), [Some(Trip::Loss(profit)), None]);
    let stop = "1000000000 first stop loss: its profit is -1.38036";
    assert_eq!(rig.lines(), [stop, "1000000000 first cancel #2"]);
    assert_eq!(rig.heard(), [("second", Heard::Book(0))]);
}

#[test]
fn rate() {
    let rule = BreakerRule {
        orders_max: 2,
        orders_window_ns: 100,
        ..breaker()
    };
    let act = Box::new(|desk: &mut trading::desk::Context<'_>, _: &Heard| {
        let _ = desk.send(order(Buy, 990, 1));
    });
    let mut rig = rig(rule, act);
    for ahead_ns in [0, 50, 50] {
        rig.now_ns += ahead_ns;
        rig.book(0, 1_000, 1_002);
    }
    assert_eq!(rig.sent().len(), 3);
    assert_eq!(tripped(&rig), [None, None]);
    rig.now_ns += 49;
    rig.book(0, 1_000, 1_002);
    assert_eq!(tripped(&rig), [Some(Trip::Rate(2)), None]);
    let lines = rig.lines();
    assert_eq!(
        lines[0],
        "1000000149 first refused stopped buy AAA 1 at 990 day"
    );
    assert_eq!(
        lines[1],
        "1000000149 first stop rate: more than 2 requests in its window"
    );
    assert_eq!(lines.len(), 2, "the orders were not answered yet");
    rig.answer(1, Answer::Accepted);
    assert_eq!(rig.lines(), ["1000000149 first cancel #1"]);
}

/// Every call takes this long.
struct Slow(u64);

impl Stopwatch for Slow {
    fn start(&mut self) {}

    fn took_ns(&mut self, call: u64) -> u64 {
        // The first strategy's calls are those with odd numbers.
        if call % 2 == 1 { self.0 } else { 0 }
    }
}

#[test]
fn budget() {
    let rule = BreakerRule {
        overruns_max: 2,
        ..breaker()
    };
    let mut rig = rig(rule, listens());
    let trade = What::Trade {
        price: 1_001,
        quantity: 1,
        aggressor: None,
    };
    let event = Event {
        event_ns: 5,
        received_ns: 5,
        symbol: 0,
        what: trade,
    };
    rig.desk.event(&event, &mut Slow(1_000));
    rig.desk.event(&event, &mut Slow(1_001));
    assert_eq!(tripped(&rig), [None, None]);
    rig.desk.event(&event, &mut Slow(1_002));
    let mut calls = Vec::new();
    rig.desk
        .take_overruns(|overrun| calls.push((overrun.call, overrun.took_ns)));
    // Three trades are a bar, which both heard of.
    assert_eq!(calls, [(3, 1_001), (5, 1_002), (7, 1_002)]);
    assert_eq!(tripped(&rig), [Some(Trip::Budget(1_002)), None]);
    assert_eq!(
        rig.lines(),
        ["5 first stop budget: a call of it took 1002 ns"]
    );
}

#[test]
fn answer() {
    let rule = BreakerRule {
        answer_ns_max: 500,
        ..breaker()
    };
    let act = once(|desk| {
        desk.send(order(Buy, 990, 1)).unwrap();
        desk.send(order(Buy, 991, 1)).unwrap();
    });
    let mut rig = rig(rule, act);
    rig.book(0, 1_000, 1_002);
    rig.now_ns += 500;
    rig.answer(1, Answer::Accepted);
    rig.lines();
    rig.now_ns += 1;
    rig.answer(2, Answer::Accepted);
    let expected = [
        "1000000501 first cancel #2",
        "1000000501 first stop answer: the venue took 501 ns",
        "1000000501 first cancel #1",
    ];
    let mut lines = rig.lines();
    lines.sort();
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(lines, expected);
    assert_eq!(tripped(&rig), [Some(Trip::Answer(501)), None]);
}
