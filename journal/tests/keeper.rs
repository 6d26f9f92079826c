//! Closed segments are indexed, compressed and let go of; at every point everything is read back.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::PathBuf;

use journal::storage::{archive_name, segment_name};
use journal::{
    DirectoryFiles, FileList, FileSegments, INDEX_FILE, Index, Keep, Keeper, Kept, MARK_BYTES,
    RecoveryError, SEGMENT_BYTES_MIN, Segments, Walker, recover, recover_from,
};
use support::kept::{
    ALL, ARCHIVE, NOW_NS, all, append_patiently, fill, filled, keep_all, names, open, open_with,
    wait_for,
};
use support::{inputs, settle};

#[test]
fn closed_segments_are_compressed_and_read_as_before() {
    let (directory, written) = filled();
    let path = directory.path();
    let before = all(path);
    assert_eq!(before, inputs(1, written as usize));
    let raw: Vec<Vec<u8>> = (1..=3)
        .map(|number| fs::read(path.join(segment_name(number))).unwrap())
        .collect();

    let mut keeper = Keeper::open(path, ARCHIVE).unwrap();
    let done = keep_all(&mut keeper, NOW_NS, ALL);
    let archived: Vec<u32> = done
        .iter()
        .filter_map(|kept| match kept {
            Kept::Archived { segment, from, to } => {
                assert_eq!(*from, SEGMENT_BYTES_MIN);
                assert!(to < from, "{to} bytes of {from}");
                Some(*segment)
            }
            _ => None,
        })
        .collect();
    assert_eq!(archived, [1, 2, 3]);
    let due = [
        archive_name(1),
        archive_name(2),
        archive_name(3),
        segment_name(4),
        segment_name(5),
    ];
    assert_eq!(names(path), due);
    assert_eq!(all(path), before);
    // Byte by byte, from any place, and by any zstd tool: the table is a frame that it skips.
    for (number, raw) in (1..).zip(&raw) {
        let mut segments = FileSegments::new(path);
        for (offset, length) in [(0, 64), (4_096, 1), (64, raw.len() - 64)] {
            let mut found = vec![0; length];
            segments.read(number, offset, &mut found).unwrap();
            assert_eq!(found, raw[offset as usize..offset as usize + length]);
        }
        let packed = fs::read(path.join(archive_name(number))).unwrap();
        let unpacked = zstd::stream::decode_all(&packed[..]).unwrap();
        assert_eq!(&unpacked, raw);
        // The table, as docs/journal.md has it: one frame, for less than a mebibyte.
        let word = |at: usize| u32::from_le_bytes(packed[at..at + 4].try_into().unwrap());
        let end = packed.len();
        let table = end - 8 - 8 - 9;
        let found = [0, 4, 8, 12, 16].map(|at| word(table + at));
        let due = [0x184D_2A5E, 8 + 9, table as u32, raw.len() as u32, 1];
        assert_eq!(found, due);
        assert_eq!((packed[end - 5], word(end - 4)), (0, 0x8F92_EAB1));
    }
    // The writer goes on behind them, and so does the keeper.
    let mut writer = open(path);
    assert_eq!(writer.next_sequence(), written + 1);
    fill(&mut writer, path, 4);
    let written = writer.durable();
    drop(writer);
    let done = keep_all(&mut keeper, NOW_NS, ALL);
    assert!(matches!(
        done[..],
        [Kept::Indexed { .. }, Kept::Archived { segment: 4, .. }]
    ));
    assert_eq!(all(path), inputs(1, written as usize));
}

#[test]
fn the_commands_read_both_forms_named_one_by_one() {
    let (directory, written) = filled();
    let path = directory.path();
    let mut keeper = Keeper::open(path, ARCHIVE).unwrap();
    for _ in 0..5 {
        keeper.turn(NOW_NS, ALL).unwrap(); // three are indexed, two are compressed
    }
    let paths: Vec<PathBuf> = names(path).iter().map(|name| path.join(name)).collect();
    let mut walker = Walker::new(FileList::open(&paths).unwrap()).unwrap();
    let (mut count, mut archived) = (0, 0);
    while let Some(record) = walker.record().unwrap() {
        count += record.inputs.len() as u64;
        archived = archived.max(if record.at.is_archived {
            record.at.number
        } else {
            0
        });
    }
    assert_eq!((count, archived), (written, 2));
}

