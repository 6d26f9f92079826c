//! The three levels together.

use crate::counters::{Counters, Counts, count};
use crate::heard::Heard;
use crate::link::{Found, Link, Outcome, ToKeep};
use crate::local::{Change, Fresh, Local, Seat, Turn};
use crate::settings::{Settings, SettingsError};
use crate::{KEY_BYTES_MAX, PATTERN_BYTES_MAX, TAG_BYTES_MAX, TAGS_MAX, VALUE_BYTES_MAX};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a lookup waits at first before it asks again whether another process has loaded.
const POLL_MIN: Duration = Duration::from_millis(1);
/// And at last.
const POLL_MAX: Duration = Duration::from_millis(16);

/// A value, or that there is none, with its version.
#[derive(Debug)]
pub struct Entry {
    version: u64,
    value: Option<Box<[u8]>>,
    /// With how often each tag's entries had become untrue when this one was kept.
    pub(crate) tags: Box<[(Arc<AtomicU64>, u64)]>,
    pub(crate) until_ms: u64,
    /// Only the version counts: the least that may come back.
    pub(crate) is_forgotten: bool,
}

impl Entry {
    pub(crate) fn new(
        version: u64,
        value: Option<&[u8]>,
        tags: Vec<(Arc<AtomicU64>, u64)>,
        until_ms: u64,
    ) -> Self {
        Self {
            version,
            value: value.map(Into::into),
            tags: tags.into(),
            until_ms,
            is_forgotten: false,
        }
    }

    pub(crate) fn forgotten(least: u64, until_ms: u64) -> Self {
        Self {
            is_forgotten: true,
            ..Self::new(least, None, Vec::new(), until_ms)
        }
    }

    /// Which version this is.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Its bytes; none where it is known that there is no value.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }

    pub(crate) fn has_its_tags(&self) -> bool {
        // Relaxed: as where they are counted.
        self.tags
            .iter()
            .all(|(times, seen)| times.load(Ordering::Relaxed) == *seen)
    }
}

/// What was loaded from below the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Grows with every change of the value; 0 throughout where there are no versions.
    pub version: u64,
    /// The value; none if there is none, which is kept, too.
    pub value: Option<Vec<u8>>,
    /// By what it can be invalidated beside its key.
    pub tags: Vec<String>,
}

/// How far an invalidation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Redis forgot it, and every process is being told; without Redis, this one is all there are.
    Everywhere,
    /// Redis cannot be reached. This process forgot it, and tells it once Redis is there again.
    Later,
}

/// What became of a value that its writer gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is kept for everybody.
    Everywhere,
    /// A newer version is known: nothing changed.
    Older,
    /// Redis cannot be reached: it is kept here, and the key is invalidated elsewhere later.
    Here,
    /// It is too large, or has too many tags: the key was invalidated.
    Not,
}

/// What its threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) local: Local,
    pub(crate) counts: Counts,
    pub(crate) link: Option<Link>,
    pub(crate) heard: Heard,
}

/// A cache. Its threads end with it.
#[derive(Debug)]
pub struct Cache(Arc<Shared>);

impl Drop for Cache {
    fn drop(&mut self) {
        self.0.heard.end();
    }
}

