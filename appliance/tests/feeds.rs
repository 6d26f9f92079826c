//! `replay` and `book` through the program: recorded files on the wire, and what a receiver makes
//! of them.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{BOUND, Ended, Program, program, wait_until};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wire::binary_file;
use wire::itch::Message;
use wire::mold::{Packet, PacketKind};

const OPENING: &str = "itch50/NASDAQ_20191230_0930_opening_1000.itch50";
const ZERO_LENGTHS: &str = "itch50/MALFORMED_zero_length_prefixes.itch50";
const CUT_BLOCK: &str = "moldudp64/MALFORMED_cut_last_block.dat";

/// Where the cut block's length stands.
const CUT_BLOCK_OFFSET: &str = "at offset 2753";

/// A real recording, or `None` where it is missing and no CI asks for it.
fn recording(name: &str) -> Option<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = folder.join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some((path, bytes)),
        Err(error) if std::env::var_os("CI").is_some() => {
            panic!("{}: {error}: CI needs the real recordings", path.display())
        }
        Err(error) => {
            println!("skipped: {}: {error}", path.display());
            None
        }
    }
}

/// A receiver, and its address.
fn receiver() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let wait = Duration::from_millis(20);
    socket.set_read_timeout(Some(wait)).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

/// The next datagram; `None` when none comes for a while.
fn datagram(socket: &UdpSocket) -> Option<Vec<u8>> {
    let mut bytes = [0; 4096];
    match socket.recv(&mut bytes) {
        Ok(length) => Some(bytes[..length].to_vec()),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Runs `replay` on a file.
fn replay(file: &Path, more: &[&str]) -> Ended {
    program(&[&["replay", file.to_str().unwrap()], more].concat())
}

#[test]
fn a_replayed_file_arrives_complete_and_in_order() {
    let Some((path, file)) = recording(OPENING) else {
        return;
    };
    let (socket, address) = receiver();
    // All packets together fit into the receiver's buffer, so that none can be lost.
    let options = ["--to", &address, "--speed", "0", "--session", "TEST"];
    let ended = replay(&path, &options);
    ended.succeeds();
    let expected =
        "1000 messages\nA 367\nC 1\nD 167\nE 28\nF 193\nI 4\nP 4\nQ 4\nS 1\nU 225\nX 6\n";
    assert_eq!(ended.out, expected);

    let mut records = binary_file::Reader::new(&file);
    let mut next = 1;
    let start = Instant::now();
    loop {
        assert!(
            start.elapsed() < BOUND,
            "no end of session after message {next}"
        );
        let Some(bytes) = datagram(&socket) else {
            continue;
        };
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(
            (packet.session(), packet.sequence()),
            (*b"TEST      ", next)
        );
        for (_, message) in packet.blocks() {
            assert_eq!(message, records.next().unwrap().unwrap().message);
        }
        next = packet.next_sequence();
        if packet.kind() == PacketKind::EndOfSession {
            break;
        }
    }
    assert_eq!(next, 1_001);
    assert!(records.next().is_none());
}

#[test]
fn the_messages_own_pace_ends_too() {
    let Some((path, _)) = recording(OPENING) else {
        return;
    };
    let (socket, address) = receiver();
    let ended = replay(&path, &["--to", &address]);
    ended.succeeds();
    assert!(ended.out.starts_with("1000 messages\n"), "{ended:?}");
    let first = datagram(&socket).expect("the first packet is there when the program ended");
    assert_eq!(Packet::parse(&first).unwrap().sequence(), 1);
}

#[test]
fn a_malformed_file_is_refused_before_anything_is_sent() {
    let (socket, address) = receiver();
    let cases: [(&str, &[&str], &[&str]); 2] = [
        (ZERO_LENGTHS, &[], &["zero length", "at offset 0"]),
        (
            CUT_BLOCK,
            &["--mold"],
            &["packet 3", "runs past the end", CUT_BLOCK_OFFSET],
        ),
    ];
    for (name, options, pieces) in cases {
        let Some((path, _)) = recording(name) else {
            return;
        };
        for to in [&[][..], &["--to", &address, "--speed", "0"]] {
            let ended = replay(&path, &[options, to].concat());
            ended.refuses(2, pieces);
            ended.refuses(2, &[path.file_name().unwrap().to_str().unwrap()]);
            assert_eq!(ended.out, "");
        }
    }
    assert_eq!(datagram(&socket), None);
}

#[test]
fn a_file_cut_anywhere_is_refused_with_its_offset() {
    let Some((_, file)) = recording(OPENING) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.itch50");
    let second = 2 + usize::from(u16::from_be_bytes([file[0], file[1]]));
    for cut in [1, second - 1, second + 1] {
        std::fs::write(&path, &file[..cut]).unwrap();
        let offset = if cut < second { 0 } else { second };
        replay(&path, &[]).refuses(2, &["cut.itch50", &format!("at offset {offset}")]);
    }
    // A letter that is no ITCH message.
    let mut wrong = file.clone();
    wrong[second + 2] = b'?';
    std::fs::write(&path, wrong).unwrap();
    replay(&path, &[]).refuses(2, &["cut.itch50", "at offset"]);
}

#[test]
fn packets_of_a_file_leave_as_they_are() {
    let Some((_, file)) = recording(CUT_BLOCK) else {
        return;
    };
    let (first, rest) = Packet::split_first(&file).unwrap();
    let (second, cut) = Packet::split_first(rest).unwrap();
    let kept = file.len() - cut.len();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("two.dat");
    std::fs::write(&path, &file[..kept]).unwrap();
    let (socket, address) = receiver();
    let ended = replay(&path, &["--mold", "--to", &address]);
    ended.succeeds();
    assert_eq!(
        ended.out,
        "sequence 1 messages 15\nsequence 16 messages 13\n"
    );
    assert_eq!((first.message_count(), second.message_count()), (15, 13));
    let came = [datagram(&socket), datagram(&socket)].map(Option::unwrap);
    assert_eq!(came.concat(), &file[..kept]);
}

#[test]
fn wrong_arguments_of_replay_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.itch50");
    std::fs::write(&empty, b"").unwrap();
    replay(&dir.path().join("missing.itch50"), &[]).refuses(2, &["missing.itch50", "No such file"]);
    replay(dir.path(), &[]).refuses(2, &["Is a directory"]);
    replay(&empty, &["--speed=-1"]).refuses(2, &["--speed"]);
    replay(&empty, &["--speed", "inf"]).refuses(2, &["--speed"]);
    replay(&empty, &["--session", "ELEVEN CHARS"]).refuses(2, &["--session"]);
    replay(&empty, &["--to", "localhost"]).refuses(2, &["--to", "localhost"]);
    let ended = replay(&empty, &[]);
    ended.succeeds();
    assert_eq!(ended.out, "0 messages\n");
}

/// Starts `book` on a port that the system chose, and waits until it listens there.
fn book(symbol: &str) -> (Program, String) {
    let mut started = None;
    wait_until("a book that listens", || {
        let (socket, address) = receiver();
        let port = format!(":{:04X} ", socket.local_addr().unwrap().port());
        drop(socket);
        let args = [
            "book", "--feed", &address, "--symbol", symbol, "--levels", "100",
        ];
        let mut program = Program::start(&args);
        let mut is_listening = false;
        // It ends when another program was given the port in between: then a new port is tried.
        wait_until("the book's port", || {
            let ports = std::fs::read_to_string("/proc/net/udp").unwrap();
            is_listening = ports.contains(&port);
            is_listening || program.is_ended()
        });
        started = Some((program, address));
        is_listening
    });
    started.unwrap()
}

/// Price levels of one side: units and orders.
type Levels = BTreeMap<u32, (u64, u32)>;

/// The two sides of a symbol's book after all messages of a file, by the plainest means.
fn levels(file: &[u8], symbol: &str) -> [Levels; 2] {
    let stock = wire::padded(symbol);
    let mut orders: BTreeMap<u64, (u8, u32, u32)> = BTreeMap::new();
    for record in binary_file::Reader::new(file) {
        let message = record.unwrap().message;
        let mut reduce = |order_ref: u64, units: u32| {
            if let Some(order) = orders.get_mut(&order_ref) {
                order.2 -= units;
            }
        };
        match Message::parse(message).unwrap() {
            Message::AddOrder(m) if m.stock() == stock => {
                orders.insert(m.order_ref(), (m.side(), m.price(), m.shares()));
            }
            Message::AddOrderMpid(m) if m.stock() == stock => {
                orders.insert(m.order_ref(), (m.side(), m.price(), m.shares()));
            }
            Message::OrderExecuted(m) => reduce(m.order_ref(), m.shares()),
            Message::OrderExecutedPrice(m) => reduce(m.order_ref(), m.shares()),
            Message::OrderCancel(m) => reduce(m.order_ref(), m.shares()),
            Message::OrderDelete(m) => drop(orders.remove(&m.order_ref())),
            Message::OrderReplace(m) => {
                if let Some((side, ..)) = orders.remove(&m.old_order_ref()) {
                    orders.insert(m.new_order_ref(), (side, m.price(), m.shares()));
                }
            }
            _ => {}
        }
    }
    [b'B', b'S'].map(|wanted| {
        let mut levels = Levels::new();
        let resting = orders
            .values()
            .filter(|(side, _, units)| *side == wanted && *units > 0);
        for (_, price, units) in resting {
            let level = levels.entry(*price).or_default();
            *level = (level.0 + u64::from(*units), level.1 + 1);
        }
        levels
    })
}

/// One side's levels as `book` prints them: orders, units and price.
fn lines<'a>(levels: impl Iterator<Item = (&'a u32, &'a (u64, u32))>) -> Vec<[String; 3]> {
    let line = |(price, (units, orders)): (&u32, &(u64, u32))| {
        let price = format!("{}.{:04}", price / 10_000, price % 10_000);
        [orders.to_string(), units.to_string(), price]
    };
    levels.map(line).collect()
}

