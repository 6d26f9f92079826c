//! The hostile stream makes parked orders, stops, all-or-none orders and pegs do all that the rules
//! let them do, often.

use std::collections::BTreeMap;

use flow::naive::increments::{PEGS, STOPS, WHOLE, first};
use flow::{Hostile, Naive, Resting};
use wire::ring::{
    Command, CommandKind, Condition, EXTRA_ALL_OR_NONE, EXTRA_TO_LIMIT, Event, EventKind, Input,
    PRICE_MARKET, Reason, Side,
};

/// Inputs of one run.
const INPUTS: usize = 10_000;
/// A thing that happens less often in all runs is not tried enough.
const OFTEN: usize = 5;

/// Counts what happens.
struct Watcher {
    naive: Naive,
    /// The last `Extra` of each session.
    asked: BTreeMap<u16, Command>,
    /// Parked orders and pegs before the input, by number.
    before: BTreeMap<u64, Resting>,
    counts: BTreeMap<&'static str, usize>,
}

impl Watcher {
    fn watch(seed: u64, offered: u16, counts: BTreeMap<&'static str, usize>) -> Self {
        let mut watcher = Self {
            naive: Naive::offering(offered),
            asked: BTreeMap::new(),
            before: BTreeMap::new(),
            counts,
        };
        let inputs = Hostile::new(seed, offered).take(INPUTS);
        inputs.for_each(|input| watcher.apply(&input));
        watcher
    }

    fn note(&mut self, is: bool, name: &'static str) {
        *self.counts.entry(name).or_default() += usize::from(is);
    }

    fn apply(&mut self, input: &Input) {
        self.before = waiting(&self.naive);
        let events = self.naive.apply(input);
        let command = &input.command;
        if command.kind == CommandKind::Extra as u8 {
            self.asked.insert(command.session, *command);
            return;
        }
        if [CommandKind::New, CommandKind::Replace]
            .map(|kind| kind as u8)
            .contains(&command.kind)
        {
            let asked = self.asked.remove(&command.session);
            self.note_entry(command, asked.unwrap_or(Command::BLANK), &events);
        }
        for (at, event) in events.iter().enumerate() {
            self.note_parked(event);
            let end = events[at + 1..].iter().position(starts);
            let own = &events[at + 1..end.map_or(events.len(), |end| at + 1 + end)];
            match EventKind::from_byte(event.kind) {
                Some(EventKind::Triggered) => self.note_triggered(event, own),
                Some(EventKind::Repriced) => self.note_repriced(&events[..at], event, own),
                _ => {}
            }
        }
        let rounds = self.rounds(&events);
        self.note(rounds >= 2, "a stop elects a stop");
        self.note(rounds >= 4, "a cascade of four rounds");
    }

    fn note_entry(&mut self, command: &Command, asked: Command, events: &[Event]) {
        let first = events.iter().find(|event| is(event, EventKind::Accepted));
        let Some(first) = first else {
            let refused = |event: &Event| event.reason == Reason::NoLiquidity as u8;
            return self.note(
                events.iter().any(refused),
                "nobody is there to take a limit from",
            );
        };
        let has = |flag| asked.flags & flag != 0;
        let whole = has(EXTRA_ALL_OR_NONE) && command.price != PRICE_MARKET;
        let stays = first.flags & (Event::BOOKED | Event::PARKED) != 0;
        self.note(
            whole && first.has(Event::PARKED),
            "an all-or-none order is parked",
        );
        self.note(whole && !stays, "an all-or-none order trades on entry");
        self.note(whole && first.leaves > 60, "an all-or-none order is large");
        let of_market = command.price == PRICE_MARKET && first.price != PRICE_MARKET;
        self.note(
            has(EXTRA_TO_LIMIT) && of_market,
            "a market order takes a limit",
        );
        let booked = |event: &Event| is(event, EventKind::Booked);
        let rests = has(EXTRA_TO_LIMIT) && events.iter().any(booked);
        self.note(rests, "a market order rests at its limit");
        let peg = Condition::from_byte(asked.letters[1]).filter(is_peg);
        let [priced, parked] = [first.has(Event::BOOKED), first.has(Event::PARKED)];
        self.note(peg.is_some() && parked, "a new peg finds no price");
        self.note(peg.is_some() && priced, "a new peg rests");
        self.note(peg.is_some() && !priced && !parked, "a new peg trades");
        let capped = peg.is_some() && of_market_cap(command, first);
        self.note(capped, "a peg is capped");
    }

