//! `book`: what recorded markets say goes into books by levels and their numbers.
//!
//! The clock is read around each event, and in a run of its own around each message of the venue,
//! which may be hundreds of events; its price is in the samples, and the note says it. The peer is
//! the book as one would write it with ordered maps, with fewer numbers: no order flow and no
//! volatility.

use std::collections::BTreeMap;
use std::path::Path;

use analytics::book::{Standing, Touch, imbalance, quantity_of, quantity_within};
use quanta::Clock;
use recorded::{Event, Format, Options as FileOptions, What, open};
use trading::{Step, Watch, WatchRule};
use wire::ring::Side;

use super::latency::clock_price;
use crate::compare::{Case, Subject, compare};
use crate::stats::Samples;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "book",
    about: "recorded events into a book and its numbers: ours, ordered maps",
    run,
};

/// Beside the repository: see its `README.md`.
const FOLDER: &str = "../../shared/data";
const FEEDS: [(&str, &str); 3] = [
    ("spot", "crypto/binance_spot_ethusdt_20240808.gz"),
    ("perpetual", "crypto/binance_usdm_ethusdt_20240808.gz"),
    ("ITCH", "itch50/AAPL_20191230_0935_first20k.itch50"),
];

/// What stays of a run, to be compared: how often the numbers were new, and a trace of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Answer {
    updates: u64,
    trace: u64,
}

impl Answer {
    fn add(&mut self, touch: Touch, near: [u64; 2], imbalance_levels: Option<f64>) {
        let bits = imbalance_levels.map_or(1, f64::to_bits);
        let words = [
            touch.bid.price as u64,
            touch.bid.quantity,
            touch.offer.price as u64,
            touch.offer.quantity,
            near[0],
            near[1],
            bits,
        ];
        self.updates += 1;
        for word in words {
            self.trace = (self.trace ^ word)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29);
        }
    }
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let price = clock_price(&Clock::new());
    let most = options.effort.pick(4_000, 200_000, usize::MAX);
    let mut cases = Vec::new();
    for (name, file) in FEEDS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(FOLDER)
            .join(file);
        if !path.exists() {
            let why = format!("{} is not there", path.display());
            return Err(BenchError::Skipped(why));
        }
        let events = events(&path, most)?;
        let mut wanted = Answer::default();
        let mut maps = Maps::default();
        events.iter().for_each(|event| maps.on(event, &mut wanted));
        let names = [format!("{name}, an event"), format!("{name}, a message")];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let subjects = vec![
            Subject::new("ours", || turn_watch(&events, wanted)),
            Subject::new("ordered maps", || turn_maps(&events, wanted)),
        ];
        let note = format!(
            "{} events, {} times the numbers were new, all the same; the clock's {:.1} ns are in \
             each sample",
            events.len(),
            wanted.updates,
            price as f64 / 1_000.0
        );
        let found = compare(&names, options.effort.rounds(), subjects)?;
        cases.extend(found.into_iter().map(|case| case.noted(&note)));
    }
    Ok(cases)
}

/// The first events of a file.
fn events(path: &Path, most: usize) -> Result<Vec<Event>, BenchError> {
    let failed = |error: recorded::Error| BenchError::failed("the recording", error);
    let is_crypto = Format::of(path).map_err(failed)? == Format::Binance;
    let lot = Step::new(1, if is_crypto { 8 } else { 0 });
    let options = FileOptions {
        tick: Step::new(1, 2).unwrap_or(Step::ONE),
        lot: lot.unwrap_or(Step::ONE),
        day_ns: 0,
        symbol: 0,
    };
    let events = open(path, &options).map_err(failed)?.take(most);
    events.collect::<Result<_, _>>().map_err(failed)
}

/// The least that a sample is: the clock steps, and may not move at all.
const SAMPLE_MIN_PS: u64 = 1_000;

/// Times each event.
fn singles(events: &[Event], mut on: impl FnMut(&Event) -> bool) -> Samples {
    let clock = Clock::new();
    let time = |event| {
        let start = clock.raw();
        on(event);
        sample(&clock, start)
    };
    events.iter().map(time).collect()
}

