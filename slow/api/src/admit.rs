//! Whose request it is, and whether it may be made.

use crate::answer::Refusal;
use crate::config::Config;
use crate::keys::{Key, KeyRing, Signature, Signed, Signer, Stranger, Unspent};
use crate::rights::{Right, Role};
use crate::routes::From;
use axum::http::request::Parts;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Addresses that are remembered for what they asked without a right key.
const ADDRESSES_MAX: usize = 4_096;

/// Headers of a signed request.
const SIGNATURE: &str = "x-wirecross-signature";
const NONCE: &str = "x-wirecross-nonce";

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

/// A request that comes, and what it asks for.
#[derive(Clone, Copy)]
pub(crate) struct Comer<'a> {
    parts: &'a Parts,
    from: IpAddr,
    right: Right,
}

impl<'a> Comer<'a> {
    pub(crate) fn new(parts: &'a Parts, right: Right) -> Self {
        let from = parts.extensions.get::<From>();
        let from = from.map_or(IpAddr::from([0, 0, 0, 0]), |from| from.0);
        Self { parts, from, right }
    }
}

/// What the head of a request shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nothing, and anybody may make it.
    Nothing,
    /// The token of the key at this place, of whose requests one is taken.
    Token(usize),
    /// Who is to have signed it: whether the signature is right, the body tells.
    Signer(Signer),
}

impl Shown {
    /// Whether it is known whose request it is.
    pub(crate) const fn is_proven(self) -> bool {
        matches!(self, Self::Token(_))
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

    /// What the head of a request shows, before anybody waits for its body.
    ///
    /// # Errors
    /// Its body will not make it a request that may be made, or its key asks too often.
    pub(crate) fn look(&self, comer: &Comer<'_>) -> Result<Shown, Refusal> {
        let now_ms = now_ms();
        if comer.right == Right::Open {
            return Ok(Shown::Nothing);
        }
        let mut keys = self.keys();
        // Who has a key is not kept out by strangers that come from the same address.
        let shown = shown(&keys, comer.parts, now_ms);
        let shown = shown.map_err(|stranger| self.refused(comer, stranger, now_ms))?;
        if let Shown::Token(place) = shown {
            keys.spend(place, 1, now_ms).map_err(Refusal::TooMany)?;
            allowed(keys.key(place), comer.right)?;
        }
        Ok(shown)
    }

    /// Who asks, if that may ask for what it asks for and not too often; nobody in particular where
    /// anybody may. The calls of a body are counted when it is known whose it is.
    pub(crate) fn admit(
        &self,
        comer: &Comer<'_>,
        shown: Shown,
        body: &[u8],
        calls: impl FnOnce() -> usize,
    ) -> Result<Option<Asker>, Refusal> {
        let now_ms = now_ms();
        let place = match shown {
            Shown::Nothing => return Ok(None),
            Shown::Token(place) => {
                let spent = self.keys().spend_more(place, (1, calls()), now_ms);
                spent.map_err(Refusal::TooMany)?;
                place
            }
            Shown::Signer(signer) => {
                let right = signed(&self.keys(), comer.parts, signer, body);
                let right = right.map_err(|stranger| self.refused(comer, stranger, now_ms))?;
                let calls = calls();
                let spent = self.keys().spend_signed(&right, calls, now_ms);
                spent.map_err(|unspent| match unspent {
                    Unspent::Again => self.refused(comer, Stranger::Again, now_ms),
                    Unspent::Wait(wait_ms) => Refusal::TooMany(wait_ms),
                })?;
                right.place()
            }
        };
        let keys = self.keys();
        allowed(keys.key(place), comer.right).map(Some)
    }

    /// Counts a request of nobody.
    fn refused(&self, comer: &Comer<'_>, stranger: Stranger, now_ms: u64) -> Refusal {
        let counted = self.strangers().count(comer.from, now_ms);
        counted.err().unwrap_or(Refusal::Stranger(stranger.words()))
    }

    fn keys(&self) -> MutexGuard<'_, KeyRing> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strangers(&self) -> MutexGuard<'_, Strangers> {
        self.strangers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who asks, if its key may.
fn allowed(key: &Key, right: Right) -> Result<Asker, Refusal> {
    if key.role.may(right) {
        return Ok(Asker::of(key));
    }
    Err(Refusal::Forbidden(format!(
        "key {:?} of role {} may not do this",
        key.name,
        key.role.name()
    )))
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}

/// What the head of a request shows.
fn shown(keys: &KeyRing, parts: &Parts, now_ms: u64) -> Result<Shown, Stranger> {
    let header = |name| header(parts, name);
    // A page that opens a stream chooses no header but this one.
    if let Some(words) = header("sec-websocket-protocol")
        && let Some(token) = words
            .split(',')
            .find_map(|it| it.trim().strip_prefix("bearer."))
    {
        return keys.by_token(token).map(Shown::Token);
    }
    if let Some(authorization) = header("authorization") {
        let token = authorization.split_once(' ');
        let token = token.filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        let token = token.ok_or(Stranger::NoKey)?.1.trim();
        return keys.by_token(token).map(Shown::Token);
    }
    let (Some(name), Some(_), Some(time)) = (
        header("x-wirecross-key"),
        header(SIGNATURE),
        header("x-wirecross-time"),
    ) else {
        return Err(Stranger::NoKey);
    };
    let nonce = header(NONCE).unwrap_or("");
    keys.signer(name, (time, nonce), now_ms).map(Shown::Signer)
}

/// The signature of a request of which the body is there.
fn signed(
    keys: &KeyRing,
    parts: &Parts,
    signer: Signer,
    body: &[u8],
) -> Result<Signature, Stranger> {
    let header = |name| header(parts, name).unwrap_or("");
    let signed = Signed {
        time: header("x-wirecross-time"),
        nonce: header(NONCE),
        method: parts.method.as_str(),
        path: parts.uri.path_and_query().map_or("/", |path| path.as_str()),
        body,
    };
    keys.by_signature(signer, header(SIGNATURE), &signed)
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
