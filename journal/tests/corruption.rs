//! Damage anywhere: found, named, and never executed; only the last write may look like a torn one.

mod support;

use std::collections::BTreeMap;

use journal::record::Header;
use journal::simulated::{Disk, SECTOR_BYTES};
use journal::{
    BLOCK_BYTES, Corrupt, Field, GROUP_INPUTS_MAX, Input, LINE_BYTES, RecoveryError,
    SEGMENT_BYTES_MIN,
};
use support::oracle::{Damaged, Place, Verdict, Whole, judge};
use support::{Random, append, close, made, open, read, settle};

/// The records of a segment that is in order.
fn places(bytes: &[u8]) -> Vec<Place> {
    Whole::new(vec![bytes.to_vec()]).places
}

/// One segment: a life that closed, and one whose last write holds two groups.
fn journal() -> (Disk, Vec<u8>) {
    let disk = Disk::new(1);
    let mut writer = open(&disk);
    append(&mut writer, 3);
    settle(&mut writer);
    append(&mut writer, 1);
    append(&mut writer, 2);
    close(&mut writer);
    let mut writer = open(&disk);
    append(&mut writer, 2);
    settle(&mut writer);
    append(&mut writer, 1);
    append(&mut writer, 2);
    append(&mut writer, 2);
    settle(&mut writer);
    disk.remove(2);
    let bytes = disk.bytes(1).expect("a segment");
    (disk, bytes)
}

fn try_with(
    disk: &Disk,
    bytes: Vec<u8>,
) -> Result<(Vec<Input>, journal::Recovered), RecoveryError> {
    disk.set_bytes(1, bytes);
    read(&mut disk.storage())
}

#[test]
fn every_flipped_bit_is_found() {
    let (_, bytes) = journal();
    let whole = Whole::new(vec![bytes]);
    assert_eq!(
        whole.places.len(),
        9,
        "opening, 3 groups, closing, 4 groups"
    );
    let end = whole.places[8].end;
    let mut counts = BTreeMap::new();
    for at in 0..end + 2 * LINE_BYTES {
        for bit in 0..8 {
            let verdict = judge(&mut Damaged::flip(&whole, (0, at), bit));
            let verdict = verdict.unwrap_or_else(|wrong| panic!("bit {bit} at {at}: {wrong}"));
            *counts.entry(format!("{verdict:?}")).or_insert(0) += 1;
        }
    }
    // The last write brought two groups of three lines each.
    let last_write = 2 * 3 * LINE_BYTES * 8;
    assert!(counts["Cut"] >= last_write && counts["Refused"] >= end * 8 - last_write);
    assert_eq!(counts.len(), 2, "{counts:?}");
}

#[test]
fn every_lost_line_is_found() {
    let (_, bytes) = journal();
    let whole = Whole::new(vec![bytes]);
    for at in (0..whole.places[8].end).step_by(LINE_BYTES) {
        let lost = judge(&mut Damaged::put(&whole, (0, at), &[0; LINE_BYTES]));
        lost.unwrap_or_else(|wrong| panic!("at {at}: {wrong}"));
    }
}

/// Some of what `cargo x damage` does to a journal of many segments.
#[test]
fn sectors_that_are_lost_swapped_or_elsewhere_are_found() {
    let whole = made(3, 2 * SEGMENT_BYTES_MIN as usize, SEGMENT_BYTES_MIN);
    let mut random = Random(9);
    let segments = whole.segments.len();
    let mut place = |sector: usize| {
        let sectors = SEGMENT_BYTES_MIN as usize / sector;
        (random.below(segments), random.below(sectors) * sector)
    };
    for case in 0..3_000 {
        let sector = [SECTOR_BYTES, BLOCK_BYTES][case % 2];
        let (one, other) = (place(sector), place(sector));
        let copied = whole.segments[other.0][other.1..other.1 + sector].to_vec();
        let mut damaged = match case % 3 {
            0 => Damaged::put(&whole, one, &vec![0; sector]),
            1 => Damaged::put(&whole, one, &copied),
            _ => Damaged::swapped(&whole, one, other, sector),
        };
        let found = judge(&mut damaged);
        found.unwrap_or_else(|wrong| panic!("case {case}, {one:?} and {other:?}: {wrong}"));
    }
}

