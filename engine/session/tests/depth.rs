//! The depth says, after each input, what the levels of the engine's books show, and nothing twice.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;

use bytemuck::Zeroable;
use flow::naive::{KNOWN, OFFERED};
use flow::{Generator, Hostile, Naive, Sequencer, Shape};
use session::SECOND_NS;
use session::feed::{DepthPublisher, HistoryFull, PublisherConfig, Receiver, ReceiverConfig};
use trading::Levels;
use wire::depth::Message;
use wire::ring::{Event, EventKind, Input, PRICE_MARKET, Side};

const START_NS: u64 = 1_700_000_000 * SECOND_NS;

/// Orders that may rest in these tests.
const ORDERS: usize = 1 << 14;

/// The depth of an engine, as a subscriber has it.
struct Market {
    naive: Naive,
    publisher: DepthPublisher,
    receiver: Receiver,
    levels: Levels,
    messages: u64,
}

fn config() -> PublisherConfig {
    PublisherConfig {
        history_messages: 1 << 14,
        history_bytes: 1 << 18,
        ..PublisherConfig::default()
    }
}

impl Market {
    fn new(naive: Naive) -> Self {
        Self {
            naive,
            publisher: DepthPublisher::new(config(), ORDERS).unwrap(),
            receiver: Receiver::new(ReceiverConfig::default()),
            levels: Levels::new(),
            messages: 0,
        }
    }

    fn apply(&mut self, input: &Input) -> Vec<Event> {
        let events = self.naive.apply(input);
        for event in &events {
            self.publisher.on_event(event, input.time_ns).unwrap();
        }
        let Self {
            receiver,
            levels,
            messages,
            publisher,
            ..
        } = self;
        // Of one input each level and each top is told once.
        let mut places = Vec::new();
        publisher.transmit(input.time_ns, true, &mut |packet| {
            receiver.packet(packet, input.time_ns, &mut |_, bytes| {
                let message = Message::parse(bytes).unwrap();
                let place = match &message {
                    Message::Level(it) => (it.stock_locate(), it.side(), it.price()),
                    Message::Top(it) => (it.stock_locate(), b'T', 0),
                    Message::Directory(it) => (it.stock_locate(), b'R', 0),
                };
                assert!(!places.contains(&place), "told twice: {message:?}");
                places.push(place);
                assert!(levels.apply(&message), "nothing new: {message:?}");
                *messages += 1;
            });
            true
        });
        events
    }

    /// The levels that the engine's orders make, and those that were told.
    fn compare(&self) {
        for symbol in self.naive.symbols() {
            let mut best = [(0, 0); 2];
            for side in [Side::Buy, Side::Sell] {
                let due = self.due(symbol, side);
                let told: Vec<_> = self.levels.levels(symbol, side).collect();
                let told: Vec<_> = told
                    .iter()
                    .map(|it| (it.price, it.quantity, it.orders))
                    .collect();
                assert_eq!(told, due, "{symbol} {side:?}");
                let first = due.first().copied().unwrap_or_default();
                best[side as usize] = (first.0, first.1);
            }
            assert_eq!(self.levels.top(symbol), best, "{symbol}");
        }
    }

    fn due(&self, symbol: u16, side: Side) -> Vec<(i64, u64, usize)> {
        let mut levels: BTreeMap<i64, (u64, usize)> = BTreeMap::new();
        for order in self.naive.orders(symbol, side) {
            if order.shown() == 0 {
                continue;
            }
            let is_first = side == Side::Sell && order.price == PRICE_MARKET;
            let level = levels.entry(if is_first { 0 } else { order.price });
            let (units, orders) = level.or_default();
            *units += u64::from(order.shown());
            *orders += 1;
        }
        let levels = levels.into_iter();
        let mut levels: Vec<_> = levels
            .map(|(price, (units, it))| (price, units, it))
            .collect();
        if side == Side::Buy {
            levels.reverse();
        }
        levels
    }
}

