//! When and how much a TCP port over AF_XDP sends: to a peer made by hand, which answers when it is
//! told to, and by a clock that the test sets. Skipped, with the reason printed, where the machine
//! does not allow it.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod cable;

use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use cable::raw::{ACK, Packet, RST, SYN, segment, stranger};
use cable::{LIMITS, PATIENCE, Server, cable, options, pattern};
use nic::netns::{VETH_NAME, VethPair};
use nic::{Clock, Congestion, Conn, Stamp, TcpEvent, TcpPort, XdpOptions, XdpTcp};

const MS_NS: u64 = 1_000_000;
/// What the peer takes at once; its segments say so.
const WINDOW: usize = 0x2000;
/// Bytes of a segment to a peer that did not say what it takes (RFC 9293, 3.7.1).
const SEGMENT_BYTES: usize = 536;
/// What the stack reckons in towards such a peer.
const UNIT_BYTES: usize = 1024;
/// Turns in which whatever can happen has happened.
const TURNS: usize = 200;

/// A clock that stands until it is set.
#[derive(Clone)]
struct Standing(Arc<Mutex<u64>>);

impl Standing {
    fn pass(&self, ns: u64) {
        *self.0.lock().unwrap() += ns;
    }
}

impl Clock for Standing {
    fn now_ns(&self) -> u64 {
        *self.0.lock().unwrap()
    }
}

/// A peer made by hand, and the port that it dialled.
struct Ends<'p> {
    pair: &'p VethPair,
    server: Server,
    clock: Standing,
    wire: Packet,
    peer: SocketAddrV4,
    conn: Conn,
    /// The port's first sequence number behind its SYN.
    start: Option<u32>,
    /// Places in the stream, and lengths, of segments that came with bytes.
    seen: Vec<(usize, usize)>,
    /// What segments without bytes acknowledged.
    answers: Vec<u32>,
}

impl<'p> Ends<'p> {
    fn dialled(pair: &'p VethPair, congestion: Congestion) -> Ends<'p> {
        let clock = Standing(Arc::new(Mutex::new(1_795_000_000_000 * MS_NS)));
        let xdp = XdpOptions {
            congestion,
            ..options()
        };
        let at = SocketAddrV4::new(pair.right.address, 0);
        let open = || XdpTcp::open(at, LIMITS, &xdp, Box::new(clock.clone()));
        let port = pair.right.netns.run(open).unwrap().unwrap();
        let wire = pair.left.netns.run(|| Packet::open(VETH_NAME, true));
        let mut ends = Ends {
            pair,
            server: Server::new(port),
            clock,
            wire: wire.unwrap(),
            peer: stranger(1),
            conn: Conn(0),
            start: None,
            seen: Vec::new(),
            answers: Vec::new(),
        };
        ends.say(SYN, (7, 0));
        ends.until("the answer", |ends| ends.start.is_some());
        ends.acknowledge(0);
        ends.until("the connection", |ends| !ends.server.opened.is_empty());
        ends.conn = ends.server.opened[0].0;
        ends
    }

    /// A segment of the peer.
    fn say(&self, flags: u8, numbers: (u32, u32)) {
        let to = self.server.address().port();
        let ends = (&self.pair.left, &self.pair.right);
        assert!(
            self.wire
                .send(&segment(ends, (self.peer, to), flags, numbers))
        );
    }

    /// The peer has the first bytes of the stream.
    fn acknowledge(&self, bytes: usize) {
        self.say(ACK, (8, self.start.unwrap().wrapping_add(bytes as u32)));
    }

    /// What came to the peer.
    fn hear(&self) -> Vec<Heard> {
        let mut buffer = [0; 2048];
        let next = || {
            self.wire
                .receive(&mut buffer)
                .map(|frame| Heard::of(frame, self.peer))
        };
        std::iter::from_fn(next).flatten().collect()
    }

    fn turn(&mut self) {
        self.server.poll();
        for heard in self.hear() {
            if heard.flags == SYN | ACK {
                self.start = Some(heard.sequence.wrapping_add(1));
            } else if heard.bytes > 0 {
                let at = heard.sequence.wrapping_sub(self.start.unwrap());
                self.seen.push((at as usize, heard.bytes));
            } else {
                self.answers.push(heard.acknowledged);
            }
        }
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Ends<'p>) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "{what}: {:?}", self.seen);
            self.turn();
            std::thread::yield_now();
        }
    }

