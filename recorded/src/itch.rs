//! Nasdaq's ITCH 5.0 in BinaryFILE: every order of every stock.
//!
//! Prices are in 1/10,000, times ns of the day; when it was received is not in such a file, and is
//! taken to be the venue's time. A file may begin in the middle of a day: messages about orders
//! from before are counted ([`Books::counts`]) and tell nothing.

use std::io::Read;
use std::path::{Path, PathBuf};

use trading::{Books, Event, Instrument, Step, apply_telling};
use wire::binary_file::{PREFIX_BYTES, Reader};
use wire::itch::Message;

use crate::error::{Error, Fault, Place};
use crate::orders::Numbers;
use crate::recording::{Recording, Records, Teller};
use crate::source::{Stream, read_error, stream};

/// A price of one: 1/10,000.
pub const TICK: Step = match Step::new(1, 4) {
    Some(step) => step,
    None => Step::ONE,
};

/// A file of messages.
pub struct File {
    path: PathBuf,
    stream: Stream,
    offset: u64,
    frame: Vec<u8>,
    day_ns: u64,
    books: Books,
    numbers: Numbers<u16>,
}

impl File {
    /// The events of a file of a day that began at `day_ns`; stocks get numbers from `symbol` in
    /// the order in which the file names them.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path, day_ns: u64, symbol: u32) -> Result<Recording<Self>, Error> {
        Ok(Recording::new(Self {
            path: path.to_owned(),
            stream: stream(path)?,
            offset: 0,
            frame: Vec::new(),
            day_ns,
            books: Books::new(),
            numbers: Numbers::new(symbol),
        }))
    }

    /// The books by orders.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// Reads a record with its prefix into the frame; whether there is one.
    fn read_frame(&mut self) -> Result<bool, Error> {
        self.offset += self.frame.len() as u64;
        self.frame.clear();
        self.take(PREFIX_BYTES)?;
        let length = match self.frame.first_chunk() {
            Some(prefix) => usize::from(u16::from_be_bytes(*prefix)),
            None => return Ok(!self.frame.is_empty()),
        };
        // A length of 0 is the end, unless something follows: then the byte shows it.
        self.take(length.max(1))?;
        Ok(length > 0 || self.frame.len() > PREFIX_BYTES)
    }

    fn take(&mut self, count: usize) -> Result<(), Error> {
        let mut limited = (&mut self.stream).take(count as u64);
        let taken = limited.read_to_end(&mut self.frame);
        let place = Place::Offset(self.offset);
        taken.map_err(|error| read_error(&self.path, place, &error))?;
        Ok(())
    }

    fn error(&self, fault: Fault) -> Error {
        Error::new(&self.path, Place::Offset(self.offset), fault)
    }

    /// Applies a message and tells what it changed.
    fn apply(&mut self, message: &Message<'_>, events: &mut Vec<Event>) {
        let Self {
            books,
            numbers,
            day_ns,
            ..
        } = self;
        let event_ns = day_ns.saturating_add(message.header().timestamp);
        apply_telling(books, message, &mut |books, locate, what| {
            let symbol = numbers.of(locate, || {
                let name = books.name(locate).unwrap_or_default();
                Instrument {
                    name: String::from_utf8_lossy(name.trim_ascii_end()).into_owned(),
                    venue: "nasdaq-itch".to_owned(),
                    tick: TICK,
                    lot: Step::ONE,
                }
            });
            let mut teller = Teller {
                events,
                event_ns,
                received_ns: event_ns,
                symbol,
            };
            teller.tell(what);
        });
    }
}

impl Records for File {
    fn read(&mut self, events: &mut Vec<Event>) -> Result<bool, Error> {
        if !self.read_frame()? {
            return Ok(false);
        }
        let frame = core::mem::take(&mut self.frame);
        let base = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let mut record = Reader::new(&frame);
        let message = match record.next() {
            Some(Ok(record)) => Message::parse(record.message),
            Some(Err(error)) => Err(error),
            None => return Ok(false),
        };
        let done = message.map(|message| self.apply(&message, events));
        self.frame = frame;
        done.map_err(|error| self.error(Fault::Message(error.at(base).to_string())))?;
        Ok(true)
    }

    fn instruments(&self) -> &[Instrument] {
        self.numbers.instruments()
    }
}