impl Cache {
    /// Sets it up. With Redis it starts two threads, and does not wait until Redis answers:
    /// [`Self::wait_for_redis`] does.
    ///
    /// # Errors
    /// A setting makes no sense, or the system has no threads.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        let shared = Arc::new(Shared {
            local: Local::new(&settings),
            counts: Counts::default(),
            link: Link::new(&settings)?,
            heard: Heard::default(),
            settings,
        });
        if shared.link.is_some() {
            Heard::start(&shared).map_err(|error| SettingsError::threads(&error))?;
        }
        Ok(Self(shared))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    /// What memory has under a key. Counts as a lookup only if it has something.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Arc<Entry>> {
        let entry = self.0.local.get(key)?;
        count(&self.0.counts.l1_hits);
        Some(entry)
    }

    /// What is under a key, from the first level that has it. Lookups of the same key wait for one
    /// that loads, in other processes, too.
    ///
    /// # Errors
    /// Those of `load`; they are not kept.
    pub fn get_or_load<E>(
        &self,
        key: &str,
        load: impl FnOnce() -> Result<Loaded, E>,
    ) -> Result<Arc<Entry>, E> {
        if let Some(entry) = self.get(key) {
            return Ok(entry);
        }
        let Shared {
            local,
            counts,
            settings,
            ..
        } = &*self.0;
        count(&counts.l1_misses);
        if key.len() > KEY_BYTES_MAX {
            count(&counts.oversized);
            return self.load(load).map(unkept);
        }
        let key = Arc::from(key);
        match local.turn(&key, settings.load_wait) {
            Turn::Brought(entry) => {
                count(&counts.joined);
                Ok(entry)
            }
            Turn::Late => self.load(load).map(unkept),
            Turn::Bring(seat, least) => self.bring(&key, seat, least, load),
        }
    }

    /// Brings what memory does not have.
    fn bring<E>(
        &self,
        key: &str,
        seat: Seat<'_>,
        least: u64,
        load: impl FnOnce() -> Result<Loaded, E>,
    ) -> Result<Arc<Entry>, E> {
        let Shared { local, counts, .. } = &*self.0;
        let epoch = local.epoch();
        let link = self.redis();
        let mut lease = None;
        match link.and_then(|link| self.find(link, key)) {
            Some(Found::Kept(kept, left)) => {
                count(&counts.l2_hits);
                let fresh = Fresh {
                    version: kept.version,
                    value: kept.value.as_deref(),
                    tags: &kept.tags,
                    ttl: left,
                };
                return Ok(local.keep(seat, epoch, &fresh).0);
            }
            Some(Found::Lease(given)) => lease = Some(given),
            Some(Found::Busy) | None => {}
        }
        if link.is_some() {
            count(&counts.l2_misses);
        }
        let loaded = match self.load(load) {
            Ok(loaded) if self.fits(&loaded) && loaded.version >= least => loaded,
            other => {
                if other.as_ref().is_ok_and(|loaded| loaded.version < least) {
                    count(&counts.older);
                }
                if let (Some(link), Some(_)) = (link, lease) {
                    link.release(key, counts);
                }
                local.leave(seat, least, self.0.settings.ttl);
                return other.map(unkept);
            }
        };
        let ttl = self.ttl(&loaded);
        if let (Some(link), Some(lease)) = (link, &lease) {
            match link.keep(key, Some(lease), to_keep(&loaded, ttl), counts) {
                Ok(Outcome::Overtaken) => {
                    count(&counts.overtaken);
                    return Ok(unkept(loaded));
                }
                Ok(Outcome::Older) => {
                    count(&counts.older);
                    return Ok(unkept(loaded));
                }
                // What changes is heard of all the same.
                Ok(Outcome::Yes) | Err(_) => {}
            }
        }
        let (entry, is_kept) = local.keep(seat, epoch, &fresh(&loaded, ttl));
        if !is_kept {
            count(&counts.overtaken);
        }
        Ok(entry)
    }

    /// Looks in Redis, until what another process loads is there; none where Redis fails or that
    /// takes too long.
    fn find(&self, link: &Link, key: &str) -> Option<Found> {
        let counts = &self.0.counts;
        let begun = Instant::now();
        let mut rest = POLL_MIN;
        loop {
            match link.find(key, counts) {
                Ok(Found::Busy) if begun.elapsed() < self.0.settings.load_wait => {
                    if rest == POLL_MIN {
                        count(&counts.l2_waits);
                    }
                    std::thread::sleep(rest);
                    rest = (rest * 2).min(POLL_MAX);
                }
                Ok(found) => return Some(found),
                Err(_) => return None,
            }
        }
    }

    fn load<E>(&self, load: impl FnOnce() -> Result<Loaded, E>) -> Result<Loaded, E> {
        let counts = &self.0.counts;
        count(&counts.l3_loads);
        let loaded = load().inspect_err(|_| count(&counts.l3_errors))?;
        if loaded.value.is_none() {
            count(&counts.l3_absent);
        }
        Ok(loaded)
    }

    fn fits(&self, loaded: &Loaded) -> bool {
        let size = loaded.value.as_ref().map_or(0, Vec::len);
        let has_short_tags = loaded.tags.iter().all(|tag| tag.len() <= TAG_BYTES_MAX);
        let fits = size <= VALUE_BYTES_MAX && loaded.tags.len() <= TAGS_MAX && has_short_tags;
        if !fits {
            count(&self.0.counts.oversized);
        }
        fits
    }

    fn ttl(&self, loaded: &Loaded) -> Duration {
        match loaded.value {
            Some(_) => self.0.settings.ttl,
            None => self.0.settings.absent_ttl,
        }
    }

    /// Redis, if it is there and knows all that this process changed.
    fn redis(&self) -> Option<&Link> {
        self.0.link.as_ref().filter(|_| self.0.heard.is_ready())
    }

    /// Keeps a value that was just written below: no process reads an older version afterwards.
    pub fn put(&self, key: &str, loaded: &Loaded) -> Stored {
        let Shared { local, counts, .. } = &*self.0;
        if key.len() > KEY_BYTES_MAX || !self.fits(loaded) {
            self.invalidate(key, Some(loaded.version));
            return Stored::Not;
        }
        let ttl = self.ttl(loaded);
        if self.0.link.is_none() {
            return match local.put(key, &fresh(loaded, ttl)) {
                true => Stored::Everywhere,
                false => {
                    count(&counts.older);
                    Stored::Older
                }
            };
        }
        let kept = self
            .redis()
            .map(|link| link.keep(key, None, to_keep(loaded, ttl), counts));
        match kept {
            Some(Ok(Outcome::Yes | Outcome::Overtaken)) => {
                local.apply(&Change::Key(key));
                Stored::Everywhere
            }
            Some(Ok(Outcome::Older)) => {
                count(&counts.older);
                local.apply(&Change::Key(key));
                Stored::Older
            }
            Some(Err(_)) | None => {
                if !local.put(key, &fresh(loaded, ttl)) {
                    count(&counts.older);
                    return Stored::Older;
                }
                self.0.heard.later(&Change::Key(key), Some(loaded.version));
                Stored::Here
            }
        }
    }

    /// Forgets what is under a key, whose value changed below; with a version, nothing older is
    /// kept again.
    pub fn invalidate(&self, key: &str, least: Option<u64>) -> Reach {
        let reach = self.change(&Change::Key(key), least);
        // Redis, where it heard of this, knows it for all.
        let is_alone = self.0.link.is_none() || reach == Reach::Later;
        if let (true, Some(least)) = (is_alone, least) {
            self.0.local.forget_below(key, least, self.0.settings.ttl);
        }
        reach
    }

    /// Forgets everything that has a tag.
    pub fn invalidate_tag(&self, tag: &str) -> Reach {
        self.change(&Change::Tag(tag), None)
    }

    /// Forgets everything whose key a pattern means: `*` is any run of letters, `?` any one, `\`
    /// takes the next as it stands. Redis is walked through step by step, which takes a while
    /// where it holds much, and stops nobody.
    ///
    /// # Panics
    /// The pattern is longer than [`PATTERN_BYTES_MAX`].
    pub fn invalidate_pattern(&self, pattern: &str) -> Reach {
        let length = pattern.len();
        assert!(length <= PATTERN_BYTES_MAX, "a pattern of {length} bytes");
        self.change(&Change::Pattern(pattern), None)
    }

    fn change(&self, change: &Change<'_>, least: Option<u64>) -> Reach {
        let shared = &*self.0;
        count(&shared.counts.invalidations);
        let reach = match (&shared.link, self.redis()) {
            (None, _) => Reach::Everywhere,
            (_, Some(link)) if link.tell(change, least, &shared.counts).is_ok() => {
                Reach::Everywhere
            }
            _ => {
                shared.heard.later(change, least);
                Reach::Later
            }
        };
        // Memory after Redis: who looks again meanwhile must not bring the old value back.
        shared.local.apply(change);
        reach
    }

    /// Waits until this process has heard of everything that was invalidated before; false if Redis
    /// did not answer so long. Without Redis there is nothing to hear.
    #[must_use]
    pub fn catch_up(&self, wait: Duration) -> bool {
        let Some(link) = &self.0.link else {
            return true;
        };
        self.0.heard.catch_up(link, &self.0.counts, wait)
    }

    /// Waits until Redis is there; false if it did not come so long, or none was named.
    #[must_use]
    pub fn wait_for_redis(&self, wait: Duration) -> bool {
        self.0.link.is_some() && self.0.heard.wait_ready(wait)
    }

    /// Whether Redis is there and tells what others change.
    #[must_use]
    pub fn has_redis(&self) -> bool {
        self.redis().is_some()
    }

    /// What it did.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.0.counts.read()
    }

    /// Entries in memory, and their bytes.
    #[must_use]
    pub fn size(&self) -> (usize, u64) {
        self.0.local.size()
    }

    /// Invalidations that Redis is still to be told of.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.heard.waiting()
    }
}

fn fresh(loaded: &Loaded, ttl: Duration) -> Fresh<'_> {
    Fresh {
        version: loaded.version,
        value: loaded.value.as_deref(),
        tags: &loaded.tags,
        ttl,
    }
}

fn to_keep(loaded: &Loaded, ttl: Duration) -> ToKeep<'_> {
    ToKeep {
        version: loaded.version,
        value: loaded.value.as_deref(),
        tags: &loaded.tags,
        ttl,
    }
}

/// What is given to who asked, and to nobody else.
fn unkept(loaded: Loaded) -> Arc<Entry> {
    Arc::new(Entry::new(
        loaded.version,
        loaded.value.as_deref(),
        Vec::new(),
        0,
    ))
}
