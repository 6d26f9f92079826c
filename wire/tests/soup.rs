//! SoupBinTCP: every packet reads back, however the stream was cut.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails as it should")]

use proptest::prelude::*;
use wire::soup::{self, ClientPacket, LoginAccepted, LoginRejected, LoginRequest, ServerPacket};
use wire::soup::{PacketRow, Splitter};
use wire::{Fault, padded};

const SESSION: [u8; 10] = *b"000010059B";

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn messages(bytes_max: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..bytes_max), 0..20)
}

/// Takes every packet out of a stream that arrives in pieces of these sizes, over and over.
fn split(stream: &[u8], pieces: &[usize], buffer: &mut [u8]) -> Result<Vec<Vec<u8>>, wire::Error> {
    let mut splitter = Splitter::new(buffer)?;
    let mut packets = Vec::new();
    let mut rest = stream;
    for size in pieces.iter().cycle() {
        let (mut piece, after) = rest.split_at((*size).min(rest.len()));
        while !piece.is_empty() {
            let taken = splitter.push(piece);
            piece = &piece[taken..];
            while let Some(packet) = splitter.next_packet()? {
                packets.push(packet.to_vec());
            }
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    assert_eq!(splitter.pending_bytes(), 0);
    Ok(packets)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn packets_do_not_depend_on_the_cuts(
        payloads in messages(60),
        pieces in prop::collection::vec(1_usize..150, 1..6),
        spare in 0_usize..80,
    ) {
        let mut stream = Vec::new();
        for payload in &payloads {
            let mut out = [0; 64];
            let length = ServerPacket::Sequenced(payload).encode(&mut out).unwrap();
            stream.extend_from_slice(&out[..length]);
        }
        let mut buffer = vec![0; 62 + spare];
        let packets = split(&stream, &pieces, &mut buffer).unwrap();
        let expected: Vec<Vec<u8>> =
            payloads.iter().map(|payload| [b"S", &payload[..]].concat()).collect();
        prop_assert_eq!(packets, expected);
    }

    #[test]
    fn any_packet_is_read_back_or_refused(packet in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut out = [0; 64];
        if let Ok(client) = ClientPacket::parse(&packet) {
            let length = client.encode(&mut out).unwrap();
            prop_assert_eq!(&out[2..length], &packet[..]);
        }
        if let Ok(server) = ServerPacket::parse(&packet) {
            let length = server.encode(&mut out).unwrap();
            prop_assert_eq!(&out[2..length], &packet[..]);
        }
    }

    #[test]
    fn numbers_are_read_wherever_they_stand(number in any::<u64>(), shift in 0_usize..20) {
        let text = soup::number_text(number);
        prop_assert_eq!(soup::number(&text), Some(number));
        let digits = wire::trimmed(&text);
        let mut moved = [b' '; 20];
        let start = shift.min(20 - digits.len());
        moved[start..start + digits.len()].copy_from_slice(digits);
        prop_assert_eq!(soup::number(&moved), Some(number));
    }
}

fn packet_bytes(encoded: Result<usize, wire::Error>, out: &[u8]) -> Vec<u8> {
    out[..encoded.unwrap()].to_vec()
}

#[test]
fn every_client_packet_reads_back() {
    let login = LoginRequest {
        username: padded("trader"),
        password: padded("secret"),
        session: padded(""),
        sequence: soup::number_text(1),
    };
    let packets = [
        ClientPacket::LoginRequest(login),
        ClientPacket::Unsequenced(b"O..."),
        ClientPacket::Debug(b"hello"),
        ClientPacket::Heartbeat,
        ClientPacket::Logout,
    ];
    assert_eq!(packets.len(), ClientPacket::TABLE.len());
    for (packet, row) in packets.iter().zip(ClientPacket::TABLE) {
        let mut out = [0; 64];
        let bytes = packet_bytes(packet.encode(&mut out), &out);
        assert_row(row, &bytes);
        assert_eq!(ClientPacket::parse(&bytes[2..]).as_ref(), Ok(packet));
        assert_eq!(
            packet
                .encode(&mut out[..bytes.len() - 1])
                .unwrap_err()
                .fault,
            Fault::Room
        );
    }
}

#[test]
fn every_server_packet_reads_back() {
    let accepted = LoginAccepted {
        session: SESSION,
        sequence: soup::number_text(990),
    };
    let packets = [
        ServerPacket::LoginAccepted(accepted),
        ServerPacket::LoginRejected(LoginRejected { reason: b'A' }),
        ServerPacket::Sequenced(b"A..."),
        ServerPacket::Unsequenced(b""),
        ServerPacket::Debug(b"hello"),
        ServerPacket::Heartbeat,
        ServerPacket::EndOfSession,
    ];
    assert_eq!(packets.len(), ServerPacket::TABLE.len());
    for (packet, row) in packets.iter().zip(ServerPacket::TABLE) {
        let mut out = [0; 64];
        let bytes = packet_bytes(packet.encode(&mut out), &out);
        assert_row(row, &bytes);
        assert_eq!(ServerPacket::parse(&bytes[2..]).as_ref(), Ok(packet));
        assert_eq!(
            packet
                .encode(&mut out[..bytes.len() - 1])
                .unwrap_err()
                .fault,
            Fault::Room
        );
    }
}

/// A packet is as its row says: type, length, and the length before it.
fn assert_row(row: &PacketRow, bytes: &[u8]) {
    assert_eq!(bytes[2], row.kind, "{}", row.name);
    let length = bytes.len() - 2;
    assert_eq!(bytes[..2], u16::try_from(length).unwrap().to_be_bytes());
    assert!(
        row.length.is_none_or(|expected| expected == length),
        "{}",
        row.name
    );
}

#[test]
fn a_login_request_is_as_published() {
    let mut bytes = b"Lmember".to_vec();
    bytes.extend_from_slice(b"secret              ");
    bytes.extend_from_slice(b"                   1");
    let Ok(ClientPacket::LoginRequest(login)) = ClientPacket::parse(&bytes) else {
        panic!("not a login request");
    };
    assert_eq!(
        (login.username, login.password),
        (*b"member", *b"secret    ")
    );
    assert_eq!(
        (login.session, soup::number(&login.sequence)),
        ([b' '; 10], Some(1))
    );
    let error = ClientPacket::parse(&bytes[..46]).unwrap_err();
    assert_eq!(
        (error.fault, error.kind, error.expected),
        (Fault::Length, b'L', 47)
    );
}

#[test]
fn numbers_that_are_none_are_none() {
    let greatest = b"18446744073709551615";
    assert_eq!(soup::number(greatest), Some(u64::MAX));
    for text in [
        &b"18446744073709551616"[..],
        b"",
        b"    ",
        b"-1",
        b"1 2",
        b"12a",
        b"\0",
    ] {
        assert_eq!(soup::number(text), None, "{text:?}");
    }
}

#[test]
fn in_place_packets_are_the_same() {
    let mut one = [0; 16];
    let mut other = [0; 16];
    let write = |out: &mut [u8]| {
        out[..3].copy_from_slice(b"abc");
        Ok(3)
    };
    assert_eq!(soup::sequenced(&mut one, write), Ok(6));
    assert_eq!(ServerPacket::Sequenced(b"abc").encode(&mut other), Ok(6));
    assert_eq!(one, other);
    assert_eq!(soup::unsequenced(&mut one, write), Ok(6));
    assert_eq!(one[2], b'U');
    assert_eq!(
        soup::unsequenced(&mut one, |_| Ok(14)).unwrap_err().fault,
        Fault::TooLong
    );
    assert_eq!(
        soup::unsequenced(&mut one[..2], write).unwrap_err().fault,
        Fault::Room
    );
}

#[test]
fn bad_lengths_stop_a_stream_with_their_offset() {
    let error = split(b"\0\x01R\0\0R", &[1], &mut [0; 16]).unwrap_err();
    assert_eq!((error.fault, error.offset), (Fault::ZeroLength, 3));
    let error = split(b"\0\x01R\0\x0fU", &[2], &mut [0; 16]).unwrap_err();
    assert_eq!((error.fault, error.offset), (Fault::TooLong, 3));
    assert_eq!((error.expected, error.found), (14, 15));
    assert_eq!(Splitter::new([0; 2]).unwrap_err().fault, Fault::Room);
}

#[test]
fn a_payload_of_the_greatest_length_passes() {
    let payload = vec![7; soup::PAYLOAD_BYTES_MAX + 1];
    let mut out = vec![0; soup::PACKET_BYTES_MAX + 1];
    let packet = ServerPacket::Sequenced(&payload);
    assert_eq!(packet.encode(&mut out).unwrap_err().fault, Fault::TooLong);
    let packet = ServerPacket::Sequenced(&payload[1..]);
    assert_eq!(packet.encode(&mut out), Ok(soup::PACKET_BYTES_MAX));
    let whole = &out[..soup::PACKET_BYTES_MAX];
    let mut buffer = vec![0; soup::PACKET_BYTES_MAX];
    let packets = split(whole, &[1_000], &mut buffer).unwrap();
    assert_eq!(packets, [&whole[2..]]);
}
