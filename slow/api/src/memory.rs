//! Answers that are kept: by query, what narrows it, and where the tables stood.

mod trace;
mod young;

use crate::metrics::family;
use crate::reads::Terms;
use cache::{Cache, Counters, History, Settings};
use serde::Deserialize;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use store::query::Filter;
use trace::Trace;
use young::Young;

/// Answers that are loaded before the session opens.
const WARMED_MAX: usize = 500;

/// How long after the opening they are likely to be asked for.
const OPENING: Duration = Duration::from_secs(1_800);

/// What the settings say of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// Whether nothing is kept.
    pub off: bool,
    /// Memory of answers, in MiB.
    pub mib: usize,
    /// How long an answer is kept that nobody asks for anew, in seconds.
    pub ttl_s: u64,
    /// A Redis that other services of the same tables share.
    pub redis: Option<SocketAddr>,
    /// How many seconds there are between two looks at whether some answers are right; 0 for none.
    pub check_s: u64,
    /// When the session opens, in UTC: `13:30`.
    pub opens_utc: Option<String>,
    /// How many seconds before that the likely answers are made.
    pub warm_s: u64,
    /// Whether what is asked for is written into a file beside the tables, to be played again.
    pub trace: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            off: false,
            mib: 64,
            ttl_s: 60,
            redis: None,
            check_s: 60,
            opens_utc: None,
            warm_s: 60,
            trace: false,
        }
    }
}

impl Memory {
    /// The second of the day at which the session opens.
    fn opens(&self) -> Result<Option<u64>, String> {
        let Some(text) = &self.opens_utc else {
            return Ok(None);
        };
        let read = || {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute): (u64, u64) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 3_600 + minute * 60)
        };
        let told = || format!("cache.opens_utc: {text:?}: hour and minute in UTC, as 13:30");
        read().map(Some).ok_or_else(told)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        self.opens()?;
        for (name, value, max) in [
            ("mib", self.mib as u64, 65_536),
            ("ttl_s", self.ttl_s, 86_400),
            ("warm_s", self.warm_s, 3_600),
        ] {
            if value == 0 || value > max {
                return Err(format!("cache.{name}: {value}: from 1 to {max}"));
            }
        }
        match self.check_s {
            0..=86_400 => Ok(()),
            value => Err(format!(
                "cache.check_s: {value}: from 0, which is never, to 86400"
            )),
        }
    }
}

