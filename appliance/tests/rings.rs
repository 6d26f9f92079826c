//! A gateway beside the venue, by rings of memory: it trades as its user and as nobody else, and
//! when it writes whatever it likes wherever it likes, nobody else notices.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::topology::Topology;
use door::{Chunk, Door, Rings};
use harness::{BOUND, Member, Site, Venue, counter, wait_until};
use journal::{FileSegments, recover};
use session::ouch_client::{Order, OuchClient, Reply};
use session::soup_client::{ClientState, SoupConfig};
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::RwLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use wire::ouch::Outbound;
use wire::ring::{CommandKind, Side, TimeInForce};

/// Orders of the honest member while the other one rages.
const ORDERS: usize = 150;

/// Connections of the other one at most, and what it does in each.
const CONNECTIONS_MAX: u64 = 400;
const TURNS: usize = 40;

/// Where slots begin in a ring's memory, and how long they are.
const SLOTS_AT: u64 = 4_096;
const SLOT_BYTES: u64 = 128;

/// A site where BRAVO comes by rings; `None` with a word where this is not root, who may have any.
fn site() -> Option<Site> {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("skipped: the rings are another user's, whom only root can stand in for");
        return None;
    }
    let by_ring = "account = 2\ngateway = \"nobody\"";
    Some(Site::new().with("account = 2", by_ring))
}

fn socket(site: &Site) -> PathBuf {
    site.data_dir().join("ring-BRAVO")
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_nanos() as u64
}

/// A gateway with one connection.
struct Gateway {
    door: Door,
    ouch: OuchClient,
    is_open: bool,
    /// Letters of the replies.
    kinds: String,
}

impl Gateway {
    fn login(door: Door, user: &str) -> Self {
        let mut ouch = OuchClient::new(SoupConfig {
            silence_ns: 3_600 * session::SECOND_NS,
            ..SoupConfig::new(user, &user.to_lowercase())
        });
        ouch.soup().connected(now_ns());
        Self {
            door,
            ouch,
            is_open: true,
            kinds: String::new(),
        }
    }

    fn turn(&mut self) {
        let Self {
            door,
            ouch,
            is_open,
            kinds,
        } = self;
        let now = now_ns();
        ouch.soup().poll(now);
        ouch.soup().transmit(now, &mut |bytes| door.send(bytes));
        *is_open &= door.receive(64, &mut |bytes| {
            ouch.received(bytes, now, &mut |reply| {
                if let Reply::Message(1.., message) = reply {
                    kinds.push(match message {
                        Outbound::Accepted(_) => 'A',
                        Outbound::Executed(_) => 'E',
                        Outbound::Rejected(_) => 'J',
                        _ => '.',
                    });
                }
            });
        });
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        wait_until(what, || {
            self.turn();
            done(self)
        });
    }

    fn is_live(&self) -> bool {
        self.ouch.state() == ClientState::Live
    }
}

fn open(site: &Site, user: &str) -> Gateway {
    Gateway::login(Door::open(&socket(site)).unwrap(), user)
}

#[test]
fn a_gateway_trades_through_its_rings_and_as_its_user_only() {
    let Some(site) = site() else { return };
    let venue = site.start();
    let mut gateway = open(&site, "BRAVO");
    gateway.until("the login", Gateway::is_live);
    let order = Order::day(b'B', 10, "AAPL", 1_000_000);
    assert_eq!(gateway.ouch.enter(&order), Some(1));
    gateway.until("the acceptance", |it| it.kinds.ends_with('A'));
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    gateway.until("the execution", |it| it.kinds.ends_with('E'));
    // A number that was used does not trade again, also by rings.
    gateway.ouch.set_user_ref_next(1);
    assert_eq!(gateway.ouch.enter(&order), Some(1));
    // Another process takes the rings over, and hears the day's replies again.
    let heard = gateway.kinds.clone();
    drop(gateway);
    let mut gateway = open(&site, "BRAVO");
    gateway.until("the replies", |it| it.kinds.starts_with(&heard));
    assert_eq!(heard.matches('E').count(), 1);
    // Nobody else comes that way, and BRAVO by no other.
    let mut stranger = open(&site, "ALPHA");
    stranger.until("the refusal", |it| {
        it.ouch.state() == ClientState::Rejected(b'A')
    });
    assert!(!stranger.is_live());
    Member::dial(venue.order_entry(), "BRAVO", "bravo").until_closed();
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until("an answer", |it| it.kinds().matches('A').count() == 2);
    venue.stop();
}

/// The next number of a xorshift generator.
const fn random(mut seed: u64) -> u64 {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^ seed << 17
}

/// How the hostile one behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// It writes over bodies of slots.
    Bodies,
    /// It writes anywhere.
    Anywhere,
    Over,
}

fn now_is(mood: &RwLock<Mood>) -> Mood {
    *mood.read().unwrap()
}

