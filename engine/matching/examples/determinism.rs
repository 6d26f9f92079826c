//! Runs hostile days and prints what the engine came to in each and what was told of it, as a few
//! numbers: for `cargo x determinism`, which runs this in several builds and compares.
//!
//! Some of the days, chosen by lot, are gone on with from a snapshot too, in the memory of another
//! engine, from an input chosen by lot: that one must tell the same from there on and come to the
//! same state.

#[path = "../tests/common/limits.rs"]
mod limits;

use flow::hostile::Hostile;
use flow::naive::increments::OFFERED;
use limits::LIMITS;
use matching::{Engine, Events, Line, Step};
use session::feed::{Publisher, PublisherConfig};
use std::io::{self, Write as _};
use std::process::ExitCode;
use wire::ring::Input;

/// Inputs of a day.
const INPUTS: u64 = 50_000;
/// Seed of the first day.
const SEED: u64 = 1_000;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let (Some(Ok(commands)), Some(Ok(snapshots))) = (words.next(), words.next()) else {
        eprintln!("usage: determinism COMMANDS SNAPSHOTS");
        return ExitCode::from(2);
    };
    match days(commands.div_ceil(INPUTS), snapshots) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn days(days: u64, snapshots: u64) -> Result<(), String> {
    let mut memory = [0, 1].map(|_| vec![Line::ZERO; LIMITS.lines()]);
    let [first, second] = &mut memory;
    let mut out = io::stdout().lock();
    for (day, seed) in (0..days).zip(SEED..) {
        // So many of all days, spread evenly, in the middle of each.
        let is_split = (day + 1) * snapshots / days > day * snapshots / days;
        let split = is_split.then(|| mixed(seed) % INPUTS);
        let (state, told) = run(seed, split, first, second)?;
        let line = format!("{seed} {INPUTS} {state:016x} {told:016x}\n");
        // Whoever does not read it compares nothing.
        out.write_all(line.as_bytes())
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// State and outputs of a day; with `split` also from a snapshot behind so many inputs.
fn run(
    seed: u64,
    split: Option<u64>,
    memory: &mut [Line],
    other: &mut [Line],
) -> Result<(u64, u64), String> {
    let mut whole = Told::new(Engine::new(LIMITS, memory).map_err(|error| error.to_string())?)?;
    let mut inputs = Hostile::new(seed, OFFERED).take(INPUTS as usize);
    for input in inputs.by_ref().take(split.unwrap_or(INPUTS) as usize) {
        whole.take(&input);
    }
    if split.is_some() {
        let mut bytes = Vec::new();
        whole
            .engine
            .snapshot(&mut |piece| bytes.extend_from_slice(piece));
        let restored = Engine::restore(LIMITS, other, &bytes);
        let mut restored = Told::new(restored.map_err(|error| error.to_string())?)?;
        let before = std::mem::take(&mut whole.events_hash);
        for input in inputs {
            whole.take(&input);
            restored.take(&input);
        }
        let found = [&restored, &whole].map(|it| (it.engine.state_hash(), it.events_hash));
        if found[0] != found[1] {
            return Err(format!(
                "day {seed} differs from a snapshot behind input {split:?} on"
            ));
        }
        whole.events_hash = hashed(before, &whole.events_hash.to_le_bytes());
    }
    let told = hashed(whole.events_hash, &whole.feed_hash.to_le_bytes());
    Ok((whole.engine.state_hash(), told))
}

/// An engine, and hashes of its events and of the feed's bytes.
struct Told<'m> {
    engine: Engine<'m>,
    events: Events,
    publisher: Publisher,
    events_hash: u64,
    feed_hash: u64,
}

impl<'m> Told<'m> {
    fn new(engine: Engine<'m>) -> Result<Self, String> {
        let config = PublisherConfig {
            symbols: LIMITS.symbols,
            history_messages: 1 << 12,
            history_bytes: 1 << 18,
            ..PublisherConfig::default()
        };
        Ok(Self {
            engine,
            events: Events::new(),
            publisher: Publisher::new(config)?,
            events_hash: 0,
            feed_hash: 0,
        })
    }

    fn take(&mut self, input: &Input) {
        let mut step = self.engine.apply(input, &mut self.events);
        self.tell(input.time_ns);
        while step == Step::More {
            step = self.engine.resume(&mut self.events);
            self.tell(input.time_ns);
        }
    }

    fn tell(&mut self, time_ns: u64) {
        let bytes = bytemuck::cast_slice(self.events.as_slice());
        self.events_hash = hashed(self.events_hash, bytes);
        let feed_hash = &mut self.feed_hash;
        for event in self.events.as_slice() {
            let taken = self.publisher.on_event(event, time_ns);
            assert!(taken.is_ok(), "the feed's memory is empty");
            if self.publisher.unsent() > 0 {
                self.publisher.transmit(time_ns, true, &mut |packet| {
                    *feed_hash = hashed(*feed_hash, packet);
                    true
                });
            }
        }
    }
}

/// A hash with bytes added to it, eight at a time.
fn hashed(hash: u64, bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(hash, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mixed(hash ^ u64::from_le_bytes(word))
    })
}

/// Splitmix64's last steps: every bit of the number moves every other one.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
