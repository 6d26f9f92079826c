//! The gate's port: the rings of a gateway that writes anything anywhere, those of an honest one,
//! and connections over a network beside them.
//!
//! Whatever the one gateway does, the gate sees connections that open once, end once and say
//! nothing in between that they may not, each from its own address; and the honest gateway and the
//! gate hear one another in full.
#![no_main]

use door::{Chunk, Door, Ringed, Rings};
use door_fuzz::{chunk, memories, scribble};
use libfuzzer_sys::fuzz_target;
use nic::{Conn, ConnectError, TcpEvent, TcpPort};
use queue::CounterSet;
use session_fuzz::Script;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

/// The hostile gateway's user and the honest one's.
const FROM: [Ipv4Addr; 2] = [Ipv4Addr::new(0, 0, 1, 0), Ipv4Addr::new(0, 0, 1, 1)];
const HONEST: usize = 1;

/// The highest slot of a connection: that of the first ring.
const SLOT_LAST: usize = (1 << 14) - 1;

/// Chunks of a ring in a turn, and more than the turns that a full ring takes.
const CHUNKS_MAX: usize = 64;
const TURNS_LAST: usize = 2 * door::DEPTH / CHUNKS_MAX;

/// Events of a turn: those of the rings, an end for each, and those of the network.
const EVENTS_MAX: usize = 2 * CHUNKS_MAX + 2 + 8_192;

/// Bytes that are said again and again, so that one that is missing shows.
const PERIOD: u64 = 251;

/// A port whose peers come from where they please, and go at once.
struct Network {
    coming: Rc<RefCell<Vec<Ipv4Addr>>>,
    came: u32,
}

impl TcpPort for Network {
    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        let coming = self.coming.take();
        for from in &coming {
            self.came += 1;
            let conn = Conn::new(0, self.came);
            let peer = SocketAddr::from((*from, 1));
            on(TcpEvent::Opened { conn, peer });
            on(TcpEvent::Closed { conn });
        }
        coming.len()
    }

    fn connect(&mut self, _: SocketAddr) -> Result<Conn, ConnectError> {
        Err(ConnectError::Full)
    }

    fn send_room(&self, _: Conn) -> usize {
        0
    }

    fn send(&mut self, _: Conn, _: &[u8]) -> usize {
        panic!("these connections are over")
    }

    fn unsent(&self, _: Conn) -> usize {
        0
    }

    fn pause(&mut self, _: Conn, _: bool) {}

    fn close(&mut self, _: Conn) {}
}

/// One connection as the gate has it.
#[derive(Default)]
struct Seen {
    is_closed: bool,
    is_over: bool,
    /// Bytes either way, where they are the honest gateway's.
    heard: u64,
    said: u64,
}

/// All connections that ever were, and the last one of each ring.
#[derive(Default)]
struct Gate {
    seen: BTreeMap<u32, Seen>,
    last: [Option<Conn>; 2],
}

impl Gate {
    fn on(&mut self, event: TcpEvent<'_>) {
        let ring = |conn: Conn| Some(SLOT_LAST - conn.slot()).filter(|ring| *ring < FROM.len());
        match event {
            TcpEvent::Opened { conn, peer } => {
                let IpAddr::V4(from) = peer.ip() else {
                    panic!("an address of another kind")
                };
                match ring(conn) {
                    Some(ring) => {
                        assert_eq!(from, FROM[ring], "the address of its user");
                        self.last[ring] = Some(conn);
                    }
                    None => assert_ne!(from.octets()[0], 0, "a stranger with a ring's address"),
                }
                let before = self.seen.insert(conn.0, Seen::default());
                assert!(before.is_none(), "a connection's name is not used twice");
            }
            TcpEvent::Data { conn, bytes } => {
                let seen = self.seen.get_mut(&conn.0).expect("it was opened");
                assert!(!seen.is_over && !seen.is_closed, "it is over");
                assert!((1..=Chunk::BYTES_MAX).contains(&bytes.len()));
                if ring(conn) == Some(HONEST) {
                    said_in_order(bytes, &mut seen.heard);
                }
            }
            TcpEvent::Closed { conn } => {
                let seen = self.seen.get_mut(&conn.0).expect("it was opened");
                assert!(!seen.is_over, "it ends once");
                seen.is_over = true;
            }
        }
    }
}

/// The port and who uses it.
struct Venue {
    port: Ringed<Network>,
    gate: Gate,
}