#[test]
fn the_depth_is_that_of_the_engines_books() {
    let sets = [0, OFFERED, OFFERED, OFFERED, KNOWN, KNOWN, KNOWN, KNOWN];
    let mut messages = 0;
    for (seed, offered) in (0..).zip(sets) {
        let mut hostile = Hostile::new(seed, offered);
        let mut market = Market::new(Naive::offering(offered));
        for input in hostile.by_ref().take(2_500) {
            market.apply(&input);
            market.compare();
        }
        market.apply(&hostile.closing());
        market.compare();
        messages += market.messages;
        assert_eq!(market.publisher.counters().events_unknown, 0);
        assert_eq!(market.publisher.unsent(), 0);
    }
    // Days may be quiet, but not all of them.
    assert!(messages > 4_000, "{messages} messages");
}

#[test]
fn deep_books_are_told_level_by_level() {
    let mut generator = Generator::new(&Shape::default()).unwrap();
    let mut sequencer = Sequencer::new(START_NS);
    let mut market = Market::new(Naive::new());
    let opening: Vec<_> = generator.opening().collect();
    for turn in 0..6_000 {
        let (gap_ns, command) = match opening.get(turn) {
            Some(command) => (0, *command),
            None => {
                let item = generator.next_item();
                (item.gap_ns, item.command)
            }
        };
        let events = market.apply(&sequencer.number(gap_ns, command));
        events.iter().for_each(|event| generator.on_event(event));
        if turn % 50 == 0 {
            market.compare();
        }
    }
    market.compare();
    assert!(market.naive.live_orders() > 100);
    assert_eq!(market.publisher.counters().events_unknown, 0);
}

/// An order that rests at a price of its own.
fn resting(order_ref: u64) -> Event {
    Event {
        kind: EventKind::Accepted as u8,
        flags: Event::BOOKED,
        symbol: 1,
        quantity: 1,
        leaves: 1,
        price: order_ref as i64,
        order_ref,
        ..Event::zeroed()
    }
}

#[test]
fn an_input_that_changes_more_than_the_history_holds_waits_for_its_packets() {
    const COUNT: u64 = 4_000;
    let config = PublisherConfig {
        history_messages: 1_024,
        history_bytes: 1 << 16,
        ..PublisherConfig::default()
    };
    let mut publisher = DepthPublisher::new(config, ORDERS).unwrap();
    let mut receiver = Receiver::new(ReceiverConfig::default());
    let mut levels = Levels::new();
    let mut send = |publisher: &mut DepthPublisher, levels: &mut Levels| {
        publisher.transmit(START_NS, true, &mut |packet| {
            receiver.packet(packet, START_NS, &mut |_, bytes| {
                assert!(levels.apply(&Message::parse(bytes).unwrap()));
            });
            true
        });
    };
    let last = |order_ref, event: Event| Event {
        flags: event.flags | if order_ref == COUNT { Event::LAST } else { 0 },
        ..event
    };
    for order_ref in 1..=COUNT {
        let event = last(order_ref, resting(order_ref));
        publisher.on_event(&event, START_NS).unwrap();
    }
    let next = resting(COUNT + 1);
    assert_eq!(publisher.on_event(&next, START_NS), Err(HistoryFull));
    assert_eq!(publisher.counters().messages, 1_024);
    while !publisher.tell() {
        send(&mut publisher, &mut levels);
    }
    send(&mut publisher, &mut levels);
    assert_eq!(levels.levels(1, Side::Buy).count(), COUNT as usize);
    assert_eq!(levels.top(1), [(COUNT as i64, 1), (0, 0)]);
    assert_eq!(publisher.counters().messages, COUNT + 1);
    publisher.on_event(&next, START_NS).unwrap();
}

#[test]
fn what_comes_and_goes_within_an_input_is_not_told() {
    let mut publisher = DepthPublisher::new(config(), 1).unwrap();
    let gone = |order_ref| Event {
        kind: EventKind::Canceled as u8,
        ..resting(order_ref)
    };
    let end = Event {
        kind: EventKind::Noted as u8,
        flags: Event::LAST,
        ..Event::zeroed()
    };
    for event in [resting(1), gone(1), end, resting(2), gone(2), end] {
        publisher.on_event(&event, START_NS).unwrap();
    }
    assert_eq!(publisher.sequence_next(), 1);
    // One order more than there can be is counted.
    for event in [resting(1), resting(2), end] {
        publisher.on_event(&event, START_NS).unwrap();
    }
    assert_eq!(publisher.counters().events_unknown, 1);
    assert_eq!(publisher.sequence_next(), 3);
}
