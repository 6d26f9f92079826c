//! What is asked of Redis: a few scripts, each of which does its work at one moment.

use crate::counters::{Counts, count};
use crate::entry::{Kept, head, kept, least};
use crate::local::Change;
use crate::packing::Packer;
use crate::pattern;
use crate::settings::{Settings, SettingsError};
use redis::{Client, Connection, RedisResult, Value, cmd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Connections that are kept for the next request.
const IDLE_MAX: usize = 16;

/// Keys that one step of a pattern's invalidation looks at.
const STEP_KEYS: usize = 500;

/// The scripts, by [`Script`].
const SCRIPTS: [&str; 4] = [
    include_str!("lua/find.lua"),
    include_str!("lua/keep.lua"),
    include_str!("lua/forget.lua"),
    include_str!("lua/turn.lua"),
];

/// Which of them.
#[derive(Clone, Copy, Debug)]
enum Script {
    Find,
    Keep,
    Forget,
    Turn,
}

/// What Redis knows of a key.
#[derive(Debug)]
pub(crate) enum Found {
    /// This, for so much longer.
    Kept(Kept, Duration),
    /// Nothing: who asked may load it, and keep it under this lease.
    Lease(String),
    /// Nothing, and another process loads it.
    Busy,
}

/// What Redis holds, whether it is true or not.
#[derive(Debug)]
pub(crate) enum Held {
    /// An entry.
    Entry(Kept),
    /// It was forgotten, and this is the least version that may come back.
    Least(u64),
}

/// What became of a value that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Yes,
    /// Something changed since it was begun to be loaded.
    Overtaken,
    /// A newer version is known.
    Older,
}

/// What is to be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToKeep<'v> {
    pub(crate) version: u64,
    pub(crate) value: Option<&'v [u8]>,
    pub(crate) tags: &'v [String],
    pub(crate) ttl: Duration,
}

/// A connection that has the scripts.
struct Ready {
    connection: Connection,
    names: [String; SCRIPTS.len()],
}

/// The way to one Redis.
pub(crate) struct Link {
    client: Client,
    /// What all keys begin with.
    prefix: String,
    wait: Duration,
    lease: Duration,
    tag_ttl: Duration,
    idle: Mutex<Vec<Ready>>,
    packer: Packer,
    /// Makes leases differ within this process.
    leases: AtomicU64,
    process: String,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// To the Redis of these settings, if they name one. Connects to nobody yet.
    pub(crate) fn new(settings: &Settings) -> Result<Option<Self>, SettingsError> {
        let Some(client) = settings.client()? else {
            return Ok(None);
        };
        let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let begun = begun.map_or(0, |since| since.as_nanos());
        // Two caches of one process differ by where they are.
        static CACHES: AtomicU64 = AtomicU64::new(0);
        // Relaxed: only that no two get the same number.
        let number = CACHES.fetch_add(1, Ordering::Relaxed);
        Ok(Some(Self {
            client,
            prefix: format!("wx1:{}:", settings.namespace),
            wait: settings.redis_wait,
            lease: settings.load_wait,
            // An entry is true only while its tags are kept, so they outlive it.
            tag_ttl: settings.ttl.max(settings.absent_ttl) * 2,
            idle: Mutex::default(),
            packer: Packer::new(settings.pack_from),
            leases: AtomicU64::new(0),
            process: format!("{:x}.{begun:x}.{number:x}", std::process::id()),
        }))
    }

    fn at(&self, room: char, name: &str) -> String {
        format!("{}{room}:{name}", self.prefix)
    }

    /// What signals begin with: the keys that are tracked.
    pub(crate) fn signals(&self) -> String {
        self.at('i', "")
    }

    fn signal(&self, change: &Change<'_>) -> String {
        match change {
            Change::Key(key) => self.at('i', &format!("K{key}")),
            Change::Tag(tag) => self.at('i', &format!("T{tag}")),
            Change::Pattern(pattern) => self.at('i', &format!("P{pattern}")),
            Change::Mark(mark) => self.at('i', &format!("M{mark}")),
        }
    }

