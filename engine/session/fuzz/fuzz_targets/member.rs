//! A member's client and the venue, over a connection that carries any number of bytes at any time
//! and breaks whenever it likes: login by password or by key, judged late, orders, mass cancels.
//!
//! Where no byte changes on the way, who has the secret is let in and nobody else is, neither side
//! takes the other one's words for nonsense, and the client hears the member's whole stream: each
//! message under one number, whichever connection brought it. Where bytes change, nobody acts for
//! anybody else, and the member gets in again.
#![no_main]
#![allow(clippy::unwrap_used, reason = "as the venue of the tests")]

#[path = "../../tests/venue/mod.rs"]
mod venue;

use flow::naive::OFFERED;
use libfuzzer_sys::fuzz_target;
use session::challenge::Key;
use session::order_entry::{Answer, Config, OrderEntry};
use session::ouch_client::{Order, OuchClient, Replacement, Reply};
use session::soup_client::{ClientState, SoupConfig};
use session_fuzz::Script;
use std::collections::BTreeMap;
use venue::Venue;
use wire::ouch::Tag;

/// The member, and numbers of its connections, used in turns.
const ALPHA: (&str, u16) = ("ALPHA", 1);
const CONNECTIONS: u32 = 3;

/// Turns after which everything that was begun is over.
const SETTLE_TURNS: usize = 64;

struct World {
    venue: Venue,
    client: OuchClient,
    conn: u32,
    /// The venue did not end the connection.
    is_open: bool,
    to_venue: Vec<u8>,
    to_client: Vec<u8>,
    /// What proves who the member is, if it is a key.
    key: Option<Key>,
    has_secret: bool,
    is_honest: bool,
    heard: BTreeMap<u64, String>,
}

fn entry(has_key: bool) -> OrderEntry {
    let config = Config {
        store_bytes: 1 << 18,
        store_messages: 1 << 12,
        asks_elsewhere: true,
        failures_max: 0,
        ..venue::config()
    };
    let mut entry = OrderEntry::new(config, &venue::members()).unwrap();
    if has_key {
        entry.greet(Key::new([9; 32]));
    }
    entry
}

impl World {
    fn new(script: &mut Script<'_>) -> Self {
        let flags = script.byte();
        let key = (flags & 1 != 0).then(|| Key::new([7; 32]));
        let mut venue = Venue::offering(venue::config(), OFFERED);
        venue.entry = entry(key.is_some());
        for (event, time_ns) in &venue.events {
            venue.entry.on_event(event, *time_ns);
        }
        let mut world = Self {
            venue,
            client: OuchClient::new(SoupConfig::new("", "")),
            conn: 0,
            is_open: false,
            to_venue: Vec::new(),
            to_client: Vec::new(),
            key,
            has_secret: flags & 6 != 0,
            is_honest: flags & 8 == 0,
            heard: BTreeMap::new(),
        };
        world.begin();
        world
    }

    /// A client of the member, which heard nothing yet.
    fn begin(&mut self) {
        let secret = match (self.has_secret, &self.key) {
            (true, Some(key)) => key.to_text(),
            (false, Some(_)) => Key::new([8; 32]).to_text(),
            (true, None) => "secret".to_owned(),
            (false, None) => "guess".to_owned(),
        };
        self.heard.clear();
        self.client = OuchClient::new(SoupConfig {
            outbound_bytes: 512,
            ..SoupConfig::new(ALPHA.0, &secret)
        });
    }

    /// What is on its way is lost, and the client dials again.
    fn connect(&mut self) {
        self.venue.entry.closed(self.conn);
        self.conn = (self.conn + 1) % CONNECTIONS;
        self.to_venue.clear();
        self.to_client.clear();
        let now_ns = self.venue.now_ns;
        assert!(self.venue.entry.opened(self.conn, now_ns).is_ok(), "room");
        self.client.soup().connected(now_ns);
        self.is_open = true;
    }

    fn deliver_to_venue(&mut self, most: usize) {
        let room = self.venue.entry.inbound_room(self.conn);
        let count = self.to_venue.len().min(most).min(room);
        if !self.is_open || count == 0 {
            return;
        }
        let (ring, now_ns) = (&mut self.venue.ring, self.venue.now_ns);
        let entry = &mut self.venue.entry;
        entry.received(self.conn, &self.to_venue[..count], now_ns, &mut |command| {
            assert_eq!(command.session, ALPHA.1, "{command:?}");
            let fits = ring.len() < venue::RING_DEPTH;
            if fits {
                ring.push_back(command);
            }
            fits
        });
        self.to_venue.drain(..count);
    }

