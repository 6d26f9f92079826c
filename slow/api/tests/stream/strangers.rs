//! Clients of streams that mean no good, or are not there any more.

use super::{is_of, started, subscribe};
use crate::service::market::{Client, Feed};
use crate::service::{BOUND, Service, Settings};
use flate2::{Compress, Compression, FlushCompress};
use std::time::{Duration, Instant};

/// Memory that what is thrown at it may cost, in KiB.
const GROWN_MAX: u64 = 16 << 10;

/// Bytes of a message behind which it is too large.
const WISH_BYTES_MAX: usize = 64 << 10;

/// A final frame of text.
const TEXT: u8 = 0x81;

/// How the service closes, in words of the protocol: a message that is too large, and a client that
/// is gone.
const TOO_LARGE: u16 = 1_009;
const AWAY: u16 = 1_001;

/// The most memory that the process ever had, in KiB.
fn peak(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let size = line.unwrap().split_whitespace().next().unwrap();
    size.parse().unwrap()
}

/// The code that the service closes with.
fn closed(client: &mut Client) -> u16 {
    loop {
        match client.next().expect("it is told why") {
            (8, payload) => break u16::from_be_bytes(payload[..2].try_into().unwrap()),
            (opcode, _) => assert!([1, 2].contains(&opcode), "{opcode}"),
        }
    }
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(plain.len() / 8 + 1_024);
    Compress::new(Compression::best(), false)
        .compress_vec(plain, &mut bytes, FlushCompress::Sync)
        .unwrap();
    // The end of a flush is left out.
    assert!(bytes.ends_with(&[0, 0, 0xFF, 0xFF]));
    bytes.truncate(bytes.len() - 4);
    bytes
}

#[test]
fn what_is_too_large_is_neither_waited_for_nor_unpacked() {
    let feed = Feed::new();
    let service = started(&feed, "");
    let mut well = Client::open(&service, "market", "");
    well.until(|told| told["state"].is_string());
    let before = peak(&service);
    // A head that says so, by each way to say a length.
    for length in [WISH_BYTES_MAX as u64 + 1, 1 << 40, u64::MAX >> 1] {
        let mut client = Client::open(&service, "market", "");
        let mut head = vec![TEXT, 0x80 | 127];
        head.extend(length.to_be_bytes());
        // What hides it, and nothing of it.
        head.extend([3, 1, 4, 1]);
        client.raw(&head);
        assert_eq!(closed(&mut client), TOO_LARGE, "{length}");
    }
    // Pieces that are small enough, of a message that is not.
    let mut client = Client::open(&service, "market", "");
    client.send(0x01, &[b' '; 40_000]);
    client.send(0x00, &[b' '; 40_000]);
    assert_eq!(closed(&mut client), TOO_LARGE);
    // 48 MB of blanks in 48 kB, as one frame and as several.
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let bomb = packed(&vec![b' '; 48_000_000]);
    let (first, rest) = bomb.split_at(bomb.len() / 2);
    for frames in [&[(0xC1, &bomb[..])][..], &[(0x41, first), (0x80, rest)]] {
        let mut client = Client::open(&service, "market", offer);
        assert!(client.head.to_lowercase().contains("permessage-deflate"));
        for (first, payload) in frames {
            client.send(*first, payload);
        }
        assert_eq!(closed(&mut client), TOO_LARGE);
    }
    // What says that it is packed and is not.
    let mut client = Client::open(&service, "market", offer);
    client.send(0xC1, b"\xff\xff\xff\xff");
    assert!([1_002, 1_007].contains(&closed(&mut client)));
    let grown = peak(&service) - before;
    assert!(grown < GROWN_MAX, "{grown} KiB more");
    // Others notice nothing.
    well.say(r#"{"id":9,"op":"ping"}"#);
    assert_eq!(well.until(|told| told["id"] == 9)["result"], "pong");
}

#[test]
fn who_does_not_live_is_ended_and_who_does_is_not() {
    let feed = Feed::new();
    let service = started(&feed, "ping_s = 1");
    let mut dead = Client::open(&service, "market", "");
    let mut alive = Client::open(&service, "market", "");
    // Whoever is asked and answers is asked again.
    let mut asked = 0;
    while asked < 4 {
        match alive.frame().unwrap() {
            (9, payload) => {
                alive.send(0x8A, &payload);
                asked += 1;
            }
            (opcode, _) => assert_eq!(opcode, 1),
        }
    }
    let mut frames = Vec::new();
    while let Some((opcode, payload)) = dead.frame() {
        frames.push(opcode);
        if opcode == 8 {
            assert_eq!(payload[..2], AWAY.to_be_bytes());
        }
    }
    frames.retain(|opcode| *opcode != 1);
    assert_eq!(frames, [9, 8], "it is asked once, and told");
    assert_eq!(
        service.figure("wirecross_connections_stalled_total"),
        Some(1)
    );
    alive.say(r#"{"id":9,"op":"ping"}"#);
    assert_eq!(alive.until(|told| told["id"] == 9)["result"], "pong");
}

#[test]
fn who_takes_nothing_loses_its_connection() {
    let feed = Feed::new();
    let service = Service::with(&Settings {
        limits: "stall_s = 1\nstream_kib = 64",
        more: feed.settings("batch_ms = 5\nlevels = 1000"),
    });
    let mut client = Client::open_small(&service, "market", "");
    feed.list(1, "AAPL");
    client.knows(&["AAPL"]);
    client.say(&subscribe("book"));
    client.until(is_of("book"));
    let before = peak(&service);
    let begun = Instant::now();
    let mut held = 1..1_u64;
    // It says that it lives all the time, and takes nothing.
    while service.figure("wirecross_stream_connections") != Some(0) {
        assert!(begun.elapsed() < BOUND, "it is still there");
        std::thread::sleep(Duration::from_millis(50));
        client.send(0x8A, b"");
        feed.together(|| {
            held.clone().for_each(|order| feed.delete(1, order));
            held = held.end..held.end + 1_000;
            for (order, price) in held.clone().zip((1_000_000..).step_by(100)) {
                feed.add(1, order, b'B', held.end as u32, price);
            }
        });
    }
    assert_eq!(
        service.figure("wirecross_connections_stalled_total"),
        Some(1)
    );
    let grown = peak(&service) - before;
    assert!(grown < GROWN_MAX, "{grown} KiB more");
}
