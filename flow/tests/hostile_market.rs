//! The hostile stream meets every rule that is not about single orders.

use std::collections::BTreeMap;

use flow::naive::KNOWN;
use flow::naive::increments::{self, ALLOCATION, KILL, RISK};
use flow::{Hostile, Naive};
use wire::ring::{Command, CommandKind, Event, EventKind, Reason};

/// Inputs of one run.
const INPUTS: usize = 8_000;

/// How often each kind and reason came, in ten runs.
fn counts(offered: u16) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for seed in 0..10 {
        let mut naive = Naive::offering(offered);
        for input in Hostile::new(seed, offered).take(INPUTS) {
            for event in naive.apply(&input) {
                for name in names(&input.command, &event) {
                    *counts.entry(name).or_default() += 1;
                }
            }
        }
    }
    counts
}

/// What an event is counted as; controls by what they are about, too.
fn names(command: &Command, event: &Event) -> Vec<String> {
    let kind = EventKind::from_byte(event.kind).expect("a known kind");
    let reason = Reason::from_byte(event.reason).expect("a known reason");
    let asked = match CommandKind::from_byte(command.kind) {
        Some(asked) => format!("{asked:?}"),
        None => "?".to_owned(),
    };
    let Command { flags, letters, .. } = command;
    vec![
        format!("{kind:?} {reason:?}"),
        format!("{asked}: {kind:?} {reason:?}"),
        format!("{asked} {flags}: {kind:?}"),
        format!("{asked} {flags} of {}: {kind:?}", letters[0]),
    ]
}

fn check(offered: u16, expected: &[&str]) {
    let counts = counts(increments::first(4) | offered);
    let times = |name: &&&str| counts.get(**name).copied().unwrap_or(0);
    let rare: Vec<_> = expected.iter().filter(|name| times(name) < 5).collect();
    assert!(rare.is_empty(), "rare: {rare:?} in {counts:#?}");
}

#[test]
fn levels_are_shared_out_in_every_way() {
    let expected = [
        "SetAllocation 0: Configured",
        "SetAllocation 1: Configured",
        "SetAllocation 2: Configured",
        "SetAllocation: Refused UnknownSymbol",
        "SetAllocation: Refused InvalidField",
    ];
    check(ALLOCATION, &expected);
    // By time an order seldom trades without using up the one before it.
    let skipped = |offered| {
        let mut naive = Naive::offering(offered);
        let mut partial = 0;
        for input in Hostile::new(3, offered).take(INPUTS) {
            let events = naive.apply(&input);
            let makers = events.iter().filter(|event| event.has(Event::MAKER));
            let makers: Vec<&Event> = makers.collect();
            let both = |pair: &&[&Event]| pair[0].leaves > 0 && pair[0].price == pair[1].price;
            partial += makers.windows(2).filter(both).count();
        }
        partial
    };
    let offered = increments::BASIC;
    assert_eq!(skipped(offered), 0);
    assert!(skipped(offered | ALLOCATION) > 100);
}

#[test]
fn every_limit_is_met_often() {
    let expected = [
        "Rejected MaxQuantity",
        "Rejected MaxNotional",
        "Rejected FatFinger",
        "Rejected MaxOpenOrders",
        "Rejected MaxPosition",
        "Rejected GrossCredit",
        "Rejected NetCredit",
        "Rejected RateLimit",
        "Rejected Restricted",
        "Replace: Rejected MaxQuantity",
        "SetLimit: Refused UnknownSession",
        "SetLimit: Refused InvalidField",
    ];
    check(RISK, &expected);
    let late = |seed| {
        let mut naive = Naive::offering(RISK);
        let events = Hostile::new(seed, RISK).take(INPUTS);
        let reasons: Vec<u8> = events
            .flat_map(|input| naive.apply(&input))
            .filter(|event| event.kind == EventKind::Refused as u8)
            .map(|event| event.reason)
            .collect();
        let times = |reason: Reason| reasons.iter().filter(|one| **one == reason as u8).count();
        // The day is opened again and again in each.
        times(Reason::NotOpen) > 100
    };
    assert!(
        (0..20).any(late),
        "no stream comes late with all its limits"
    );
    assert!(!(0..20).all(late));
}

#[test]
fn every_scope_is_killed_and_every_filter_used() {
    let expected = [
        "Kill 1 of 0: Canceled",
        "Kill 1 of 1: Canceled",
        "Kill 1 of 2: Canceled",
        "Kill 1 of 3: Canceled",
        "Kill 0 of 0: KillChanged",
        "Kill 0 of 1: KillChanged",
        "Kill 0 of 2: KillChanged",
        "Kill 0 of 3: KillChanged",
        "Kill: Refused InvalidField",
        "Kill: Refused UnknownSession",
        "Kill: Refused UnknownSymbol",
        "New: Rejected Killed",
        "MassCancel 0 of 0: Canceled",
        "MassCancel 0 of 1: Canceled",
        "MassCancel 0 of 2: Canceled",
        "MassCancel 0 of 4: Canceled",
        "MassCancel 0 of 8: Canceled",
        "MassCancel 0 of 16: Canceled",
        "MassCancel 0 of 12: Canceled",
        "MassCancel: Refused InvalidField",
    ];
    check(KILL, &expected);
}

#[test]
fn all_of_it_together_leaves_room_for_trades() {
    let (mut trades, mut taken) = (0, 0);
    for seed in 0..10 {
        let mut naive = Naive::offering(KNOWN);
        for input in Hostile::new(seed, KNOWN).take(INPUTS) {
            let events = naive.apply(&input);
            let times = |kind: EventKind| {
                let of_kind = events.iter().filter(|one| one.kind == kind as u8);
                of_kind.count()
            };
            trades += times(EventKind::Executed);
            taken += times(EventKind::Accepted);
        }
    }
    assert!(trades > 3_000, "{trades}");
    assert!(taken > 8_000, "{taken}");
}
