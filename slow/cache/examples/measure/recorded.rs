//! A trace that `wirecross-api` wrote (`trace = true` in its `[cache]`), played against a memory
//! that holds a tenth of its keys, and against two such with a Redis between.

use super::{ENTRY_BYTES, KEY_BYTES, VALUE_BYTES, best, linked, name};
use cache::{Cache, Loaded, Settings};
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::error::Error;

/// Memory holds one of so many keys.
const PART: usize = 10;

/// Bytes that a cache has at least. All entries take the same, so that memory is a number of keys,
/// and as many that so many keys take that.
const BYTES_MIN: usize = 64 << 10;

/// Keys at most: their names have six digits.
const KEYS_MAX: usize = 1_000_000;

/// What was asked for: keys as numbers in the order of their first use.
struct Recorded {
    lookups: Vec<u32>,
    keys: usize,
    /// What was asked for, wherever the tables stood.
    statements: usize,
    span_ms: u64,
    bytes: u64,
}

impl Recorded {
    fn read(path: &str) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let (mut numbers, mut statements) = (HashMap::new(), HashSet::new());
        let (mut lookups, mut span_ms, mut bytes) = (Vec::new(), 0, 0);
        for (at, line) in text.lines().enumerate() {
            let told = || format!("{path}: line {}: no time, bytes and key", at + 1);
            let (time, rest) = line.split_once(' ').ok_or_else(told)?;
            let (size, key) = rest.split_once(' ').ok_or_else(told)?;
            span_ms = time.parse().map_err(|_| told())?;
            bytes += size.parse::<u64>().map_err(|_| told())?;
            let statement = key.splitn(3, '|').nth(2).ok_or_else(told)?;
            statements.insert(statement);
            let number = numbers.len() as u32;
            lookups.push(*numbers.entry(key).or_insert(number));
        }
        let keys = numbers.len();
        if !(PART..=KEYS_MAX).contains(&keys) {
            return Err(format!("{path}: {keys} keys: from {PART} to {KEYS_MAX}").into());
        }
        Ok(Self {
            lookups,
            keys,
            statements: statements.len(),
            span_ms,
            bytes,
        })
    }

    /// Asks the caches in turn, one lookup each.
    fn play(&self, caches: &[Cache], held: usize) -> Result<(), Box<dyn Error>> {
        for (at, key) in self.lookups.iter().enumerate() {
            let (key, cache) = (name(*key), &caches[at % caches.len()]);
            let entry = cache.get_or_load(&key, || load(&key, value_bytes(held)))?;
            if entry
                .value()
                .is_none_or(|it| !it.starts_with(key.as_bytes()))
            {
                return Err(format!("{key}: a wrong answer").into());
            }
            if cache.size().0 > held {
                return Err(format!("{} entries, no more than {held}", cache.size().0).into());
            }
        }
        Ok(())
    }

    fn percent(&self, hits: u64) -> f64 {
        100.0 * hits as f64 / self.lookups.len() as f64
    }
}

fn load(key: &str, value_bytes: usize) -> Result<Loaded, Infallible> {
    let mut value = key.as_bytes().to_vec();
    value.resize(value_bytes, b' ');
    Ok(Loaded {
        version: 1,
        value: Some(value),
        tags: Vec::new(),
    })
}

fn value_bytes(held: usize) -> usize {
    VALUE_BYTES.max(
        BYTES_MIN
            .div_ceil(held)
            .saturating_sub(KEY_BYTES + ENTRY_BYTES),
    )
}

/// Says how many lookups of it each level answers, beside the best that is possible.
pub fn run(path: &str) -> Result<(), Box<dyn Error>> {
    let recorded = Recorded::read(path)?;
    let (lookups, keys) = (recorded.lookups.len(), recorded.keys);
    let held = keys / PART;
    println!(
        "{path}: {lookups} lookups in {:.1} s, {keys} keys of {} statements, {} bytes an answer",
        recorded.span_ms as f64 / 1e3,
        recorded.statements,
        recorded.bytes / lookups as u64,
    );
    let settings = Settings {
        bytes_max: held * (KEY_BYTES + value_bytes(held) + ENTRY_BYTES),
        namespace: "measure".to_owned(),
        ..Settings::default()
    };
    let alone = [Cache::new(settings.clone())?];
    recorded.play(&alone, held)?;
    let counters = alone[0].counters();
    let possible = best(&recorded.lookups, keys, held) as u64;
    println!(
        "memory of {held} keys: hits {:.2} %, loads {:.2} %; best possible {:.2} %, with memory \
         for all {:.2} %",
        recorded.percent(counters.l1_hits),
        recorded.percent(counters.l3_loads),
        recorded.percent(possible),
        recorded.percent((lookups - keys) as u64),
    );
    let Ok(first) = linked(&settings) else {
        println!("two services that share a Redis: not measured, for want of `cargo x redis up`");
        return Ok(());
    };
    first.invalidate_pattern("*");
    let both = [first, linked(&settings)?];
    recorded.play(&both, held)?;
    let sum = |of: fn(&cache::Counters) -> u64| {
        let all = both.iter().map(|cache| of(&cache.counters()));
        recorded.percent(all.sum())
    };
    println!(
        "two services of {held} keys that share a Redis: hits {:.2} % in memory and {:.2} % in \
         Redis, loads {:.2} %",
        sum(|it| it.l1_hits),
        sum(|it| it.l2_hits),
        sum(|it| it.l3_loads),
    );
    both[0].invalidate_pattern("*");
    Ok(())
}
