//! The hostile stream meets every rule; a failing stream is cut down, written and read again.

use std::collections::BTreeMap;

use flow::hostile::ORDERS;
use flow::naive::{KNOWN, increments};
use flow::{Hostile, Naive, reduce, saved};
use wire::ring::{Event, EventKind, Input, PRICE_MAX, Reason};

/// Inputs of one run.
const INPUTS: usize = 4_000;

fn run(inputs: &[Input], offered: u16) -> Vec<Event> {
    let mut naive = Naive::offering(offered);
    let apply = |input| naive.apply(input);
    inputs.iter().flat_map(apply).collect()
}

fn stream(seed: u64, offered: u16) -> Vec<Input> {
    Hostile::new(seed, offered).take(INPUTS).collect()
}

/// How often something happened, by kind, reason and flags.
fn counts(offered: u16) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for seed in 0..5 {
        for event in run(&stream(seed, offered), offered) {
            let kind = EventKind::from_byte(event.kind).expect("a known kind");
            let reason = Reason::from_byte(event.reason).expect("a known reason");
            let mut names = vec![format!("{kind:?} {reason:?}")];
            let is_maker = event.has(Event::MAKER);
            let held_back = kind == EventKind::Reduced && event.related > 0;
            let names_of = [
                (is_maker && event.has(Event::HIDDEN), "hidden maker"),
                (held_back, "held back units leave"),
                (
                    held_back && u64::from(event.quantity) > event.related,
                    "shown units leave an iceberg",
                ),
                (event.has(Event::OLD_HIDDEN), "hidden order replaced"),
                (
                    kind == EventKind::Reduced && !event.has(Event::BOOKED),
                    "aggressor decremented",
                ),
                (
                    kind == EventKind::Booked && event.quantity < event.leaves,
                    "aggressor rests as an iceberg",
                ),
            ];
            let named = names_of.iter().filter(|(is, _)| *is);
            names.extend(named.map(|(_, name)| (*name).to_owned()));
            for name in names {
                *counts.entry(name).or_default() += 1;
            }
        }
    }
    counts
}

#[test]
fn every_rule_of_an_increment_is_met_often() {
    let by_level: [&[&str]; 5] = [
        &[
            "Accepted None",
            "Replaced None",
            "Executed None",
            "Booked None",
            "Reduced User",
            "Canceled User",
            "Canceled ImmediateOrCancel",
            "Rejected Unsupported",
            "Rejected DuplicateUserRef",
            "Rejected UnknownOrder",
            "Rejected InvalidPrice",
            "Rejected InvalidField",
            "Refused TableFull",
            "Refused InvalidField",
        ],
        &[
            "Rejected WouldTrade",
            "Canceled MinimumQuantity",
            "hidden maker",
            "hidden order replaced",
        ],
        &[
            "Refreshed None",
            "held back units leave",
            "shown units leave an iceberg",
            "aggressor rests as an iceberg",
        ],
        &["Canceled Expired", "Rejected Expired"],
        &[
            "Canceled SelfTrade",
            "Reduced SelfTrade",
            "aggressor decremented",
        ],
    ];
    for level in 0..=4 {
        let counts = counts(increments::first(level));
        let met = by_level[..=usize::from(level)].iter().copied().flatten();
        for name in met {
            let times = counts.get(*name).copied().unwrap_or(0);
            assert!(
                times >= 5,
                "level {level}: {name} {times} times, {counts:?}"
            );
        }
        let later = by_level[usize::from(level) + 1..].iter().copied().flatten();
        for name in later.filter(|name| !by_level[0].contains(name)) {
            assert!(!counts.contains_key(*name), "level {level}: {name}");
        }
    }
}

#[test]
fn a_level_that_is_not_offered_answers_as_if_there_were_no_attributes_but_refuses_them() {
    let inputs = stream(7, KNOWN);
    let events = run(&inputs, 0);
    let is_refreshed = |event: &Event| event.kind == EventKind::Refreshed as u8;
    assert!(!events.iter().any(is_refreshed));
    assert!(events.iter().all(|event| event.flags & Event::HIDDEN == 0));
    let refused = |event: &&Event| event.reason == Reason::Unsupported as u8;
    assert!(events.iter().filter(refused).count() > 500);
}

