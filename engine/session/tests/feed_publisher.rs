//! The feed's sender: packing, heartbeats, the end, requests, and a history that is bounded.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ear;

use ear::{Ear, START_NS, history, packets_of, publisher, reduced};
use session::SECOND_NS;
use session::feed::{Answer, HistoryFull, Publisher, PublisherConfig, ReceiverConfig, State};
use wire::mold::Request;

#[test]
fn packets_hold_as_many_messages_as_fit() {
    for payload_bytes_max in [72, 100, 1_400, 1_472] {
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
    assert!(refused(71) && refused(1_473));
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
