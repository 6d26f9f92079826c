//! The engine against the naive reference over as many commands as asked for.
//!
//! `cargo x differential [--commands N] [--seed S] [--threads N]`: days of hostile inputs by seed,
//! each compared event by event and at its end order by order, as many at a time as there are
//! cores. The first day that differs is cut down to the inputs that matter and written to a file,
//! which `--replay FILE` shows again. How far it came is told on standard error. A set of
//! increments other than what the engine offers is `--offered` with bits of
//! `flow::naive::increments`.

// The engine has no clock; this program tells how fast it is.
#![allow(clippy::disallowed_types)]

use std::num::NonZero;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use flow::hostile::{Hostile, ORDERS, SESSIONS, SYMBOLS};
use flow::naive::{KNOWN, OFFERED};
use flow::{Naive, reduce, saved};
use matching::{Engine, Events, Limits, Line, Step};
use wire::ring::{Event, Input, Side};

/// Inputs of a day.
const DAY_INPUTS: usize = 20_000;
/// Commands unless asked otherwise: what CI runs.
const COMMANDS: u64 = 10_000_000;
/// More events than an input of so few orders comes to.
const EVENTS_MAX: usize = 100_000;
/// Between two words about progress.
const PROGRESS: Duration = Duration::from_secs(5);

/// Room for every day: running out is tried elsewhere, the reference has no limits.
const LIMITS: Limits = Limits {
    symbols: SYMBOLS + 1,
    sessions: SESSIONS + 1,
    orders: 4 * ORDERS as u32,
    special: 4 * ORDERS as u32,
    price_groups: 4_096,
    accounts: SESSIONS + 1,
};

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
    let mut memory = vec![Line::ZERO; LIMITS.lines()];
    match difference(&inputs, offered, &mut memory)? {
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
    let mut memory = vec![Line::ZERO; LIMITS.lines()];
    loop {
        let Some(day) = held(waiting).next() else {
            return;
        };
        let mut hostile = Hostile::new(arguments.seed + day, arguments.offered);
        let mut inputs: Vec<Input> = hostile.by_ref().take(DAY_INPUTS).collect();
        inputs.push(hostile.closing());
        let compared = difference(&inputs, arguments.offered, &mut memory).map(|found| Compared {
            day,
            inputs,
            difference: found.map(|found| found.index),
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
    let memory = &mut vec![Line::ZERO; LIMITS.lines()];
    let end = found.difference.map_or(0, |index| index + 1);
    let small = reduce(&found.inputs[..end], |part| {
        difference(part, offered, memory).is_ok_and(|found| found.is_some())
    });
    let path = format!("differential-{seed}.txt");
    let written = std::fs::write(&path, saved::write(&small));
    let text = match difference(&small, offered, memory) {
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

/// The first difference of a stream.
struct Difference {
    index: usize,
    text: String,
}

fn difference(
    inputs: &[Input],
    offered: u16,
    memory: &mut [Line],
) -> Result<Option<Difference>, String> {
    memory.fill(Line::ZERO);
    let mut engine = Engine::new(LIMITS, memory).map_err(|error| error.to_string())?;
    let mut naive = Naive::offering(offered);
    for (index, input) in inputs.iter().enumerate() {
        let (found, expected) = (applied(&mut engine, input), naive.apply(input));
        if found != expected {
            let text = format!("{input:?}\nengine {found:#?}\nreference {expected:#?}");
            return Ok(Some(Difference { index, text }));
        }
    }
    let index = inputs.len().saturating_sub(1);
    Ok(book_difference(&engine, &naive).map(|text| Difference { index, text }))
}

fn applied(engine: &mut Engine<'_>, input: &Input) -> Vec<Event> {
    let mut events = Events::new();
    let mut all = Vec::new();
    let mut step = engine.apply(input, &mut events);
    all.extend_from_slice(events.as_slice());
    while step == Step::More {
        step = engine.resume(&mut events);
        all.extend_from_slice(events.as_slice());
        assert!(all.len() < EVENTS_MAX, "an input without end: {input:?}");
    }
    all
}

fn book_difference(engine: &Engine<'_>, naive: &Naive) -> Option<String> {
    for symbol in naive.symbols() {
        for side in [Side::Buy, Side::Sell] {
            let mut found = Vec::new();
            engine.orders(symbol, side, |order| {
                found.push((order.order_ref, order.price, order.quantity));
            });
            let expected: Vec<(u64, i64, u32)> = naive
                .orders(symbol, side)
                .map(|order| (order.order_ref, order.price, order.open))
                .collect();
            if found != expected {
                return Some(format!(
                    "symbol {symbol} {side:?}: {found:?} instead of {expected:?}"
                ));
            }
        }
    }
    None
}
