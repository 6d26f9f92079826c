//! What another program is told is what the command line says, and nothing of the disk.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use calculator::{ASKED, Stop, Unanswered, ask, parameters};
use serde_json::{Map, Value, json};

const RETURNS: &str = "day,AA,BB,CC\n1,0.01,0.02,-0.01\n2,-0.02,0.01,0.03\n3,0.005,-0.01,0.02\n\
                       4,0.02,0.015,-0.005\n5,-0.01,0.0,0.01\n6,0.0,0.01,-0.02\n";
const POSITIONS: &str =
    "name,price,lot,quantity,target_ppm\nAA,100,1,50,300000\nBB,250,10,0,500000\n";
const SERIES: &str = "x\n1\n3\n2\n4\n3\n5\n4\n6\n5\n7\n";
const MODEL: &str = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\n\
                     objective=regression\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=1\n\
                     threshold=0.5\ndecision_type=2\nleft_child=-1\nright_child=-2\n\
                     leaf_value=-3 7\n\nend of trees\n";

/// Rows with labels that follow from their numbers.
fn rows(count: usize) -> String {
    let row = |at: usize| {
        let [x, y] = [at * 7 % 13, at * 5 % 17];
        format!("{x},{y},{}\n", if x > y { "UP" } else { "DOWN" })
    };
    let all: String = (0..count).map(row).collect();
    format!("x,y,label\n{all}")
}

