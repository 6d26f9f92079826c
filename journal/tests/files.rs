//! The journal in real files, written in each of the ways that a machine may allow.

mod support;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use journal::{
    Config, FileStorage, OpenError, Recovered, RecoveryError, Segments, Storage, Wanted, Writer,
};
use journal::{GROUP_INPUTS_MAX, Input};
use support::{SMALL, inputs, read};

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

const WAYS: [Wanted; 4] = [
    Wanted {
        direct: true,
        uring: true,
    },
    Wanted {
        direct: false,
        uring: true,
    },
    Wanted {
        direct: true,
        uring: false,
    },
    Wanted {
        direct: false,
        uring: false,
    },
];

/// Does `step` until it says that it is done.
fn until(mut step: impl FnMut() -> bool) {
    let start = Instant::now();
    while !step() {
        assert!(start.elapsed() < PATIENCE, "nothing happens");
        thread::yield_now();
    }
}

fn append(writer: &mut Writer<FileStorage>, count: usize) {
    let group = inputs(writer.next_sequence(), count);
    until(|| {
        writer.poll().expect("a healthy disk");
        match writer.append(&group) {
            Ok(()) => true,
            Err(error) => {
                assert!(error.is_temporary(), "{error}");
                false
            }
        }
    });
}

fn settle(writer: &mut Writer<FileStorage>) {
    until(|| {
        writer.poll().expect("a healthy disk");
        writer.is_idle()
    });
}

fn open(mut storage: FileStorage) -> (Writer<FileStorage>, Vec<Input>, Recovered) {
    let (all, recovered) = read(&mut storage).expect("in order");
    let writer = Writer::open(storage, SMALL, recovered.resume.clone()).expect("opens");
    (writer, all, recovered)
}

#[test]
fn what_was_written_comes_back_in_every_way_of_writing() {
    for wanted in WAYS {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("data");
        let storage = FileStorage::open_as(&path, wanted).expect("opens");
        println!("wanted {wanted:?}: {}", storage.mode());
        let (mut writer, all, _) = open(storage);
        assert!(all.is_empty());
        for count in [1, 7, 64, GROUP_INPUTS_MAX, 3, GROUP_INPUTS_MAX, 900, 1] {
            append(&mut writer, count);
        }
        settle(&mut writer);
        let written = writer.durable();
        append(&mut writer, 5);
        drop(writer); // without a closing record, with a write in flight

        let storage = FileStorage::open_as(&path, wanted).expect("opens again");
        let (mut writer, all, recovered) = open(storage);
        assert!(all.len() as u64 >= written);
        assert_eq!(all, inputs(1, all.len()));
        assert!(!recovered.clean);
        append(&mut writer, 10);
        until(|| {
            writer.poll().expect("a healthy disk");
            writer.close().is_ok() && writer.is_closed()
        });
        let total = all.len() + 10;
        drop(writer);

        let storage = FileStorage::open_as(&path, wanted).expect("opens a third time");
        let (_, all, recovered) = open(storage);
        assert_eq!(
            (all.len(), recovered.clean, recovered.epoch),
            (total, true, 2)
        );
    }
}

#[test]
fn the_mode_says_what_is_not_used_and_why() {
    let directory = tempfile::tempdir().expect("a directory");
    let wanted = Wanted {
        direct: false,
        uring: false,
    };
    let storage = FileStorage::open_as(directory.path(), wanted).expect("opens");
    let told = storage.mode().to_string();
    let due = "pwrite + fdatasync, through the page cache \
               (O_DIRECT is not wanted; io_uring is not wanted)";
    assert_eq!(told, due);
}

#[test]
fn a_second_start_is_refused_and_told_who_holds_the_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = FileStorage::open(directory.path()).expect("opens");
    let refused = FileStorage::open(directory.path()).expect_err("held");
    let holder = Some(std::process::id());
    let path = directory.path().to_path_buf();
    assert_eq!(
        refused,
        OpenError::Locked {
            directory: path,
            holder
        }
    );
    let text = refused.to_string();
    assert!(
        text.contains(&format!("by process {}", std::process::id())),
        "{text}"
    );
    drop(first);
    FileStorage::open(directory.path()).expect("free again");
}

#[test]
fn other_files_and_half_made_segments_are_left_out() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut writer, _, _) = open(FileStorage::open(directory.path()).expect("opens"));
    append(&mut writer, 4);
    settle(&mut writer);
    drop(writer);
    for name in [
        "journal-0000000009.new",
        "journal-12",
        "journal-00000000x2",
        "notes.txt",
    ] {
        fs::write(directory.path().join(name), b"not a segment").expect("written");
    }
    let (_, all, recovered) = open(FileStorage::open(directory.path()).expect("opens"));
    assert_eq!((all.len(), recovered.torn), (4, None));
}

#[test]
fn a_missing_segment_is_named_by_its_path() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut writer, _, _) = open(FileStorage::open(directory.path()).expect("opens"));
    for _ in 0..3 {
        append(&mut writer, GROUP_INPUTS_MAX);
    }
    settle(&mut writer);
    drop(writer);
    let lost = directory.path().join("journal-0000000002");
    fs::remove_file(&lost).expect("removed");
    let mut storage = FileStorage::open(directory.path()).expect("opens");
    let error = read(&mut storage).expect_err("a gap");
    assert!(
        error.to_string().contains(&lost.display().to_string()),
        "{error}"
    );
}

#[test]
fn a_write_to_a_segment_that_is_gone_is_a_failure_and_no_hang() {
    for wanted in WAYS {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path();
        let storage = FileStorage::open_as(path, wanted).expect("opens");
        let (mut writer, _, _) = open(storage);
        until(|| {
            writer.poll().expect("a healthy disk");
            path.join("journal-0000000001").exists()
        });
        fs::remove_file(path.join("journal-0000000001")).expect("removed");
        let group = inputs(1, 1);
        let mut failure = None;
        until(|| {
            failure = writer.poll().err();
            let _ = writer.append(&group);
            failure.is_some()
        });
        let failure = failure.expect("failed");
        assert!(failure.file.ends_with("journal-0000000001"), "{failure}");
        assert_eq!(writer.durable(), 0);
    }
}

#[test]
fn a_directory_that_cannot_be_is_an_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, b"in the way").expect("written");
    let refused = FileStorage::open(&file.join("data")).expect_err("a file is in the way");
    assert!(matches!(refused, OpenError::Storage(_)), "{refused}");
}

#[test]
fn segments_are_made_whole_and_zero() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut storage = FileStorage::open(directory.path()).expect("opens");
    let bytes = Config::default().segment_bytes / 8;
    storage.prepare(1, bytes);
    let mut prepared = None;
    until(|| {
        prepared = storage.poll();
        prepared.is_some()
    });
    assert_eq!(storage.list().map(|list| list.len()), Ok(1));
    let made = fs::read(directory.path().join("journal-0000000001")).expect("readable");
    assert!(made.len() as u64 == bytes && made.iter().all(|byte| *byte == 0));
    let beyond = storage
        .read(1, bytes - 10, &mut [0; 11])
        .expect_err("beyond the end");
    assert_eq!(beyond.errno, libc::ENODATA);
    let _: Result<_, RecoveryError> = read(&mut storage);
}
