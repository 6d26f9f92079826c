//! A cache of two levels: memory and what is loaded from.
#![allow(clippy::unwrap_used)]

mod redis;

use cache::{Cache, KEY_BYTES_MAX, Loaded, Reach, Settings, Stored, VALUE_BYTES_MAX};
use redis::{WAIT_MAX, asks, has, loaded, until};
use std::convert::Infallible;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

fn cache() -> Cache {
    let settings = Settings {
        load_wait: WAIT_MAX,
        ..Settings::default()
    };
    Cache::new(settings).unwrap()
}

#[test]
fn what_was_loaded_is_kept_also_that_there_is_nothing() {
    let cache = cache();
    assert_eq!(has(&cache, "a"), None);
    assert_eq!(asks(&cache, "a", &loaded(1, "one", &[])), "one");
    assert_eq!(has(&cache, "a"), Some((1, "one".to_owned())));
    assert_eq!(asks(&cache, "b", &loaded(1, "", &[])), "(absent)");
    assert_eq!(asks(&cache, "b", &loaded(2, "late", &[])), "(absent)");
    let seen = cache.counters();
    assert_eq!((seen.l1_hits, seen.l1_misses), (2, 3));
    assert_eq!((seen.l3_loads, seen.l3_errors, seen.l3_absent), (3, 1, 1));
    assert!(cache.catch_up(Duration::ZERO) && !cache.has_redis());
}

#[test]
fn what_is_too_old_is_loaded_again() {
    let settings = Settings {
        ttl: Duration::from_millis(20),
        absent_ttl: Duration::from_millis(1),
        ..Settings::default()
    };
    let cache = Cache::new(settings).unwrap();
    asks(&cache, "a", &loaded(1, "one", &[]));
    asks(&cache, "b", &loaded(1, "", &[]));
    until("a value grows old", || {
        asks(&cache, "a", &loaded(2, "two", &[])) == "two"
    });
    until("an absence grows old", || {
        asks(&cache, "b", &loaded(2, "two", &[])) == "two"
    });
}

#[test]
fn many_that_want_the_same_load_once() {
    let cache = cache();
    let (loads, barrier) = (AtomicU32::new(0), Barrier::new(16));
    for round in 0..20 {
        let key = format!("key {round}");
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    barrier.wait();
                    let entry = cache.get_or_load(&key, || {
                        loads.fetch_add(1, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(5));
                        Ok::<_, Infallible>(loaded(1, "one", &[]))
                    });
                    assert_eq!(entry.unwrap().value(), Some(&b"one"[..]));
                });
            }
        });
    }
    assert_eq!(loads.load(Ordering::SeqCst), 20);
    // A load that fails does not fail those that wait: they try.
    let tries = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                let _ = cache.get_or_load("fails", || {
                    let number = tries.fetch_add(1, Ordering::SeqCst);
                    if number < 3 {
                        Err(())
                    } else {
                        Ok(loaded(1, "at last", &[]))
                    }
                });
            });
        }
    });
    assert_eq!(tries.load(Ordering::SeqCst), 4);
    assert_eq!(has(&cache, "fails"), Some((1, "at last".to_owned())));
}

#[test]
fn memory_stays_below_its_bytes() {
    let settings = Settings {
        bytes_max: 1 << 20,
        ..Settings::default()
    };
    let cache = Cache::new(settings).unwrap();
    for number in 0..20_000u64 {
        let value = "x".repeat(1 + number as usize % 997);
        asks(&cache, &number.to_string(), &loaded(1, &value, &["t"]));
        assert!(cache.size().1 <= 1 << 20);
    }
    let (entries, bytes) = cache.size();
    assert!(entries > 500 && bytes > 700_000, "{entries} {bytes}");
}

#[test]
fn what_is_too_large_is_given_and_not_kept() {
    let cache = cache();
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    assert_eq!(asks(&cache, &long, &loaded(1, "one", &[])), "one");
    assert_eq!(has(&cache, &long), None);
    let large = Loaded {
        version: 1,
        value: Some(vec![0; VALUE_BYTES_MAX + 1]),
        tags: Vec::new(),
    };
    let entry = cache.get_or_load("large", || Ok::<_, Infallible>(large.clone()));
    assert_eq!(entry.unwrap().value().unwrap().len(), VALUE_BYTES_MAX + 1);
    assert_eq!(has(&cache, "large"), None);
    // What was there before must not stay.
    asks(&cache, "grows", &loaded(1, "small", &[]));
    assert_eq!(cache.put("grows", &large), Stored::Not);
    assert_eq!(has(&cache, "grows"), None);
    assert_eq!(cache.counters().oversized, 4);
}