/// The two sides of a printed book; an offer's line has the price first.
fn printed(text: &str) -> [Vec<[String; 3]>; 2] {
    let mut sides = [Vec::new(), Vec::new()];
    for line in text.lines().filter(|line| line.contains('|')).skip(1) {
        let (bid, offer) = line.split_once('|').unwrap();
        for (side, words) in sides.iter_mut().zip([bid, offer]) {
            let words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
            if !words.is_empty() {
                side.push(<[String; 3]>::try_from(words).unwrap());
            }
        }
    }
    sides[1].iter_mut().for_each(|words| words.reverse());
    sides
}

#[test]
fn book_shows_the_books_of_a_replayed_feed() {
    let Some((path, file)) = recording(OPENING) else {
        return;
    };
    for symbol in ["HDS", "SCWX"] {
        let (book, address) = book(symbol);
        replay(&path, &["--to", &address, "--speed", "0"]).succeeds();
        let shown = book.wait();
        shown.succeeds();
        assert!(shown.out.starts_with(symbol), "{shown:?}");
        assert!(shown.out.contains("messages 1000  gaps 0 "), "{shown:?}");

        let [bids, offers] = levels(&file, symbol);
        assert!(!bids.is_empty() && !offers.is_empty());
        let expected = [lines(bids.iter().rev()), lines(offers.iter())];
        assert_eq!(printed(&shown.out), expected, "{}", shown.out);
    }
}

#[test]
fn book_of_an_unknown_symbol_or_a_wrong_address_says_so() {
    let Some((path, _)) = recording(OPENING) else {
        return;
    };
    let (book, address) = book("NOSUCH");
    replay(&path, &["--to", &address, "--speed", "0"]).succeeds();
    let shown = book.wait();
    shown.succeeds();
    assert!(shown.out.contains("not named this symbol"), "{shown:?}");
    // An address of no interface here.
    let args = ["book", "--feed", "192.0.2.1:26400", "--symbol", "AAPL"];
    program(&args).refuses(2, &["192.0.2.1:26400"]);
}
