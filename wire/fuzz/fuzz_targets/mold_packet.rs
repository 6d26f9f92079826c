//! A MoldUDP64 packet built again from its messages is the same packet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::mold::{self, Builder, Packet, PacketKind};

fuzz_target!(|bytes: &[u8]| {
    let packet = match Packet::parse(bytes) {
        Ok(packet) => packet,
        Err(error) => {
            assert!(error.offset <= bytes.len(), "{error}");
            return;
        }
    };
    let buffer = vec![0; bytes.len()];
    let mut builder =
        Builder::new(buffer, packet.session(), packet.sequence()).expect("room for the header");
    let mut number = packet.sequence();
    for (sequence, message) in packet.blocks() {
        assert_eq!(sequence, number);
        number += 1;
        builder.push(message).expect("room for the same messages");
    }
    assert_eq!(number, packet.next_sequence());
    assert_eq!(packet.blocks().count(), usize::from(packet.message_count()));
    let mut header = [0; mold::HEADER_BYTES];
    match packet.kind() {
        PacketKind::EndOfSession => {
            mold::end_of_session(packet.session(), number, &mut header).expect("room");
            assert_eq!(header, bytes);
        }
        PacketKind::Heartbeat => {
            mold::heartbeat(packet.session(), number, &mut header).expect("room");
            assert_eq!(header, bytes);
        }
        PacketKind::Messages => assert_eq!(builder.bytes(), bytes),
    }
});
