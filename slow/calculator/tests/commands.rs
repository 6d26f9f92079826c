//! The program as its users run it.

#![allow(clippy::unwrap_used)]

mod desk;
mod stopped;
mod views;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use desk::Desk;
use serde_json::Value;

impl Desk {
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
    for corner in all {
        let proof = corner["certificate"].as_object().unwrap();
        assert_eq!(proof.len(), 4);
        assert!(
            proof.values().all(|miss| miss.as_f64().unwrap() < 1e-12),
            "{corner:#}"
        );
    }
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
fn what_is_wrong_with_assets_is_said_by_their_names() {
    let desk = Desk::new();
    desk.file("twice.csv", "A,A,B\n0.1,0.2,0.3\n0.2,0.1,0.1\n");
    desk.file("named.csv", "day,A,B,A\n1,0.1,0.2,0.3\n2,0.2,0.1,0.1\n");
    for command in ["optimise", "frontier", "risk"] {
        for (file, columns) in [("twice.csv", "1 and 2"), ("named.csv", "2 and 4")] {
            let wanted = format!("{file}: columns {columns} are both called \"A\"");
            let refused = desk.refused(&[command, file]);
            assert!(refused.contains(&wanted), "{command}: {refused}");
        }
    }
    desk.file(
        "r.csv",
        "AA,BB,CC\n0.01,0.02,0.01\n0.03,-0.01,0.03\n-0.02,0.01,-0.02\n0.0,0.01,0.0\n",
    );
    for (words, wanted) in [
        (
            &["optimise", "--target", "5"][..],
            "--target: 5 a period is asked for, weights within their bounds reach 0.00",
        ),
        (
            &["optimise", "--least", "0.6"],
            "--least: 0.6 of each of 3 assets is 1.7",
        ),
        (&["frontier", "--most", "0.2"], "--most: 0.2 of each of 3"),
        (
            &["optimise", "--estimator", "sample"],
            "r.csv: \"CC\" moves as a mixture of other assets does",
        ),
    ] {
        let refused = desk.refused(&[words, &["r.csv"]].concat());
        assert!(refused.contains(wanted), "{words:?}: {refused}");
    }
    desk.file(
        "held.csv",
        "price,lot,quantity,target_ppm\n5,1,1,1\n0,1,1,1\n",
    );
    let refused = desk.refused(&["rebalance", "held.csv", "--cash", "1"]);
    let wanted = "held.csv, line 3, column 1 (price): price: 0 is not between";
    assert!(refused.contains(wanted), "{refused}");
}

#[test]
fn a_book_that_loses_all_has_its_risk() {
    let desk = Desk::new();
    desk.file(
        "r.csv",
        "day,AA,BB\nmon,0.01,0.0\ntue,-0.03,0.03\nwed,0.02,0.01\nthu,0.01,0.02\n",
    );
    desk.file("held.csv", "AA,30\nBB,-29\n");
    let words = ["risk", "r.csv", "--weights", "held.csv"];
    let found = desk.json(&words);
    assert_eq!(found["drawdown"]["all_lost_at"], "tue", "{found}");
    assert!(found["deviation"].as_f64() > Some(0.5), "{found}");
    let more = ["--simulate", "5000", "--level", "0.9999"];
    let told = desk.text(&[&words[..], &more].concat());
    let few = "periods are too few for --level 0.9999: --simulate 100";
    for wanted in ["all is lost at tue", "share", few] {
        assert!(told.contains(wanted), "{told}");
    }
    let series = "x\n".to_owned() + &"7\n".repeat(20);
    desk.file("rest.csv", &series);
    let found = desk.json(&["forecast", "rest.csv", "--horizon", "3"]);
    assert_eq!(found["forecast"], serde_json::json!([7.0, 7.0, 7.0]));
    assert_eq!([&found["mae"], &found["mase"]], [0.0, 0.0]);
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