    /// A word that no other lease or mark is.
    pub(crate) fn unique(&self) -> String {
        // Relaxed: only that no two get the same number.
        format!(
            "{}.{:x}",
            self.process,
            self.leases.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// A new connection, on which nothing takes long.
    pub(crate) fn connect(&self, read_wait: Duration) -> RedisResult<Connection> {
        let connection = self.client.get_connection_with_timeout(self.wait)?;
        connection.set_read_timeout(Some(read_wait))?;
        connection.set_write_timeout(Some(self.wait))?;
        Ok(connection)
    }

    fn ready(&self) -> RedisResult<Ready> {
        let mut connection = self.connect(self.wait)?;
        let mut names: [String; SCRIPTS.len()] = Default::default();
        for (script, name) in SCRIPTS.iter().zip(&mut names) {
            *name = cmd("SCRIPT")
                .arg("LOAD")
                .arg(script)
                .query(&mut connection)?;
        }
        Ok(Ready { connection, names })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Ready>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks something, on a connection that has the scripts; a connection that was cut or whose
    /// server forgot them is taken for a new one, once. All that is asked may be asked twice.
    fn ask<T>(
        &self,
        counts: &Counts,
        asking: impl Fn(&mut Ready) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let waiting = self.idle().pop();
        if let Some(mut ready) = waiting {
            match asking(&mut ready) {
                Ok(answer) => {
                    self.give_back(ready);
                    return Ok(answer);
                }
                // The server is slow, not gone: the next level may be faster.
                Err(error) if error.is_timeout() => {
                    count(&counts.l2_errors);
                    return Err(error);
                }
                // Others were cut with it.
                Err(_) => self.idle().clear(),
            }
        }
        let asked = self.ready().and_then(|mut ready| {
            let answer = asking(&mut ready)?;
            self.give_back(ready);
            Ok(answer)
        });
        if asked.is_err() {
            count(&counts.l2_errors);
        }
        asked
    }

    fn give_back(&self, ready: Ready) {
        let mut idle = self.idle();
        if idle.len() < IDLE_MAX {
            idle.push(ready);
        }
    }

    /// Looks for a key.
    pub(crate) fn find(&self, key: &str, counts: &Counts) -> RedisResult<Found> {
        let found = self.find_once(key, counts)?;
        let Some(found) = found else {
            // Bytes that make no sense keep nobody from loading better ones.
            self.ask(counts, |ready| {
                cmd("DEL")
                    .arg(self.at('v', key))
                    .query::<()>(&mut ready.connection)
            })?;
            return Ok(self.find_once(key, counts)?.unwrap_or(Found::Busy));
        };
        Ok(found)
    }

    /// None for what is damaged.
    fn find_once(&self, key: &str, counts: &Counts) -> RedisResult<Option<Found>> {
        let lease = self.unique();
        let (bytes, number): (Option<Vec<u8>>, i64) = self.ask(counts, |ready| {
            let mut command = Script::Find.command(ready, 3);
            command
                .arg(self.at('v', key))
                .arg(self.at('l', key))
                .arg(self.at('e', ""));
            command
                .arg(self.at('g', ""))
                .arg(&lease)
                .arg(self.lease.as_millis() as u64);
            command.query(&mut ready.connection)
        })?;
        Ok(match (bytes, number) {
            (Some(bytes), left) => {
                let left = Duration::from_millis(u64::try_from(left).unwrap_or(0).max(1));
                let kept = kept(&bytes);
                if kept.is_none() {
                    count(&counts.l2_damaged);
                }
                kept.map(|kept| Found::Kept(kept, left))
            }
            (None, 1) => Some(Found::Lease(lease)),
            (None, _) => Some(Found::Busy),
        })
    }

    /// Gives a lease up: nothing was loaded under it.
    pub(crate) fn release(&self, key: &str, counts: &Counts) {
        // It may be another one's already, who then keeps its value in memory alone.
        let _ = self.ask(counts, |ready| {
            cmd("DEL")
                .arg(self.at('l', key))
                .query::<()>(&mut ready.connection)
        });
    }

    /// What Redis holds of a key, whether it is true or not: version and bytes; none where it holds
    /// nothing, no bytes where it only knows the least version that may come back.
    pub(crate) fn held(&self, key: &str, counts: &Counts) -> RedisResult<Option<Held>> {
        let bytes: Option<Vec<u8>> = self.ask(counts, |ready| {
            cmd("GET")
                .arg(self.at('v', key))
                .query(&mut ready.connection)
        })?;
        Ok(bytes.and_then(|bytes| match kept(&bytes) {
            Some(kept) => Some(Held::Entry(kept)),
            None => least(&bytes).map(Held::Least),
        }))
    }

    /// Keeps a value, under a lease or, without one, as who wrote it.
    pub(crate) fn keep(
        &self,
        key: &str,
        lease: Option<&str>,
        what: ToKeep<'_>,
        counts: &Counts,
    ) -> RedisResult<Outcome> {
        let mut tail = Vec::new();
        if let Some(value) = what.value {
            let (way, bytes) = self.packer.packed(value, counts);
            tail.reserve(1 + bytes.len());
            tail.push(way);
            tail.extend_from_slice(&bytes);
        }
        let head = head(what.version, what.value.is_some());
        let signal = self.signal(&Change::Key(key));
        let kept: i64 = self.ask(counts, |ready| {
            let mut command = Script::Keep.command(ready, 4);
            command.arg(self.at('v', key)).arg(self.at('l', key));
            command.arg(self.at('e', "")).arg(&signal);
            command.arg(self.at('g', "")).arg(lease.unwrap_or_default());
            command
                .arg(&head[..])
                .arg(&tail[..])
                .arg(what.ttl.as_millis() as u64);
            command.arg(self.tag_ttl.as_millis() as u64).arg(what.tags);
            command.query(&mut ready.connection)
        })?;
        Ok(match kept {
            1 => Outcome::Yes,
            0 => Outcome::Overtaken,
            _ => Outcome::Older,
        })
    }

    /// Lets every process know of a change, and Redis forget what it makes untrue.
    pub(crate) fn tell(
        &self,
        change: &Change<'_>,
        least: Option<u64>,
        counts: &Counts,
    ) -> RedisResult<()> {
        let signal = self.signal(change);
        match change {
            Change::Key(key) => {
                let keys = [self.at('v', key), self.at('l', key), signal];
                self.forget(&keys, least, counts)
            }
            Change::Tag(tag) => {
                let keys = [self.at('e', ""), signal, self.at('g', tag)];
                self.turn(&keys, counts)
            }
            Change::Mark(_) => self.ask(counts, |ready| {
                let mut pipeline = redis::pipe();
                pipeline.cmd("SET").arg(&signal).arg("").ignore();
                pipeline.cmd("DEL").arg(&signal).ignore();
                pipeline.query(&mut ready.connection)
            }),
            Change::Pattern(text) => {
                // What is being loaded is void first, then what is there goes, step by step.
                self.turn(&[self.at('e', "")], counts)?;
                let meant = self.at('v', &pattern::for_redis(text));
                let begin = self.at('v', "").len();
                let mut cursor = 0;
                loop {
                    let (next, found): (u64, Vec<Vec<u8>>) = self.ask(counts, |ready| {
                        let mut command = cmd("SCAN");
                        command
                            .arg(cursor)
                            .arg("MATCH")
                            .arg(&meant)
                            .arg("COUNT")
                            .arg(STEP_KEYS);
                        command.query(&mut ready.connection)
                    })?;
                    let names = found.iter().filter_map(|it| std::str::from_utf8(it).ok());
                    let keys: Vec<String> = names
                        .filter_map(|name| name.get(begin..))
                        .flat_map(|key| [self.at('v', key), self.at('l', key)])
                        .collect();
                    if !keys.is_empty() {
                        self.forget(&keys, None, counts)?;
                    }
                    cursor = next;
                    if cursor == 0 {
                        break;
                    }
                }
                self.turn(&[self.at('e', ""), signal], counts)
            }
        }
    }

    fn forget(&self, keys: &[String], least: Option<u64>, counts: &Counts) -> RedisResult<()> {
        let least = least.map_or_else(Vec::new, |least| least.to_be_bytes().to_vec());
        self.ask(counts, |ready| {
            let mut command = Script::Forget.command(ready, keys.len());
            command
                .arg(keys)
                .arg(&least)
                .arg(self.tag_ttl.as_millis() as u64);
            command.query::<Value>(&mut ready.connection).map(|_| ())
        })
    }

    fn turn(&self, keys: &[String], counts: &Counts) -> RedisResult<()> {
        self.ask(counts, |ready| {
            let mut command = Script::Turn.command(ready, keys.len());
            command.arg(keys).arg(self.tag_ttl.as_millis() as u64);
            command.query::<Value>(&mut ready.connection).map(|_| ())
        })
    }
}

impl Script {
    fn command(self, ready: &Ready, keys: usize) -> redis::Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(&ready.names[self as usize]).arg(keys);
        command
    }
}
