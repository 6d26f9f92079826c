//! What a projection survives: crashes, a venue that goes on or restarts, damage, other files.
#![allow(clippy::unwrap_used)]

mod venue;

use rusqlite::Connection;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use venue::{GROUP, Site, told_inputs};

const DAY: &str = "2026010101";
const INPUTS: usize = 4_000;

/// Inputs of a day that a service finds.
const BACKLOG: usize = 40_000;

/// The user `daemon`.
const DAEMON: u32 = 1;

fn killed_at_any_point_it_counts_everything_once(site: &Site) {
    site.live_day(DAY, 7, INPUTS);
    let mut kills = 0;
    for wait_ms in (0..40).map(|round| (round * 7) % 23) {
        let mut command = site.command(&["project", "--batch", "53"]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().unwrap();
        kills += u32::from(!child.wait().unwrap().success());
    }
    println!("{kills} of 40 were killed on the way");
    site.succeeds(&["project"]);
    site.agrees();
}

/// Makes a folder's contents another user's.
fn give(path: &Path, user: u32) {
    std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}

/// A process that is confined can put nothing aside in files elsewhere, as SQLite would from some
/// millions of rows in a transaction on.
#[test]
fn what_does_not_fit_is_put_aside_in_memory() {
    let site = Site::new();
    let database = store::Database::open(&site.database()).unwrap();
    let told = database
        .connection
        .pragma_query_value(None, "temp_store", |row| row.get(0));
    assert_eq!(told, Ok(2), "temp_store is MEMORY");
}

#[test]
fn a_confined_service_takes_a_large_backlog_at_once() {
    let site = Site::new();
    site.live_day(DAY, 13, BACKLOG);
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-slow"));
    command.arg("serve").arg("--data-dir").arg(site.data_dir());
    command.arg("--dir").arg(site.dir.path());
    if rustix::process::geteuid().is_root() {
        give(site.dir.path(), DAEMON);
        command.uid(DAEMON).gid(DAEMON);
    }
    #[cfg(feature = "otel")]
    let collector = collector(&mut command);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let process = rustix::process::Pid::from_child(&child);
    // Before it listens to signals they would end it at once.
    let begun = Instant::now();
    while !site.database().exists() {
        assert!(begun.elapsed() < Duration::from_secs(120), "no tables");
        std::thread::sleep(Duration::from_millis(5));
    }
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !told.contains("database"),
        "{told}"
    );
    site.agrees();
    #[cfg(feature = "otel")]
    collector.join().unwrap();
}

/// A collector that wants to be told of a turn, to be reached from within the walls.
#[cfg(feature = "otel")]
fn collector(command: &mut Command) -> std::thread::JoinHandle<()> {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    command.arg("--collector").arg(at.to_string());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut told, mut part) = (Vec::new(), [0; 4_096]);
        while !told.windows(4).any(|it| it == b"turn") {
            let count = stream.read(&mut part).unwrap();
            assert!(count > 0, "no turn: {}", String::from_utf8_lossy(&told));
            told.extend(&part[..count]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    })
}

fn a_day_that_goes_on_is_followed(site: &Site) {
    let inputs = told_inputs(8, INPUTS);
    for groups in [10, 11, 34, inputs.len() / GROUP] {
        site.live(DAY, 8, &inputs[..groups * GROUP]);
        site.succeeds(&["project"]);
        site.agrees();
    }
    let said = site.succeeds(&["project"]);
    assert_eq!(said, "projected events=0\n");
}

fn streams_that_a_crash_cut_are_waited_for(site: &Site) {
    site.live_day(DAY, 9, INPUTS);
    site.succeeds(&["project"]);
    let feed = site.day(DAY).join("stream-feed");
    let whole = fs::read(&feed).unwrap();
    fs::write(&feed, &whole[..4096]).unwrap();
    assert_eq!(site.succeeds(&["project"]), "projected events=0\n");
    fs::write(&feed, whole).unwrap();
    site.succeeds(&["project"]);
    site.agrees();
}

