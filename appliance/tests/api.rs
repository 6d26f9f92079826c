//! A venue that has the API beside it: what is asked over HTTP is what happened.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{
    Member, Site, api_settings, free_port, over_http, posted_over_http, process_status,
    program_beside, trade, wait_until,
};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

fn site(port: u16) -> Site {
    program_beside("wirecross-slow");
    program_beside("wirecross-api");
    let site = Site::new();
    let (dir, settings) = (site.dir.path().join("tables"), api_settings(&site, port));
    site.with(
        "[tiles]",
        &format!("[shadow]\n\n[slow]\ndir = {dir:?}\n\n[api]\nsettings = {settings:?}\n\n[tiles]"),
    )
}

/// What a path gives; `None` while nobody answers, or not with 200.
fn asked(port: u16, path: &str) -> Option<Value> {
    serde_json::from_str(&over_http(port, path)?).ok()
}

fn rows(port: u16, path: &str) -> usize {
    let rows = asked(port, path);
    rows.map_or(0, |rows| rows.as_array().unwrap().len())
}

/// The service's process: the one that has its settings among its words.
fn service(site: &Site) -> Option<String> {
    let settings = site.dir.path().join("api.toml");
    let processes = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    processes
        .filter_map(|process| {
            let line = fs::read(process.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).into_owned();
            let is_it = line.contains("wirecross-api\0serve")
                && line.contains(settings.to_str().unwrap())
                && !line.contains("\0watch\0");
            is_it.then(|| process.file_name().into_string().unwrap())
        })
        .next()
}

#[test]
fn what_is_asked_is_what_happened_and_the_service_comes_back() {
    let port = free_port();
    let site = site(port);
    let venue = site.start();
    trade(&venue, 0, 20);
    wait_until("the trades", || rows(port, "/api/v1/trades") == 20);
    let trades = asked(port, "/api/v1/trades").unwrap();
    for trade in trades.as_array().unwrap() {
        assert_eq!((&trade["buyer"], &trade["seller"]), (&2.into(), &1.into()));
        assert_eq!(
            (&trade["price"], &trade["units"]),
            (&1_000_000.into(), &1.into())
        );
    }
    let positions = asked(port, "/api/v1/profits").unwrap();
    assert_eq!(
        (&positions[0]["position"], &positions[1]["position"]),
        (&(-20).into(), &20.into())
    );
    // That the members are gone is an input, too, and may come later than their trades.
    wait_until("the same figures", || {
        let inputs = harness::counter(&site, "engine.inputs");
        asked(port, "/api/v1/figures")
            .is_some_and(|figures| figures["counters"]["engine.inputs"] == inputs)
    });
    assert_eq!(asked(port, "/healthz").unwrap()["venue"], "up");

    // Confined, each of them says what it takes: venue, service and tables.
    let mut memory = Value::Null;
    wait_until("the memory of all", || {
        memory = asked(port, "/api/v1/memory").unwrap_or_default();
        let all = memory["processes"].as_array();
        all.is_some_and(|all| all.len() == 3 && all.iter().all(|it| it["now"].is_object()))
    });
    for process in memory["processes"].as_array().unwrap() {
        for figure in ["resident_bytes", "minor_faults"] {
            assert!(process["now"][figure].as_u64() > Some(0), "{process}");
        }
    }
    assert_eq!(memory["pools"].as_array().unwrap().len(), 6, "{memory}");
    let engine = memory["set_aside_bytes"]["engine"].as_u64();
    assert!(engine > Some(1 << 20), "{memory}");

    let process = service(&site).unwrap();
    let lines = process_status(&process).unwrap();
    assert_eq!(lines["CapEff"], "0000000000000000", "{lines:#?}");
    assert_eq!(
        (&*lines["NoNewPrivs"], &*lines["Seccomp"]),
        ("1", "2"),
        "{lines:#?}"
    );
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        assert_eq!(lines["Uid"], ["1"; 4].join("\t"), "{lines:#?}");
    }
    // What is computed needs nothing that was given up.
    let of_two = json!({
        "assets": "name,start,volatility,weight\nAA,90,0.2,1\nBB,62,0.35,-1\n",
        "correlations": "1,0.6\n0.6,1\n", "strike": 0, "paths": 65_536,
    });
    let told = posted_over_http(port, "/api/v1/quant/simulate", &of_two.to_string());
    let told: Value = serde_json::from_str(&told.unwrap()).unwrap();
    let [value, error, exactly] =
        ["value", "error", "exactly"].map(|name| told[name].as_f64().unwrap());
    assert!((value - exactly).abs() < 4.5 * error, "{told}");
    let killed = Command::new("kill").args(["-9", &process]).status();
    assert!(killed.unwrap().success());
    trade(&venue, 20, 5);
    wait_until("another one", || rows(port, "/api/v1/trades") == 25);
    assert_ne!(service(&site), Some(process));
    venue.stop();
    wait_until("its end", || service(&site).is_none());
}

