//! Two processes on one snapshot and one set of counters; on one ring: `ring_deaths.rs`.

#![allow(clippy::unwrap_used)] // A test's helpers fail the test.

mod children;

use children::{child_role, child_start, until};
use queue::{CounterReader, CounterSet, SharedSnapshot};
use std::path::{Path, PathBuf};

type Body = [u64; 6];

const MESSAGES: u64 = 20_000;

#[test]
#[ignore = "the other process, which the tests below start: cargo test -p queue --test processes"]
fn child() {
    let Some((role, path)) = child_role() else {
        return;
    };
    match role.as_str() {
        "snapshot" => read_snapshot(path.as_ref()),
        "counters" => read_counters(path.as_ref()),
        other => panic!("no role {other}"),
    }
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
    let mut child = child_start("snapshot", path.to_str().unwrap());
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
    let mut child = child_start("counters", path.to_str().unwrap());
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