fn the_next_day_follows_the_one_before(site: &Site) {
    site.live_day(DAY, 10, INPUTS);
    site.succeeds(&["project"]);
    site.live_day("2026010102", 11, INPUTS);
    site.succeeds(&["project"]);
    let days: Vec<i64> = site
        .rows(&["turns"])
        .iter()
        .map(|row| row["day"].as_i64().unwrap())
        .collect();
    assert!(days.contains(&1) && days.contains(&2));
    site.agrees();
    // The first day ended without its word: nobody can trade with what it left in the book.
    let left = "SELECT id >> 48, count(*) FROM orders WHERE state = 'live' GROUP BY 1 ORDER BY 1";
    let left = site.sql(left);
    assert_eq!([&left[0][0], &left[1][0]], ["1", "2"]);
    let open = site.rows(&["open-orders"]);
    assert_eq!(open.len().to_string(), left[1][1]);
    assert!(open.iter().all(|row| row["day"] == 2));
    let before = site.rows(&["positions"]);
    let said = site.succeeds(&["rebuild"]);
    assert!(said.starts_with("rebuilt events="), "{said}");
    assert_eq!(site.rows(&["positions"]), before);
    // A day that is gone is not forgotten by the way.
    fs::remove_dir_all(site.day(DAY)).unwrap();
    let said = site.fails(2, &["rebuild"]);
    assert!(said.contains(DAY) && said.contains("--forget"), "{said}");
    site.succeeds(&["project"]);
    assert_eq!(site.rows(&["positions"]), before);
    site.succeeds(&["rebuild", "--forget"]);
    assert!(site.rows(&["positions"]).len() < before.len());
    site.agrees();
}

/// A venue could not finish the streams of the day before, and said so.
fn a_day_is_not_left_before_its_streams_are_whole(site: &Site) {
    site.live_day(DAY, 10, 300);
    let mark = site.day(DAY).join("streams-behind");
    let why = "the streams of day 2026010101 end before its journal";
    fs::write(&mark, format!("{why}\n")).unwrap();
    // Its venue may go on with it.
    site.succeeds(&["project"]);
    site.live_day("2026010102", 11, 300);
    for command in ["project", "rebuild"] {
        let said = site.fails(2, &[command]);
        assert!(said.contains(why), "{said}");
        assert_eq!(site.sql("SELECT name FROM days"), [[DAY]]);
    }
    site.agrees();
    fs::remove_file(mark).unwrap();
    site.succeeds(&["project"]);
    assert_eq!(site.sql("SELECT count(*) FROM days"), [["2"]]);
    site.agrees();
}

fn what_retention_took_unread_is_written_down(site: &Site) {
    site.live_day(DAY, 12, 300);
    site.succeeds(&["project"]);
    site.live_day(DAY, 12, INPUTS);
    let removed = ["journal-0000000001", "journal-0000000002"];
    for name in removed {
        fs::remove_file(site.day(DAY).join(name)).unwrap();
    }
    site.succeeds(&["project"]);
    let audit = site.rows(&["audit"]);
    let missed = audit.iter().find(|row| row["act"] == "Missed").unwrap();
    assert!(
        missed["why"].as_str().unwrap().contains("removed unread"),
        "{missed}"
    );
    // Replies are streams, and have all of it.
    let trades = site.rows(&["trades"]);
    let whole = site.another();
    whole.live_day(DAY, 12, INPUTS);
    whole.succeeds(&["project"]);
    assert_eq!(trades, whole.rows(&["trades"]));
}

/// A venue writes the day's beginning for places that nobody has yet.
fn a_place_that_nobody_has_yet_is_waited_for(site: &Site) {
    site.live_day(DAY, 14, INPUTS);
    let stream = |number: u16| site.day(DAY).join(format!("stream-replies-{number:04}"));
    fs::copy(stream(1), stream(99)).unwrap();
    let said = site.succeeds(&["project"]);
    assert!(said.starts_with("projected events="), "{said}");
    site.agrees();
}

fn damage_is_named_and_what_is_before_it_counts(site: &Site) {
    site.live_day(DAY, 13, INPUTS);
    let feed = site.day(DAY).join("stream-feed");
    let whole = fs::read(&feed).unwrap();
    let mut bytes = whole.clone();
    bytes[3 * 4096 + 100] ^= 1;
    fs::write(&feed, bytes).unwrap();
    let said = site.fails(2, &["project"]);
    assert!(
        said.contains("stream-feed") && said.contains("12288"),
        "{said}"
    );
    assert!(!site.rows(&["trades"]).is_empty());
    fs::write(&feed, whole).unwrap();
    site.succeeds(&["project"]);
    site.agrees();
}

