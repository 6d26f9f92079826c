//! The iterator over a recording, the same for every format.

use std::fmt;

use trading::{Event, Instrument, What};

use crate::error::Error;

/// A format: what reads one record at a time.
pub trait Records {
    /// Reads the next record, or several that belong together, and tells what they say; `false` for
    /// the end of the file.
    ///
    /// # Errors
    /// The file cannot be read or says what it cannot: nothing more is read then.
    fn read(&mut self, events: &mut Vec<Event>) -> Result<bool, Error>;

    /// The instruments named so far, by their dense numbers, less the number of the first one.
    fn instruments(&self) -> &[Instrument];
}

impl<R: Records + ?Sized> Records for Box<R> {
    fn read(&mut self, events: &mut Vec<Event>) -> Result<bool, Error> {
        (**self).read(events)
    }

    fn instruments(&self) -> &[Instrument] {
        (**self).instruments()
    }
}

/// The events of a file, in their order. After an error there is nothing more.
pub struct Recording<R> {
    records: R,
    told: Vec<Event>,
    /// How many of those told were handed out.
    taken: usize,
    is_over: bool,
}

impl<R: Records> Recording<R> {
    /// The events of what reads records.
    pub const fn new(records: R) -> Self {
        Self {
            records,
            told: Vec::new(),
            taken: 0,
            is_over: false,
        }
    }

    /// What reads the records: at any time it has read up to the record of the event that was
    /// handed out last, and not beyond.
    pub const fn records(&self) -> &R {
        &self.records
    }

    /// The same, whatever its format.
    #[must_use]
    pub fn boxed(self) -> Recording<Box<dyn Records + Send>>
    where
        R: Send + 'static,
    {
        Recording {
            records: Box::new(self.records),
            told: self.told,
            taken: self.taken,
            is_over: self.is_over,
        }
    }

    /// The instruments named so far.
    pub fn instruments(&self) -> &[Instrument] {
        self.records.instruments()
    }
}

impl<R: Records> Iterator for Recording<R> {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.told.get(self.taken) {
                self.taken += 1;
                return Some(Ok(*event));
            }
            if self.is_over {
                return None;
            }
            self.told.clear();
            self.taken = 0;
            match self.records.read(&mut self.told) {
                Ok(more) => self.is_over = !more,
                Err(error) => {
                    self.is_over = true;
                    // Half a record is none.
                    self.told.clear();
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<R> fmt::Debug for Recording<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Recording")
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}

impl<R: Records> std::iter::FusedIterator for Recording<R> {}

/// Tells events of one record: all have its times and its instrument.
pub struct Teller<'a> {
    pub events: &'a mut Vec<Event>,
    pub event_ns: u64,
    pub received_ns: u64,
    pub symbol: u32,
}

impl Teller<'_> {
    pub fn tell(&mut self, what: What) {
        self.events.push(Event {
            event_ns: self.event_ns,
            received_ns: self.received_ns,
            symbol: self.symbol,
            what,
        });
    }
}
