//! Whatever the network loses, repeats or disorders, the receiver has the whole feed in the end.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ear;

use ear::{Ear, START_NS, history, packets_of, publisher};
use session::SECOND_NS;
use session::feed::{PublisherConfig, Received, Receiver, ReceiverConfig, State};
use wire::mold::Packet;

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
        payload_bytes_max: 72,
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

#[test]
fn lines_that_pack_the_same_messages_differently_are_one_stream() {
    let line = |payload_bytes_max| {
        let config = PublisherConfig {
            payload_bytes_max,
            ..PublisherConfig::default()
        };
        packets_of(&mut publisher(config), 1, 40)
    };
    let (wide, narrow) = (line(300), line(130));
    assert!(narrow.len() > 2 * wide.len());
    for first in 0..narrow.len() {
        let mut ear = Ear::new(ReceiverConfig::default());
        // One line is ahead of the other by a part of its packet.
        for packet in narrow[..first].iter().chain(&wide).chain(&narrow[first..]) {
            ear.hear(packet);
        }
        assert_eq!(
            (ear.messages.len(), ear.receiver.state()),
            (41, State::Live)
        );
    }
}

#[test]
fn a_session_that_goes_on_behind_its_end_is_not_over() {
    let mut publisher = publisher(PublisherConfig::default());
    let packets = packets_of(&mut publisher, 2, 3);
    let end = |packet: &[u8]| {
        let next = Packet::parse(packet).unwrap().next_sequence();
        [&packet[..10], &next.to_be_bytes(), &[0xff; 2]].concat()
    };
    let mut ear = Ear::new(ReceiverConfig::default());
    let mut state_after = |packet: &[u8]| {
        ear.hear(packet);
        ear.receiver.state()
    };
    // The venue stops, starts again and stops again; its first end comes once more at any time.
    for (packet, due) in [
        (&packets[0], State::Live),
        (&end(&packets[0]), State::Ended),
        (&packets[1], State::Live),
        (&end(&packets[0]), State::Live),
        (&end(&packets[1]), State::Ended),
        (&end(&packets[0]), State::Ended),
    ] {
        assert_eq!(state_after(packet), due);
    }
}

#[test]
fn what_was_held_for_a_snapshot_that_did_not_come_goes_with_one_answer() {
    let mut publisher = publisher(PublisherConfig::default());
    let packets = packets_of(&mut publisher, 3, 3);
    let mut ear = Ear::new(ReceiverConfig::default());
    ear.hear(&packets[0]);
    let known = ear.messages.len();
    ear.receiver.join();
    ear.hear(&packets[1]);
    ear.hear(&packets[2]);
    ear.receiver.join_not(ear.now_ns);
    assert_eq!(ear.receiver.state(), State::Gap);
    let request = ear.receiver.poll(ear.now_ns).unwrap();
    let next = ear.receiver.sequence_next();
    assert_eq!(request[10..], [&next.to_be_bytes()[..], &[0, 1]].concat());
    ear.hear(&packets[1]);
    assert_eq!(
        (ear.receiver.state(), ear.messages.len()),
        (State::Live, known + 6)
    );
}
