//! What the bytes of a column mean, and how they become one of our kinds.
//!
//! Other programs write more kinds than we do. Narrow numbers are widened; times become the words
//! that a table of text would have, because that is what they are for a reader of columns: a name
//! of a row. Source: Parquet's `LogicalTypes.md`.

use crate::rows::{Held, Values};
use crate::{Column, Kind};
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::schema::types::Type;
use std::fmt::Write as _;

const DAY_S: i64 = 86_400;

/// What a column's values stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Themselves.
    Plain,
    /// Bits of numbers without a sign.
    Unsigned,
    /// Days since 1970.
    Day,
    /// So many a second since 1970.
    Time { per_second: i64 },
    /// So many digits stand behind the point.
    Decimal { digits: i32 },
}

impl Meaning {
    /// Of a field of a schema.
    ///
    /// # Errors
    /// Words on what it is, if it cannot be read.
    pub fn of(field: &Type) -> Result<Self, String> {
        let info = field.get_basic_info();
        let is_single = field.is_primitive() && info.repetition() != Repetition::REPEATED;
        if !is_single {
            return Err("holds lists or records: write a column for each number".into());
        }
        let (physical, logical) = (field.get_physical_type(), info.logical_type_ref());
        let converted = match logical {
            Some(logical) => ConvertedType::from(Some(logical.clone())),
            None => info.converted_type(),
        };
        let is_wide = physical == Physical::INT64;
        Ok(match (physical, converted, logical) {
            (_, ConvertedType::NONE, Some(LogicalType::Timestamp(time)))
                if is_wide && time.unit == TimeUnit::NANOS =>
            {
                Self::Time {
                    per_second: 1_000_000_000,
                }
            }
            (
                Physical::INT32 | Physical::INT64,
                ConvertedType::NONE,
                None | Some(LogicalType::Unknown),
            )
            | (
                Physical::INT32 | Physical::INT64,
                ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64,
                _,
            )
            | (
                Physical::BYTE_ARRAY,
                ConvertedType::NONE
                | ConvertedType::UTF8
                | ConvertedType::ENUM
                | ConvertedType::JSON,
                _,
            )
            | (Physical::BOOLEAN | Physical::FLOAT | Physical::DOUBLE, _, _) => Self::Plain,
            (
                Physical::INT32 | Physical::INT64,
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64,
                _,
            ) => Self::Unsigned,
            (Physical::INT32, ConvertedType::DATE, _) => Self::Day,
            (Physical::INT64, ConvertedType::TIMESTAMP_MILLIS, _) => {
                Self::Time { per_second: 1_000 }
            }
            (Physical::INT64, ConvertedType::TIMESTAMP_MICROS, _) => Self::Time {
                per_second: 1_000_000,
            },
            (Physical::INT32 | Physical::INT64, ConvertedType::DECIMAL, _) => Self::Decimal {
                digits: field.get_scale(),
            },
            _ => {
                let hint = "write it as DOUBLE, BIGINT, words, dates or times";
                return Err(format!("is {physical} ({converted}): {hint}"));
            }
        })
    }

    /// The kind of a column that means this.
    pub fn kind(self, physical: Physical) -> Kind {
        match (self, physical) {
            (Self::Decimal { .. }, _) | (Self::Plain, Physical::FLOAT | Physical::DOUBLE) => {
                Kind::Double
            }
            (Self::Day | Self::Time { .. }, _) | (_, Physical::BYTE_ARRAY) => Kind::Text,
            _ => Kind::Integer,
        }
    }