    /// The segments with bytes that come in a while, at least so many bytes.
    fn flight(&mut self, bytes_min: usize) -> Vec<(usize, usize)> {
        self.seen.clear();
        let all = |ends: &mut Ends<'p>| ends.seen.iter().map(|(_, bytes)| bytes).sum::<usize>();
        self.until("a flight", |ends| all(ends) >= bytes_min);
        (0..TURNS).for_each(|_| self.turn());
        std::mem::take(&mut self.seen)
    }

    fn pass(&mut self, ns: u64) {
        self.clock.pass(ns);
    }
}

/// A segment that came to the peer.
#[derive(Clone, Copy)]
struct Heard {
    sequence: u32,
    acknowledged: u32,
    flags: u8,
    bytes: usize,
}

impl Heard {
    fn of(frame: &[u8], peer: SocketAddrV4) -> Option<Heard> {
        let is_ours = frame.len() >= 54 && frame[12..14] == [8, 0] && frame[23] == 6;
        if !is_ours || frame[30..34] != peer.ip().octets() {
            return None;
        }
        let ip_bytes = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
        let header_bytes = 20 + usize::from(frame[46] >> 4) * 4;
        Some(Heard {
            sequence: u32::from_be_bytes(frame[38..42].try_into().unwrap()),
            acknowledged: u32::from_be_bytes(frame[42..46].try_into().unwrap()),
            flags: frame[47] & 0x17,
            bytes: ip_bytes - header_bytes,
        })
    }
}

#[test]
fn what_is_not_acknowledged_is_repeated_after_200_ms_and_then_at_doubling_pauses() {
    let Some(pair) = cable() else { return };
    let mut ends = Ends::dialled(&pair, Congestion::Window);
    assert_eq!(ends.server.port.send(ends.conn, b"a lost reply"), 12);
    assert_eq!(ends.flight(12), [(0, 12)]);
    for pause in [200, 400, 800, 1_600] {
        ends.pass((pause - 1) * MS_NS);
        assert_eq!(ends.flight(0), [], "{pause} ms");
        ends.pass(MS_NS);
        assert_eq!(ends.flight(12), [(0, 12)], "{pause} ms");
    }
    ends.acknowledge(12);
    let conn = ends.conn;
    ends.until("the acknowledgement", |ends| {
        ends.server.port.unsent(conn) == 0
    });
    ends.pass(5_000 * MS_NS);
    assert_eq!(ends.flight(0), []);
}

fn bytes_of(flight: &[(usize, usize)]) -> usize {
    flight.iter().map(|(_, bytes)| bytes).sum()
}

#[test]
fn without_congestion_control_a_whole_window_leaves_and_is_repeated() {
    let Some(pair) = cable() else { return };
    let mut ends = Ends::dialled(&pair, Congestion::Window);
    ends.server.port.send(ends.conn, &pattern(40_000, 3));
    assert_eq!(bytes_of(&ends.flight(WINDOW)), WINDOW);
    ends.pass(200 * MS_NS);
    assert_eq!(bytes_of(&ends.flight(WINDOW)), WINDOW);
}

#[test]
fn with_reno_little_leaves_at_first_more_with_every_acknowledgement_and_little_after_a_loss() {
    let Some(pair) = cable() else { return };
    let mut ends = Ends::dialled(&pair, Congestion::Reno);
    ends.server.port.send(ends.conn, &pattern(40_000, 3));
    let first = ends.flight(2 * UNIT_BYTES);
    assert_eq!(bytes_of(&first), 2 * UNIT_BYTES);
    // Each acknowledged segment lets two follow, until the peer's window is full.
    let mut there = 0;
    let mut flights = vec![first];
    while bytes_of(flights.last().unwrap()) < WINDOW - SEGMENT_BYTES {
        for (at, bytes) in flights.last().unwrap().clone() {
            there = at + bytes;
            ends.acknowledge(there);
        }
        flights.push(ends.flight(SEGMENT_BYTES));
        let sizes: Vec<_> = flights.iter().map(|flight| bytes_of(flight)).collect();
        assert!(sizes.is_sorted() && flights.len() < 6, "{sizes:?}");
    }
    // Nothing of the last flight is acknowledged: one of the stack's own segments goes first, two
    // when it arrived.
    ends.pass(200 * MS_NS);
    let again = ends.flight(UNIT_BYTES);
    assert_eq!((again[0].0, bytes_of(&again)), (there, UNIT_BYTES));
    ends.acknowledge(there + UNIT_BYTES);
    assert_eq!(bytes_of(&ends.flight(2 * UNIT_BYTES)), 2 * UNIT_BYTES);
}

