//! The program as its users run it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with tables.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Prices of three assets that move by whole per cents, without a pattern.
    fn prices(&self) -> PathBuf {
        let (mut text, mut state) = ("day,AA,BB,CC\n".to_owned(), 9u64);
        let mut prices = [100.0, 50.0, 20.0];
        for day in 0..120 {
            text += &format!("d{day}");
            for price in &mut prices {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                *price *= 1.0 + ((state >> 60) as f64 - 7.0) / 100.0;
                text += &format!(",{price}");
            }
            text += "\n";
        }
        self.file("prices.csv", &text)
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-quant"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        let output = self.run(&[words, &["--json"]].concat());
        assert!(output.status.success(), "{words:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn text(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says on stderr when it refuses.
    fn refused(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(!output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn picture(&self, words: &[&str]) -> String {
        self.text(&[words, &["--plot", "p.svg"]].concat());
        let svg = fs::read_to_string(self.folder.path().join("p.svg")).unwrap();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && !svg.contains("NaN"));
        svg
    }
}

/// A file beside the checkout.
fn beside(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/vectors")
        .join(name);
    assert!(
        path.is_file(),
        "{}: lay shared/ beside the checkout",
        path.display()
    );
    path.display().to_string()
}

#[test]
fn weights_add_up_and_are_the_best() {
    let desk = Desk::new();
    desk.prices();
    for goal in ["variance", "sharpe", "utility", "parity"] {
        let found = desk.json(&["optimise", "prices.csv", "--prices", "--goal", goal]);
        let weights = found["weights"].as_object().unwrap();
        let sum: f64 = weights.values().map(|x| x.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{goal}: {found:#}");
        for (name, miss) in found["certificate"].as_object().unwrap() {
            assert!(miss.as_f64().unwrap() < 1e-9, "{goal}, {name}: {miss}");
        }
    }
    let least = desk.json(&["optimise", "prices.csv", "--prices"]);
    let words = [
        "optimise",
        "prices.csv",
        "--prices",
        "--most",
        "0.4",
        "--least",
        "0.1",
    ];
    let bounded = desk.json(&words);
    let [least, bounded] = [least, bounded].map(|x| x["deviation"].as_f64().unwrap());
    assert!(least > 0.0 && bounded >= least);
    let text = desk.text(&["optimise", "prices.csv", "--prices"]);
    assert!(
        text.contains("AA") && text.contains("the best is at most better by"),
        "{text}"
    );
}

#[test]
fn a_frontier_falls_from_the_most_return_to_the_least_variance() {
    let desk = Desk::new();
    desk.prices();
    let words = [
        "frontier",
        "prices.csv",
        "--prices",
        "--estimator",
        "sample",
    ];
    let found = desk.json(&words);
    let all = found["portfolios"].as_array().unwrap();
    assert!(all.len() >= 2);
    for pair in all.windows(2) {
        for name in ["return", "deviation"] {
            assert!(
                pair[0][name].as_f64() >= pair[1][name].as_f64(),
                "{found:#}"
            );
        }
    }
    let svg = desk.picture(&words);
    assert_eq!(svg.matches("<circle").count(), 3);
}

#[test]
fn options_are_worth_what_is_known_within_their_errors() {
    let desk = Desk::new();
    for sampling in ["plain", "antithetic", "stratified", "sobol"] {
        let words = [
            "simulate",
            "--rate",
            "0.03",
            "--paths",
            "20000",
            "--sampling",
            sampling,
        ];
        let found = desk.json(&words);
        let [value, error, exactly] =
            ["value", "error", "exactly"].map(|name| found[name].as_f64().unwrap());
        assert!((value - exactly).abs() < 4.5 * error, "{sampling}: {found}");
        assert_eq!(found["complete"], true);
    }
    for option in ["american", "asian", "lookback", "european"] {
        for model in ["gbm", "merton", "heston"] {
            let words = [
                "simulate", "--option", option, "--model", model, "--paths", "2000",
            ];
            let found = desk.json(&words);
            assert!(
                found["value"].as_f64() > Some(0.0),
                "{option}, {model}: {found}"
            );
        }
    }
    // All averages are on the side of the strike that the geometric ones are on.
    let deep = desk.json(&["simulate", "--option", "asian", "--strike", "60"]);
    assert!(deep["error"].as_f64() < Some(1e-9), "{deep}");
    let knocked = |option: &str| {
        let words = [
            "simulate",
            "--option",
            option,
            "--barrier",
            "120",
            "--paths",
            "20000",
        ];
        desk.json(&words)["value"].as_f64().unwrap()
    };
    let whole = desk.json(&["simulate", "--paths", "20000"])["value"]
        .as_f64()
        .unwrap();
    let sum = knocked("knock-in") + knocked("knock-out");
    assert!((sum - whole).abs() < 1e-9, "{sum} {whole}");
    let svg = desk.picture(&["simulate", "--paths", "2000"]);
    assert!(svg.contains("median"), "{svg}");
    assert!(
        desk.refused(&["simulate", "--barrier", "1"])
            .contains("--barrier goes with")
    );
    for (option, strike) in ["european", "american"]
        .iter()
        .flat_map(|it| ["nan", "inf", "-1"].map(|strike| (*it, strike)))
    {
        let strike = format!("--strike={strike}");
        let refused = desk.refused(&["simulate", "--option", option, &strike]);
        assert!(refused.contains("strike"), "{option}, {strike}: {refused}");
    }
    assert!(
        desk.refused(&["simulate", "--volatility", "11"])
            .contains("volatility")
    );
}

/// Two assets, and how they move together.
fn two_assets(desk: &Desk) {
    desk.file(
        "assets.csv",
        "name,start,volatility,dividend,weight\nAA,90,0.2,0.02,2\nBB,62,0.35,0,-3\n",
    );
    desk.file("matrix.csv", "name,AA,BB\nAA,1,0.6\nBB,0.6,1\n");
}

#[test]
fn baskets_are_worth_what_is_known_within_their_errors() {
    let desk = Desk::new();
    two_assets(&desk);
    let common = ["simulate", "--assets", "assets.csv", "--rate", "0.03"];
    let both = ["--correlations", "matrix.csv", "--strike", "0"];
    let exchange = desk.json(&[&common[..], &both].concat());
    let of = |found: &Value, name: &str| found[name].as_f64().unwrap();
    let off = of(&exchange, "value") - of(&exchange, "exactly");
    assert!(off.abs() < 4.5 * of(&exchange, "error"), "{exchange}");
    // Whichever way round the matrix stands, and with or without names.
    for matrix in [
        ",BB,AA\nBB,1,0.6\nAA,0.6,1\n",
        "AA,BB\n1,0.6\n0.6,1\n",
        "1,0.6\n0.6,1\n",
        "BB,1,0.6\nAA,0.6,1\n",
    ] {
        desk.file("matrix.csv", matrix);
        assert_eq!(desk.json(&[&common[..], &both].concat()), exchange);
    }
    let of_two = |together: &str| {
        let words = ["--together", together, "--kind", "put"];
        desk.json(&[&common[..], &both[..2], &words].concat())
    };
    desk.file(
        "assets.csv",
        "name,start,volatility\nAA,90,0.2\nBB,110,0.35\n",
    );
    let [sum, best, worst] = ["sum", "best", "worst"].map(|it| of(&of_two(it), "value"));
    assert!(sum < best && best < worst, "{sum} {best} {worst}");
    let svg = desk.picture(&[&common[..], &both[..2]].concat());
    assert!(svg.contains("median"), "{svg}");
    // An asset alone is no basket: nothing is left to chance.
    desk.file("assets.csv", "AA,start,volatility\nAA,100,0.2\n");
    let one = desk.json(&common);
    let alone = desk.json(&["simulate", "--rate", "0.03"]);
    assert!((of(&one, "value") - of(&alone, "exactly")).abs() < 1e-9);
    assert_eq!(one["exactly"], alone["exactly"]);
}

#[test]
fn a_basket_that_cannot_be_is_refused_by_its_place() {
    let desk = Desk::new();
    two_assets(&desk);
    let words = ["simulate", "--assets", "assets.csv"];
    let with = |more: &[&str], wanted: &str| {
        let refused = desk.refused(&[&words[..], more].concat());
        assert!(refused.contains(wanted), "{refused}");
    };
    with(&[], "--correlations: is missing: how 2 assets");
    let matrix = ["--correlations", "matrix.csv"];
    with(&["--start", "5"], "--start");
    with(&["--option", "asian"], "--option european");
    with(&["--model", "heston"], "--model gbm");
    with(&[&matrix[..], &["--rate", "11"]].concat(), "rate: 11");
    for (text, wanted) in [
        ("1,0.6\n", "matrix.csv: 1 rows of 2 numbers, there are 2"),
        (
            "AA,BB\n1,0.6\n0.5,1\n",
            "matrix.csv, line 2, column 2 (BB): is not the correlation the other way",
        ),
        (
            "AA,BB\n1,2\n2,1\n",
            "column 2 (BB): a correlation is between",
        ),
        (
            "0.9,0\n0,1\n",
            "line 1, column 1 (1): an asset's correlation",
        ),
        ("AA,CC\n1,0\n0,1\n", "no asset \"BB\"; there are: AA, CC"),
    ] {
        desk.file("matrix.csv", text);
        with(&matrix, wanted);
    }
    desk.file("matrix.csv", "1,0\n0,1\n");
    for (text, wanted) in [
        ("name,start\nAA,1\nBB,1\n", "no column \"volatility\""),
        (
            "name,start,volatility,wieght\nAA,1,0.2,1\nBB,1,0.2,1\n",
            "assets.csv: a column \"wieght\"; there may be: start, dividend",
        ),
        (
            "name,start,volatility\nAA,1,0.2\nBB,1,11\n",
            "assets.csv: BB: volatility: 11",
        ),
        (
            "name,start,volatility\nAA,1,0.2\nAA,1,0.2\n",
            "assets.csv: there are two assets \"AA\"",
        ),
    ] {
        desk.file("assets.csv", text);
        with(&matrix, wanted);
    }
    let refused = desk.refused(&["simulate", "--correlations", "matrix.csv"]);
    assert!(refused.contains("--assets"), "{refused}");
}

/// Whether a process does something of its own when it is interrupted.
fn is_listening(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
    // Signals count from 1, SIGINT is the second.
    caught >> 1 & 1 == 1
}

#[test]
fn who_is_interrupted_says_what_was_done_so_far() {
    let asked = 1_u64 << 39;
    for option in ["european", "lookback"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-quant"));
        command
            .args(["simulate", "--option", option, "--steps", "252", "--json"])
            .args(["--paths", &asked.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let process = child.id();
        while !is_listening(process) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let mut kill = Command::new("kill");
        let sent = kill.args(["-INT", &process.to_string()]).status().unwrap();
        assert!(sent.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("this is what was done so far"), "{told}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["complete"], false, "{found}");
        let paths = found["paths"].as_u64().unwrap();
        assert!((2_048..asked).contains(&paths), "{found}");
        let [value, error] = ["value", "error"].map(|name| found[name].as_f64().unwrap());
        assert!(value > 5.0 * error && error > 0.0, "{found}");
    }
}

#[test]
fn risks_of_equal_and_of_given_weights() {
    let desk = Desk::new();
    desk.prices();
    desk.file("held.csv", "name,weight\nBB,0.25\nAA,0.75\n");
    let words = [
        "risk",
        "prices.csv",
        "--prices",
        "--level",
        "0.9",
        "--weights",
        "held.csv",
    ];
    let found = desk.json(&[&words[..], &["--simulate", "5000"]].concat());
    let parts = found["contributions"].as_object().unwrap();
    let sum: f64 = parts.values().map(|x| x.as_f64().unwrap()).sum();
    assert!((sum - found["deviation"].as_f64().unwrap()).abs() < 1e-12);
    assert_eq!(parts["CC"], 0.0);
    let [normal, simulated, error] = [
        &found["gaussian"]["value_at_risk"],
        &found["simulated"]["value_at_risk"],
        &found["simulated"]["value_at_risk_error"],
    ]
    .map(|x| x.as_f64().unwrap());
    assert!((normal - simulated).abs() < 5.0 * error, "{found:#}");
    assert!(desk.picture(&words).contains("value at risk"));
    desk.file("held.csv", "BB,0.25\nAA,0.75\n");
    let unnamed = desk.json(&words);
    assert_eq!(unnamed["contributions"], found["contributions"]);
    desk.file("held.csv", "name,weight\nAA,0.5\nDD,0.5\n");
    let refused = desk.refused(&words);
    let wanted = "held.csv, line 3, column 2 (weight): there are no returns of \"DD\"";
    assert!(refused.contains(wanted), "{refused}");
}

#[test]
fn orders_are_those_of_the_rule() {
    let desk = Desk::new();
    let case = fs::read_to_string(beside("market/rebalance_100.json")).unwrap();
    let case: Value = serde_json::from_str(&case).unwrap();
    let column = |name: &str| case[name].as_array().unwrap().iter();
    let mut text = "lot,price,target_ppm,quantity\n".to_owned();
    for (((lot, price), target), quantity) in column("lot")
        .zip(column("price"))
        .zip(column("target_ppm"))
        .zip(column("qty"))
    {
        text += &format!("{lot},{price},{target},{quantity}\n");
    }
    desk.file("held.csv", &text);
    let option = |name: &str| format!("--{}={}", name.replace('_', "-"), case[name]);
    let options = ["cash", "fee_ppm", "band_ppm", "min_notional"].map(option);
    let mut words = vec!["rebalance", "held.csv"];
    words.extend(options.iter().map(String::as_str));
    let found = desk.json(&words);
    let expected = &case["expected"];
    assert_eq!(found["total"], expected["total"]);
    assert_eq!(found["cash_after"], expected["cash_after"]);
    for side in ["sells", "buys"] {
        let orders = found[side].as_array().unwrap().iter();
        let orders: Vec<Value> = orders
            .map(|x| serde_json::json!([x["position"], x["quantity"]]))
            .collect();
        assert_eq!(Value::Array(orders), expected[side], "{side}");
    }
    desk.file(
        "held.csv",
        "lot,price,target_ppm,quantity\n1,2,3,4\n1,2.5,3,4\n",
    );
    let refused = desk.refused(&["rebalance", "held.csv", "--cash", "1"]);
    let wanted = "held.csv, line 3, column 2 (price): 2.5 is no whole number";
    assert!(refused.contains(wanted), "{refused}");
}

#[test]
fn models_are_asked_by_what_they_are() {
    let desk = Desk::new();
    let [trees, networks] = ["ml/ml_inputs.csv", "ml/mlp_inputs.csv"].map(beside);
    for (model, rows, answers, near) in [
        ("lgb_multiclass.txt", &trees, "lgb_multiclass", 1e-12),
        ("xgb_binary.json", &trees, "xgb_binary", 1e-6),
        ("mlp_weights.json", &networks, "mlp", 1e-6),
        ("logreg.json", &networks, "logreg", 1e-6),
    ] {
        let found = desk.json(&["predict", &beside(&format!("ml/{model}")), rows]);
        let wanted = fs::read_to_string(beside(&format!("ml/{answers}_prob.csv"))).unwrap();
        let rows = found["rows"].as_array().unwrap();
        assert_eq!(rows.len(), wanted.lines().count());
        for (row, line) in rows.iter().zip(wanted.lines()) {
            let results = row["results"].as_array().unwrap();
            for (result, wanted) in results.iter().zip(line.split(',')) {
                let [result, wanted] = [result.as_f64().unwrap(), wanted.parse().unwrap()];
                assert!((result - wanted).abs() <= near, "{model}: {row}, {line}");
            }
        }
    }
    desk.file("rows.csv", "a,b\n1,2\n");
    let model = beside("ml/lgb_binary.txt");
    let refused = desk.refused(&["predict", &model, "rows.csv"]);
    assert!(
        refused.contains("rows.csv: 2 columns of numbers, the model has 24"),
        "{refused}"
    );
    let refused = desk.refused(&["predict", "rows.csv", "rows.csv"]);
    assert!(
        refused.contains("rows.csv: expected value at line 1 column 1"),
        "{refused}"
    );
}

#[test]
fn a_forecast_is_at_least_as_good_as_the_last_season() {
    let desk = Desk::new();
    let series = beside("forecast/load_daily.csv");
    let words = ["forecast", &series, "--season", "288", "--horizon", "288"];
    let found = desk.json(&words);
    assert_eq!(found["forecast"].as_array().unwrap().len(), 288);
    assert!(
        found["mae"].as_f64() <= found["naive_mae"].as_f64(),
        "{found:#}"
    );
    assert!(desk.picture(&words).contains("forecast"));
    let numbers: String = (1..=9).map(|it| format!("d{it},{it}\n")).collect();
    desk.file("labelled.csv", &numbers);
    desk.file("named.csv", &format!("day,x\n{numbers}"));
    let [labelled, named] =
        ["labelled.csv", "named.csv"].map(|file| desk.text(&["forecast", file]));
    assert!(labelled.contains("of 9") && labelled == named, "{labelled}");
    let refused = desk.refused(&["forecast", "none.csv"]);
    assert!(refused.contains("none.csv: No such file"), "{refused}");
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-quant"));
    command.args(["simulate", "--paths", "2000"]).stdout(full);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("output: No space left"), "{said}");
    // Who has read enough is another thing.
    let (reads, writes) = std::io::pipe().unwrap();
    drop(reads);
    let output = command.stdout(writes).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn what_has_no_picture_says_so() {
    let desk = Desk::new();
    desk.prices();
    let refused = desk.refused(&["optimise", "prices.csv", "--prices", "--plot", "p.svg"]);
    assert!(
        refused.contains("--plot: there is no picture of this"),
        "{refused}"
    );
}

#[test]
fn a_plan_costs_less_than_the_peak_and_says_why() {
    let desk = Desk::new();
    let trace = desk.text(&["scale", "trace", "--days", "8", "--step-s", "300"]);
    desk.file("load.csv", &trace);
    let words = ["scale", "plan", "--trace", "load.csv", "--capacity", "8000"];
    let plan = desk.json(&words);
    assert_eq!(plan["rows"], 8 * 288);
    let forecasts = &plan["forecasts"];
    assert!(
        forecasts["mae"].as_f64() < forecasts["naive_mae"].as_f64(),
        "{forecasts}"
    );
    let ways = ["predictive", "reactive", "static"].map(|name| {
        let ways = plan["ways"].as_array().unwrap();
        ways.iter().find(|way| way["way"] == name).unwrap()
    });
    let [predictive, reactive, fixed] =
        ways.map(|way| ["shard_hours", "commands_over"].map(|cost| way[cost].as_f64().unwrap()));
    assert!(
        predictive[0] < fixed[0] && fixed[1] == 0.0,
        "{predictive:?} {fixed:?}"
    );
    assert!(predictive[1] < reactive[1], "{predictive:?} {reactive:?}");
    let decisions = ways[0]["decisions"].as_array().unwrap();
    assert!(
        decisions
            .iter()
            .all(|it| !it["why"].as_str().unwrap().is_empty())
    );
    assert!(decisions.iter().any(|it| it["rule"] == "peak"));
    let met = ways[0]["rules_met"].as_object().unwrap();
    let met: u64 = met.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(met, 8 * 288);
    let text = desk.text(&words);
    assert!(
        text.contains("shard hours") && text.contains("expected in"),
        "{text}"
    );
    desk.picture(&words);
}

#[test]
fn a_plan_refuses_by_file_line_and_field() {
    let desk = Desk::new();
    desk.file("bad.csv", "time,load\n60,1\n120,x\n");
    desk.file("good.csv", "time,load\n60,1\n120,2\n");
    for (words, wanted) in [
        (
            &["--trace", "bad.csv"][..],
            "bad.csv: line 3, field load: \"x\" is no load",
        ),
        (&["--trace", "none.csv"], "none.csv: "),
        (
            &["--trace", "good.csv", "--target", "2"],
            "--target: 2: a part of one",
        ),
        (
            &["--trace", "good.csv", "--start-s", "9999"],
            "--start-s: 9999: from 0 to 3600",
        ),
        (
            &["--trace", "good.csv", "--cooldown-up-s", "90"],
            "--cooldown-up-s: 90: from 0 to 60",
        ),
    ] {
        let told = desk.refused(&[&["scale", "plan"], words].concat());
        assert!(told.contains(wanted), "{told}");
    }
    let told = desk.refused(&["scale", "trace", "--days", "4000000"]);
    assert!(told.contains("--days: 4000000"), "{told}");
}
