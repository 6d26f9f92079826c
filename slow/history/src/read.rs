//! A file that is read, some rows at a time.

use crate::meaning::{Meaning, damaged};
use crate::rows::{Place, columns};
use crate::{Column, Error, Rows, Value};
use parquet::basic::Compression;
use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
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
    /// What each of them means.
    meanings: Vec<Meaning>,
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
    /// It cannot be read, is damaged, has columns of kinds that are none of ours, or is compressed
    /// in a way that is not known here.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let opened = File::open(path).map_err(|error| Error::of(path, &error))?;
        let file = SerializedFileReader::new(opened).map_err(|error| Error::of(path, &error))?;
        let (columns, meanings) = columns(path, file.metadata().file_metadata().schema())?;
        readable(file.metadata()).map_err(|what| Error::of(path, &what))?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            next_group: 0,
            readers: Vec::new(),
            rows_left: 0,
            rows: Rows::new(&columns),
            place: Place::default(),
            columns,
            meanings,
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
        let columns = self.columns.iter().zip(&self.meanings);
        let held = self.readers.iter_mut().zip(columns);
        let held = held.map(|(reader, (column, meaning))| meaning.read(reader, column, count));
        let held = held.collect::<Result<Vec<_>, _>>()?;
        self.rows_left -= count;
        Ok(Some(Rows::of(&self.columns, held, count)))
    }
}

/// Refuses what is compressed in a way that is not linked.
fn readable(file: &ParquetMetaData) -> Result<(), String> {
    let columns = file.row_groups().iter().flat_map(RowGroupMetaData::columns);
    for column in columns {
        let codec = column.compression();
        if !matches!(
            codec,
            Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_)
        ) {
            let name = column.column_path();
            let hint = "write the file with snappy, zstd or no compression";
            return Err(format!("column {name} is compressed by {codec}: {hint}"));
        }
    }
    Ok(())
}