/// The answers that are kept, and what was asked for when.
#[derive(Clone, Debug)]
pub(crate) struct Answers(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    cache: Cache,
    opens: Option<u64>,
    warm: Duration,
    check_s: u64,
    /// Beside the tables, so that it outlives the service; nowhere if they are at a server.
    asked_path: Option<PathBuf>,
    asked: Mutex<History>,
    young: Young,
    trace: Option<Trace>,
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

impl Answers {
    /// As the settings say; none where they say that nothing is kept.
    ///
    /// # Errors
    /// A setting makes no sense, or the system has no threads.
    pub(crate) fn open(memory: &Memory, tables: Option<&Path>) -> Result<Option<Self>, String> {
        if memory.off {
            return Ok(None);
        }
        let settings = Settings {
            bytes_max: memory.mib << 20,
            ttl: Duration::from_secs(memory.ttl_s),
            redis: memory.redis.map(|address| format!("redis://{address}")),
            namespace: "api".to_owned(),
            ..Settings::default()
        };
        let beside = |end: &str| {
            let mut path = tables?.as_os_str().to_owned();
            path.push(end);
            Some(PathBuf::from(path))
        };
        let asked_path = beside("-asked");
        let trace = match beside("-trace").filter(|_| memory.trace) {
            None if memory.trace => {
                let told = "it is written beside a file of tables, and these are at a server";
                return Err(format!("cache.trace: {told}"));
            }
            None => None,
            Some(path) => {
                let told = |error| format!("cache.trace: {}: {error}", path.display());
                Some(Trace::begin(&path).map_err(told)?)
            }
        };
        let asked = asked_path.as_ref().map(std::fs::read_to_string);
        let asked = asked.and_then(Result::ok).unwrap_or_default();
        Ok(Some(Self(Arc::new(Inside {
            cache: Cache::new(settings).map_err(|why| format!("cache.{why}"))?,
            opens: memory.opens()?,
            warm: Duration::from_secs(memory.warm_s),
            check_s: memory.check_s,
            asked_path,
            asked: Mutex::new(History::of(&asked)),
            young: Young::default(),
            trace,
        }))))
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.cache
    }

    fn asked(&self) -> MutexGuard<'_, History> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that a statement was asked for, where that is of use.
    pub(crate) fn note(&self, statement: &str) {
        if self.0.opens.is_some() {
            self.asked().note(statement, now());
        }
    }

    /// A statement's answer that is in memory and young enough for these terms.
    pub(crate) fn young(&self, statement: &str, terms: Terms) -> Option<Vec<u8>> {
        let key = self.0.young.key(statement, terms.age_max)?;
        let entry = self.0.cache.get(&key)?;
        // One that is too large for who asks is refused where it is read.
        let rows = entry.value().filter(|it| it.len() <= terms.bytes_max)?;
        self.trace(&key, rows.len());
        Some(rows.to_vec())
    }

    /// A statement's answer is kept under this key, of the tables as they stood at `looked` or
    /// later.
    pub(crate) fn stood(&self, statement: String, key: String, looked: Instant) {
        self.0.young.stood(statement, key, looked);
    }

    /// Writes down what was asked for, where that is wished.
    pub(crate) fn trace(&self, key: &str, bytes: usize) {
        if let Some(trace) = &self.0.trace {
            trace.note(key, bytes);
        }
    }

    /// How often some answers are compared with the tables; none if that is not wished.
    pub(crate) fn check_every(&self) -> Option<Duration> {
        (self.0.check_s > 0).then(|| Duration::from_secs(self.0.check_s))
    }

    /// When the next session's answers are to be made, from now on; none if that is not wished.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let opens = Duration::from_secs(self.0.opens?);
        Some(until(now(), opens, self.0.warm))
    }

    /// The statements that are likely to be asked for when the session opens; what is known of them
    /// is put beside the tables.
    pub(crate) fn likely(&self) -> Vec<String> {
        let asked = self.asked();
        // Without it the next start knows less, and nothing else.
        if let Some(path) = &self.0.asked_path {
            let _ = std::fs::write(path, asked.text());
        }
        asked.likely(now() + self.0.warm, OPENING, WARMED_MAX)
    }

    /// Its counters, for Prometheus.
    pub(crate) fn figures(&self, text: &mut String) {
        for ((name, help, kind), (_, value)) in figures().zip(self.values()) {
            family(text, &name, kind, help);
            let _ = writeln!(text, "{name} {value}");
        }
    }

    /// The same by their names.
    pub(crate) fn json(&self) -> serde_json::Value {
        self.values().collect()
    }

    fn values(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let cache = &self.0.cache;
        let (entries, bytes) = cache.size();
        let gauges = [entries as u64, bytes, cache.has_redis().into()];
        let gauges = GAUGES.map(|(name, _)| name).into_iter().zip(gauges);
        let counters = cache.counters();
        counters
            .each()
            .map(|(name, _, value)| (name, value))
            .chain(gauges)
    }
}

/// What goes up and down.
const GAUGES: [(&str, &str); 3] = [
    ("entries", "Answers in memory"),
    ("bytes", "Bytes of answers in memory"),
    ("redis_up", "1: answers are shared by a Redis that answers"),
];

/// Every figure: its name, what it tells, and its kind; the counters first.
pub(crate) fn figures() -> impl Iterator<Item = (String, &'static str, &'static str)> {
    let counters = Counters::default();
    let counters = counters.each().map(|(name, help, _)| {
        let name = format!("wirecross_cache_{name}_total");
        (name, help.trim(), "counter")
    });
    let gauges = GAUGES.map(|(name, help)| (format!("wirecross_cache_{name}"), help, "gauge"));
    counters.chain(gauges)
}

