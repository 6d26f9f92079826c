//! `load` and `top` through the program: what they do to a venue, and how they fail.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Ended, Program, Site, Venue, counter, program, wait_until};
use std::net::TcpListener;
use std::path::Path;

/// What every run of `load` names.
fn load_args(venue: &str) -> Vec<String> {
    let login = ["--login", "ALPHA:alpha", "--login", "BRAVO:bravo"];
    let all = ["load", "--connect", venue, "--symbols", "AAPL,MSFT"];
    all.iter()
        .chain(&login)
        .map(|&arg| arg.to_owned())
        .collect()
}

/// Runs `load` with further arguments.
fn load(venue: &str, more: &[&str]) -> Ended {
    let mut args = load_args(venue);
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    program(&args)
}

/// A short run of few orders.
const SHORT: [&str; 6] = ["--rate", "500", "--seconds", "1.2", "--standing", "50"];

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A path as an argument.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A scenario of one second with these thresholds.
fn scenario(site: &Site, thresholds: &str) -> std::path::PathBuf {
    let path = site.dir.path().join("scenario.toml");
    let stage = "[[stage]]\nkind = \"constant\"\nseconds = 1.2\nrate = 500.0\n";
    std::fs::write(&path, format!("{stage}\n[thresholds]\n{thresholds}\n")).unwrap();
    path
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn load_reports_what_the_venue_answered() {
    let site = Site::new();
    let venue = site.start();
    let [report, picture] = ["report.json", "picture.svg"].map(|name| site.dir.path().join(name));
    let files = ["--json", text(&report), "--svg", text(&picture)];
    let ended = load(venue.ready("order_entry"), &[&SHORT[..], &files].concat());
    ended.succeeds();

    let report = json(&report);
    assert_eq!(
        (&report["sent"], &report["answered"]),
        (&600.into(), &600.into())
    );
    assert_eq!(report["unanswered"], 0);
    assert_eq!(report["due_to_reply"]["count"], 600);
    let due: u64 = report["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|second| second["due"].as_u64().unwrap())
        .sum();
    assert!(due <= 600 && !report["timeline"].as_array().unwrap().is_empty());
    assert!(
        ended.out.contains("600 commands in 1.2 s: 600 answered"),
        "{ended:?}"
    );
    let picture = std::fs::read_to_string(picture).unwrap();
    assert!(
        picture.starts_with("<svg") && picture.contains("<polyline"),
        "{picture}"
    );
    let entered = report["accepted"].as_u64().unwrap() + report["rejected"].as_u64().unwrap();
    assert!((1..=600).contains(&entered), "{entered}");
    assert_eq!(counter(&site, "gate.commands"), 600);
    venue.stop();
}

#[test]
fn profile_says_where_the_tiles_time_goes() {
    let site = Site::new();
    let data = site.data_dir();
    let profile = |args: &[&str]| program(&[&["profile", "--data", text(&data)], args].concat());
    assert_eq!(profile(&[]).code, Some(2), "there is no venue yet");
    let venue = site.start();
    load(venue.ready("order_entry"), &SHORT).succeeds();
    let ended = profile(&["--time-ms", "50"]);
    ended.succeeds();
    for name in [
        "busy",
        "waiting",
        "elsewhere",
        "gate",
        "engine",
        "journal",
        "publish",
    ] {
        assert!(ended.out.contains(name), "{ended:?}");
    }
    let ended = profile(&["--time-ms", "50", "--json"]);
    let shares: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(shares.as_array().unwrap().len(), 4);
    let picture = site.dir.path().join("flame.svg");
    let ended = profile(&["--time-ms", "300", "--flame", text(&picture)]);
    // Without `perf`, or the right to use it, it looks at the tiles' words and says so.
    ended.succeeds();
    let drawn = std::fs::read_to_string(&picture).unwrap();
    assert!(drawn.contains("samples</title>"), "{drawn}");
    assert_eq!(profile(&["--flame", "x", "--tile", "desk"]).code, Some(2));
    for tile in ["gate", "engine", "journal", "publish"] {
        let words = [
            "--flame",
            text(&picture),
            "--tile",
            tile,
            "--sampler",
            "words",
        ];
        profile(&[&["--time-ms", "50"], &words[..]].concat()).succeeds();
        let drawn = std::fs::read_to_string(&picture).unwrap();
        assert!(drawn.contains(&format!("<title>{tile}: ")), "{drawn}");
        assert_eq!(drawn.matches("<title>elsewhere: ").count(), 1, "{drawn}");
        for what in ["busy", "idle"] {
            assert!(
                counter(&site, &format!("{tile}.{what}_ns")) > 0,
                "{tile} {what}"
            );
        }
    }
    venue.stop();
    assert_eq!(profile(&[]).code, Some(2), "it has ended");
}

#[test]
fn a_second_load_goes_on_behind_the_first() {
    let site = Site::new();
    let venue = site.start();
    for seed in ["1", "2"] {
        let ended = load(
            venue.ready("order_entry"),
            &[&SHORT[..], &["--seed", seed]].concat(),
        );
        ended.succeeds();
        assert!(ended.out.contains("600 answered"), "{ended:?}");
    }
    venue.stop();
}

#[test]
fn a_broken_threshold_is_exit_code_1_with_its_reports() {
    let site = Site::new();
    let venue = site.start();
    let report = site.dir.path().join("report.json");
    // No answer takes less than a part of a microsecond.
    let broken = scenario(&site, "max_us = 0\nunanswered = 0");
    let args = ["--scenario", text(&broken), "--json", text(&report)];
    let ended = load(venue.ready("order_entry"), &args);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.out.contains("threshold broken: max_us is "),
        "{ended:?}"
    );
    assert!(!ended.out.contains("unanswered is"), "{ended:?}");
    let report = json(&report);
    assert_eq!(report["broken"].as_array().unwrap().len(), 1);
    assert_eq!(report["sent"], 600);

    let kept = scenario(&site, "unanswered = 0");
    load(venue.ready("order_entry"), &["--scenario", text(&kept)]).succeeds();
    venue.stop();
}

#[test]
fn wrong_arguments_of_load_are_refused_by_name() {
    let site = Site::new();
    let missing = site.dir.path().join("missing.toml");
    let wrong = scenario(&site, "p98_us = 1");
    let cases: &[(&[&str], &[&str])] = &[
        (&["--login", "ALPHA"], &["USER:PASSWORD"]),
        (&["--login", "TOOLONG:x"], &["USER:PASSWORD"]),
        (&["--rate", "0"], &["rate", "0"]),
        (&["--rate", "fast"], &["--rate", "fast"]),
        (&["--seconds=-1"], &["seconds", "-1"]),
        (&["--seconds", "nan"], &["seconds", "NaN"]),
        (
            &["--scenario", text(&wrong), "--rate", "5"],
            &["--scenario", "--rate"],
        ),
        (
            &["--scenario", text(&missing)],
            &["missing.toml", "No such file"],
        ),
        (&["--scenario", text(&wrong)], &["scenario.toml", "p98_us"]),
    ];
    for (args, pieces) in cases {
        load(&nobody(), args).refuses(2, pieces);
    }
    program(&["load", "--connect", &nobody(), "--symbols", "AAPL"]).refuses(2, &["--login"]);
}

#[test]
fn load_without_a_venue_ends_when_its_patience_does() {
    let few = ["--patience", "0.3"];
    load(&nobody(), &few).refuses(2, &["no login after 0.3 s"]);
    // Connections are taken, and nothing is answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    load(&address, &few).refuses(2, &["no login after 0.3 s"]);
}

#[test]
fn a_refused_login_is_named() {
    let site = Site::new();
    let venue = site.start();
    let address = venue.ready("order_entry");
    let args = [
        "load",
        "--connect",
        address,
        "--symbols",
        "AAPL",
        "--login",
        "ALPHA:wrong",
    ];
    program(&args).refuses(2, &["ALPHA", "wrong password"]);
    venue.stop();
}

#[test]
fn a_report_that_cannot_be_written_fails_before_the_run() {
    let site = Site::new();
    let venue = TcpListener::bind("127.0.0.1:0").unwrap();
    venue.set_nonblocking(true).unwrap();
    let address = venue.local_addr().unwrap().to_string();
    let path = site.dir.path().join("missing/report");
    for option in ["--json", "--svg"] {
        load(&address, &[option, text(&path)]).refuses(2, &["missing/report", "No such file"]);
        assert!(venue.accept().is_err(), "the run began all the same");
    }
}

/// Runs `top` on a data directory.
fn top(data_dir: &Path, more: &[&str]) -> Ended {
    let args = ["top", "--interval-ms", "10", "--data", text(data_dir)];
    program(&[&args[..], more].concat())
}

/// The words of the line that begins with a name.
fn line<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let lines = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut found = lines.filter(|words| words.first() == Some(&name));
    found
        .next()
        .unwrap_or_else(|| panic!("no line {name} in:\n{table}"))
}

