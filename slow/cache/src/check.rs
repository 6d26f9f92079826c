//! A sample of memory is compared with the levels below: what should never differ is looked at.

use crate::cache::{Cache, Entry, Loaded};
use crate::counters::count;
use crate::link::Held;
use std::sync::Arc;

/// How an entry differs from a level below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its key.
    pub key: String,
    /// The level that it differs from: 2 is Redis, 3 what is loaded from.
    pub level: u8,
    /// The version in memory.
    pub here: u64,
    /// The version there: newer, or the same with other bytes.
    pub there: u64,
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Entries that were compared.
    pub sampled: usize,
    /// Entries below which an older version was found: a replica that is behind.
    pub ahead: usize,
    /// Those that are wrong. They have been invalidated.
    pub differences: Vec<Difference>,
}

impl Cache {
    /// Compares up to `sample` entries of memory, drawn by `seed` from those whose keys are
    /// `wanted`, with Redis and with what `load` gives. An entry that changes meanwhile is left
    /// out. What is wrong is invalidated.
    ///
    /// # Errors
    /// Those of `load`.
    pub fn check<E>(
        &self,
        (sample, seed): (usize, u64),
        wanted: impl Fn(&str) -> bool,
        mut load: impl FnMut(&str) -> Result<Loaded, E>,
    ) -> Result<Checked, E> {
        let mut checked = Checked::default();
        for (key, entry) in self.sample((sample, seed), wanted) {
            let below = self.below_in_redis(&key, &entry);
            let loaded = load(&key)?;
            let is_same = loaded.value.as_deref() == entry.value();
            let loaded = (3, loaded.version, is_same);
            // It was taken away while it was compared, as is right.
            let is_there = self
                .shared()
                .local
                .get(&key)
                .is_some_and(|it| Arc::ptr_eq(&it, &entry));
            if !is_there {
                continue;
            }
            checked.sampled += 1;
            count(&self.shared().counts.checked);
            let here = entry.version();
            let levels = [below, Some(loaded)];
            let levels = || levels.iter().flatten();
            checked.ahead += usize::from(levels().any(|(_, there, _)| *there < here));
            let wrong = levels()
                .filter(|(_, there, is_same)| *there > here || *there == here && !is_same)
                .map(|(level, there, _)| Difference {
                    key: key.to_string(),
                    level: *level,
                    here,
                    there: *there,
                });
            let wrong: Vec<Difference> = wrong.collect();
            if let Some(least) = wrong.iter().map(|it| it.there).max() {
                self.invalidate(&key, Some(least));
                count(&self.shared().counts.differed);
            }
            checked.differences.extend(wrong);
        }
        Ok(checked)
    }

    /// Level, version, and whether the value is the same.
    fn below_in_redis(&self, key: &str, entry: &Entry) -> Option<(u8, u64, bool)> {
        let shared = self.shared();
        let link = shared.link.as_ref().filter(|_| shared.heard.is_ready())?;
        match link.held(key, &shared.counts).ok()?? {
            Held::Entry(kept) => {
                let is_same = kept.value.as_deref() == entry.value();
                Some((2, kept.version, is_same))
            }
            // Forgotten: only what is older than the least would be wrong to have.
            Held::Least(least) => Some((2, least, true)),
        }
    }

    /// Entries by chance, each that is wanted as likely as the others.
    fn sample(
        &self,
        (sample, seed): (usize, u64),
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<(Arc<str>, Arc<Entry>)> {
        let mut state = seed | 1;
        let mut next = || {
            // xorshift64*: which entries are looked at, nothing that anybody depends on.
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            state.wrapping_mul(0x2545_F491_4F6C_DD1D)
        };
        let mut drawn = Vec::with_capacity(sample.min(1_024));
        let all = self.shared().local.each();
        for (number, found) in all.filter(|(key, _)| wanted(key)).enumerate() {
            if drawn.len() < sample {
                drawn.push(found);
                continue;
            }
            let place = (next() % (number as u64 + 1)) as usize;
            if place < sample {
                drawn[place] = found;
            }
        }
        drawn
    }

    /// What is under a key that is likely to be asked for: as [`Cache::get_or_load`], but what is
    /// loaded is counted as warmed.
    ///
    /// # Errors
    /// Those of `load`; they are not kept.
    pub fn warm<E>(
        &self,
        key: &str,
        load: impl FnOnce() -> Result<Loaded, E>,
    ) -> Result<Arc<Entry>, E> {
        self.get_or_load(key, || {
            let loaded = load()?;
            count(&self.shared().counts.warmed);
            Ok(loaded)
        })
    }
}
