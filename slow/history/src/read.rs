//! A file that is read, some rows at a time.

use crate::rows::{Held, Place, Typed, Values, columns};
use crate::{Column, Error, Kind, Rows, Value};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows that are held at once.
const ROWS_MAX: usize = 1 << 16;

/// Reads one file.
pub struct Reader {
    path: PathBuf,
    file: SerializedFileReader<File>,
    columns: Arc<[Column]>,
    /// The next group, and what is left of the present one.
    next_group: usize,
    readers: Vec<ColumnReader>,
    rows_left: usize,
    /// Rows that were read, and the next of them.
    rows: Rows,
    place: Place,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({})", self.path.display())
    }
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or has columns of kinds that we do not write.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let opened = File::open(path).map_err(|error| Error::of(path, &error))?;
        let file = SerializedFileReader::new(opened).map_err(|error| Error::of(path, &error))?;
        let columns = columns(path, file.metadata().file_metadata().schema())?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            next_group: 0,
            readers: Vec::new(),
            rows_left: 0,
            rows: Rows::new(&columns),
            place: Place::default(),
            columns,
        })
    }

    /// Its columns.
    #[must_use]
    pub fn columns(&self) -> &Arc<[Column]> {
        &self.columns
    }

    /// How many rows it says to have.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.file.metadata().file_metadata().num_rows() as u64
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// The file cannot be read or is damaged.
    pub fn row(&mut self) -> Result<Option<Vec<Value<'_>>>, Error> {
        if self.place.row == self.rows.len() {
            let found = self.rows_next();
            match found.map_err(|error| Error::of(&self.path, &error))? {
                Some(rows) => self.rows = rows,
                None => return Ok(None),
            }
            self.place = Place {
                row: 0,
                values: vec![0; self.columns.len()],
            };
        }
        Ok(Some(self.rows.row(&mut self.place)))
    }

    fn rows_next(&mut self) -> Result<Option<Rows>, ParquetError> {
        while self.rows_left == 0 {
            if self.next_group == self.file.num_row_groups() {
                return Ok(None);
            }
            let group = self.file.get_row_group(self.next_group)?;
            self.next_group += 1;
            let rows = group.metadata().num_rows();
            self.rows_left = usize::try_from(rows).map_err(|_| damaged("a count of rows"))?;
            let columns = 0..self.columns.len();
            self.readers = columns
                .map(|at| group.get_column_reader(at))
                .collect::<Result<_, _>>()?;
        }
        let count = self.rows_left.min(ROWS_MAX);
        let readers = std::mem::take(&mut self.readers);
        let mut held = Vec::with_capacity(readers.len());
        for (reader, column) in readers.into_iter().zip(&*self.columns) {
            let (reader, values) = match column.kind {
                Kind::Integer => {
                    let mut typed = get_typed_column_reader::<Int64Type>(reader);
                    let values = taken(&mut typed, column, count)?;
                    (ColumnReader::Int64ColumnReader(typed), values)
                }
                Kind::Text => {
                    let mut typed = get_typed_column_reader::<ByteArrayType>(reader);
                    let values = taken(&mut typed, column, count)?;
                    (ColumnReader::ByteArrayColumnReader(typed), values)
                }
            };
            self.readers.push(reader);
            held.push(values);
        }
        self.rows_left -= count;
        Ok(Some(Rows::of(&self.columns, held, count)))
    }
}

/// Reads so many rows of a column.
fn taken<T: Typed>(
    reader: &mut ColumnReaderImpl<T>,
    column: &Column,
    count: usize,
) -> Result<Held, ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let into = column.is_optional.then_some(&mut levels);
    let (rows, _, _) = reader.read_records(count, into, None, &mut values)?;
    if rows != count {
        return Err(damaged(&format!("column {} ends early", column.name)));
    }
    let values = T::wrap(values);
    if let Values::Texts(all) = &values
        && let Some(error) = all.iter().find_map(|it| it.as_utf8().err())
    {
        return Err(damaged(&format!("column {}: {error}", column.name)));
    }
    Ok(Held { values, levels })
}

fn damaged(what: &str) -> ParquetError {
    ParquetError::General(format!("it is damaged: {what}"))
}
