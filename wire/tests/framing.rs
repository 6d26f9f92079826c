//! MoldUDP64 packets and BinaryFILE records: what is built reads back, what is cut is refused.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails as it should")]

use proptest::prelude::*;
use wire::mold::{self, PacketKind};
use wire::{Fault, binary_file};

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

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_built_packet_reads_back(messages in messages(120), sequence in any::<u64>()) {
        let sequence = sequence.saturating_sub(20);
        let mut builder = mold::Builder::new([0; 500], SESSION, sequence).unwrap();
        let mut seen = Vec::new();
        let mut read = |packet: &[u8]| {
            let packet = mold::Packet::parse(packet).unwrap();
            assert_eq!(packet.session(), SESSION);
            seen.extend(packet.blocks().map(|(number, message)| (number, message.to_vec())));
        };
        for message in &messages {
            if let Err(error) = builder.push(message) {
                assert_eq!(error.fault, Fault::Room);
                read(builder.bytes());
                builder.restart();
                builder.push(message).unwrap();
            }
        }
        read(builder.bytes());
        let expected: Vec<(u64, Vec<u8>)> = (sequence..).zip(messages).collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn a_cut_packet_is_refused(messages in messages(40), cut in 1_usize..60) {
        let mut builder = mold::Builder::new([0; 1_472], SESSION, 1).unwrap();
        for message in &messages {
            builder.push(message).unwrap();
        }
        let whole = builder.bytes();
        let cut = &whole[..whole.len().saturating_sub(cut)];
        let error = mold::Packet::parse(cut).unwrap_err();
        prop_assert_eq!(error.fault, Fault::Truncated);
        prop_assert!(error.offset <= cut.len());
        let longer = [whole, b"x"].concat();
        let error = mold::Packet::parse(&longer).unwrap_err();
        prop_assert_eq!((error.fault, error.offset), (Fault::Trailing, whole.len()));
    }

    #[test]
    fn requests_read_back(
        session in any::<[u8; 10]>(),
        sequence in any::<u64>(),
        count in any::<u16>(),
    ) {
        let request = mold::Request { session, sequence, count };
        let mut out = [0; mold::HEADER_BYTES];
        prop_assert_eq!(request.encode(&mut out), Ok(20));
        prop_assert_eq!(mold::Request::parse(&out), Ok(request));
        prop_assert_eq!(mold::Request::parse(&out[1..]).unwrap_err().fault, Fault::Length);
    }

    #[test]
    fn records_read_back_and_a_cut_names_its_record(messages in messages(40), cut in 1_usize..30) {
        let mut file = Vec::new();
        let mut offsets = Vec::new();
        // An empty message would be the end of the session.
        for message in messages.iter().filter(|message| !message.is_empty()) {
            let mut out = [0; 64];
            let length = binary_file::encode(message, &mut out).unwrap();
            offsets.push((file.len(), message.clone()));
            file.extend_from_slice(&out[..length]);
        }
        let cut_at = file.len().saturating_sub(cut);
        let cut = &file[..cut_at];
        match binary_file::Reader::new(cut).last() {
            Some(Err(error)) => {
                prop_assert_eq!(error.fault, Fault::Truncated);
                prop_assert!(offsets.iter().any(|(offset, _)| *offset == error.offset));
            }
            _ => prop_assert!(cut_at == 0 || offsets.iter().any(|(offset, _)| *offset == cut_at)),
        }
        file.extend_from_slice(&[0, 0]);
        let mut reader = binary_file::Reader::new(&file);
        let read: Vec<(usize, Vec<u8>)> =
            reader.by_ref().map(|r| r.map(|r| (r.offset, r.message.to_vec())).unwrap()).collect();
        prop_assert_eq!(read, offsets);
        prop_assert!(reader.session_ended());
    }
}

#[test]
fn heartbeats_and_end_of_session_carry_no_messages() {
    let mut out = [0; mold::HEADER_BYTES];
    mold::heartbeat(SESSION, 7, &mut out).unwrap();
    let packet = mold::Packet::parse(&out).unwrap();
    assert_eq!(
        (packet.kind(), packet.sequence()),
        (PacketKind::Heartbeat, 7)
    );
    mold::end_of_session(SESSION, 8, &mut out).unwrap();
    let packet = mold::Packet::parse(&out).unwrap();
    assert_eq!(
        (packet.kind(), packet.next_sequence()),
        (PacketKind::EndOfSession, 8)
    );
    assert_eq!(packet.blocks().count(), 0);
    let longer = [&out[..], b"\0\0"].concat();
    assert_eq!(
        mold::Packet::parse(&longer).unwrap_err().fault,
        Fault::Trailing
    );
}

#[test]
fn sequence_numbers_do_not_overflow() {
    let mut builder = mold::Builder::new([0; 100], SESSION, u64::MAX - 1).unwrap();
    builder.push(b"last").unwrap();
    assert_eq!(
        builder.push(b"one more").unwrap_err().fault,
        Fault::Sequence
    );
    let mut bytes = builder.bytes().to_vec();
    assert_eq!(
        mold::Packet::parse(&bytes).unwrap().next_sequence(),
        u64::MAX
    );
    bytes[17] = 0xFF;
    assert_eq!(
        mold::Packet::parse(&bytes).unwrap_err().fault,
        Fault::Sequence
    );
}

#[test]
fn a_count_never_becomes_the_end_of_session() {
    let mut builder = mold::Builder::new(vec![0; 200_000], SESSION, 1).unwrap();
    for _ in 0..u16::MAX - 1 {
        builder.push(b"").unwrap();
    }
    assert_eq!(builder.push(b"").unwrap_err().fault, Fault::Room);
    let packet = mold::Packet::parse(builder.bytes()).unwrap();
    assert_eq!(
        (packet.kind(), packet.blocks().count()),
        (PacketKind::Messages, 65_534)
    );
}

#[test]
fn a_failed_write_leaves_the_packet_as_it_was() {
    let mut builder = mold::Builder::new([0; 40], SESSION, 1).unwrap();
    builder.push(b"first").unwrap();
    let before = builder.bytes().to_vec();
    assert_eq!(builder.push(&[1; 12]).unwrap_err().fault, Fault::Room);
    assert_eq!(
        builder.push(&[1; 70_000]).unwrap_err().fault,
        Fault::TooLong
    );
    assert_eq!(
        builder
            .push_with(|room| Ok(room.len() + 1))
            .unwrap_err()
            .fault,
        Fault::TooLong
    );
    assert_eq!(builder.bytes(), before);
    assert_eq!((builder.count(), builder.next_sequence()), (1, 2));
}

#[test]
fn zero_length_is_the_end_only_at_the_end() {
    let mut reader = binary_file::Reader::new(b"\0\x01A\0\0");
    assert_eq!(reader.next().unwrap().unwrap().message, b"A");
    assert!(reader.next().is_none() && reader.session_ended());
    let mut reader = binary_file::Reader::new(b"\0\x01A\0\0\0\x01B");
    assert!(reader.next().unwrap().is_ok());
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!(
        (error.fault, error.offset, error.found),
        (Fault::ZeroLength, 3, 3)
    );
    assert!(reader.next().is_none() && !reader.session_ended());
}