    /// Reads so many rows of a column.
    ///
    /// # Errors
    /// It ends early, or has values that are none of its kind.
    pub fn read(
        self,
        reader: &mut ColumnReader,
        column: &Column,
        count: usize,
    ) -> Result<Held, ParquetError> {
        let wrong = |what: &str| damaged(&format!("column {}: {what}", column.name));
        let mut levels = Vec::new();
        let into = column.is_optional.then_some(&mut levels);
        let values = match reader {
            ColumnReader::BoolColumnReader(reader) => {
                let flags = taken(reader, column, count, into)?;
                Values::Integers(flags.into_iter().map(i64::from).collect())
            }
            ColumnReader::Int32ColumnReader(reader) => {
                let numbers = taken(reader, column, count, into)?.into_iter();
                let is_unsigned = self == Self::Unsigned;
                let wide = |x: i32| {
                    if is_unsigned {
                        i64::from(x as u32)
                    } else {
                        x.into()
                    }
                };
                self.values(numbers.map(wide).collect())
            }
            ColumnReader::Int64ColumnReader(reader) => {
                let numbers = taken(reader, column, count, into)?;
                if self == Self::Unsigned && numbers.iter().any(|x| *x < 0) {
                    return Err(wrong("a number is above 2^63: write it as DOUBLE"));
                }
                self.values(numbers)
            }
            ColumnReader::FloatColumnReader(reader) => {
                let numbers = taken(reader, column, count, into)?;
                Values::Doubles(numbers.into_iter().map(f64::from).collect())
            }
            ColumnReader::DoubleColumnReader(reader) => {
                Values::Doubles(taken(reader, column, count, into)?)
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                let texts = taken(reader, column, count, into)?;
                if let Some(error) = texts.iter().find_map(|it| it.as_utf8().err()) {
                    return Err(wrong(&error.to_string()));
                }
                Values::Texts(texts)
            }
            _ => return Err(wrong("is not what the file's schema says")),
        };
        Ok(Held { values, levels })
    }

    /// What whole numbers stand for.
    fn values(self, numbers: Vec<i64>) -> Values {
        let texts = |text: &dyn Fn(i64) -> String| {
            let texts = numbers.iter().map(|x| text(*x).into_bytes());
            Values::Texts(texts.map(ByteArray::from).collect())
        };
        match self {
            Self::Plain | Self::Unsigned => Values::Integers(numbers),
            Self::Day => texts(&date),
            Self::Time { per_second } => texts(&|count| time(count, per_second)),
            Self::Decimal { digits } => {
                let unit = 10_f64.powi(digits);
                Values::Doubles(numbers.iter().map(|x| *x as f64 / unit).collect())
            }
        }
    }
}

/// The values that so many rows of a column have.
fn taken<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    column: &Column,
    count: usize,
    levels: Option<&mut Vec<i16>>,
) -> Result<Vec<T::T>, ParquetError> {
    let mut values = Vec::new();
    let (rows, _, _) = reader.read_records(count, levels, None, &mut values)?;
    if rows != count {
        return Err(damaged(&format!("column {} ends early", column.name)));
    }
    Ok(values)
}

pub(crate) fn damaged(what: &str) -> ParquetError {
    ParquetError::General(format!("it is damaged: {what}"))
}

/// A day of the Gregorian calendar, after Hinnant's `civil_from_days`: years that begin in March
/// have the leap day at their end.
fn date(day: i64) -> String {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{of_month:02}")
}

/// A time as ISO 8601 has it, without what is 0 at its end.
fn time(count: i64, per_second: i64) -> String {
    let (second, part) = (count.div_euclid(per_second), count.rem_euclid(per_second));
    let mut text = date(second.div_euclid(DAY_S));
    let second = second.rem_euclid(DAY_S);
    if second == 0 && part == 0 {
        return text;
    }
    let [hour, minute, second] = [second / 3_600, second / 60 % 60, second % 60];
    let _ = write!(text, "T{hour:02}:{minute:02}:{second:02}");
    if part > 0 {
        let width = per_second.ilog10() as usize;
        let digits = format!("{part:0width$}");
        let _ = write!(text, ".{}", digits.trim_end_matches('0'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_those_of_the_calendar() {
        for (day, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
            (-719_468, "0000-03-01"),
        ] {
            assert_eq!(date(day), text);
        }
        for (count, per_second, text) in [
            (20_454 * DAY_S * 1_000, 1_000, "2026-01-01"),
            (1_500, 1_000, "1970-01-01T00:00:01.5"),
            (-1, 1_000_000, "1969-12-31T23:59:59.999999"),
            (
                3_661_000_000_007,
                1_000_000_000,
                "1970-01-01T01:01:01.000000007",
            ),
        ] {
            assert_eq!(time(count, per_second), text);
        }
        // Even what no calendar has is some text.
        assert!(!time(i64::MIN, 1_000).is_empty() && !date(i64::from(i32::MIN)).is_empty());
    }
}
