//! Answers that are kept: never longer than the tables stand still, and shared by Redis.
#![allow(clippy::unwrap_used)]

#[path = "../../cache/tests/redis/mod.rs"]
mod redis;
mod service;

use redis::{Redis, until};
use serde_json::json;
use service::{Service, Settings};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::Database;

const TOPS: &str = "/api/v1/tops";

fn bid(service: &Service) -> i64 {
    let rows = service.get(TOPS, "market").json();
    rows[0]["bid"].as_i64().unwrap()
}

/// As `wirecross-slow` writes: rows and their table's version in one transaction.
fn projects(service: &Service, bid: i64) {
    let database = Database::open(&service.tables()).unwrap();
    let text = format!(
        "BEGIN; UPDATE tops SET bid = {bid};
         UPDATE versions SET version = version + 1 WHERE name = 'tops'; COMMIT;"
    );
    database.connection.execute_batch(&text).unwrap();
}

#[test]
fn an_answer_is_kept_until_the_tables_change() {
    let service = Service::start();
    let before = bid(&service);
    for _ in 0..3 {
        assert_eq!(bid(&service), before);
    }
    assert_eq!(service.figure("wirecross_cache_l1_hits_total"), Some(3));
    assert_eq!(service.figure("wirecross_cache_l3_loads_total"), Some(1));
    for round in 1..=20 {
        projects(&service, before + round);
        assert_eq!(bid(&service), before + round);
        assert_eq!(bid(&service), before + round);
    }
    assert_eq!(service.figure("wirecross_cache_l3_loads_total"), Some(21));
    // What changes in another table leaves it as it is.
    let trades = || service.get("/api/v1/trades", "auditor").body;
    let before = trades();
    projects(&service, 1);
    assert_eq!((trades(), bid(&service)), (before, 1));
    assert_eq!(service.figure("wirecross_cache_l3_loads_total"), Some(23));
    // Another question is another answer.
    let rows = |path: &str| {
        service
            .get(path, "auditor")
            .json()
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(rows("/api/v1/fills?account=1"), 1);
    assert_eq!(rows("/api/v1/fills?account=2&symbol=MSFT"), 0);
    assert_eq!(rows("/api/v1/open-orders?limit=1"), 1);
    assert_eq!(rows("/api/v1/open-orders?limit=2"), 2);
    assert_eq!(rows("/api/v1/open-orders"), 3);
}

/// The newest rows are another answer than the oldest, over HTTP and in a batch.
#[test]
fn the_newest_rows_come_from_the_newest_on() {
    let service = Service::start();
    let day = 1_i64 << 48;
    let more = format!(
        "INSERT INTO fills VALUES ({}, 1, 1, 1, 1, 'MSFT', 200, 5, 7, 'A', NULL),
                                  ({}, 2, 2, 1, 2, 'MSFT', 200, 5, 7, 'R', NULL);
         INSERT INTO audit VALUES ({}, 60, 'Kill', 0, 'late', 0, 1, NULL, 0, 0, 0);",
        day + 4,
        day + 5,
        day + 1
    );
    let database = Database::open(&service.tables()).unwrap();
    database.connection.execute_batch(&more).unwrap();
    for (name, key) in [
        ("trades", "auditor"),
        ("tape", "market"),
        ("audit", "auditor"),
    ] {
        let rows = |words: &str| service.get(&format!("/api/v1/{name}?{words}"), key).json();
        let oldest = rows("order=asc");
        assert_eq!(oldest, rows("limit=1000"), "{name}");
        let mut turned = oldest.as_array().unwrap().clone();
        turned.reverse();
        assert!(turned.len() > 1, "{name}: {turned:?}");
        assert_eq!(rows("order=desc"), json!(turned), "{name}");
        assert_eq!(rows("order=desc&limit=1"), json!(turned[..1]), "{name}");
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": name,
            "params": {"order": "desc", "limit": 1}});
        let answer = service.post(&call.to_string(), key).json();
        assert_eq!(answer["result"], json!(turned[..1]), "{name}");
    }
}

