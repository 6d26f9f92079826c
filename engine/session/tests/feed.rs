//! The feed from events to packets and back: whatever the network loses, the receiver has it all.

use bytemuck::Zeroable;
use flow::{Generator, Naive, Sequencer, Shape};
use session::SECOND_NS;
use session::feed::{
    Answer, HistoryFull, Publisher, PublisherConfig, Received, Receiver, ReceiverConfig, State,
};
use wire::itch::Message;
use wire::mold::Request;
use wire::ring::{Event, EventKind};

const START_NS: u64 = 1_700_000_000 * SECOND_NS;

fn publisher(config: PublisherConfig) -> Publisher {
    Publisher::new(PublisherConfig {
        history_messages: 1_024,
        history_bytes: 65_536,
        ..config
    })
    .unwrap()
}

fn reduced(order_ref: u64) -> Event {
    Event {
        kind: EventKind::Reduced as u8,
        flags: Event::BOOKED,
        quantity: 7,
        order_ref,
        ..Event::zeroed()
    }
}

/// A publisher's packets, `each` messages to a packet, after an opening packet.
fn packets_of(publisher: &mut Publisher, packets: usize, each: u64) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut order_ref = 0;
    for _ in 0..packets {
        for _ in 0..each {
            order_ref += 1;
            publisher.on_event(&reduced(order_ref), START_NS).unwrap();
        }
        publisher.transmit(START_NS, true, &mut |packet| {
            all.push(packet.to_vec());
            true
        });
    }
    all
}

/// Everything a publisher still has, read by asking.
fn history(publisher: &mut Publisher) -> Vec<Vec<u8>> {
    let mut receiver = Receiver::new(ReceiverConfig::default());
    let mut all = Vec::new();
    let session = publisher.config().session;
    let mut heartbeat = [0; 20];
    let sequence = publisher.sequence_next();
    Request {
        session,
        sequence,
        count: 0,
    }
    .encode(&mut heartbeat)
    .unwrap();
    let mut take = |_: u64, message: &[u8]| all.push(message.to_vec());
    receiver.packet(&heartbeat, START_NS, &mut take);
    while let Some(request) = receiver.poll(START_NS) {
        publisher.request(&request, START_NS, &mut |packet| {
            receiver.packet(packet, START_NS, &mut take);
            true
        });
    }
    all
}

/// A receiver and what it handed on.
struct Ear {
    receiver: Receiver,
    messages: Vec<Vec<u8>>,
    now_ns: u64,
}

impl Ear {
    fn new(config: ReceiverConfig) -> Self {
        Self {
            receiver: Receiver::new(config),
            messages: Vec::new(),
            now_ns: START_NS,
        }
    }

    fn hear(&mut self, packet: &[u8]) -> Received {
        let messages = &mut self.messages;
        self.receiver
            .packet(packet, self.now_ns, &mut |sequence, message| {
                messages.push(message.to_vec());
                assert_eq!(sequence, messages.len() as u64, "out of order");
            })
    }

    /// Asks until nothing is missing; `answers` says whether an answer arrives.
    fn catch_up(&mut self, publisher: &mut Publisher, mut answers: impl FnMut() -> bool) {
        for _ in 0..10_000 {
            if self.receiver.state() != State::Gap {
                return;
            }
            if let Some(request) = self.receiver.poll(self.now_ns) {
                let mut packets = Vec::new();
                publisher.request(&request, self.now_ns, &mut |packet| {
                    packets.push(packet.to_vec());
                    true
                });
                for packet in packets.iter().filter(|_| answers()) {
                    self.hear(packet);
                }
            } else {
                self.now_ns += SECOND_NS / 10;
            }
        }
        panic!("never caught up");
    }
}

/// Every order of some packets.
fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(index);
        for mut tail in permutations(&rest) {
            tail.insert(0, *item);
            all.push(tail);
        }
    }
    all
}

