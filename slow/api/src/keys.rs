//! Keys: how a request shows whose it is, and how many of them a key may make.
//!
//! A key is a *token*, which a request carries (`Authorization: Bearer TOKEN`), or a *secret*,
//! which it never carries: it signs its time, a number of its own, its method, its path and its
//! body.
//! Tokens are kept as SHA-256, which is enough for 32 random bytes; whoever reads the settings
//! cannot ask with them. Secrets must be kept as they are.

mod written;

pub(crate) use written::RawKey;

use crate::rights::Role;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// How far a signature's time may be from ours, either way.
const WINDOW_MS: u64 = 5_000;

/// Letters of a signed request's own number.
const NONCE_MAX: usize = 64;

/// Bytes of a secret.
const SECRET_BYTES: usize = 32;

/// Who may ask.
#[derive(Clone, Debug)]
pub struct Key {
    /// What it is called, in the log and by who signs.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The accounts that a member's key is about.
    pub accounts: Vec<u32>,
    /// Who it is at the venue, if it enters orders.
    pub login: Option<Login>,
    /// Requests a second.
    pub per_second: u32,
    /// Requests at once, when there were none before.
    pub at_once: u32,
    proof: Proof,
}

/// A user of the venue.
#[derive(Clone)]
pub struct Login {
    /// Its name.
    pub user: String,
    /// Its password, or the digits of its key.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "user {}", self.user)
    }
}

/// What shows that a request is the key's.
#[derive(Clone)]
enum Proof {
    /// The hash of a token.
    Token([u8; 32]),
    /// What signs.
    Secret([u8; SECRET_BYTES]),
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "a token",
            Self::Secret(_) => "a secret",
        })
    }
}

/// The parts of a request that a signature is about.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// Milliseconds since 1970, as they were written.
    pub time: &'a str,
    /// A number or word that no other request of these seconds has.
    pub nonce: &'a str,
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path with its query.
    pub path: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl Signed<'_> {
    /// The signature.
    #[must_use]
    pub fn by(&self, secret: &[u8; SECRET_BYTES]) -> [u8; 32] {
        self.mac(secret).finalize().into_bytes().into()
    }

    fn mac(&self, secret: &[u8; SECRET_BYTES]) -> Hmac<Sha256> {
        #[allow(clippy::expect_used)]
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length will do");
        for part in [self.time, self.nonce, self.method, self.path] {
            mac.update(part.as_bytes());
            mac.update(b"\n");
        }
        mac.update(self.body);
        mac
    }
}

/// Why a request is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// It shows no key.
    NoKey,
    /// Its token or signature is no key's.
    WrongKey,
    /// It was signed too long ago, or too far ahead.
    WrongTime,
    /// It was here before.
    Again,
}

impl Stranger {
    /// What the client is told.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoKey => "say whose request it is: Authorization: Bearer TOKEN, or a signature",
            Self::WrongKey => "the token or the signature is not right",
            Self::WrongTime => "X-Wirecross-Time is more than 5 s from the venue's clock",
            Self::Again => "this signed request was here before: choose another X-Wirecross-Nonce",
        }
    }
}

/// The time and the nonce of a signed request, as they were written.
pub type Once<'a> = (&'a str, &'a str);

/// Who is to have signed a request, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer {
    place: usize,
    time: u64,
}

/// A signature that is right.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    signer: Signer,
    bytes: [u8; 32],
}

impl Signature {
    /// The place of its key.
    #[must_use]
    pub const fn place(&self) -> usize {
        self.signer.place
    }
}

/// Why a signed request is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unspent {
    /// It was here before.
    Again,
    /// The key's rate has it wait for so many milliseconds.
    Wait(u64),
}

/// All keys, and what they did lately.
pub struct KeyRing {
    keys: Vec<Key>,
    states: Vec<State>,
}

#[derive(Default)]
struct State {
    bucket: Option<Bucket>,
    /// Signatures that were here, by the time they name.
    seen: BTreeMap<u64, BTreeSet<[u8; 32]>>,
}

/// Requests that may still be made.
struct Bucket {
    tokens: f64,
    at_ms: u64,
}

impl KeyRing {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new(keys: Vec<Key>) -> Self {
        let states = keys.iter().map(|_| State::default()).collect();
        Self { keys, states }
    }

    /// A key by its place.
    #[must_use]
    pub fn key(&self, place: usize) -> &Key {
        &self.keys[place]
    }