/// The peer stands at 8: a reset from there is believed. From elsewhere it may be anybody's, and
/// the peer is asked.
#[test]
fn a_reset_is_believed_where_the_peer_stands_and_nowhere_else() {
    let Some(pair) = cable() else { return };
    let mut ends = Ends::dialled(&pair, Congestion::Window);
    for sequence in [9, 8 + 5_000, 7, 8 + (1 << 30)] {
        ends.pass(1_000 * MS_NS);
        ends.answers.clear();
        ends.say(RST, (sequence, 0));
        ends.until("an answer", |ends| ends.answers == [8]);
        (0..TURNS).for_each(|_| ends.turn());
        assert_eq!((ends.server.closed.len(), ends.answers.len()), (0, 1));
    }
    assert_eq!(ends.server.port.work().resets_doubted, 4);
    // Many at once are answered once: nobody is made to send.
    ends.pass(1_000 * MS_NS);
    ends.answers.clear();
    (0..50).for_each(|n| ends.say(RST, (100 + n, 0)));
    ends.until("all", |ends| ends.server.port.work().resets_doubted == 54);
    (0..TURNS).for_each(|_| ends.turn());
    assert_eq!(ends.answers, [8]);
    ends.say(RST, (8, 0));
    ends.until("the end", |ends| !ends.server.closed.is_empty());
    assert_eq!(
        (
            ends.server.port.stats().resets,
            ends.server.port.stats().connections
        ),
        (1, 0)
    );
}

#[test]
fn bytes_are_stamped_when_the_first_of_their_frames_is_seen() {
    let Some(pair) = cable() else { return };
    let clock = Standing(Arc::new(Mutex::new(1_795_000_000_000 * MS_NS)));
    let at = SocketAddrV4::new(pair.right.address, 0);
    let open = || XdpTcp::open(at, LIMITS, &options(), Box::new(clock.clone()));
    let mut server = Server::new(pair.right.netns.run(open).unwrap().unwrap());
    let (peer, conn) = server.peer(&pair.left);
    let hear = |server: &mut Server, text: &[u8]| {
        let (mut heard, mut times, start) = (Vec::new(), Vec::new(), Instant::now());
        while heard != text {
            server.port.poll_stamped(&mut |touched, event| match event {
                TcpEvent::Data { bytes, .. } => {
                    heard.extend_from_slice(bytes);
                    times.push(touched.map(Stamp::ns).unwrap());
                }
                event => panic!("{event:?}"),
            });
            assert!(start.elapsed() < PATIENCE, "{heard:?}");
        }
        times
    };
    let write = |text: &[u8]| std::io::Write::write_all(&mut &peer, text).unwrap();
    clock.pass(MS_NS);
    write(b"one");
    let first_ns = clock.now_ns();
    assert_eq!(hear(&mut server, b"one"), [first_ns]);
    // Bytes that wait because their connection is paused keep the time of the first.
    server.port.pause(conn, true);
    clock.pass(MS_NS);
    let second_ns = clock.now_ns();
    for text in [b"two", b"and"] {
        let frames = server.port.work().frames;
        write(text);
        server.drive("a frame", |server| server.port.work().frames > frames);
        clock.pass(MS_NS);
    }
    server.port.pause(conn, false);
    assert_eq!(hear(&mut server, b"twoand"), [second_ns]);
    clock.pass(MS_NS);
    write(b"six");
    assert_eq!(hear(&mut server, b"six"), [clock.now_ns()]);
}
