//! How many lookups a small memory answers, how long the levels take, and how soon an invalidation
//! is everywhere; every answer is checked. Wants `cargo x redis up`. With the file of a recorded
//! trace it plays that one alone.

mod best;
mod recorded;

use best::best;
use cache::{Cache, Loaded, Reach, Settings};
use std::convert::Infallible;
use std::error::Error;
use std::time::{Duration, Instant};

/// Where `cargo x redis up` listens.
const REDIS: &str = "redis://127.0.0.1:25379";

/// The Zipf trace: stated before it was measured. The k-th key is asked for as 1 / k^EXPONENT.
const EXPONENT: f64 = 1.3;
const KEYS: usize = 100_000;
const LOOKUPS: usize = 2_000_000;
/// Memory holds a tenth of the keys.
const HELD: usize = KEYS / 10;
const SEED: u64 = 20_261_123;

/// Bytes of a key's name and of a value, which are all the same, and what an entry costs beside.
const KEY_BYTES: usize = 10;
const VALUE_BYTES: usize = 200;
const ENTRY_BYTES: usize = 224;

/// Timed lookups of each level, and invalidations.
const L1_TIMED: usize = 1_000_000;
const L2_TIMED: usize = 20_000;
const REACHED: usize = 5_000;

const WAIT_MAX: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(path) = std::env::args().nth(1) {
        return recorded::run(&path);
    }
    hits()?;
    let settings = Settings {
        namespace: "measure".to_owned(),
        ..Settings::default()
    };
    let writer = linked(&settings)?;
    writer.invalidate_pattern("*");
    l1(&writer)?;
    let small = Settings {
        bytes_max: 64 << 10,
        ..settings.clone()
    };
    l2(&writer, &linked(&small)?)?;
    reach(&writer, &[linked(&settings)?, linked(&settings)?])?;
    writer.invalidate_pattern("*");
    Ok(())
}

/// A cache that is linked to Redis.
fn linked(settings: &Settings) -> Result<Cache, Box<dyn Error>> {
    let cache = Cache::new(Settings {
        redis: Some(REDIS.to_owned()),
        ..settings.clone()
    })?;
    let is_there = cache.wait_for_redis(Duration::from_secs(5));
    is_there
        .then_some(cache)
        .ok_or_else(|| "no Redis: run `cargo x redis up`".into())
}

/// A number in 0..1, by a generator whose state this is (splitmix64).
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Which key each lookup is for.
fn trace() -> Vec<u32> {
    let mut sums = Vec::with_capacity(KEYS);
    let mut sum = 0.0;
    for rank in 1..=KEYS {
        sum += (rank as f64).powf(-EXPONENT);
        sums.push(sum);
    }
    let mut state = SEED;
    let mut draw = || {
        let drawn = uniform(&mut state) * sum;
        sums.partition_point(|it| *it < drawn) as u32
    };
    (0..LOOKUPS).map(|_| draw().min(KEYS as u32 - 1)).collect()
}

fn name(key: u32) -> String {
    format!("key:{key:06}")
}

fn value(key: &str) -> Vec<u8> {
    let mut value = key.repeat(VALUE_BYTES / KEY_BYTES).into_bytes();
    value.resize(VALUE_BYTES, b' ');
    value
}

fn load(key: &str) -> Result<Loaded, Infallible> {
    Ok(Loaded {
        version: 1,
        value: Some(value(key)),
        tags: Vec::new(),
    })
}

fn hits() -> Result<(), Box<dyn Error>> {
    let trace = trace();
    let settings = Settings {
        bytes_max: HELD * (KEY_BYTES + VALUE_BYTES + ENTRY_BYTES),
        ..Settings::default()
    };
    let cache = Cache::new(settings)?;
    for key in &trace {
        let key = name(*key);
        let entry = cache.get_or_load(&key, || load(&key))?;
        if entry.value() != Some(&value(&key)[..]) {
            return Err(format!("{key}: a wrong answer").into());
        }
        if cache.size().0 > HELD {
            return Err(format!("{} entries, no more than {HELD}", cache.size().0).into());
        }
    }
    let percent = |hits: u64| 100.0 * hits as f64 / LOOKUPS as f64;
    println!(
        "zipf: exponent {EXPONENT}, {KEYS} keys, {HELD} held, {LOOKUPS} lookups, seed {SEED}: \
         hits {:.2} %, best possible {:.2} %",
        percent(cache.counters().l1_hits),
        percent(best(&trace, KEYS, HELD) as u64)
    );
    Ok(())
}

/// Says how long something took, in nanoseconds, the worst first.
fn tell(what: &str, mut times: Vec<u64>) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "{what}: max {} ns, p99.9 {}, p99 {}, p50 {}, min {}, {} times",
        at(1.0),
        at(0.999),
        at(0.99),
        at(0.5),
        at(0.0),
        times.len()
    );
}

fn nanoseconds(since: Instant) -> u64 {
    since.elapsed().as_nanos() as u64
}

/// The clock is read once a lookup, and that is in the times.
fn l1(cache: &Cache) -> Result<(), Box<dyn Error>> {
    let keys: Vec<String> = (0..1_000).map(name).collect();
    let values: Vec<Vec<u8>> = keys.iter().map(|key| value(key)).collect();
    for key in &keys {
        cache.get_or_load(key, || load(key))?;
    }
    let mut times = Vec::with_capacity(L1_TIMED);
    for at in 0..L1_TIMED {
        let at = at * 7 % keys.len();
        let begun = Instant::now();
        let entry = cache.get_or_load(&keys[at], || Err(()));
        times.push(nanoseconds(begun));
        if entry.ok().as_ref().and_then(|entry| entry.value()) != Some(&values[at][..]) {
            return Err(format!("{}: not in memory", keys[at]).into());
        }
    }
    tell("lookup in memory", times);
    Ok(())
}

/// `reader` holds too little for what it is asked.
fn l2(writer: &Cache, reader: &Cache) -> Result<(), Box<dyn Error>> {
    let keys: Vec<String> = (0..L2_TIMED as u32).map(|key| name(key + 1_000)).collect();
    for key in &keys {
        writer.get_or_load(key, || load(key))?;
    }
    let mut times = Vec::with_capacity(keys.len());
    for key in &keys {
        let begun = Instant::now();
        let entry = reader.get_or_load(key, || Err(()));
        times.push(nanoseconds(begun));
        if entry.ok().as_ref().and_then(|entry| entry.value()) != Some(&value(key)[..]) {
            return Err(format!("{key}: not in Redis").into());
        }
    }
    let hits = reader.counters().l2_hits;
    if hits != keys.len() as u64 {
        return Err(format!("{hits} of {} came from Redis", keys.len()).into());
    }
    tell("lookup in Redis", times);
    Ok(())
}

/// From before one invalidates until no other has it in memory any more.
fn reach(writer: &Cache, others: &[Cache]) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::with_capacity(REACHED);
    for round in 0..REACHED {
        let key = name(round as u32 % 100);
        for other in others {
            other.get_or_load(&key, || load(&key))?;
            if other.get(&key).is_none() {
                return Err(format!("{key} is not in memory").into());
            }
        }
        let begun = Instant::now();
        if writer.invalidate(&key, None) != Reach::Everywhere {
            return Err("Redis is gone".into());
        }
        while others.iter().any(|other| other.get(&key).is_some()) {
            if begun.elapsed() > WAIT_MAX {
                return Err(format!("{key} was invalidated and stays").into());
            }
            std::thread::yield_now();
        }
        times.push(nanoseconds(begun));
    }
    tell("invalidation in all others", times);
    Ok(())
}