    /// Whose token this is: compared with all of them, in a time that does not tell where.
    ///
    /// # Errors
    /// It is nobody's.
    pub fn by_token(&self, token: &str) -> Result<usize, Stranger> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (place, key) in self.keys.iter().enumerate() {
            if let Proof::Token(right) = &key.proof
                && is_same(right, &hash)
            {
                found = Some(place);
            }
        }
        found.ok_or(Stranger::WrongKey)
    }

    /// Which key is to have signed a request at a time: what its head tells, so that nobody else's
    /// body is waited for. That says which names there are.
    ///
    /// # Errors
    /// No key of that name signs, or it was signed too long ago or too far ahead.
    pub fn signer(
        &self,
        name: &str,
        (time, nonce): Once<'_>,
        now_ms: u64,
    ) -> Result<Signer, Stranger> {
        let time: u64 = time.parse().map_err(|_| Stranger::WrongTime)?;
        if time.abs_diff(now_ms) > WINDOW_MS || nonce.len() > NONCE_MAX {
            return Err(Stranger::WrongTime);
        }
        let signs = |key: &Key| key.name == name && matches!(key.proof, Proof::Secret(_));
        let place = self.keys.iter().position(signs);
        let place = place.ok_or(Stranger::WrongKey)?;
        Ok(Signer { place, time })
    }

    /// Whether a signature is its signer's.
    ///
    /// # Errors
    /// It is not.
    pub fn by_signature(
        &self,
        signer: Signer,
        signature: &str,
        signed: &Signed<'_>,
    ) -> Result<Signature, Stranger> {
        let Proof::Secret(secret) = &self.keys[signer.place].proof else {
            return Err(Stranger::WrongKey);
        };
        let bytes = bytes_of(signature).ok_or(Stranger::WrongKey)?;
        let is_right = signed.mac(secret).verify_slice(&bytes);
        is_right.map_err(|_| Stranger::WrongKey)?;
        Ok(Signature { signer, bytes })
    }

    /// Takes so many of the requests of the key that signed, and remembers the signature. One that
    /// comes above the rate is not remembered: it may come again.
    ///
    /// # Errors
    /// The signature was here before, or there are not so many left.
    pub fn spend_signed(
        &mut self,
        signature: &Signature,
        requests: usize,
        now_ms: u64,
    ) -> Result<(), Unspent> {
        let Signer { place, time } = signature.signer;
        let seen = &mut self.states[place].seen;
        *seen = seen.split_off(&now_ms.saturating_sub(WINDOW_MS));
        if seen
            .get(&time)
            .is_some_and(|all| all.contains(&signature.bytes))
        {
            return Err(Unspent::Again);
        }
        // The rate bounds how many are remembered.
        self.spend(place, requests, now_ms).map_err(Unspent::Wait)?;
        let seen = &mut self.states[place].seen;
        seen.entry(time).or_default().insert(signature.bytes);
        Ok(())
    }

    /// Takes so many of a key's requests; if there are not so many left, the milliseconds until
    /// there are.
    ///
    /// # Errors
    /// There are not.
    pub fn spend(&mut self, place: usize, requests: usize, now_ms: u64) -> Result<(), u64> {
        self.spend_more(place, (0, requests), now_ms)
    }

    /// The same for a request of which some were taken already: these are given back if the rest is
    /// not there.
    ///
    /// # Errors
    /// It is not.
    pub fn spend_more(
        &mut self,
        place: usize,
        (taken, requests): (usize, usize),
        now_ms: u64,
    ) -> Result<(), u64> {
        let key = &self.keys[place];
        let (rate, most) = (f64::from(key.per_second), f64::from(key.at_once));
        let bucket = self.states[place].bucket.get_or_insert(Bucket {
            tokens: most,
            at_ms: now_ms,
        });
        let passed_ms = now_ms.saturating_sub(bucket.at_ms) as f64;
        bucket.tokens = (bucket.tokens + taken as f64 + passed_ms * rate / 1_000.0).min(most);
        bucket.at_ms = now_ms;
        // A batch that is larger than the whole bucket passes a full one.
        let asked = (requests as f64).min(most);
        if bucket.tokens >= asked {
            bucket.tokens -= asked;
            return Ok(());
        }
        Err(((asked - bucket.tokens) * 1_000.0 / rate).ceil() as u64)
    }
}

/// Whether two hashes are the same, in a time that does not depend on where they differ.
fn is_same(left: &[u8; 32], right: &[u8; 32]) -> bool {
    let differences = left.iter().zip(right).map(|(left, right)| left ^ right);
    std::hint::black_box(differences.fold(0, |all, one| all | one)) == 0
}

/// 64 hexadecimal digits.
pub(crate) fn bytes_of(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}

/// As hexadecimal digits.
#[must_use]
pub fn digits_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new token and what the settings hold of it.
///
/// # Errors
/// The system gives no random bytes.
pub fn make_token() -> std::io::Result<(String, String)> {
    use std::io::Read as _;
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let token = digits_of(&bytes);
    let hash = digits_of(&Sha256::digest(token.as_bytes()));
    Ok((token, hash))
}
