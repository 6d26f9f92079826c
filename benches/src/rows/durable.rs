//! `durable`: what it takes until an order survives a power cut, here and elsewhere.
//!
//! Orders that come at a steady rate, whatever the disk does, against a bare write and flush of one
//! block: what the disk takes alone. Then orders one at a time, and as many as the disk takes,
//! against the ways that others keep theirs: a flush for each order at the end of a growing file,
//! and, with the feature `databases`, SQLite (WAL, `synchronous=FULL`) and redb. What was said to
//! be durable is read back.

#[cfg(feature = "databases")]
mod databases;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use journal::{Config, FileStorage, GROUP_INPUTS_MAX, SEGMENT_BYTES, Writer, recover};
use quanta::Clock;
use wire::ring::Input;

use super::journal::{check_ours, commit_bare, input};
use crate::compare::{Case, Subject, compare};
use crate::stats::Samples;
use crate::threads::Stop;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "durable",
    about: "orders made durable: open loop beside a bare flush, alone and many beside databases",
    run,
};

/// Time between two orders of the open loop: 100,000 a second.
const GAP_NS: u64 = 10_000;

/// Orders between two samples of the stream.
const STRETCH: usize = 32 << 10;

/// Orders in a batch of the others.
const BATCH: usize = GROUP_INPUTS_MAX;

/// What a row needs of a turn: how many orders, in which directory.
struct Plan<'p> {
    directory: &'p Path,
    /// Of the open loop.
    paced: usize,
    /// One at a time.
    alone: usize,
    /// Of the stream: whole stretches.
    streamed: usize,
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let effort = options.effort;
    let directory = options
        .directory
        .join(format!("durable-{}", std::process::id()));
    let failed = |error| BenchError::failed(&directory.display().to_string(), error);
    fs::create_dir_all(&directory).map_err(failed)?;
    let plan = Plan {
        directory: &directory,
        paced: effort.pick(20, 50_000, 200_000),
        alone: effort.pick(3, 200, 1_000),
        streamed: effort.pick(1, 16, 64) * STRETCH,
    };
    let rounds = effort.rounds();
    let cases = paced(&plan, rounds).and_then(|mut cases| {
        cases.extend(side_by_side(&plan, rounds)?);
        Ok(cases)
    });
    fs::remove_dir_all(&directory).map_err(failed)?;
    cases
}

/// The open loop beside the disk alone.
fn paced(plan: &Plan<'_>, rounds: usize) -> Result<Vec<Case>, BenchError> {
    let bare = |flags: i32| {
        let turn = move || {
            let times = commit_bare(plan.directory, flags, 1, plan.alone);
            times.map(|times| vec![times])
        };
        move || turn().map_err(|error| BenchError::failed("a bare write and flush", error))
    };
    let mut subjects = vec![
        Subject::new("ours", || Ok(vec![paced_ours(plan)?])),
        Subject::new("pwrite + fdatasync of 4 KiB", bare(0)),
    ];
    if commit_bare(plan.directory, libc::O_DIRECT, 1, 1).is_ok() {
        let name = "O_DIRECT pwrite + fdatasync of 4 KiB";
        subjects.push(Subject::new(name, bare(libc::O_DIRECT)));
    }
    let cases = compare(&["order at 100,000/s, open loop"], rounds, subjects)?;
    let noted = cases.into_iter().map(|case| {
        let ours = case.ours.stats;
        let ratios = case.peers.iter().map(|peer| {
            let (p50, p99) = (ours.median / peer.stats.median, ours.p99 / peer.stats.p99);
            format!("{p50:.2} and {p99:.2} of {}", peer.subject)
        });
        let ratios: Vec<String> = ratios.collect();
        let note = format!(
            "from the order's due time to its being durable; p50 and p99 are {}",
            ratios.join(", ")
        );
        case.noted(&note)
    });
    Ok(noted.collect())
}

