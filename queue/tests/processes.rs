//! Two processes on one ring, one snapshot and one set of counters.
//!
//! The test starts its own binary again as the other process; that one runs only the ignored test
//! `child`, which does what the environment asks.

#![allow(clippy::unwrap_used)] // A test's helpers fail the test.

use queue::{CounterReader, CounterSet, SharedRing, SharedSnapshot};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

type Body = [u64; 6];

const MESSAGES: u64 = 20_000;
const PATIENCE: Duration = Duration::from_secs(60);

fn child_start(role: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("QUEUE_TEST_ROLE", role)
        .env("QUEUE_TEST_PATH", path)
        .spawn()
        .unwrap()
}

/// Repeats until it gives something; fails the test when that takes a minute.
fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "the other process did not do its part"
        );
        std::thread::yield_now();
    }
}

#[test]
#[ignore = "the other process of the tests below"]
fn child() {
    let Ok(role) = std::env::var("QUEUE_TEST_ROLE") else {
        return;
    };
    let path = PathBuf::from(std::env::var("QUEUE_TEST_PATH").unwrap());
    match role.as_str() {
        "writer" => write_messages(&path, MESSAGES),
        "writer that dies" => write_messages(&path, MESSAGES / 2),
        "snapshot" => read_snapshot(&path),
        "counters" => read_counters(&path),
        other => panic!("no role {other}"),
    }
}

/// Writes messages up to `end`; what it put after the last multiple of 7 it may leave unpublished.
fn write_messages(path: &Path, end: u64) {
    let memory = SharedRing::<Body>::attach(path).unwrap();
    let mut writer = memory.writer();
    for number in writer.position()..end {
        until(|| {
            writer
                .put(number, &[number; 6])
                .map_err(|_| writer.publish())
                .ok()
        });
        if number % 7 == 0 {
            writer.publish();
        }
    }
    if end == MESSAGES {
        writer.publish();
    }
}

#[test]
fn a_ring_between_processes_survives_its_writer() {
    let memory = SharedRing::<Body>::create("test", 64).unwrap();
    let mut reader = memory.reader();
    let path = memory.region().path();
    let mut expected = 0;
    let mut take = |writer: &mut Child| {
        let start = Instant::now();
        loop {
            // Asked before the ring is looked at: an ended writer has published what it will.
            let ended = writer.try_wait().unwrap();
            let count = reader.take(64, |stamp, body| {
                assert_eq!((stamp, *body), (expected, [expected; 6]));
                expected += 1;
            });
            if count == 0
                && let Some(status) = ended
            {
                assert!(status.success());
                return expected;
            }
            assert!(start.elapsed() < PATIENCE, "stuck at message {expected}");
            std::thread::yield_now();
        }
    };
    let half = take(&mut child_start("writer that dies", &path));
    assert!(half < MESSAGES / 2, "its last batch was never published");
    assert_eq!(take(&mut child_start("writer", &path)), MESSAGES);
}

fn read_snapshot(path: &Path) {
    let reader = SharedSnapshot::attach::<Body>(path)
        .unwrap()
        .reader::<Body>()
        .unwrap();
    let mut last = 0;
    until(|| {
        let value = reader.try_read()?;
        assert!(
            value.iter().all(|word| *word == value[0]),
            "torn: {value:?}"
        );
        assert!(value[0] >= last, "went back");
        last = value[0];
        (last == MESSAGES).then_some(())
    });
}

#[test]
fn a_snapshot_is_whole_in_another_process() {
    let folder = folder("snapshot");
    let path = folder.join("latest");
    let mut writer = SharedSnapshot::create::<Body>(&path)
        .unwrap()
        .writer()
        .unwrap();
    let mut child = child_start("snapshot", &path);
    for number in 1..=MESSAGES {
        writer.write(&[number; 6]);
    }
    assert!(child.wait().unwrap().success());
    std::fs::remove_dir_all(folder).unwrap();
}

fn read_counters(path: &Path) {
    let reader = CounterReader::attach(path).unwrap();
    until(|| (reader.get("orders") == Some(MESSAGES)).then_some(()));
    let names: Vec<&str> = reader.counters().map(|(name, _)| name).collect();
    assert_eq!(names, ["orders", "drops"]);
    assert_eq!(
        reader.process_id(),
        std::os::unix::process::parent_id().into()
    );
    let summary = reader.summary("match_ns").unwrap();
    assert_eq!((summary.count, summary.max), (MESSAGES, MESSAGES - 1));
}

#[test]
fn counters_are_read_in_another_process() {
    let folder = folder("counters");
    let path = folder.join("counters");
    let mut set = CounterSet::create(&path, &["orders", "drops"], &["match_ns"]).unwrap();
    let mut orders = set.counter("orders").unwrap();
    let mut match_ns = set.histogram("match_ns").unwrap();
    let mut child = child_start("counters", &path);
    for value in 0..MESSAGES {
        match_ns.record(value);
        orders.add(1);
    }
    assert!(child.wait().unwrap().success());
    std::fs::remove_dir_all(folder).unwrap();
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("queue-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
