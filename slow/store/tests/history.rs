//! Days as Parquet files: their rows are those of the tables, for us and for others.
#![allow(clippy::unwrap_used)]

mod moved;
// Where `cargo x setup` puts it is the builder's tool's business.
mod venue;
#[path = "../../../tools/src/setup/venv.rs"]
#[allow(dead_code, reason = "a part is used here")]
mod venv;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use venue::Site;

const DAYS: [&str; 3] = ["2026112301", "2026112302", "2026112401"];
const INPUTS: usize = 3_000;
const HOUR_NS: u64 = 3_600_000_000_000;

/// The history of a site.
fn history(site: &Site) -> PathBuf {
    site.dir.path().join("history")
}

fn command(site: &Site, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-slow"));
    command.arg("history").args(args);
    command.arg("--database").arg(site.place());
    command.arg("--dir").arg(history(site));
    command
}

/// Runs it; gives its exit code and what it says.
fn told(site: &Site, args: &[&str]) -> (i32, String) {
    let output = command(site, args).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

fn succeeds(site: &Site, args: &[&str]) -> String {
    let (code, said) = told(site, args);
    assert_eq!(code, 0, "{args:?}: {said}");
    said
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// One of [`DAYS`]. The second goes on where the first one ends, which may be within a bar; the
/// third begins an hour later.
fn live(site: &Site, number: usize) {
    let mut end_ns = 0;
    for (at, seed) in (0..=number).zip(60..) {
        let mut inputs = venue::told_inputs(seed, INPUTS);
        if at > 0 {
            let pause_ns = HOUR_NS * (at as u64 - 1);
            let later_ns = (end_ns + pause_ns).wrapping_sub(inputs[0].time_ns);
            let times = inputs.iter_mut().map(|input| &mut input.time_ns);
            times.for_each(|it| *it = it.wrapping_add(later_ns));
        }
        end_ns = inputs.last().unwrap().time_ns;
        if at == number {
            site.live(DAYS[number], seed, &inputs);
        }
    }
}

/// A site with some days in its tables: the last one is running.
fn projected(site: &Site, days: usize) {
    (0..days).for_each(|number| live(site, number));
    site.succeeds(&["project"]);
}

#[test]
fn days_that_are_over_are_written_once() {
    let site = &Site::new();
    projected(site, 3);
    let said = succeeds(site, &["write"]);
    assert!(said.starts_with("written days=2 "), "{said}");
    let said = succeeds(site, &["reconcile"]);
    assert!(
        said.starts_with("agreed days=2 ") && said.ends_with(" without_files=0\n"),
        "{said}"
    );
    assert!(succeeds(site, &["write"]).starts_with("written days=0 "));
    // Two days of one date are files beside one another.
    let parted = history(site).join("trades/day=2026-11-23");
    let names = files(&parted);
    let of = |day: &str| {
        let is_of = |path: &&PathBuf| path.ends_with(format!("{day}.parquet"));
        names.iter().filter(is_of).count()
    };
    assert!(of(DAYS[0]) > 1 && of(DAYS[1]) > 1, "{names:?}");
    assert_eq!(of(DAYS[0]) + of(DAYS[1]), names.len());
    assert!(!history(site).join("trades/day=2026-11-24").exists());
}

#[test]
fn a_running_day_is_written_again_and_again() {
    let site = &Site::new();
    let inputs = venue::told_inputs(61, INPUTS);
    for count in [INPUTS / 3, INPUTS] {
        site.live(DAYS[0], 61, &inputs[..count]);
        site.succeeds(&["project"]);
        if count == INPUTS {
            let (code, said) = told(site, &["reconcile"]);
            assert_eq!(code, 1, "{said}");
            assert!(said.contains("which goes on"), "{said}");
        }
        assert!(succeeds(site, &["write"]).starts_with("written days=0 "));
        assert!(succeeds(site, &["write", "--running"]).starts_with("written days=1 "));
        assert!(succeeds(site, &["reconcile"]).starts_with("agreed days=1 "));
    }
}

#[test]
fn a_difference_is_named() {
    let site = &Site::new();
    projected(site, 2);
    succeeds(site, &["write"]);
    let differs = |part: &str| {
        let (code, said) = told(site, &["reconcile"]);
        assert_eq!(code, 1, "{said}");
        assert!(
            said.starts_with("differs: ") && said.contains(part),
            "{said}"
        );
    };
    let first = "(SELECT min(id) FROM fills)";
    site.sql(&format!(
        "UPDATE fills SET price = price + 1 WHERE id = {first}"
    ));
    differs("trades of day 2026112301");
    let said = succeeds(site, &["write", "--day", DAYS[0], "--stat"]);
    assert!(said.contains("2026112301 trades rows="), "{said}");
    assert!(succeeds(site, &["reconcile"]).starts_with("agreed days=1 "));
    site.sql(&format!("DELETE FROM fills WHERE id = {first}"));
    differs("the tables have");
    succeeds(site, &["write", "--day", DAYS[0]]);
    let path = history(site).join("turns/day=2026-11-23/2026112301.parquet");
    std::fs::remove_file(&path).unwrap();
    let (code, said) = told(site, &["reconcile"]);
    assert!(code == 2 && said.contains("2026112301.parquet"), "{said}");
    let (code, said) = told(site, &["write", "--day", "2026112309"]);
    assert!(
        code == 2 && said.contains("there is no day \"2026112309\""),
        "{said}"
    );
}

/// Whenever it ends, each file is whole, and the next one writes what is left.
#[test]
fn killed_at_any_point_files_are_whole_or_not_there() {
    let site = Site::new();
    projected(&site, 2);
    for wait_ms in [5, 10, 15, 20, 30, 40, 60] {
        let mut child = command(&site, &["write", "--running"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        let all = match history(&site).exists() {
            true => files(&history(&site)),
            false => Vec::new(),
        };
        for path in all.iter().filter(|path| !is_draft(path)) {
            if path.extension().is_some_and(|it| it == "parquet") {
                let mut file = history::Reader::open(path).unwrap();
                while file.row().unwrap().is_some() {}
            }
        }
    }
    succeeds(&site, &["write", "--running"]);
    assert!(succeeds(&site, &["reconcile"]).starts_with("agreed days=2 "));
    let drafts = files(&history(&site))
        .iter()
        .filter(|it| is_draft(it))
        .count();
    assert_eq!(drafts, 0);
}

fn is_draft(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.starts_with(history::TEMPORARY) || name.ends_with(".new")
}

#[test]
fn others_read_the_rows_of_the_tables() {
    let program = env!("CARGO_BIN_EXE_wirecross-slow");
    let Some(python) = venv::python_with(program, &["duckdb", "polars", "pandas", "pyarrow"])
    else {
        return;
    };
    let site = Site::new();
    projected(&site, 3);
    succeeds(&site, &["write", "--running"]);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python)
        .arg(here.join("tests/history_readers.py"))
        .arg(site.database())
        .arg(history(&site))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let read = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(read.trim(), "by_duckdb by_polars by_pandas");
}
