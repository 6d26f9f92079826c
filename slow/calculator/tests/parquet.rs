//! Tables in Parquet, which others and we write, are those in text.

#![allow(clippy::unwrap_used)]

// Where `cargo x setup` puts it is the builder's tool's business.
#[path = "../../../tools/src/setup/venv.rs"]
#[allow(dead_code, reason = "a part is used here")]
mod venv;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wirecross-quant");

fn run(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(words).current_dir(folder).output().unwrap()
}

fn json_of(folder: &Path, words: &[&str]) -> Value {
    let output = run(folder, &[words, &["--json"]].concat());
    assert!(output.status.success(), "{words:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error_of(folder: &Path, words: &[&str]) -> String {
    let output = run(folder, words);
    assert!(!output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// What DuckDB and polars do in a folder.
fn others(python: &PathBuf, what: &str, folder: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet_files.py");
    let mut command = Command::new(python);
    let output = command.arg(script).arg(what).arg(folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// What is written as Parquet is read back as what is written as text.
#[test]
fn ours_are_read_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for file in ["rows.csv", "rows.parquet"] {
        json_of(folder, &["generate", file, "--count", "3000"]);
    }
    let models = ["rows.csv", "rows.parquet"].map(|file| {
        json_of(
            folder,
            &["train", file, "--model", "m.txt", "--rounds", "9"],
        );
        std::fs::read(folder.join("m.txt")).unwrap()
    });
    assert!(models[0] == models[1]);
    // Only the columns that the model looks at.
    let refused = error_of(folder, &["predict", "m.txt", "rows.parquet"]);
    let wanted = "rows.parquet, row 1, column label: \"";
    assert!(refused.contains(wanted), "{refused}");
    std::fs::write(
        folder.join("few.csv"),
        "day,a,b,c,d,e,f\nd1,1,2,3,4,5,\nd2,0,1,0,1,0,1\n",
    )
    .unwrap();
    let words = ["predict", "m.txt", "few.csv", "--results", "said.parquet"];
    let said = json_of(folder, &words);
    let words = ["predict", "m.txt", "few.csv", "--results", "said.csv"];
    assert_eq!(json_of(folder, &words), said);
    let text = std::fs::read_to_string(folder.join("said.csv")).unwrap();
    assert!(
        text.starts_with("row,result_0,result_1,result_2\nd1,0."),
        "{text}"
    );
    let mut file = history::Reader::open(&folder.join("said.parquet")).unwrap();
    for row in said["rows"].as_array().unwrap() {
        let found = file.row().unwrap().unwrap();
        assert_eq!(found[0], history::Value::Text(row["row"].as_str().unwrap()));
        for (found, due) in found[1..].iter().zip(row["results"].as_array().unwrap()) {
            assert_eq!(*found, history::Value::Double(due.as_f64().unwrap()));
        }
    }
    let refused = error_of(folder, &["forecast", "rows.parquet", "--results", "x"]);
    assert!(refused.contains("unexpected argument"), "{refused}");
}

#[test]
fn what_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    json_of(folder, &["generate", "rows.parquet", "--count", "300"]);
    let whole = std::fs::read(folder.join("rows.parquet")).unwrap();
    for bytes in [&whole[..whole.len() / 2], b"PAR1", b"x\n1\n2\n"] {
        std::fs::write(folder.join("cut.parquet"), bytes).unwrap();
        let refused = error_of(folder, &["forecast", "cut.parquet"]);
        assert!(refused.contains("cut.parquet: "), "{refused}");
    }
    // Bytes that are others somewhere end in words, or in numbers; never in a panic.
    for at in (4..whole.len()).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        std::fs::write(folder.join("off.parquet"), bytes).unwrap();
        let output = run(
            folder,
            &["train", "off.parquet", "--model", "m.txt", "--rounds", "1"],
        );
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("panicked"), "byte {at}: {said}");
    }
}

#[test]
fn tables_of_duckdb_and_polars_are_those_in_text() {
    let Some(python) = venv::python_with(PROGRAM, &["duckdb", "polars"]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    others(&python, "write", folder);
    let due = json_of(folder, &["optimise", "prices.csv", "--prices"]);
    let words = ["train", "labelled.csv", "--model", "m.txt", "--rounds", "5"];
    let learnt = json_of(folder, &words);
    for writer in ["duckdb", "polars"] {
        for codec in ["snappy", "zstd", "uncompressed"] {
            let file = format!("prices_{writer}_{codec}.parquet");
            assert_eq!(
                json_of(folder, &["optimise", &file, "--prices"]),
                due,
                "{file}"
            );
            let file = format!("labelled_{writer}_{codec}.parquet");
            let words = ["train", &file, "--model", "m.txt", "--rounds", "5"];
            assert_eq!(json_of(folder, &words), learnt, "{file}");
        }
        for codec in ["gzip", "lz4"] {
            let file = format!("prices_{writer}_{codec}.parquet");
            let refused = error_of(folder, &["optimise", &file]);
            assert!(refused.contains("write the file with snappy"), "{refused}");
        }
    }
    for (file, wanted) in [
        ("lists.parquet", "lists.parquet: column all holds lists"),
        (
            "hole.parquet",
            "hole.parquet, row 3, column x: there is no number",
        ),
    ] {
        let refused = error_of(folder, &["forecast", file, "--column", "x"]);
        assert!(refused.contains(wanted), "{refused}");
    }
    json_of(folder, &["risk", "named_otherwise.csv"]);
    let load = ["load.csv", "load.parquet"]
        .map(|file| json_of(folder, &["scale", "plan", "--trace", file]));
    assert_eq!(load[0], load[1]);
    for file in ["rows.csv", "rows.parquet"] {
        json_of(folder, &["generate", file, "--count", "500"]);
    }
    others(&python, "read", folder);
}
