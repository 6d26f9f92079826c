//! The feed's two lines and its re-request server, over real sockets.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{BOUND, Member, Site, Venue, counter, program, wait_until};
use session::feed::{Receiver, ReceiverConfig, Snapped, SnapshotClient, State};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;
use trading::Image;
use wire::mold::{HEADER_BYTES, Packet, PacketKind, Request};
use wire::ouch::Tag;

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let wait = Duration::from_millis(20);
    socket.set_read_timeout(Some(wait)).unwrap();
    socket
}

/// The packets with messages until the session's end.
fn packets(socket: &UdpSocket) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut bytes = [0; 2048];
    let mut ended = false;
    wait_until("the session's end", || {
        while let Ok(length) = socket.recv(&mut bytes) {
            match Packet::parse(&bytes[..length]).unwrap().kind() {
                PacketKind::Messages => packets.push(bytes[..length].to_vec()),
                PacketKind::EndOfSession => ended = true,
                PacketKind::Heartbeat => {}
            }
        }
        ended
    });
    packets
}

fn traded(site: &Site) {
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter_many(50, b'B', (1, "AAPL", 10_000));
    alpha.until("replies", |member| member.replies.len() > 50);
    venue.stop();
}

#[test]
fn both_lines_carry_the_same_packets() {
    for source_b in ["", "source_b = \"127.0.0.1:0\"\n"] {
        let line_b = socket();
        let to = line_b.local_addr().unwrap();
        let more = format!("{source_b}group_b = \"{to}\"\nhistory_mib");
        let site = Site::new().with("history_mib", &more);
        traded(&site);
        let (a, b) = (packets(&site.feed), packets(&line_b));
        assert!(a == b, "{} and {} packets", a.len(), b.len());
        assert!(a.len() > 1);
    }
}

#[test]
fn whoever_is_not_listed_gets_not_one_byte() {
    let site = Site::new().with(
        "history_mib",
        "rerequest_allow = [\"10.9.8.0/24\"]\nhistory_mib",
    );
    let venue = site.start();
    let victim = socket();
    let session = venue.ready("session").to_owned();
    let mut request = [0; HEADER_BYTES];
    let all = Request {
        session: wire::padded(&session),
        sequence: 1,
        count: 100,
    };
    all.encode(&mut request).unwrap();
    let server = venue.ready("rerequest").to_owned();
    wait_until("requests to be refused", || {
        victim.send_to(&request, &server).unwrap();
        counter(&site, "publish.requests_unlisted") >= 10
    });
    assert!(counter(&site, "publish.request_bytes") >= 10 * HEADER_BYTES as u64);
    assert_eq!(counter(&site, "publish.answer_bytes"), 0);
    venue.stop();
    assert!(victim.recv(&mut [0; 64]).is_err(), "nothing came");
}

#[test]
fn a_listed_one_gets_answers_within_its_bucket() {
    let site = Site::new().with("history_mib", "rerequest_kib_per_s = 1\nhistory_mib");
    let venue = site.start();
    let asker = socket();
    let session = venue.ready("session").to_owned();
    let mut request = [0; HEADER_BYTES];
    let first = Request {
        session: wire::padded(&session),
        sequence: 1,
        count: 100,
    };
    first.encode(&mut request).unwrap();
    let server = venue.ready("rerequest").to_owned();
    let mut answers = 0;
    wait_until("its bucket to be empty", || {
        asker.send_to(&request, &server).unwrap();
        answers += usize::from(asker.recv(&mut [0; 2048]).is_ok());
        counter(&site, "publish.requests_spent") >= 10
    });
    assert!(answers > 0);
    assert!(counter(&site, "publish.answer_bytes") > 0);
    venue.stop();
}

/// Takes a snapshot as a late joiner does; gives it and the feed's next message.
fn snapshot(at: &str) -> (Image, u64) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let mut client = SnapshotClient::new("ANY", "");
    client.connected(0);
    client.transmit(0, &mut |bytes| {
        stream.write_all(bytes).unwrap();
        bytes.len()
    });
    let (mut image, mut next) = (Image::new(), None);
    let mut bytes = [0; 4096];
    while next.is_none() {
        let length = stream.read(&mut bytes).unwrap();
        assert!(length > 0, "closed before the end");
        client.received(&bytes[..length], 0, &mut |snapped| match snapped {
            Snapped::Begin => {}
            Snapped::Message(message) => drop(image.apply(message).unwrap()),
            Snapped::End { next: number, .. } => next = Some(number),
        });
    }
    (image, next.unwrap())
}

