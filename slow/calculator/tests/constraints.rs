//! `optimise` within constraints, as its users run it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with returns of four assets, constraints and what is held.
fn desk() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mut returns, mut state) = ("day,AA,BB,CC,DD\n".to_owned(), 5u64);
    for day in 0..200 {
        returns += &format!("d{day}");
        for asset in 0..4 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let shock = (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5;
            let move_by = 0.0005 * f64::from(asset) + 0.02 * f64::from(asset + 1) * shock;
            returns += &format!(",{move_by}");
        }
        returns += "\n";
    }
    let tables = [
        ("returns.csv", returns.as_str()),
        (
            "limits.csv",
            "name,lower,upper,AA,BB,CC,DD\nsafe,,0.4,1,1,,\nslope,0.2,0.2,0,0,-1,1\n",
        ),
        ("held.csv", "AA,0.25\nBB,0.25\nDD,0.5\n"),
        (
            "against.csv",
            "name,lower,upper,AA,BB,CC,DD\nsafe,0.7,,1,1,,\nrest,0.5,,,,1,1\n",
        ),
        ("unknown.csv", "name,lower,upper,AA,XX\nsafe,,0.4,1,1\n"),
        ("twice.csv", "name,lower,upper,AA,AA\nsafe,,0.4,1,1\n"),
        ("unlimited.csv", "name,lower,upper,AA\nsafe,,,1\n"),
    ];
    for (name, text) in tables {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn run(folder: &TempDir, words: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wirecross-quant"))
        .args(["optimise", "returns.csv"])
        .args(words.split(' '))
        .current_dir(folder.path())
        .output()
        .unwrap()
}

fn json(folder: &TempDir, words: &str) -> Value {
    let output = run(folder, &format!("{words} --json"));
    assert!(output.status.success(), "{words}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn weights(found: &Value) -> [f64; 4] {
    ["AA", "BB", "CC", "DD"].map(|name| found["weights"][name].as_f64().unwrap())
}

#[test]
fn weights_are_within_constraints_and_proved() {
    let folder = desk();
    let free = json(&folder, "--goal variance");
    let [aa, bb, ..] = weights(&free);
    assert!(aa + bb > 0.5, "the constraint has to bind: {free:#}");
    let found = json(&folder, "--constraints limits.csv");
    let target = found["return"].as_f64().unwrap() + 1e-5;
    for words in [
        "--constraints limits.csv",
        &format!("--constraints limits.csv --target {target}"),
        "--constraints limits.csv --held held.csv --turnover 0.8",
        "--constraints limits.csv --held held.csv --turnover 0.8 --cost-bp 5 --goal utility",
    ] {
        let found = json(&folder, words);
        let [aa, bb, cc, dd] = weights(&found);
        assert!((aa + bb + cc + dd - 1.0).abs() < 1e-9, "{words}: {found:#}");
        assert!(aa + bb < 0.4 + 1e-9, "{words}: {found:#}");
        assert!((dd - cc - 0.2).abs() < 1e-9, "{words}: {found:#}");
        for (name, miss) in found["certificate"].as_object().unwrap() {
            assert!(miss.as_f64().unwrap() < 1e-9, "{words}, {name}: {miss}");
        }
        let values = ["safe", "slope"].iter().enumerate().map(|(at, name)| {
            assert_eq!(found["constraints"][at]["name"], *name);
            found["constraints"][at]["value"].as_f64().unwrap()
        });
        let values: Vec<f64> = values.collect();
        assert!((values[0] - aa - bb).abs() + (values[1] - dd + cc).abs() < 1e-12);
        assert_eq!(found["constraints"][0]["lower"], Value::Null);
        if words.contains("turnover") {
            let traded = (aa - 0.25).abs() + (bb - 0.25).abs() + cc.abs() + (dd - 0.5).abs();
            assert!(traded < 0.8 + 1e-9, "{words}: {found:#}");
            assert!((found["turnover"].as_f64().unwrap() - traded).abs() < 1e-12);
        }
        if words.contains("cost") {
            let paid = found["cost"].as_f64().unwrap() / found["turnover"].as_f64().unwrap();
            assert!((paid - 5e-4).abs() < 1e-12, "{words}: {found:#}");
        }
    }
    // What trading would cost more than it brings is left.
    let dear = json(&folder, "--goal utility --held held.csv --cost-bp 9000");
    let kept = weights(&dear);
    let wanted = [0.25, 0.25, 0.0, 0.5];
    assert!(
        kept.iter().zip(wanted).all(|(x, y)| (x - y).abs() < 1e-9),
        "{dear:#}"
    );
    let output = run(
        &folder,
        "--constraints limits.csv --held held.csv --turnover 0.8",
    );
    let text = String::from_utf8(output.stdout).unwrap();
    for word in [
        "safe",
        "0.400000",
        "bought and sold",
        "constraints are missed by",
    ] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn what_cannot_be_says_why() {
    let folder = desk();
    for (words, wanted) in [
        (
            "--constraints against.csv",
            "fulfil \"safe\", \"rest\" together",
        ),
        (
            "--constraints unknown.csv",
            "unknown.csv: there are no returns of \"XX\"",
        ),
        (
            "--constraints twice.csv",
            "twice.csv: two columns are of \"AA\"",
        ),
        (
            "--constraints unlimited.csv",
            "constraint \"safe\": it has neither",
        ),
        (
            "--constraints held.csv",
            "held.csv: the first line names the columns",
        ),
        (
            "--constraints limits.csv --target 9",
            "constraint \"--target\": at least 9",
        ),
        (
            "--constraints limits.csv --goal parity",
            "only with --goal variance and utility",
        ),
        ("--held held.csv", "--held: give --turnover or --cost-bp"),
        (
            "--held held.csv --cost-bp 5",
            "--cost-bp: only with --goal utility",
        ),
        (
            "--held held.csv --turnover -1",
            "--turnover: between 0 and 1e6",
        ),
        ("--turnover 1", "--held <FILE.csv>"),
        (
            "--constraints limits.csv --held held.csv --turnover 0.1",
            "the limit on turnover together",
        ),
    ] {
        let output = run(&folder, words);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && error.contains(wanted),
            "{words}: {error}"
        );
    }
}
