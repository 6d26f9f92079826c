//! Days whose rows are in files alone: all queries find them, and nothing is lost on the way.

use super::{DAYS, Site, files, history, live, projected, succeeds, told};
use crate::on_both;
use std::io::Read as _;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long one waits for a service.
const WAIT_MAX: Duration = Duration::from_secs(240);

/// The user `daemon`.
const DAEMON: u32 = 1;

/// Queries narrowed in many ways, with the moments between which a part of the rows lies.
fn questions(site: &Site) -> Vec<Vec<String>> {
    let trades = site.rows(&["trades"]);
    let moment = |at: usize| trades[trades.len() * at / 8]["time_ns"].to_string();
    let symbol = trades[trades.len() / 2]["symbol"]
        .as_str()
        .unwrap()
        .to_owned();
    let account = trades[trades.len() / 2]["buyer"].to_string();
    let (from, to) = (moment(1), moment(7));
    let ways: [&[&str]; 11] = [
        &[],
        &["--symbol", &symbol],
        &["--from", &from],
        &["--to", &from],
        &["--from", &from, "--to", &to],
        &["--symbol", &symbol, "--from", &from, "--to", &to],
        &["--limit", "7"],
        &["--order", "desc"],
        &["--order", "desc", "--symbol", &symbol, "--to", &to],
        &["--order", "desc", "--limit", "7"],
        &["--order", "desc", "--limit", "7", "--to", &from],
    ];
    let mut all: Vec<Vec<String>> = Vec::new();
    for name in [
        "trades",
        "tape",
        "open-orders",
        "fills",
        "audit",
        "turns",
        "bars",
    ] {
        for way in ways {
            let limit: &[&str] = match way.contains(&"--limit") {
                true => &[],
                false => &["--limit", "1000000"],
            };
            let of: &[&str] = match name {
                "fills" => &["--account", &account],
                _ => &[],
            };
            let words = [&[name][..], way, limit, of].concat();
            all.push(words.into_iter().map(str::to_owned).collect());
        }
    }
    let of_bars: Vec<Vec<String>> = all.iter().filter(|it| it[0] == "bars").cloned().collect();
    let seconds = ["--width", "1"].map(str::to_owned);
    all.extend(of_bars.into_iter().map(|it| [&it[..], &seconds].concat()));
    all.push(vec!["profits".to_owned()]);
    all.push(vec!["positions".to_owned()]);
    all
}

fn answers(site: &Site, questions: &[Vec<String>], more: &[&str]) -> Vec<String> {
    let answer = |question: &Vec<String>| {
        let words: Vec<&str> = question.iter().map(String::as_str).collect();
        site.succeeds(&[&["query"], &words[..], more].concat())
    };
    questions.iter().map(answer).collect()
}

fn rows_of_days(site: &Site) -> Vec<Vec<String>> {
    let count = |table: &str| {
        let text = format!("SELECT id >> 48, count(*) FROM {table} GROUP BY id >> 48 ORDER BY 1");
        site.sql(&text)
    };
    [count("fills"), count("orders"), count("audit")].concat()
}

fn old_days_are_in_files_alone_and_still_answer(site: &Site) {
    projected(site, 3);
    let questions = questions(site);
    let before = answers(site, &questions, &[]);
    let bars = |width_s: u32| {
        let text = format!("SELECT count(*) FROM bars WHERE width_s = {width_s}");
        site.sql(&text)[0][0].parse::<u64>().unwrap()
    };
    let (seconds, minutes) = (bars(1), bars(60));
    let folder = history(site);
    let folder = folder.to_str().unwrap();
    let said = succeeds(site, &["move", "--keep-days", "2"]);
    assert!(said.starts_with("history written=2 moved=1"), "{said}");
    let said = succeeds(site, &["move", "--keep-days", "1"]);
    assert!(said.starts_with("history written=0 moved=1"), "{said}");
    assert!(rows_of_days(site).iter().all(|row| row[0] == "3"));
    let now = answers(site, &questions, &["--history", folder]);
    for (question, (now, before)) in questions.iter().zip(now.iter().zip(&before)) {
        assert_eq!(now, before, "{question:?}");
    }
    assert!(answers(site, &questions[..1], &[])[0].len() < before[0].len());
    assert!(bars(1) < seconds && bars(60) == minutes);
    // Those that stay make the same tables as a projection from zero without those that went.
    site.agrees();
    let said = succeeds(site, &["reconcile"]);
    assert!(said.starts_with("agreed days=2 "), "{said}");
    let said = succeeds(site, &["move", "--keep-days", "1"]);
    assert!(said.starts_with("history written=0 moved=0"), "{said}");
    let (code, said) = told(site, &["write", "--day", DAYS[0]]);
    assert!(code == 2 && said.contains("in files alone"), "{said}");
    // Without the files nothing is made up.
    let words = ["query", "trades", "--history", "/nonexistent"];
    let said = site.fails(2, &words);
    assert!(
        said.contains(DAYS[0]) && said.contains("not here"),
        "{said}"
    );
}

