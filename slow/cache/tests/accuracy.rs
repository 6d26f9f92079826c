//! Writers, readers and somebody who cuts connections: once an invalidation was told and heard, no
//! process ever reads what was before it.
#![allow(clippy::unwrap_used)]

mod redis;

use cache::{Cache, Reach, Settings};
use redis::{Redis, WAIT_MAX, until};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const KEYS: usize = 40;
const CACHES: usize = 3;

/// Invalidations of each writer.
const ROUNDS: usize = 150;

/// The database: each key's version, which is its value, too; and the version that everybody has
/// heard of.
struct Database {
    written: [AtomicU64; KEYS],
    heard: [AtomicU64; KEYS],
}

impl Database {
    fn read(&self, key: usize) -> cache::Loaded {
        let version = self.written[key].load(Ordering::SeqCst);
        cache::Loaded {
            version,
            value: Some(version.to_string().into_bytes()),
            tags: vec![format!("t{}", key % 4)],
        }
    }
}

fn version(cache: &Cache, database: &Database, key: usize) -> u64 {
    let entry = cache.get_or_load(&format!("k:{key}"), || {
        let loaded = database.read(key);
        // Slow enough to be overtaken.
        thread::yield_now();
        Ok::<_, Infallible>(loaded)
    });
    let entry = entry.unwrap();
    let text = std::str::from_utf8(entry.value().unwrap()).unwrap();
    assert_eq!(text.parse(), Ok(entry.version()));
    entry.version()
}

/// Writes a key, invalidates it in one of four ways and looks in every cache.
fn write(caches: &[Cache], database: &Database, round: usize, writer: usize) -> bool {
    let key = (round * 7 + writer) % KEYS;
    let cache = &caches[(round + writer) % CACHES];
    let due = database.written[key].fetch_add(1, Ordering::SeqCst) + 1;
    let reach = match round % 20 {
        0 => cache.invalidate_pattern(&format!("k:{key}*")),
        1..5 => cache.invalidate_tag(&format!("t{}", key % 4)),
        5..10 => cache.invalidate(&format!("k:{key}"), Some(due)),
        _ => cache.invalidate(&format!("k:{key}"), None),
    };
    if reach == Reach::Later {
        until("what is owed is told", || cache.waiting() == 0);
    }
    for other in caches {
        until("it is heard", || other.catch_up(WAIT_MAX));
        let found = version(other, database, key);
        assert!(
            found >= due,
            "key {key}: version {found} after {due} was told"
        );
    }
    database.heard[key].fetch_max(due, Ordering::SeqCst);
    reach == Reach::Everywhere
}

/// Reads in one cache: nothing older than what everybody has heard of.
fn read(cache: &Cache, database: &Database, is_over: &AtomicBool) -> u64 {
    let mut reads = 0;
    while !is_over.load(Ordering::SeqCst) {
        for key in 0..KEYS {
            let due = database.heard[key].load(Ordering::SeqCst);
            let found = version(cache, database, key);
            assert!(
                found >= due,
                "key {key}: version {found} after {due} was heard"
            );
            reads += 1;
        }
    }
    reads
}

#[test]
fn every_invalidation_is_heard_through_cut_connections() {
    let Some(redis) = Redis::start() else { return };
    // A lease whose owner was cut off holds up the others for a moment only.
    let settings = Settings {
        load_wait: Duration::from_millis(100),
        ..redis.settings()
    };
    let caches: Vec<Cache> = (0..CACHES)
        .map(|_| Cache::new(settings.clone()).unwrap())
        .collect();
    for cache in &caches {
        assert!(cache.wait_for_redis(WAIT_MAX));
    }
    let database = Database {
        written: [const { AtomicU64::new(1) }; KEYS],
        heard: [const { AtomicU64::new(1) }; KEYS],
    };
    let is_over = AtomicBool::new(false);
    let (caches_all, database_all, is_over_all) = (&caches[..], &database, &is_over);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                scope.spawn(move || {
                    let rounds = 0..ROUNDS;
                    rounds
                        .filter(|it| write(caches_all, database_all, *it, writer))
                        .count()
                })
            })
            .collect();
        let readers: Vec<_> = (0..CACHES)
            .map(|it| scope.spawn(move || read(&caches_all[it], database_all, is_over_all)))
            .collect();
        let cutter = scope.spawn(|| {
            let mut cuts = 0;
            while !is_over_all.load(Ordering::SeqCst) {
                redis.say("CLIENT KILL TYPE normal");
                cuts += 1;
                thread::sleep(Duration::from_millis(30));
            }
            cuts
        });
        let told: Vec<usize> = writers.into_iter().map(|it| it.join().unwrap()).collect();
        is_over.store(true, Ordering::SeqCst);
        let reads: u64 = readers.into_iter().map(|it| it.join().unwrap()).sum();
        let cuts: u32 = cutter.join().unwrap();
        eprintln!("told at once: {told:?} of {ROUNDS} each, {reads} reads, {cuts} cuts");
        assert!(cuts > 1 && reads > 0);
    });
    for (key, version_due) in database.written.iter().enumerate() {
        for cache in &caches {
            assert_eq!(
                version(cache, &database, key),
                version_due.load(Ordering::SeqCst)
            );
        }
    }
    let lost: u64 = caches.iter().map(|cache| cache.counters().links_lost).sum();
    assert!(lost >= CACHES as u64, "{lost} links were lost");
}
