//! A publisher to listen to, and a receiver that keeps what it hears.
#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use bytemuck::Zeroable;
use session::SECOND_NS;
use session::feed::{Publisher, PublisherConfig, Received, Receiver, ReceiverConfig, State};
use wire::mold::Request;
use wire::ring::{Event, EventKind};

pub const START_NS: u64 = 1_700_000_000 * SECOND_NS;

pub fn publisher(config: PublisherConfig) -> Publisher {
    Publisher::new(PublisherConfig {
        history_messages: 1_024,
        history_bytes: 65_536,
        ..config
    })
    .unwrap()
}

pub fn reduced(order_ref: u64) -> Event {
    Event {
        kind: EventKind::Reduced as u8,
        flags: Event::BOOKED,
        quantity: 7,
        order_ref,
        ..Event::zeroed()
    }
}

/// A publisher's packets, `each` messages to a packet, after an opening packet.
pub fn packets_of(publisher: &mut Publisher, packets: usize, each: u64) -> Vec<Vec<u8>> {
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
pub fn history(publisher: &mut Publisher) -> Vec<Vec<u8>> {
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
pub struct Ear {
    pub receiver: Receiver,
    pub messages: Vec<Vec<u8>>,
    pub now_ns: u64,
}

impl Ear {
    pub fn new(config: ReceiverConfig) -> Self {
        Self {
            receiver: Receiver::new(config),
            messages: Vec::new(),
            now_ns: START_NS,
        }
    }

    pub fn hear(&mut self, packet: &[u8]) -> Received {
        let messages = &mut self.messages;
        self.receiver
            .packet(packet, self.now_ns, &mut |sequence, message| {
                messages.push(message.to_vec());
                assert_eq!(sequence, messages.len() as u64, "out of order");
            })
    }

    /// Asks until nothing is missing; `answers` says whether an answer arrives.
    pub fn catch_up(&mut self, publisher: &mut Publisher, mut answers: impl FnMut() -> bool) {
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
