//! Rows in Parquet files, in few bytes each, that DuckDB, pandas and polars read as they are.
//!
//! What a file holds is told by its [`Column`]s; [`Rows`] are kept by columns, as the file has
//! them. A [`Reader`] also takes what others wrote: narrower numbers, dates, times and decimals.
//! A [`Writer`] tries on the first rows which encoding makes each column smallest, and puts
//! the file in its place when all of it is on disk. Compression is zstd; snappy is read, too.
#![forbid(unsafe_code)]

mod meaning;
mod read;
mod rows;
mod write;

pub use read::Reader;
pub use rows::{Column, Kind, Rows, Value};
pub use write::{TEMPORARY, Writer};

use std::fmt;
use std::path::Path;

/// A file that cannot be written or read, in words that name it.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    fn of(path: &Path, error: &dyn fmt::Display) -> Self {
        Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
