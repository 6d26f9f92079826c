//! `journal`: a durable group commit against a bare write and flush of the same size.
//!
//! Ours numbers, checks and chains records, rotates segments and can be recovered; the peers only
//! write zero-filled blocks of a file that is long enough and call `fdatasync`. After each turn
//! the journal is recovered and must hold every input; the peers' files are read back.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use bytemuck::Zeroable;
use journal::{Config, FileStorage, Writer, recover};
use quanta::Clock;
use wire::ring::{Command, Input};

use crate::compare::{Case, Subject, compare};
use crate::stats::Samples;
use crate::threads::Stop;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "journal",
    about: "commits on a disk: group commit, bare pwrite and fdatasync (with and without O_DIRECT)",
    run,
};

/// Inputs of a commit, in each case.
const GROUPS: [usize; 2] = [1, 256];
const _: () = assert!(GROUPS[1] <= journal::GROUP_INPUTS_MAX);

const BLOCK: usize = journal::BLOCK_BYTES;

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let commits = options.effort.pick(3, 200, 1_000);
    let directory = options
        .directory
        .join(format!("journal-{}", std::process::id()));
    let made = fs::create_dir_all(&directory);
    made.map_err(|error| BenchError::failed(&directory.display().to_string(), error))?;
    let names = ["commit of 1 input", "commit of 256 inputs"];
    let direct = bare_file(&directory, libc::O_DIRECT, 1);
    let mut subjects = vec![
        Subject::new("ours", || turn_ours(&directory, commits)),
        Subject::new("pwrite + fdatasync", || turn_bare(&directory, 0, commits)),
    ];
    if direct.is_ok() {
        let turn = || turn_bare(&directory, libc::O_DIRECT, commits);
        subjects.push(Subject::new("O_DIRECT pwrite + fdatasync", turn));
    }
    let cases = compare(&names, options.effort.rounds(), subjects);
    let removed = fs::remove_dir_all(&directory);
    removed.map_err(|error| BenchError::failed(&directory.display().to_string(), error))?;
    cases
}

pub(super) fn input(sequence: u64) -> Input {
    let command = Command {
        user_ref: sequence as u32,
        ..Command::zeroed()
    };
    Input {
        sequence,
        time_ns: sequence,
        command,
    }
}

fn turn_ours(directory: &Path, commits: usize) -> Result<Vec<Samples>, BenchError> {
    GROUPS
        .iter()
        .map(|group| commit_ours(&directory.join("ours"), *group, commits))
        .collect()
}

fn commit_ours(directory: &Path, group: usize, commits: usize) -> Result<Samples, BenchError> {
    let failed = |error: &dyn std::fmt::Display| BenchError::failed("the journal", error);
    let mut storage = FileStorage::open(directory).map_err(|error| failed(&error))?;
    let recovered = recover(&mut storage, &mut |_| ()).map_err(|error| failed(&error))?;
    let config = Config {
        segment_bytes: 4 << 20,
    };
    let mut writer =
        Writer::open(storage, config, recovered.resume).map_err(|error| failed(&error))?;
    let clock = Clock::new();
    let mut times = Samples::new();
    let mut inputs = Vec::with_capacity(group);
    // The first commit waits for the first segment to be made: it is not counted.
    for commit in 0..=commits {
        let first = (commit * group) as u64 + 1;
        inputs.clear();
        inputs.extend((first..first + group as u64).map(input));
        let start = clock.raw();
        let durable = first + group as u64 - 1;
        let mut is_taken = false;
        Stop::default().wait(|| match step(&mut writer, &inputs, &mut is_taken) {
            Ok(reached) if reached < durable => None,
            result => Some(result),
        })??;
        if commit > 0 {
            times.push(clock.delta_as_nanos(start, clock.raw()) * 1_000);
        }
    }
    drop(writer);
    check_ours(directory, (commits + 1) * group)?;
    Ok(times)
}

/// Offers the inputs until they are taken, does what is due, and says what is durable.
fn step(
    writer: &mut Writer<FileStorage>,
    inputs: &[Input],
    is_taken: &mut bool,
) -> Result<u64, BenchError> {
    if !*is_taken {
        match writer.append(inputs) {
            Ok(()) => *is_taken = true,
            Err(error) if error.is_temporary() => {}
            Err(error) => return Err(BenchError::failed("the journal", error)),
        }
    }
    writer
        .poll()
        .map_err(|error| BenchError::failed("the journal", error))?;
    Ok(writer.durable())
}

/// Recovers the journal, compares every input and removes it.
pub(super) fn check_ours(directory: &Path, count: usize) -> Result<(), BenchError> {
    let failed = |error: &dyn std::fmt::Display| BenchError::failed("the journal", error);
    let mut storage = FileStorage::open(directory).map_err(|error| failed(&error))?;
    let (mut next, mut wrong) = (1, None);
    let mut on = |found: &Input| {
        if *found != input(next) {
            wrong = wrong.or(Some(next));
        }
        next += 1;
    };
    recover(&mut storage, &mut on).map_err(|error| failed(&error))?;
    drop(storage);
    if let Some(sequence) = wrong {
        return Err(BenchError::WrongAnswer(format!(
            "recovery changed input {sequence}"
        )));
    }
    if next != count as u64 + 1 {
        let what = format!("recovery found {} inputs of {count}", next - 1);
        return Err(BenchError::WrongAnswer(what));
    }
    fs::remove_dir_all(directory).map_err(|error| failed(&error))
}

/// A file of zeros, flushed, opened with `flags`.
fn bare_file(directory: &Path, flags: i32, bytes: usize) -> std::io::Result<File> {
    let path = directory.join("bare");
    fs::write(&path, vec![0; bytes.next_multiple_of(BLOCK)])?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(&path)?;
    file.sync_all()?;
    Ok(file)
}

fn turn_bare(directory: &Path, flags: i32, commits: usize) -> Result<Vec<Samples>, BenchError> {
    let turn = |group: &usize| commit_bare(directory, flags, *group, commits);
    let times: Result<Vec<Samples>, std::io::Error> = GROUPS.iter().map(turn).collect();
    times.map_err(|error| BenchError::failed("a bare write and flush", error))
}

pub(super) fn commit_bare(
    directory: &Path,
    flags: i32,
    group: usize,
    commits: usize,
) -> std::io::Result<Samples> {
    // As many bytes as the record of ours: a header's line and a line an input.
    let bytes = ((group + 1) * size_of::<Input>()).next_multiple_of(BLOCK);
    let file = bare_file(directory, flags, bytes * (commits + 1))?;
    let mut memory = vec![0u8; bytes + BLOCK];
    let aligned = memory.as_ptr().align_offset(BLOCK);
    let block = &mut memory[aligned..aligned + bytes];
    let clock = Clock::new();
    let mut times = Samples::new();
    for commit in 0..=commits {
        block.fill(commit as u8 | 1);
        let start = clock.raw();
        file.write_all_at(block, (commit * bytes) as u64)?;
        file.sync_data()?;
        if commit > 0 {
            times.push(clock.delta_as_nanos(start, clock.raw()) * 1_000);
        }
    }
    for commit in 0..=commits {
        file.read_exact_at(block, (commit * bytes) as u64)?;
        if block.iter().any(|byte| *byte != commit as u8 | 1) {
            return Err(std::io::Error::other(
                "what was written is not what is read",
            ));
        }
    }
    Ok(times)
}