/// A command, its parameters, and the same as words, the files by the parameters' names.
type Case = (&'static str, Value, &'static [&'static str]);

fn cases() -> Vec<Case> {
    vec![
        (
            "optimise",
            json!({"returns": RETURNS, "goal": "variance", "riskless": 0.001, "most": "0.6"}),
            &[
                "returns",
                "--goal",
                "variance",
                "--riskless",
                "0.001",
                "--most",
                "0.6",
            ],
        ),
        (
            "optimise",
            json!({
                "returns": RETURNS, "goal": "utility", "turnover": 1.5,
                "held": "AA,0.5\nBB,0.5\n", "constraints": "name,lower,upper,AA,BB\nt,,0.4,1,1\n",
            }),
            &[
                "returns",
                "--goal",
                "utility",
                "--turnover",
                "1.5",
                "--held",
                "held",
                "--constraints",
                "constraints",
            ],
        ),
        (
            "frontier",
            json!({"returns": RETURNS, "periods": 252}),
            &["returns", "--periods", "252"],
        ),
        (
            "risk",
            json!({"returns": RETURNS, "weights": "AA,0.7\nCC,0.3\n", "simulate": 4096}),
            &["returns", "--weights", "weights", "--simulate", "4096"],
        ),
        (
            "simulate",
            json!({"option": "asian", "sampling": "sobol", "paths": 4096, "rate": -0.01}),
            &[
                "--option",
                "asian",
                "--sampling",
                "sobol",
                "--paths",
                "4096",
                "--rate",
                "-0.01",
            ],
        ),
        (
            "simulate",
            json!({
                "assets": "name,start,volatility\nAA,100,0.2\nBB,50,0.3\n", "paths": 4096,
                "correlations": "1,0.5\n0.5,1\n", "together": "best",
            }),
            &[
                "--assets",
                "assets",
                "--correlations",
                "correlations",
                "--together",
                "best",
                "--paths",
                "4096",
            ],
        ),
        (
            "rebalance",
            json!({"positions": POSITIONS, "cash": 100_000, "fee_ppm": 100}),
            &["positions", "--cash", "100000", "--fee-ppm", "100"],
        ),
        (
            "forecast",
            json!({"series": SERIES, "season": 2, "horizon": 3}),
            &["series", "--season", "2", "--horizon", "3"],
        ),
        (
            "predict",
            json!({"model": MODEL, "rows": "1,0.2\n1,0.9\n", "raw": true}),
            &["model", "rows", "--raw"],
        ),
        (
            "train",
            json!({"rows": rows(300), "folds": 1, "rounds": 4, "least_rows": 5, "balanced": true}),
            &[
                "rows",
                "--folds",
                "1",
                "--rounds",
                "4",
                "--least-rows",
                "5",
                "--balanced",
            ],
        ),
    ]
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// What the program says of the same in files.
fn told(folder: &Path, command: &str, params: &Map<String, Value>, words: &[&str]) -> Value {
    for parameter in parameters(command) {
        if let (true, Some(Value::String(text))) = (parameter.is_file, params.get(&parameter.name))
        {
            std::fs::write(folder.join(&parameter.name), text).unwrap();
        }
    }
    let output = Command::new(env!("CARGO_BIN_EXE_wirecross-quant"))
        .arg(command)
        .args(words)
        .arg("--json")
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{command} {words:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn answers_are_those_of_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut commands: Vec<&str> = Vec::new();
    for (command, params, words) in cases() {
        let params = object(params);
        let asked = ask(command, &params, &Stop::default()).unwrap();
        // As the program prints it, and as it is read again.
        let asked: Value = serde_json::from_str(&asked.to_string()).unwrap();
        assert_eq!(
            asked,
            told(folder.path(), command, &params, words),
            "{command}"
        );
        commands.push(command);
    }
    assert!(ASKED.iter().all(|command| commands.contains(command)));
}

#[test]
fn what_is_wrong_is_named_by_its_parameter() {
    let wide = vec!["1"; 501].join(",");
    let many = format!("x,label\n{}", "1,A\n2,B\n".repeat(100_001));
    let cases: [(&str, Value, &str); 19] = [
        (
            "features",
            json!({}),
            "no command \"features\"; there are: optimise, ",
        ),
        ("train", json!({}), "rows: is missing"),
        (
            "train",
            json!({"rows": rows(9), "model": "/tmp/model.txt"}),
            "model: no such parameter",
        ),
        (
            "train",
            json!({"rows": many}),
            "rows: 200002 rows: up to 200000",
        ),
        (
            "train",
            json!({"rows": rows(9), "rounds": 10_000, "leaves": 100}),
            "rounds: 1000000 leaves",
        ),
        ("optimise", json!({}), "returns: is missing"),
        (
            "optimise",
            json!({"returns": RETURNS, "plot": "x.svg"}),
            "plot: no such parameter",
        ),
        (
            "optimise",
            json!({"returns": RETURNS, "json": true}),
            "json: no such parameter",
        ),
        (
            "optimise",
            json!({"returns": ["a"]}),
            "returns: is the text of a file",
        ),
        (
            "optimise",
            json!({"returns": RETURNS, "prices": 1}),
            "prices: is true or false",
        ),
        (
            "optimise",
            json!({"returns": RETURNS, "goal": "gold"}),
            "goal: invalid value 'gold'",
        ),
        (
            "optimise",
            json!({"returns": RETURNS, "aversion": "much"}),
            "aversion: invalid value",
        ),
        (
            "optimise",
            json!({"returns": RETURNS, "turnover": 0.1}),
            "held",
        ),
        (
            "optimise",
            json!({"returns": "A,B\n1,2\n3,x\n"}),
            "returns, line 3, column 2 (B): \"x\"",
        ),
        (
            "frontier",
            json!({"returns": format!("{wide}\n{wide}\n")}),
            "returns: 501 columns",
        ),
        (
            "simulate",
            json!({"paths": 100_000_001_u64}),
            "paths: 100000001: up to 100000000",
        ),
        (
            "simulate",
            json!({"option": "american", "paths": 1_000_000, "steps": 100}),
            "paths: ",
        ),
        (
            "predict",
            json!({"model": "/etc/passwd", "rows": "1\n"}),
            "model: ",
        ),
        (
            "risk",
            json!({"returns": RETURNS, "weights": "XX,1\n"}),
            "weights, line 1, column 2",
        ),
    ];
    for (command, params, why) in cases {
        match ask(command, &object(params), &Stop::default()) {
            Err(Unanswered::Refused(told)) => assert!(
                told.contains(why) && !told.contains("Usage") && !told.contains('\n'),
                "{told:?}, not {why:?}"
            ),
            other => panic!("{command}: {other:?}, not {why:?}"),
        }
    }
}

#[test]
fn long_work_stops_at_the_word() {
    // It would take minutes.
    let cases = [
        ("simulate", json!({"paths": 100_000_000, "steps": 252})),
        (
            "train",
            json!({"rows": rows(20_000), "rounds": 10_000, "leaves": 26, "rate": 1e-4}),
        ),
    ];
    for (command, params) in cases {
        let params = object(params);
        let stop = Stop::default();
        let word = stop.clone();
        let asked = std::thread::spawn(move || ask(command, &params, &stop));
        std::thread::sleep(std::time::Duration::from_millis(200));
        word.stop();
        assert_eq!(asked.join().unwrap(), Err(Unanswered::Stopped), "{command}");
    }
}