on_both!(old_days_are_in_files_alone_and_still_answer);

#[test]
fn rows_stay_where_their_files_are_not_the_same() {
    let site = &Site::new();
    projected(site, 2);
    succeeds(site, &["write"]);
    let first = "(SELECT min(id) FROM orders)";
    site.sql(&format!(
        "UPDATE orders SET units = units + 1 WHERE id = {first}"
    ));
    let (code, said) = told(site, &["move", "--keep-days", "1"]);
    assert!(
        code == 2 && said.contains("orders of day 2026112301"),
        "{said}"
    );
    assert!(rows_of_days(site).iter().any(|row| row[0] == "1"));
    site.sql(&format!(
        "UPDATE orders SET units = units - 1 WHERE id = {first}"
    ));
    let said = succeeds(site, &["move", "--keep-days", "1"]);
    assert!(said.starts_with("history written=0 moved=1"), "{said}");
    // What is in files alone must be whole.
    let all = files(&history(site).join("orders"));
    std::fs::remove_file(&all[0]).unwrap();
    let (code, said) = told(site, &["reconcile"]);
    assert!(
        code == 1 && said.contains("orders of day 2026112301"),
        "{said}"
    );
}

/// Waits until files of a day say that it is over, and its rows are gone if they should be.
fn wait_kept(site: &Site, child: &mut Child, (day, is_moved): (&str, bool)) {
    let begun = Instant::now();
    let note = history(site).join("days").join(format!("{day}.json"));
    let text = format!(
        "SELECT count(*) FROM fills JOIN days ON days.day = fills.id >> 48 WHERE name = '{day}'"
    );
    while !note.exists() || (is_moved && site.sql(&text) != [["0"]]) {
        if child.try_wait().unwrap().is_some() || begun.elapsed() > WAIT_MAX {
            child.kill().unwrap();
            let mut told = String::new();
            let read = child.stderr.take().unwrap().read_to_string(&mut told);
            panic!("{day} is not kept: {told} {read:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn stop(child: Child) {
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !told.contains("history"),
        "{told}"
    );
}

fn one_who_follows_keeps_what_it_is_told_to(site: &Site) {
    live(site, 0);
    live(site, 1);
    let folder = history(site);
    let folder = folder.to_str().unwrap();
    let words = [
        "project",
        "--follow",
        "--history",
        folder,
        "--keep-days",
        "1",
    ];
    let mut command = site.command(&words);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    wait_kept(site, &mut child, (DAYS[0], true));
    live(site, 2);
    wait_kept(site, &mut child, (DAYS[1], true));
    stop(child);
    site.agrees();
    let said = succeeds(site, &["reconcile"]);
    assert!(said.starts_with("agreed days=2 "), "{said}");
}

on_both!(one_who_follows_keeps_what_it_is_told_to);

/// A service that can do nothing else keeps days in its own folder, if its settings say so.
#[test]
fn a_confined_service_keeps_days() {
    let site = &Site::new();
    live(site, 0);
    live(site, 1);
    let dir = site.dir.path();
    std::fs::write(dir.join("history.toml"), "keep_days = 1\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-slow"));
    command.arg("serve").arg("--data-dir").arg(site.data_dir());
    command.arg("--dir").arg(dir);
    if rustix::process::geteuid().is_root() {
        give(dir);
        command.uid(DAEMON).gid(DAEMON);
    }
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    wait_kept(site, &mut child, (DAYS[0], true));
    stop(child);
    site.agrees();
    assert!(succeeds(site, &["reconcile"]).starts_with("agreed days=1 "));
}

/// Makes a folder another user's.
fn give(path: &Path) {
    std::os::unix::fs::chown(path, Some(DAEMON), Some(DAEMON)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}
