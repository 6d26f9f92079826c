//! Order entry: several connections that send any bytes in any pieces at any time, with good logins
//! and orders among them, before a reference engine that answers when it likes.
//!
//! Nobody is logged in without its user's password, and no command is another user's. A user's
//! stream of replies, and that of who watches accounts, is the same whoever reads it when; no reply
//! is lost. At the end the venue goes on: somebody logs in.
#![no_main]
#![allow(clippy::unwrap_used, reason = "as the venue of the tests")]

#[path = "../../tests/venue/mod.rs"]
mod venue;

use flow::naive::OFFERED;
use libfuzzer_sys::fuzz_target;
use session::SECOND_NS;
use session::order_entry::{Answer, Config, DropCopy, Member, OrderEntry, Rate};
use session_fuzz::Script;
use std::collections::{BTreeMap, BTreeSet};
use venue::{Venue, login, ouch, packet};
use wire::ouch::Tag;
use wire::ring::{Command, CommandKind, MAY_CANCEL, MAY_TRADE};

/// Connections at a time, one less than there is room for: at the end somebody logs in.
const CONNECTIONS: usize = 3;

/// Who may log in, with their passwords: two members and one who watches.
const LOGINS: [(&str, &str); 3] = [("ALPHA", "secret"), ("BETA", "hidden"), ("WATCH", "regard")];
const MEMBERS: usize = 2;

/// A connection from the other side.
#[derive(Default)]
struct Peer {
    is_open: bool,
    sent: Vec<u8>,
    /// What came and was not looked at yet.
    came: Vec<u8>,
    /// Whose stream it reads, and the number of its next message.
    reads: Option<(usize, u64)>,
}

impl Peer {
    /// The user that its first login names, if it has that user's password.
    fn login(&self) -> Option<usize> {
        let mut rest = &self.sent[..];
        while let Some((length, after)) = rest.split_first_chunk() {
            let (packet, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
            if packet.first() == Some(&b'L') {
                let text = String::from_utf8_lossy(packet.get(1..17)?).to_uppercase();
                return LOGINS.iter().position(|(user, password)| {
                    text == format!("{user:<6}{:<10}", password.to_uppercase())
                });
            }
            rest = after;
        }
        None
    }
}

struct World {
    venue: Venue,
    peers: [Peer; CONNECTIONS],
    /// Every message of every stream, as it was first read.
    streams: [BTreeMap<u64, Vec<u8>>; 3],
    /// Whose session numbers there are, by number.
    owners: BTreeMap<u16, usize>,
    /// Members that were logged in, ever: the sequencer is told of their going later.
    known: BTreeSet<usize>,
    is_asked: bool,
    is_ended: bool,
}

/// Little memory, so that many inputs are tried, and room for all replies of one.
fn config() -> Config {
    Config {
        store_bytes: 1 << 18,
        store_messages: 1 << 12,
        connections: CONNECTIONS + 1,
        ..venue::config()
    }
}

fn entry(script: &mut Script<'_>) -> OrderEntry {
    let flags = script.byte();
    let mut config = config();
    config.asks_elsewhere = flags & 1 != 0;
    config.refuses_second = flags & 2 != 0;
    config.failures_max = if flags & 4 != 0 { 3 } else { 0 };
    config.lock_ns = SECOND_NS;
    let rate = Rate {
        a_second: 1_000 * u32::from(flags & 8 != 0),
        at_once: 4,
        refusals_max: 10,
    };
    let member = |member: Member| Member {
        rate,
        leave_ns: (flags & 16 != 0).then_some(SECOND_NS),
        ..member
    };
    let members: Vec<Member> = venue::members().into_iter().map(member).collect();
    let watch = DropCopy {
        user: LOGINS[2].0.to_owned(),
        password: LOGINS[2].1.to_owned(),
        networks: Vec::new(),
        accounts: vec![1, 7],
        store_bytes: 1 << 18,
        store_messages: 1 << 12,
    };
    let entry = OrderEntry::new(config, &members).unwrap();
    entry.with_drop_copies(&[watch]).unwrap()
}

impl World {
    fn new(script: &mut Script<'_>) -> Self {
        let entry = entry(script);
        let mut venue = Venue::offering(config(), OFFERED);
        venue.entry = entry;
        for (event, time_ns) in &venue.events {
            venue.entry.on_event(event, *time_ns);
        }
        Self {
            venue,
            peers: Default::default(),
            streams: Default::default(),
            owners: (1..).zip(0..MEMBERS).collect(),
            known: BTreeSet::new(),
            is_asked: false,
            is_ended: false,
        }
    }