#[test]
fn every_loss_duplication_and_order_of_five_packets_ends_in_the_same_stream() {
    let mut publisher = publisher(PublisherConfig::default());
    let packets = packets_of(&mut publisher, 5, 3);
    let sent = history(&mut publisher);
    assert_eq!(sent.len(), 16, "an opening message and fifteen");
    let mut heartbeat = Vec::new();
    publisher.transmit(START_NS + SECOND_NS, true, &mut |packet| {
        heartbeat = packet.to_vec();
        true
    });
    let mut runs = 0;
    for order in permutations(&[0, 1, 2, 3, 4]) {
        for fate in 0..3_u32.pow(5) {
            // One fate a packet: lost, once, twice.
            let copies = |packet: usize| fate / 3_u32.pow(packet as u32) % 3;
            let held_packets = (runs % 4) as usize;
            let mut ear = Ear::new(ReceiverConfig {
                held_packets,
                ..ReceiverConfig::default()
            });
            for packet in &order {
                for _ in 0..copies(*packet) {
                    ear.hear(&packets[*packet]);
                }
            }
            ear.hear(&heartbeat);
            ear.catch_up(&mut publisher, || true);
            assert_eq!(ear.messages, sent, "order {order:?}, fate {fate}");
            ear.now_ns += SECOND_NS;
            // The limiter counts by the second.
            publisher.request(&[], START_NS + (runs + 1) * SECOND_NS, &mut |_| true);
            runs += 1;
        }
    }
    assert_eq!(runs, 120 * 243);
}

#[test]
fn lost_answers_are_asked_for_again() {
    let mut publisher = publisher(PublisherConfig {
        payload_bytes_max: 64,
        ..Default::default()
    });
    let packets = packets_of(&mut publisher, 20, 10);
    let sent = history(&mut publisher);
    for seed in 0..50_u64 {
        let mut state = seed * 2 + 1;
        let mut draw = |of: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695);
            (state >> 33) % of
        };
        let mut ear = Ear::new(ReceiverConfig {
            held_packets: 8,
            ..ReceiverConfig::default()
        });
        ear.now_ns += seed * 1_000 * SECOND_NS;
        let mut late: Vec<usize> = Vec::new();
        for (index, packet) in packets.iter().enumerate() {
            match draw(4) {
                0 => late.push(index),
                1 => {}
                _ => {
                    ear.hear(packet);
                }
            }
            if draw(3) == 0
                && let Some(index) = late.pop()
            {
                ear.hear(&packets[index]);
            }
        }
        ear.hear(packets.last().unwrap());
        ear.catch_up(&mut publisher, || draw(2) == 0);
        assert_eq!(ear.messages, sent, "seed {seed}");
    }
}

#[test]
fn packets_hold_as_many_messages_as_fit() {
    for payload_bytes_max in [64, 100, 1_400, 1_472] {
        let config = PublisherConfig {
            payload_bytes_max,
            ..PublisherConfig::default()
        };
        let mut publisher = publisher(config);
        for order_ref in 1..=200 {
            publisher.on_event(&reduced(order_ref), START_NS).unwrap();
        }
        let mut sizes = Vec::new();
        publisher.transmit(START_NS, false, &mut |packet| {
            sizes.push(packet.len());
            true
        });
        // A reduction's block has 25 bytes: a full packet has no room for another one.
        let full = |size: &usize| (payload_bytes_max - 24..=payload_bytes_max).contains(size);
        assert!(sizes.iter().all(full), "{payload_bytes_max}: {sizes:?}");
        assert!(publisher.unsent() > 0, "the last packet waits for more");
        publisher.transmit(START_NS, true, &mut |_| false);
        assert!(
            publisher.unsent() > 0,
            "nothing is lost when a packet is not taken"
        );
        publisher.transmit(START_NS, true, &mut |_| true);
        assert_eq!(publisher.unsent(), 0);
    }
    let refused = |payload_bytes_max| {
        Publisher::new(PublisherConfig {
            payload_bytes_max,
            ..Default::default()
        })
        .is_err()
    };
    assert!(refused(63) && refused(1_473));
}

