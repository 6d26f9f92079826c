//! The slow path beside a venue: started with it, somebody else, confined, started again when it
//! dies, and through with the day when the venue ends.
#![allow(clippy::unwrap_used)]

mod harness;

// How a server is started is the builder's tool's business.
#[path = "../../tools/src/pg/cluster.rs"]
#[allow(dead_code, reason = "a part is used here")]
mod cluster;

use cluster::{Cluster, Programs};
use harness::{
    Site, Venue, api_settings, child_of, free_port, over_http, process_status as status, program,
    program_beside, trade, wait_until,
};
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};

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
    assert!(killed.unwrap().success(), "{}", venue.stderr());
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

/// Leaves a day as a venue does that is killed before it wrote most of its streams.
fn cut(day: &Path) {
    for entry in fs::read_dir(day).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("snapshot-") {
            fs::remove_file(path).unwrap();
        } else if name.starts_with("stream-") {
            let file = File::options().write(true).open(path).unwrap();
            file.set_len(0).unwrap();
        }
    }
}

/// The streams of a killed venue's day are made whole before another begins. By another topology
/// they cannot be: the tables wait there for who has the old one.
#[test]
fn the_tables_lose_nothing_of_a_venue_that_is_killed_before_another_day() {
    let site = site();
    let tables_of = |site: &Site, word| {
        let data_dir = site.data_dir();
        asked(site, &[word, "--data-dir", data_dir.to_str().unwrap()])
    };
    let killed = |site: &Site, args: &[&str]| {
        let venue = site.start_with(args);
        trade(&venue, 0, 20);
        let day = site.data_dir().join(venue.ready("session"));
        venue.kill();
        cut(&day);
        day
    };
    killed(&site, &[]);
    let second = killed(&site, &["--new-day"]);
    let agreed = |count| {
        for word in ["project", "reconcile", "rebuild"] {
            let said = tables_of(&site, word);
            assert!(said.status.success(), "{said:?}");
            assert_eq!(rows(&site, "trades"), count);
        }
    };
    let old = site.dir.path().join("old.toml");
    fs::write(&old, &site.topology).unwrap();
    let other = site.dir.path().join("other.toml");
    fs::write(&other, site.topology.replace("orders = ", "orders = 1")).unwrap();
    let mut venue = site.spawn_on(&other, &["--new-day"]);
    assert!(venue.line().unwrap().starts_with("ready "));
    let told = venue.stderr();
    assert!(told.contains("began under other limits"), "{told}");
    venue.stop();
    let said = tables_of(&site, "project");
    assert_eq!(said.status.code(), Some(2), "{said:?}");
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("wirecross journal complete"), "{said}");
    let [old, second] = [&old, &second].map(|path| path.to_str().unwrap());
    let words = ["journal", "complete", "--topology", old, second];
    for told in ["whole now", "whole already"] {
        let done = program(&words);
        done.succeeds();
        assert!(done.out.contains(told), "{done:?}");
    }
    agreed(40);
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

/// The word that the server of the tests wants to hear.
const PASSWORD: &str = "a word: with 'marks'";

/// A server that asks for a password on its port; it goes with this value.
struct Server {
    cluster: Cluster,
    _dir: tempfile::TempDir,
}

impl Server {
    /// `None` where its programs are not installed.
    fn start() -> Option<Self> {
        let programs = match Programs::find() {
            Ok(programs) => programs,
            Err(why) => {
                assert!(std::env::var_os("CI").is_none(), "{why}");
                eprintln!("skipped: {why}");
                return None;
            }
        };
        let dir = harness::directory();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let cluster = Cluster {
            programs,
            folder: dir.path().join("server"),
            port,
        };
        cluster.create(&["fsync = off"]).unwrap();
        let allowed = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(cluster.data().join("pg_hba.conf"), allowed).unwrap();
        drop(listener);
        cluster.start().unwrap();
        let server = Self { cluster, _dir: dir };
        let word = PASSWORD.replace('\'', "''");
        server.asked(
            "postgres",
            &format!("ALTER ROLE wirecross PASSWORD '{word}'"),
        );
        server.asked("postgres", "CREATE DATABASE tables");
        Some(server)
    }

