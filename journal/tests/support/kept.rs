//! A journal on a real disk whose closed segments are looked after.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use journal::storage::segment_name;
use journal::{FileSegments, FileStorage, Input, Keep, Keeper, Kept, Wanted, Writer, recover};

use super::{SMALL, inputs, read, settle};

pub const ARCHIVE: Keep = Keep {
    archives: true,
    bytes_max: None,
    age_ns_max: None,
};

/// Nothing is old yet, and recovery needs everything.
pub const NOW_NS: u64 = 10_000;
pub const ALL: u64 = 1;

pub fn open(directory: &Path) -> Writer<FileStorage> {
    open_with(directory, SMALL)
}

pub fn open_with(directory: &Path, config: journal::Config) -> Writer<FileStorage> {
    let plain = Wanted {
        direct: false,
        uring: false,
    };
    let mut storage = FileStorage::open_as(directory, plain).unwrap();
    let (_, recovered) = read(&mut storage).unwrap();
    Writer::open(storage, config, recovered.resume).unwrap()
}

/// Appends groups until so many segments are closed; one more is begun, and another one made.
pub fn fill(writer: &mut Writer<FileStorage>, directory: &Path, closed: u32) {
    let is_begun = |number| {
        let bytes = fs::read(directory.join(segment_name(number)));
        bytes.is_ok_and(|bytes| bytes[0] != 0)
    };
    while !is_begun(closed + 1) {
        append_patiently(writer, 200);
        settle(writer);
    }
    wait_for(writer, &directory.join(segment_name(closed + 2)));
}

/// Polls until a file is there.
pub fn wait_for(writer: &mut Writer<FileStorage>, file: &Path) {
    let start = std::time::Instant::now();
    while !file.exists() {
        writer.poll().unwrap();
        assert!(start.elapsed().as_secs() < 60, "never made");
        std::thread::yield_now();
    }
}

/// The next segment is made by another thread: it may take a while.
pub fn append_patiently(writer: &mut Writer<FileStorage>, count: usize) {
    let group = inputs(writer.next_sequence(), count);
    let start = std::time::Instant::now();
    while writer.append(&group).is_err() {
        writer.poll().unwrap();
        assert!(start.elapsed().as_secs() < 60, "never taken");
        std::thread::yield_now();
    }
}

/// Turns until there is nothing to do.
pub fn keep_all(keeper: &mut Keeper, now_ns: u64, needed_from: u64) -> Vec<Kept> {
    let mut all = Vec::new();
    loop {
        match keeper.turn(now_ns, needed_from).unwrap() {
            Kept::Nothing => return all,
            kept => all.push(kept),
        }
        assert!(all.len() < 1_000, "never done");
    }
}

/// What recovery reads of a directory that nobody writes to.
pub fn all(directory: &Path) -> Vec<Input> {
    let mut all = Vec::new();
    recover(&mut FileSegments::new(directory), &mut |input| {
        all.push(*input);
    })
    .unwrap();
    all
}

pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("journal-"))
        .collect();
    names.sort();
    names
}

/// A journal of three closed segments and one that is written.
pub fn filled() -> (tempfile::TempDir, u64) {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    fill(&mut writer, directory.path(), 3);
    let written = writer.durable();
    (directory, written)
}
