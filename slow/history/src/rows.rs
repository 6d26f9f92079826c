//! Rows by columns, and what a file says of them.

use crate::Error;
use crate::meaning::Meaning;
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::schema::types::{Type, TypePtr};
use std::path::Path;
use std::sync::Arc;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers of 64 bits, of which one may be NaN.
    Double,
    /// UTF-8.
    Text,
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether a row may have nothing there.
    pub is_optional: bool,
}

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Double(f64),
    /// Words.
    Text(&'a str),
}

/// The values of one kind that are there, in their order.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Integers(Vec<i64>),
    Doubles(Vec<f64>),
    Texts(Vec<ByteArray>),
}

/// A column's values.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub values: Values,
    /// 1 for each row that has one, 0 for the others; empty if the column is not optional.
    pub levels: Vec<i16>,
}

/// Rows that are kept by columns.
#[derive(Clone, Debug)]
pub struct Rows {
    columns: Arc<[Column]>,
    pub(crate) held: Vec<Held>,
    count: usize,
}

impl Rows {
    /// No rows of these columns.
    #[must_use]
    pub fn new(columns: &Arc<[Column]>) -> Self {
        let held = |column: &Column| Held {
            values: match column.kind {
                Kind::Integer => Values::Integers(Vec::new()),
                Kind::Double => Values::Doubles(Vec::new()),
                Kind::Text => Values::Texts(Vec::new()),
            },
            levels: Vec::new(),
        };
        Self {
            columns: Arc::clone(columns),
            held: columns.iter().map(held).collect(),
            count: 0,
        }
    }

    /// Their columns.
    #[must_use]
    pub fn columns(&self) -> &Arc<[Column]> {
        &self.columns
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds one.
    ///
    /// # Errors
    /// A value is not what its column holds; all of these rows are of no use then.
    pub fn push<'a>(&mut self, row: impl Iterator<Item = Value<'a>>) -> Result<(), Error> {
        let mut width = 0;
        for (at, value) in row.enumerate() {
            width += 1;
            let column = self.columns.get(at).map(|it| (it.is_optional, &*it.name));
            let unfit = || Error(format!("{value:?} is no value of column {column:?}"));
            let (Some(held), Some((is_optional, _))) = (self.held.get_mut(at), column) else {
                return Err(unfit());
            };
            match (&mut held.values, value) {
                (Values::Integers(all), Value::Integer(number)) => all.push(number),
                (Values::Doubles(all), Value::Double(number)) => all.push(number),
                (Values::Texts(all), Value::Text(text)) => all.push(text.into()),
                (_, Value::Null) if is_optional => {}
                _ => return Err(unfit()),
            }
            if is_optional {
                held.levels.push(i16::from(value != Value::Null));
            }
        }
        if width != self.columns.len() {
            let due = self.columns.len();
            return Err(Error(format!("a row of {width} values for {due} columns")));
        }
        self.count += 1;
        Ok(())
    }

    /// The first of them, so many at most.
    #[must_use]
    pub(crate) fn sample(&self, rows_max: usize) -> Self {
        let count = self.count.min(rows_max);
        let held = self.held.iter().map(|held| {
            let levels = held.levels.iter().take(count).copied().collect::<Vec<_>>();
            let values = match held.levels.is_empty() {
                true => count,
                false => levels.iter().filter(|level| **level == 1).count(),
            };
            let values = match &held.values {
                Values::Integers(all) => Values::Integers(all[..values].to_vec()),
                Values::Doubles(all) => Values::Doubles(all[..values].to_vec()),
                Values::Texts(all) => Values::Texts(all[..values].to_vec()),
            };
            Held { values, levels }
        });
        Self {
            columns: Arc::clone(&self.columns),
            held: held.collect(),
            count,
        }
    }

    /// Takes over what a reader found: columns of the same length.
    pub(crate) fn of(columns: &Arc<[Column]>, held: Vec<Held>, count: usize) -> Self {
        Self {
            columns: Arc::clone(columns),
            held,
            count,
        }
    }

    /// The row that comes next; `next` has its number, and behind it where each column's values go
    /// on.
    pub(crate) fn row(&self, next: &mut Place) -> Vec<Value<'_>> {
        let row = self.held.iter().zip(&mut next.values);
        let row = row.map(|(held, at)| held.value(next.row, at)).collect();
        next.row += 1;
        row
    }
}

/// Where one reads in some rows.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub row: usize,
    pub values: Vec<usize>,
}

impl Held {
    /// The value of a row; `next` is where the values go on.
    fn value(&self, row: usize, next: &mut usize) -> Value<'_> {
        if self.levels.get(row) == Some(&0) {
            return Value::Null;
        }
        let at = *next;
        *next += 1;
        match &self.values {
            Values::Integers(all) => Value::Integer(all[at]),
            Values::Doubles(all) => Value::Double(all[at]),
            // Whoever reads a file looks at the letters when they come.
            Values::Texts(all) => Value::Text(all[at].as_utf8().unwrap_or_default()),
        }
    }
}

/// The schema of a file with these columns.
pub(crate) fn schema(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let field = |column: &Column| {
        let repetition = match column.is_optional {
            true => Repetition::OPTIONAL,
            false => Repetition::REQUIRED,
        };
        let (physical, logical, converted) = match column.kind {
            Kind::Integer => (Physical::INT64, None, ConvertedType::NONE),
            Kind::Double => (Physical::DOUBLE, None, ConvertedType::NONE),
            Kind::Text => (
                Physical::BYTE_ARRAY,
                Some(LogicalType::String),
                ConvertedType::UTF8,
            ),
        };
        Type::primitive_type_builder(&column.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .with_converted_type(converted)
            .build()
            .map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
    let schema = Type::group_type_builder("rows").with_fields(fields);
    schema.build().map(Arc::new)
}

/// The columns of a file with what they mean; those of other kinds are refused.
pub(crate) fn columns(path: &Path, schema: &Type) -> Result<(Arc<[Column]>, Vec<Meaning>), Error> {
    let column = |field: &TypePtr| {
        let name = field.name();
        let meaning =
            Meaning::of(field).map_err(|what| Error::of(path, &format!("column {name} {what}")))?;
        let column = Column {
            name: name.to_owned(),
            kind: meaning.kind(field.get_physical_type()),
            is_optional: field.is_optional(),
        };
        Ok((column, meaning))
    };
    let fields = schema.get_fields().iter().map(column);
    let (columns, meanings): (Vec<_>, Vec<_>) = fields
        .collect::<Result<Vec<_>, Error>>()?
        .into_iter()
        .unzip();
    Ok((columns.into(), meanings))
}