#[test]
fn heartbeats_and_the_end_keep_their_times() {
    let mut publisher = publisher(PublisherConfig::default());
    let mut ear = Ear::new(ReceiverConfig::default());
    for packet in packets_of(&mut publisher, 1, 3) {
        ear.hear(&packet);
    }
    let mut count = |publisher: &mut Publisher, tenth: u64| {
        let mut sent = 0;
        publisher.transmit(START_NS + tenth * SECOND_NS / 10, true, &mut |packet| {
            assert_eq!(packet.len(), 20);
            ear.hear(packet);
            sent += 1;
            true
        });
        (sent, ear.receiver.state())
    };
    for tenth in 1..=50 {
        let due = u32::from(tenth % 10 == 0);
        assert_eq!(
            count(&mut publisher, tenth),
            (due, State::Live),
            "tenth {tenth}"
        );
    }
    publisher.end(START_NS + 5 * SECOND_NS);
    for tenth in 50..=200 {
        let due = u32::from(tenth % 10 == 0 && tenth <= 100);
        assert_eq!(
            count(&mut publisher, tenth),
            (due, State::Ended),
            "tenth {tenth}"
        );
        assert_eq!(publisher.ended(), tenth >= 100);
    }
    assert_eq!(
        (publisher.counters().heartbeats, publisher.counters().ends),
        (5, 6)
    );
    // Who was away reads the day after its end.
    let messages = history(&mut publisher);
    assert_eq!(messages, ear.messages);
}

#[test]
fn an_end_that_comes_before_the_last_messages_does_not_end_early() {
    let mut publisher = publisher(PublisherConfig::default());
    packets_of(&mut publisher, 2, 3);
    publisher.end(START_NS);
    let mut ear = Ear::new(ReceiverConfig::default());
    publisher.transmit(START_NS, true, &mut |packet| {
        ear.hear(packet);
        true
    });
    assert_eq!(ear.receiver.state(), State::Gap);
    ear.catch_up(&mut publisher, || true);
    assert_eq!(
        (ear.receiver.state(), ear.messages.len()),
        (State::Ended, 7)
    );
}

#[test]
fn requests_are_answered_refused_and_limited() {
    let config = PublisherConfig {
        requests_per_second: 12,
        ..PublisherConfig::default()
    };
    let mut publisher = publisher(config);
    packets_of(&mut publisher, 4, 50);
    publisher.on_event(&reduced(1_000), START_NS).unwrap();
    let session = config.session;
    let ask = |publisher: &mut Publisher, session, sequence, count| {
        let mut bytes = [0; 20];
        Request {
            session,
            sequence,
            count,
        }
        .encode(&mut bytes)
        .unwrap();
        publisher.request(&bytes, START_NS, &mut |packet| {
            assert!(packet.len() <= 1_400);
            true
        })
    };
    assert_eq!(ask(&mut publisher, session, 1, 1), Answer::Sent(1));
    assert_eq!(ask(&mut publisher, session, 1, u16::MAX), Answer::Sent(55));
    assert_eq!(ask(&mut publisher, session, 200, 100), Answer::Sent(2));
    assert_eq!(
        ask(&mut publisher, session, 202, 1),
        Answer::Nothing,
        "it was not sent yet"
    );
    assert_eq!(
        ask(&mut publisher, session, u64::MAX, u16::MAX),
        Answer::Nothing
    );
    assert_eq!(ask(&mut publisher, session, 0, 1), Answer::Nothing);
    assert_eq!(ask(&mut publisher, session, 5, 0), Answer::Nothing);
    assert_eq!(
        ask(&mut publisher, *b"ANOTHERDAY", 1, 1),
        Answer::OtherSession
    );
    assert_eq!(
        publisher.request(&[0; 19], START_NS, &mut |_| true),
        Answer::Malformed
    );
    let mut bytes = [0; 20];
    Request {
        session,
        sequence: 1,
        count: 1,
    }
    .encode(&mut bytes)
    .unwrap();
    assert_eq!(
        publisher.request(&bytes, START_NS, &mut |_| false),
        Answer::NotTaken
    );
    assert_eq!(ask(&mut publisher, session, 1, 1), Answer::Sent(1));
    assert_eq!(ask(&mut publisher, session, 1, 1), Answer::Sent(1));
    assert_eq!(ask(&mut publisher, session, 1, 1), Answer::TooMany);
    let later = publisher.request(&bytes, START_NS + SECOND_NS, &mut |_| true);
    assert_eq!(later, Answer::Sent(1));
    let counters = publisher.counters();
    assert_eq!(
        (counters.requests_answered, counters.requests_refused),
        (6, 8)
    );
}