#[test]
fn a_keeper_that_was_killed_goes_on_from_whatever_it_left() {
    let (directory, written) = filled();
    let path = directory.path();
    let due = inputs(1, written as usize);
    let mut keeper = Keeper::open(path, ARCHIVE).unwrap();
    let raw = fs::read(path.join(segment_name(1))).unwrap();
    let archive = path.join(archive_name(1));
    for _ in 0..4 {
        keeper.turn(NOW_NS, ALL).unwrap();
    }
    let packed = fs::read(&archive).unwrap();
    let draft = path.join(format!("{}.new", archive_name(1)));
    // Killed while it wrote the draft; before, in the midst of, and behind its renaming.
    let leave = |draft_bytes: Option<&[u8]>, archive_bytes: Option<&[u8]>| {
        fs::write(path.join(segment_name(1)), &raw).unwrap();
        for (file, bytes) in [(&draft, draft_bytes), (&archive, archive_bytes)] {
            match bytes {
                Some(bytes) => fs::write(file, bytes).unwrap(),
                None => drop(fs::remove_file(file)),
            }
        }
    };
    let half = &packed[..packed.len() / 2];
    for (draft_bytes, archive_bytes) in [
        (Some(half), None),
        (Some(&packed[..]), None),
        (None, Some(&packed[..])),
        (Some(half), Some(&packed[..])),
    ] {
        leave(draft_bytes, archive_bytes);
        assert_eq!(all(path), due, "both forms are there");
        let mut keeper = Keeper::open(path, ARCHIVE).unwrap();
        let kept = keeper.turn(NOW_NS, ALL).unwrap();
        assert!(
            matches!(kept, Kept::Archived { segment: 1, .. }),
            "{kept:?}"
        );
        assert!(!path.join(segment_name(1)).exists());
        assert_eq!(fs::read(&archive).unwrap(), packed);
        assert_eq!(all(path), due);
    }
}

#[test]
fn a_damaged_archive_is_never_read_as_something_else() {
    let (directory, _) = filled();
    let path = directory.path();
    let mut keeper = Keeper::open(path, ARCHIVE).unwrap();
    keep_all(&mut keeper, NOW_NS, ALL);
    let archive = path.join(archive_name(2));
    let packed = fs::read(&archive).unwrap();
    let whole = all(path);
    let mut same = 0;
    // Every byte of the first frame's head and of the table, and some between.
    let edges = packed.len() - 64;
    let places = (0..packed.len()).filter(|at| *at < 32 || *at >= edges || at % 101 == 0);
    for at in places {
        let mut bent = packed.clone();
        bent[at] ^= 1 << (at % 8);
        fs::write(&archive, &bent).unwrap();
        let mut found = Vec::new();
        let read = recover(&mut FileSegments::new(path), &mut |input| {
            found.push(*input)
        });
        match read {
            Err(RecoveryError::Storage(error)) => {
                assert!(error.file.contains("journal-0000000002"), "{error}");
            }
            Err(_) => {}
            // A bit that means nothing to a decoder.
            Ok(_) => {
                assert_eq!(found, whole, "byte {at}");
                same += 1;
            }
        }
    }
    assert!(same < 16, "{same} bytes mean nothing");
    for length in [0, 8, 9, packed.len() / 2, packed.len() - 1] {
        fs::write(&archive, &packed[..length]).unwrap();
        assert!(recover(&mut FileSegments::new(path), &mut |_| ()).is_err());
    }
    fs::write(&archive, &packed).unwrap();
    // An archive at the end: only what another segment continues is ever compressed.
    fs::remove_file(path.join(segment_name(4))).unwrap();
    fs::remove_file(path.join(segment_name(5))).unwrap();
    let error = recover(&mut FileSegments::new(path), &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("journal-0000000004"), "{error}");
}

