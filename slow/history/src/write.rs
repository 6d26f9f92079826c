//! A file that is written: row groups one after the other, and its place at the end.

use crate::rows::{Held, Values, schema};
use crate::{Column, Error, Rows};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::ColumnPath;
use std::fs::{self, File};
use std::io::{Sink, Write, sink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the name of a file begins that is not whole yet: no reader of folders takes it for one.
pub const TEMPORARY: &str = ".new-";

/// Rows on which encodings are tried: that costs as much as writing them three times.
const SAMPLE_ROWS: usize = 1 << 13;

/// Level of zstd: higher ones take long and hardly make files smaller.
const LEVEL: i32 = 3;

/// Bytes of a page before it is compressed.
const PAGE_BYTES: usize = 1 << 20;

/// Rows of a page: small ones cost more than they help, and nobody looks a row up here.
const PAGE_ROWS: usize = 1 << 20;

/// Who wrote it, for readers that mind.
const CREATED_BY: &str = concat!("wirecross version ", env!("CARGO_PKG_VERSION"));

/// How the values of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As numbers of distinct values.
    Dictionary,
    /// As differences, in as many bits as they need; doubles by the places of their bytes.
    Delta,
    /// As they are.
    Plain,
}

const WAYS: [Way; 3] = [Way::Dictionary, Way::Delta, Way::Plain];

/// Writes one file.
pub struct Writer {
    path: PathBuf,
    draft: PathBuf,
    columns: Arc<[Column]>,
    notes: Vec<KeyValue>,
    /// Opened when the first rows said how.
    file: Option<SerializedFileWriter<File>>,
    is_done: bool,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({})", self.path.display())
    }
}

impl Writer {
    /// Begins a file at a path whose folder is there; `notes` are names and words that it carries.
    ///
    /// # Errors
    /// The path is none of a file.
    pub fn new(
        path: &Path,
        columns: &Arc<[Column]>,
        notes: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let Some(name) = path.file_name() else {
            return Err(Error::of(path, &"no name of a file"));
        };
        let mut draft = std::ffi::OsString::from(TEMPORARY);
        draft.push(name);
        let note =
            |(name, words): &(&str, &str)| KeyValue::new((*name).into(), (*words).to_owned());
        Ok(Self {
            path: path.to_path_buf(),
            draft: path.with_file_name(draft),
            columns: Arc::clone(columns),
            notes: notes.iter().map(note).collect(),
            file: None,
            is_done: false,
        })
    }

    /// Writes rows as a group.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, rows: &Rows) -> Result<(), Error> {
        let draft = self.draft.clone();
        let told = |error: ParquetError| Error::of(&draft, &error);
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let settings = self.settings(rows).map_err(told)?;
                let opened = File::create(&self.draft).map_err(|e| Error::of(&draft, &e))?;
                let schema = schema(&self.columns).map_err(told)?;
                let file = SerializedFileWriter::new(opened, schema, Arc::new(settings));
                self.file.insert(file.map_err(told)?)
            }
        };
        group(file, rows).map_err(told)
    }

    /// Puts the file in its place; gives its bytes. One that has no rows has no columns' encodings
    /// either, but is there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> Result<u64, Error> {
        if self.file.is_none() {
            let none = Rows::new(&self.columns);
            self.write(&none)?;
        }
        let told = |error: &dyn std::fmt::Display| Error::of(&self.draft, error);
        let Some(file) = self.file.take() else {
            return Err(told(&"not opened"));
        };
        let file = file.into_inner().map_err(|error| told(&error))?;
        file.sync_all().map_err(|error| told(&error))?;
        let bytes = file.metadata().map_err(|error| told(&error))?.len();
        fs::rename(&self.draft, &self.path).map_err(|error| told(&error))?;
        self.is_done = true;
        if let Some(folder) = self.path.parent() {
            // Of a name alone it is empty.
            let here = folder.as_os_str().is_empty();
            let folder = if here { Path::new(".") } else { folder };
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| Error::of(folder, &error))?;
        }
        Ok(bytes)
    }

    /// How this file is written: each column in the way that made its first rows smallest.
    fn settings(&self, rows: &Rows) -> Result<WriterProperties, ParquetError> {
        let sample = rows.sample(SAMPLE_ROWS);
        let notes = (!self.notes.is_empty()).then(|| self.notes.clone());
        let mut settings = plain()?.set_key_value_metadata(notes);
        for (column, held) in self.columns.iter().zip(&sample.held) {
            let mut best = None;
            for way in WAYS {
                let bytes = tried(column, held, way)?;
                if best.is_none_or(|(least, _)| bytes < least) {
                    best = Some((bytes, way));
                }
            }
            let way = best.map_or(Way::Plain, |(_, way)| way);
            settings = with(settings, column, way);
        }
        Ok(settings.build())
    }
}

impl Drop for Writer {
    /// What was not finished is nobody's.
    fn drop(&mut self) {
        if !self.is_done {
            let _ = fs::remove_file(&self.draft);
        }
    }
}

type Settings = parquet::file::properties::WriterPropertiesBuilder;

fn plain() -> Result<Settings, ParquetError> {
    Ok(WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_data_page_row_count_limit(PAGE_ROWS))
}

fn with(settings: Settings, column: &Column, way: Way) -> Settings {
    let path = ColumnPath::from(column.name.as_str());
    let settings = settings.set_column_dictionary_enabled(path.clone(), way == Way::Dictionary);
    let encoding = match (way, column.kind) {
        (Way::Plain, _) => Encoding::PLAIN,
        // Also what a dictionary that grows too large gives way to.
        (_, crate::Kind::Integer) => Encoding::DELTA_BINARY_PACKED,
        (_, crate::Kind::Double) => Encoding::BYTE_STREAM_SPLIT,
        (_, crate::Kind::Text) => Encoding::DELTA_BYTE_ARRAY,
    };
    settings.set_column_encoding(path, encoding)
}

/// Bytes that a column takes in one way.
fn tried(column: &Column, held: &Held, way: Way) -> Result<usize, ParquetError> {
    let settings = with(plain()?, column, way).build();
    let schema = schema(std::slice::from_ref(column))?;
    let mut file: SerializedFileWriter<Sink> =
        SerializedFileWriter::new(sink(), schema, Arc::new(settings))?;
    let mut group = file.next_row_group()?;
    if let Some(writer) = group.next_column()? {
        fill(writer, held)?;
    }
    group.close()?;
    file.finish()?;
    Ok(file.bytes_written())
}

/// Writes a row group.
fn group<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    rows: &Rows,
) -> Result<(), ParquetError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut group = file.next_row_group()?;
    let mut columns = rows.held.iter();
    while let (Some(writer), Some(held)) = (group.next_column()?, columns.next()) {
        fill(writer, held)?;
    }
    group.close()?;
    Ok(())
}

/// Writes a column.
fn fill(mut writer: SerializedColumnWriter<'_>, held: &Held) -> Result<(), ParquetError> {
    let levels = (!held.levels.is_empty()).then_some(&*held.levels);
    match &held.values {
        Values::Integers(all) => writer.typed::<Int64Type>().write_batch(all, levels, None)?,
        Values::Doubles(all) => writer
            .typed::<DoubleType>()
            .write_batch(all, levels, None)?,
        Values::Texts(all) => writer
            .typed::<ByteArrayType>()
            .write_batch(all, levels, None)?,
    };
    writer.close()
}
