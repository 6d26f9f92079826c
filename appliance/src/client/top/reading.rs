//! One look at the counters of a venue, from outside its process.

use queue::{Buckets, CounterReader, Error};
use std::path::Path;

use crate::venue::INSECURE_COUNTER;
use crate::venue::runner::COUNTERS_FILE;

/// Every counter and histogram of a venue at one moment, give or take what happened while reading.
#[derive(Clone, Debug)]
pub struct Reading {
    /// When it was read.
    pub time_ns: u64,
    /// The process that writes the counters, or wrote them last.
    pub process: u64,
    /// Whether that process is there. The system may have given its number to another one since.
    pub is_running: bool,
    /// Names and values of the counters.
    pub counters: Vec<(String, u64)>,
    /// Names and contents of the histograms.
    pub hops: Vec<(String, Buckets)>,
}

impl Reading {
    /// Reads the counters in a venue's data directory. The file is opened anew each time, because a
    /// venue that starts again makes a new one.
    ///
    /// # Errors
    /// There is no such file, or it holds something else.
    pub fn take(data_dir: &Path, time_ns: u64) -> Result<Self, Error> {
        let reader = CounterReader::attach(&data_dir.join(COUNTERS_FILE))?;
        Ok(Self::of(&reader, time_ns))
    }

    /// Reads an attached set.
    #[must_use]
    pub fn of(reader: &CounterReader, time_ns: u64) -> Self {
        let process = reader.process_id();
        let counters = reader
            .counters()
            .map(|(name, value)| (name.to_owned(), value));
        let hops = reader
            .histograms()
            .map(|(name, buckets)| (name.to_owned(), buckets));
        Self {
            time_ns,
            process,
            is_running: Path::new("/proc").join(process.to_string()).exists(),
            counters: counters.collect(),
            hops: hops.collect(),
        }
    }

    /// The value of a counter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u64> {
        let found = self.counters.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| *value)
    }

    /// Whether the venue runs, and with all rights of its process.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.is_running && self.get(INSECURE_COUNTER) == Some(1)
    }

    /// Whether `self` was read from the same process after `earlier`.
    #[must_use]
    pub fn follows(&self, earlier: &Self) -> bool {
        self.process == earlier.process && self.time_ns > earlier.time_ns
    }
}