#[test]
fn a_damaged_segment_is_neither_compressed_nor_removed() {
    let (directory, _) = filled();
    let path = directory.path();
    let file = path.join(segment_name(2));
    let mut bytes = fs::read(&file).unwrap();
    bytes[20_000] ^= 4;
    fs::write(&file, &bytes).unwrap();
    let keep = Keep {
        bytes_max: Some(0),
        ..ARCHIVE
    };
    let mut keeper = Keeper::open(path, keep).unwrap();
    assert_eq!(
        keeper.turn(NOW_NS, u64::MAX).unwrap(),
        Kept::Indexed { segment: 1 }
    );
    for _ in 0..3 {
        let error = keeper.turn(NOW_NS, u64::MAX).unwrap_err();
        assert!(error.to_string().contains("journal-0000000002"), "{error}");
    }
    assert_eq!(fs::read(&file).unwrap(), bytes);
    assert!(
        path.join(segment_name(1)).exists(),
        "nor is the one before it"
    );
}

#[test]
fn nothing_is_removed_that_recovery_needs() {
    let (directory, written) = filled();
    let path = directory.path();
    let none = Keep {
        bytes_max: Some(0),
        age_ns_max: Some(0),
        archives: false,
    };
    let mut keeper = Keeper::open(path, none).unwrap();
    let done = keep_all(&mut keeper, u64::MAX, ALL);
    assert!(!done.iter().any(|kept| matches!(kept, Kept::Removed { .. })));
    let mut index = Index::load(&mut DirectoryFiles::new(path)).unwrap();
    // From each mark of each segment recovery reads what lies behind it, whatever was removed.
    for number in 1..=3 {
        for mark in index.marks(number).to_vec() {
            let copy = tempfile::tempdir().unwrap();
            for name in names(path).iter().chain([&INDEX_FILE.to_owned()]) {
                fs::copy(path.join(name), copy.path().join(name)).unwrap();
            }
            let mut keeper = Keeper::open(copy.path(), none).unwrap();
            keep_all(&mut keeper, u64::MAX, mark.next_sequence);
            let mut found = Vec::new();
            recover_from(&mut FileSegments::new(copy.path()), &mark, &mut |input| {
                found.push(*input);
            })
            .unwrap();
            let left = written + 1 - mark.next_sequence;
            assert_eq!(found, inputs(mark.next_sequence, left as usize));
        }
    }
    // All of it can go but what is written now.
    let done = keep_all(&mut keeper, NOW_NS, written + 1);
    let gone: Vec<Kept> = (1..=3).map(|segment| Kept::Removed { segment }).collect();
    assert_eq!(done, gone);
    assert_eq!(names(path), [segment_name(4), segment_name(5)]);
    index = Index::load(&mut DirectoryFiles::new(path)).unwrap();
    assert_eq!(index, Index::default());
    let refused = recover(&mut FileSegments::new(path), &mut |_| ()).unwrap_err();
    assert!(
        refused.to_string().contains("journal-0000000001"),
        "{refused}"
    );
}

#[test]
fn the_oldest_go_first_by_room_and_by_age() {
    let (directory, written) = filled();
    let path = directory.path();
    let by_room = Keep {
        bytes_max: Some(2 * SEGMENT_BYTES_MIN),
        ..Keep::default()
    };
    let mut keeper = Keeper::open(path, by_room).unwrap();
    let done = keep_all(&mut keeper, NOW_NS, written + 1);
    assert_eq!(done.last(), Some(&Kept::Removed { segment: 1 }));
    assert_eq!(done.len(), 4, "{done:?}");
    // Input n was made at 1,000 + n / 2: the second segment ends before half of them.
    let index = Index::load(&mut DirectoryFiles::new(path)).unwrap();
    let ends_ns = index.marks(3).first().unwrap().time_ns;
    let by_age = Keep {
        age_ns_max: Some(500),
        ..Keep::default()
    };
    let mut keeper = Keeper::open(path, by_age).unwrap();
    assert_eq!(keep_all(&mut keeper, ends_ns + 500, written + 1), []);
    let done = keep_all(&mut keeper, ends_ns + 501, written + 1);
    assert_eq!(done, [Kept::Removed { segment: 2 }]);
}

