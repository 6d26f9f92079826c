//! A connection that is cut at every byte of what it carries, either way, costs a member nothing.
//!
//! A member sends a script as fast as it is taken, in one piece; its connection breaks behind a
//! number of bytes; it comes back, reads on where it stopped, and sends what has no answer. The
//! streams of replies must be those of an uncut day, byte for byte, and so must the inputs of the
//! journal: nothing is lost, repeated, or executed twice. With `SIEGE_FULL` two cuts a day are
//! tried as well, at every pair of places.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use flow::naive::OFFERED;
use session::order_entry::Config;
use session::soup_client::{ClientState, Heard, SoupClient, SoupConfig};
use venue::ouch::{cancel, enter, plain, with_tags};
use venue::{Venue, packets};
use wire::ouch::inbound::fields::{EnterOrder, ReplaceOrder};
use wire::ouch::{Outbound, Tag};
use wire::ring::Input;

/// Of the pairs of places so many are skipped between two that are tried.
const PAIRS_STRIDE: usize = 1_009;

/// Where a connection breaks: behind so many bytes of the member's, or of the venue's.
#[derive(Clone, Copy, Debug)]
struct Cut {
    up: usize,
    down: usize,
}

const UNCUT: Cut = Cut {
    up: usize::MAX,
    down: usize::MAX,
};

/// What the venue does about it.
#[derive(Clone, Copy, Debug)]
struct How {
    /// It hears of the break; else only the next login tells.
    hears: bool,
    /// The engine takes nothing until the connection is gone.
    is_lazy: bool,
    /// The venue starts again in between.
    restarts: bool,
}

const WAYS: [How; 5] = [
    How {
        hears: true,
        is_lazy: false,
        restarts: false,
    },
    How {
        hears: true,
        is_lazy: true,
        restarts: false,
    },
    How {
        hears: false,
        is_lazy: false,
        restarts: false,
    },
    How {
        hears: false,
        is_lazy: true,
        restarts: false,
    },
    How {
        hears: true,
        is_lazy: false,
        restarts: true,
    },
];

/// What is left of a day.
#[derive(PartialEq, Eq)]
struct Told {
    alpha: Vec<Vec<u8>>,
    beta: Vec<Vec<u8>>,
    journal: Vec<Input>,
}

fn replace(old_user_ref: u32, user_ref: u32, quantity: u32, price: u64) -> Vec<u8> {
    let order = ReplaceOrder {
        old_user_ref,
        user_ref,
        quantity,
        price,
        time_in_force: b'0',
        display: b'Y',
        intermarket_sweep: b'N',
        client_id: *b"replacement   ",
    };
    let mut bytes = [0; 64];
    let length = order.encode(&mut bytes).unwrap();
    venue::packet(b'U', &bytes[..length])
}

/// Everything that has an answer of its own: orders that rest, trade, refresh and leave, with and
/// without elements, refusals, replacements, cancels of a part, of all and of nothing.
fn script() -> Vec<Vec<u8>> {
    let at_once = |order: EnterOrder| EnterOrder {
        time_in_force: b'3',
        ..order
    };
    let nowhere = EnterOrder {
        symbol: *b"NONE    ",
        ..enter(9, b'B', 10, 5_000)
    };
    let sent = [
        plain(&enter(1, b'B', 100, 4_900)),
        plain(&enter(2, b'S', 30, 5_000)),
        with_tags(&enter(3, b'S', 90, 5_200), &[Tag::MaxFloor(20)]),
        cancel(1, 60),
        plain(&enter(4, b'S', 10, 4_900)),
        plain(&at_once(enter(5, b'B', 500, 5_150))),
        replace(1, 6, 80, 4_910),
        cancel(77, 0),
        with_tags(&enter(7, b'B', 40, 4_800), &[Tag::PostOnly(b'P')]),
        plain(&nowhere),
        plain(&enter(8, b'S', 25, 5_001)),
        replace(6, 10, 70, 5_000),
        plain(&enter(3, b'S', 90, 5_200)),
        cancel(7, 0),
        with_tags(
            &at_once(enter(11, b'S', 300, 4_000)),
            &[Tag::Firm(*b"AAAA")],
        ),
        cancel(3, 0),
        plain(&enter(12, b'B', 5, 4_700)),
    ];
    // The client makes its own packets.
    sent.iter()
        .flat_map(|bytes| packets(bytes))
        .map(|(_, message)| message)
        .collect()
}