impl Venue {
    fn poll(&mut self) {
        let Self { port, gate } = self;
        let count = port.poll(&mut |event| gate.on(event));
        assert!(count <= EVENTS_MAX, "it reads on for ever");
    }

    /// Sends to a ring's last connection, whether that goes on or not.
    fn send(&mut self, ring: usize, count: usize) {
        let Some(conn) = self.gate.last[ring] else {
            return;
        };
        let seen = self.gate.seen.get_mut(&conn.0).expect("it was opened");
        let sent = self.port.send(conn, &words(seen.said, count));
        assert!(sent == 0 || sent <= count && !seen.is_over && !seen.is_closed);
        seen.said += sent as u64;
    }

    /// Stops reading from a ring's last connection, goes on, or ends it.
    fn act(&mut self, ring: usize, what: u8) {
        let Some(conn) = self.gate.last[ring] else {
            return;
        };
        match what % 4 {
            0 => {
                self.port.close(conn);
                self.gate
                    .seen
                    .get_mut(&conn.0)
                    .expect("it was opened")
                    .is_closed = true;
            }
            what => self.port.pause(conn, what == 1),
        }
    }

    /// What both sides said in the honest gateway's last connection was heard by the other one,
    /// unless the gate ended it.
    fn compare(&self, honest: &Honest) {
        let conn = self.gate.last[HONEST].expect("it was opened");
        let seen = &self.gate.seen[&conn.0];
        if seen.is_closed {
            return;
        }
        assert!(!seen.is_over, "nobody ended it");
        assert_eq!((seen.heard, honest.heard), (honest.said, seen.said));
    }
}

/// Bytes that go on behind those that were heard.
fn said_in_order(bytes: &[u8], heard: &mut u64) {
    for byte in bytes {
        assert_eq!(u64::from(*byte), *heard % PERIOD, "byte {heard}");
        *heard += 1;
    }
}

fn words(from: u64, count: usize) -> Vec<u8> {
    let all = (from..).map(|number| (number % PERIOD) as u8);
    all.take(count).collect()
}

/// The honest gateway's connection: bytes said and heard.
struct Honest {
    door: Door,
    said: u64,
    heard: u64,
}

impl Honest {
    fn receive(&mut self) {
        let heard = &mut self.heard;
        let on = &mut |bytes: &[u8]| said_in_order(bytes, heard);
        // Whether the gate ended it the gate's own figures tell in the end.
        let _ = self.door.receive(door::DEPTH, on);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script::new(bytes);
    let rings = [0, 1].map(|_| Rings::create("fuzz").expect("memory"));
    let memories = memories(&rings[0]);
    let mut set = CounterSet::anonymous(&["refused"], &[]).expect("memory");
    let refused = set.counter("refused").expect("a counter");
    let named = [0, 1].map(|place| (FROM[place], rings[place].clone()));
    let coming = Rc::default();
    let network = Network {
        coming: Rc::clone(&coming),
        came: 0,
    };
    let mut venue = Venue {
        port: Ringed::new(network, &named, refused),
        gate: Gate::default(),
    };
    let mut commands = rings[0].commands.writer();
    let (mut honest, mut begun) = (None::<Honest>, 0);
    while !script.is_over() {
        match script.byte() % 10 {
            0 | 1 => {
                let memory = &memories[script.below(2)];
                scribble(&mut script, memory);
            }
            2 => {
                let session = u64::from(script.byte() % 4);
                // A full ring takes nothing.
                let _ = commands.push(0, &chunk(&mut script, session));
            }
            3 => venue.poll(),
            4 => {
                begun += 1;
                let door = Door::begin(&rings[HONEST], begun).ok();
                honest = door.map(|door| Honest {
                    door,
                    said: 0,
                    heard: 0,
                });
            }
            5 => {
                let count = usize::from(script.byte());
                if let Some(honest) = &mut honest {
                    honest.said += honest.door.send(&words(honest.said, count)) as u64;
                }
            }
            6 => honest.iter_mut().for_each(Honest::receive),
            7 => venue.send(script.below(2), usize::from(script.byte()) * 8),
            8 => venue.act(script.below(2), script.byte()),
            _ => {
                let from = Ipv4Addr::from(script.number::<4>() as u32 >> (script.byte() % 32));
                coming.borrow_mut().push(from);
            }
        }
    }
    let Some(mut honest) = honest else { return };
    for _ in 0..TURNS_LAST {
        if let Some(conn) = venue.gate.last[HONEST] {
            venue.port.pause(conn, false);
        }
        venue.poll();
        honest.receive();
    }
    venue.compare(&honest);
});
