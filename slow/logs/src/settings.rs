//! What is said, and how.

use serde::Deserialize;
use std::net::SocketAddrV4;
use std::ops::RangeInclusive;
use std::str::FromStr;
#[cfg(feature = "otel")]
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// `[log]` in the settings of a program.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How a line looks.
    pub format: Format,
    /// What is not worth a line.
    pub level: Level,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// The least that is worth a line.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Level(pub(crate) LevelFilter);

impl Default for Level {
    fn default() -> Self {
        Self(LevelFilter::INFO)
    }
}

/// Spans that wait for a collector, unless that is said, and what may be said.
const WAITING: usize = 2_048;
const WAITING_RANGE: RangeInclusive<usize> = 1..=65_536;

/// How long a message to it may take, in milliseconds.
const TIMEOUT_MS: u64 = 5_000;
const TIMEOUT_MS_RANGE: RangeInclusive<u64> = 1..=60_000;

/// Where spans go: `[trace]` in the settings of a program.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// A collector that takes OTLP over HTTP, by the numbers of its address.
    pub collector: SocketAddrV4,
    /// Spans that wait for it at most; what comes then is dropped.
    #[serde(default = "waiting")]
    pub waiting_max: usize,
    /// How long a message to it may take, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// Of the traces that begin here one in so many is kept; of others their beginner decides.
    #[serde(default = "one")]
    pub one_in: u32,
}

const fn waiting() -> usize {
    WAITING
}

const fn timeout_ms() -> u64 {
    TIMEOUT_MS
}

const fn one() -> u32 {
    1
}

impl Export {
    /// All spans, to this collector.
    #[must_use]
    pub const fn to(collector: SocketAddrV4) -> Self {
        Self {
            collector,
            waiting_max: WAITING,
            timeout_ms: TIMEOUT_MS,
            one_in: 1,
        }
    }

    /// Whether this program can do so.
    ///
    /// # Errors
    /// It is built without, or a number makes no sense: the words name it.
    pub fn check(&self) -> Result<(), String> {
        if cfg!(not(feature = "otel")) {
            return Err("this program sends no spans: build it with `--features otel`".to_owned());
        }
        let (waiting, timeout) = (self.waiting_max, self.timeout_ms);
        if !WAITING_RANGE.contains(&waiting) {
            let (least, most) = (WAITING_RANGE.start(), WAITING_RANGE.end());
            return Err(format!("waiting_max: {waiting}: from {least} to {most}"));
        }
        if !TIMEOUT_MS_RANGE.contains(&timeout) {
            let (least, most) = (TIMEOUT_MS_RANGE.start(), TIMEOUT_MS_RANGE.end());
            return Err(format!("timeout_ms: {timeout}: from {least} to {most}"));
        }
        if self.one_in == 0 {
            return Err("one_in: 0: 1 for all traces, 10 for a tenth of them".to_owned());
        }
        Ok(())
    }

    /// How long a message may take.
    #[cfg(feature = "otel")]
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// What became of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanCounts {
    /// Spans that a collector took.
    pub exported: u64,
    /// Spans that were dropped: too many waited, or the collector did not take them.
    pub dropped: u64,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("{word:?}: text or json")),
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let filter = match word {
            "error" => LevelFilter::ERROR,
            "warn" => LevelFilter::WARN,
            "info" => LevelFilter::INFO,
            "debug" => LevelFilter::DEBUG,
            "trace" => LevelFilter::TRACE,
            _ => return Err(format!("{word:?}: error, warn, info, debug or trace")),
        };
        Ok(Self(filter))
    }
}

impl TryFrom<String> for Format {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_make_no_sense_are_refused_with_those_that_do() {
        let read = |text: &str| toml::from_str::<Settings>(text).map_err(|e| e.to_string());
        let expected = Settings {
            format: Format::Json,
            level: Level(LevelFilter::DEBUG),
        };
        assert_eq!(read("format = \"json\"\nlevel = \"debug\""), Ok(expected));
        assert_eq!(read(""), Ok(Settings::default()));
        let told = |text: &str| read(text).err().unwrap_or_default();
        assert!(told("format = \"xml\"").contains("\"xml\": text or json"));
        assert!(told("level = \"loud\"").contains("error, warn, info, debug or trace"));
        assert!(told("colour = true").contains("colour"));
    }
    #[test]
    fn a_collector_has_an_address_of_numbers_and_bounds() {
        let read = |text: &str| {
            let export = toml::from_str::<Export>(text).map_err(|e| e.to_string())?;
            export.check().map(|()| export)
        };
        let at = "collector = \"127.0.0.1:4318\"\n";
        if cfg!(not(feature = "otel")) {
            let told = read(at).expect_err("no such program");
            assert!(told.contains("--features otel"), "{told}");
            return;
        }
        let to = Export::to(SocketAddrV4::new([127, 0, 0, 1].into(), 4_318));
        assert_eq!(read(at), Ok(to));
        let told = |text: &str| read(text).expect_err("refused");
        assert!(told("collector = \"collector:4318\"").contains("collector"));
        assert!(told(&format!("{at}waiting_max = 0")).contains("waiting_max: 0: from 1"));
        assert!(told(&format!("{at}timeout_ms = 0")).contains("timeout_ms: 0: from 1"));
        assert!(told(&format!("{at}one_in = 0")).contains("one_in: 0"));
        assert!(told(&format!("{at}colour = 1")).contains("colour"));
    }
}