/// The member: its side of the protocol, and what it read.
struct Alpha {
    soup: SoupClient,
    stream: Vec<Vec<u8>>,
}

impl Alpha {
    /// Messages of the script that were answered: a venue takes them in order, so that all behind
    /// them were not taken, once nothing is under way.
    fn answered(&self) -> usize {
        let is_answer = |message: &&Vec<u8>| match Outbound::parse(message).unwrap() {
            Outbound::Accepted(_) | Outbound::Replaced(_) => true,
            Outbound::Rejected(_) | Outbound::CancelReject(_) => true,
            Outbound::Canceled(it) => it.reason() == b'U',
            _ => false,
        };
        self.stream.iter().filter(is_answer).count()
    }

    fn read(&mut self, bytes: &[u8], now_ns: u64) {
        let stream = &mut self.stream;
        self.soup.received(bytes, now_ns, &mut |heard| {
            if let Heard::Sequenced { sequence, message } = heard {
                assert_eq!(sequence, stream.len() as u64 + 1, "lost or repeated");
                stream.push(message.to_vec());
            }
        });
    }

    /// Carries bytes both ways until nothing moves or the connection breaks.
    fn talk(&mut self, venue: &mut Venue, conn: u32, left: &mut Cut, is_lazy: bool) {
        loop {
            let now_ns = venue.now_ns;
            let mut moved = 0;
            self.soup.transmit(now_ns, &mut |bytes| {
                let taken = venue.received(conn, &bytes[..bytes.len().min(left.up - moved)]);
                moved += taken;
                taken
            });
            left.up -= moved;
            if !is_lazy {
                settle(venue);
            }
            let mut came = Vec::new();
            venue.entry.transmit(now_ns, &mut |to, bytes| {
                let room = if to == conn {
                    left.down - came.len()
                } else {
                    0
                };
                came.extend_from_slice(&bytes[..room.min(bytes.len())]);
                room.min(bytes.len())
            });
            left.down -= came.len();
            self.read(&came, now_ns);
            if moved + came.len() == 0 || left.up == 0 || left.down == 0 {
                return;
            }
        }
    }
}

/// Room for connections of whose end nobody heard.
fn config() -> Config {
    Config {
        connections: 8,
        ..venue::config()
    }
}

/// Lets the engine take all that is under way.
fn settle(venue: &mut Venue) {
    let mut inputs = 0;
    while inputs != venue.journal.len() {
        inputs = venue.journal.len();
        venue.run();
        venue.poll();
    }
    while venue.entry.closing().is_some() {}
}

/// The orders that stand before the member comes.
fn opened() -> Venue {
    let mut venue = Venue::offering(config(), OFFERED);
    venue.login(1, "BETA", "hidden", 1);
    let iceberg = with_tags(&enter(1, b'S', 60, 5_100), &[Tag::MaxFloor(20)]);
    let others = [
        (2, b'B', 35, 5_000),
        (3, b'S', 60, 5_100),
        (4, b'B', 55, 4_850),
    ]
    .map(|(user_ref, side, quantity, price)| plain(&enter(user_ref, side, quantity, price)));
    for bytes in [iceberg].iter().chain(&others) {
        venue.received(1, bytes);
        settle(&mut venue);
    }
    venue
}

