//! What only a server can do: stop answering, be killed while it is written, belong to others.
#![allow(clippy::unwrap_used)]

mod sharded;
mod venue;

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use venue::cluster::Cluster;
use venue::{GROUP, Site, told_inputs};

const DAY: &str = "2026010101";
const INPUTS: usize = 12_000;

/// Far longer than anything takes, also beside other work.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// A projection that follows the venue, and what it says; a test that fails takes it along.
struct Following {
    child: Child,
    said: Receiver<String>,
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn following(site: &Site) -> Following {
    started(site.command(&["project", "--follow"]))
}

fn started(mut command: Command) -> Following {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (tells, said) = channel();
    std::thread::spawn(move || {
        lines
            .map_while(Result::ok)
            .try_for_each(|line| tells.send(line))
    });
    Following { child, said }
}

/// Reads what it says until it says this.
fn hears(following: &Following, word: &str) {
    let begun = Instant::now();
    loop {
        let left = WAIT_MAX.saturating_sub(begun.elapsed());
        match following.said.recv_timeout(left) {
            Ok(line) if line.contains(word) => return,
            Ok(_) => {}
            Err(why) => panic!("nothing of {word:?}: {why}"),
        }
    }
}

fn signal(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(process as i32).unwrap(), signal).unwrap();
}

/// Up to where the tables have the journal.
fn next_input(site: &Site) -> usize {
    let text = "SELECT coalesce(max(next), 0) FROM progress WHERE kind = 0";
    site.sql(text)[0][0].parse().unwrap()
}

