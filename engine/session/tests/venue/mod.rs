//! A small venue for tests: order entry before the reference engine, and clients wired to it.
#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

pub mod ouch;

use std::collections::VecDeque;

use bytemuck::Zeroable;
use flow::Naive;
use session::SECOND_NS;
use session::order_entry::{Config, Member, OrderEntry};
use session::ouch_client::{OuchClient, Reply};
use session::soup_client::SoupConfig;
use wire::ring::{Command, CommandKind, Event, Input};

/// Noon of some day.
pub const START_NS: u64 = 1_700_000_000 * SECOND_NS;

/// Commands that the ring to the engine holds.
pub const RING_DEPTH: usize = 8;

pub fn members() -> Vec<Member> {
    let member = |user: &str, password: &str, firm: &[u8; 4]| Member {
        user: user.to_owned(),
        password: password.to_owned(),
        firm: *firm,
        ..Member::default()
    };
    vec![
        member("ALPHA", "secret", b"AAAA"),
        member("BETA", "hidden", b"BBBB"),
    ]
}

pub fn config() -> Config {
    Config {
        session: *b"DAY1      ",
        connections: 4,
        symbols: 8,
        inbound_bytes: 2_048,
        store_bytes: 1 << 20,
        store_messages: 1 << 14,
        echoes: 64,
        ..Config::default()
    }
}

pub fn opening() -> Vec<Command> {
    let define = |symbol, name: &[u8; 14]| Command {
        kind: CommandKind::DefineSymbol as u8,
        symbol,
        client_id: *name,
        ..Command::zeroed()
    };
    let session = |session| Command {
        kind: CommandKind::DefineSession as u8,
        session,
        user_ref: u32::from(session),
        letters: [u8::from(session == 1), 0, 0, 0],
        ..Command::zeroed()
    };
    vec![
        define(1, b"AAPL          "),
        define(2, b"MSFT          "),
        session(1),
        session(2),
        only(CommandKind::OpenDay),
    ]
}

pub fn only(kind: CommandKind) -> Command {
    Command {
        kind: kind as u8,
        ..Command::zeroed()
    }
}

/// Lets the first member act for an account, as far as `may` says.
pub fn grant(account: u32, may: u8) -> Command {
    Command {
        session: 1,
        user_ref: account,
        flags: may,
        ..only(CommandKind::Grant)
    }
}

/// Order entry, a ring of commands, the engine, and its journal.
pub struct Venue {
    pub entry: OrderEntry,
    pub naive: Naive,
    pub ring: VecDeque<Command>,
    pub journal: Vec<Input>,
    pub events: Vec<(Event, u64)>,
    pub now_ns: u64,
}

impl Venue {
    /// A venue that offers no attributes.
    pub fn new(config: Config) -> Self {
        Self::offering(config, 0)
    }

    /// A venue that offers so many increments of attributes. An order of the first member that
    /// would trade with its own is cancelled.
    pub fn offering(config: Config, offered: u16) -> Self {
        let mut venue = Self {
            entry: OrderEntry::new(config, &members()).unwrap(),
            naive: Naive::offering(offered),
            ring: VecDeque::new(),
            journal: Vec::new(),
            events: Vec::new(),
            now_ns: START_NS,
        };
        for command in opening() {
            venue.apply(command);
        }
        venue
    }

    /// The same venue after a restart: everything from the journal.
    pub fn restarted(config: Config, offered: u16, journal: &[Input]) -> Self {
        Self::covered(config, offered, journal, 0)
    }

    /// The same, the first `covered` replies of the first member being kept elsewhere.
    pub fn covered(config: Config, offered: u16, journal: &[Input], covered: u64) -> Self {
        let mut venue = Self {
            entry: OrderEntry::new(config, &members()).unwrap(),
            naive: Naive::offering(offered),
            ring: VecDeque::new(),
            journal: journal.to_vec(),
            events: Vec::new(),
            now_ns: START_NS,
        };
        venue.entry.cover(0, covered);
        for input in journal {
            venue.entry.replayed(input);
            for event in venue.naive.apply(input) {
                venue.entry.on_event(&event, input.time_ns);
                venue.events.push((event, input.time_ns));
            }
            venue.now_ns = input.time_ns;
        }
        venue
    }

    pub fn received(&mut self, conn: u32, bytes: &[u8]) -> usize {
        let ring = &mut self.ring;
        self.entry
            .received(conn, bytes, self.now_ns, &mut |command| push(ring, command))
    }

    pub fn poll(&mut self) {
        let ring = &mut self.ring;
        self.entry
            .poll(self.now_ns, &mut |command| push(ring, command));
    }

    /// Lets the engine take what is in the ring.
    pub fn run(&mut self) {
        while let Some(command) = self.ring.pop_front() {
            self.apply(command);
        }
    }