#[test]
fn the_history_forgets_the_oldest_and_never_what_was_not_sent() {
    let mut publisher = publisher(PublisherConfig::default());
    let mut order_ref = 0;
    while publisher.on_event(&reduced(order_ref + 1), START_NS) != Err(HistoryFull) {
        order_ref += 1;
        assert!(order_ref < 2_000);
    }
    let mut ear = Ear::new(ReceiverConfig::default());
    let mut drain = |publisher: &mut Publisher| {
        publisher.transmit(START_NS, true, &mut |packet| {
            ear.hear(packet);
            true
        });
    };
    drain(&mut publisher);
    for _ in 0..5_000 {
        order_ref += 1;
        publisher.on_event(&reduced(order_ref), START_NS).unwrap();
        drain(&mut publisher);
    }
    assert_eq!(ear.messages.len() as u64, order_ref + 1);
    let mut bytes = [0; 20];
    let session = publisher.config().session;
    let mut ask = |sequence| {
        Request {
            session,
            sequence,
            count: 1,
        }
        .encode(&mut bytes)
        .unwrap();
        publisher.request(&bytes, START_NS, &mut |_| true)
    };
    assert_eq!(ask(1), Answer::Gone);
    assert_eq!(ask(order_ref + 2 - 1_024), Answer::Sent(1));
    assert_eq!(ask(order_ref + 1 - 1_024), Answer::Gone);
}

#[test]
fn sessions_change_forwards_only() {
    let named = |session: &[u8; 10]| {
        let mut one = publisher(PublisherConfig {
            session: *session,
            ..Default::default()
        });
        packets_of(&mut one, 2, 2)
    };
    let (monday, tuesday) = (named(b"MONDAY    "), named(b"TUESDAY   "));
    let mut receiver = Receiver::new(ReceiverConfig::default());
    let mut sequences = Vec::new();
    let mut hear = |packet: &[u8]| {
        receiver.packet(packet, START_NS, &mut |sequence, _| {
            sequences.push(sequence)
        })
    };
    assert_eq!(hear(&monday[0]), Received::Messages(3));
    assert_eq!(hear(&tuesday[1]), Received::Ahead);
    assert_eq!(
        hear(&monday[1]),
        Received::OtherSession,
        "a late packet of yesterday"
    );
    assert_eq!(hear(&tuesday[0]), Received::Messages(5));
    assert_eq!(hear(&tuesday[0]), Received::Duplicate);
    assert_eq!(sequences, [1, 2, 3, 1, 2, 3, 4, 5]);
    assert_eq!(receiver.session(), Some(*b"TUESDAY   "));
    let only = ReceiverConfig {
        session: Some(*b"MONDAY    "),
        ..ReceiverConfig::default()
    };
    let mut ear = Ear::new(only);
    assert_eq!(ear.receiver.state(), State::Waiting);
    assert_eq!(ear.hear(&tuesday[0]), Received::OtherSession);
    assert_eq!(ear.hear(&monday[0]), Received::Messages(3));
}

#[test]
fn a_receiver_may_begin_where_it_joins() {
    let mut publisher = publisher(PublisherConfig::default());
    let packets = packets_of(&mut publisher, 3, 2);
    let config = ReceiverConfig {
        sequence: 0,
        ..ReceiverConfig::default()
    };
    let mut receiver = Receiver::new(config);
    let mut sequences = Vec::new();
    for packet in &packets[1..] {
        receiver.packet(packet, START_NS, &mut |sequence, _| {
            sequences.push(sequence)
        });
    }
    assert_eq!(sequences, [4, 5, 6, 7]);
    assert_eq!(
        (receiver.state(), receiver.poll(START_NS)),
        (State::Live, None)
    );
}

#[test]
fn no_bytes_of_a_stranger_break_a_receiver() {
    let mut publisher = publisher(PublisherConfig::default());
    let packet = packets_of(&mut publisher, 1, 5).remove(0);
    for length in 0..packet.len() {
        let mut ear = Ear::new(ReceiverConfig::default());
        assert_eq!(
            ear.hear(&packet[..length]),
            Received::Malformed,
            "cut at {length}"
        );
        assert!(ear.messages.is_empty());
    }
    for at in 0..packet.len() {
        for value in [0, 1, 0x7F, 0xFF] {
            let mut bytes = packet.clone();
            bytes[at] = value;
            let mut ear = Ear::new(ReceiverConfig::default());
            ear.receiver.packet(&bytes, START_NS, &mut |_, _| {});
            let _ = (ear.receiver.state(), ear.receiver.poll(START_NS));
        }
    }
}

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