/// Waits until tables have the journal up to some input.
fn reaches(next: &dyn Fn() -> usize, inputs: usize) {
    let begun = Instant::now();
    loop {
        let next = next();
        if next > inputs {
            return;
        }
        assert!(begun.elapsed() < WAIT_MAX, "{next} of {inputs}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn stop(mut following: Following) {
    signal(following.child.id(), Signal::TERM);
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = following.child.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed() < WAIT_MAX, "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success(), "{status}");
}

#[test]
fn a_server_that_is_killed_comes_back_to_the_same_tables() {
    let Some(site) = Site::served() else { return };
    let cluster = site.served.as_ref().unwrap().0.cluster.clone();
    let inputs = told_inputs(21, INPUTS);
    let groups = inputs.len() / GROUP;
    site.live(DAY, 21, &inputs[..groups / 4 * GROUP]);
    site.succeeds(&["project"]);
    let follows = following(&site);
    reaches(&|| next_input(&site), GROUP);
    for part in 2..=4 {
        // All at once, as a lost host: nothing of what is on its way is said.
        let processes = cluster.processes();
        signal(processes[0], Signal::KILL);
        site.live(DAY, 21, &inputs[..groups / 4 * part * GROUP]);
        hears(&follows, "database");
        processes[1..].iter().for_each(|it| {
            let _ = kill_process(Pid::from_raw(*it as i32).unwrap(), Signal::KILL);
        });
        Cluster::wait_gone(&processes).unwrap();
        cluster.start().unwrap();
        reaches(&|| next_input(&site), groups / 4 * part * GROUP - GROUP);
    }
    stop(follows);
    site.succeeds(&["project"]);
    site.agrees();
}

#[test]
fn a_server_that_says_nothing_is_waited_for() {
    let Some(site) = Site::served() else { return };
    let cluster = site.served.as_ref().unwrap().0.cluster.clone();
    let inputs = told_inputs(22, INPUTS);
    let half = inputs.len() / GROUP / 2 * GROUP;
    site.live(DAY, 22, &inputs[..half]);
    site.succeeds(&["project"]);
    let follows = following(&site);
    reaches(&|| next_input(&site), GROUP);
    // The one that starts the others first; of these, some may end by themselves meanwhile.
    signal(cluster.pid().unwrap(), Signal::STOP);
    std::thread::sleep(Duration::from_millis(50));
    let processes = cluster.processes();
    let tell = |it: &u32, what| {
        let _ = kill_process(Pid::from_raw(*it as i32).unwrap(), what);
    };
    processes.iter().for_each(|it| tell(it, Signal::STOP));
    site.live(DAY, 22, &inputs);
    hears(&follows, "waiting for it");
    processes.iter().for_each(|it| tell(it, Signal::CONT));
    hears(&follows, "to answer");
    reaches(&|| next_input(&site), inputs.len() - GROUP);
    stop(follows);
    site.agrees();
}

/// SIGTERM ends one who waits: nothing is lost that was not in the tables.
#[test]
fn waiting_for_a_server_ends_when_it_is_told_to() {
    let Some(site) = Site::served() else { return };
    let cluster = site.served.as_ref().unwrap().0.cluster.clone();
    site.live_day(DAY, 23, 300);
    site.succeeds(&["project"]);
    cluster.stop().unwrap();
    let follows = following(&site);
    hears(&follows, "database");
    stop(follows);
    cluster.start().unwrap();
    site.agrees();
}

#[test]
fn schemas_that_are_not_ours_are_refused() {
    let Some(site) = Site::served() else { return };
    site.live_day(DAY, 24, 300);
    let refused = |word: &str| {
        for args in [&["project"][..], &["query", "tops"]] {
            let said = site.fails(2, args);
            assert!(said.contains("tables0") && said.contains(word), "{said}");
        }
    };
    let said = site.fails(2, &["query", "tops"]);
    assert!(said.contains("no tables in it yet"), "{said}");
    site.sql("CREATE SCHEMA wirecross; CREATE TABLE wirecross.songs (name TEXT)");
    refused("another program's");
    let not_rebuilt = |word: &str| {
        for args in [&["rebuild"][..], &["rebuild", "--forget"]] {
            let said = site.fails(2, args);
            assert!(said.contains(word), "{said}");
        }
    };
    not_rebuilt("another program's");
    site.sql("DROP SCHEMA wirecross CASCADE");
    site.succeeds(&["project"]);
    let comment = "COMMENT ON SCHEMA wirecross IS 'tables of wirecross, version";
    site.sql(&format!("{comment} 99'"));
    refused("newer program");
    not_rebuilt("newer program");
    site.sql(&format!("{comment} 1'"));
    refused("rebuild");
    let (day, away) = (site.day(DAY), site.dir.path().join("away"));
    std::fs::rename(&day, &away).unwrap();
    let said = site.fails(2, &["rebuild"]);
    assert!(said.contains(DAY) && said.contains("--forget"), "{said}");
    std::fs::rename(&away, &day).unwrap();
    site.succeeds(&["rebuild"]);
    site.agrees();
}

/// What one database has, another one goes on from.
#[test]
fn tables_move_from_a_file_into_a_server_and_back() {
    let Some(site) = Site::served() else { return };
    let file = site.dir.path().join("tables.db");
    let (file, place) = (file.to_str().unwrap(), site.place());
    let place = place.to_str().unwrap();
    let inputs = told_inputs(27, INPUTS);
    site.live(DAY, 27, &inputs[..INPUTS / 2 / GROUP * GROUP]);
    let run = |args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_wirecross-slow");
        let output = Command::new(program).args(args).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), told)
    };
    let data_dir = site.data_dir();
    let data_dir = data_dir.to_str().unwrap();
    assert!(run(&["project", "--data-dir", data_dir, "--database", file]).0);
    assert!(run(&["copy", "--from", file, "--database", place]).0);
    site.agrees();
    let (is_done, told) = run(&["copy", "--from", file, "--database", place]);
    assert!(!is_done && told.contains("days in it already"), "{told}");
    site.live(DAY, 27, &inputs);
    site.succeeds(&["project"]);
    site.agrees();
    std::fs::remove_file(file).unwrap();
    assert!(run(&["copy", "--from", place, "--database", file]).0);
    assert!(run(&["reconcile", "--data-dir", data_dir, "--database", file]).0);
}

/// Days are parts of the tables, there before they begin.
#[test]
fn days_have_parts_made_ahead() {
    let Some(site) = Site::served() else { return };
    site.live_day(DAY, 25, 300);
    site.succeeds(&["project"]);
    let text = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'wirecross.fills'::regclass";
    assert_eq!(site.sql(text), [["3"]]);
    let rows = |table: &str| site.sql(&format!("SELECT count(*) > 0 FROM ONLY {table}"));
    assert_eq!(
        (rows("orders_1"), rows("orders_2")),
        (vec![vec!["t".into()]], vec![vec!["f".into()]])
    );
}

