//! Several caches over one real Redis.
#![allow(clippy::unwrap_used)]

mod redis;

use cache::{Cache, Reach, Settings, Stored};
use redis::{Redis, WAIT_MAX, asks, has, loaded, until};
use std::convert::Infallible;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

fn caught_up(cache: &Cache) {
    until("Redis answers", || cache.catch_up(WAIT_MAX));
}

#[test]
fn what_one_loads_another_finds_in_redis() {
    let Some(redis) = Redis::start() else { return };
    let (one, two) = (redis.cache(), redis.cache());
    let long = "price 1000000 units 5;".repeat(500);
    assert_eq!(asks(&one, "a", &loaded(3, &long, &["t"])), long);
    assert_eq!(has(&two, "a"), Some((3, long.clone())));
    assert_eq!(has(&two, "a"), Some((3, long)));
    assert_eq!(asks(&one, "none", &loaded(1, "", &[])), "(absent)");
    assert_eq!(has(&two, "none"), Some((1, "(absent)".to_owned())));
    let (one, two) = (one.counters(), two.counters());
    assert_eq!((one.l3_loads, one.l2_misses, one.packed), (2, 2, 1));
    assert_eq!((two.l3_loads, two.l2_hits, two.l1_hits), (0, 2, 1));
    assert!(one.packed_bytes_after * 10 < one.packed_bytes_before);
}

#[test]
fn an_invalidation_reaches_all_levels_of_all() {
    let Some(redis) = Redis::start() else { return };
    let (one, two) = (redis.cache(), redis.cache());
    let fill = || {
        for cache in [&one, &two] {
            asks(cache, "bars:[A]:1", &loaded(1, "a", &["bars", "A"]));
            asks(cache, "bars:B:1", &loaded(1, "b", &["bars", "B"]));
            asks(cache, "tops:[A]", &loaded(1, "t", &["tops", "A"]));
        }
    };
    // In memory or in Redis: nobody loads.
    let left = |cache: &Cache| {
        caught_up(cache);
        ["bars:[A]:1", "bars:B:1", "tops:[A]"].map(|key| u8::from(has(cache, key).is_some()))
    };
    fill();
    assert_eq!((left(&one), left(&two)), ([1; 3], [1; 3]));
    assert_eq!(one.invalidate("bars:B:1", None), Reach::Everywhere);
    assert_eq!((left(&one), left(&two)), ([1, 0, 1], [1, 0, 1]));
    fill();
    assert_eq!(one.invalidate_tag("A"), Reach::Everywhere);
    assert_eq!((left(&one), left(&two)), ([0, 1, 0], [0, 1, 0]));
    fill();
    assert_eq!(two.invalidate_pattern("bars:[*"), Reach::Everywhere);
    assert_eq!((left(&one), left(&two)), ([0, 1, 1], [0, 1, 1]));
    fill();
    redis.say("FLUSHALL");
    assert_eq!((left(&one), left(&two)), ([0; 3], [0; 3]));
}

#[test]
fn an_older_version_never_overwrites_a_newer_one_in_redis() {
    let Some(redis) = Redis::start() else { return };
    let (one, two) = (redis.cache(), redis.cache());
    // Beyond what a number of Redis' scripts holds exactly.
    let base = 1 << 60;
    assert_eq!(asks(&two, "a", &loaded(base, "old", &[])), "old");
    assert_eq!(
        one.put("a", &loaded(base + 2, "new", &[])),
        Stored::Everywhere
    );
    assert_eq!(two.put("a", &loaded(base + 1, "late", &[])), Stored::Older);
    caught_up(&two);
    assert_eq!(has(&two, "a"), Some((base + 2, "new".to_owned())));
    one.invalidate("a", Some(base + 5));
    caught_up(&two);
    // Each from a replica that is behind.
    for cache in [&two, &one] {
        assert_eq!(asks(cache, "a", &loaded(base + 4, "behind", &[])), "behind");
        assert_eq!(has(cache, "a"), None);
    }
    assert_eq!(asks(&two, "a", &loaded(base + 5, "five", &[])), "five");
    assert_eq!(has(&one, "a"), Some((base + 5, "five".to_owned())));
    // To forget without a version keeps what was known.
    one.invalidate("a", None);
    caught_up(&two);
    assert_eq!(asks(&two, "a", &loaded(base + 4, "behind", &[])), "behind");
    assert_eq!(has(&one, "a"), None);
}