#[test]
fn a_venue_that_mostly_waits_for_its_disk_stays_one_shard() {
    let port = free_port();
    let site = site(port);
    let settings = site.dir.path().join("api.toml");
    let scaling = "[scaling]\ncapacity = 20000\nread_s = 1\ncooldown_up_s = 1\n";
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(settings, text + scaling).unwrap();
    let venue = site.start();
    let mut members = ["ALPHA", "BRAVO"].map(|name| Member::login(venue.order_entry(), name));
    // Each order is on disk before the next one comes, so the tiles wait and have little to do.
    let decided = |text: &str| {
        let name = "wirecross_scaling_decisions_total{rule=\"enough\"} ";
        let count = text.lines().find_map(|line| line.strip_prefix(name));
        count.and_then(|count| count.parse().ok()) > Some(2_u64)
    };
    let (mut told, mut accepted) = (String::new(), 0);
    wait_until("three decisions that it is enough", || {
        for _ in 0..50 {
            accepted += 1;
            for (member, side) in members.iter_mut().zip([b'S', b'B']) {
                member.enter(side, 1, "AAPL", 1_000_000);
                member.until("the acceptance", |it| {
                    it.kinds().matches('A').count() == accepted
                });
            }
        }
        told = over_http(port, "/metrics").unwrap_or_default();
        // A decision that it is not enough ends this, too.
        decided(&told) || told.contains("{rule=\"load\"} 1")
    });
    for line in [
        "wirecross_scaling_shards 1",
        "wirecross_scaling_changes_total 0",
    ] {
        assert!(told.lines().any(|it| it == line), "{line}: {told}");
    }
    venue.stop();
}

/// The first message of a channel that a stream tells; `None` while there is none.
fn streamed(port: u16, channel: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(harness::BOUND)).unwrap();
    let head = "GET /api/v1/stream HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\n\
                Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer token\r\n\r\n";
    let wish = format!(
        r#"{{"op":"subscribe","channel":"{channel}","symbols":["AAPL"]}}{}"#,
        " ".repeat(30)
    );
    // A short text of a client's, with a mask of zeros.
    let length = u8::try_from(wish.len()).unwrap();
    let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0][..], wish.as_bytes()].concat();
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&frame).ok()?;
    let (mut told, mut bytes) = (Vec::new(), [0; 4_096]);
    loop {
        let count = stream.read(&mut bytes).ok().filter(|count| *count > 0)?;
        told.extend(&bytes[..count]);
        let text = String::from_utf8_lossy(&told);
        let begin = text.find(&format!("{{\"channel\":\"{channel}\""));
        let whole = begin.and_then(|begin| {
            let mut values = serde_json::Deserializer::from_str(&text[begin..]).into_iter();
            values.next()?.ok()
        });
        if whole.is_some() || text.contains("not-found") {
            return whole;
        }
    }
}

#[test]
fn a_stream_tells_the_book_also_to_a_service_that_comes_late() {
    let (port, process) = (free_port(), std::process::id());
    // A group of this test's own, which many may hear.
    let line = format!(
        "239.193.{}.250:{}",
        process as u8,
        20_000 + process % 20_000
    );
    let site = site(port);
    let group = site.feed.local_addr().unwrap();
    let snapshot = format!("snapshot = \"127.0.0.1:{}\"\nhistory_mib", free_port());
    let site = site
        .with(
            &format!("group = \"{group}\""),
            &format!("group = \"{line}\""),
        )
        .with("history_mib", &snapshot)
        .with("[api]", "[api]\nline = \"a\"");
    let venue = site.start();
    trade(&venue, 0, 3);
    let mut member = Member::login(venue.order_entry(), "ALPHA");
    member.user_ref_next_set(4);
    member.enter(b'S', 70, "AAPL", 1_000_500);
    member.until("the acceptance", |it| it.kinds().ends_with('A'));
    let is_told = |channel: &str, field: &str, due: Value| {
        streamed(port, channel).is_some_and(|told| told[field] == due)
    };
    wait_until("the book", || {
        is_told("book", "asks", json!([[1_000_500, 70, 1]]))
    });
    let process = service(&site).unwrap();
    let killed = Command::new("kill").args(["-9", &process]).status();
    assert!(killed.unwrap().success());
    member.enter(b'S', 30, "AAPL", 1_000_500);
    wait_until("the book again", || {
        is_told("book", "asks", json!([[1_000_500, 100, 2]]))
    });
    assert_ne!(service(&site), Some(process));
    venue.stop();
}

#[test]
fn an_api_that_cannot_be_is_refused() {
    for (section, pieces) in [
        (
            "[api]\nsettings = \"/nowhere/api.toml\"",
            ["api.settings", "/nowhere/api.toml"],
        ),
        (
            "[api]\nprogram = \"/nowhere/wirecross-api\"",
            ["api.program", "cargo build"],
        ),
    ] {
        let refused = site(free_port()).with("[api]", section);
        let refused = if section.contains("settings") {
            // The one that was there is another key now.
            let text = format!("settings = {:?}\n", refused.dir.path().join("api.toml"));
            refused.with(&text, "")
        } else {
            refused
        };
        let mut venue = refused.spawn(&[]);
        assert_eq!(venue.wait().code(), Some(1));
        let told = venue.stderr();
        assert!(
            pieces.iter().all(|piece| told.contains(piece)),
            "{section}: {told}"
        );
    }
    let site = Site::new().with("[tiles]", "[api]\nsettings = \"api.toml\"\n\n[tiles]");
    let mut venue = site.spawn(&[]);
    assert_eq!(venue.wait().code(), Some(1));
    assert!(venue.stderr().contains("[slow]"), "{}", venue.stderr());
}