/// One order at a time, and as many as go.
fn side_by_side(plan: &Plan<'_>, rounds: usize) -> Result<Vec<Case>, BenchError> {
    let mut subjects = vec![
        Subject::new("ours", || Ok(vec![alone_ours(plan)?, streamed_ours(plan)?])),
        Subject::new("fdatasync per order, growing file", || {
            let times = each_flushed(plan.directory, plan.alone);
            let times = times.map_err(|error| BenchError::failed("a growing file", error))?;
            Ok(vec![times.clone(), times])
        }),
    ];
    subjects.extend(others(plan));
    let names = ["one order durable", "an order of many durable"];
    let mut cases = compare(&names, rounds, subjects)?;
    if let Some(many) = cases.pop() {
        let rate = |nanoseconds: f64| 1e3 / nanoseconds;
        let stats = many.ours.stats;
        let note = format!(
            "ours: {} orders as fast as they are taken, with the change of segments; {:.2} million \
             a second, {:.2} in the slowest of its stretches of {STRETCH}; databases: batches of \
             {BATCH}; a growing file: each order alone",
            plan.streamed,
            rate(stats.median),
            rate(stats.max)
        );
        cases.push(many.noted(&note));
    }
    Ok(cases)
}

/// The databases, where they are built in.
fn others<'p>(plan: &'p Plan<'p>) -> Vec<Subject<'p>> {
    #[cfg(feature = "databases")]
    return databases::subjects(plan);
    #[cfg(not(feature = "databases"))]
    {
        let _ = plan;
        Vec::new()
    }
}

/// A journal under test.
struct Ours<'p> {
    directory: &'p Path,
    writer: Writer<FileStorage>,
}

impl<'p> Ours<'p> {
    /// An empty journal that has two segments made.
    fn open(plan: &Plan<'p>) -> Result<Self, BenchError> {
        let directory = plan.directory;
        let failed = |error: &dyn std::fmt::Display| BenchError::failed("the journal", error);
        let path = directory.join("ours");
        let mut storage = FileStorage::open(&path).map_err(|error| failed(&error))?;
        let recovered = recover(&mut storage, &mut |_| ()).map_err(|error| failed(&error))?;
        let writer = Writer::open(storage, Config::default(), recovered.resume);
        let mut ours = Self {
            directory,
            writer: writer.map_err(|error| failed(&error))?,
        };
        ours.append_and_wait(1)?;
        Stop::default().wait(|| match ours.poll() {
            Ok(_) if ours.writer.room() < SEGMENT_BYTES => None,
            result => Some(result),
        })??;
        Ok(ours)
    }

    fn poll(&mut self) -> Result<u64, BenchError> {
        let polled = self.writer.poll();
        polled.map_err(|error| BenchError::failed("the journal", error))?;
        Ok(self.writer.durable())
    }

    /// Whether the inputs were taken.
    fn offer(&mut self, inputs: &[Input]) -> Result<bool, BenchError> {
        match self.writer.append(inputs) {
            Ok(()) => Ok(true),
            Err(error) if error.is_temporary() => Ok(false),
            Err(error) => Err(BenchError::failed("the journal", error)),
        }
    }

    /// Makes the next input, of this number, durable.
    fn append_and_wait(&mut self, sequence: u64) -> Result<(), BenchError> {
        let mut is_taken = false;
        Stop::default().wait(|| {
            let step = (|| {
                is_taken = is_taken || self.offer(&[input(sequence)])?;
                self.poll()
            })();
            match step {
                Ok(durable) if durable < sequence => None,
                result => Some(result.map(|_| ())),
            }
        })?
    }

    /// Reads everything back, compares and removes it.
    fn end(self, count: u64) -> Result<(), BenchError> {
        drop(self.writer);
        check_ours(&self.directory.join("ours"), count as usize)
    }
}

