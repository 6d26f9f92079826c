//! Who may log in: from where, how often wrongly, and whether an operator says no.

use core::hint::black_box;
use core::net::Ipv4Addr;

use super::Config;
use crate::Network;

/// Letters of a SoupBinTCP password.
pub const PASSWORD_LETTERS: usize = 10;

/// Whether a login may come from there: without networks it may come from anywhere. Addresses below
/// 1.0.0.0 are of no network: who has one comes by a door of this host, for those who name it only.
pub(super) fn may_come(networks: &[Network], from: Ipv4Addr) -> bool {
    let is_local = from.octets()[0] == 0 && !from.is_unspecified();
    (networks.is_empty() && !is_local) || networks.iter().any(|network| network.contains(from))
}

/// Whether the letters, padded with spaces, are those of a password, in a time that does not tell
/// how many of them are; `has_case` says whether capitals are other letters.
#[must_use]
pub fn is_password(stored: &str, given: &[u8; PASSWORD_LETTERS], has_case: bool) -> bool {
    let stored = stored.as_bytes();
    let letter = |letter: u8| {
        if has_case {
            letter
        } else {
            letter.to_ascii_uppercase()
        }
    };
    let padded = |at: usize| stored.get(at).copied().unwrap_or(b' ');
    let differing = (0..PASSWORD_LETTERS).fold(0, |differing, at| {
        black_box(differing | (letter(padded(at)) ^ letter(given[at])))
    });
    differing == 0 && stored.len() <= PASSWORD_LETTERS
}

/// What stands between a user and its next login.
#[derive(Default)]
pub(super) struct Access {
    /// Wrong passwords since the last right one.
    failures: u32,
    /// Until when too many of them keep everybody out.
    locked_until_ns: u64,
    /// An operator does.
    pub(super) is_held: bool,
    /// Nobody comes under this name any more.
    pub(super) is_gone: bool,
}

impl Access {
    /// Whether no login is taken now, whatever its password.
    pub(super) const fn is_locked(&self, now_ns: u64) -> bool {
        self.is_gone || self.is_held || now_ns < self.locked_until_ns
    }

    /// Notes a wrong password; whether that was one too many.
    pub(super) fn failed(&mut self, config: &Config, now_ns: u64) -> bool {
        self.failures += 1;
        let is_locking = config.failures_max != 0 && self.failures >= config.failures_max;
        if is_locking {
            self.failures = 0;
            self.locked_until_ns = now_ns.saturating_add(config.lock_ns);
        }
        is_locking
    }

    /// A right password: forgets the wrong ones.
    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Lifts every lock; who is gone stays so.
    pub(super) const fn clear(&mut self) {
        self.failures = 0;
        self.locked_until_ns = 0;
        self.is_held = false;
    }
}