/// Writes into memory behind the back of both sides.
fn scribble(file: &File, seed: u64, mood: &RwLock<Mood>) {
    let bytes = file.metadata().unwrap().len();
    let (mut seed, start) = (seed, Instant::now());
    while now_is(mood) != Mood::Over && start.elapsed() < BOUND {
        seed = random(seed);
        let value = match seed >> 60 {
            0..4 => seed >> 8,
            4..8 => seed >> 56,
            8..14 => 0x0100 | seed >> 52,
            14 => u64::MAX,
            _ => 1 << 62,
        };
        let at = if now_is(mood) == Mood::Anywhere {
            seed % (bytes / 8) * 8
        } else {
            let slot = seed % door::DEPTH as u64;
            // Neither the stamp nor the number.
            SLOTS_AT + slot * SLOT_BYTES + 8 + (seed >> 20) % 14 * 8
        };
        file.write_all_at(&value.to_ne_bytes(), at).unwrap();
    }
}

/// A gateway that logs in, sends orders, and writes chunks of all kinds between them.
fn rage(site: &Site, mood: &RwLock<Mood>) -> u64 {
    let mut order = Order::day(b'B', 1, "MSFT", 1_000_000);
    order.time_in_force = b'3';
    let (mut seed, mut connections) = (7, 0);
    while now_is(mood) != Mood::Over && connections < CONNECTIONS_MAX {
        // Open, or the venue takes us for dead.
        let line = UnixStream::connect(socket(site)).unwrap();
        // What was scribbled over may be no ring any more.
        let Ok((rings, door)) =
            Rings::receive(&line).and_then(|rings| Ok((rings.clone(), Door::over(&rings)?)))
        else {
            std::thread::yield_now();
            continue;
        };
        connections += 1;
        let mut gateway = Gateway::login(door, "BRAVO");
        for _ in 0..TURNS {
            gateway.turn();
            // As far as the connection lives.
            let _ = gateway.ouch.enter(&order);
        }
        drop(gateway);
        let mut writer = rings.commands.writer();
        for _ in 0..TURNS {
            seed = random(seed);
            let mut chunk = Chunk::of(Chunk::DATA, seed >> 62, &seed.to_le_bytes());
            chunk.kind = (seed >> 8) as u8 % 6;
            chunk.length = (seed >> 16) as u8;
            // A full ring has enough of it.
            let _ = writer.push(seed, &chunk);
        }
    }
    connections
}

/// What stands where an order's letter means nothing: the engine refuses such an order.
const INVALID: u8 = u8::MAX;

/// Every command in a journal is one that the venue made of what it understood.
fn journal_check(site: &Site, venue: &Venue) -> usize {
    let day = site.data_dir().join(venue.ready("session"));
    let mut orders = 0;
    recover(&mut FileSegments::new(&day), &mut |input| {
        let command = &input.command;
        let kind = CommandKind::from_byte(command.kind).unwrap();
        assert!(command.session <= 2 && command.symbol <= 2, "{input:?}");
        if kind == CommandKind::New {
            let (side, life) = (command.side, command.time_in_force);
            let is_life = TimeInForce::from_byte(life).is_some() || life == INVALID;
            assert!(is_life, "{input:?}");
            let is_side = Side::from_byte(side).is_some() || side == INVALID;
            assert!(is_side, "{input:?}");
            orders += usize::from(command.session == 1);
        }
    })
    .unwrap();
    orders
}

#[test]
fn a_racing_hostile_producer_stops_nobody_and_nothing_senseless_is_journaled() {
    let Some(site) = site() else { return };
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let rings = Rings::receive(UnixStream::connect(socket(&site)).unwrap()).unwrap();
    let mood = RwLock::new(Mood::Bodies);
    let connections = std::thread::scope(|scope| {
        let mood = &mood;
        for (ring, seed) in [(&rings.commands, 1), (&rings.replies, 2)] {
            let file = File::from(ring.region().file().unwrap().try_clone_to_owned().unwrap());
            scope.spawn(move || scribble(&file, seed, mood));
        }
        let site = &site;
        let raging = scope.spawn(move || rage(site, mood));
        for number in 0..ORDERS {
            if number == ORDERS / 2 {
                *mood.write().unwrap() = Mood::Anywhere;
            }
            alpha.enter(b'S', 1, "AAPL", 1_000_000);
            alpha.until("an answer", |it| it.replies.len() == number + 2);
        }
        *mood.write().unwrap() = Mood::Over;
        raging.join().unwrap()
    });
    assert_eq!(alpha.kinds(), format!("S{}", "A".repeat(ORDERS)));
    assert!(connections > 0);
    assert!(counter(&site, "gate.rings_refused") > 0);
    venue.signal("TERM");
    wait_until("the end", || !socket(&site).exists());
    assert_eq!(journal_check(&site, &venue), ORDERS);
    venue.stop();
}

#[test]
fn a_gateway_that_makes_no_sense_is_named() {
    const GOOD: &str = include_str!("../topologies/dev-2core.toml");
    for (gateway, pieces) in [
        ("\"root\"", ["`users[1].gateway`", "unprivileged"]),
        ("\"a b\"", ["`users[1].gateway`", "unprivileged"]),
        ("\"\"", ["`users[1].gateway`", "unprivileged"]),
        (
            "\"nobody\"\naddresses = [\"10.0.0.0/8\"]",
            ["`users[1].addresses`", "rings"],
        ),
    ] {
        let text = GOOD.replace("account = 2", &format!("account = 2\ngateway = {gateway}"));
        let error = Topology::parse(&text).unwrap_err().to_string();
        let is_told = pieces.iter().all(|piece| error.contains(piece));
        assert!(is_told, "{gateway}: {error}");
    }
}
