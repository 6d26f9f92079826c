//! Files that are written and read back, whole and damaged.
#![allow(clippy::unwrap_used)]

use history::{Column, Kind, Reader, Rows, Value, Writer};
use std::path::Path;
use std::sync::Arc;

fn columns() -> Arc<[Column]> {
    let column = |name: &str, kind, is_optional| Column {
        name: name.to_owned(),
        kind,
        is_optional,
    };
    Arc::new([
        column("time_ns", Kind::Integer, false),
        column("seller", Kind::Integer, true),
        column("word", Kind::Text, true),
        column("share", Kind::Double, true),
    ])
}

type Made = (i64, Option<i64>, Option<String>, Option<f64>);

/// A row in which everything is there from time to time, and least and greatest numbers.
fn made(at: i64) -> Made {
    let time_ns = match at % 1_000 {
        7 => i64::MIN,
        8 => i64::MAX,
        _ => 1_700_000_000_000_000_000 + at * 1_234_567,
    };
    let seller = (at % 3 != 0).then_some(at % 11);
    let word = (at % 5 == 0).then(|| format!("w{}é", at % 70_000));
    let share = match at % 1_000 {
        9 => f64::NEG_INFINITY,
        10 => f64::MIN_POSITIVE,
        _ => at as f64 / 7.0,
    };
    (time_ns, seller, word, (at % 4 != 0).then_some(share))
}

/// The row as a file has it.
fn values((time_ns, seller, word, share): &Made) -> Vec<Value<'_>> {
    vec![
        Value::Integer(*time_ns),
        seller.map_or(Value::Null, Value::Integer),
        word.as_deref().map_or(Value::Null, Value::Text),
        share.map_or(Value::Null, Value::Double),
    ]
}

fn rows(range: std::ops::Range<i64>) -> Rows {
    let mut rows = Rows::new(&columns());
    for at in range {
        rows.push(values(&made(at)).into_iter()).unwrap();
    }
    rows
}

/// Writes groups of rows; gives the file's bytes.
fn written(path: &Path, groups: &[i64]) -> u64 {
    let mut file = Writer::new(path, &columns(), &[("day", "2026112301")]).unwrap();
    let mut begin = 0;
    for count in groups {
        file.write(&rows(begin..begin + count)).unwrap();
        begin += count;
    }
    file.finish().unwrap()
}

#[test]
fn rows_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    // More than a reader holds at once, more than encodings are tried on.
    for groups in [&[100_000, 1, 70_000][..], &[1], &[0], &[]] {
        let bytes = written(&path, groups);
        assert_eq!(bytes, std::fs::metadata(&path).unwrap().len());
        let count: i64 = groups.iter().sum();
        let mut file = Reader::open(&path).unwrap();
        assert_eq!(file.columns(), &columns());
        assert_eq!(file.rows(), count as u64);
        for at in 0..count {
            let made = made(at);
            assert_eq!(file.row().unwrap(), Some(values(&made)), "row {at}");
        }
        assert_eq!(file.row().unwrap(), None);
        // Nothing else is left in the folder.
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_file_that_is_not_finished_leaves_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    written(&path, &[10]);
    let mut file = Writer::new(&path, &columns(), &[]).unwrap();
    file.write(&rows(0..20)).unwrap();
    drop(file);
    assert_eq!(Reader::open(&path).unwrap().rows(), 10);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let mut rows = Rows::new(&columns());
    let null = Value::Null;
    for row in [
        &[Value::Integer(1), null][..],
        &[null, null, null, null],
        &[Value::Text("1"), null, null, null],
        &[Value::Integer(1), null, Value::Integer(2), null],
        &[Value::Integer(1), null, null, Value::Integer(2)],
        &[Value::Integer(1), null, null, null, null],
    ] {
        let refused = rows.push(row.iter().copied()).unwrap_err().to_string();
        assert!(
            refused.contains("columns") || refused.contains("no value"),
            "{refused}"
        );
    }
}

/// A file that is cut is told of, by its name.
#[test]
fn damage_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    written(&path, &[2_000]);
    let whole = std::fs::read(&path).unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let mut file = Reader::open(&path)?;
        let mut count = 0;
        while file.row()?.is_some() {
            count += 1;
        }
        Ok::<u32, history::Error>(count)
    };
    for length in [0, 1, 11, whole.len() / 2, whole.len() - 1] {
        let refused = read(&whole[..length]).unwrap_err().to_string();
        assert!(refused.contains("a.parquet"), "{refused}");
    }
    assert_eq!(read(&whole).unwrap(), 2_000);
}
