//! gRPC: every call by every role, what an autoscaler is told, and streams that are the feed's.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

#[path = "grpc/guarded.rs"]
mod guarded;
mod service;
#[path = "grpc/told.rs"]
mod told;
// Where `cargo x setup` puts it is the builder's tool's business.
#[path = "../../../tools/src/setup/venv.rs"]
#[allow(dead_code, reason = "a part is used here")]
mod venv;

use service::calls::{Client, field, until};
use service::market::Feed;
use service::{Service, Settings};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const KEDA: &str = "externalscaler.ExternalScaler";

fn started(more: &str, grpc: &str) -> Service {
    Service::with(&Settings {
        // A table of all calls begins with nobody's.
        limits: "strangers_per_second = 1000",
        more: format!("{more}[grpc]\nlisten = \"127.0.0.1:0\"\n{grpc}"),
    })
}

const SCALING: &str = "[scaling]\ncapacity = 1000\nlink_depth = 100\nread_s = 1\nahead_s = 0\n\
                       cooldown_up_s = 1\nshards_max = 9\nstep_up = 9\n";

/// By nobody, market, member, trader, auditor, metrics: codes of gRPC.
const TABLE: &[(&str, [u32; 6])] = &[
    (
        "externalscaler.ExternalScaler/IsActive",
        [16, 7, 7, 7, 14, 14],
    ),
    (
        "externalscaler.ExternalScaler/GetMetricSpec",
        [16, 7, 7, 7, 14, 14],
    ),
    (
        "externalscaler.ExternalScaler/GetMetrics",
        [16, 7, 7, 7, 14, 14],
    ),
    (
        "externalscaler.ExternalScaler/StreamIsActive",
        [16, 7, 7, 7, 14, 14],
    ),
    ("externalscaler.ExternalScaler/StreamMetricSpec", [12; 6]),
    ("wirecross.v1.Tables/Key", [16, 0, 0, 0, 0, 0]),
    ("wirecross.v1.Market/Symbols", [16, 14, 14, 14, 14, 7]),
    ("wirecross.v1.Market/Stream", [16, 3, 3, 3, 3, 7]),
    ("wirecross.v1.Orders/Session", [16, 7, 7, 14, 7, 7]),
    ("wirecross.v1.Orders/Enter", [16, 7, 7, 3, 7, 7]),
    ("wirecross.v1.Orders/Replace", [16, 7, 7, 3, 7, 7]),
    ("wirecross.v1.Orders/Cancel", [16, 7, 7, 3, 7, 7]),
    ("wirecross.v1.Orders/MassCancel", [16, 7, 7, 9, 7, 7]),
    ("wirecross.v1.Orders/Status", [12; 6]),
    ("wirecross.v1.Quant/Optimise", [16, 7, 3, 3, 3, 7]),
    ("wirecross.v1.Quant/Frontier", [16, 7, 3, 3, 3, 7]),
    ("wirecross.v1.Quant/Risk", [16, 7, 3, 3, 3, 7]),
    ("wirecross.v1.Quant/Rebalance", [16, 7, 3, 3, 3, 7]),
    ("wirecross.v1.Quant/Forecast", [16, 7, 3, 3, 3, 7]),
    ("wirecross.v1.Quant/Predict", [16, 7, 3, 3, 3, 7]),
    // An option that says nothing of itself is one.
    ("wirecross.v1.Quant/Simulate", [16, 7, 0, 0, 0, 7]),
    ("wirecross.v1.Quant/Train", [16, 7, 3, 3, 3, 7]),
    ("wirecross.v1.Quant/Features", [12; 6]),
    ("", [12; 6]),
];

/// The same for rows of these queries.
const QUERIES: &[(&str, [u32; 6])] = &[
    ("tape", [16, 0, 0, 0, 0, 7]),
    ("bars", [16, 0, 0, 0, 0, 7]),
    ("tops", [16, 0, 0, 0, 0, 7]),
    ("turns", [16, 0, 0, 0, 0, 7]),
    ("open-orders", [16, 7, 0, 0, 0, 7]),
    // Who may read all of them is to say whose.
    ("fills", [16, 7, 0, 0, 3, 7]),
    ("positions", [16, 7, 0, 0, 0, 7]),
    ("profits", [16, 7, 0, 0, 0, 7]),
    ("trades", [16, 7, 7, 7, 0, 7]),
    ("audit", [16, 7, 7, 7, 0, 7]),
    ("figures", [16, 5, 5, 5, 5, 5]),
    ("nothing", [16, 5, 5, 5, 5, 5]),
];

const WHO: [&str; 6] = ["", "market", "member", "trader", "auditor", "metrics"];

#[test]
fn every_call_is_for_who_may_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    // Nobody listens where this trader's orders go.
    let service = started(&service::trader(dir.path()), "");
    until(async {
        let client = Client::connect(service.grpc()).await;
        for (call, codes) in TABLE {
            for (key, due) in WHO.iter().zip(codes) {
                let done = client.call(call, key, &[], usize::MAX).await;
                assert_eq!(done.code, *due, "{call} by {key:?}: {done:?}");
            }
        }
        for (query, codes) in QUERIES {
            let asked = field(1, query.as_bytes());
            for (key, due) in WHO.iter().zip(codes) {
                let done = client
                    .call("wirecross.v1.Tables/Rows", key, &asked, usize::MAX)
                    .await;
                assert_eq!(done.code, *due, "{query} by {key:?}: {done:?}");
            }
        }
        let other = [field(1, b"account"), field(2, b"2")].concat();
        let other = [field(1, b"fills"), field(2, &other)].concat();
        let done = client
            .call("wirecross.v1.Tables/Rows", "trader", &other, usize::MAX)
            .await;
        assert_eq!(done.code, 7, "another's fills: {done:?}");
    });
}