/// The books that all messages of the day make.
fn history(site: &Site, venue: &Venue, image: &mut Image, next: u64) -> u64 {
    let receiver = ReceiverConfig {
        sequence: next,
        ..ReceiverConfig::default()
    };
    let mut receiver = Receiver::new(receiver);
    let asker = socket();
    let mut bytes = [0; 2048];
    let mut now_ns = 0;
    wait_until("all messages", || {
        now_ns += session::SECOND_NS;
        while let Ok(length) = site.feed.recv(&mut bytes) {
            receiver.packet(&bytes[..length], now_ns, &mut |_, message| {
                image.apply(message).unwrap();
            });
        }
        if let Some(request) = receiver.poll(now_ns) {
            asker.send_to(&request, venue.ready("rerequest")).unwrap();
            if let Ok(length) = asker.recv(&mut bytes) {
                receiver.packet(&bytes[..length], now_ns, &mut |_, message| {
                    image.apply(message).unwrap();
                });
            }
        }
        // The last life's end of the session may be among the packets.
        matches!(receiver.state(), State::Live | State::Ended)
            && receiver.sequence_next() > counter(site, "publish.messages")
    });
    receiver.sequence_next()
}

/// Orders of every kind that a feed shows otherwise than it is.
fn orders(alpha: &mut Member, from: u64) {
    let replies = alpha.replies.len();
    for price in from..from + 20 {
        alpha.enter(b'B', 10, "AAPL", 10_000 + price);
        alpha.enter_with(b'S', (50, "MSFT", 20_000 + price), &[Tag::MaxFloor(7)]);
        alpha.enter(b'S', 5, "MSFT", 30_000);
    }
    alpha.until("replies", |member| member.replies.len() >= replies + 60);
}

#[test]
fn a_snapshot_is_what_the_history_makes_also_after_a_start() {
    let site = Site::new().with("history_mib", "snapshot = \"127.0.0.1:0\"\nhistory_mib");
    let mut all = Image::new();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    orders(&mut alpha, 100);
    let mut next = history(&site, &venue, &mut all, 1);
    let compare = |all: &Image, next: u64, venue: &Venue| {
        let (image, joined) = snapshot(venue.ready("snapshot"));
        assert_eq!(joined, next);
        assert_eq!(image.books().digest(), all.books().digest());
        assert_eq!(image.books().live_orders(), all.books().live_orders());
        assert_eq!(image.books().counts().wrong, 0);
        assert!(all.books().live_orders() > 20);
    };
    compare(&all, next, &venue);
    venue.stop();

    let venue = site.start();
    compare(&all, next, &venue);
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    orders(&mut bravo, 200);
    next = history(&site, &venue, &mut all, next);
    compare(&all, next, &venue);
    venue.stop();
}

#[test]
fn strangers_get_no_snapshot() {
    let more = "snapshot = \"127.0.0.1:0\"\nrerequest_allow = []\nhistory_mib";
    let site = Site::new().with("history_mib", more);
    let venue = site.start();
    let mut stream = TcpStream::connect(venue.ready("snapshot")).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let mut bytes = [0; 64];
    assert!(!matches!(stream.read(&mut bytes), Ok(1..)), "not a byte");
    venue.stop();
}

#[test]
fn the_program_follows_both_lines() {
    let line_b = socket();
    let b = line_b.local_addr().unwrap().to_string();
    let more = format!("group_b = \"{b}\"\nsnapshot = \"127.0.0.1:0\"\nhistory_mib");
    let site = Site::new().with("history_mib", &more);
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter_many(50, b'B', (10, "AAPL", 10_000));
    alpha.until("replies", |member| member.replies.len() > 50);
    let a = venue.ready("feed").to_owned();
    wait_until("the feed", || counter(&site, "publish.messages") >= 53);
    // The site's own ports are those that packets go to: the program takes them over.
    drop((site.feed, line_b));
    let servers = ["rerequest", "snapshot"].map(|name| venue.ready(name).to_owned());
    let args = ["feed", "--a", &a, "--b", &b, "--until", "53"];
    let more = ["--rerequest", &servers[0], "--snapshot", &servers[1]];
    let shown = program(&[&args[..], &more].concat());
    shown.succeeds();
    for piece in ["1 stocks, 50 orders", "1.0000 x 500", "disputes 0"] {
        assert!(shown.out.contains(piece), "{piece}: {}", shown.out);
    }
    for line in ["A ", "B ", "asked "] {
        assert!(
            shown.out.lines().any(|it| it.starts_with(line)),
            "{}",
            shown.out
        );
    }
    venue.stop();
}
