//! What an engine comes to in hostile days, as a few numbers: the same on every build.

#[path = "limits.rs"]
mod limits;

use flow::hostile::Hostile;
use flow::naive::increments::first;
use limits::LIMITS;
use matching::{Engine, Events, Line, Step};

/// What the streams ask for: a constant, so that the numbers stay when more is offered.
const ASKED: u16 = first(12);

/// Seeds of the days.
const SEEDS: [u64; 4] = [1, 2, 3, 4];

/// Inputs of a day.
const INPUTS: usize = 50_000;

/// Inputs between two lines.
const LINE_INPUTS: usize = 10_000;

/// Lines of: seed, inputs so far, hash of the state, hash of all events so far.
pub fn table() -> String {
    let mut memory = vec![Line::ZERO; LIMITS.lines()];
    SEEDS.map(|seed| day(seed, &mut memory)).concat()
}

fn day(seed: u64, memory: &mut [Line]) -> String {
    let mut engine = Engine::new(LIMITS, memory).expect("good limits");
    let (mut lines, mut told) = (String::new(), 0);
    for (at, input) in (1..=INPUTS).zip(Hostile::new(seed, ASKED)) {
        let mut events = Events::new();
        let mut step = engine.apply(&input, &mut events);
        told = hashed(told, &events);
        while step == Step::More {
            step = engine.resume(&mut events);
            told = hashed(told, &events);
        }
        if at.is_multiple_of(LINE_INPUTS) {
            let state = engine.state_hash();
            lines += &format!("{seed} {at} {state:016x} {told:016x}\n");
        }
    }
    lines
}

/// A hash with events added to it, byte by byte (FNV-1a).
fn hashed(hash: u64, events: &Events) -> u64 {
    let bytes: &[u8] = bytemuck::cast_slice(events.as_slice());
    let add = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    bytes.iter().fold(hash, add)
}