    fn note_parked(&mut self, event: &Event) {
        let was_parked = self
            .before
            .get(&event.related)
            .is_some_and(|order| order.parked);
        let replaced = is(event, EventKind::Replaced);
        self.note(replaced && was_parked, "a parked order is replaced");
        self.note(
            replaced && event.has(Event::PARKED),
            "a replacement is parked",
        );
        if !event.has(Event::PARKED) {
            return;
        }
        let canceled = is(event, EventKind::Canceled);
        let reason = Reason::from_byte(event.reason);
        self.note(
            canceled && reason == Some(Reason::User),
            "a parked order is canceled",
        );
        self.note(
            canceled && reason == Some(Reason::Expired),
            "a parked order expires",
        );
        self.note(is(event, EventKind::Reduced), "a parked order is reduced");
        let held_back = is(event, EventKind::Accepted) && event.quantity < event.leaves;
        self.note(held_back, "an iceberg is parked");
    }

    fn note_triggered(&mut self, event: &Event, own: &[Event]) {
        let traded = own.iter().any(|event| is(event, EventKind::Executed));
        let left = own
            .iter()
            .find(|one| one.order_ref == event.order_ref && one.leaves == 0);
        let reason = left.and_then(|event| Reason::from_byte(event.reason));
        self.note(
            reason == Some(Reason::SelfTrade),
            "an order come to life is ended by its own",
        );
        let Some(order) = self.before.get(&event.related).copied() else {
            return self.note(true, "a new stop is elected on entry");
        };
        if order.whole {
            self.note(traded, "a parked all-or-none order trades");
            return;
        }
        let trails = order.condition == Condition::TrailingStop;
        self.note(trails, "a trailing stop comes to life");
        self.note(!trails, "a stop comes to life");
        self.note(
            trails && order.trigger.is_some(),
            "a trigger is there before",
        );
        let rests = event.has(Event::BOOKED) || own.iter().any(|one| is(one, EventKind::Booked));
        self.note(rests, "a stop rests");
        self.note(traded && rests, "a stop trades and rests");
        self.note(
            reason == Some(Reason::ImmediateOrCancel),
            "a stop finds nobody",
        );
        self.note(event.has(Event::HIDDEN), "a hidden stop comes to life");
        self.note(event.quantity < event.leaves, "an iceberg comes to life");
    }

    fn note_repriced(&mut self, earlier: &[Event], event: &Event, own: &[Event]) {
        let traded = own.iter().any(|event| is(event, EventKind::Executed));
        self.note(event.has(Event::BOOKED), "a peg moves");
        self.note(event.has(Event::PARKED), "a peg loses its price");
        self.note(traded, "a peg moves and trades");
        let moved = |one: &Event| is(one, EventKind::Repriced) && one.order_ref == event.related;
        self.note(earlier.iter().any(moved), "a peg moves twice");
        if let Some(old) = self.before.get(&event.related).copied() {
            self.note(old.parked, "a peg finds a price");
            self.note(old.cap == event.price, "a peg moves to its cap");
            self.note(old.cap == old.price, "a peg moves away from its cap");
            let kinds = [
                (Condition::PrimaryPeg, "a primary peg moves"),
                (Condition::MarketPeg, "a market peg moves"),
                (Condition::MidpointPeg, "a midpoint peg moves"),
            ];
            for (kind, name) in kinds {
                self.note(old.condition == kind, name);
            }
            let negative = old.condition == Condition::PrimaryPeg && old.amount < 0;
            self.note(negative, "a peg moves behind the best price");
            let odd = old.condition == Condition::MidpointPeg && event.price % 5 != 0;
            self.note(event.symbol == 2 && odd, "a peg moves between ticks");
        }
    }

