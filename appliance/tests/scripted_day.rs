//! A whole trading day by the schedule of a topology: pre-open, opening cross, continuous trading,
//! a halt, a volatility auction, the close. What the engine said of it, by the journal's clock, is
//! `tests/scripted_day.txt`, line by line.
//!
//! `GOLDEN_WRITE=1 cargo test -p appliance --test scripted_day` writes the text anew: only when a
//! rule was meant to change.
#![allow(clippy::unwrap_used)]

mod stage;

use appliance::topology::Topology;
use appliance::venue::{engine_limits, word};
use journal::recover;
use journal::simulated::Disk;
use matching::{Engine, Events, Line, Step};
use session::ouch_client::Order;
use stage::Stage;
use std::fmt::Write;
use wire::ring::{Event, EventKind, Input, MarketState, PRICE_MARKET, Reason, Side};

const MS: u64 = 1_000_000;

/// The price that asks for any price.
const ANY: u64 = PRICE_MARKET.unsigned_abs();

/// Times are in milliseconds after the day's opening.
const DAY: &str = "[opening]\nAAPL = { state = \"pre-open\", reference = 1000000 }\n\n\
                   [bands]\nAAPL = { static_bp = 1000, dynamic_bp = 100, limit_ms = 50, \
                   auction_ms = 200 }\n\n\
                   [schedule]\nopening_auction_ms = 1000\ncontinuous_ms = 2000\n\
                   closing_auction_ms = 6000\nclosed_ms = 7000\nindicate_ms = 500\n\
                   time_ms = 10\n\n[limits]";

/// What happens beside the schedule.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A member, 0 or 1, enters an order.
    Order(usize, u8, u32, u64),
    /// A member takes one of its orders off.
    Cancel(usize, u32),
    /// An operator's word.
    Word(&'static str),
}

use Act::{Cancel, Word};

/// The script, by milliseconds.
const SCRIPT: &[(u64, Act)] = &[
    // Pre-open: orders rest, also crossed ones, and may leave.
    (300, Act::Order(0, b'S', 100, 1_000_000)),
    (400, Act::Order(1, b'B', 120, 1_001_000)),
    (500, Act::Order(0, b'S', 10, 999_000)),
    (600, Cancel(0, 2)),
    // The call, which the clock ends.
    (1_200, Act::Order(1, b'B', 30, ANY)),
    (1_700, Act::Order(0, b'S', 20, 1_000_500)),
    // Continuous trading.
    (2_300, Act::Order(0, b'S', 40, 1_002_000)),
    (2_400, Act::Order(1, b'B', 25, 1_002_000)),
    // A halt: orders are refused, cancels are not; a call ends it.
    (3_000, Word("state AAPL halt")),
    (3_100, Act::Order(1, b'B', 5, 1_002_000)),
    (3_200, Cancel(0, 4)),
    (3_300, Word("state AAPL reopening")),
    (3_400, Act::Order(0, b'S', 15, 1_001_000)),
    (3_500, Word("state AAPL continuous")),
    // A price that runs: limit state, volatility auction, and back, by the bands' timers.
    (4_000, Act::Order(0, b'S', 10, 1_030_000)),
    (4_100, Act::Order(1, b'B', 10, 1_030_000)),
    (4_200, Act::Order(0, b'S', 30, 1_011_000)),
    (4_500, Act::Order(1, b'B', 3, 1_011_000)),
    // The close.
    (6_200, Act::Order(0, b'S', 50, 1_000_000)),
    (6_300, Act::Order(1, b'B', 50, 1_003_000)),
    (7_500, Act::Order(1, b'B', 1, 1_000_000)),
];

fn text(day: &str) -> String {
    let memory = "ack = \"memory\"\nsegment_mib = 4";
    let text = stage::FILE.replacen("ack = \"disk\"", memory, 1);
    text.replacen("[limits]", day, 1)
}

/// A stage whose members are logged in and whose day is open; gives when that was.
fn opened(stage: &mut Stage<'_>) -> u64 {
    stage.turns(true);
    stage.now_ns
}

