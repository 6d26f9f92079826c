//! `wirecross backtest` on made-up and real captures: the same bytes twice, and errors that say
//! where.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::program;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn strategy(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("strategies")
        .join(name);
    path.display().to_string()
}

/// A desk's session of a market that wanders and trades.
fn session(path: &Path) {
    let mut text = String::from("wirecross desk session 1\n");
    let mut number = 0;
    let mut tell = |words: String| {
        number += 1;
        writeln!(text, "{number} {words}").unwrap();
    };
    for step in 0..2_000_u64 {
        let ns = 1_000_000_000 + step * 2_000_000;
        let price = 1_000_000 + (step * 37 % 11) as i64 * 100;
        tell(format!("clear {ns} {ns} 0"));
        tell(format!("level {ns} {ns} 0 buy {} 300", price - 400));
        tell(format!("level {ns} {ns} 0 sell {} 200", price + 400));
        tell(format!("end {ns} {ns} 0"));
        let aggressor = if step % 2 == 0 { "buy" } else { "sell" };
        let traded = if step % 2 == 0 {
            price + 400
        } else {
            price - 400
        };
        tell(format!("trade {ns} {ns} 0 {aggressor} {traded} 150"));
    }
    fs::write(path, text).unwrap();
}

#[test]
fn two_runs_write_the_same_bytes_and_a_picture() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    session(Path::new(&at("day")));
    let run = |name: &str| {
        let decisions = at(name);
        let (strategy, day, json, svg) = (
            strategy("demo-maker.toml"),
            at("day"),
            at("json"),
            at("svg"),
        );
        let ended = program(&[
            "backtest",
            "--simulate",
            "--strategy",
            &strategy,
            "--data",
            &day,
            "--decisions",
            &decisions,
            "--json",
            &json,
            "--svg",
            &svg,
        ]);
        ended.succeeds();
        (fs::read(decisions).unwrap(), ended.out)
    };
    let first = run("one");
    assert!(first == run("two"), "two runs differ");
    assert!(first.0.len() > 1_000);
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(at("json")).unwrap()).unwrap();
    assert!(json["fills"].as_u64().unwrap() > 10, "{json}");
    assert!(first.1.contains(json["profit"].as_str().unwrap()));
    let svg = fs::read_to_string(at("svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.matches("<polyline").count() == 2);
}

#[test]
fn a_hole_in_a_session_and_a_wrong_file_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let day: PathBuf = dir.path().join("day");
    let head = "wirecross desk session 1\n";
    let maker = strategy("demo-maker.toml");
    let run = |text: &str| {
        fs::write(&day, text).unwrap();
        program(&[
            "backtest",
            "--strategy",
            &maker,
            "--data",
            day.to_str().unwrap(),
        ])
    };
    run(&format!("{head}1 time 5\n3 time 6\n")).refuses(2, &["day: line 3: input 3, where 2"]);
    run(&format!("{head}1 level 5 5 0 up 3 4\n")).refuses(2, &["day: line 2: no input"]);
    run(head).succeeds();

    let bad = dir.path().join("bad.toml");
    let change = |from: &str, to: &str, piece: &str| {
        let text = fs::read_to_string(&maker).unwrap();
        assert!(text.contains(from));
        fs::write(&bad, text.replacen(from, to, 1)).unwrap();
        let args = [
            "backtest",
            "--strategy",
            bad.to_str().unwrap(),
            "--data",
            "none",
        ];
        program(&args).refuses(2, &["bad.toml", piece]);
    };
    change(
        "quantity = \"100\"",
        "quantity = \"0\"",
        "strategies.maker.maker.quantity",
    );
    change(
        "market = \"DEMO1\"",
        "market = \"X\"",
        "no market is called \"X\"",
    );
    change(
        "loss_max = \"100000\"",
        "loss_max = \"much\"",
        "risk.loss_max",
    );
    change(
        "orders_per_second = ",
        "orders_per_second = 9000",
        "risk.orders_per_second",
    );
    change("skew_ticks", "skewed_ticks", "skewed_ticks");
    change("lot = \"1\"", "lot = \"3x\"", "markets.DEMO1.lot");
}