/// Times each message: all up to what makes the numbers new.
fn messages(events: &[Event], mut on: impl FnMut(&Event) -> bool) -> Samples {
    let clock = Clock::new();
    let mut samples = Samples::with_capacity(events.len());
    let mut start = clock.raw();
    for event in events {
        if on(event) {
            samples.push(sample(&clock, start));
            start = clock.raw();
        }
    }
    samples
}

fn sample(clock: &Clock, start: u64) -> u64 {
    let time_ns = clock.delta_as_nanos(start, clock.raw());
    (time_ns * 1_000).max(SAMPLE_MIN_PS)
}

fn check(found: Answer, wanted: Answer) -> Result<(), BenchError> {
    if found == wanted {
        return Ok(());
    }
    let why = format!("{found:?}, the ordered maps {wanted:?}");
    Err(BenchError::failed("the numbers of the book", why))
}

fn turn_watch(events: &[Event], wanted: Answer) -> Result<Vec<Samples>, BenchError> {
    let new = || {
        let watch = Watch::new(WatchRule::default());
        watch.map_err(|error| BenchError::failed("the rule", error))
    };
    let (mut one, mut all, mut told) = (new()?, new()?, new()?);
    let samples = vec![
        singles(events, |event| one.on(event)),
        messages(events, |event| all.on(event)),
    ];
    // Once more for the answer, so that nobody reads it while time is taken.
    let mut found = Answer::default();
    for event in events {
        if told.on(event) {
            let it = told.numbers();
            found.add(it.touch, it.near, it.imbalance_levels);
        }
    }
    check(found, wanted)?;
    Ok(samples)
}

fn turn_maps(events: &[Event], wanted: Answer) -> Result<Vec<Samples>, BenchError> {
    let [mut one, mut all, mut told] = [(); 3].map(|()| Maps::default());
    let samples = vec![
        singles(events, |event| one.on_new(event)),
        messages(events, |event| all.on_new(event)),
    ];
    let mut found = Answer::default();
    events.iter().for_each(|event| told.on(event, &mut found));
    check(found, wanted)?;
    Ok(samples)
}

/// A book of two ordered maps, by the same rules as [`Watch`].
#[derive(Default)]
struct Maps {
    bids: BTreeMap<i64, u64>,
    offers: BTreeMap<i64, u64>,
    is_quoted: bool,
    touch: Touch,
    near: [u64; 2],
    imbalance_levels: Option<f64>,
    microprice: Option<f64>,
}

fn standing((&price, &quantity): (&i64, &u64)) -> Standing {
    Standing { price, quantity }
}

impl Maps {
    fn on(&mut self, event: &Event, answer: &mut Answer) {
        if self.on_new(event) {
            answer.add(self.touch, self.near, self.imbalance_levels);
        }
    }

    /// Takes an event; whether the numbers are new.
    fn on_new(&mut self, event: &Event) -> bool {
        match event.what {
            What::Level {
                side,
                price,
                quantity,
            } => {
                let map = match side {
                    Side::Buy => &mut self.bids,
                    Side::Sell => &mut self.offers,
                };
                if quantity == 0 {
                    map.remove(&price);
                } else {
                    map.insert(price, quantity);
                }
                return false;
            }
            What::Clear => {
                *self = Self {
                    near: self.near,
                    imbalance_levels: self.imbalance_levels,
                    ..Self::default()
                };
                return false;
            }
            What::Quote { bid, offer } => {
                self.is_quoted = true;
                self.touch = Touch { bid, offer };
            }
            What::End => self.on_end(),
            What::Trade { .. } => {}
        }
        self.microprice = self.touch.microprice();
        true
    }

    fn on_end(&mut self) {
        let rule = WatchRule::default();
        let bids = || self.bids.iter().rev().map(standing);
        let offers = || self.offers.iter().map(standing);
        self.near = [
            quantity_within(bids(), rule.ticks),
            quantity_within(offers(), rule.ticks),
        ];
        let (wanted, offered) = (
            quantity_of(bids(), rule.levels),
            quantity_of(offers(), rule.levels),
        );
        self.imbalance_levels = imbalance(wanted, offered);
        if !self.is_quoted {
            self.touch = Touch {
                bid: bids().next().unwrap_or_default(),
                offer: offers().next().unwrap_or_default(),
            };
        }
    }
}