    /// How many plain stops in a chain elected each other, the longest one.
    fn rounds(&self, events: &[Event]) -> usize {
        let mut round = 0;
        let mut trades: Vec<(i64, usize)> = Vec::new();
        let mut longest = 0;
        for event in events {
            if is(event, EventKind::Executed) && event.has(Event::MAKER) {
                trades.push((event.price, round));
            }
            if !is(event, EventKind::Triggered) {
                continue;
            }
            let stop = self.before.get(&event.related);
            let touches = |price: i64| match stop.and_then(|stop| Some((stop.side, stop.trigger?)))
            {
                Some((Side::Buy, trigger)) => price >= trigger,
                Some((Side::Sell, trigger)) => price <= trigger,
                None => true,
            };
            let first = trades.iter().find(|(price, _)| touches(*price));
            round = first.map_or(0, |(_, round)| *round) + 1;
            longest = longest.max(round);
        }
        longest
    }
}

fn is(event: &Event, kind: EventKind) -> bool {
    event.kind == kind as u8
}

/// Whether an order comes to life or moves with an event.
fn starts(event: &Event) -> bool {
    is(event, EventKind::Triggered) || is(event, EventKind::Repriced)
}

fn is_peg(condition: &Condition) -> bool {
    let pegs = [
        Condition::PrimaryPeg,
        Condition::MarketPeg,
        Condition::MidpointPeg,
    ];
    pegs.contains(condition)
}

fn of_market_cap(command: &Command, first: &Event) -> bool {
    command.price != PRICE_MARKET && command.price == first.price
}

/// Parked orders and pegs by number.
fn waiting(naive: &Naive) -> BTreeMap<u64, Resting> {
    let mut waiting = BTreeMap::new();
    for symbol in naive.symbols() {
        let [buys, sells] = [Side::Buy, Side::Sell].map(|side| naive.orders(symbol, side));
        let orders = buys.chain(sells).filter(|order| order.is_peg());
        let orders = orders.chain(naive.parked(symbol));
        waiting.extend(orders.map(|order| (order.order_ref, *order)));
    }
    waiting
}

fn check_met(offered: u16, names: &[&str]) {
    let mut counts = BTreeMap::new();
    for seed in 0..5 {
        counts = Watcher::watch(seed, offered, counts).counts;
    }
    for name in names {
        let times = counts.get(name).copied().unwrap_or(0);
        assert!(times >= OFTEN, "{name}: {times} times, {counts:#?}");
    }
}

#[test]
fn stops_do_all_they_can() {
    check_met(
        first(4) | STOPS,
        &[
            "a stop comes to life",
            "a trailing stop comes to life",
            "a trigger is there before",
            "a new stop is elected on entry",
            "a stop elects a stop",
            "a cascade of four rounds",
            "a stop rests",
            "a stop trades and rests",
            "a stop finds nobody",
            "a hidden stop comes to life",
            "an iceberg comes to life",
            "an iceberg is parked",
            "an order come to life is ended by its own",
            "a parked order is replaced",
            "a replacement is parked",
            "a parked order is canceled",
            "a parked order expires",
            "a parked order is reduced",
        ],
    );
}

#[test]
fn market_to_limit_and_all_or_none_orders_do_all_they_can() {
    check_met(
        first(4) | WHOLE,
        &[
            "an all-or-none order is parked",
            "an all-or-none order trades on entry",
            "an all-or-none order is large",
            "a parked all-or-none order trades",
            "a market order takes a limit",
            "a market order rests at its limit",
            "nobody is there to take a limit from",
            "an order come to life is ended by its own",
            "a parked order is replaced",
            "a parked order is canceled",
            "a parked order expires",
            "a parked order is reduced",
        ],
    );
}

#[test]
fn pegs_do_all_they_can() {
    check_met(
        first(4) | PEGS,
        &[
            "a new peg finds no price",
            "a new peg rests",
            "a new peg trades",
            "a peg is capped",
            "a peg moves",
            "a peg loses its price",
            "a peg finds a price",
            "a peg moves and trades",
            "a peg moves to its cap",
            "a peg moves away from its cap",
            "a primary peg moves",
            "a market peg moves",
            "a midpoint peg moves",
            "a peg moves behind the best price",
            "a peg moves between ticks",
            "a parked order is canceled",
            "a parked order expires",
            "a parked order is reduced",
        ],
    );
}

#[test]
fn what_follows_from_an_input_has_more_to_follow() {
    check_met(
        first(7),
        &[
            "a peg moves twice",
            "a stop elects a stop",
            "a parked all-or-none order trades",
        ],
    );
}
