//! Named counters and histograms of one process, readable by another.
//!
//! A set lives in a file (in `/dev/shm` or the data directory). Every counter and every histogram
//! has one writer: the handle, given out once. Reading never holds a writer up.

use crate::counter_layout::{
    ENTRIES_MAX, ENTRY_NAME, MAGIC, NAME_BYTES, WORD_COUNTERS, WORD_HISTOGRAMS, WORD_LAYOUT,
    WORD_MAGIC, WORD_PROCESS, entry, histogram_start, layout_hash, name_fits, set_words,
};
use crate::counter_reader::CounterReader;
use crate::error::Error;
use crate::histogram::Histogram;
use crate::region::Region;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The counters and histograms of this process.
#[derive(Debug)]
pub struct CounterSet {
    region: Arc<Region>,
    counters: Vec<Named>,
    histograms: Vec<Named>,
}

#[derive(Debug)]
struct Named {
    name: String,
    taken: bool,
}

impl CounterSet {
    /// Makes a set in a file, replacing an older one.
    ///
    /// # Errors
    /// When a name is empty, too long or given twice, or the file cannot be made.
    pub fn create(path: &Path, counters: &[&str], histograms: &[&str]) -> Result<Self, Error> {
        names_check(counters, histograms)?;
        let bytes = set_words(counters.len(), histograms.len()) * 8;
        let region = Region::create_file(path, bytes, |region| {
            fill(region, counters, histograms);
            Ok(())
        })?;
        Ok(Self::of(region, counters, histograms))
    }

    /// Makes a set in memory without a name: for tests and simulations.
    ///
    /// # Errors
    /// As [`CounterSet::create`].
    pub fn anonymous(counters: &[&str], histograms: &[&str]) -> Result<Self, Error> {
        names_check(counters, histograms)?;
        let bytes = set_words(counters.len(), histograms.len()) * 8;
        let region = Region::heap(bytes)?;
        fill(&region, counters, histograms);
        Ok(Self::of(region, counters, histograms))
    }

    /// The handle that writes the counter `name`.
    ///
    /// # Errors
    /// When there is no such counter, or its handle was given out already.
    pub fn counter(&mut self, name: &str) -> Result<Counter, Error> {
        let index = take(&mut self.counters, name)?;
        Ok(Counter {
            region: Arc::clone(&self.region),
            word: entry(index),
            value: 0,
        })
    }

    /// A handle that reads the counter `name`, for other threads.
    ///
    /// # Errors
    /// When there is no such counter.
    pub fn watch(&self, name: &str) -> Result<Watch, Error> {
        let found = self.counters.iter().position(|named| named.name == name);
        let index = found.ok_or_else(|| unknown(name))?;
        Ok(Watch {
            region: Arc::clone(&self.region),
            word: entry(index),
        })
    }

    /// The handle that writes the histogram `name`.
    ///
    /// # Errors
    /// When there is no such histogram, or its handle was given out already.
    pub fn histogram(&mut self, name: &str) -> Result<Histogram, Error> {
        let index = take(&mut self.histograms, name)?;
        let (counters, histograms) = (self.counters.len(), self.histograms.len());
        let start = histogram_start(counters, histograms, index);
        Ok(Histogram {
            region: Arc::clone(&self.region),
            start,
            sum: 0,
            max: 0,
        })
    }

    /// A reader of the whole set in this process.
    #[must_use]
    pub fn reader(&self) -> CounterReader {
        let names = |list: &[Named]| list.iter().map(|named| named.name.clone()).collect();
        CounterReader {
            region: Arc::clone(&self.region),
            counters: names(&self.counters),
            histograms: names(&self.histograms),
        }
    }

    fn of(region: Region, counters: &[&str], histograms: &[&str]) -> Self {
        let named = |list: &[&str]| {
            list.iter()
                .map(|name| Named {
                    name: (*name).to_owned(),
                    taken: false,
                })
                .collect()
        };
        let (counters, histograms) = (named(counters), named(histograms));
        Self {
            region: Arc::new(region),
            counters,
            histograms,
        }
    }
}

/// A number that one thread counts up or sets.
///
/// It tells a number and orders nothing else: who reads it may not conclude that other memory of
/// the writer is visible.
#[derive(Debug)]
pub struct Counter {
    region: Arc<Region>,
    word: usize,
    value: u64,
}

impl Counter {
    /// Adds to it.
    #[inline]
    pub fn add(&mut self, more: u64) {
        self.set(self.value.wrapping_add(more));
    }

    /// Sets it.
    #[inline]
    pub fn set(&mut self, value: u64) {
        self.value = value;
        self.region.words()[self.word].store(value, Ordering::Relaxed);
    }

    /// Its value.
    #[must_use]
    pub const fn get(&self) -> u64 {
        self.value
    }

    /// A handle that reads it, for another thread.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch {
            region: Arc::clone(&self.region),
            word: self.word,
        }
    }
}

/// Reads a counter that another thread writes.
#[derive(Clone, Debug)]
pub struct Watch {
    region: Arc<Region>,
    word: usize,
}

impl Watch {
    /// Its value now.
    #[must_use]
    #[inline]
    pub fn get(&self) -> u64 {
        self.region.words()[self.word].load(Ordering::Relaxed)
    }
}

fn fill(region: &Region, counters: &[&str], histograms: &[&str]) {
    let words = region.words();
    let store = |index: usize, value: u64| words[index].store(value, Ordering::Relaxed);
    store(WORD_LAYOUT, layout_hash());
    store(WORD_COUNTERS, counters.len() as u64);
    store(WORD_HISTOGRAMS, histograms.len() as u64);
    store(WORD_PROCESS, u64::from(std::process::id()));
    for (index, name) in counters.iter().chain(histograms).enumerate() {
        let mut bytes = [0; NAME_BYTES];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        let (chunks, _) = bytes.as_chunks::<8>();
        for (offset, chunk) in chunks.iter().enumerate() {
            store(
                entry(index) + ENTRY_NAME + offset,
                u64::from_ne_bytes(*chunk),
            );
        }
    }
    // Release: pairs with the Acquire of the magic in `CounterReader::attach`.
    words[WORD_MAGIC].store(MAGIC, Ordering::Release);
}

fn names_check(counters: &[&str], histograms: &[&str]) -> Result<(), Error> {
    for list in [counters, histograms] {
        if list.len() > ENTRIES_MAX {
            let what = format!("{} counters: no more than {ENTRIES_MAX}", list.len());
            return Err(Error::request(what));
        }
        let mut seen = std::collections::BTreeSet::new();
        for name in list {
            if !name_fits(name) {
                let what = format!("counter name {name:?}: 1 to {NAME_BYTES} printing letters");
                return Err(Error::request(what));
            }
            if !seen.insert(name) {
                return Err(Error::request(format!(
                    "counter name {name:?} is given twice"
                )));
            }
        }
    }
    Ok(())
}

fn take(list: &mut [Named], name: &str) -> Result<usize, Error> {
    let found = list.iter().position(|named| named.name == name);
    let index = found.ok_or_else(|| unknown(name))?;
    if std::mem::replace(&mut list[index].taken, true) {
        return Err(Error::request(format!(
            "{name:?} has its one writer already"
        )));
    }
    Ok(index)
}

fn unknown(name: &str) -> Error {
    Error::request(format!("{name:?} is not in the set of counters"))
}
