//! Reads the reference answers that lie beside the checkout, in `shared/vectors`.

#![allow(dead_code, clippy::unwrap_used)] // each test program uses its part

use std::collections::HashMap;
use std::path::PathBuf;

/// A table by the names of its columns.
pub struct Table {
    columns: HashMap<String, Vec<f64>>,
}

impl Table {
    /// The columns of a file of numbers; `nan` for none.
    pub fn read(name: &str) -> Self {
        let text = text(name);
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let mut columns = vec![Vec::new(); names.len()];
        for line in lines {
            for (column, field) in columns.iter_mut().zip(line.split(',')) {
                column.push(field.parse().unwrap_or(f64::NAN));
            }
        }
        let columns = names.into_iter().map(str::to_owned).zip(columns).collect();
        Self { columns }
    }

    pub fn column(&self, name: &str) -> &[f64] {
        let found = self.columns.get(name);
        found.unwrap_or_else(|| panic!("no column {name}"))
    }
}

/// The text of a file.
pub fn text(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let path = folder.join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        let path = path.display();
        panic!("{path}: {error}: lay shared/vectors beside the checkout")
    })
}

/// The fields of a file's lines, its heading left out.
pub fn rows(name: &str) -> Vec<Vec<String>> {
    let fields = |line: &str| line.split(',').map(str::to_owned).collect();
    text(name).lines().skip(1).map(fields).collect()
}

/// How close a number must be to the reference.
#[derive(Clone, Copy)]
pub struct Tolerance {
    /// Of the reference or of `floor`, whichever is greater.
    pub relative: f64,
    pub floor: f64,
}

/// The reference to so many parts of itself.
pub fn relative(relative: f64) -> Tolerance {
    Tolerance {
        relative,
        floor: 0.0,
    }
}

/// Compares row by row: where the reference has no number there must be none.
pub fn compare(what: &str, got: &[f64], wanted: &[f64], tolerance: Tolerance) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (row, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        assert_eq!(
            got.is_nan(),
            wanted.is_nan(),
            "{what}, row {row}: {got} {wanted}"
        );
        let allowed = tolerance.relative * wanted.abs().max(tolerance.floor);
        let is_near = got.is_nan() || got == wanted || (got - wanted).abs() <= allowed;
        assert!(is_near, "{what}, row {row}: {got} instead of {wanted}");
    }
}
