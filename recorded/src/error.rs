//! Why a file was refused, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a recording ends before its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub file: PathBuf,
    /// Where in it, as it is uncompressed.
    pub place: Place,
    /// What is wrong there.
    pub fault: Fault,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The whole file.
    Whole,
    /// A line, from 1.
    Line(u64),
    /// Bytes from the start.
    Offset(u64),
    /// A record, from 1.
    Record(u64),
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The file cannot be opened, read or decompressed.
    Read(String),
    /// It begins as no format that is known.
    Format,
    /// A field, and why it is refused.
    Field(&'static str, String),
    /// A message that cannot be decoded.
    Message(String),
    /// The snapshot does not join the changes behind it: what happened between is missing.
    Unjoined {
        /// Line of the snapshot.
        line: u64,
        /// The last update that the snapshot holds.
        snapshot: u64,
        /// The first update that the change holds.
        first: u64,
        /// The last one.
        last: u64,
        /// The last one of the change before, where the venue says it.
        previous: Option<u64>,
    },
    /// So many changes came and no snapshot that they could join.
    NoSnapshot(usize),
    /// The book that the messages make is not the book that the file has beside them.
    Book {
        /// Which column of the file, from 1.
        column: usize,
        /// What the messages make.
        made: String,
        /// What the file says.
        told: String,
    },
}

impl Error {
    pub(crate) fn new(file: &Path, place: Place, fault: Fault) -> Self {
        let file = file.to_owned();
        Self { file, place, fault }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file.display())?;
        match self.place {
            Place::Whole => {}
            Place::Line(line) => write!(out, ", line {line}")?,
            Place::Offset(offset) => write!(out, ", offset {offset}")?,
            Place::Record(record) => write!(out, ", record {record}")?,
        }
        write!(out, ": {}", self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(why) => write!(out, "cannot be read: {why}"),
            Self::Format => out.write_str(
                "is no recording that is known: a Binance capture, Bitstamp's orders, DBN, ITCH in \
                 BinaryFILE, messages of LOBSTER, or a desk's session",
            ),
            Self::Field(field, why) => write!(out, "field {field} {why}"),
            Self::Message(why) => write!(out, "cannot be decoded: {why}"),
            Self::Unjoined {
                line,
                snapshot,
                first,
                last,
                previous,
            } => {
                write!(
                    out,
                    "the snapshot of line {line}, lastUpdateId {snapshot}, does not join the \
                     change U {first}, u {last}"
                )?;
                previous.map_or(Ok(()), |previous| write!(out, ", pu {previous}"))?;
                out.write_str(": updates between them are missing; record from before the snapshot")
            }
            Self::NoSnapshot(changes) => write!(
                out,
                "{changes} changes came and no snapshot that they join: record one"
            ),
            Self::Book { column, made, told } => write!(
                out,
                "column {column} of the book's file says {told}, the messages make {made}"
            ),
        }
    }
}

impl std::error::Error for Error {}