#[test]
fn an_index_finds_numbers_and_times_and_is_not_believed_when_it_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let config = journal::Config {
        segment_bytes: 4 << 20,
    };
    let mut writer = open_with(path, config);
    fill(&mut writer, path, 2);
    let written = writer.durable();
    drop(writer);
    let mut keeper = Keeper::open(path, ARCHIVE).unwrap();
    keep_all(&mut keeper, NOW_NS, ALL);
    let index = Index::load(&mut DirectoryFiles::new(path)).unwrap();
    for number in 1..=2 {
        let marks = index.marks(number);
        assert_eq!(marks.len(), 4, "a mark each {MARK_BYTES} bytes");
    }
    for sequence in (1..=written).step_by(997) {
        let mark = index.before_sequence(sequence).unwrap();
        let mut walker = Walker::new(FileSegments::new(path)).unwrap();
        assert!(walker.skip_to(mark).unwrap());
        let mut read = 0;
        let found = loop {
            let record = walker.record().unwrap().unwrap();
            if let Some(input) = record.inputs.iter().find(|it| it.sequence == sequence) {
                break *input;
            }
            read += u64::from(record.header.bytes);
        };
        assert_eq!(found, inputs(sequence, 1)[0]);
        let is_indexed =
            mark.segment < 3 && sequence < index.before_time(u64::MAX).unwrap().next_sequence;
        assert!(
            !is_indexed || read <= MARK_BYTES + (1 << 17),
            "{read} bytes were read"
        );
        // Two inputs have each time: the earlier one must not be missed.
        let at = index.before_time(found.time_ns).unwrap();
        assert!(at.next_sequence <= (sequence & !1).max(1));
        assert!(mark.next_sequence - at.next_sequence < 20_000);
    }
    // Lost, cut and bent files: what is left is right, and the keeper makes it whole again.
    let file = path.join(INDEX_FILE);
    let bytes = fs::read(&file).unwrap();
    assert_eq!(bytes.len(), 8 * 64);
    let mut bent = bytes.clone();
    bent[70] ^= 1;
    for (damaged, has) in [
        (&bytes[..0], [false, false]),
        (&bytes[..bytes.len() - 64], [true, false]),
        (&bytes[..100], [false, false]),
        (&bent[..], [false, true]),
    ] {
        fs::write(&file, damaged).unwrap();
        let left = Index::load(&mut DirectoryFiles::new(path)).unwrap();
        assert_eq!([left.has(1), left.has(2)], has);
        keep_all(&mut Keeper::open(path, ARCHIVE).unwrap(), NOW_NS, ALL);
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
    // A mark of another journal is not believed.
    let mut wrong = *index.before_sequence(written).unwrap();
    wrong.previous ^= 1;
    let mut walker = Walker::new(FileSegments::new(path)).unwrap();
    assert!(!walker.skip_to(&wrong).unwrap());
    assert_eq!(
        walker.record().unwrap().unwrap().offset,
        0,
        "it stays at the beginning"
    );
}

#[test]
fn a_segment_that_is_still_written_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut writer = open(path);
    append_patiently(&mut writer, 5);
    settle(&mut writer);
    let mut keeper = Keeper::open(path, ARCHIVE).unwrap();
    assert_eq!(keeper.turn(NOW_NS, u64::MAX).unwrap(), Kept::Nothing);
    // A torn record at the beginning of the next segment closes nothing.
    let next = path.join(segment_name(2));
    wait_for(&mut writer, &next);
    let mut bytes = fs::read(&next).unwrap();
    bytes[..64].copy_from_slice(&fs::read(path.join(segment_name(1))).unwrap()[..64]);
    bytes[17] ^= 1;
    fs::write(&next, &bytes).unwrap();
    assert_eq!(keeper.turn(NOW_NS, u64::MAX).unwrap(), Kept::Nothing);
}
