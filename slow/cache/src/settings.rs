//! How large a cache is, how long it keeps what, and where its Redis is.

use redis::{Client, IntoConnectionInfo, ProtocolVersion};
use std::fmt;
use std::time::Duration;

/// Bytes that L1 may be told to hold.
const BYTES: std::ops::RangeInclusive<usize> = 64 << 10..=64 << 30;

/// Bytes of a namespace.
const NAMESPACE_BYTES_MAX: usize = 128;

/// No time here is longer, so that sums of them stay in range.
const TIME_MAX: Duration = Duration::from_secs(30 * 86_400);

/// How a cache is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes that L1 holds: keys, values, and what an entry costs beside them.
    pub bytes_max: usize,
    /// How long a value is kept.
    pub ttl: Duration,
    /// How long it is kept that there is no value.
    pub absent_ttl: Duration,
    /// `redis://[user:password@]host:port[/number]`; none for a cache of two levels.
    pub redis: Option<String>,
    /// What the keys of this cache begin with in Redis: letters, digits, `-`, `_`, `.`.
    pub namespace: String,
    /// How old an entry of L1 may grow while Redis cannot tell what changed.
    pub blind_ttl: Duration,
    /// How long Redis may take to answer before the level below is asked.
    pub redis_wait: Duration,
    /// How long one load is waited for by others that want the same, in this process and others.
    pub load_wait: Duration,
    /// Values of so many bytes or more are compressed for Redis.
    pub pack_from: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bytes_max: 64 << 20,
            ttl: Duration::from_secs(3_600),
            absent_ttl: Duration::from_secs(5),
            redis: None,
            namespace: "cache".to_owned(),
            blind_ttl: Duration::from_secs(1),
            redis_wait: Duration::from_millis(250),
            load_wait: Duration::from_secs(5),
            pack_from: 1_024,
        }
    }
}

/// Which setting makes no sense, and what would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl SettingsError {
    pub(crate) fn threads(error: &std::io::Error) -> Self {
        Self(format!(
            "the system has no threads for a cache with Redis: {error}"
        ))
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let refused = |words: String| Err(SettingsError(words));
        if !BYTES.contains(&self.bytes_max) {
            let (min, max) = (BYTES.start(), BYTES.end());
            return refused(format!(
                "bytes_max: {}: from {min} to {max}",
                self.bytes_max
            ));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name = &self.namespace;
        if name.is_empty() || name.len() > NAMESPACE_BYTES_MAX || !name.chars().all(is_plain) {
            return refused(format!(
                "namespace: {name:?}: 1 to {NAMESPACE_BYTES_MAX} letters, digits, '-', '_' and '.'"
            ));
        }
        for (name, time) in [
            ("ttl", self.ttl),
            ("absent_ttl", self.absent_ttl),
            ("blind_ttl", self.blind_ttl),
            ("redis_wait", self.redis_wait),
            ("load_wait", self.load_wait),
        ] {
            if time < Duration::from_millis(1) || time > TIME_MAX {
                return refused(format!("{name}: {time:?}: from 1 ms to 30 days"));
            }
        }
        Ok(())
    }

    /// Who connects to Redis, if there is one.
    pub(crate) fn client(&self) -> Result<Option<Client>, SettingsError> {
        let Some(address) = &self.redis else {
            return Ok(None);
        };
        // The address may hold a password: it is not said again.
        let told = |error: redis::RedisError| {
            SettingsError(format!(
                "redis: {error}: write redis://[user:password@]host:port[/number]"
            ))
        };
        let info = address.as_str().into_connection_info().map_err(told)?;
        let redis = info.redis_settings().clone();
        let info = info.set_redis_settings(
            redis
                .set_protocol(ProtocolVersion::RESP3)
                .set_skip_set_lib_name(),
        );
        Ok(Some(Client::open(info).map_err(told)?))
    }
}