/// Goes on in steps of 5 ms, in each of which everybody has several turns.
fn go_on(stage: &mut Stage<'_>, until_ns: u64) {
    while stage.now_ns < until_ns {
        for _ in 0..8 {
            stage.turn(true);
        }
        stage.now_ns = until_ns.min(stage.now_ns + 5 * MS);
    }
}

fn act(stage: &mut Stage<'_>, topology: &Topology, act: Act) {
    match act {
        Act::Order(member, side, quantity, price) => {
            let order = Order::day(side, quantity, "AAPL", price);
            stage.members.member(member).enter(&order).unwrap();
        }
        Cancel(member, user_ref) => assert!(stage.members.member(member).cancel(user_ref, 0)),
        Word(text) => {
            let command = word::read(text, topology).unwrap().command;
            assert!(stage.venue.operator.as_mut().unwrap().ask(&command));
        }
    }
}

/// Every event of the inputs in a journal, in the steps that it took, with the times of the inputs.
fn steps(topology: &Topology, disk: &Disk) -> Vec<(u64, Vec<Vec<Event>>)> {
    let mut lines = vec![Line::ZERO; engine_limits(topology).lines()];
    let mut engine = Engine::new(engine_limits(topology), &mut lines).unwrap();
    let (mut step, mut told) = (Events::new(), Vec::new());
    recover(&mut disk.storage(), &mut |input: &Input| {
        let mut state = engine.apply(input, &mut step);
        let mut steps = vec![step.as_slice().to_vec()];
        while state == Step::More {
            state = engine.resume(&mut step);
            steps.push(step.as_slice().to_vec());
        }
        told.push((input.time_ns, steps));
    })
    .unwrap();
    told
}

fn has(steps: &[Vec<Event>], kind: EventKind) -> bool {
    steps.iter().flatten().any(|event| event.kind == kind as u8)
}

fn opened_ns(inputs: &[(u64, Vec<Vec<Event>>)]) -> u64 {
    let opening = |(_, steps): &&(u64, Vec<Vec<Event>>)| has(steps, EventKind::DayOpened);
    inputs.iter().find(opening).unwrap().0
}

/// An event as a line; its time is that since the day's opening.
fn line(out: &mut String, since_ns: u64, event: &Event) {
    let kind = EventKind::from_byte(event.kind).unwrap();
    write!(out, "{:>9.3} ms {kind:?}", since_ns as f64 / MS as f64).unwrap();
    let state = |number: u32| MarketState::from_byte(number as u8).map(|it| format!("{it:?}"));
    if kind == EventKind::StateChanged {
        let [from, to] = [event.leaves, event.quantity].map(|it| state(it).unwrap_or_default());
        let (symbol, price) = (event.symbol, event.price);
        writeln!(out, " symbol={symbol} {from} -> {to} reference={price}").unwrap();
        return;
    }
    let side = Side::from_byte(event.side).unwrap();
    for (name, value) in [
        ("symbol", u64::from(event.symbol)),
        ("session", event.session.into()),
        ("user_ref", event.user_ref.into()),
        ("quantity", event.quantity.into()),
        ("leaves", event.leaves.into()),
        ("price", event.price as u64),
        ("flags", event.flags.into()),
    ] {
        if value != 0 {
            write!(out, " {name}={value}").unwrap();
        }
    }
    if event.reason != 0 {
        write!(out, " {:?}", Reason::from_byte(event.reason).unwrap()).unwrap();
    }
    writeln!(out, " {side:?}").unwrap();
}