/// Whatever happens at another process while one loads, what it brings is not kept.
#[test]
fn what_changes_elsewhere_while_it_is_loaded_is_not_kept() {
    let Some(redis) = Redis::start() else { return };
    let (one, two) = (redis.cache(), redis.cache());
    let changes: [fn(&Cache, &Redis); 4] = [
        |two, _| {
            two.invalidate("a", None);
        },
        |two, _| {
            two.invalidate_tag("tag");
        },
        |two, _| {
            two.invalidate_pattern("a*");
        },
        |_, redis| {
            redis.say("FLUSHALL");
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let entry = one.get_or_load("a", || {
            change(&two, &redis);
            caught_up(&one);
            Ok::<_, Infallible>(loaded(1, "old", &["tag"]))
        });
        assert_eq!(entry.unwrap().value(), Some(&b"old"[..]));
        assert_eq!(
            (has(&one, "a"), has(&two, "a")),
            (None, None),
            "change {number}"
        );
        // Nothing holds up the next one.
        assert_eq!(asks(&one, "a", &loaded(1, "new", &["tag"])), "new");
        assert!(has(&two, "a").is_some());
        two.invalidate("a", None);
        caught_up(&one);
    }
    assert_eq!(one.counters().overtaken, 4);
}

#[test]
fn processes_that_want_the_same_load_once() {
    let Some(redis) = Redis::start() else { return };
    let caches: Vec<Cache> = (0..4).map(|_| redis.cache()).collect();
    let (loads, barrier) = (AtomicU32::new(0), Barrier::new(8));
    for round in 0..10 {
        let key = format!("key {round}");
        let (loads, barrier) = (&loads, &barrier);
        thread::scope(|scope| {
            for number in 0..8 {
                let (cache, key) = (&caches[number % 4], &key);
                scope.spawn(move || {
                    barrier.wait();
                    let entry = cache.get_or_load(key, || {
                        loads.fetch_add(1, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(5));
                        Ok::<_, Infallible>(loaded(1, "one", &[]))
                    });
                    assert_eq!(entry.unwrap().value(), Some(&b"one"[..]));
                });
            }
        });
    }
    assert_eq!(loads.load(Ordering::SeqCst), 10);
}

#[test]
fn redis_may_die_and_come_back() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let settings = Settings {
        redis_wait: Duration::from_secs(60),
        blind_ttl: Duration::from_millis(1),
        ..redis.settings()
    };
    let (one, two) = (
        Cache::new(settings.clone()).unwrap(),
        Cache::new(settings).unwrap(),
    );
    assert!(one.wait_for_redis(WAIT_MAX) && two.wait_for_redis(WAIT_MAX));
    asks(&one, "a", &loaded(1, "one", &["t"]));
    assert!(has(&two, "a").is_some());
    redis.kill();
    until("they notice", || !one.has_redis() && !two.has_redis());
    // Memory was emptied, and keeps nothing for long.
    assert_eq!(has(&two, "a"), None);
    assert_eq!(asks(&two, "a", &loaded(1, "one", &["t"])), "one");
    until("it is too old", || {
        asks(&two, "a", &loaded(2, "two", &["t"])) == "two"
    });
    // What is changed now is told later.
    assert_eq!(one.invalidate("a", Some(3)), Reach::Later);
    assert_eq!(one.invalidate_tag("t"), Reach::Later);
    assert_eq!(one.put("b", &loaded(1, "one", &[])), Stored::Here);
    assert_eq!(one.waiting(), 3);
    redis.again();
    for cache in [&one, &two] {
        assert!(cache.wait_for_redis(WAIT_MAX));
    }
    until("all is told", || one.waiting() == 0);
    caught_up(&two);
    // The new Redis knows which versions may come back.
    assert_eq!(asks(&two, "a", &loaded(2, "two", &[])), "two");
    assert_eq!(has(&two, "a"), None);
    assert_eq!(asks(&two, "a", &loaded(3, "three", &[])), "three");
    assert_eq!(has(&one, "a"), Some((3, "three".to_owned())));
    let seen = two.counters();
    assert!(seen.links_made == 2 && seen.links_lost == 1, "{seen:?}");
}