fn tables_that_somebody_changed_differ(site: &Site) {
    site.live_day(DAY, 14, INPUTS);
    site.succeeds(&["project"]);
    let changes = [
        (
            "UPDATE positions SET bought_units = bought_units + 1 WHERE account = 2",
            "table positions",
        ),
        (
            "UPDATE holdings SET sold_value = sold_value + 1 WHERE account = 2",
            "table holdings",
        ),
        (
            "UPDATE bars SET units = units + 1 WHERE width_s = 3600",
            "table bars",
        ),
        (
            "UPDATE fills SET price = price + 1 WHERE id = (SELECT min(id) FROM fills)",
            "trade",
        ),
        (
            // A trade that nobody told the feed of.
            "INSERT INTO fills SELECT (SELECT max(id) / 2 * 2 + 2 FROM fills), order_id, session, \
             user_ref, account, symbol, time_ns, units, price, liquidity, broken FROM fills \
             WHERE id & 1 = 0 AND liquidity IN ('A', 'R') ORDER BY id LIMIT 1",
            "the feed has no trade",
        ),
        (
            "DELETE FROM orders WHERE id = (SELECT min(id) FROM orders)",
            "journal input",
        ),
    ];
    for (change, word) in changes {
        site.sql(change);
        let said = site.fails(1, &["reconcile"]);
        assert!(
            said.starts_with("differs: ") && said.contains(word),
            "{said}"
        );
        site.succeeds(&["rebuild"]);
    }
}

#[test]
fn databases_that_are_not_ours_are_refused() {
    let site = Site::new();
    site.live_day(DAY, 15, 300);
    let refused = |word: &str, rebuilds: &[&[&str]]| {
        let before = fs::read(site.database()).unwrap();
        for args in [&[&["project"][..], &["query", "tops"]], rebuilds].concat() {
            let said = site.fails(2, args);
            assert!(said.contains("tables.db") && said.contains(word), "{said}");
        }
        assert!(fs::read(site.database()).unwrap() == before, "{word}");
    };
    let all: [&[&str]; 2] = [&["rebuild"], &["rebuild", "--forget"]];
    let foreign = Connection::open(site.database()).unwrap();
    foreign
        .execute_batch("CREATE TABLE songs (name TEXT)")
        .unwrap();
    drop(foreign);
    refused("another program's", &all);
    fs::remove_file(site.database()).unwrap();
    site.succeeds(&["project"]);
    let set_version = |version: u32| {
        let ours = Connection::open(site.database()).unwrap();
        ours.pragma_update(None, "user_version", version).unwrap();
    };
    set_version(99);
    refused("newer program", &all);
    // What an older program wrote is looked at for days that would be lost.
    set_version(2);
    refused("rebuild", &[]);
    let (day, away) = (site.day(DAY), site.dir.path().join("away"));
    fs::rename(&day, &away).unwrap();
    let said = site.fails(2, &["rebuild"]);
    assert!(said.contains(DAY) && said.contains("--forget"), "{said}");
    fs::rename(&away, &day).unwrap();
    site.succeeds(&["rebuild"]);
    site.agrees();
    // What cannot be read may hold any days.
    let damage = "no database at all, but long enough to be one".repeat(99);
    fs::write(site.database(), damage).unwrap();
    refused("rebuild --forget", &all[..1]);
    site.succeeds(&["rebuild", "--forget"]);
    site.agrees();
}

fn two_do_not_write_one_database(site: &Site) {
    site.live_day(DAY, 16, 300);
    let writer = store::Projector::open(&site.data_dir(), &site.location()).unwrap();
    // Who makes them anew is told before the work, not behind it, and leaves nothing.
    for command in ["project", "rebuild"] {
        let said = site.fails(2, &[command]);
        assert!(said.contains("another process"), "{said}");
    }
    let names = fs::read_dir(site.dir.path()).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    assert!(names.all(|name| !name.ends_with(".new")));
    drop(writer);
    site.succeeds(&["project"]);
    site.agrees();
}

on_both!(
    killed_at_any_point_it_counts_everything_once,
    a_day_that_goes_on_is_followed,
    streams_that_a_crash_cut_are_waited_for,
    the_next_day_follows_the_one_before,
    a_day_is_not_left_before_its_streams_are_whole,
    a_place_that_nobody_has_yet_is_waited_for,
    what_retention_took_unread_is_written_down,
    damage_is_named_and_what_is_before_it_counts,
    tables_that_somebody_changed_differ,
    two_do_not_write_one_database
);
