//! A day that is over is compressed to its end; cut short anywhere, nothing of it is lost.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use journal::storage::{archive_name, segment_name};
use journal::{FileSegments, Input, Keeper, Kept, RecoveryError, Walker, recover};
use support::kept::{ALL, ARCHIVE, NOW_NS, all, filled, keep_all, names, open};

/// Opens a directory again and closes its journal.
fn close(directory: &Path) -> Vec<Input> {
    let mut writer = open(directory);
    while !writer.is_closed() {
        let _ = writer.close();
        writer.poll().unwrap();
    }
    all(directory)
}

/// Finishes until there is nothing to do.
fn finish_all(keeper: &mut Keeper) -> Vec<Kept> {
    let mut done = keep_all(keeper, NOW_NS, ALL);
    loop {
        match keeper.finish().unwrap() {
            Kept::Nothing => return done,
            kept => done.push(kept),
        }
        assert!(done.len() < 1_000, "never done");
    }
}

#[test]
fn of_a_day_that_is_over_the_last_segment_is_compressed_too() {
    let (directory, _) = filled();
    let path = directory.path();
    let inputs = close(path);
    let last = fs::read(path.join(segment_name(4))).unwrap();
    let mut keeper = Keeper::open(path, ARCHIVE).unwrap();
    let done = finish_all(&mut keeper);
    let removed: Vec<&Kept> = done
        .iter()
        .filter(|kept| matches!(kept, Kept::Removed { .. }))
        .collect();
    assert_eq!(removed, [&Kept::Removed { segment: 5 }], "it held nothing");
    assert_eq!(names(path), [1, 2, 3, 4].map(archive_name));
    // It is read as before; only a venue does not go on in it.
    let mut walker = Walker::new(FileSegments::new(path)).unwrap();
    let mut read = Vec::new();
    while let Some(record) = walker.record().unwrap() {
        read.extend_from_slice(record.inputs);
    }
    assert!(walker.end().unwrap().clean && read == inputs);
    let error = recover(&mut FileSegments::new(path), &mut |_| ()).unwrap_err();
    assert!(matches!(error, RecoveryError::Over { .. }), "{error}");
    assert!(error.to_string().contains("zstd -d --rm"), "{error}");
    // Unpacked, it goes on.
    let packed = fs::read(path.join(archive_name(4))).unwrap();
    fs::write(
        path.join(segment_name(4)),
        zstd::decode_all(&packed[..]).unwrap(),
    )
    .unwrap();
    fs::remove_file(path.join(archive_name(4))).unwrap();
    assert_eq!(fs::read(path.join(segment_name(4))).unwrap(), last);
    assert_eq!(close(path), inputs);
}

#[test]
fn a_compressed_end_before_a_segment_that_lost_its_opening_is_no_day_that_is_over() {
    let (directory, _) = filled();
    let path = directory.path();
    close(path);
    let ahead = fs::read(path.join(segment_name(5))).unwrap();
    finish_all(&mut Keeper::open(path, ARCHIVE).unwrap());
    // A venue that was stopped and went on in the next segment looks like this when the blocks are
    // lost that it wrote there: to unpack the stop and go on behind it would forget them.
    fs::write(path.join(segment_name(5)), ahead).unwrap();
    assert_eq!(finish_all(&mut Keeper::open(path, ARCHIVE).unwrap()), []);
    let error = recover(&mut FileSegments::new(path), &mut |_| ()).unwrap_err();
    let RecoveryError::Corrupt(damage) = &error else {
        panic!("{error}");
    };
    assert!(damage.file.ends_with(&segment_name(5)), "{error}");
}

#[test]
fn a_keeper_killed_while_it_finishes_a_day_goes_on() {
    let (directory, _) = filled();
    let path = directory.path();
    let inputs = close(path);
    let raw = fs::read(path.join(segment_name(4))).unwrap();
    finish_all(&mut Keeper::open(path, ARCHIVE).unwrap());
    // Both forms, as between renaming and removing; and a half written one.
    fs::write(path.join(segment_name(4)), &raw).unwrap();
    fs::write(path.join("journal-0000000004.zst.new"), b"half").unwrap();
    assert_eq!(all(path), inputs);
    finish_all(&mut Keeper::open(path, ARCHIVE).unwrap());
    assert!(!path.join(segment_name(4)).exists() && path.join(archive_name(4)).exists());
}

#[test]
fn a_day_that_was_not_closed_is_left_for_the_next_start() {
    let (directory, written) = filled();
    let path = directory.path();
    let mut keeper = Keeper::open(path, ARCHIVE).unwrap();
    let done = finish_all(&mut keeper);
    assert!(
        done.iter()
            .all(|kept| !matches!(kept, Kept::Removed { .. }))
    );
    assert!(path.join(segment_name(4)).exists() && path.join(segment_name(5)).exists());
    assert_eq!(all(path).len() as u64, written);
    // Neither is one in which nothing was written.
    let empty = tempfile::tempdir().unwrap();
    drop(open(empty.path()));
    let before = names(empty.path());
    finish_all(&mut Keeper::open(empty.path(), ARCHIVE).unwrap());
    assert_eq!(names(empty.path()), before);
}
