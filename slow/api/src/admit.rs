//! Whose request it is, and whether it may be made.

use crate::answer::Refusal;
use crate::config::Config;
use crate::keys::{Key, KeyRing, Signed, Stranger};
use crate::rights::{Right, Role};
use axum::http::request::Parts;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Addresses that are remembered for what they asked without a right key.
const ADDRESSES_MAX: usize = 4_096;

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Those it may read: none of them means all.
    pub(crate) accounts: Vec<u32>,
}

impl Asker {
    fn of(key: &Key) -> Self {
        Self {
            name: key.name.clone(),
            role: key.role,
            accounts: key.accounts.clone(),
        }
    }
}

/// Decides on every request.
pub(crate) struct Gatekeeper {
    keys: Mutex<KeyRing>,
    strangers: Mutex<Strangers>,
}

impl Gatekeeper {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            keys: Mutex::new(KeyRing::new(config.keys.clone())),
            strangers: Mutex::new(Strangers {
                per_second: config.limits.strangers_per_second,
                addresses: BTreeMap::new(),
            }),
        }
    }

    /// Who asks, if that may ask for what it asks for and not too often; nobody in particular where
    /// anybody may.
    pub(crate) fn admit(
        &self,
        parts: &Parts,
        body: &[u8],
        from: IpAddr,
        right: Right,
        calls: usize,
    ) -> Result<Option<Asker>, Refusal> {
        let now_ms = now_ms();
        if right == Right::Open {
            return Ok(None);
        }
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        // Who has a key is not kept out by strangers that come from the same address.
        let place = place_of(&mut keys, parts, body, now_ms).map_err(|stranger| {
            let counted = self.strangers().count(from, now_ms);
            counted.err().unwrap_or(Refusal::Stranger(stranger.words()))
        })?;
        keys.spend(place, calls, now_ms).map_err(Refusal::TooMany)?;
        let key = keys.key(place);
        if key.role.may(right) {
            return Ok(Some(Asker::of(key)));
        }
        Err(Refusal::Forbidden(format!(
            "key {:?} of role {} may not do this",
            key.name,
            key.role.name()
        )))
    }

    fn strangers(&self) -> MutexGuard<'_, Strangers> {
        self.strangers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which key a request shows.
fn place_of(
    keys: &mut KeyRing,
    parts: &Parts,
    body: &[u8],
    now_ms: u64,
) -> Result<usize, Stranger> {
    let header = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    // A page that opens a stream chooses no header but this one.
    if let Some(words) = header("sec-websocket-protocol")
        && let Some(token) = words
            .split(',')
            .find_map(|it| it.trim().strip_prefix("bearer."))
    {
        return keys.by_token(token);
    }
    if let Some(authorization) = header("authorization") {
        let token = authorization.split_once(' ');
        let token = token.filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        return keys.by_token(token.ok_or(Stranger::NoKey)?.1.trim());
    }
    let (Some(name), Some(signature), Some(time)) = (
        header("x-wirecross-key"),
        header("x-wirecross-signature"),
        header("x-wirecross-time"),
    ) else {
        return Err(Stranger::NoKey);
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let signed = Signed {
        time,
        nonce: header("x-wirecross-nonce").unwrap_or(""),
        method: parts.method.as_str(),
        path,
        body,
    };
    keys.by_signature(name, signature, &signed, now_ms)
}

/// Addresses from which requests came that were nobody's, in the second that is.
struct Strangers {
    per_second: u32,
    addresses: BTreeMap<IpAddr, (u64, u32)>,
}

impl Strangers {
    /// Counts one more, unless there were too many already.
    fn count(&mut self, from: IpAddr, now_ms: u64) -> Result<(), Refusal> {
        let now = now_ms / 1_000;
        if self.addresses.len() >= ADDRESSES_MAX {
            self.addresses.retain(|_, (second, _)| *second == now);
        }
        // More addresses than that in one second have nothing in common that could be counted.
        if self.addresses.len() >= ADDRESSES_MAX {
            return Ok(());
        }
        let (second, count) = self.addresses.entry(from).or_insert((now, 0));
        if *second != now {
            (*second, *count) = (now, 0);
        }
        if *count >= self.per_second {
            return Err(Refusal::TooMany(1_000 - now_ms % 1_000));
        }
        *count += 1;
        Ok(())
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