#[test]
fn what_was_never_written_looks_like_a_clean_end() {
    let whole = made(4, SEGMENT_BYTES_MIN as usize, SEGMENT_BYTES_MIN);
    for place in whole.places.iter().skip(1) {
        let clean = judge(&mut Damaged::unwritten(&whole, place.at));
        assert_eq!(clean, Ok(Verdict::Unwritten), "{place:?}");
        let torn = judge(&mut Damaged::unwritten(
            &whole,
            (place.at.0, place.end - 20),
        ));
        torn.unwrap_or_else(|wrong| panic!("{place:?}: {wrong}"));
    }
}

#[test]
fn a_cut_file_is_found_at_any_length() {
    let (disk, bytes) = journal();
    for length in (0..bytes.len()).step_by(BLOCK_BYTES / 2) {
        let found = try_with(&disk, bytes[..length].to_vec());
        let Err(RecoveryError::Corrupt(corrupt)) = found else {
            panic!("{length}: {found:?}")
        };
        assert_eq!(corrupt.field, Field::FileLength);
    }
    let mut longer = bytes.clone();
    longer.resize(bytes.len() + BLOCK_BYTES, 0);
    let found = try_with(&disk, longer).expect_err("longer than it was made");
    assert!(matches!(
        found,
        RecoveryError::Corrupt(Corrupt {
            field: Field::FileLength,
            ..
        })
    ));
}

/// Puts a whole record, sealed anew after a change, in the place of record `index`.
fn change(bytes: &[u8], index: usize, change: &dyn Fn(&mut Header, &mut [u8])) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let place = places(bytes)[index];
    let (first, rest) = changed[place.at.1..].split_at_mut(LINE_BYTES);
    let mut header: Header = bytemuck::pod_read_unaligned(first);
    let body = place.end - place.at.1 - LINE_BYTES;
    change(&mut header, &mut rest[..body]);
    header.checksum = header.sum(&rest[..body.min(header.bytes as usize - LINE_BYTES)]);
    first.copy_from_slice(bytemuck::bytes_of(&header));
    changed
}

#[test]
fn whole_records_that_break_the_chain_are_errors_even_at_the_end() {
    let (disk, bytes) = journal();
    let last = places(&bytes).len() - 1;
    let offset = places(&bytes)[last].at.1 as u64;
    type Change = Box<dyn Fn(&mut Header, &mut [u8])>;
    let changes: [(Field, Change); 11] = [
        (Field::Version, Box::new(|header, _| header.version = 0)),
        (Field::Kind, Box::new(|header, _| header.kind = 9)),
        (
            Field::Kind,
            Box::new(|header, _| header.kind = journal::record::KIND_SEGMENT),
        ),
        (Field::Count, Box::new(|header, _| header.count = 0)),
        (Field::Length, Box::new(|header, _| header.count = 1)),
        (Field::Epoch, Box::new(|header, _| header.epoch = 1)),
        (
            Field::Sequence,
            Box::new(|header, _| header.first_sequence += 1),
        ),
        (Field::Previous, Box::new(|header, _| header.previous ^= 1)),
        (Field::Time, Box::new(|header, _| header.time_ns += 1)),
        (Field::Sequence, Box::new(|_, inputs| inputs[64] += 1)),
        (Field::Durable, Box::new(|header, _| header.durable = 99)),
    ];
    for (index, (field, edit)) in changes.iter().enumerate() {
        let found = try_with(&disk, change(&bytes, last, edit));
        let Err(RecoveryError::Corrupt(corrupt)) = found else {
            panic!("{index}: {found:?}")
        };
        assert_eq!(
            (corrupt.field, corrupt.offset),
            (*field, offset),
            "change {index}: {corrupt}"
        );
        let text = RecoveryError::Corrupt(corrupt).to_string();
        assert!(
            text.contains("simulated/journal-0000000001 at byte"),
            "{text}"
        );
    }
}

/// Four segments, the last prepared.
fn long_journal() -> Disk {
    let disk = Disk::new(1);
    let mut writer = open(&disk);
    for _ in 0..3 {
        append(&mut writer, GROUP_INPUTS_MAX);
        append(&mut writer, 5);
        settle(&mut writer);
    }
    assert!(disk.bytes(3).is_some_and(|bytes| bytes[0] != 0));
    disk
}