/// A day whose connections break so; gives how many bytes each of them had left, too.
fn day(cuts: &[Cut], how: How) -> (Told, Vec<Cut>) {
    let (mut venue, script) = (opened(), script());
    let mut alpha = Alpha {
        soup: SoupClient::new(SoupConfig::new("ALPHA", "secret")),
        stream: Vec::new(),
    };
    let (mut left, mut conn) = (Vec::new(), 10);
    while alpha.answered() < script.len() {
        conn += 1;
        assert!(conn < 20, "{cuts:?} {how:?}: it does not come to an end");
        let mut cut = cuts.get(left.len()).copied().unwrap_or(UNCUT);
        let is_lazy = how.is_lazy && left.len() < cuts.len();
        venue.entry.opened(conn, venue.now_ns).unwrap();
        alpha.soup.connected(venue.now_ns);
        // First what is known of before, and what was under way.
        alpha.talk(&mut venue, conn, &mut cut, is_lazy);
        settle(&mut venue);
        if cut.up > 0 && cut.down > 0 {
            alpha.talk(&mut venue, conn, &mut cut, is_lazy);
        }
        if alpha.soup.state() == ClientState::Live && cut.up > 0 && cut.down > 0 {
            let answered = alpha.answered();
            script[answered..]
                .iter()
                .for_each(|message| assert!(alpha.soup.send(message)));
            alpha.talk(&mut venue, conn, &mut cut, is_lazy);
        }
        left.push(cut);
        if alpha.answered() == script.len() && left.len() > cuts.len() {
            break;
        }
        alpha.soup.disconnected();
        if how.hears {
            venue.entry.closed(conn);
        }
        settle(&mut venue);
        if how.restarts {
            venue = Venue::restarted(config(), OFFERED, &venue.journal);
        }
    }
    let whole = |venue: &mut Venue, conn, user, password| -> Vec<Vec<u8>> {
        let said = packets(&venue.login(conn, user, password, 1)).into_iter();
        said.filter(|(kind, _)| *kind == b'S')
            .map(|(_, message)| message)
            .collect()
    };
    let beta = whole(&mut venue, 98, "BETA", "hidden");
    let all = whole(&mut venue, 99, "ALPHA", "secret");
    assert!(
        all == alpha.stream,
        "{cuts:?} {how:?}: the member read another stream"
    );
    let told = Told {
        alpha: alpha.stream,
        beta,
        journal: venue.journal,
    };
    (told, left)
}

/// The uncut day, and how many bytes it carries each way.
fn uncut() -> (Told, usize, usize) {
    let (told, left) = day(&[], WAYS[0]);
    let kinds = |stream: &[Vec<u8>]| -> String {
        let letters = stream.iter().map(|message| char::from(message[0]));
        letters.collect()
    };
    assert_eq!(kinds(&told.alpha), "SAAEACAECAEEEECUIAJAUJCACCA");
    assert_eq!(kinds(&told.beta), "SAAAAEEEREERE");
    (told, UNCUT.up - left[0].up, UNCUT.down - left[0].down)
}

/// Every place of a connection's bytes, either way.
fn places(up: usize, down: usize) -> impl Iterator<Item = Cut> + Clone {
    let ups = (0..=up).map(|up| Cut { up, ..UNCUT });
    ups.chain((0..=down).map(|down| Cut { down, ..UNCUT }))
}

fn compare(expected: &Told, cuts: &[Cut], how: How) {
    let (told, _) = day(cuts, how);
    assert!(
        told.journal == expected.journal,
        "{cuts:?} {how:?}: other inputs"
    );
    assert!(told == *expected, "{cuts:?} {how:?}: other replies");
}

#[test]
fn a_cut_at_every_byte_loses_and_repeats_nothing() {
    let (expected, up, down) = uncut();
    for how in WAYS {
        places(up, down).for_each(|cut| compare(&expected, &[cut], how));
    }
}

#[test]
fn nor_do_two_cuts() {
    let (expected, up, down) = uncut();
    let is_full = std::env::var_os("SIEGE_FULL").is_some();
    let stride = if is_full { 1 } else { PAIRS_STRIDE };
    let pairs = places(up, down).flat_map(|first| places(up, down).map(move |next| [first, next]));
    let mut days = 0;
    for (number, cuts) in pairs.enumerate().step_by(stride) {
        compare(&expected, &cuts, WAYS[number % WAYS.len()]);
        days += 1;
    }
    println!(
        "{days} days with two cuts each, of {} places",
        places(up, down).count()
    );
}
