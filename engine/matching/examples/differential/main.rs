//! The engine against the naive reference over as many commands as asked for.
//!
//! `cargo x differential [--commands N] [--seed S] [--threads N]`: days of hostile inputs by seed,
//! each compared event by event and at its end order by order, as many at a time as there are
//! cores. The first day that differs, or in which one of the two panics, is cut down to the inputs
//! that matter and written to a file, which `--replay FILE` shows again. How far it came is told on
//! standard error; at the end a table says how often rare things happened. A set of increments
//! other than what the engine offers is
//! `--offered` with bits of `flow::naive::increments`.

// The engine has no clock; this program tells how fast it is.
#![allow(clippy::disallowed_types)]

mod day;

use std::num::NonZero;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use flow::hostile::{Coverage, Hostile};
use flow::naive::{KNOWN, OFFERED};
use flow::{reduce, saved};
use matching::WORKS;
use wire::ring::Input;

use day::Comparison;

/// Inputs of a day.
const DAY_INPUTS: usize = 20_000;
/// Commands unless asked otherwise: what CI runs.
const COMMANDS: u64 = 10_000_000;
/// What a saved day says of its seed, which its engine's tables come from.
const SEED: &str = "# seed";
/// Between two words about progress.
const PROGRESS: Duration = Duration::from_secs(5);

struct Arguments {
    commands: u64,
    seed: u64,
    threads: usize,
    offered: u16,
    replay: Option<String>,
}

fn main() -> ExitCode {
    let outcome = arguments().and_then(|arguments| match &arguments.replay {
        Some(path) => replay(path, arguments.offered),
        None => compare_days(&arguments),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("differential: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<Arguments, String> {
    let mut arguments = Arguments {
        commands: COMMANDS,
        seed: 1,
        threads: thread::available_parallelism().map_or(1, NonZero::get),
        offered: OFFERED,
        replay: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words
            .next()
            .ok_or_else(|| format!("{word} needs a value"))?;
        let number = || {
            value
                .parse()
                .map_err(|_| format!("{word} {value}: give a number"))
        };
        match word.as_str() {
            "--commands" => arguments.commands = number()?,
            "--seed" => arguments.seed = number()?,
            "--threads" => arguments.threads = number()?.max(1) as usize,
            "--offered" => {
                let bits = u16::try_from(number()?).map(|bits| bits & KNOWN);
                arguments.offered = bits.map_err(|_| format!("{word} {value}: 16 bits at most"))?;
            }
            "--replay" => arguments.replay = Some(value),
            _ => {
                let known = "--commands, --seed, --threads, --offered and --replay";
                return Err(format!("{word}: there are {known}"));
            }
        }
    }
    Ok(arguments)
}

fn replay(path: &str, offered: u16) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let inputs = saved::read(&text).map_err(|error| format!("{path}: {error}"))?;
    let seed = text.lines().find_map(|line| line.strip_prefix(SEED));
    let seed = seed.and_then(|seed| seed.trim().parse().ok());
    let mut comparison = Comparison::new(offered);
    match comparison.difference(seed, &inputs)? {
        Some(difference) => Err(difference.text),
        None => {
            println!("{} inputs, no difference", inputs.len());
            Ok(())
        }
    }
}

/// A day that was compared: its place, its inputs, and where it differs.
struct Compared {
    day: u64,
    inputs: Vec<Input>,
    difference: Option<usize>,
    coverage: Coverage,
}

/// Hands days out to the threads, and tells how far they came.
fn compare_days(arguments: &Arguments) -> Result<(), String> {
    let days = arguments.commands.div_ceil(DAY_INPUTS as u64 + 1);
    let waiting = Mutex::new(0..days);
    let (sender, compared) = mpsc::channel();
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..arguments.threads {
            let (sender, waiting) = (sender.clone(), &waiting);
            scope.spawn(move || compare_some(arguments, waiting, &sender));
        }
        drop(sender);
        let (mut done, mut told, mut first) = (0, begun, None);
        let mut coverage = Coverage::new(&WORKS);
        loop {
            let finished = compared.recv_timeout(PROGRESS);
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                tell(done, arguments.commands, begun);
            }
            let one: Compared = match finished {
                Ok(one) => one?,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            done += one.inputs.len() as u64;
            coverage.add(&one.coverage);
            // Days before it are still being compared, and may differ too.
            if one.difference.is_some() {
                *held(&waiting) = 0..0;
                let earlier = first.filter(|first: &Compared| first.day < one.day);
                first = Some(earlier.unwrap_or(one));
            }
        }
        match first {
            Some(first) => Err(reported(&first, arguments)),
            None => {
                let rate = done as f64 / begun.elapsed().as_secs_f64();
                println!("{coverage}");
                println!(
                    "{done} commands in {days} days compared, {rate:.0} a second, 0 differences"
                );
                Ok(())
            }
        }
    })
}

/// Compares the next day until there is none.
fn compare_some(
    arguments: &Arguments,
    waiting: &Mutex<Range<u64>>,
    sender: &Sender<Result<Compared, String>>,
) {
    let mut comparison = Comparison::new(arguments.offered);
    loop {
        let Some(day) = held(waiting).next() else {
            return;
        };
        let seed = arguments.seed + day;
        let mut hostile = Hostile::new(seed, arguments.offered);
        let mut inputs: Vec<Input> = hostile.by_ref().take(DAY_INPUTS).collect();
        inputs.push(hostile.closing());
        let compared = comparison
            .difference(Some(seed), &inputs)
            .map(|found| Compared {
                day,
                inputs,
                difference: found.map(|found| found.index),
                coverage: comparison.coverage(),
            });
        if sender.send(compared).is_err() {
            return;
        }
    }
}

/// The days that nobody took yet.
fn held(waiting: &Mutex<Range<u64>>) -> MutexGuard<'_, Range<u64>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(done: u64, commands: u64, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    let rate = done as f64 / seconds;
    let left = commands.saturating_sub(done) as f64 / rate.max(1.0);
    eprintln!("{done} commands in {seconds:.0} s, {rate:.0} a second, {left:.0} s left");
}

/// Cuts a failing day down and writes it.
fn reported(found: &Compared, arguments: &Arguments) -> String {
    let (seed, offered) = (arguments.seed + found.day, arguments.offered);
    let mut comparison = Comparison::new(offered);
    let mut difference = |part: &[Input]| comparison.difference(Some(seed), part);
    let end = found.difference.map_or(0, |index| index + 1);
    let small = reduce(&found.inputs[..end], |part| {
        difference(part).is_ok_and(|found| found.is_some())
    });
    let path = format!("differential-{seed}.txt");
    let text = format!("{SEED} {seed}\n{}", saved::write(&small));
    let written = std::fs::write(&path, text);
    let text = match difference(&small) {
        Ok(Some(difference)) => difference.text,
        _ => "the difference vanished while it was cut down".to_owned(),
    };
    match written {
        Ok(()) => format!(
            "seed {seed}, cut down to {} inputs in {path}\n{text}",
            small.len()
        ),
        Err(error) => format!("seed {seed}, {path}: {error}\n{text}"),
    }
}