/// A page looks once a second and needs no answer for itself; whoever does not say so gets what is.
#[test]
fn who_takes_an_older_answer_shares_it() {
    let service = Service::with(&Settings {
        limits: "",
        more: "cache = { trace = true }".to_owned(),
    });
    let aged = |age_s: u32| {
        let head = [
            "Authorization: Bearer market-token".to_owned(),
            format!("Cache-Control: max-age={age_s}"),
        ];
        let rows = service.ask("GET", TOPS, &head, b"").json();
        rows[0]["bid"].as_i64().unwrap()
    };
    let before = aged(60);
    projects(&service, before + 1);
    assert_eq!(aged(60), before);
    assert_eq!(aged(0), before + 1);
    assert_eq!(bid(&service), before + 1);
    // An answer of that age is none of the present, and is found all the same.
    assert_eq!(aged(60), before);
    sleep(Duration::from_secs(1));
    assert_eq!(aged(1), before + 1);
    projects(&service, before + 2);
    assert_eq!(aged(60), before + 1);
    assert_eq!(service.figure("wirecross_cache_l3_loads_total"), Some(2));
    // Each of these is in the trace, under the key of the answer that it got.
    let trace = service.dir.path().join("tables/tables.db-trace");
    let trace = std::fs::read_to_string(trace).unwrap();
    let keys = trace
        .lines()
        .map(|line| line.splitn(3, ' ').nth(2).unwrap());
    let keys: Vec<&str> = keys.collect();
    assert_eq!(keys.len(), 7, "{trace}");
    for (one, other, is_same) in [(0, 1, true), (0, 2, false), (2, 3, true), (5, 6, true)] {
        assert_eq!(keys[one] == keys[other], is_same, "{trace}");
    }
}

/// What was asked for at the opening of days before is in memory before this one's.
#[test]
fn what_is_likely_to_be_asked_for_is_there_before_the_session_opens() {
    // The opening is at a full minute; what is likely is made `early` before.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (now, early) = (now.as_secs(), 3);
    let opens = (now + early).next_multiple_of(60) + 60;
    let warm_s = opens - now - early;
    let slot = opens % 86_400 / 900;
    let asked = format!(
        "{day}\n{slot} 9 0 tops|||||||-\n{slot} 5 0 bars|||||||=AAPL\n{slot} 3 0 gone|||||||-\n",
        day = now / 86_400
    );
    let (hour, minute) = (opens % 86_400 / 3_600, opens % 3_600 / 60);
    let mut service = Service::with(&Settings {
        limits: "",
        more: format!("cache = {{ opens_utc = \"{hour:02}:{minute:02}\", warm_s = {warm_s} }}"),
    });
    service.stop();
    let path = service.dir.path().join("tables/tables.db-asked");
    std::fs::write(&path, asked).unwrap();
    service.again();
    // Keys may ask so and so often.
    sleep(Duration::from_secs(early));
    until("what is likely is there", || {
        service.figure("wirecross_cache_warmed_total") == Some(2)
    });
    // Members come and change what nobody asked for.
    let database = Database::open(&service.tables()).unwrap();
    let logon = "BEGIN; \
                 INSERT INTO audit \
                 VALUES ((1 << 48) + 9, 70, 'Logon', 1, NULL, 1, 1, NULL, 0, 0, 0); \
                 UPDATE versions SET version = version + 1 WHERE name = 'audit'; COMMIT;";
    database.connection.execute_batch(logon).unwrap();
    let hits = service.figure("wirecross_cache_l1_hits_total").unwrap();
    bid(&service);
    service.get("/api/v1/bars?symbol=AAPL", "market").json();
    let after = service.figure("wirecross_cache_l1_hits_total");
    assert_eq!(after, Some(hits + 2));
    assert_eq!(service.figure("wirecross_cache_l3_loads_total"), Some(2));
}

