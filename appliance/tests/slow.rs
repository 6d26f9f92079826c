//! The slow path beside a venue: started with it, somebody else, confined, started again when it
//! dies, and through with the day when the venue ends.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Site, Venue, child_of, process_status as status, program_beside, trade, wait_until};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output};

/// The user `daemon`.
const DAEMON: &str = "1";

fn site() -> Site {
    program_beside("wirecross-slow");
    let site = Site::new();
    let dir = site.dir.path().join("tables");
    site.with(
        "[tiles]",
        &format!("[shadow]\n\n[slow]\ndir = {dir:?}\n\n[tiles]"),
    )
}

/// Asks `wirecross-slow` something about the site's tables.
fn asked(site: &Site, words: &[&str]) -> Output {
    let mut command = Command::new(program_beside("wirecross-slow"));
    command.args(words);
    command
        .arg("--database")
        .arg(site.dir.path().join("tables/tables.db"));
    command.output().unwrap()
}

/// Lines of a query's answer, without its head.
fn rows(site: &Site, query: &str) -> usize {
    let output = asked(site, &["query", query]);
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .skip(1)
        .count()
}

/// The watcher of a venue's slow path, and the program that it watches.
fn processes(venue: &Venue) -> (String, String) {
    let mut found = None;
    wait_until("the slow path", || {
        found = child_of(&venue.id().to_string())
            .and_then(|watcher| Some((watcher.clone(), child_of(&watcher)?)));
        found.as_ref().is_some_and(|(_, program)| {
            status(program).is_some_and(|status| status["Seccomp"] == "2")
        })
    });
    found.unwrap()
}

#[test]
fn the_tables_follow_a_venue_whose_slow_path_is_killed() {
    let site = site();
    let venue = site.start();
    let (watcher, program) = processes(&venue);
    for process in [&watcher, &program] {
        let status = status(process).unwrap();
        assert_eq!(status["CapEff"], "0000000000000000", "{status:#?}");
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            assert_eq!(status["Uid"], [DAEMON; 4].join("\t"), "{status:#?}");
            assert_eq!(status["Groups"], "", "{status:#?}");
        }
    }
    trade(&venue, 0, 20);
    wait_until("the trades", || rows(&site, "trades") == 20);
    let killed = Command::new("kill").args(["-9", &program]).status();
    assert!(killed.unwrap().success());
    trade(&venue, 20, 20);
    wait_until("another one", || {
        child_of(&watcher).is_some_and(|it| it != program)
    });
    assert!(
        venue.stderr().contains("is started again"),
        "{}",
        venue.stderr()
    );
    trade(&venue, 40, 20);
    venue.stop();
    // It took what was left before the venue ended.
    assert_eq!(rows(&site, "trades"), 60);
    let data_dir = site.data_dir();
    let agreed = asked(
        &site,
        &["reconcile", "--data-dir", data_dir.to_str().unwrap()],
    );
    assert!(agreed.status.success(), "{agreed:?}");
}

#[test]
fn the_slow_path_goes_with_a_venue_that_is_killed() {
    let site = site();
    let venue = site.start();
    let (watcher, program) = processes(&venue);
    trade(&venue, 0, 10);
    venue.kill();
    wait_until("its end", || {
        [&watcher, &program].iter().all(|it| status(it).is_none())
    });
    // What the venue had on disk is there, and a new one goes on with it.
    let venue = site.start();
    trade(&venue, 10, 10);
    venue.stop();
    assert_eq!(rows(&site, "trades"), 20);
}

#[test]
fn a_slow_path_that_cannot_be_is_refused() {
    let site = site();
    let missing = site.dir.path().join("nothing");
    let program = format!("[slow]\nprogram = {missing:?}");
    let refused = site.with("[slow]", &program);
    let mut venue = refused.spawn(&[]);
    assert_eq!(venue.wait().code(), Some(1));
    let told = venue.stderr();
    assert!(
        told.contains("slow.program") && told.contains("cargo build"),
        "{told}"
    );
}
