//! A client of WebSocket that sends any bytes, or frames that keep the rules, cut anywhere.
//!
//! The reader neither panics nor gives more than it may. What it gives, and which fault ends it,
//! does not depend on where the bytes were cut; and of frames that keep the rules come the messages
//! that they were made of, packed or not, in parts or not, with questions between the parts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket::{Fault, Incoming, Packer, Reader};

/// Bytes of a message at most.
const BYTES_MAX: usize = 2_000;

const CONTROL_BYTES_MAX: usize = 125;

/// What comes of bytes in pieces whose lengths these are, over and over.
fn heard(bytes: &[u8], cuts: &[u8], is_deflate: bool) -> (Vec<Incoming>, Option<Fault>) {
    let mut reader = Reader::new(BYTES_MAX, is_deflate);
    let (mut all, mut rest) = (Vec::new(), bytes);
    let mut cuts = cuts.iter().cycle();
    let mut fault = None;
    while !rest.is_empty() && fault.is_none() {
        let cut = cuts.next().map_or(rest.len(), |it| usize::from(*it) + 1);
        let (piece, more) = rest.split_at(cut.min(rest.len()));
        fault = reader.take(piece).err();
        all.extend(std::iter::from_fn(|| reader.pop()));
        rest = more;
    }
    (all, fault)
}

/// What may be given.
fn is_in_bounds(incoming: &Incoming) -> bool {
    match incoming {
        Incoming::Text(text) => text.len() <= BYTES_MAX,
        Incoming::Binary(bytes) => bytes.len() <= BYTES_MAX,
        Incoming::Ping(bytes) | Incoming::Pong(bytes) => bytes.len() <= CONTROL_BYTES_MAX,
        Incoming::Close(_) => true,
    }
}

/// A frame of a client.
fn sent(first: u8, payload: &[u8], mask: u8) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
    }
    bytes.extend([mask, 1, 2, 3]);
    let mask = [mask, 1, 2, 3];
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
    bytes
}

/// Frames that keep the rules, and what is to come of them.
fn well_said(mut words: &[u8], packer: &mut Packer) -> (Vec<u8>, Vec<Incoming>) {
    let (mut bytes, mut due) = (Vec::new(), Vec::new());
    while let [how, length, parts, rest @ ..] = words {
        let (payload, more) = rest.split_at(usize::from(*length).min(rest.len()));
        words = more;
        let is_packed = how & 1 != 0;
        let whole = match is_packed {
            true => packer.pack(payload),
            false => payload.to_vec(),
        };
        let is_text = how & 2 != 0 && str::from_utf8(payload).is_ok();
        let part = usize::from(*parts).max(1);
        let parts: Vec<&[u8]> = match whole.is_empty() {
            true => vec![&[]],
            false => whole.chunks(part).collect(),
        };
        for (at, piece) in parts.iter().enumerate() {
            let first = match at {
                0 => 2 - u8::from(is_text) | u8::from(is_packed) << 6,
                _ => 0,
            };
            let last = u8::from(at + 1 == parts.len()) << 7;
            bytes.extend(sent(first | last, piece, *how));
            if how & 4 != 0 && at < 3 {
                bytes.extend(sent(0x89, &[at as u8], *length));
                due.push(Incoming::Ping(vec![at as u8]));
            }
        }
        let said = match is_text {
            true => Incoming::Text(String::from_utf8(payload.to_vec()).expect("it was looked at")),
            false => Incoming::Binary(payload.to_vec()),
        };
        // The last question stands behind the message.
        let is_behind = how & 4 != 0 && parts.len() <= 3;
        due.insert(due.len() - usize::from(is_behind), said);
    }
    (bytes, due)
}

fuzz_target!(|bytes: &[u8]| {
    let [how, cuts @ .., last] = bytes else {
        return;
    };
    let (cuts, rest) = cuts.split_at(usize::from(*last % 8).min(cuts.len()));
    let is_deflate = how & 1 != 0;
    if how & 2 != 0 {
        let (said, due) = well_said(rest, &mut Packer::new());
        let (all, fault) = heard(&said, cuts, true);
        assert_eq!((all, fault), (due, None));
        return;
    }
    let whole = heard(rest, &[], is_deflate);
    assert!(whole.0.iter().all(is_in_bounds));
    assert_eq!(whole, heard(rest, cuts, is_deflate));
    assert_eq!(whole, heard(rest, &[0], is_deflate));
});
