//! The packets of a SoupBinTCP client written again are the same, and do not depend on how the
//! stream was cut.
//!
//! The first bytes of the input say how the rest is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Error;
use wire::soup::{ClientPacket, Splitter};

const BUFFER_BYTES: usize = 256;

/// The packets of a stream that arrives in pieces of these sizes, and how it ended.
fn split(stream: &[u8], pieces: &[u8]) -> (Vec<Vec<u8>>, Option<Error>) {
    let mut packets = Vec::new();
    let mut splitter = Splitter::new([0; BUFFER_BYTES]).expect("room for a packet");
    let mut sizes = pieces.iter().cycle();
    let mut rest = stream;
    while !rest.is_empty() {
        let size = usize::from(*sizes.next().unwrap_or(&255))
            .max(1)
            .min(rest.len());
        let taken = splitter.push(&rest[..size]);
        assert!(taken > 0, "every packet was taken, so there is room");
        rest = &rest[taken..];
        loop {
            match splitter.next_packet() {
                Ok(Some(packet)) => packets.push(packet.to_vec()),
                Ok(None) => break,
                Err(error) => return (packets, Some(error)),
            }
        }
    }
    (packets, None)
}

fuzz_target!(|bytes: &[u8]| {
    let (pieces, stream) = bytes.split_at(bytes.len().min(4));
    let (packets, error) = split(stream, pieces);
    assert_eq!(
        split(stream, &[]),
        (packets.clone(), error),
        "it depends on the cuts"
    );
    let mut joined = Vec::new();
    for packet in &packets {
        let length = u16::try_from(packet.len())
            .expect("a length of two bytes")
            .to_be_bytes();
        joined.extend_from_slice(&length);
        joined.extend_from_slice(packet);
        if let Ok(parsed) = ClientPacket::parse(packet) {
            let mut out = [0; BUFFER_BYTES];
            let length = parsed.encode(&mut out).expect("room for a packet");
            assert_eq!(
                &out[2..length],
                &packet[..],
                "written again it is another packet"
            );
        }
    }
    assert!(
        stream.starts_with(&joined),
        "packets are not the stream's bytes"
    );
    if let Some(error) = error {
        assert_eq!(
            error.offset,
            joined.len(),
            "the error is not behind the last packet"
        );
    }
});