#[test]
fn keys_tags_and_patterns_are_forgotten() {
    let cache = cache();
    let fill = || {
        asks(&cache, "bars:AAPL", &loaded(1, "a", &["bars", "AAPL"]));
        asks(&cache, "bars:MSFT", &loaded(1, "m", &["bars", "MSFT"]));
        asks(&cache, "tops:AAPL", &loaded(1, "t", &["tops", "AAPL"]));
    };
    let left = || {
        let keys = ["bars:AAPL", "bars:MSFT", "tops:AAPL"];
        keys.map(|key| u8::from(cache.get(key).is_some()))
    };
    fill();
    assert_eq!(left(), [1, 1, 1]);
    assert_eq!(cache.invalidate("bars:MSFT", None), Reach::Everywhere);
    assert_eq!(left(), [1, 0, 1]);
    fill();
    cache.invalidate_tag("AAPL");
    assert_eq!(left(), [0, 1, 0]);
    fill();
    cache.invalidate_pattern("bars:*");
    assert_eq!(left(), [0, 0, 1]);
    fill();
    cache.invalidate_tag("nothing has this");
    cache.invalidate_pattern("?ars:????x");
    assert_eq!(left(), [1, 1, 1]);
}

#[test]
fn an_older_version_never_comes_back() {
    let cache = cache();
    assert_eq!(cache.put("a", &loaded(5, "five", &[])), Stored::Everywhere);
    assert_eq!(cache.put("a", &loaded(4, "four", &[])), Stored::Older);
    assert_eq!(has(&cache, "a"), Some((5, "five".to_owned())));
    cache.invalidate("a", Some(7));
    // A replica that is behind: it is given, and kept by nobody.
    for _ in 0..3 {
        assert_eq!(asks(&cache, "a", &loaded(6, "six", &[])), "six");
        assert_eq!(has(&cache, "a"), None);
    }
    assert_eq!(asks(&cache, "a", &loaded(7, "seven", &[])), "seven");
    assert_eq!(has(&cache, "a"), Some((7, "seven".to_owned())));
    assert_eq!(cache.counters().older, 4);
}

/// Each change while something is loaded keeps what was loaded from being kept.
#[test]
fn what_changes_while_it_is_loaded_is_not_kept() {
    let cache = cache();
    let changes: [fn(&Cache); 4] = [
        |cache| {
            cache.invalidate("a", None);
        },
        |cache| {
            cache.invalidate_tag("tag");
        },
        |cache| {
            cache.invalidate_pattern("a*");
        },
        |cache| {
            cache.put("a", &loaded(2, "newer", &["tag"]));
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let entry = cache.get_or_load("a", || {
            change(&cache);
            Ok::<_, Infallible>(loaded(1, "old", &["tag"]))
        });
        assert_eq!(entry.unwrap().value(), Some(&b"old"[..]));
        let due = (number == 3).then(|| (2, "newer".to_owned()));
        assert_eq!(has(&cache, "a"), due, "change {number}");
    }
    assert_eq!(cache.counters().overtaken, 4);
}

#[test]
fn a_check_finds_what_is_wrong_and_nothing_else() {
    let cache = cache();
    for number in 0..200u64 {
        asks(&cache, &number.to_string(), &loaded(number, "right", &[]));
    }
    let below = |key: &str| {
        let version: u64 = key.parse().unwrap();
        Ok::<_, Infallible>(match version {
            7 => loaded(8, "newer", &[]),
            8 => loaded(8, "other bytes", &[]),
            9 => loaded(8, "a replica that is behind", &[]),
            _ => loaded(version, "right", &[]),
        })
    };
    let checked = cache.check((1_000, 1), |_| true, below).unwrap();
    let mut wrong: Vec<_> = checked.differences.iter().collect();
    wrong.sort_by_key(|it| it.here);
    let wrong: Vec<_> = wrong
        .iter()
        .map(|it| (&*it.key, it.level, it.there))
        .collect();
    assert_eq!(wrong, [("7", 3, 8), ("8", 3, 8)]);
    assert_eq!((checked.sampled, checked.ahead), (200, 1));
    assert!(has(&cache, "7").is_none() && has(&cache, "9").is_some());
    let few = cache.check((10, 7), |_| true, below).unwrap();
    assert_eq!((few.sampled, few.differences.len()), (10, 0));
    assert_eq!(cache.counters().differed, 2);
}

#[test]
fn warming_loads_what_is_missing() {
    let cache = cache();
    asks(&cache, "a", &loaded(1, "one", &[]));
    let warmed = ["a", "b", "fails", "c"].map(|key| {
        let load = || match key {
            "fails" => Err(()),
            key => Ok(loaded(2, key, &[])),
        };
        cache.warm(key, load).is_ok()
    });
    assert_eq!(warmed, [true, true, false, true]);
    assert_eq!(cache.counters().warmed, 2);
    assert_eq!(has(&cache, "b"), Some((2, "b".to_owned())));
    assert_eq!(has(&cache, "a"), Some((1, "one".to_owned())));
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let with = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        Cache::new(settings).unwrap_err().to_string()
    };
    assert!(with(|it| it.bytes_max = 1).starts_with("bytes_max: 1: from"));
    assert!(with(|it| it.ttl = Duration::ZERO).starts_with("ttl: "));
    assert!(with(|it| it.namespace = "a b".to_owned()).starts_with("namespace: \"a b\""));
    let address = with(|it| it.redis = Some("http://:secret@host".to_owned()));
    assert!(
        address.starts_with("redis: ") && !address.contains("secret"),
        "{address}"
    );
}
