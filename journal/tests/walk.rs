//! Reading record by record: the same as recovery reads, from any segment on, from any files.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use journal::record::{Header, KIND_CLOSE, KIND_GROUP, KIND_SEGMENT};
use journal::simulated::Disk;
use journal::storage::{SegmentFile, StorageError, segment_name};
use journal::{Field, FileList, Flipped, LINE_BYTES, RecoveryError, Segments, Walker, flipped};
use support::{append, close, inputs, open, read, settle};

/// A life that closed and one that was killed, over three segments.
fn journal() -> Disk {
    let disk = Disk::new(1);
    let mut writer = open(&disk);
    append(&mut writer, 3);
    close(&mut writer);
    let mut writer = open(&disk);
    for count in [1_000, 700, 900, 5] {
        append(&mut writer, count);
        settle(&mut writer);
    }
    disk
}

/// Kinds of the records and their inputs, to the end.
fn walked<S: Segments>(
    segments: S,
) -> Result<(String, Vec<journal::Input>, Walker<S>), RecoveryError> {
    let mut walker = Walker::new(segments)?;
    let (mut kinds, mut all) = (String::new(), Vec::new());
    while let Some(record) = walker.record()? {
        kinds.push(match record.header.kind {
            KIND_SEGMENT => 's',
            KIND_GROUP => 'g',
            KIND_CLOSE => 'c',
            _ => '?',
        });
        all.extend_from_slice(record.inputs);
    }
    Ok((kinds, all, walker))
}

#[test]
fn gives_what_recovery_gives() {
    let disk = journal();
    let (kinds, all, walker) = walked(disk.storage()).unwrap();
    assert_eq!(kinds, "sgcgsgsgg");
    assert_eq!(all, read(&mut disk.storage()).unwrap().0);
    let end = walker.end().unwrap();
    assert_eq!((end.clean, &end.torn), (false, &None));
}

#[test]
fn an_empty_journal_has_no_records_and_is_clean() {
    let (kinds, _, walker) = walked(Disk::new(1).storage()).unwrap();
    assert_eq!(kinds, "");
    assert!(walker.end().unwrap().clean);
}

#[test]
fn begins_at_any_segment_and_takes_files_of_any_name() {
    let disk = journal();
    let directory = tempfile::tempdir().unwrap();
    let second = directory.path().join(segment_name(2));
    let third = directory.path().join("renamed");
    fs::write(&second, disk.bytes(2).unwrap()).unwrap();
    fs::write(&third, disk.bytes(3).unwrap()).unwrap();
    let files = FileList::open(&[third.clone(), second.clone()]).unwrap();
    let (kinds, all, walker) = walked(files).unwrap();
    assert_eq!(kinds, "sgsgg");
    assert_eq!(all, inputs(1_004, 1_605));
    assert_eq!(walker.file(3), third.display().to_string());
    let twice = FileList::open(&[second.clone(), second]).unwrap_err();
    assert_eq!(twice.errno, libc::EEXIST);
    let missing = FileList::open(&[directory.path().join("none")]).unwrap_err();
    assert_eq!(missing.errno, libc::ENOENT);
}

#[test]
fn a_newer_format_is_told_apart_from_damage() {
    let disk = journal();
    let mut bytes = disk.bytes(1).unwrap();
    let mut header: Header = bytemuck::pod_read_unaligned(&bytes[..64]);
    header.version += 1;
    header.checksum = header.sum(&[]);
    bytes[..64].copy_from_slice(bytemuck::bytes_of(&header));
    disk.set_bytes(1, bytes);
    for error in [
        walked(disk.storage()).err().unwrap(),
        read(&mut disk.storage()).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(
            matches!(
                error,
                RecoveryError::Newer {
                    version: 2,
                    offset: 0,
                    ..
                }
            ),
            "{text}"
        );
        assert!(
            text.contains("version 2") && text.contains("up to version 1"),
            "{text}"
        );
    }
}

#[test]
fn one_flipped_bit_is_found_wherever_it_is() {
    let disk = journal();
    let bytes = disk.bytes(1).unwrap();
    // The first group of the second life: what stands before it is 64 + 256 + 64 bytes.
    let (start, end) = (384, 384 + 1_001 * 64);
    for at in (start..end).step_by(509).chain(start + 48..start + 64) {
        let bit = 1 << (at % 8);
        let damaged = disk.fork(1);
        let mut changed = bytes.clone();
        changed[at] ^= bit;
        damaged.set_bytes(1, changed);
        let Err(RecoveryError::Corrupt(corrupt)) = walked(damaged.storage()) else {
            panic!("the damage at {at} was not found")
        };
        assert_eq!(corrupt.offset, start as u64);
        if corrupt.field != Field::Checksum {
            continue;
        }
        let segment = damaged.storage().list().unwrap()[0];
        let found = flipped(&mut damaged.storage(), segment, &corrupt).unwrap();
        let due = Flipped {
            offset: at as u64,
            found: bytes[at] ^ bit,
            expected: bytes[at],
        };
        assert_eq!(found, Some(due));
    }
}

#[test]
fn two_flipped_bits_are_not_taken_for_one() {
    let disk = journal();
    let mut bytes = disk.bytes(1).unwrap();
    bytes[500] ^= 1;
    bytes[5_000] ^= 1;
    disk.set_bytes(1, bytes);
    let Err(RecoveryError::Corrupt(corrupt)) = walked(disk.storage()) else {
        panic!("not found")
    };
    let segment = disk.storage().list().unwrap()[0];
    assert_eq!(flipped(&mut disk.storage(), segment, &corrupt), Ok(None));
}

/// Segments of which one is not written yet from a place on, for so many reads.
struct Late<S> {
    segments: S,
    hidden: usize,
}

impl<S: Segments> Segments for Late<S> {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        self.segments.list()
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        self.segments.read(segment, offset, into)?;
        if segment == 2 && self.hidden > 0 {
            self.hidden -= 1;
            let from = LINE_BYTES.saturating_sub(offset as usize);
            into[from..].fill(0);
        }
        Ok(())
    }

    fn file(&self, segment: u32) -> String {
        self.segments.file(segment)
    }
}

/// Somebody reads up to where nothing was written, then looks at what lies behind it: meanwhile the
/// writer may have come by.
#[test]
fn a_journal_that_comes_on_while_it_is_read_is_not_damaged() {
    let disk = journal();
    let late = |hidden| Late {
        segments: disk.storage(),
        hidden,
    };
    // The end, and what lies behind it.
    let (kinds, all, walker) = walked(late(2)).unwrap();
    assert_eq!(kinds, "sgcgs");
    assert!(!walker.end().unwrap().clean);
    assert_eq!(all[..], read(&mut disk.storage()).unwrap().0[..all.len()]);
    // And where it stays so, it is damage.
    let Err(RecoveryError::Corrupt(damage)) = walked(late(usize::MAX)) else {
        panic!("a gap passed");
    };
    assert_eq!((damage.offset, damage.field), (64, Field::Magic));
}