#[test]
fn a_scripted_day_equals_its_expected_transcript() {
    let text = text(DAY);
    let topology = Topology::parse(&text).unwrap();
    let (disk, mut lines) = (Disk::new(1), Vec::new());
    let mut stage = Stage::of(&text, &disk, &mut lines);
    let from_ns = opened(&mut stage);
    for &(at_ms, what) in SCRIPT {
        go_on(&mut stage, from_ns + at_ms * MS);
        act(&mut stage, &topology, what);
    }
    go_on(&mut stage, from_ns + 8_000 * MS);
    drop(stage);

    let inputs = steps(&topology, &disk);
    let opened_ns = opened_ns(&inputs);
    let mut found = String::new();
    for (time_ns, steps) in &inputs {
        // What only carries time is of no interest.
        let events = steps.iter().flatten();
        for event in events.filter(|event| event.kind != EventKind::Noted as u8) {
            line(&mut found, time_ns.saturating_sub(opened_ns), event);
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripted_day.txt");
    if std::env::var_os("GOLDEN_WRITE").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

/// Orders of each member before the storm.
const ORDERS: u32 = 3_000;

/// A cancel comes every so many turns of a microsecond: 100,000 in a second.
const CANCEL_TURNS: u32 = 10;

/// Looks of a step of the engine, and events that fill one.
const STEP_LOOKS: usize = 256;
const EVENTS_A_STEP: usize = 60;

/// How far one turn of everybody moves the clock.
const TURN_NS: u64 = 1_000;

/// Cancels that may be under way in the venue at a time.
const BACKLOG_MAX: usize = 8;

/// When the call ends, after the opening: with a quarter of the orders still there.
const CALL_ENDS_MS: u64 = 45;

const STORM: &str = "[opening]\nAAPL = { state = \"pre-open\", reference = 1000000 }\n\n\
                     [schedule]\nopening_auction_ms = 1\ncontinuous_ms = 45\n\
                     indicate_ms = 1\n\n[limits]";

/// Both members enter orders that all cross.
fn crossed(stage: &mut Stage<'_>) {
    for number in 0..ORDERS {
        for (member, side) in [b'B', b'S'].into_iter().enumerate() {
            // Buys above sells, each side over a hundred prices.
            let step = u64::from(number % 100) * 100;
            let price = [1_050_000 - step, 950_000 + step][member];
            let order = Order::day(side, 1, "AAPL", price);
            while stage.members.member(member).enter(&order).is_none() {
                stage.turn(true);
            }
        }
    }
    while stage.told.iter().any(|told| told.taken < ORDERS as usize) {
        stage.turn(true);
    }
}

#[test]
fn auction_under_a_cancel_storm_of_100_000_a_second_ends_in_bounded_steps() {
    let text = text(STORM);
    let topology = Topology::parse(&text).unwrap();
    let (disk, mut lines) = (Disk::new(1), Vec::new());
    let mut stage = Stage::of(&text, &disk, &mut lines);
    opened(&mut stage);
    crossed(&mut stage);
    let (mut sent, mut backlog_max) = (0, 0);
    for number in 1..=ORDERS {
        for member in [0, 1] {
            assert!(stage.members.member(member).cancel(number, 0));
            sent += 1;
            for _ in 0..CANCEL_TURNS {
                stage.turn(true);
                // What was traded meanwhile is not answered any more.
                if stage.now_ns < CALL_ENDS_MS * MS {
                    let left: usize = stage.told.iter().map(|told| told.left).sum();
                    backlog_max = backlog_max.max(sent - left);
                }
            }
        }
    }
    stage.turns(true);
    assert!((1..=BACKLOG_MAX).contains(&backlog_max), "{backlog_max}");
    let cancelled: usize = stage.told.iter().map(|told| told.left).sum();
    drop(stage);

    let inputs = steps(&topology, &disk);
    let due_ns = opened_ns(&inputs) + CALL_ENDS_MS * MS;
    let mut indications = 0;
    for (_, steps) in &inputs {
        // A call is looked through a piece at a time, and told a ring's burst at a time.
        let events: usize = steps.iter().map(Vec::len).sum();
        let looks = 2 * ORDERS as usize / STEP_LOOKS;
        assert!(
            steps.len() <= 2 + looks + events / EVENTS_A_STEP,
            "{} steps",
            steps.len()
        );
        indications += usize::from(has(steps, EventKind::Indicative));
    }
    assert!(indications > 20, "{indications} indications");
    let is_end = |(_, steps): &&(u64, Vec<Vec<Event>>)| has(steps, EventKind::Uncrossed);
    let (time_ns, uncross) = inputs.iter().find(is_end).unwrap();
    assert!(time_ns - due_ns <= TURN_NS, "{} ns late", time_ns - due_ns);
    let trades = uncross.iter().flatten();
    let trades = trades.filter(|event| event.kind == EventKind::Executed as u8);
    let traded = trades.count();
    assert!(traded > 100, "{traded} executions");
    assert_eq!(traded + cancelled, 2 * ORDERS as usize);
}
