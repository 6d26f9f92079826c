//! Rows that are written for others: lines with commas between cells, or Parquet if the file's
//! name ends in `.parquet`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use history::{Column, Kind, Rows, Value, Writer};

use crate::Refused;
use crate::table::{is_called_parquet, quoted};

/// Rows that Parquet keeps together.
const GROUP_ROWS: usize = 1 << 17;

/// A file that is being written: it is there when it is finished.
pub(crate) struct Sheet {
    file: PathBuf,
    to: To,
}

enum To {
    Text(String),
    Columns { writer: Box<Writer>, rows: Rows },
}

impl Sheet {
    /// Begins a file with these columns. Doubles may be missing, all else is there in every row.
    ///
    /// # Errors
    /// The path is none of a file.
    pub fn new(file: &Path, columns: &[(&str, Kind)]) -> Result<Self, Refused> {
        let to = if is_called_parquet(file) {
            let column = |(name, kind): &(&str, Kind)| Column {
                name: (*name).to_owned(),
                kind: *kind,
                is_optional: *kind == Kind::Double,
            };
            let columns: Arc<[Column]> = columns.iter().map(column).collect();
            To::Columns {
                writer: Box::new(Writer::new(file, &columns, &[]).map_err(refused)?),
                rows: Rows::new(&columns),
            }
        } else {
            let names = columns.iter().map(|(name, _)| quoted(name));
            To::Text(names.collect::<Vec<_>>().join(",") + "\n")
        };
        Ok(Self {
            file: file.to_owned(),
            to,
        })
    }

    /// Adds a row. NaN is a number that is missing.
    ///
    /// # Errors
    /// The file cannot be written, or a value is not of its column's kind.
    pub fn push(&mut self, row: &[Value<'_>]) -> Result<(), Refused> {
        match &mut self.to {
            To::Text(text) => {
                let cells: Vec<String> = row.iter().map(cell).collect();
                text.push_str(&cells.join(","));
                text.push('\n');
                Ok(())
            }
            To::Columns { writer, rows } => {
                rows.push(row.iter().map(known)).map_err(refused)?;
                if rows.len() < GROUP_ROWS {
                    return Ok(());
                }
                let next = Rows::new(rows.columns());
                let full = std::mem::replace(rows, next);
                writer.write(&full).map_err(refused)
            }
        }
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> Result<(), Refused> {
        match self.to {
            To::Text(text) => std::fs::write(&self.file, text)
                .map_err(|error| Refused(format!("{}: {error}", self.file.display()))),
            To::Columns { mut writer, rows } => {
                if !rows.is_empty() {
                    writer.write(&rows).map_err(refused)?;
                }
                writer.finish().map(drop).map_err(refused)
            }
        }
    }
}

/// A number of 32 bits with the digits that tell it from others, so that text and Parquet have the
/// same one, and its 32 bits come back from both.
pub(crate) fn digits(x: f32) -> f64 {
    x.to_string().parse().unwrap_or_else(|_| f64::from(x))
}

fn cell(value: &Value<'_>) -> String {
    match known(value) {
        Value::Null => String::new(),
        Value::Integer(x) => x.to_string(),
        Value::Double(x) => x.to_string(),
        Value::Text(text) => quoted(text),
    }
}

fn known<'a>(value: &Value<'a>) -> Value<'a> {
    match value {
        Value::Double(x) if x.is_nan() => Value::Null,
        value => *value,
    }
}

fn refused(error: history::Error) -> Refused {
    Refused(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_bring_back_the_bits() {
        for x in [
            0.1_f32,
            -1.0 / 3.0,
            f32::MIN_POSITIVE,
            f32::MAX,
            16_777_217.0,
        ] {
            assert_eq!(digits(x) as f32, x);
            assert_eq!(digits(x).to_string(), x.to_string());
        }
        assert!(digits(f32::NAN).is_nan());
    }
}