#[test]
fn books_stay_small_and_the_day_ends_them() {
    for (seed, level) in (0..).zip([0, 1, 2, 3, 4, 12, 12]) {
        let offered = increments::first(level) & KNOWN;
        let mut hostile = Hostile::new(seed, offered);
        let mut naive = Naive::offering(offered);
        for input in hostile.by_ref().take(10_000) {
            naive.apply(&input);
            assert!(naive.live_orders() < ORDERS);
        }
        naive.apply(&hostile.closing());
        assert_eq!(naive.live_orders(), 0);
    }
}

#[test]
fn some_seeds_trade_at_the_ends_of_all_prices_and_in_whole_cents() {
    let ends = [(12, 1, 100), (13, PRICE_MAX - 100, PRICE_MAX)];
    let others = [(14, 996_000, 1_001_000), (15, 12_700, 12_900)];
    for (seed, lowest, highest) in ends.into_iter().chain(others) {
        // One day of them may be too quiet to tell.
        let days = [seed, seed + 16, seed + 32];
        let events = days.map(|seed| run(&stream(seed, KNOWN), KNOWN)).concat();
        let is_trade = |event: &&Event| event.kind == EventKind::Executed as u8;
        let prices = events.iter().filter(is_trade).map(|event| event.price);
        let near = prices.filter(|price| (lowest..=highest).contains(price));
        assert!(near.count() > 200, "seed {seed}");
    }
}

#[test]
fn seeds_give_the_same_stream_again_and_different_ones() {
    assert_eq!(stream(1, KNOWN), stream(1, KNOWN));
    assert_ne!(stream(1, KNOWN), stream(2, KNOWN));
    let inputs = stream(1, KNOWN);
    let is_next = |pair: &[Input]| {
        pair[1].sequence == pair[0].sequence + 1 && pair[1].time_ns >= pair[0].time_ns
    };
    assert!(inputs.windows(2).all(is_next));
}

#[test]
fn a_failing_stream_is_reduced_to_what_matters() {
    let refreshes = |inputs: &[Input]| {
        let events = run(inputs, KNOWN);
        events
            .iter()
            .any(|event| event.kind == EventKind::Refreshed as u8)
    };
    let mut streams = (5..15).map(|seed| stream(seed, KNOWN));
    let inputs = streams.find(|inputs| refreshes(inputs));
    let inputs = inputs.expect("one of ten days has an iceberg");
    let reduced = reduce(&inputs, refreshes);
    assert!(refreshes(&reduced));
    assert!(reduced.len() < 12, "{}", saved::write(&reduced));
    for left_out in 0..reduced.len() {
        let mut without = reduced.clone();
        without.remove(left_out);
        assert!(!refreshes(&without), "input {left_out} does not matter");
    }
    let sequences: Vec<u64> = reduced.iter().map(|input| input.sequence).collect();
    assert!(sequences.iter().copied().eq(1..=reduced.len() as u64));
    assert_eq!(reduce(&inputs, |_| false), inputs);
    assert_eq!(reduce(&inputs, |_| true), []);
}

#[test]
fn saved_streams_are_read_as_they_were() {
    let inputs = stream(9, KNOWN);
    let text = saved::write(&inputs);
    assert_eq!(saved::read(&text), Ok(inputs));
    let text = "# a note\n\n7 12 New side=1 symbol=2 price=-3 letters=00ff0001\n8 13 77\n";
    let inputs = saved::read(text).expect("a saved stream");
    assert_eq!(
        saved::write(&inputs),
        text.lines()
            .skip(2)
            .fold(String::new(), |text, line| text + line + "\n")
    );
    let command = inputs[0].command;
    assert_eq!((command.side, command.symbol, command.price), (1, 2, -3));
    assert_eq!(
        (command.letters, inputs[1].command.kind),
        ([0, 255, 0, 1], 77)
    );
}

#[test]
fn a_wrong_line_is_named_with_its_word() {
    for (text, line, found) in [
        ("1 2 New\nx 2 New", 2, "x"),
        ("1", 1, ""),
        ("1 2", 1, ""),
        ("1 2 Newer", 1, "Newer"),
        ("1 2 256", 1, "256"),
        ("1 2 New side=256", 1, "side=256"),
        ("1 2 New side", 1, "side"),
        ("1 2 New sides=1", 1, "sides=1"),
        ("1 2 New letters=0000000", 1, "letters=0000000"),
        ("1 2 New letters=0000000g", 1, "letters=0000000g"),
        ("1 2 New letters=00é000", 1, "letters=00é000"),
    ] {
        let error = saved::read(text).expect_err(text);
        assert_eq!((error.line, error.found.as_str()), (line, found));
    }
}
