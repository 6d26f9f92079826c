//! What a client says comes out as it was said, however it is cut.

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;
use websocket::{Close, Fault, Incoming, Kind, Packer, Reader, close_frame, frame, packed_frame};

/// A frame of a client, with a mask.
fn sent(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length @ 126..=0xFFFF => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
    bytes
}

/// What a server's frame holds, read as a client does: its kind, whether it is packed, its payload.
fn read(bytes: &[u8]) -> (u8, bool, &[u8]) {
    assert_eq!(bytes[1] & 0x80, 0, "a server masks nothing");
    let at = match bytes[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    (bytes[0] & 0x0F, bytes[0] & 0x40 != 0, &bytes[at..])
}

fn heard(reader: &mut Reader, bytes: &[u8], piece: usize) -> Result<Vec<Incoming>, Fault> {
    let mut all = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        reader.take(piece)?;
        all.extend(std::iter::from_fn(|| reader.pop()));
    }
    Ok(all)
}

/// Bytes that a compressor finds something in.
fn payloads() -> impl Strategy<Value = Vec<u8>> {
    (0_usize..200_000, 1_u8..=255, any::<u64>()).prop_map(|(length, letters, seed)| {
        let mut state = seed | 1;
        let byte = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % u64::from(letters)) as u8
        };
        (0..length).map(byte).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_the_server_packs_a_reader_unpacks(payload in payloads(), piece in 1_usize..5_000) {
        let mut packer = Packer::new();
        for _ in 0..2 {
            let bytes = packed_frame(Kind::Binary, &payload, &mut packer);
            let (kind, is_packed, packed) = read(&bytes);
            prop_assert_eq!((kind, is_packed), (2, true));
            let mut reader = Reader::new(1 << 20, true);
            let sent = sent(0xC2, packed, [1, 2, 3, 4]);
            let got = heard(&mut reader, &sent, piece).unwrap();
            prop_assert_eq!(got, vec![Incoming::Binary(payload.clone())]);
        }
    }

    #[test]
    fn parts_make_a_message(
        payload in payloads(), cut in 1_usize..70_000, piece in 1_usize..9_000, is_packed: bool
    ) {
        let whole = if is_packed { Packer::new().pack(&payload) } else { payload.clone() };
        let mut reader = Reader::new(1 << 20, true);
        let parts: Vec<_> = whole.chunks(cut).collect();
        let (mut bytes, count) = (Vec::new(), parts.len());
        for (at, part) in parts.into_iter().enumerate() {
            let first = if at == 0 { 2 | u8::from(is_packed) << 6 } else { 0 };
            let last = u8::from(at + 1 == count) << 7;
            bytes.extend(sent(first | last, part, [9, 8, 7, at as u8]));
            bytes.extend(sent(0x89, b"between", [at as u8; 4]));
        }
        let mut got = heard(&mut reader, &bytes, piece).unwrap();
        got.retain(|it| *it != Incoming::Ping(b"between".to_vec()));
        let due = if count == 0 { Vec::new() } else { vec![Incoming::Binary(payload)] };
        prop_assert_eq!(got, due);
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..400), piece in 1_usize..50,
        is_deflate: bool
    ) {
        let mut reader = Reader::new(1_000, is_deflate);
        if let Ok(all) = heard(&mut reader, &bytes, piece) {
            for it in all {
                if let Incoming::Binary(payload) = it {
                    prop_assert!(payload.len() <= 1_000);
                }
            }
        }
    }
}

#[test]
fn a_bomb_is_refused_before_it_bursts() {
    let mut deflate = Compress::new(Compression::best(), false);
    let mut packed = Vec::with_capacity(1 << 20);
    let zeros = vec![0; 64 << 20];
    deflate
        .compress_vec(&zeros, &mut packed, FlushCompress::Sync)
        .unwrap();
    assert!(packed.len() < 100_000);
    let mut reader = Reader::new(1 << 20, true);
    let refused = reader.take(&sent(0xC2, &packed, [0; 4]));
    assert_eq!(refused, Err(Fault::TooLarge));
}

#[test]
fn a_frame_that_says_it_is_giant_is_refused_by_its_head() {
    let mut reader = Reader::new(1_000, false);
    let head = [&[0x82, 0xFF][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
    assert_eq!(reader.take(&head), Err(Fault::TooLarge));
    let mut reader = Reader::new(1_000, false);
    reader.take(&sent(0x02, &[1; 900], [0; 4])).unwrap();
    let refused = reader.take(&sent(0x80, &[1; 900], [0; 4]));
    assert_eq!(refused, Err(Fault::TooLarge));
}

#[test]
fn what_cannot_be_unpacked_is_refused() {
    let mut reader = Reader::new(1_000, true);
    let refused = reader.take(&sent(0xC2, &[0xFF; 20], [0; 4]));
    assert_eq!(refused, Err(Fault::NotPacked));
    assert_eq!(Fault::NotPacked.code(), 1_007);
}

#[test]
fn a_close_ends_what_is_read() {
    let mut reader = Reader::new(1_000, false);
    let mut bytes = sent(0x88, b"\x03\xE8bye", [5; 4]);
    bytes.extend(sent(0x81, b"more", [0; 4]));
    let close = Close {
        code: Some(1_000),
        reason: "bye".into(),
    };
    let got = heard(&mut reader, &bytes, 3).unwrap();
    assert_eq!(got, [Incoming::Close(close)]);
}

#[test]
fn a_reason_is_cut_between_letters() {
    let bytes = close_frame(1_008, &"\u{e9}".repeat(100));
    let (kind, _, payload) = read(&bytes);
    assert_eq!((kind, &payload[..2]), (8, &1_008_u16.to_be_bytes()[..]));
    assert_eq!(str::from_utf8(&payload[2..]).unwrap().chars().count(), 61);
}

#[test]
fn long_messages_have_long_lengths() {
    for length in [125, 126, 65_535, 65_536] {
        let bytes = frame(Kind::Text, &vec![b'x'; length]);
        assert_eq!(read(&bytes), (1, false, &vec![b'x'; length][..]));
    }
}
