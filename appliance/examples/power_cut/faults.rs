//! System calls that fail, by strace, and a disk that is full.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use appliance::venue::runner::COUNTERS_FILE;

use queue::CounterReader;

use crate::disk::Disk;
use crate::members::Member;
use crate::trial::{Ending, Trial};
use crate::venue::{Kernel, PATIENCE, Plan, Venue};

/// Calls that fail, one venue each: the call, its error, and which of a thread's calls it is.
const INJECTED: [(&str, &str, &[u32]); 3] = [
    ("fdatasync", "EIO", &[1, 2, 3, 7, 20]),
    ("pwrite64", "EIO", &[1, 2, 3, 7, 20]),
    ("pwrite64", "ENOSPC", &[2, 7]),
];
/// Bytes that a full disk has left: less than a segment.
const LEFT_BYTES: u64 = 512 << 10;
/// Orders that must be acknowledged once there is room again.
const ORDERS_MORE: usize = 100;

/// All of it.
///
/// # Errors
/// A promise was broken.
pub fn all(plan: &Plan, disk: &Disk, seed: u64) -> Result<(), String> {
    let mut failed = 0;
    for (call, error, numbers) in INJECTED {
        for number in numbers {
            let mut trial = Trial::new(plan.clone(), disk, Kernel::Plain, seed);
            trial.renew()?;
            injected(&mut trial, call, error, *number)
                .map_err(|why| format!("{call} {number} failing with {error}: {why}"))?;
            failed += 1;
        }
    }
    println!("system calls that failed: {failed}; acknowledged orders lost: 0");
    let mut trial = Trial::new(plan.clone(), disk, Kernel::Whole, seed);
    trial.renew()?;
    full(&mut trial).map_err(|why| format!("a full disk: {why}"))
}

/// A venue of which one call fails acknowledges nothing from there on, says why and ends; its day
/// goes on with all that was acknowledged.
fn injected(trial: &mut Trial<'_>, call: &str, error: &str, number: u32) -> Result<(), String> {
    let inject = format!("inject={call}:error={error}:when={number}");
    let words = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &format!("trace={call}"),
        "-e",
        &inject,
    ];
    let before = words.map(str::to_owned);
    let started = trial.plan.start(Kernel::Plain, true, &before);
    let mut venue = started.map_err(|error| format!("strace: {error}"))?;
    let is_ready = until_ended(trial, &mut venue)?;
    let said = venue.stderr();
    if is_ready && !said.contains("nothing more is acknowledged") {
        return Err(format!("the venue did not say why it ended: {said}"));
    }
    trial.members.iter_mut().for_each(Member::disconnect);
    // The disk works again: another life, which is judged.
    trial.live(Ending::Kill)
}

/// Trades until the venue ends; says whether it was ready before.
fn until_ended(trial: &mut Trial<'_>, venue: &mut Venue) -> Result<bool, String> {
    let start = Instant::now();
    let mut is_ready = false;
    while start.elapsed() < PATIENCE {
        if let Some(status) = venue.ended()? {
            return match status.code() {
                Some(1) => Ok(is_ready),
                _ => Err(format!("the venue ended with {status}: {}", venue.stderr())),
            };
        }
        if is_ready {
            trial.turn(8)?;
        } else if let Ok(Some(ready)) = venue.ready() {
            trial.greet(&ready)?;
            is_ready = true;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Err("the venue goes on".to_owned())
}

/// Fills the disk, trades until the journal has no room, gives room back, trades on, cuts.
fn full(trial: &mut Trial<'_>) -> Result<(), String> {
    let started = trial.plan.start(Kernel::Whole, true, &[]);
    let mut venue = started.map_err(told)?;
    let ready = wait("the start", || venue.ready())?;
    trial.greet(&ready)?;
    let filler = trial.plan.data.with_file_name("filler");
    fill(trial, &mut venue, &filler)?;
    let before = orders(trial);
    fs::remove_file(&filler).map_err(told)?;
    let begun = Instant::now();
    while is_full(trial)? || orders(trial) < before + ORDERS_MORE {
        if begun.elapsed() > PATIENCE {
            return Err("the venue does not go on when there is space again".to_owned());
        }
        trial.turn(8)?;
    }
    trial.disk.cut().map_err(told)?;
    venue.kill();
    trial.members.iter_mut().for_each(Member::disconnect);
    trial.disk.restore().map_err(told)?;
    trial.live(Ending::Cut)?;
    println!("full disk: {before} orders acknowledged until it was full, then more; lost: 0");
    Ok(())
}

/// Takes all space and trades until the journal says that it has none.
fn fill(trial: &mut Trial<'_>, venue: &mut Venue, filler: &Path) -> Result<(), String> {
    let begun = Instant::now();
    while !is_full(trial)? {
        if begun.elapsed() > PATIENCE || venue.ended()?.is_some() {
            let (orders, said) = (orders(trial), venue.stderr());
            return Err(format!(
                "the journal is not full after {orders} orders: {said}"
            ));
        }
        let free = trial.disk.free_bytes().map_err(told)?;
        if free > LEFT_BYTES {
            let file = fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(filler);
            let bytes = vec![0; (free - LEFT_BYTES) as usize];
            // Somebody else may have taken the space.
            let _ = file.and_then(|mut file| file.write_all(&bytes));
        }
        for _ in 0..64 {
            trial.turn(32)?;
        }
    }
    Ok(())
}

/// Whether the journal has no room, as the venue counts it. Nothing of the disk stays open.
fn is_full(trial: &Trial<'_>) -> Result<bool, String> {
    let counters = trial.plan.data.join(COUNTERS_FILE);
    let counters = CounterReader::attach(&counters).map_err(|error| error.to_string())?;
    Ok(counters
        .get("journal.disk_full")
        .is_some_and(|full| full > 0))
}

fn told(error: io::Error) -> String {
    error.to_string()
}

/// Orders whose acceptance was read.
fn orders(trial: &Trial<'_>) -> usize {
    let ledgers = trial.members.iter().map(|member| &member.ledger);
    ledgers.map(|ledger| ledger.acknowledged().count()).sum()
}

fn wait<T>(what: &str, mut done: impl FnMut() -> Result<Option<T>, String>) -> Result<T, String> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(done) = done()? {
            return Ok(done);
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Err(format!("waited too long for {what}"))
}