    pub fn apply(&mut self, command: Command) {
        self.now_ns += 1_000;
        let sequence = self.journal.len() as u64 + 1;
        let input = Input {
            sequence,
            time_ns: self.now_ns,
            command,
        };
        self.journal.push(input);
        for event in self.naive.apply(&input) {
            self.entry.on_event(&event, self.now_ns);
            self.events.push((event, self.now_ns));
        }
    }

    /// All bytes that wait for a connection.
    pub fn taken(&mut self, conn: u32) -> Vec<u8> {
        let mut all = Vec::new();
        self.entry.transmit(self.now_ns, &mut |to, bytes| {
            if to != conn {
                return 0;
            }
            all.extend_from_slice(bytes);
            bytes.len()
        });
        all
    }

    /// Opens a connection and logs in; gives what the server said.
    pub fn login(&mut self, conn: u32, user: &str, password: &str, sequence: u64) -> Vec<u8> {
        self.entry.opened(conn, self.now_ns).unwrap();
        let bytes = login(user, password, "", &sequence.to_string());
        assert_eq!(self.received(conn, &bytes), bytes.len());
        self.taken(conn)
    }
}

fn push(ring: &mut VecDeque<Command>, command: Command) -> bool {
    let fits = ring.len() < RING_DEPTH;
    if fits {
        ring.push_back(command);
    }
    fits
}

/// A packet on the stream.
pub fn packet(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u16 + 1).to_be_bytes().to_vec();
    bytes.push(kind);
    bytes.extend_from_slice(payload);
    bytes
}

pub fn login(user: &str, password: &str, session: &str, sequence: &str) -> Vec<u8> {
    packet(
        b'L',
        format!("{user:<6}{password:<10}{session:<10}{sequence:>20}").as_bytes(),
    )
}

/// Splits a stream into its packets, which must be whole.
pub fn packets(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        all.push((bytes[2], bytes[3..2 + length].to_vec()));
        bytes = &bytes[2 + length..];
    }
    all
}

/// A client on a connection to the venue.
pub struct Desk {
    pub client: OuchClient,
    /// Number of its session.
    pub session: u16,
    pub conn: u32,
    /// The messages of the stream, by number from 1.
    pub stream: Vec<Vec<u8>>,
    pub unsequenced: usize,
}

impl Desk {
    pub fn new(user: &str, password: &str, conn: u32) -> Self {
        let client = OuchClient::new(SoupConfig::new(user, password));
        let place = members()
            .iter()
            .position(|member| member.user == user)
            .unwrap();
        let session = place as u16 + 1;
        Self {
            client,
            session,
            conn,
            stream: Vec::new(),
            unsequenced: 0,
        }
    }

    pub fn connect(&mut self, venue: &mut Venue, conn: u32) {
        self.conn = conn;
        venue.entry.opened(conn, venue.now_ns).unwrap();
        self.client.soup().connected(venue.now_ns);
    }

    /// Carries at most so many bytes each way.
    pub fn exchange(&mut self, venue: &mut Venue, bytes_max: usize) {
        let now_ns = venue.now_ns;
        let conn = self.conn;
        self.client.soup().transmit(now_ns, &mut |bytes| {
            venue.received(conn, &bytes[..bytes.len().min(bytes_max)])
        });
        let mut came = Vec::new();
        venue.entry.transmit(now_ns, &mut |to, bytes| {
            let room = if to == conn {
                bytes_max.saturating_sub(came.len())
            } else {
                0
            };
            let taken = room.min(bytes.len());
            came.extend_from_slice(&bytes[..taken]);
            taken
        });
        let (stream, unsequenced) = (&mut self.stream, &mut self.unsequenced);
        self.client
            .received(&came, now_ns, &mut |reply| match reply {
                Reply::Message(0, _) => *unsequenced += 1,
                Reply::Message(sequence, message) => {
                    assert_eq!(
                        sequence,
                        stream.len() as u64 + 1,
                        "a message was lost or repeated"
                    );
                    let mut bytes = vec![0; 128];
                    let length = message.encode(&mut bytes).unwrap();
                    stream.push(bytes[..length].to_vec());
                }
                Reply::Unreadable(sequence, error) => panic!("message {sequence}: {error}"),
                Reply::LoggedIn(_) | Reply::LoginRejected(_) | Reply::Ended => {}
            });
    }

    /// Exchanges and lets the engine run until nothing moves.
    pub fn settle(&mut self, venue: &mut Venue) {
        for _ in 0..4 {
            self.exchange(venue, usize::MAX);
            venue.run();
            venue.poll();
            venue.run();
        }
        self.exchange(venue, usize::MAX);
    }
}
