//! A recorded day of an exchange over two bad lines makes the books that the file itself makes.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

// Its venue trades generated flow and is not needed here.
#[path = "bridge/link.rs"]
#[allow(dead_code, reason = "another program uses the rest")]
mod link;

use std::path::PathBuf;

use link::{Faults, Link};
use session::SECOND_NS;
use session::feed::{Fed, Lines, LinesConfig, Want, Way};
use trading::Image;
use wire::binary_file::Reader;
use wire::mold::{Builder, DATAGRAM_BYTES_MAX, Packet, Request};

const SESSION: [u8; 10] = *b"20191230  ";
const START_NS: u64 = 1_577_700_000 * SECOND_NS;

/// Time between two packets.
const GAP_NS: u64 = 50_000;

/// The file's bytes, or `None` where the data folder is missing and that may be.
fn real(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/itch50");
    match std::fs::read(folder.join(name)) {
        Ok(bytes) => Some(bytes),
        Err(error) if std::env::var_os("CI").is_some() => {
            panic!("{name}: {error}: lay shared/data beside the checkout")
        }
        Err(_) => {
            println!("skipped: {name} is not there");
            None
        }
    }
}

/// The file as packets, a few messages to each; and the book's digest behind each message.
fn packets_of(file: &[u8]) -> (Vec<Vec<u8>>, Vec<u64>) {
    let (mut packets, mut digests, mut image) = (Vec::new(), Vec::new(), Image::new());
    let mut builder = Builder::new([0; DATAGRAM_BYTES_MAX], SESSION, 1).unwrap();
    for record in Reader::new(file) {
        let message = record.unwrap().message;
        image.apply(message).unwrap();
        digests.push(image.books().digest());
        builder.push(message).unwrap();
        if builder.count() == 5 {
            packets.push(builder.bytes().to_vec());
            builder.restart();
        }
    }
    packets.push(builder.bytes().to_vec());
    (packets, digests)
}

/// The packet that has the first message asked for.
fn answer<'a>(packets: &'a [Vec<u8>], request: &[u8]) -> Option<&'a Vec<u8>> {
    let wanted = Request::parse(request).unwrap().sequence;
    packets.iter().find(|bytes| {
        let packet = Packet::parse(bytes).unwrap();
        (packet.sequence()..packet.next_sequence()).contains(&wanted)
    })
}

fn heard(name: &str, seed: u64) {
    let Some(file) = real(name) else {
        return;
    };
    let (packets, digests) = packets_of(&file);
    let mut links = [seed, seed + 1].map(|seed| Link::new(seed, Faults::USUAL));
    let mut answers = Link::new(seed + 2, Faults::USUAL);
    let mut lines = Lines::new(LinesConfig::default(), START_NS);
    let (mut image, mut taken) = (Image::new(), 0);
    let mut turn = 0;
    while taken < digests.len() {
        assert!(turn < 10 * packets.len(), "stuck behind message {taken}");
        let now_ns = START_NS + turn as u64 * GAP_NS;
        // Behind the last packet it is repeated, as a heartbeat would tell that there was one.
        let packet = packets.get(turn).or(packets.last()).unwrap();
        links.iter_mut().for_each(|link| link.send(packet, now_ns));
        turn += 1;
        let mut hear = |way: Way, bytes: &[u8]| {
            lines.packet(way, bytes, now_ns, &mut |fed| {
                if let Fed::Message(sequence, message) = fed {
                    image.apply(message).unwrap();
                    taken += 1;
                    assert_eq!(sequence, taken as u64);
                    assert_eq!(image.books().digest(), digests[taken - 1], "behind {taken}");
                }
            });
        };
        for (line, link) in links.iter_mut().enumerate() {
            while let Some(packet) = link.receive(now_ns) {
                hear(Way::Line(line), &packet);
            }
        }
        while let Some(packet) = answers.receive(now_ns) {
            hear(Way::Answer, &packet);
        }
        if let Want::Request(request) = lines.poll(now_ns)
            && let Some(packet) = answer(&packets, &request)
        {
            answers.send(packet, now_ns);
        }
    }
    assert_eq!(image.books().counts().wrong, 0);
}

#[test]
fn the_opening_minute_of_a_real_day() {
    heard("NASDAQ_20191230_0930_opening_1000.itch50", 21);
}

#[test]
fn twenty_thousand_real_messages_of_one_stock() {
    heard("AAPL_20191230_0935_first20k.itch50", 22);
}
