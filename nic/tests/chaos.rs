//! Two ports do everything a port can do, in an order drawn by lot: no byte is lost, doubled or
//! given to the wrong connection, every connection ends once, and nothing is left behind.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod ends;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use ends::{End, PATIENCE, Random, nets};
use nic::{Conn, TcpLimits, TcpPort};

const PLACES: u16 = 12;
const STEPS: usize = 4_000;
const SEEDS: u64 = 4;

/// The byte at a place of the stream that a connection sends: its own for each connection.
fn byte(stream: u64, at: usize) -> u8 {
    let mixed = (stream + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (at as u64 * 0x51_7cc1);
    (mixed >> 16) as u8 ^ mixed as u8
}

/// One side: its port, and what it sent on each connection.
struct Side {
    end: End,
    /// Marks the streams of this side.
    mark: u64,
    sent: HashMap<Conn, usize>,
    paused: Vec<Conn>,
}

impl Side {
    fn new(end: End, mark: u64) -> Side {
        Side {
            end,
            mark,
            sent: HashMap::new(),
            paused: Vec::new(),
        }
    }

    fn live(&self) -> Vec<Conn> {
        let opened = self.end.opened.iter().map(|(conn, _)| *conn);
        let live = opened.filter(|conn| !self.end.closed.contains(conn));
        live.collect()
    }

    /// A stream is named by the dialler's address, which both sides know.
    fn stream(&self, name: u16) -> u64 {
        self.mark + u64::from(name) * 2
    }

    fn act(&mut self, lot: &mut Random, names: &HashMap<Conn, u16>) {
        let live = self.live();
        if live.is_empty() {
            return;
        }
        let conn = live[lot.below(live.len())];
        let Some(&name) = names.get(&conn) else {
            return;
        };
        match lot.below(16) {
            0..8 => self.send(conn, name, 1 + lot.below(700)),
            8 | 9 => self.pause(conn, true),
            10..14 => self.pause(conn, false),
            14 => self.end.port.flush(),
            _ if lot.below(6) == 0 => self.end.port.close(conn),
            _ => {}
        }
    }

    fn send(&mut self, conn: Conn, name: u16, length: usize) {
        let start = self.sent.get(&conn).copied().unwrap_or(0);
        let stream = self.stream(name);
        let bytes: Vec<u8> = (start..start + length).map(|at| byte(stream, at)).collect();
        let taken = self.end.port.send(conn, &bytes);
        self.sent.insert(conn, start + taken);
    }

    fn pause(&mut self, conn: Conn, is_paused: bool) {
        self.end.port.pause(conn, is_paused);
        self.paused.retain(|other| *other != conn);
        if is_paused {
            self.paused.push(conn);
        }
    }

    /// What came is the beginning of what the other side sends under that name.
    fn check(&self, names: &HashMap<Conn, u16>, other: &Side) {
        for (conn, bytes) in &self.end.data {
            let stream = other.stream(names[conn]);
            let wrong = bytes
                .iter()
                .enumerate()
                .position(|(at, b)| *b != byte(stream, at));
            assert_eq!(wrong, None, "{conn:?} of {} bytes", bytes.len());
        }
    }
}

/// The ports of the dialling sockets: by these both sides know a connection.
type Names = [HashMap<Conn, u16>; 2];

/// Both ends of a connection that a dialler opened are told apart by when they came; the system
/// accepts in the order of dialling, and one is dialled at a time.
fn dial(sides: &mut [Side; 2], names: &mut Names, count: &mut u16, at: SocketAddr) {
    let [server, client] = sides;
    let (accepted, opened) = (server.end.opened.len(), client.end.opened.len());
    let Ok(conn) = client.end.port.connect(at) else {
        return;
    };
    let start = Instant::now();
    let refused = server.end.port.stats().refused;
    while client.end.opened.len() == opened || server.end.opened.len() == accepted {
        assert!(start.elapsed() < PATIENCE);
        server.end.poll();
        client.end.poll();
        if server.end.port.stats().refused > refused {
            return; // no place at the other side: it closes
        }
    }
    *count += 1;
    assert_eq!(client.end.opened[opened].0, conn);
    names[1].insert(conn, *count);
    names[0].insert(server.end.opened[accepted].0, *count);
}

/// Whether all that was sent on connections open at both sides came.
fn is_whole(
    [here, there]: [&Side; 2],
    [named_here, named_there]: [&HashMap<Conn, u16>; 2],
) -> bool {
    let live = there.live();
    let open = live.iter().map(|conn| (named_there[conn], *conn));
    let open: HashMap<u16, Conn> = open.collect();
    here.live().iter().all(|conn| {
        let Some(peer) = open.get(&named_here[conn]) else {
            return true;
        };
        let sent = there.sent.get(peer).copied().unwrap_or(0);
        assert!(here.end.received(*conn).len() <= sent);
        here.end.received(*conn).len() == sent
    })
}

fn settle(sides: &mut [Side; 2], names: &Names) {
    for side in sides.iter_mut() {
        for conn in side.live() {
            side.pause(conn, false);
        }
    }
    let start = Instant::now();
    let [left, right] = names;
    let is_done = |[here, there]: &[Side; 2]| {
        is_whole([here, there], [left, right]) && is_whole([there, here], [right, left])
    };
    while !is_done(sides) {
        assert!(start.elapsed() < PATIENCE);
        sides.iter_mut().for_each(|side| _ = side.end.poll());
    }
    for side in sides.iter_mut() {
        for conn in side.live() {
            side.end.port.close(conn);
        }
    }
    while sides
        .iter()
        .any(|side| side.end.port.stats().connections > 0)
    {
        assert!(start.elapsed() < PATIENCE);
        sides.iter_mut().for_each(|side| _ = side.end.poll());
    }
}

#[test]
fn whatever_is_done_streams_stay_whole() {
    let limits = TcpLimits {
        connections: PLACES,
        receive_bytes: 300,
        send_bytes: 2_000,
        linger_ms: 60_000,
    };
    for (mut net, seed) in nets()
        .into_iter()
        .flat_map(|net| (1..=SEEDS).map(move |s| (net, s)))
    {
        let mut lot = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let server = Side::new(End::listen(&mut net, limits), 0);
        let client = Side::new(End::client(&mut net, limits), 1);
        let at = server.end.address();
        let mut sides = [server, client];
        let mut names = Names::default();
        let mut count = 0;
        for _ in 0..STEPS {
            match lot.below(20) {
                0 => dial(&mut sides, &mut names, &mut count, at),
                1..6 => _ = sides[lot.below(2)].end.poll(),
                _ => {
                    let which = lot.below(2);
                    sides[which].act(&mut lot, &names[which]);
                }
            }
        }
        settle(&mut sides, &names);
        let [server, client] = &sides;
        server.check(&names[0], client);
        client.check(&names[1], server);
        for side in &sides {
            assert_eq!(side.live(), [], "seed {seed}");
            let stats = side.end.port.stats();
            assert_eq!((stats.resets, stats.cut, stats.connections), (0, 0, 0));
        }
        assert!(count > 20, "{count} connections");
        let bytes: u64 = sides
            .iter()
            .map(|side| side.end.port.stats().bytes_in)
            .sum();
        assert!(bytes > 100_000, "{bytes} bytes");
    }
}