    fn open(&mut self, conn: usize) {
        self.peers[conn] = Peer::default();
        let opened = self.venue.entry.opened(conn as u32, self.venue.now_ns);
        assert!(opened.is_ok(), "there is room");
        self.peers[conn].is_open = true;
    }

    fn send(&mut self, conn: usize, bytes: &[u8]) {
        if !self.peers[conn].is_open {
            self.open(conn);
        }
        let room = self.venue.entry.inbound_room(conn as u32);
        let bytes = &bytes[..bytes.len().min(room)];
        self.peers[conn].sent.extend_from_slice(bytes);
        let user = self.peers[conn].login();
        let (owners, ring) = (&self.owners, &mut self.venue.ring);
        let now_ns = self.venue.now_ns;
        let taken = self
            .venue
            .entry
            .received(conn as u32, bytes, now_ns, &mut |command| {
                let owner = owners.get(&command.session).copied();
                assert!(owner.is_some() && owner == user, "{command:?} of {user:?}");
                put(ring, command)
            });
        assert_eq!(taken, bytes.len(), "there was room");
        self.known.extend(user);
    }

    fn poll(&mut self) {
        let (owners, ring, known) = (&self.owners, &mut self.venue.ring, &self.known);
        self.venue.entry.poll(self.venue.now_ns, &mut |command| {
            let owner = owners.get(&command.session);
            assert!(
                owner.is_some_and(|owner| known.contains(owner)),
                "{command:?}"
            );
            put(ring, command)
        });
        self.settle();
    }

    /// Answers questions, rightly, and closes what is to be closed.
    fn settle(&mut self) {
        if self.is_asked {
            while let Some(asked) = self.venue.entry.question() {
                let text = String::from_utf8_lossy(&asked.password).to_lowercase();
                let right = asked.login.map(|login| LOGINS[usize::from(login)].1);
                let answer = match right == Some(text.trim_end()) {
                    true => Answer::Right,
                    false => Answer::Wrong,
                };
                let (conn, now_ns) = (asked.conn, self.venue.now_ns);
                // Of another login, and so of none.
                self.venue
                    .entry
                    .answered(conn, asked.number + 1, Answer::Right, now_ns);
                self.venue
                    .entry
                    .answered(conn, asked.number, answer, now_ns);
            }
        }
        while let Some((conn, _)) = self.venue.entry.closing() {
            if let Some(peer) = self.peers.get_mut(conn as usize) {
                peer.is_open = false;
            }
        }
    }

    fn take(&mut self, bytes_max: usize) {
        let (peers, streams) = (&mut self.peers, &mut self.streams);
        self.venue
            .entry
            .transmit(self.venue.now_ns, &mut |conn, bytes| {
                let bytes = &bytes[..bytes.len().min(bytes_max)];
                if let Some(peer) = peers.get_mut(conn as usize) {
                    assert!(peer.is_open);
                    peer.came.extend_from_slice(bytes);
                    read(peer, streams);
                }
                bytes.len()
            });
        self.settle();
    }

    fn run(&mut self, commands: usize) {
        for _ in 0..commands {
            let Some(command) = self.venue.ring.pop_front() else {
                break;
            };
            self.venue.apply(command);
        }
    }

    /// What operators do, and the venue itself.
    fn operate(&mut self, script: &mut Script<'_>) {
        match script.byte() {
            0..4 => {
                self.venue.entry.end();
                self.is_ended = true;
            }
            4..12 => self.venue.entry.lock(1),
            12..40 => self.venue.entry.overloaded(script.is()),
            40..100 => {
                let user = 1 + u16::from(script.byte() % 2);
                let before = self.venue.events.len();
                self.venue.apply(Command {
                    session: user,
                    user_ref: 7 + u32::from(script.byte() % 2),
                    flags: [MAY_TRADE, MAY_CANCEL, 0][script.below(3)],
                    ..venue::only(CommandKind::Grant)
                });
                for (event, _) in &self.venue.events[before..] {
                    self.owners
                        .entry(event.session)
                        .or_insert(usize::from(user) - 1);
                }
            }
            other => self.venue.apply(Command {
                session: u16::from(other % 3),
                letters: [1, 0, 0, 0],
                ..venue::only(CommandKind::MassCancel)
            }),
        }
        self.settle();
    }

