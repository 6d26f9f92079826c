//! What the venue's process gave up when it is ready, read from outside; and how it says so when it
//! gave up nothing. What the walls hold off is tried in `sandbox/tests/evil.rs`.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Member, Site, Venue, program, status, wait_until};
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

const NOBODY: u32 = 65_534;

const ORDERS: u32 = 40;

/// With every thread that a venue may have.
const WHOLE: &str =
    "[shadow]\nsnapshot_inputs = 20\n\n[journal]\narchive = true\nkeep_days = 3\n\n";

fn site() -> Site {
    let snapshot = "rerequest = \"127.0.0.1:0\"\nsnapshot = \"127.0.0.1:0\"";
    Site::new()
        .with("[tiles]", &format!("{WHOLE}[tiles]"))
        .with("rerequest = \"127.0.0.1:0\"", snapshot)
}

fn is_root() -> bool {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        eprintln!("skipped: only root can become somebody else");
    }
    is_root
}

/// Every thread of a venue.
fn tasks(venue: &Venue) -> Vec<HashMap<String, String>> {
    let folder = format!("/proc/{}/task", venue.id());
    let tasks = fs::read_dir(folder).unwrap();
    tasks
        .map(|task| status(&task.unwrap().path()).unwrap())
        .collect()
}

/// Enters orders, the first of them behind so many of earlier lives.
fn trade(venue: &Venue, before: u32) {
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.user_ref_next_set(before + 1);
    alpha.enter_many(ORDERS as usize, b'S', (10, "AAPL", 1_000_000));
    let all = (before + ORDERS) as usize;
    alpha.until("acceptances", |it| it.kinds().matches('A').count() == all);
}

#[test]
fn every_thread_has_no_rights_left_and_the_venue_works() {
    let site = site();
    for (args, before) in [(&[][..], 0), (&[], ORDERS), (&["--new-day"], 0)] {
        let venue = site.start_with(args);
        let tasks = tasks(&venue);
        assert!(tasks.len() > 5, "{tasks:#?}");
        for task in &tasks {
            assert_eq!(task["CapEff"], "0000000000000000", "{task:#?}");
            assert_eq!(task["CapPrm"], "0000000000000000", "{task:#?}");
            assert_eq!(task["NoNewPrivs"], "1", "{task:#?}");
            assert_eq!(task["Seccomp"], "2", "{task:#?}");
        }
        let limits = fs::read_to_string(format!("/proc/{}/limits", venue.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core"));
        let core: Vec<&str> = core.unwrap().split_whitespace().collect();
        assert_eq!(core[4..6], ["0", "0"], "{limits}");
        trade(&venue, before);
        // A snapshot is a file that is made, flushed and renamed while it runs.
        let day = site.data_dir().join(venue.ready("session"));
        let has_snapshot = || {
            let names = fs::read_dir(&day).unwrap();
            let mut names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
            names.any(|name| name.starts_with("snapshot-"))
        };
        wait_until("a snapshot", has_snapshot);
        assert!(!venue.stderr().contains("INSECURE"), "{}", venue.stderr());
        venue.stop();
    }
}

#[test]
fn a_venue_that_root_starts_is_nobody() {
    if !is_root() {
        return;
    }
    let site = site();
    let venue = site.start();
    for task in tasks(&venue) {
        let ids: Vec<&str> = task["Uid"].split('\t').collect();
        assert_eq!(ids, ["65534"; 4], "{task:#?}");
        assert_eq!(task["Groups"], "", "{task:#?}");
        assert_eq!(task["CapBnd"], "0000000000000000", "{task:#?}");
    }
    trade(&venue, 0);
    let day = site.data_dir().join(venue.ready("session"));
    for entry in fs::read_dir(day).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().uid(), NOBODY, "{entry:?}");
    }
    venue.stop();
}

#[test]
fn what_cannot_be_reached_is_explained() {
    if !is_root() {
        return;
    }
    let closed = site();
    fs::set_permissions(closed.dir.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let stranger = site().with("[shadow]", "[sandbox]\nuser = \"no-such-user\"\n\n[shadow]");
    for (site, pieces) in [
        (closed, ["user nobody cannot reach", "chmod o+x"]),
        (
            stranger,
            ["sandbox.user: user no-such-user", "no such user"],
        ),
    ] {
        let mut venue = site.spawn(&[]);
        assert!(!venue.wait().success());
        for piece in pieces {
            assert!(venue.stderr().contains(piece), "{}", venue.stderr());
        }
    }
}

#[test]
fn a_venue_without_walls_says_so() {
    let site = site();
    let venue = site.start_with(&["--insecure-dev"]);
    assert!(venue.stderr().contains("INSECURE"), "{}", venue.stderr());
    let topology = site.dir.path().join("topology.toml");
    let topology = topology.to_str().unwrap();
    let data = site.data_dir().display().to_string();
    for command in [
        &["admin", "sessions", "--topology", topology][..],
        &["control", "--topology", topology, "halt", "AAPL"],
        &["top", "--data", &data, "--once"],
    ] {
        let ended = program(command);
        ended.succeeds();
        let said = format!("{}{}", ended.out, ended.err);
        assert!(said.contains("INSECURE"), "{command:?}: {said}");
    }
    assert_eq!(tasks(&venue)[0]["Seccomp"], "0");
    venue.stop();
}
