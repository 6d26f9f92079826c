//! Who is connected and who is locked, as counters that other processes may read.

use super::shadow::risk;
use crate::tiles::COUNTERS;
use crate::topology::Topology;
use queue::{Counter, CounterSet};
use session::order_entry::OrderEntry;

/// What a seat's counter holds: bits.
const CONNECTED: u64 = 1;
const LOCKED: u64 = 2;

/// The counter of a user.
fn counter_of(user: &str) -> String {
    format!("session.{user}")
}

/// The counters of a venue: those that every venue has, one for each user, and those of accounts.
pub(super) fn counters(topology: &Topology) -> Vec<String> {
    let every = COUNTERS.iter().map(|name| (*name).to_owned());
    let users = topology.users.iter().map(|user| counter_of(&user.name));
    every.chain(users).chain(risk::names(topology)).collect()
}

/// What the gate tells of each user.
pub(crate) struct Seats(Vec<Counter>);

impl Seats {
    /// Those that a set of counters has room for: all of them, or none.
    pub(crate) fn new(topology: &Topology, set: &mut CounterSet) -> Self {
        let users = topology.users.iter();
        let all = users.map(|user| set.counter(&counter_of(&user.name)).ok());
        Self(all.collect::<Option<_>>().unwrap_or_default())
    }

    /// Tells how things are.
    pub(crate) fn set(&mut self, entry: &OrderEntry, now_ns: u64) {
        for (counter, session) in self.0.iter_mut().zip(1..) {
            let (is_connected, is_locked) = entry.seat(session, now_ns);
            let connected = if is_connected { CONNECTED } else { 0 };
            counter.set(connected | if is_locked { LOCKED } else { 0 });
        }
    }
}

/// Whether a user is connected, and whether it is locked, by what a venue's counters say.
pub(crate) fn seat_told(user: &str, counter: &dyn Fn(&str) -> Option<u64>) -> (bool, bool) {
    let bits = counter(&counter_of(user)).unwrap_or(0);
    (bits & CONNECTED != 0, bits & LOCKED != 0)
}