#[test]
fn lost_swapped_and_doubled_segments_are_found() {
    let disk = long_journal();
    assert_eq!(
        read(&mut disk.storage()).expect("in order").0.len(),
        3 * (GROUP_INPUTS_MAX + 5)
    );
    let of = |number: u32| disk.bytes(number).expect("a segment");
    let (one, two, three) = (of(1), of(2), of(3));
    type Case<'a> = (&'a str, [(u32, Option<&'a [u8]>); 2]);
    let cases: [Case<'_>; 6] = [
        ("first lost", [(1, None), (1, None)]),
        ("middle lost", [(2, None), (2, None)]),
        ("swapped", [(2, Some(&three)), (3, Some(&two))]),
        (
            "first and last swapped",
            [(1, Some(&three)), (3, Some(&one))],
        ),
        ("last doubled", [(4, Some(&three)), (4, Some(&three))]),
        (
            "middle emptied",
            [(2, Some(&[0; 72 << 10])), (2, Some(&[0; 72 << 10]))],
        ),
    ];
    for (name, edits) in cases {
        let damaged = disk.fork(1);
        for (number, bytes) in edits {
            match bytes {
                Some(bytes) => damaged.set_bytes(number, bytes.to_vec()),
                None => damaged.remove(number),
            }
        }
        let found = read(&mut damaged.storage());
        assert!(
            matches!(found, Err(RecoveryError::Corrupt(_))),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn a_foreign_file_is_no_torn_tail() {
    let disk = Disk::new(1);
    disk.set_bytes(1, vec![0x5a; 512 << 10]);
    let found = read(&mut disk.storage()).expect_err("not a journal");
    assert!(matches!(
        found,
        RecoveryError::Corrupt(Corrupt {
            field: Field::Magic,
            offset: 0,
            ..
        })
    ));
}

#[test]
fn damage_in_a_full_segment_is_found_from_the_next_one() {
    let disk = long_journal();
    let bytes = disk.bytes(2).expect("a segment");
    let end = places(&bytes)[places(&bytes).len() - 1].end;
    for at in (0..end).step_by(997) {
        let damaged = disk.fork(1);
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        damaged.set_bytes(2, flipped);
        let found = read(&mut damaged.storage());
        let Err(RecoveryError::Corrupt(corrupt)) = found else {
            panic!("{at}: {found:?}")
        };
        assert_eq!(
            corrupt.file, "simulated/journal-0000000002",
            "damage at {at}"
        );
    }
}

#[test]
fn a_damaged_stop_at_a_segments_end_is_found_from_the_next_one() {
    let disk = Disk::new(1);
    let mut writer = open(&disk);
    let lines = (SEGMENT_BYTES_MIN / 64) as usize;
    append(&mut writer, GROUP_INPUTS_MAX);
    append(&mut writer, lines - GROUP_INPUTS_MAX - 4);
    close(&mut writer);
    let mut writer = open(&disk);
    append(&mut writer, 1);
    settle(&mut writer);
    let mut bytes = disk.bytes(1).expect("a segment");
    let offset = bytes.len() - LINE_BYTES;
    assert_ne!(bytes[offset], 0, "the stop takes the last line");
    bytes[offset + 9] ^= 1;
    let found = try_with(&disk, bytes.clone()).expect_err("an acknowledged input came later");
    assert!(matches!(found, RecoveryError::Corrupt(corrupt) if corrupt.offset == offset as u64));
    bytes[offset..].fill(0);
    let found = try_with(&disk, bytes).expect_err("an acknowledged input came later");
    assert!(matches!(found, RecoveryError::Corrupt(corrupt) if corrupt.offset == offset as u64));
}

#[test]
fn a_damaged_opening_record_of_the_last_segment_is_found() {
    let disk = long_journal();
    let mut bytes = disk.bytes(3).expect("a segment");
    bytes[17] ^= 4;
    disk.set_bytes(3, bytes);
    let found = read(&mut disk.storage()).expect_err("two writes stand behind it");
    assert!(matches!(found, RecoveryError::Corrupt(_)), "{found}");
}
