//! The engine against the naive reference over as many commands as asked for.
//!
//! `cargo x differential [--commands N] [--seed S] [--offered SET]`: days of hostile inputs by
//! seed, each compared event by event and at its end order by order. The first day that differs
//! is cut down to the inputs that matter and written to a file, which `--replay FILE` shows
//! again. A set of increments other than what the engine offers is a number of bits of
//! `flow::naive::increments`.

use std::process::ExitCode;

use flow::hostile::{Hostile, ORDERS, SESSIONS, SYMBOLS};
use flow::naive::{KNOWN, OFFERED};
use flow::{Naive, reduce, saved};
use matching::{Engine, Events, Limits, Line, Step};
use wire::ring::{Event, Input, Side};

/// Inputs of a day.
const DAY_INPUTS: usize = 20_000;
/// Commands unless asked otherwise: what CI runs.
const COMMANDS: u64 = 3_000_000;
/// Days between two words about progress.
const PROGRESS_DAYS: u64 = 500;

/// Room for every day: running out is tried elsewhere, the reference has no limits.
const LIMITS: Limits = Limits {
    symbols: SYMBOLS + 1,
    sessions: SESSIONS + 1,
    orders: 4 * ORDERS as u32,
    special: 4 * ORDERS as u32,
    price_groups: 4_096,
};

struct Arguments {
    commands: u64,
    seed: u64,
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
            "--offered" => {
                let bits = u16::try_from(number()?).map(|bits| bits & KNOWN);
                arguments.offered = bits.map_err(|_| format!("{word} {value}: 16 bits at most"))?;
            }
            "--replay" => arguments.replay = Some(value),
            _ => {
                let known = "--commands, --seed, --offered and --replay";
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

fn compare_days(arguments: &Arguments) -> Result<(), String> {
    let mut memory = vec![Line::ZERO; LIMITS.lines()];
    let offered = arguments.offered;
    let mut done = 0;
    for day in 0.. {
        if done >= arguments.commands {
            println!("{done} commands in {day} days compared, 0 differences");
            return Ok(());
        }
        let seed = arguments.seed + day;
        let mut hostile = Hostile::new(seed, offered);
        let mut inputs: Vec<Input> = hostile.by_ref().take(DAY_INPUTS).collect();
        inputs.push(hostile.closing());
        if let Some(difference) = difference(&inputs, offered, &mut memory)? {
            let inputs = &inputs[..=difference.index];
            return Err(reported(seed, inputs, offered, &mut memory));
        }
        done += inputs.len() as u64;
        if day % PROGRESS_DAYS == PROGRESS_DAYS - 1 {
            println!("{done} commands");
        }
    }
    Ok(())
}

/// Cuts a failing day down and writes it.
fn reported(seed: u64, inputs: &[Input], offered: u16, memory: &mut [Line]) -> String {
    let small = reduce(inputs, |part| {
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