#[test]
fn a_redis_that_is_not_there_hinders_nobody() {
    let settings = Settings {
        // A port that nobody listens on: the system's own.
        redis: Some("redis://127.0.0.1:1".to_owned()),
        ..Settings::default()
    };
    let cache = Cache::new(settings).unwrap();
    assert_eq!(asks(&cache, "a", &loaded(1, "one", &[])), "one");
    assert_eq!(cache.invalidate("a", None), Reach::Later);
    assert!(!cache.has_redis() && !cache.catch_up(Duration::from_millis(1)));
    // What is older than it may be is answered, and not kept.
    assert_eq!(cache.invalidate("a", Some(7)), Reach::Later);
    assert_eq!(asks(&cache, "a", &loaded(6, "six", &[])), "six");
    assert_eq!(has(&cache, "a"), None);
    assert_eq!(asks(&cache, "a", &loaded(7, "seven", &[])), "seven");
    // More changes than are remembered become one that is about everything.
    for number in 0..10_000 {
        cache.invalidate(&number.to_string(), None);
    }
    assert!(cache.waiting() <= 4_096);
}

#[test]
fn nonsense_in_redis_is_not_believed() {
    let Some(redis) = Redis::start() else { return };
    let (one, two) = (redis.cache(), redis.cache());
    for (number, bytes) in [
        "\\x01",
        "\\xff\\xff",
        "\\x01\\0\\0\\0\\0\\0\\0\\0\\x01\\0\\x01junk",
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("k{number}");
        let answer = redis.say(&format!(
            "SET wx1:cache:v:{key} \"{}\"",
            bytes.replace("\\0", "\\x00")
        ));
        assert!(answer.starts_with("+OK"), "{answer}");
        assert_eq!(asks(&one, &key, &loaded(1, "right", &[])), "right");
        assert_eq!(has(&two, &key), Some((1, "right".to_owned())), "{bytes}");
    }
    assert_eq!(one.counters().l2_damaged, 3);
    // A signal of nobody's making empties memory.
    assert!(one.get("k0").is_some() || has(&one, "k0").is_some());
    redis.say("SET wx1:cache:i:\"\" 1");
    until("it is emptied", || one.get("k0").is_none());
}

#[test]
fn a_check_compares_with_redis() {
    let Some(redis) = Redis::start() else { return };
    let (one, two) = (redis.cache(), redis.cache());
    for number in 0..20 {
        asks(&one, &number.to_string(), &loaded(1, "right", &[]));
        has(&two, &number.to_string());
    }
    let right = |_: &str| Ok::<_, Infallible>(loaded(1, "right", &[]));
    assert_eq!(two.check((100, 1), |_| true, right).unwrap().sampled, 20);
    // As if a signal had been lost.
    let other = "\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x00new";
    assert!(
        redis
            .say(&format!("SET wx1:cache:v:5 \"{other}\""))
            .starts_with("+OK")
    );
    let checked = two.check((100, 1), |_| true, right).unwrap();
    let wrong: Vec<_> = checked
        .differences
        .iter()
        .map(|it| (&*it.key, it.level))
        .collect();
    assert_eq!(wrong, [("5", 2)]);
    assert_eq!(
        two.check((100, 1), |_| true, right)
            .unwrap()
            .differences
            .len(),
        0
    );
}