/// How long until `before` the next time that a day has come to `opens`.
fn until(now: Duration, opens: Duration, before: Duration) -> Duration {
    const DAY_S: u64 = 86_400;
    let due = (opens.as_secs() + DAY_S - before.as_secs() % DAY_S) % DAY_S;
    let of_day = now.as_secs() % DAY_S;
    let left = (due + DAY_S - of_day) % DAY_S;
    Duration::from_secs(if left == 0 { DAY_S } else { left })
}

/// A query with what narrows it, as one word that can be read again.
pub(crate) fn statement(name: &str, filter: &Filter) -> String {
    let number = |number: Option<i64>| number.map_or_else(String::new, |it| it.to_string());
    let Filter {
        account,
        symbol,
        from_ns,
        to_ns,
        width_s,
        rows_max,
        is_newest_first,
    } = filter;
    // The symbol stands last: it may hold anything.
    [
        name.to_owned(),
        number(account.map(Into::into)),
        number(*from_ns),
        number(*to_ns),
        number(width_s.map(Into::into)),
        number(rows_max.map(Into::into)),
        number(is_newest_first.then_some(1)),
        symbol
            .as_ref()
            .map_or_else(|| "-".to_owned(), |it| format!("={it}")),
    ]
    .join("|")
}

/// The query and its filter of such a word.
pub(crate) fn read_statement(text: &str) -> Option<(&'static str, Filter)> {
    let mut words = text.splitn(8, '|');
    let name = words.next()?;
    let name = store::query::names().find(|known| *known == name)?;
    let mut number = || match words.next()? {
        "" => Some(None),
        word => word.parse::<i64>().ok().map(Some),
    };
    let numbers = [number()?, number()?, number()?, number()?, number()?];
    let [account, from_ns, to_ns, width_s, rows_max] = numbers;
    let is_newest_first = number()?.is_some();
    let small = |it: Option<i64>| it.map(u32::try_from).transpose().ok();
    let symbol = words.next()?;
    Some((
        name,
        Filter {
            account: small(account)?,
            symbol: symbol.strip_prefix('=').map(str::to_owned),
            from_ns,
            to_ns,
            width_s: small(width_s)?,
            rows_max: small(rows_max)?,
            is_newest_first,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_as_they_were_written() {
        let filter = Filter {
            account: Some(7),
            symbol: Some("A|=B".to_owned()),
            from_ns: Some(-1),
            to_ns: None,
            width_s: Some(60),
            rows_max: Some(10),
            is_newest_first: true,
        };
        for filter in [filter, Filter::default()] {
            let text = statement("bars", &filter);
            let read = read_statement(&text);
            let (name, again) = read.unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (name, format!("{again:?}")),
                ("bars", format!("{filter:?}"))
            );
        }
        assert!(read_statement("nothing||||||-").is_none());
        assert!(read_statement("bars|x|||||-").is_none());
        // No symbol is not an empty one.
        let none = Filter::default();
        let empty = Filter {
            symbol: Some(String::new()),
            ..Filter::default()
        };
        assert_ne!(statement("tops", &none), statement("tops", &empty));
    }

    #[test]
    fn the_next_opening_is_found() {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        let hour = hours(1);
        for (now, opens, due) in [
            (10, 14, 3),
            (13, 14, 24),
            (14, 14, 23),
            (23, 0, 24),
            (5, 0, 18),
        ] {
            let left = until(hours(48 + now), hours(opens), hour);
            assert_eq!(left, hours(due), "at {now} for {opens}");
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_by_name() {
        let refused = |text: &str| {
            let memory = toml::from_str::<Memory>(text).map_err(|e| e.to_string());
            memory
                .and_then(|memory| memory.check())
                .err()
                .unwrap_or_default()
        };
        assert_eq!(
            refused("opens_utc = \"13:30\"\nredis = \"127.0.0.1:25379\""),
            ""
        );
        assert!(refused("opens_utc = \"25:00\"").starts_with("cache.opens_utc: \"25:00\""));
        assert!(refused("check_s = 90000").starts_with("cache.check_s: 90000: from 0"));
        assert!(refused("mib = 0").starts_with("cache.mib: 0: from 1"));
        assert!(refused("redis = \"here\"").contains("redis"));
    }
}
