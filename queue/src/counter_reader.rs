//! Reading a set of counters, usually from another process.

use crate::counter_layout::{
    ENTRIES_MAX, ENTRY_NAME, MAGIC, NAME_BYTES, WORD_COUNTERS, WORD_ENTRIES, WORD_HISTOGRAMS,
    WORD_LAYOUT, WORD_MAGIC, WORD_PROCESS, entry, histogram_start, layout_hash, name_fits,
    set_words,
};
use crate::error::Error;
use crate::histogram::{self, Buckets, Summary};
use crate::layout::expect;
use crate::region::Region;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Lists the counters and histograms of a set, usually from another process.
#[derive(Debug)]
pub struct CounterReader {
    pub(crate) region: Arc<Region>,
    pub(crate) counters: Vec<String>,
    pub(crate) histograms: Vec<String>,
}

impl CounterReader {
    /// Attaches the set at `path`, read-only.
    ///
    /// # Errors
    /// When the file cannot be mapped or is not such a set: the error names the field.
    pub fn attach(path: &Path) -> Result<Self, Error> {
        let region = Region::attach(path, false)?;
        let words = region.words();
        if words.len() < WORD_ENTRIES {
            return Err(Error::bad(
                "size of the counters",
                region.bytes() as u64,
                "a header",
            ));
        }
        // Acquire: pairs with the Release of the magic in `fill`.
        expect("magic", words[WORD_MAGIC].load(Ordering::Acquire), MAGIC)?;
        let layout = words[WORD_LAYOUT].load(Ordering::Relaxed);
        expect("layout hash", layout, layout_hash())?;
        let counters = count_of(&region, "number of counters", WORD_COUNTERS)?;
        let histograms = count_of(&region, "number of histograms", WORD_HISTOGRAMS)?;
        let words_needed = set_words(counters, histograms);
        if words.len() < words_needed {
            let found = region.bytes() as u64;
            let expected = format!("at least {} bytes", words_needed * 8);
            return Err(Error::bad("size of the counters", found, expected));
        }
        let names = |from: usize, to: usize| -> Result<Vec<String>, Error> {
            (from..to).map(|index| name_read(&region, index)).collect()
        };
        let counter_names = names(0, counters)?;
        let histogram_names = names(counters, counters + histograms)?;
        let region = Arc::new(region);
        Ok(Self {
            region,
            counters: counter_names,
            histograms: histogram_names,
        })
    }

    /// Names and values of the counters, in the order they were made.
    pub fn counters(&self) -> impl Iterator<Item = (&str, u64)> {
        let words = self.region.words();
        self.counters
            .iter()
            .enumerate()
            .map(|(index, name)| (name.as_str(), words[entry(index)].load(Ordering::Relaxed)))
    }

    /// The value of one counter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u64> {
        self.counters()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// Names and contents of the histograms, in the order they were made.
    pub fn histograms(&self) -> impl Iterator<Item = (&str, Buckets)> {
        let words = self.region.words();
        self.histograms.iter().enumerate().map(|(index, name)| {
            let start = histogram_start(self.counters.len(), self.histograms.len(), index);
            (
                name.as_str(),
                Buckets::read(&words[start..start + histogram::WORDS]),
            )
        })
    }

    /// The usual figures of one histogram.
    #[must_use]
    pub fn summary(&self, name: &str) -> Option<Summary> {
        self.histograms()
            .find(|(found, _)| *found == name)
            .map(|(_, buckets)| buckets.summary())
    }

    /// The process that made the set; it may have ended.
    #[must_use]
    pub fn process_id(&self) -> u64 {
        self.region.words()[WORD_PROCESS].load(Ordering::Relaxed)
    }
}

fn name_read(region: &Region, index: usize) -> Result<String, Error> {
    let start = entry(index) + ENTRY_NAME;
    let words = &region.words()[start..start + NAME_BYTES / 8];
    let bytes: Vec<u8> = words
        .iter()
        .flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes())
        .collect();
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(NAME_BYTES);
    match std::str::from_utf8(&bytes[..end]) {
        Ok(name) if name_fits(name) => Ok(name.to_owned()),
        _ => Err(Error::bad(
            "name of an entry",
            index as u64,
            "letters of a name in this entry",
        )),
    }
}

fn count_of(region: &Region, field: &'static str, word: usize) -> Result<usize, Error> {
    let found = region.words()[word].load(Ordering::Relaxed);
    if found > ENTRIES_MAX as u64 {
        return Err(Error::bad(
            field,
            found,
            format!("no more than {ENTRIES_MAX}"),
        ));
    }
    Ok(found as usize)
}