/// A venue that has answered some orders.
fn used(site: &Site) -> Venue {
    let venue = site.start();
    load(venue.ready("order_entry"), &SHORT).succeeds();
    venue
}

#[test]
fn top_shows_the_counters_of_another_process() {
    let site = Site::new();
    let venue = used(&site);
    let shown = top(&site.data_dir(), &["--once"]);
    shown.succeeds();
    assert!(
        shown.out.starts_with("wirecross: process "),
        "{}",
        shown.out
    );
    assert!(
        shown.out.lines().next().unwrap().ends_with(", running"),
        "{}",
        shown.out
    );
    assert_eq!(
        line(&shown.out, "gate.commands"),
        ["gate.commands", "600", "0.0"]
    );
    assert_eq!(line(&shown.out, "gate.logins")[1], "2");
    assert_eq!(line(&shown.out, "gate_engine"), ["gate_engine", "0"]);
    let hop = line(&shown.out, "hop.gate_engine_ns");
    assert_eq!(hop.last(), Some(&"600"), "{}", shown.out);
    let summary = venue.stop();

    let shown = top(&site.data_dir(), &["--once"]);
    shown.succeeds();
    assert!(
        shown.out.lines().next().unwrap().contains(" ended"),
        "{}",
        shown.out
    );
    assert_eq!(line(&shown.out, "engine.inputs")[1], summary["inputs"]);
    assert_eq!(line(&shown.out, "journal.durable")[1], summary["inputs"]);
}

#[test]
fn top_without_a_venue_or_a_terminal_says_so() {
    let site = Site::new();
    let data_dir = site.data_dir();
    top(&data_dir, &["--once"]).refuses(2, &["data/counters", "data_dir"]);
    std::fs::create_dir(&data_dir).unwrap();
    let counters = data_dir.join("counters");
    for bytes in [&b""[..], b"no counters", &[7; 100_000]] {
        std::fs::write(&counters, bytes).unwrap();
        top(&data_dir, &["--once"]).refuses(2, &["data/counters"]);
    }
    std::fs::remove_file(&counters).unwrap();
    site.start().stop();
    top(&data_dir, &[]).refuses(2, &["--once"]);
}

#[test]
fn load_ends_when_the_venue_does() {
    let site = Site::new();
    let venue = site.start();
    let mut args = load_args(venue.ready("order_entry"));
    let endless = ["--rate", "500", "--seconds", "3600", "--patience", "1"];
    args.extend(endless.map(str::to_owned));
    let load = Program::start(&args);
    wait_until("the first commands", || counter(&site, "gate.commands") > 0);
    drop(venue);
    load.wait().refuses(2, &["no command was taken"]);
}
