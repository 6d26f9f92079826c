//! Real recordings, read from `../shared/data` beside the repository; nobody here wrote them.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails as it should")]

use std::collections::BTreeMap;

use wire::{Fault, binary_file, itch, mold};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/");

/// A recording, or `None` where it is missing and no CI asks for it.
fn recording(name: &str) -> Option<Vec<u8>> {
    let path = format!("{DATA}{name}");
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if std::env::var_os("CI").is_some() => {
            panic!("{path}: {error}: CI needs the real recordings in ../shared/data")
        }
        Err(error) => {
            println!("skipped: {path}: {error}");
            None
        }
    }
}

/// Counts a file's messages by type; each must come back the same when written again.
fn counts(file: &[u8]) -> BTreeMap<char, u32> {
    let mut counts = BTreeMap::new();
    for record in binary_file::Reader::new(file) {
        let record = record.unwrap();
        let message = itch::Message::parse(record.message)
            .unwrap_or_else(|error| panic!("{}", error.at(record.offset)));
        let mut out = [0; itch::MESSAGE_BYTES_MAX];
        let length = message.encode(&mut out).unwrap();
        assert_eq!(&out[..length], record.message);
        *counts.entry(char::from(message.kind())).or_insert(0) += 1;
    }
    counts
}

#[test]
fn nasdaq_opening_has_its_published_counts() {
    let Some(file) = recording("itch50/NASDAQ_20191230_0930_opening_1000.itch50") else {
        return;
    };
    let expected = [
        ('A', 367),
        ('U', 225),
        ('F', 193),
        ('D', 167),
        ('E', 28),
        ('X', 6),
        ('I', 4),
        ('P', 4),
        ('Q', 4),
        ('C', 1),
        ('S', 1),
    ];
    assert_eq!(counts(&file), BTreeMap::from(expected));
    let times: Vec<u64> = binary_file::Reader::new(&file)
        .map(|record| {
            itch::Message::parse(record.unwrap().message)
                .unwrap()
                .header()
                .timestamp
        })
        .collect();
    assert_eq!(times[0], (9 * 60 + 30) * 60 * 1_000_000_000 + 230);
    assert!(times.is_sorted());
}

#[test]
fn aapl_reads_whole() {
    let Some(file) = recording("itch50/AAPL_20191230_0935_first20k.itch50") else {
        return;
    };
    assert_eq!(counts(&file).values().sum::<u32>(), 20_000);
}

#[test]
fn zero_length_prefixes_are_refused_at_the_first() {
    let Some(file) = recording("itch50/MALFORMED_zero_length_prefixes.itch50") else {
        return;
    };
    let mut reader = binary_file::Reader::new(&file);
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!((error.fault, error.offset), (Fault::ZeroLength, 0));
    assert_eq!(error.found, file.len() - 2);
    assert!(reader.next().is_none() && !reader.session_ended());
}

#[test]
fn a_cut_last_block_is_refused_with_its_place() {
    let Some(file) = recording("moldudp64/MALFORMED_cut_last_block.dat") else {
        return;
    };
    let (first, rest) = mold::Packet::split_first(&file).unwrap();
    assert_eq!(
        (first.session(), first.sequence(), first.blocks().count()),
        ([0; 10], 1, 15)
    );
    let (second, rest) = mold::Packet::split_first(rest).unwrap();
    assert_eq!((second.sequence(), second.blocks().count()), (16, 13));
    assert_eq!(u64::from_be_bytes(rest[10..18].try_into().unwrap()), 29);
    assert_eq!(u16::from_be_bytes([rest[18], rest[19]]), 13);
    let base = file.len() - rest.len();
    let error = mold::Packet::split_first(rest).unwrap_err().at(base);
    assert_eq!(error.fault, Fault::Truncated);
    assert_eq!(error.expected - error.found, 5);
    assert_eq!(error.offset + 2 + error.found, file.len());
    let error = mold::Packet::parse(&file).unwrap_err();
    assert_eq!(error.fault, Fault::Trailing);
}
