//! What Redis tells of changes that others made: a thread that listens, and one that makes sure
//! that the other still hears something.
//!
//! Whoever changes something touches a key that begins with the word of signals; Redis' client-side
//! tracking (RESP3, broadcast for that beginning) sends its name to every process. A link that is
//! lost may have lost such a name: memory is emptied, and fills slowly until there is another one.

use crate::cache::Shared;
use crate::counters::{Counts, count};
use crate::link::Link;
use crate::local::Change;
use redis::{Connection, PushKind, RedisResult, Value, cmd};
use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often each process lets the others hear that the link lives.
const BEAT: Duration = Duration::from_millis(500);

/// A link on which nothing was heard for so long is lost.
const SILENCE_MAX: Duration = Duration::from_secs(2);

/// Between two attempts to connect.
const RETRY: Duration = Duration::from_millis(100);

/// Invalidations that wait for Redis; with more, everything is invalidated.
const WAITING_MAX: usize = 4_096;

const _: () = assert!(SILENCE_MAX.as_millis() >= 3 * BEAT.as_millis());

/// A change, until Redis can be told of it.
#[derive(Debug)]
enum Owed {
    Key(String, Option<u64>),
    Tag(String),
    Pattern(String),
}

impl Owed {
    fn change(&self) -> (Change<'_>, Option<u64>) {
        match self {
            Self::Key(key, least) => (Change::Key(key), *least),
            Self::Tag(tag) => (Change::Tag(tag), None),
            Self::Pattern(pattern) => (Change::Pattern(pattern), None),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    is_over: bool,
    /// How often the link was made.
    links: u64,
    /// Marks that somebody waits for.
    awaited: HashSet<String>,
    owed: VecDeque<Owed>,
}

/// What was heard, and what is still to be told.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Whether the link is there.
    is_linked: AtomicBool,
    /// As many as `State::owed`, and the one that is being told.
    owed: AtomicUsize,
    state: Mutex<State>,
    turned: Condvar,
    /// Held by who tells what is owed.
    telling: Mutex<()>,
}

impl Heard {
    /// Starts the threads.
    pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<()> {
        let listener = Arc::clone(shared);
        let named = thread::Builder::new().name("cache-hear".to_owned());
        named.spawn(move || listen(&listener))?;
        let beater = Arc::clone(shared);
        let named = thread::Builder::new().name("cache-beat".to_owned());
        named.spawn(move || beat(&beater))?;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the threads end; the one that listens notices it at its next word.
    pub(crate) fn end(&self) {
        self.state().is_over = true;
        self.turned.notify_all();
    }

    fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// Whether Redis is there and nothing is owed to it.
    pub(crate) fn is_ready(&self) -> bool {
        // Acquire: pairs with the Release of `listen`, so that memory was emptied before.
        self.is_linked.load(Ordering::Acquire) && self.owed.load(Ordering::Acquire) == 0
    }

    /// Waits for that.
    pub(crate) fn wait_ready(&self, wait: Duration) -> bool {
        let begun = Instant::now();
        let mut state = self.state();
        while !self.is_ready() {
            let left = wait.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return false;
            }
            // What is owed is told without a word.
            let waited = self.turned.wait_timeout(state, left.min(RETRY));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Owes Redis a change.
    pub(crate) fn later(&self, change: &Change<'_>, least: Option<u64>) {
        let owed = match change {
            Change::Key(key) => Owed::Key((*key).to_owned(), least),
            Change::Tag(tag) => Owed::Tag((*tag).to_owned()),
            Change::Pattern(pattern) => Owed::Pattern((*pattern).to_owned()),
            Change::Mark(_) => return,
        };
        let mut state = self.state();
        if state.owed.len() >= WAITING_MAX {
            state.owed.clear();
            state.owed.push_back(Owed::Pattern("*".to_owned()));
        } else {
            state.owed.push_back(owed);
        }
        // Release: pairs with the Acquire of `is_ready`.
        self.owed.store(state.owed.len(), Ordering::Release);
        drop(state);
        self.turned.notify_all();
    }

    pub(crate) fn waiting(&self) -> usize {
        self.owed.load(Ordering::Acquire)
    }

    /// Tells what is owed; what fails is owed still.
    fn pay(&self, link: &Link, counts: &Counts) -> RedisResult<()> {
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Some(owed) = self.state().owed.pop_front() else {
                return Ok(());
            };
            let (change, least) = owed.change();
            let told = link.tell(&change, least, counts);
            let mut state = self.state();
            if told.is_err() {
                state.owed.push_front(owed);
            }
            // Release: pairs with the Acquire of `is_ready`; until here the count was not less.
            self.owed.store(state.owed.len(), Ordering::Release);
            drop(state);
            told?;
        }
    }

    /// Sends a mark and waits until it is heard: what was told before it was heard before it. A new
    /// link does as well, with which memory was emptied.
    pub(crate) fn catch_up(&self, link: &Link, counts: &Counts, wait: Duration) -> bool {
        let begun = Instant::now();
        let mark = link.unique();
        let mut state = self.state();
        let links = state.links;
        state.awaited.insert(mark.clone());
        drop(state);
        let is_sent = link.tell(&Change::Mark(&mark), None, counts).is_ok();
        let mut state = self.state();
        loop {
            if !state.awaited.contains(&mark) {
                return true;
            }
            let left = wait.saturating_sub(begun.elapsed());
            if state.links > links || left.is_zero() || !is_sent {
                state.awaited.remove(&mark);
                return state.links > links;
            }
            let waited = self.turned.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Listens as long as the cache lives.
fn listen(shared: &Shared) {
    let (Some(link), heard) = (&shared.link, &shared.heard) else {
        return;
    };
    while !heard.is_over() {
        let linked = linked(link).and_then(|connection| {
            // What could not be told while there was no link, before anything is read.
            heard.pay(link, &shared.counts)?;
            Ok(connection)
        });
        let Ok(mut connection) = linked else {
            let state = heard.state();
            if !state.is_over {
                drop(heard.turned.wait_timeout(state, RETRY));
            }
            continue;
        };
        count(&shared.counts.links_made);
        // At one moment for who catches up: what was told before it is emptied out with it.
        let mut state = heard.state();
        shared.local.renew(false);
        state.links += 1;
        drop(state);
        // Release: pairs with the Acquire of `is_ready`.
        heard.is_linked.store(true, Ordering::Release);
        heard.turned.notify_all();
        while !heard.is_over() && hear(shared, link, &mut connection).is_ok() {}
        // Emptied first: who sees that there is no link finds nothing any more that it had told.
        shared.local.renew(true);
        heard.is_linked.store(false, Ordering::Release);
        count(&shared.counts.links_lost);
    }
}

/// A connection on which Redis tells what changes.
fn linked(link: &Link) -> RedisResult<Connection> {
    let mut connection = link.connect(SILENCE_MAX)?;
    let mut tracking = cmd("CLIENT");
    tracking
        .arg("TRACKING")
        .arg("ON")
        .arg("BCAST")
        .arg("PREFIX")
        .arg(link.signals());
    tracking.query::<()>(&mut connection)?;
    Ok(connection)
}

/// Hears one word; an error where there will be no more.
fn hear(shared: &Shared, link: &Link, connection: &mut Connection) -> RedisResult<()> {
    let Value::Push { kind, data } = connection.recv_response()? else {
        return Ok(());
    };
    if kind != PushKind::Invalidate {
        return Ok(());
    }
    match data.into_iter().next() {
        Some(Value::Array(keys)) => {
            for key in keys {
                if let Value::BulkString(key) = key {
                    signalled(shared, link, &key);
                }
            }
        }
        // Somebody emptied Redis.
        _ => shared.local.renew(false),
    }
    Ok(())
}

/// Does what a signal says; what makes no sense may mean anything.
fn signalled(shared: &Shared, link: &Link, key: &[u8]) {
    let word = key.strip_prefix(link.signals().as_bytes());
    let word = word.and_then(|word| std::str::from_utf8(word).ok());
    let Some((kind, rest)) = word.and_then(|word| word.split_at_checked(1)) else {
        shared.local.renew(false);
        return;
    };
    let change = match kind {
        "K" => Change::Key(rest),
        "T" => Change::Tag(rest),
        "P" => Change::Pattern(rest),
        _ => {
            if shared.heard.state().awaited.remove(rest) {
                shared.heard.turned.notify_all();
            }
            return;
        }
    };
    count(&shared.counts.heard);
    shared.local.apply(&change);
}

/// Lets everybody hear something now and then, and tells what is owed.
fn beat(shared: &Shared) {
    let (Some(link), heard) = (&shared.link, &shared.heard) else {
        return;
    };
    loop {
        let state = heard.state();
        if state.is_over {
            return;
        }
        drop(heard.turned.wait_timeout(state, BEAT));
        if heard.is_linked.load(Ordering::Acquire) {
            let _ = heard.pay(link, &shared.counts);
            let _ = link.tell(&Change::Mark(""), None, &shared.counts);
        }
    }
}