/// Parts by symbol are made, kept and dropped with the days that they are below.
#[test]
fn days_may_have_parts_by_symbol() {
    let Some(mut site) = Site::served() else {
        return;
    };
    site.options = "?parts=3";
    site.live_day("2026010101", 29, 1_500);
    site.live_day("2026010201", 30, 1_500);
    site.succeeds(&["project"]);
    site.agrees();
    let parts = |site: &Site, table: &str| {
        let text = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'wirecross.";
        site.sql(&format!("{text}{table}'::regclass"))[0][0].clone()
    };
    for (table, due) in [
        ("fills", "4"),
        ("fills_1", "3"),
        ("fills_4", "3"),
        ("bars", "3"),
    ] {
        assert_eq!(parts(&site, table), due, "{table}");
    }
    assert_eq!(
        (parts(&site, "orders"), parts(&site, "orders_1")),
        ("4".into(), "0".into())
    );

    // Another number is another database's; none is that of these.
    for (options, number) in [("?parts=4", "parts=4"), ("?parts=1", "parts=1")] {
        site.options = options;
        for args in [&["project"][..], &["query", "tops"]] {
            let said = site.fails(2, args);
            assert!(
                said.contains("in 3 parts") && said.contains(number),
                "{said}"
            );
        }
    }
    site.options = "";
    site.succeeds(&["project"]);

    // Old days go with all their parts, and answer from their files.
    let folder = site.dir.path().join("history");
    let folder = folder.to_str().unwrap();
    let trades = ["query", "trades", "--limit", "100000"];
    let before = site.succeeds(&trades);
    let moves = [&[
        "history",
        "move",
        "--keep-days",
        "1",
        "--dir",
        folder,
        "--database",
    ][..]];
    let program = env!("CARGO_BIN_EXE_wirecross-slow");
    let moved = Command::new(program)
        .args(moves.concat())
        .arg(site.place())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&moved.stdout).into_owned();
    assert!(
        moved.status.success() && said.contains("moved=1"),
        "{moved:?}"
    );
    let left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'fills_1%'";
    assert_eq!(site.sql(left), [["0"]]);
    let now = site.succeeds(&[&trades[..], &["--history", folder]].concat());
    assert_eq!(now, before);
    site.agrees();

    // Made anew they stay in as many parts, or become as many as is said.
    site.succeeds(&["rebuild"]);
    assert_eq!(parts(&site, "fills_1"), "3");
    site.options = "?parts=2";
    site.succeeds(&["rebuild"]);
    assert_eq!(
        (parts(&site, "fills_1"), parts(&site, "bars")),
        ("2".into(), "2".into())
    );
    site.agrees();
}

/// Bars that come in any order, are changed and go, end in the wider bars that all of them make.
#[test]
fn wider_bars_are_those_of_a_full_recomputation() {
    let Some(site) = Site::served() else { return };
    site.live_day(DAY, 26, 300);
    site.succeeds(&["project"]);
    site.sql("DELETE FROM bars");
    assert_eq!(site.sql("SELECT count(*) FROM bars"), [["0"]]);
    // Seconds of some hours in an order of chance; some of them twice, some of them gone again.
    site.sql(
        "INSERT INTO bars SELECT 'S' || it % 3, 1, second::bigint * 1000000000, 10 + it % 7, \
         20 + it % 11, it % 5, 10 + it % 6, it, it * 10, 1, second * 8, second * 8 + 2 \
         FROM (SELECT it, it * 7919 % 20000 AS second FROM generate_series(1, 9000) it) made",
    );
    site.sql(
        "INSERT INTO bars SELECT 'S' || it % 3, 1, second::bigint * 1000000000, 99, 100 + it % 13, \
         1, 98, 5, 50, 1, second * 8 + 4, second * 8 + 6 \
         FROM (SELECT it, it * 104729 % 20000 AS second FROM generate_series(1, 9000) it) made \
         ON CONFLICT (symbol, width_s, start_ns) DO UPDATE SET high = excluded.high, \
         close = excluded.close, units = bars.units + 5, last_id = excluded.last_id",
    );
    site.sql(
        "DELETE FROM bars WHERE width_s = 1 AND (start_ns / 1000000000 % 9 < 4 \
              OR start_ns < 4000000000000)",
    );
    for width_s in [60, 3_600] {
        let found = site.sql(&format!(
            "SELECT * FROM bars WHERE width_s = {width_s} ORDER BY symbol, start_ns"
        ));
        let due = site.sql(&format!(
            "SELECT symbol, {width_s}, start_ns - start_ns % ({width_s} * 1000000000::bigint) b, \
             (array_agg(open ORDER BY first_id))[1], max(high), min(low), \
             (array_agg(close ORDER BY last_id DESC))[1], sum(units), sum(value), sum(trades), \
             min(first_id), max(last_id) FROM bars WHERE width_s = 1 \
             GROUP BY symbol, b ORDER BY symbol, b"
        ));
        assert!(found.len() >= 12, "{} bars of {width_s} s", found.len());
        assert_eq!(found, due);
    }
}
