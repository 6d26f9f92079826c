//! L1: memory of this process, bounded in bytes.

use crate::cache::Entry;
use crate::pattern;
use crate::settings::Settings;
use quick_cache::sync::{Cache, DefaultLifecycle, GuardResult, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// What an entry costs beside its key and its value, measured as memory of many small ones.
const ENTRY_BYTES: u64 = 224;

/// What a tag of an entry costs.
const TAG_BYTES: u64 = 16;

/// Bytes that an entry has as a rule, from which the number of places is guessed.
const USUAL_BYTES: usize = 1_024;

/// How much of memory is for what was asked for again; the rest is for what is new. With the
/// library's 0.97 a small memory lets an answer of the present go before its second lookup:
/// `docs/cache.md` has what that cost on a trace of the page, and what this costs on a Zipf trace.
const HOT_PART: f64 = 0.8;

/// Tags that are known before those are looked for that nothing has any more.
const TAGS_KNOWN_MAX: usize = 65_536;

/// What changed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change<'c> {
    /// What is under this key.
    Key(&'c str),
    /// Everything with this tag.
    Tag(&'c str),
    /// Everything whose key is meant by this pattern.
    Pattern(&'c str),
    /// Nothing: who listens hears where it stands.
    Mark(&'c str),
}

/// How much an entry weighs.
#[derive(Clone, Debug)]
pub(crate) struct Weight;

impl Weighter<Arc<str>, Arc<Entry>> for Weight {
    fn weight(&self, key: &Arc<str>, entry: &Arc<Entry>) -> u64 {
        let value = entry.value().map_or(0, <[u8]>::len) as u64;
        ENTRY_BYTES + key.len() as u64 + value + TAG_BYTES * entry.tags.len() as u64
    }
}

/// The place of a key that one lookup has while it fills it.
pub(crate) type Seat<'l> = PlaceholderGuard<
    'l,
    Arc<str>,
    Arc<Entry>,
    Weight,
    DefaultHashBuilder,
    DefaultLifecycle<Arc<str>, Arc<Entry>>,
>;

/// What a lookup that memory does not answer comes to.
pub(crate) enum Turn<'l> {
    /// Another one has brought it.
    Brought(Arc<Entry>),
    /// It is to bring it; no version below this one may be kept.
    Bring(Seat<'l>, u64),
    /// Another one brings it, and that takes too long.
    Late,
}

/// When what is being brought may still be kept.
#[derive(Debug, Default)]
struct Fills {
    /// Grows whenever a tag, a pattern or the link changes: what was begun before is not kept.
    epoch: u64,
    /// Whether nobody tells what others change.
    is_blind: bool,
}

/// The memory.
#[derive(Debug)]
pub(crate) struct Local {
    entries: Cache<Arc<str>, Arc<Entry>, Weight>,
    /// Held for reading while an entry is kept, for writing while many become untrue. Keys need
    /// neither: to remove one takes its seat from who fills it.
    fills: RwLock<Fills>,
    /// How often what has a tag became untrue.
    tags: Mutex<HashMap<String, Arc<AtomicU64>>>,
    begun: Instant,
    blind_ttl: Duration,
}

/// What is to be kept, without the moment until which.
#[derive(Debug)]
pub(crate) struct Fresh<'f> {
    pub(crate) version: u64,
    pub(crate) value: Option<&'f [u8]>,
    pub(crate) tags: &'f [String],
    pub(crate) ttl: Duration,
}

impl Local {
    /// Without Redis nobody else changes anything; with one, nobody tells it yet.
    pub(crate) fn new(settings: &Settings) -> Self {
        let options = OptionsBuilder::new()
            .weight_capacity(settings.bytes_max as u64)
            .estimated_items_capacity(settings.bytes_max / USUAL_BYTES)
            .hot_allocation(HOT_PART)
            .build();
        // All that it needs was said.
        let Ok(options) = options else {
            unreachable!("capacities are set")
        };
        let entries = Cache::with_options(
            options,
            Weight,
            DefaultHashBuilder::default(),
            Default::default(),
        );
        Self {
            entries,
            fills: RwLock::new(Fills {
                epoch: 0,
                is_blind: settings.redis.is_some(),
            }),
            tags: Mutex::default(),
            begun: Instant::now(),
            blind_ttl: settings.blind_ttl,
        }
    }

    fn now_ms(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64
    }

    fn reading(&self) -> RwLockReadGuard<'_, Fills> {
        self.fills.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> RwLockWriteGuard<'_, Fills> {
        self.fills.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept and true.
    pub(crate) fn get(&self, key: &str) -> Option<Arc<Entry>> {
        let entry = self.entries.get(key)?;
        self.is_true(&entry).then_some(entry)
    }

    fn is_true(&self, entry: &Entry) -> bool {
        !entry.is_forgotten && entry.until_ms > self.now_ms() && entry.has_its_tags()
    }

    /// Where a lookup begins that may have to be refused.
    pub(crate) fn epoch(&self) -> u64 {
        self.reading().epoch
    }

    /// The seat of a key, or what another lookup put there.
    pub(crate) fn turn(&self, key: &Arc<str>, wait: Duration) -> Turn<'_> {
        let begun = Instant::now();
        loop {
            let gone = self.entries.remove_if(&**key, |entry| !self.is_true(entry));
            let least = gone.filter(|(_, entry)| entry.is_forgotten);
            let least = least.map_or(0, |(_, entry)| entry.version());
            let left = wait.saturating_sub(begun.elapsed());
            match self.entries.get_value_or_guard(key, Some(left)) {
                GuardResult::Guard(seat) => return Turn::Bring(seat, least),
                // It may have been brought for a moment only: for who waited it is true.
                GuardResult::Value(it) if !it.is_forgotten && it.has_its_tags() => {
                    return Turn::Brought(it);
                }
                GuardResult::Value(_) if begun.elapsed() < wait => {}
                GuardResult::Value(_) | GuardResult::Timeout => return Turn::Late,
            }
        }
    }

    /// Keeps what a lookup brought, if nothing became untrue since it began. Gives it in any case.
    pub(crate) fn keep(&self, seat: Seat<'_>, epoch: u64, fresh: &Fresh<'_>) -> (Arc<Entry>, bool) {
        let fills = self.reading();
        let entry = Arc::new(self.entry(&fills, fresh));
        if fills.epoch != epoch {
            return (entry, false);
        }
        let is_kept = seat.insert(Arc::clone(&entry)).is_ok();
        (entry, is_kept)
    }

    /// Gives the seat up; the least version that may come stays, if there is one.
    pub(crate) fn leave(&self, seat: Seat<'_>, least: u64, ttl: Duration) {
        if least > 0 {
            let _ = seat.insert(Arc::new(Entry::forgotten(least, self.until(ttl))));
        }
    }

    fn until(&self, ttl: Duration) -> u64 {
        self.now_ms().saturating_add(ttl.as_millis() as u64)
    }

    fn entry(&self, fills: &Fills, fresh: &Fresh<'_>) -> Entry {
        let ttl = match fills.is_blind {
            true => fresh.ttl.min(self.blind_ttl),
            false => fresh.ttl,
        };
        let mut tags = Vec::new();
        if !fresh.tags.is_empty() {
            let mut known = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() > TAGS_KNOWN_MAX {
                known.retain(|_, times| Arc::strong_count(times) > 1);
            }
            for tag in fresh.tags {
                let times = Arc::clone(known.entry(tag.clone()).or_default());
                // Relaxed: it changes under the lock that is held here for reading.
                let seen = times.load(Ordering::Relaxed);
                tags.push((times, seen));
            }
        }
        Entry::new(fresh.version, fresh.value, tags, self.until(ttl))
    }

    /// Keeps a value that its writer gives; not if a newer version is known.
    pub(crate) fn put(&self, key: &str, fresh: &Fresh<'_>) -> bool {
        // Nobody else puts meanwhile.
        let fills = self.writing();
        let known = self.entries.peek(key);
        if known.is_some_and(|known| known.version() > fresh.version) {
            return false;
        }
        let entry = Arc::new(self.entry(&fills, fresh));
        self.entries.insert(key.into(), entry);
        true
    }

    /// Makes untrue what a change is about.
    pub(crate) fn apply(&self, change: &Change<'_>) {
        match change {
            Change::Key(key) => {
                self.entries.remove(*key);
            }
            Change::Tag(tag) => {
                let mut fills = self.writing();
                fills.epoch += 1;
                let known = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(times) = known.get(*tag) {
                    // Relaxed: who was told that this is done was told by something that orders it.
                    times.fetch_add(1, Ordering::Relaxed);
                }
            }
            Change::Pattern(pattern) => {
                let mut fills = self.writing();
                fills.epoch += 1;
                let pattern = pattern.as_bytes();
                self.entries
                    .retain(|key, _| !pattern::matches(pattern, key.as_bytes()));
            }
            Change::Mark(_) => {}
        }
    }

    /// Forgets a key of which nothing below a version may come back.
    pub(crate) fn forget_below(&self, key: &str, least: u64, ttl: Duration) {
        let _fills = self.writing();
        let known = self.entries.peek(key).map_or(0, |known| known.version());
        let entry = Entry::forgotten(least.max(known), self.until(ttl));
        self.entries.insert(key.into(), Arc::new(entry));
    }

    /// Forgets everything: the link to Redis was lost or made.
    pub(crate) fn renew(&self, is_blind: bool) {
        let mut fills = self.writing();
        fills.epoch += 1;
        fills.is_blind = is_blind;
        self.entries.retain(|_, _| false);
    }

    /// Entries and their weight.
    pub(crate) fn size(&self) -> (usize, u64) {
        (self.entries.len(), self.entries.weight())
    }

    /// Every entry that is true now.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Arc<str>, Arc<Entry>)> {
        self.entries.iter().filter(|(_, entry)| self.is_true(entry))
    }
}
