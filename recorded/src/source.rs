//! Files as streams of bytes and lines, decompressed if need be.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Fault, Place};

/// The most bytes of a line: a snapshot of 5,000 levels a side has a tenth.
pub const LINE_BYTES_MAX: u64 = 4 << 20;

const BUFFER_BYTES: usize = 256 << 10;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The bytes of a file, uncompressed.
pub type Stream = Box<dyn BufRead + Send>;

/// Opens a file, whatever its compression.
pub fn stream(path: &Path) -> Result<Stream, Error> {
    let failed = |error| read_error(path, Place::Whole, &error);
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path).map_err(failed)?);
    let begin = file.fill_buf().map_err(failed)?;
    Ok(if begin.starts_with(GZIP) {
        let plain = flate2::bufread::MultiGzDecoder::new(file);
        Box::new(BufReader::with_capacity(BUFFER_BYTES, plain))
    } else if begin.starts_with(ZSTD) {
        let plain = zstd::stream::read::Decoder::with_buffer(file).map_err(failed)?;
        Box::new(BufReader::with_capacity(BUFFER_BYTES, plain))
    } else {
        Box::new(file)
    })
}

pub fn read_error(path: &Path, place: Place, error: &io::Error) -> Error {
    Error::new(path, place, Fault::Read(error.to_string()))
}

/// The lines of a file.
pub struct Lines {
    path: PathBuf,
    stream: Stream,
    number: u64,
    line: Vec<u8>,
}

impl Lines {
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            path: path.to_owned(),
            stream: stream(path)?,
            number: 0,
            line: Vec::new(),
        })
    }

    /// Reads the next line; whether there is one.
    pub fn advance(&mut self) -> Result<bool, Error> {
        self.line.clear();
        self.number += 1;
        let mut limited = (&mut self.stream).take(LINE_BYTES_MAX);
        match limited.read_until(b'\n', &mut self.line) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(read_error(&self.path, self.place(), &error)),
        }
        if self.line.len() as u64 == LINE_BYTES_MAX && !self.line.ends_with(b"\n") {
            let why = format!("is longer than {LINE_BYTES_MAX} bytes");
            return Err(self.error(Fault::Field("line", why)));
        }
        Ok(true)
    }

    /// The line, without its end.
    pub fn line(&self) -> &[u8] {
        self.line.trim_ascii_end()
    }

    /// Its number, from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    pub const fn place(&self) -> Place {
        Place::Line(self.number)
    }

    pub fn error(&self, fault: Fault) -> Error {
        Error::new(&self.path, self.place(), fault)
    }
}