    fn act(&mut self, script: &mut Script<'_>) {
        let conn = script.below(CONNECTIONS);
        match script.byte() % 16 {
            0 => self.venue.now_ns += script.stretch_ns() >> 6,
            1 => self.open(conn),
            2 => {
                self.venue.entry.closed(conn as u32);
                self.peers[conn].is_open = false;
            }
            3 | 4 => self.send(conn, script.bytes()),
            5 | 6 => {
                let (user, password) = LOGINS[script.below(LOGINS.len())];
                let password = if script.byte() < 200 {
                    password
                } else {
                    "guess"
                };
                let sequence = (script.byte() % 8).to_string();
                let bytes = login(user, password, "", &sequence);
                self.send(conn, &bytes);
            }
            7 => self.poll(),
            8 | 9 => self.run(script.below(10)),
            10 => self.take(script.below(256)),
            11 => self.operate(script),
            _ => {
                let bytes = order(script);
                self.send(conn, &bytes);
            }
        }
        self.settle();
    }
}

fn put(ring: &mut std::collections::VecDeque<Command>, command: Command) -> bool {
    let fits = ring.len() < venue::RING_DEPTH;
    if fits {
        ring.push_back(command);
    }
    fits
}

/// An order, a cancel, or a packet without one.
fn order(script: &mut Script<'_>) -> Vec<u8> {
    let user_ref = u32::from(script.byte() % 12);
    match script.byte() % 8 {
        0 => packet(b'R', &[]),
        1 => packet(b'O', &[]),
        2 => ouch::cancel(user_ref, u32::from(script.byte() % 4) * 5),
        3 => packet(b'U', script.bytes()),
        kind => {
            let side = [b'B', b'S', b'T', script.byte()][script.below(4)];
            let price = 5_000 + u64::from(script.byte() % 8) * 100;
            let mut order = ouch::enter(user_ref, side, 1 + u32::from(script.byte()), price);
            order.time_in_force = b"0369"[script.below(4)];
            let account = Tag::Account(u32::from(script.byte() % 10));
            let all = [account, Tag::MaxFloor(5), Tag::Firm(*b"AAAA")];
            ouch::with_tags(&order, &all[..usize::from(kind - 4)])
        }
    }
}

/// Reads the packets that came whole, and compares each message with what others read there.
fn read(peer: &mut Peer, streams: &mut [BTreeMap<u64, Vec<u8>>; 3]) {
    loop {
        let Some(length) = peer.came.first_chunk() else {
            return;
        };
        let end = 2 + usize::from(u16::from_be_bytes(*length));
        if peer.came.len() < end {
            return;
        }
        let packet: Vec<u8> = peer.came.drain(..end).skip(2).collect();
        match (packet[0], &mut peer.reads) {
            (b'A', None) => {
                let number = String::from_utf8_lossy(&packet[11..31]).trim().parse();
                let user = peer.login().expect("a login without its password");
                peer.reads = Some((user, number.unwrap()));
            }
            (b'S', Some((user, next))) => {
                let known = streams[*user]
                    .entry(*next)
                    .or_insert_with(|| packet.clone());
                assert_eq!(known, &packet, "message {next} became another one");
                *next += 1;
            }
            (b'A', Some(_)) => panic!("a second login"),
            (b'S' | b'U', None) => panic!("a reply for nobody"),
            _ => {}
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script::new(bytes);
    let mut world = World::new(&mut script);
    while !script.is_over() {
        world.act(&mut script);
    }
    assert_eq!(world.venue.entry.counters().replies_lost, 0);
    // An hour later nobody is locked any more for wrong passwords.
    world.venue.now_ns += 3_600 * SECOND_NS;
    world.is_asked = true;
    for _ in 0..2 {
        world.poll();
        world.run(usize::MAX);
        world.take(usize::MAX);
    }
    world.send(0, &[]);
    world.open(0);
    let (user, password) = LOGINS[1];
    world.send(0, &login(user, password, "", "1"));
    world.settle();
    world.take(usize::MAX);
    if !world.is_ended {
        assert!(world.peers[0].reads.is_some(), "nobody can log in any more");
        let heard = world.streams[1].len() as u64;
        assert_eq!(heard, world.venue.entry.replies(2), "replies are missing");
    }
});