#[test]
fn rows_are_those_of_a_path_and_accounts_are_ones_own() {
    let service = started("", "");
    until(async {
        let client = Client::connect(service.grpc()).await;
        let rows = "wirecross.v1.Tables/Rows";
        let done = client
            .call(rows, "member", &field(1, b"positions"), usize::MAX)
            .await;
        assert_eq!((done.code, done.messages.len()), (0, 1), "{done:?}");
        let text = String::from_utf8_lossy(&done.messages[0]).into_owned();
        assert!(
            text.contains("bought_units") && text.contains("AAPL"),
            "{text:?}"
        );
        let other = [field(1, b"account"), field(2, b"2")].concat();
        let other = [field(1, b"positions"), field(2, &other)].concat();
        let done = client.call(rows, "member", &other, usize::MAX).await;
        assert_eq!(done.code, 7, "{done:?}");
        assert!(
            done.told.contains("account 2 is not one of key"),
            "{done:?}"
        );
        let wrong = [field(1, b"sorted"), field(2, b"yes")].concat();
        let wrong = [field(1, b"tape"), field(2, &wrong)].concat();
        let done = client.call(rows, "market", &wrong, usize::MAX).await;
        assert_eq!(done.code, 3, "{done:?}");
        // No message, one that breaks off, and one that says it is longer than it may be.
        for broken in [&[0xff][..], &[10, 100, 1]] {
            let done = client.call(rows, "market", broken, usize::MAX).await;
            assert!(done.code != 0, "{done:?}");
        }
        let long = vec![0; 300 << 10];
        let done = client.call(rows, "market", &long, usize::MAX).await;
        assert_eq!(done.code, 8, "{done:?}");
        assert!(done.told.contains("more than 256 KiB"), "{done:?}");
    });
}

#[test]
fn an_autoscaler_is_told_the_shards_that_there_are_to_be() {
    let mut service = started(SCALING, "keyless_scaler = true\n");
    let at = service.grpc();
    until(async {
        let client = Client::connect(at).await;
        let spec = client
            .call(&format!("{KEDA}/GetMetricSpec"), "", &[], usize::MAX)
            .await;
        let name = field(1, b"wirecross-shards");
        let target = [&name[..], &[2 << 3, 1, 3 << 3 | 1], &1f64.to_le_bytes()].concat();
        assert_eq!(spec.messages, [field(1, &target)], "{spec:?}");
        // At once, and again when the number changes.
        let first = client
            .call(&format!("{KEDA}/StreamIsActive"), "", &[], 1)
            .await;
        assert_eq!(first.messages, [[8, 1]], "{first:?}");
        for counter in ["engine.inputs", "gate.inputs", "publish.inputs"] {
            service.counters.counter(counter).unwrap().set(90);
        }
        let due = [&name[..], &[2 << 3, 2, 3 << 3 | 1], &2f64.to_le_bytes()].concat();
        loop {
            let told = client
                .call(&format!("{KEDA}/GetMetrics"), "", &[], usize::MAX)
                .await;
            if told.messages == [field(1, &due)] {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let other = field(2, b"other");
        let told = client
            .call(&format!("{KEDA}/GetMetrics"), "", &other, usize::MAX)
            .await;
        assert_eq!(told.code, 5, "{told:?}");
        // That it asks for no key is said of the scaler only.
        let told = client
            .call("wirecross.v1.Tables/Key", "", &[], usize::MAX)
            .await;
        assert_eq!(told.code, 16, "{told:?}");
    });
}

#[test]
fn a_stream_begins_with_what_is_and_goes_on_with_what_changes() {
    let feed = Feed::new();
    let service = started(&feed.settings("batch_ms = 1"), "");
    feed.list(1, "AAPL");
    feed.add(1, 1, b'B', 100, 1_000_000);
    until(async {
        let client = Client::connect(service.grpc()).await;
        loop {
            let told = client
                .call("wirecross.v1.Market/Symbols", "market", &[], usize::MAX)
                .await;
            if told.messages == [[field(1, b"AAPL"), field(2, b"live")].concat()] {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // The book of a symbol, as JSON: how the feed stands, and then the snapshot, unless the
        // feed happens to stand otherwise between the two.
        let asked = [&[8, 1][..], &field(2, b"AAPL"), &[24, 1]].concat();
        loop {
            let done = client
                .call("wirecross.v1.Market/Stream", "market", &asked, 2)
                .await;
            let text = |at: usize| String::from_utf8_lossy(&done.messages[at]).into_owned();
            assert!(text(0).contains("\"channel\":\"feed\""), "{}", text(0));
            if text(1).contains("\"bids\":[[1000000,100,1]]") {
                break;
            }
        }
        let unknown = [&[8, 1][..], &field(2, b"NONE")].concat();
        let done = client
            .call("wirecross.v1.Market/Stream", "market", &unknown, 1)
            .await;
        assert_eq!(done.code, 5, "{done:?}");
        // Compact: all symbols' tops.
        loop {
            let done = client
                .call("wirecross.v1.Market/Stream", "market", &[8, 2], 2)
                .await;
            if done.messages[1].windows(8).any(|it| it == b"AAPL    ") {
                break;
            }
        }
    });
}

#[test]
fn a_client_by_others_understands_all_of_it() {
    let program = env!("CARGO_BIN_EXE_wirecross-api");
    let Some(python) = venv::python_with(program, &["grpc_tools"]) else {
        return;
    };
    let service = started(SCALING, "keyless_scaler = true\n");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // It waits until the shards are known.
    let output = Command::new(python)
        .arg(here.join("tests/grpc_client.py"))
        .arg(service.grpc().to_string())
        .arg(here.join("proto"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "well\n");
}