/// Trades of a day that is in files alone, if the settings name these.
#[test]
fn old_days_are_answered_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("history");
    let old = |bound: &'static str| {
        let service = Service::with(&Settings {
            limits: bound,
            more: format!("history = {dir:?}"),
        });
        let database = Database::open(&service.tables()).unwrap();
        let text = "UPDATE days SET name = '2026112201'; \
                    INSERT INTO days VALUES (2, '2026112301', 1000); \
                    UPDATE orders SET state = 'canceled' \
                    WHERE id > (SELECT min(id) FROM orders)";
        database.connection.execute_batch(text).unwrap();
        drop(database);
        service
    };
    std::fs::create_dir(&dir).unwrap();
    let service = old("");
    let paths = [
        "trades",
        "tape",
        "trades?symbol=AAPL",
        "fills?account=2",
        "bars?width=3600",
    ];
    let asked =
        |service: &Service| paths.map(|it| service.get(&format!("/api/v1/{it}"), "auditor").body);
    let before = asked(&service);
    assert!(before[0].contains("AAPL"), "{before:?}");
    let days = store::history::Keeping {
        dir: dir.clone(),
        days: Some(1),
    };
    let location = store::Location::File(service.tables());
    let kept = store::history::keep(&location, &days).unwrap();
    assert_eq!((kept.written, kept.moved), (1, 1));
    assert_eq!(asked(&service), before);
    let seconds = service.get("/api/v1/bars?width=1", "market").json();
    assert_eq!(
        (&seconds[0]["units"], &seconds[0]["trades"]),
        (&5.into(), &1.into())
    );
    // The tables alone have none of it, and more than is allowed is not read.
    let reader = store::query::Reader::open(&service.tables()).unwrap();
    let mut rows = Vec::new();
    let filter = store::query::Filter::default();
    assert_eq!(
        reader.query("trades", &filter, (true, &mut rows)).unwrap(),
        0
    );
    let bounded = old("history_rows = 1");
    store::history::keep(&store::Location::File(bounded.tables()), &days).unwrap();
    let answer = bounded.get("/api/v1/trades", "auditor");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.told().contains("shorter time"), "{answer:?}");
    // With an order of a day before the youngest one nobody can trade: no file is opened for it.
    let answer = bounded.get("/api/v1/open-orders", "auditor");
    assert_eq!(answer.json().as_array().unwrap().len(), 0, "{answer:?}");
}

/// Rows that something else changed, where nobody notices that the tables are others.
#[test]
fn an_answer_that_became_wrong_is_found_and_forgotten() {
    let service = Service::with(&Settings {
        limits: "",
        more: "cache = { check_s = 1, ttl_s = 3600 }".to_owned(),
    });
    let before = bid(&service);
    let database = Database::open(&service.tables()).unwrap();
    let change = format!("UPDATE tops SET bid = {}", before + 1);
    until("it is found right", || {
        service.figure("wirecross_cache_checked_total") > Some(0)
    });
    // Keys may ask so and so often.
    until("none was found wrong", || {
        service.figure("wirecross_cache_differed_total") == Some(0)
    });
    database.connection.execute_batch(&change).unwrap();
    until("it is found wrong", || {
        service.figure("wirecross_cache_differed_total") == Some(1)
    });
    assert_eq!(bid(&service), before + 1);
}

#[test]
fn what_is_refused_is_not_kept() {
    let service = Service::start();
    let database = Database::open(&service.tables()).unwrap();
    let rename = |from: &str, to: &str| {
        let text = format!("ALTER TABLE {from} RENAME TO {to}");
        database.connection.execute_batch(&text).unwrap();
    };
    rename("tops", "gone");
    for _ in 0..2 {
        let answer = service.get("/api/v1/tops", "auditor");
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.told().contains("tops"), "{answer:?}");
    }
    rename("gone", "tops");
    assert_eq!(service.get("/api/v1/fills", "auditor").status, 400);
    assert_eq!(service.figure("wirecross_cache_entries"), Some(0));
    assert_eq!(service.figure("wirecross_cache_l3_errors_total"), Some(2));
}

#[test]
fn nothing_is_kept_where_that_is_said() {
    let service = Service::with(&Settings {
        limits: "",
        more: "cache = { off = true }".to_owned(),
    });
    assert_eq!(bid(&service), bid(&service));
    assert_eq!(service.figure("wirecross_cache_l1_hits_total"), None);
}

#[test]
fn services_share_answers_by_redis_and_do_without_it() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let address = redis.settings().redis.unwrap().replace("redis://", "");
    let mut service = Service::with(&Settings {
        limits: "",
        more: format!("cache = {{ redis = {address:?} }}"),
    });
    let is_up = |service: &Service| service.figure("wirecross_cache_redis_up") == Some(1);
    until("Redis is there", || is_up(&service));
    let before = bid(&service);
    // Another service of the same tables: nothing in memory, and nothing to read.
    service.stop();
    service.again();
    until("Redis is there", || is_up(&service));
    assert_eq!(bid(&service), before);
    assert_eq!(service.figure("wirecross_cache_l2_hits_total"), Some(1));
    assert_eq!(service.figure("wirecross_cache_l3_loads_total"), Some(0));
    redis.kill();
    until("it is noticed", || !is_up(&service));
    projects(&service, before + 1);
    assert_eq!(bid(&service), before + 1);
    redis.again();
    until("Redis is there", || is_up(&service));
    projects(&service, before + 2);
    assert_eq!(bid(&service), before + 2);
}
