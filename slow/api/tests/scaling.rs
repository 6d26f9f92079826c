//! The live decision on shards, from counters that a test sets.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod service;

use serde_json::Value;
use service::{BOUND, Service, Settings};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A shard takes 700 of 1,000; links are full with 100.
const SETTINGS: &str = "[scaling]\ncapacity = 1000\nlink_depth = 100\nread_s = 1\n\
                        cooldown_up_s = 1\nshards_max = 9\nstep_up = 9\n";

fn started(more: &str) -> Service {
    Service::with(&Settings {
        limits: "",
        more: format!("{SETTINGS}{more}"),
    })
}

/// The last decision, once it is so.
fn until(service: &Service, is_it: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let told = service.get("/api/v1/scaling", "metrics").json();
        let last = told["decisions"].as_array().unwrap().last();
        if let Some(last) = last.filter(|last| is_it(last)) {
            return last.clone();
        }
        assert!(begun.elapsed() < BOUND, "{told}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_link_that_fills_has_its_signal_with_the_reason() {
    let mut service = started("ahead_s = 0\n");
    let calm = until(&service, |_| true);
    assert_eq!(
        (&calm["shards"], &calm["rule"]),
        (&1.into(), &"enough".into())
    );
    // 90 of 100 places are taken behind the engine: 900 of 1,000, and a shard is to take 700.
    service.counters.counter("engine.inputs").unwrap().set(90);
    for through in ["gate.inputs", "publish.inputs"] {
        service.counters.counter(through).unwrap().set(90);
    }
    let busy = until(&service, |last| {
        last["shards"] == 2 && last["rule"] == "enough"
    });
    assert_eq!(
        (&busy["load"], &busy["gauge"]),
        (&900.0.into(), &"link engine_journal".into())
    );
    let told = service.get("/api/v1/scaling", "auditor").json();
    let decisions = told["decisions"].as_array().unwrap();
    let raised = decisions
        .iter()
        .find(|it| it["before"] != it["shards"])
        .unwrap();
    assert_eq!(
        (&raised["rule"], &raised["why"]),
        (&"load".into(), &"load 900 needs 2".into())
    );
    let text = service.get("/metrics", "metrics").body;
    for line in [
        "wirecross_scaling_shards 2",
        "wirecross_scaling_load 900",
        "wirecross_scaling_blind 0",
        "wirecross_scaling_changes_total 1",
        "wirecross_scaling_decisions_total{rule=\"load\"} 1",
        "wirecross_scaling_occupancy_ratio{shard=\"0\",link=\"engine_journal\"} 0.9",
        "wirecross_scaling_utilisation_ratio{shard=\"0\",tile=\"engine\"} 0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
}

#[test]
fn what_was_recorded_is_prepared_for() {
    let now_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history.csv");
    // Three days of the same load, a month ago.
    let first_s = now_s - 30 * 86_400;
    let rows: String = (0..3 * 288)
        .map(|at| format!("{},3000\n", first_s + at * 300))
        .collect();
    std::fs::write(&history, rows).unwrap();
    let service = started(&format!("history = {history:?}\n"));
    let ahead = until(&service, |last| last["shards"] == 5);
    assert_eq!(ahead["peak"], 3_000.0, "{ahead}");
    let told = service.get("/api/v1/scaling", "metrics").json();
    assert_eq!(told["decisions"][0]["rule"], "peak", "{told}");
}

#[test]
fn a_shard_that_says_nothing_leaves_the_number_as_it_is() {
    let service = started("shards = [\"/nowhere\"]\n");
    let begun = Instant::now();
    let is_heard = |text: String| text.contains("wirecross_scaling_rate{shard=\"0\"}");
    while !is_heard(service.get("/metrics", "metrics").body) {
        assert!(begun.elapsed() < BOUND);
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = service.get("/api/v1/scaling", "metrics").json();
    assert_eq!(
        (&told["shards"], &told["decisions"]),
        (&Value::Null, &Value::Array(vec![]))
    );
    let text = service.get("/metrics", "metrics").body;
    assert!(text.contains("\nwirecross_scaling_blind 1\n"), "{text}");
}