    /// What it says by its socket file, where it asks for nothing.
    fn asked(&self, database: &str, text: &str) -> String {
        let mut psql = self.cluster.programs.command("psql");
        psql.args(["-U", "wirecross", "-At", "-d", database, "-c", text, "-h"]);
        psql.arg(&self.cluster.folder);
        psql.args(["-p", &self.cluster.port.to_string()]);
        let output = psql.output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn trades(&self) -> String {
        self.asked("tables", "SELECT count(*) FROM wirecross.trades")
    }

    fn kill(&self) {
        let processes = self.cluster.processes();
        let mut kill = Command::new("kill");
        kill.arg("-9").args(processes.iter().map(u32::to_string));
        let _ = kill.stderr(Stdio::null()).status();
        Cluster::wait_gone(&processes).unwrap();
    }
}

impl Drop for Server {
    /// It leaves no memory behind if it may end by itself.
    fn drop(&mut self) {
        let _ = self.cluster.stop();
    }
}

/// A venue whose tables are at a server, with a file that holds the password, or something else.
fn served(server: &Server, word: &str) -> Site {
    let site = site();
    let file = site.dir.path().join("password");
    fs::write(&file, format!("{word}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let url = server.cluster.url("tables");
    let at = format!("[slow]\ndatabase = {url:?}\npassword_file = {file:?}");
    site.with("[slow]", &at)
}

#[test]
fn the_tables_of_a_confined_service_follow_at_a_server_that_is_killed() {
    let Some(server) = Server::start() else {
        return;
    };
    let site = served(&server, PASSWORD);
    let venue = site.start();
    let (_, program) = processes(&venue);
    assert_eq!(status(&program).unwrap()["CapEff"], "0000000000000000");
    let words = fs::read(format!("/proc/{program}/cmdline")).unwrap();
    assert!(!String::from_utf8_lossy(&words).contains(PASSWORD));
    trade(&venue, 0, 20);
    wait_until("the trades", || server.trades() == "20");
    server.kill();
    trade(&venue, 20, 20);
    wait_until("the trouble", || {
        venue.stderr().contains("database 127.0.0.1")
    });
    server.cluster.start().unwrap();
    wait_until("the rest", || server.trades() == "40");
    let told = venue.stderr();
    assert_eq!(processes(&venue).1, program, "it was started again: {told}");
    trade(&venue, 40, 20);
    venue.stop();
    assert_eq!(server.trades(), "60");
    let mut command = Command::new(program_beside("wirecross-slow"));
    command.args(["reconcile", "--database", &server.cluster.url("tables")]);
    command.arg("--data-dir").arg(site.data_dir());
    let agreed = command.env("PGPASSWORD", PASSWORD).output().unwrap();
    assert!(agreed.status.success(), "{agreed:?}");
}

#[test]
fn the_api_beside_them_reads_the_tables_at_the_server() {
    let Some(server) = Server::start() else {
        return;
    };
    program_beside("wirecross-api");
    let site = served(&server, PASSWORD);
    let port = free_port();
    let settings = api_settings(&site, port);
    let site = site.with(
        "[slow]",
        &format!("[api]\nsettings = {settings:?}\n\n[slow]"),
    );
    let venue = site.start();
    trade(&venue, 0, 20);
    let trades = || over_http(port, "/api/v1/trades").map_or(0, |it| it.matches("buyer").count());
    wait_until("the trades", || trades() == 20);
    let figures = over_http(port, "/api/v1/figures").unwrap();
    let up = format!("\"server\":\"127.0.0.1:{}", server.cluster.port);
    assert!(figures.contains(&up), "{figures}");
    venue.stop();
}

#[test]
fn a_server_that_refuses_the_password_is_named_and_the_venue_trades() {
    let Some(server) = Server::start() else {
        return;
    };
    let site = served(&server, "another");
    let venue = site.start();
    trade(&venue, 0, 20);
    wait_until("the refusal", || {
        let told = venue.stderr();
        told.contains("database 127.0.0.1") && told.contains("password authentication failed")
    });
    venue.kill();
}

#[test]
fn a_password_that_others_may_read_is_refused() {
    let site = site();
    let file = site.dir.path().join("password");
    fs::write(&file, "word\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let at = format!(
        "[slow]\ndatabase = \"postgres://wirecross@127.0.0.1:1/t\"\npassword_file = {file:?}"
    );
    let refused = site.with("[slow]", &at);
    let mut venue = refused.spawn(&[]);
    assert_eq!(venue.wait().code(), Some(1));
    assert!(
        venue.stderr().contains("slow.password_file"),
        "{}",
        venue.stderr()
    );
}
