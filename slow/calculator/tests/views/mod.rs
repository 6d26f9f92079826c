//! Views on returns and scenarios, as their users give them.

use crate::desk::Desk;
use serde_json::Value;

const VIEWS: &str = "name,return,deviation,AA,BB,CC\n\
                     above,0.02,,1,-1,\n\
                     sure,0.05,1e-9,,,1\n";

/// Returns of three assets.
fn desk() -> Desk {
    let desk = Desk::new();
    let (mut text, mut state) = ("day,AA,BB,CC\n".to_owned(), 5u64);
    for day in 0..200 {
        text += &format!("d{day}");
        for asset in 0..3 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let shock = (state >> 40) as f64 / f64::from(1 << 24) - 0.5;
            text += &format!(",{}", 0.0005 + 0.01 * f64::from(asset + 1) * shock);
        }
        text += "\n";
    }
    desk.file("r.csv", &text);
    desk.file("held.csv", "AA,0.5\nBB,0.2\nCC,0.3\n");
    desk
}

fn near(found: &Value, wanted: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - wanted).abs() < 1e-8, "{found} instead of {wanted}");
}

#[test]
fn views_move_what_is_expected() {
    let desk = desk();
    let view = |rows: &str| desk.file("v.csv", &format!("name,return,deviation,AA,BB,CC\n{rows}"));
    let words = ["optimise", "r.csv", "--goal", "sharpe", "--views", "v.csv"];
    let of = |found: &Value, name: &str| found["expected"][name].as_f64().unwrap();
    // As sure as what it changes: half of the way.
    view("above,0.02,,1,-1,\n");
    let found = desk.json(&words);
    let told = &found["views"][0];
    assert_eq!(
        (&told["name"], &told["return"]),
        (&"above".into(), &0.02.into())
    );
    let before = told["before"].as_f64().unwrap();
    near(&told["after"], (before + 0.02) / 2.0);
    near(&told["after"], of(&found, "AA") - of(&found, "BB"));
    // A sure one is fulfilled, an unsure one changes nothing, whatever is told beside them.
    view("sure,0.05,1e-9,,,1\nunsure,0.5,1e9,1,,\n");
    let found = desk.json(&words);
    near(&found["views"][0]["after"], 0.05);
    let [before, after] = ["before", "after"].map(|it| found["views"][1][it].as_f64().unwrap());
    assert!((after - before).abs() < 0.02, "{found:#}");
    assert!(found["weights"]["CC"].as_f64().unwrap() > 0.5, "{found:#}");
    // Periods are those of all that is shown.
    let year = desk.json(&[&words[..], &["--periods", "252"]].concat());
    near(&year["views"][0]["after"], 0.05 * 252.0);
    let text = desk.text(&words);
    for word in ["with all views", "sure", "5.00"] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn what_a_market_implies_makes_it_the_best() {
    let desk = desk();
    let words = [
        "optimise",
        "r.csv",
        "--goal",
        "utility",
        "--aversion",
        "3",
        "--market",
        "held.csv",
    ];
    let found = desk.json(&words);
    for (name, weight) in [("AA", 0.5), ("BB", 0.2), ("CC", 0.3)] {
        near(&found["weights"][name], weight);
    }
    desk.file("v.csv", "name,return,deviation,CC\nhigh,0.05,,1\n");
    let more = desk.json(&[&words[..], &["--views", "v.csv"]].concat());
    assert!(more["weights"]["CC"].as_f64() > Some(0.3), "{more:#}");
}

#[test]
fn scenarios_are_told_with_what_makes_them() {
    let desk = desk();
    desk.file("s.csv", "name,AA,CC\ncrash,-0.2,-0.1\nquiet,,\nup,0.1,\n");
    let words = [
        "risk",
        "r.csv",
        "--weights",
        "held.csv",
        "--scenarios",
        "s.csv",
    ];
    let found = desk.json(&words);
    let all = found["scenarios"].as_array().unwrap();
    assert_eq!(all.len(), 3);
    for (told, (name, gain)) in all
        .iter()
        .zip([("crash", -0.13), ("quiet", 0.0), ("up", 0.05)])
    {
        assert_eq!(told["name"], name);
        near(&told["gain"], gain);
        let parts = told["contributions"].as_object().unwrap();
        assert_eq!(parts.len(), 3);
        near(
            &told["gain"],
            parts.values().map(|it| it.as_f64().unwrap()).sum(),
        );
    }
    near(&all[0]["contributions"]["CC"], -0.03);
    let text = desk.text(&words);
    for word in ["crash", "-13.00", "AA -10.00"] {
        assert!(text.contains(word), "{text}");
    }
    assert_eq!(desk.json(&words[..4])["scenarios"], Value::Null);
}

#[test]
fn tables_that_cannot_be_are_refused_by_their_place() {
    let desk = desk();
    let views = ["optimise", "r.csv", "--views", "t.csv"];
    let scenarios = ["risk", "r.csv", "--scenarios", "t.csv"];
    for (words, text, wanted) in [
        (
            views,
            "AA,0.1\n",
            "t.csv: the first line names the columns: name, return, deviation, and",
        ),
        (views, "name,AA\nup,1\n", "t.csv: no column \"return\""),
        (
            views,
            "name,return,deviation,AA\nup,,1,1\n",
            "t.csv, line 2, column 2 (return): there",
        ),
        (
            views,
            "name,return,deviation,AA\nup,1,,\n",
            "column 1 (name): view \"up\" is of no asset",
        ),
        (
            views,
            "name,AA,return,deviation\nup,1,1,0\n",
            "line 2, column 4 (deviation): has to be",
        ),
        (
            views,
            "name,return,deviation,XX\nup,1,,1\n",
            "t.csv: there are no returns of \"XX\"",
        ),
        (
            views,
            "name,return,deviation,AA\nup,1,,inf\n",
            "column 4 (AA): there is no number",
        ),
        (
            scenarios,
            "name,XX\nup,1\n",
            "t.csv: there are no returns of \"XX\"",
        ),
        (
            scenarios,
            "name,AA\nup,many\n",
            "t.csv, line 2, column 2 (AA): \"many\" is no number",
        ),
        (
            scenarios,
            "0.1,0.2\n",
            "t.csv: the first line names the columns: name, and assets",
        ),
        (
            scenarios,
            "name,AA,AA\nup,1,1\n",
            "t.csv: two columns are of \"AA\"",
        ),
    ] {
        desk.file("t.csv", text);
        let refused = desk.refused(&words);
        assert!(refused.contains(wanted), "{text:?}: {refused}");
    }
    desk.file("t.csv", VIEWS);
    for (more, wanted) in [("0", "--tau: "), ("-1", "--tau: "), ("1e9", "--tau: ")] {
        let tau = format!("--tau={more}");
        let refused = desk.refused(&[&views[..], &[tau.as_str()]].concat());
        assert!(refused.contains(wanted), "{more}: {refused}");
    }
    let refused = desk.refused(&["optimise", "r.csv", "--tau", "0.1"]);
    assert!(refused.contains("--views"), "{refused}");
}
