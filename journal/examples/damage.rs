//! Damages a journal in every way there is and judges what recovery makes of it: for
//! `cargo x damage`, which says what it is about.
//!
//! Every case is a whole recovery, as a start does it, of a journal in memory; `tests/support` says
//! what must come of it.

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use journal::BLOCK_BYTES;
use journal::simulated::SECTOR_BYTES;
use support::oracle::{At, Damaged, Whole, judge};
use support::{Random, made};

/// Segments of the journal, and their bytes: 1 MiB in all.
const SEGMENT_BYTES: usize = 128 << 10;
const SEGMENTS: usize = 8;
const BYTES: usize = SEGMENTS * SEGMENT_BYTES;
const _: () = assert!(BYTES == 1 << 20);
/// The end that is cut at every byte.
const CUT_BYTES: usize = 64 << 10;
/// Pairs of sectors that change places, chosen by lot, of each size.
const PAIRS: usize = 40_000;

/// How a case damages the journal.
type Case = for<'w> fn(&'w Whole, usize) -> Damaged<'w>;

/// A kind of damage: its name, how many cases there are, one of so many is tried in short, the
/// case.
const KINDS: [(&str, usize, usize, Case); 8] = [
    ("flipped bits", BYTES * 8, 64, |whole, case| {
        Damaged::flip(whole, at(case / 8), (case % 8) as u8)
    }),
    ("files cut short", CUT_BYTES, 1, |whole, case| Damaged {
        cut: case + 1,
        ..Damaged::new(whole, Vec::new())
    }),
    (
        "never written from a byte on",
        CUT_BYTES,
        1,
        |whole, case| {
            let last = whole
                .places
                .last()
                .map_or(0, |place| place.at.0 * SEGMENT_BYTES + place.end);
            Damaged::unwritten(whole, at(last - 1 - case))
        },
    ),
    ("lost sectors", BYTES / SECTOR_BYTES, 1, |whole, case| {
        Damaged::put(whole, at(case * SECTOR_BYTES), &[0; SECTOR_BYTES])
    }),
    ("lost blocks", BYTES / BLOCK_BYTES, 1, |whole, case| {
        Damaged::put(whole, at(case * BLOCK_BYTES), &[0; BLOCK_BYTES])
    }),
    ("swapped sectors", PAIRS, 16, |whole, case| {
        let [one, other] = pair(case, SECTOR_BYTES);
        Damaged::swapped(whole, one, other, SECTOR_BYTES)
    }),
    ("swapped blocks", PAIRS, 16, |whole, case| {
        let [one, other] = pair(case, BLOCK_BYTES);
        Damaged::swapped(whole, one, other, BLOCK_BYTES)
    }),
    ("sectors written elsewhere too", PAIRS, 16, |whole, case| {
        let [one, other] = pair(case, SECTOR_BYTES);
        let bytes = &whole.segments[other.0][other.1..other.1 + SECTOR_BYTES];
        Damaged::put(whole, one, bytes)
    }),
];

fn at(byte: usize) -> At {
    (byte / SEGMENT_BYTES, byte % SEGMENT_BYTES)
}

/// Two places by lot; every second pair are neighbours.
fn pair(case: usize, bytes: usize) -> [At; 2] {
    let mut random = Random(case as u64);
    let places = BYTES / bytes;
    let one = random.below(places);
    let other = if case.is_multiple_of(2) {
        (one + 1) % places
    } else {
        random.below(places)
    };
    [one, other].map(|place| at(place * bytes))
}

/// The journal that is damaged.
fn journal() -> Whole {
    let seeds = (1..).map(|seed| {
        let least = BYTES - SEGMENT_BYTES + CUT_BYTES + BLOCK_BYTES;
        made(seed, least, SEGMENT_BYTES as u64)
    });
    let mut fitting = seeds.filter_map(|whole| {
        // What is prepared behind the records is no part of it.
        let used = whole.segments.into_iter().filter(|bytes| bytes[0] != 0);
        let segments: Vec<_> = used.collect();
        (segments.len() == SEGMENTS).then(|| Whole::new(segments))
    });
    fitting.next().unwrap_or_else(|| Whole::new(Vec::new()))
}

fn main() -> ExitCode {
    let is_full = std::env::args().any(|word| word == "--full");
    let whole = journal();
    println!(
        "a journal of {} inputs in {} records and {SEGMENTS} segments, {BYTES} bytes",
        whole.inputs.len(),
        whole.places.len()
    );
    let mut is_right = true;
    for (name, cases, step, case) in KINDS {
        let step = if is_full { 1 } else { step };
        let start = Instant::now();
        let found = all(&whole, cases, step, case);
        let seconds = start.elapsed().as_secs_f64();
        let told: Vec<String> = found
            .verdicts
            .iter()
            .map(|(verdict, count)| format!("{verdict} {count}"))
            .collect();
        let sum: usize = found.verdicts.values().sum();
        println!("{name}: {sum} in {seconds:.1} s: {}", told.join(", "));
        for wrong in &found.wrong {
            println!("  WRONG {wrong}");
            is_right = false;
        }
    }
    if is_right {
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

/// What came of the cases of one kind.
#[derive(Default)]
struct Found {
    verdicts: BTreeMap<String, usize>,
    /// The first few cases in which recovery did wrong.
    wrong: Vec<String>,
}

/// Tries one of `step` cases, on every core.
fn all(whole: &Whole, cases: usize, step: usize, case: Case) -> Found {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let parts = thread::scope(|scope| {
        let work = |first: usize| {
            scope.spawn(move || {
                let mut found = Found::default();
                for round in (first..cases.div_ceil(step)).step_by(threads) {
                    // Another one of each `step`, so that all bits of a byte have their turn.
                    let chosen = round * step + Random(round as u64).below(step);
                    if chosen < cases {
                        found.take(chosen, judge(&mut case(whole, chosen)));
                    }
                }
                found
            })
        };
        let running: Vec<_> = (0..threads).map(work).collect();
        let ended = running.into_iter().map(thread::ScopedJoinHandle::join);
        ended.collect::<Vec<_>>()
    });
    let mut sum = Found::default();
    for part in parts {
        match part {
            Ok(part) => sum.add(part),
            Err(_) => sum.wrong.push("recovery panicked".to_owned()),
        }
    }
    sum
}

impl Found {
    fn take(&mut self, case: usize, judged: Result<support::oracle::Verdict, String>) {
        match judged {
            Ok(verdict) => *self.verdicts.entry(format!("{verdict:?}")).or_insert(0) += 1,
            Err(wrong) if self.wrong.len() < 5 => self.wrong.push(format!("case {case}: {wrong}")),
            Err(_) => {}
        }
    }

    fn add(&mut self, other: Self) {
        for (verdict, count) in other.verdicts {
            *self.verdicts.entry(verdict).or_insert(0) += count;
        }
        self.wrong.extend(other.wrong);
    }
}
