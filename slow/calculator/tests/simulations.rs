//! `simulate` as its users run it.

#![allow(clippy::unwrap_used)]

mod desk;

use std::fmt::Write as _;

use desk::Desk;
use serde_json::Value;

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
    // Nearly all averages are on the side of the strike that the geometric ones are on.
    let deep = desk.json(&["simulate", "--option", "asian", "--strike", "60"]);
    assert!(deep["error"].as_f64() < Some(1e-4), "{deep}");
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
    // Weights that are next to nothing are none of which a share is known.
    desk.file(
        "assets.csv",
        "name,start,volatility,weight\nAA,1e-9,0.2,1e-320\nBB,1e-9,0.35,1e-320\n",
    );
    let nothing = desk.json(&[&common[..], &both[..2]].concat());
    assert_eq!(of(&nothing, "value"), 0.0, "{nothing}");
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
        (
            "name,start,volatility,weight\nAA,1,0.2,1\nBB,1,0.2,1e10\n",
            "assets.csv, line 3, column 4 (weight): weight: 1",
        ),
        (
            "name,start,volatility,Start\nAA,1,0.2,1\nBB,1,0.2,1\n",
            "assets.csv: two columns \"Start\"",
        ),
    ] {
        desk.file("assets.csv", text);
        with(&matrix, wanted);
    }
    desk.file(
        "assets.csv",
        "name,start,volatility\nAA,1,0.2\nBB,1,0.2\nCC,1,0.2\n",
    );
    desk.file("matrix.csv", "1,0.9,0.9\n0.9,1,-0.9\n0.9,-0.9,1\n");
    with(
        &matrix,
        "matrix.csv: no prices can move together so: \"CC\" does not go with",
    );
    let refused = desk.refused(&["simulate", "--correlations", "matrix.csv"]);
    assert!(refused.contains("--assets"), "{refused}");
}

#[test]
fn what_is_only_drawn_costs_no_answer() {
    let desk = Desk::new();
    let (mut assets, mut matrix) = ("name,start,volatility\n".to_owned(), String::new());
    for row in 0..70 {
        let _ = writeln!(assets, "A{row},100,0.2");
        let cells = (0..70).map(|column| if column == row { "1" } else { "0" });
        let _ = writeln!(matrix, "{}", cells.collect::<Vec<_>>().join(","));
    }
    desk.file("assets.csv", &assets);
    desk.file("matrix.csv", &matrix);
    let words = [
        "simulate",
        "--assets",
        "assets.csv",
        "--correlations",
        "matrix.csv",
    ];
    let more = ["--strike", "7000", "--paths", "100", "--steps", "16000"];
    let found = desk.json(&[&words[..], &more].concat());
    assert!(found["value"].as_f64() > Some(0.0), "{found}");
}
