//! What all connections share: the members of the day, and the way to the venue.

use crate::config::Config;
use crate::member::Member;
use door::Usher;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::net::UnixStream;

/// What all connections share.
pub(crate) struct Lobby {
    pub(crate) config: Config,
    usher: Usher,
    pub(crate) members: BTreeMap<String, Member>,
    /// Who is logged on, or about to be.
    pub(crate) taken: BTreeSet<String>,
    /// Nobody can be called any more.
    pub(crate) fault: Option<io::Error>,
}

impl Lobby {
    pub(crate) const fn new(config: Config, usher: Usher) -> Self {
        Self {
            config,
            usher,
            fault: None,
            members: BTreeMap::new(),
            taken: BTreeSet::new(),
        }
    }

    /// A socket to the venue over which the rings of a member come, if there are any.
    pub(crate) fn call(&mut self, user: &str) -> Option<UnixStream> {
        self.usher.call(user).unwrap_or_else(|fault| {
            self.fault = Some(fault);
            None
        })
    }
}
