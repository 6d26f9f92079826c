//! `wirecross admin show`: how a venue stands, for people and for programs.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{BOUND, Member, Site, counter, program};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

fn shown(site: &Site, more: &[&str]) -> String {
    let topology = site.dir.path().join("topology.toml");
    let args = ["admin", "show", "--topology", topology.to_str().unwrap()];
    let ended = program(&[&args, more].concat());
    ended.succeeds();
    ended.out
}

/// The shadow comes to tell this of what accounts use of their limits.
fn used_is(site: &Site, due: &[(&str, u64)]) {
    let bound = Instant::now() + BOUND;
    loop {
        let found = due.iter().map(|(name, _)| (*name, counter(site, name)));
        let found: Vec<_> = found.collect();
        if found == due {
            return;
        }
        assert!(Instant::now() < bound, "{found:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn markets_accounts_users_and_rings_are_shown() {
    let risk = "[risk.1]\nposition_units = 50\nrestricted = [\"MSFT\"]\n\n[shadow]\n\n[limits]";
    let site = Site::new().with("[limits]", risk);
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    alpha.enter(b'B', 20, "AAPL", 1_000_000);
    alpha.until_kinds("SA");
    bravo.enter(b'S', 5, "AAPL", 1_000_000);
    bravo.until_kinds("SAE");
    let topology = site.dir.path().join("topology.toml");
    let topology = topology.to_str().unwrap();
    for words in [["symbol", "MSFT"], ["user", "BRAVO"]] {
        let head = ["admin", "act", "--topology", topology, "--why", "x", "kill"];
        program(&[&head[..], &words].concat()).succeeds();
    }
    let told: Value = serde_json::from_str(&shown(&site, &["--json"])).unwrap();
    let symbol = |name: &str, last: Value, best: Value, is_killed: bool| {
        json!({
            "name": name, "state": "continuous", "last": last, "best_buy": best,
            "best_sell": null, "is_killed": is_killed,
        })
    };
    let price = json!(1_000_000);
    let due = [
        symbol("AAPL", price.clone(), price, false),
        symbol("MSFT", Value::Null, Value::Null, true),
    ];
    assert_eq!(told["symbols"], json!(due));
    assert_eq!(
        told["accounts"][0],
        json!({
            "account": 1, "live_orders": 1, "gross": "20000000", "net_buy": "20000000",
            "net_sell": "-5000000", "limits": { "position_units": 50 },
            "restricted": ["MSFT"], "positions": { "AAPL": 5 },
        })
    );
    assert_eq!(told["accounts"][1]["positions"], json!({ "AAPL": -5 }));
    assert_eq!(told["users"][1]["is_killed"], json!(true));
    assert_eq!(told["users"][0]["is_killed"], json!(false));
    assert_eq!(
        (&told["live_orders"], &told["is_running"]),
        (&json!(1), &json!(true))
    );
    let rings = told["rings"].as_array().unwrap();
    assert_eq!(rings[0]["link"], "gate_engine");
    assert_eq!(rings[0]["depth"], 256);
    used_is(
        &site,
        &[
            ("risk.1.open_orders.used", 1),
            ("risk.1.open_orders.limit", 0),
            ("risk.1.position_units.used", 20),
            ("risk.1.position_units.limit", 50),
            ("risk.1.gross_credit.used", 20_000_000),
            ("risk.1.net_credit.used", 20_000_000),
            ("risk.2.open_orders.used", 0),
            ("risk.2.position_units.used", 5),
            ("risk.2.gross_credit.used", 5_000_000),
            ("risk.2.net_credit.used", 5_000_000),
        ],
    );
    let text = shown(&site, &[]);
    for line in [
        "AAPL     continuous                100.0000       100.0000              -\n",
        "MSFT     continuous                       -              -              -  KILLED\n",
        "  limits: position_units 50\n  positions: AAPL 5\n  restricted: MSFT\n",
        "gate_engine ",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    venue.stop();
    // What it left behind can be looked at, too.
    let told: Value = serde_json::from_str(&shown(&site, &["--json"])).unwrap();
    assert_eq!(told["is_running"], json!(false));
    assert_eq!(told["accounts"][1]["positions"], json!({ "AAPL": -5 }));
    assert_eq!(told["rings"], json!([]));
}