    fn deliver_to_client(&mut self, most: usize) {
        let count = self.to_client.len().min(most);
        let bytes: Vec<u8> = self.to_client.drain(..count).collect();
        let (heard, is_honest) = (&mut self.heard, self.is_honest);
        let mut on = |reply: Reply<'_>| match reply {
            Reply::Message(number @ 1.., told) => {
                let told = format!("{told:?}");
                let known = heard.entry(number).or_insert_with(|| told.clone());
                assert!(!is_honest || *known == told, "{number} became another one");
            }
            Reply::Unreadable(..) => assert!(!is_honest, "{reply:?}"),
            _ => {}
        };
        self.client.received(&bytes, self.venue.now_ns, &mut on);
        self.look();
    }

    /// The client is where it may be.
    fn look(&self) {
        let state = self.client.state();
        let is_refused = matches!(state, ClientState::Rejected(_));
        if self.is_honest {
            assert_ne!(state, ClientState::Malformed);
            assert!(!is_refused || !self.has_secret, "refused with the secret");
        }
        let is_in = matches!(state, ClientState::Live | ClientState::Ended);
        assert!(
            self.has_secret || !is_in || !self.is_honest,
            "in by a guess"
        );
    }

    /// The venue's side goes on: what is to be judged, and what is to be closed.
    fn judge(&mut self) {
        while let Some(asked) = self.venue.entry.question() {
            let user = wire::padded(ALPHA.0);
            let is_right = match &self.key {
                Some(key) => key.letters(&asked.nonce, &user, &asked.session) == asked.password,
                None => asked
                    .password
                    .trim_ascii_end()
                    .eq_ignore_ascii_case(b"secret"),
            };
            let answer = match is_right && asked.login == Some(0) {
                true => Answer::Right,
                false => Answer::Wrong,
            };
            let now_ns = self.venue.now_ns;
            let entry = &mut self.venue.entry;
            entry.answered(asked.conn, asked.number, answer, now_ns);
        }
    }

    fn poll(&mut self) {
        let ring = &mut self.venue.ring;
        self.venue.entry.poll(self.venue.now_ns, &mut |command| {
            ring.push_back(command);
            true
        });
        while let Some((conn, _)) = self.venue.entry.closing() {
            self.is_open &= conn != self.conn;
        }
    }

    fn run(&mut self, commands: usize) {
        for _ in 0..commands {
            let Some(command) = self.venue.ring.pop_front() else {
                break;
            };
            self.venue.apply(command);
        }
    }

    /// The bytes of either side set out.
    fn take(&mut self, most: usize) {
        let (out, now_ns) = (&mut self.to_venue, self.venue.now_ns);
        self.client.soup().transmit(now_ns, &mut |bytes| {
            let count = bytes.len().min(most);
            out.extend_from_slice(&bytes[..count]);
            count
        });
        let (out, here) = (&mut self.to_client, self.conn);
        self.venue.entry.transmit(now_ns, &mut |conn, bytes| {
            let count = bytes.len().min(most);
            if conn == here {
                out.extend_from_slice(&bytes[..count]);
            }
            count
        });
    }

    /// The member asks for something; what has no room is not asked.
    fn ask(&mut self, script: &mut Script<'_>) {
        let user_ref = u32::from(script.byte() % 16);
        let price = 5_000 + u64::from(script.byte() % 8) * 100;
        let side = [b'B', b'S'][script.below(2)];
        let _ = match script.byte() % 8 {
            0 => self.client.cancel(user_ref, u32::from(script.byte() % 4)),
            1 => self.client.query(),
            2 => {
                let all = [Tag::Side(side), Tag::Account(1)];
                let tags = &all[..script.below(3)];
                let symbol = if script.is() { *b"AAPL    " } else { [b' '; 8] };
                self.client.mass_cancel(symbol, tags).is_some()
            }
            3 => {
                let by = Replacement::day(1 + u32::from(script.byte()), price);
                self.client.replace(user_ref, &by, &[]).is_some()
            }
            4 if script.byte() < 20 => self.client.soup().logout(),
            _ => {
                let quantity = 1 + u32::from(script.byte());
                let order = Order::day(side, quantity, "AAPL", price);
                self.client.enter(&order).is_some()
            }
        };
    }

    /// A byte of either way becomes another one, if bytes may.
    fn change(&mut self, script: &mut Script<'_>) {
        let way = [&mut self.to_venue, &mut self.to_client];
        let bytes = &mut *way[script.below(2)];
        if !self.is_honest && !bytes.is_empty() {
            let at = script.number::<2>() as usize % bytes.len();
            bytes[at] ^= script.byte();
        }
    }

    fn act(&mut self, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0 => self.venue.now_ns += script.stretch_ns() >> 6,
            1 if script.byte() < 80 => self.connect(),
            2 => {
                self.client.soup().poll(self.venue.now_ns);
            }
            3 | 4 => self.take(usize::from(script.byte())),
            5 | 6 => self.deliver_to_venue(usize::from(script.byte())),
            7 | 8 => self.deliver_to_client(usize::from(script.byte())),
            9 => self.run(script.below(10)),
            10 => self.poll(),
            11 => self.judge(),
            12 => self.change(script),
            _ => self.ask(script),
        }
    }

    /// Everything that was begun comes to its end.
    fn settle(&mut self) {
        self.connect();
        for _ in 0..SETTLE_TURNS {
            self.take(usize::MAX);
            self.deliver_to_venue(usize::MAX);
            self.judge();
            self.poll();
            self.run(usize::MAX);
            self.take(usize::MAX);
            self.deliver_to_client(usize::MAX);
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script::new(bytes);
    let mut world = World::new(&mut script);
    while !script.is_over() {
        world.act(&mut script);
    }
    if !world.is_honest {
        // Nobody changes anything any more.
        (world.is_honest, world.has_secret) = (true, true);
        world.begin();
    }
    world.settle();
    assert_eq!(world.venue.entry.counters().replies_lost, 0);
    if world.has_secret {
        assert_eq!(world.client.state(), ClientState::Live);
        let replies = world.venue.entry.replies(ALPHA.1);
        let numbers: Vec<u64> = world.heard.keys().copied().collect();
        assert_eq!(
            numbers,
            (1..=replies).collect::<Vec<_>>(),
            "replies are missing"
        );
    }
});