/// Orders that are due at a steady pace; each one's time runs from when it was due.
fn paced_ours(plan: &Plan<'_>) -> Result<Samples, BenchError> {
    let mut ours = Ours::open(plan)?;
    let (first, last) = (2, plan.paced as u64 + 1);
    let (mut next, mut durable) = (first, first - 1);
    let mut group: Vec<Input> = Vec::with_capacity(GROUP_INPUTS_MAX);
    let mut times = Samples::with_capacity(plan.paced);
    let clock = Clock::new();
    let start = clock.raw();
    let mut step = || -> Result<bool, BenchError> {
        let now_ns = clock.delta_as_nanos(start, clock.raw());
        while next <= last && (next - first) * GAP_NS <= now_ns && group.len() < group.capacity() {
            group.push(input(next));
            next += 1;
        }
        if !group.is_empty() && ours.offer(&group)? {
            group.clear();
        }
        let reached = ours.poll()?;
        let now_ns = clock.delta_as_nanos(start, clock.raw());
        let of = |sequence: u64| (now_ns - (sequence - first) * GAP_NS) * 1_000;
        times.extend((durable + 1..=reached).map(of));
        durable = reached;
        Ok(durable == last)
    };
    Stop::default().wait(|| match step() {
        Ok(false) => None,
        result => Some(result),
    })??;
    ours.end(last)?;
    Ok(times)
}

/// One order after the other, each waited for.
fn alone_ours(plan: &Plan<'_>) -> Result<Samples, BenchError> {
    let mut ours = Ours::open(plan)?;
    let clock = Clock::new();
    let mut times = Samples::with_capacity(plan.alone);
    for sequence in 2..plan.alone as u64 + 2 {
        let start = clock.raw();
        ours.append_and_wait(sequence)?;
        times.push(clock.delta_as_nanos(start, clock.raw()) * 1_000);
    }
    ours.end(plan.alone as u64 + 1)?;
    Ok(times)
}

/// Orders as fast as they are taken: the time of each, over stretches.
fn streamed_ours(plan: &Plan<'_>) -> Result<Samples, BenchError> {
    let mut ours = Ours::open(plan)?;
    let last = plan.streamed as u64 + 1;
    let clock = Clock::new();
    let mut group: Vec<Input> = Vec::with_capacity(GROUP_INPUTS_MAX);
    let (mut next, mut mark) = (2, 1);
    let mut since = clock.raw();
    let mut times = Samples::new();
    let mut step = || -> Result<bool, BenchError> {
        if group.is_empty() {
            let end = (next + GROUP_INPUTS_MAX as u64).min(last + 1);
            group.extend((next..end).map(input));
            next = end;
        }
        if !group.is_empty() && ours.offer(&group)? {
            group.clear();
        }
        let durable = ours.poll()?;
        if durable >= mark + STRETCH as u64 {
            let now = clock.raw();
            times.push(clock.delta_as_nanos(since, now) * 1_000 / (durable - mark));
            (mark, since) = (durable, now);
        }
        Ok(durable == last)
    };
    Stop::default().wait(|| match step() {
        Ok(false) => None,
        result => Some(result),
    })??;
    ours.end(last)?;
    Ok(times)
}

/// Orders at the end of a file that grows, each flushed alone; read back at the end.
fn each_flushed(directory: &Path, count: usize) -> std::io::Result<Samples> {
    let path = directory.join("growing");
    let mut file = File::create(&path)?;
    let clock = Clock::new();
    let mut times = Samples::with_capacity(count);
    for sequence in 1..=count as u64 {
        let start = clock.raw();
        file.write_all(bytemuck::bytes_of(&input(sequence)))?;
        file.sync_data()?;
        times.push(clock.delta_as_nanos(start, clock.raw()) * 1_000);
    }
    let found = fs::read(&path)?;
    let due = (1..=count as u64).flat_map(|sequence| bytemuck::bytes_of(&input(sequence)).to_vec());
    if !found.iter().copied().eq(due) {
        return Err(std::io::Error::other(
            "what was written is not what is read",
        ));
    }
    fs::remove_file(&path)?;
    Ok(times)
}
