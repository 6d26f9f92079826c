//! Answers that are kept: never longer than the tables stand still, and shared by Redis.
#![allow(clippy::unwrap_used)]

#[path = "../../cache/tests/redis/mod.rs"]
mod redis;
mod service;

use redis::{Redis, until};
use service::{Service, Settings};
use store::Database;

const TOPS: &str = "/api/v1/tops";

/// A figure of the service.
fn figure(service: &Service, name: &str) -> Option<u64> {
    let text = service.get("/metrics", "metrics").body;
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

fn bid(service: &Service) -> i64 {
    let rows = service.get(TOPS, "market").json();
    rows[0]["bid"].as_i64().unwrap()
}

/// As `wirecross-slow` writes: rows and how far they come in one transaction.
fn projects(service: &Service, bid: i64) {
    let database = Database::open(&service.tables()).unwrap();
    let text = format!(
        "BEGIN; UPDATE tops SET bid = {bid};
         INSERT INTO progress VALUES (1, 3, 0, 1, 0, NULL)
             ON CONFLICT DO UPDATE SET next = next + 1; COMMIT;"
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
    assert_eq!(figure(&service, "wirecross_cache_l1_hits_total"), Some(3));
    assert_eq!(figure(&service, "wirecross_cache_l3_loads_total"), Some(1));
    for round in 1..=20 {
        projects(&service, before + round);
        assert_eq!(bid(&service), before + round);
        assert_eq!(bid(&service), before + round);
    }
    assert_eq!(figure(&service, "wirecross_cache_l3_loads_total"), Some(21));
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
        figure(&service, "wirecross_cache_checked_total") > Some(0)
    });
    // Keys may ask so and so often.
    until("none was found wrong", || {
        figure(&service, "wirecross_cache_differed_total") == Some(0)
    });
    database.connection.execute_batch(&change).unwrap();
    until("it is found wrong", || {
        figure(&service, "wirecross_cache_differed_total") == Some(1)
    });
    assert_eq!(bid(&service), before + 1);
}

#[test]
fn what_is_refused_is_not_kept() {
    let service = Service::start();
    for _ in 0..2 {
        let answer = service.get("/api/v1/fills", "auditor");
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.told().contains("say which"), "{answer:?}");
    }
    assert_eq!(figure(&service, "wirecross_cache_entries"), Some(0));
    assert_eq!(figure(&service, "wirecross_cache_l3_errors_total"), Some(2));
}

#[test]
fn nothing_is_kept_where_that_is_said() {
    let service = Service::with(&Settings {
        limits: "",
        more: "cache = { off = true }".to_owned(),
    });
    assert_eq!(bid(&service), bid(&service));
    assert_eq!(figure(&service, "wirecross_cache_l1_hits_total"), None);
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
    let is_up = |service: &Service| figure(service, "wirecross_cache_redis_up") == Some(1);
    until("Redis is there", || is_up(&service));
    let before = bid(&service);
    // Another service of the same tables: nothing in memory, and nothing to read.
    service.stop();
    service.again();
    until("Redis is there", || is_up(&service));
    assert_eq!(bid(&service), before);
    assert_eq!(figure(&service, "wirecross_cache_l2_hits_total"), Some(1));
    assert_eq!(figure(&service, "wirecross_cache_l3_loads_total"), Some(0));
    redis.kill();
    until("it is noticed", || !is_up(&service));
    projects(&service, before + 1);
    assert_eq!(bid(&service), before + 1);
    redis.again();
    until("Redis is there", || is_up(&service));
    projects(&service, before + 2);
    assert_eq!(bid(&service), before + 2);
}
