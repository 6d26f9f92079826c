//! Who listens to the feed has the engine's book.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ear;

use ear::{Ear, START_NS, publisher};
use flow::{Generator, Naive, Sequencer, Shape};
use session::feed::{PublisherConfig, ReceiverConfig};
use wire::itch::Message;

/// A book of a feed: reference to symbol, side, open units and price.
type Orders = std::collections::BTreeMap<u64, (u16, u8, u32, u32)>;

fn apply(orders: &mut Orders, message: &[u8]) {
    match Message::parse(message).unwrap() {
        Message::AddOrder(it) => {
            let order = (it.stock_locate(), it.side(), it.shares(), it.price());
            assert_eq!(orders.insert(it.order_ref(), order), None);
        }
        Message::OrderExecuted(it) => reduce(orders, it.order_ref(), it.shares()),
        Message::OrderCancel(it) => reduce(orders, it.order_ref(), it.shares()),
        Message::OrderDelete(it) => assert!(orders.remove(&it.order_ref()).is_some()),
        Message::OrderReplace(it) => {
            let (symbol, side, ..) = orders.remove(&it.old_order_ref()).unwrap();
            orders.insert(it.new_order_ref(), (symbol, side, it.shares(), it.price()));
        }
        Message::SystemEvent(_) | Message::StockDirectory(_) => {}
        other => panic!("{other:?}"),
    }
}

fn reduce(orders: &mut Orders, order_ref: u64, shares: u32) {
    let order = orders.get_mut(&order_ref).unwrap();
    assert!(order.2 >= shares, "more than is open");
    order.2 -= shares;
    if order.2 == 0 {
        orders.remove(&order_ref);
    }
}

#[test]
fn the_feed_shows_the_book_that_the_engine_has() {
    let shape = Shape::default();
    let mut generator = Generator::new(&shape).unwrap();
    let mut sequencer = Sequencer::new(START_NS);
    let mut naive = Naive::new();
    let mut publisher = publisher(PublisherConfig::default());
    let mut ear = Ear::new(ReceiverConfig::default());
    let opening: Vec<_> = generator.opening().collect();
    for turn in 0..8_000 {
        let (gap_ns, command) = match opening.get(turn) {
            Some(command) => (0, *command),
            None => {
                let item = generator.next_item();
                (item.gap_ns, item.command)
            }
        };
        let input = sequencer.number(gap_ns, command);
        for event in naive.apply(&input) {
            generator.on_event(&event);
            publisher.on_event(&event, input.time_ns).unwrap();
        }
        publisher.transmit(input.time_ns, turn % 3 == 0, &mut |packet| {
            // Every fifth packet is lost.
            if packet[17] % 5 != 0 {
                ear.hear(packet);
            }
            true
        });
        ear.now_ns = input.time_ns;
        ear.catch_up(&mut publisher, || true);
    }
    publisher.transmit(START_NS, true, &mut |packet| {
        ear.hear(packet);
        true
    });
    ear.catch_up(&mut publisher, || true);
    let mut orders = Orders::new();
    ear.messages
        .iter()
        .for_each(|message| apply(&mut orders, message));
    let mut expected = Orders::new();
    for symbol in naive.symbols() {
        for side in [wire::ring::Side::Buy, wire::ring::Side::Sell] {
            for it in naive.orders(symbol, side) {
                let letter = if side == wire::ring::Side::Buy {
                    b'B'
                } else {
                    b'S'
                };
                expected.insert(it.order_ref, (symbol, letter, it.open, it.price as u32));
            }
        }
    }
    assert!(expected.len() > 100, "{} orders", expected.len());
    assert_eq!(orders, expected);
    assert_eq!(publisher.counters().events_unknown, 0);
}
