//! The report in its three forms.

use std::fs;
use std::path::{Path, PathBuf};

use benches::Effort;
use benches::calibration::{Calibration, ping_pong};
use benches::compare::{Subject, compare};
use benches::machine::{Machine, date};
use benches::report::{CSV_HEADER, Report, RowReport};

fn report() -> Report {
    let subject = |name, picoseconds| Subject::new(name, move || Ok(vec![vec![picoseconds]]));
    let subjects = vec![subject("ours", 3_000), subject("peer, warm", 2_000)];
    let cases = compare(&["case, small"], 1, subjects).expect("figures");
    let before = ping_pong(Effort::Tiny).expect("two threads");
    let rows = vec![RowReport::new("row", cases)];
    let calibration = Calibration {
        before,
        after: before,
    };
    Report {
        machine: Machine::here(),
        command: "benches row".to_string(),
        calibration,
        rows,
    }
}

#[test]
fn the_text_names_machine_and_ratio_with_the_maximum_first() {
    let text = report().text();
    assert!(text.contains("kernel") || text.contains("Linux"), "{text}");
    assert!(
        text.contains("row: case, small (ns): ratio 1.50, noise 0 %"),
        "{text}"
    );
    let head = text
        .lines()
        .find(|line| line.contains("p99.9"))
        .expect("a head");
    assert!(head.trim_start().starts_with("max"), "{text}");
}

#[test]
fn every_line_of_the_record_has_every_column() {
    let csv = report().csv();
    let columns = CSV_HEADER.split(',').count();
    assert_eq!(csv.lines().count(), 2);
    for line in csv.lines() {
        assert_eq!(line.split(',').count(), columns, "{line}");
    }
    assert!(
        csv.contains(",row,case; small,ours,ns,1,3.0,3.0,3.0,3.0,3.0,,1.500,,0.000,"),
        "{csv}"
    );
    assert!(
        csv.contains(
            ",row,case; small,peer; warm,ns,1,2.0,2.0,2.0,2.0,2.0,1.500,1.500,1.500,0.000,"
        ),
        "{csv}"
    );
}

#[test]
fn every_line_that_was_recorded_has_every_column() {
    let columns = CSV_HEADER.split(',').count();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("record");
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let all = fs::read_dir(folder).expect("a folder");
        all.map(|entry| entry.expect("an entry").path()).collect()
    };
    let files: Vec<PathBuf> = entries(&folder).iter().flat_map(|it| entries(it)).collect();
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).expect("text");
        for line in text.lines() {
            let found = line.split(',').count();
            assert_eq!(found, columns, "{}: {line}", file.display());
        }
    }
}

#[test]
fn json_holds_the_same_figures() {
    let text = serde_json::to_string(&report()).expect("JSON");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["rows"][0]["cases"][0]["ours"]["stats"]["median"], 3.0);
    assert_eq!(value["rows"][0]["cases"][0]["ratio"], 1.5);
}

#[test]
fn dates_are_days_of_the_calendar() {
    for (seconds, day) in [
        (0, "1970-01-01"),
        (951_782_399, "2000-02-28"),
        (951_782_400, "2000-02-29"),
        (1_709_251_199, "2024-02-29"),
        (1_767_225_600, "2026-01-01"),
        (4_107_542_399, "2100-02-28"),
        (4_107_542_400, "2100-03-01"),
    ] {
        assert_eq!(date(seconds), day);
    }
}
