//! How much of their limits accounts have used, as counters that other processes may read.

use crate::topology::{RISK_LIMITS, Topology};
use matching::{AccountStanding, Engine};
use queue::{Counter, CounterSet};
use std::collections::BTreeSet;

/// Accounts that are told of at most, those with the lowest numbers: a set of counters has its
/// bound.
const ACCOUNTS_MAX: usize = 128;

/// Limits of what adds up, by their places among all; the others are of each order by itself.
const TOLD: [usize; 4] = [3, 4, 5, 6];

/// Time between two looks at the accounts.
const LOOK_NS: u64 = 1_000_000_000;

/// The accounts that are told of: those of users, if the day keeps accounts at all.
fn accounts(topology: &Topology) -> impl Iterator<Item = u32> {
    let is_kept = topology.shadow.is_some() && !topology.rules.risk.is_empty();
    let users = topology.users.iter().filter(|_| is_kept);
    let all: BTreeSet<u32> = users.flat_map(|user| user.accounts()).collect();
    all.into_iter().take(ACCOUNTS_MAX)
}

/// The counters of an account: by limit, what is used of it and the limit itself.
fn names_of(account: u32) -> impl Iterator<Item = [String; 2]> {
    let limits = TOLD.into_iter().map(|limit| RISK_LIMITS[limit]);
    limits.map(move |limit| ["used", "limit"].map(|it| format!("risk.{account}.{limit}.{it}")))
}

/// The counters of all accounts.
pub(in crate::venue) fn names(topology: &Topology) -> impl Iterator<Item = String> {
    accounts(topology).flat_map(names_of).flatten()
}

/// An account and its counters.
struct Told {
    account: u32,
    /// By limit: what is used, and the limit.
    counters: Vec<[Counter; 2]>,
}

impl Told {
    fn new(account: u32, set: &mut CounterSet) -> Option<Self> {
        let pairs = names_of(account).map(|[used, limit]| {
            let used = set.counter(&used).ok()?;
            Some([used, set.counter(&limit).ok()?])
        });
        let counters = pairs.collect::<Option<_>>()?;
        Some(Self { account, counters })
    }
}

/// What the shadow tells of accounts.
#[derive(Default)]
pub(super) struct Uses {
    all: Vec<Told>,
    /// When it looked at them last, and behind which input.
    looked: Option<(u64, u64)>,
}

impl Uses {
    /// Those that a set of counters has room for: all of them, or none.
    pub(super) fn new(topology: &Topology, set: &mut CounterSet) -> Self {
        let all = accounts(topology).map(|account| Told::new(account, set));
        Self {
            all: all.collect::<Option<_>>().unwrap_or_default(),
            looked: None,
        }
    }

    /// Looks behind an input, where there is a new one and it is time.
    pub(super) fn look(&mut self, engine: &Engine<'_>, sequence: u64, now_ns: u64) {
        let is_due = self.looked.is_none_or(|(at_ns, behind)| {
            behind != sequence && now_ns.saturating_sub(at_ns) >= LOOK_NS
        });
        if !is_due || self.all.is_empty() {
            return;
        }
        self.looked = Some((now_ns, sequence));
        for standing in engine.accounts() {
            let Some(told) = self
                .all
                .iter_mut()
                .find(|it| it.account == standing.account)
            else {
                continue;
            };
            let used = used(engine, &standing);
            for (at, [is, limit]) in told.counters.iter_mut().enumerate() {
                is.set(used[at]);
                limit.set(standing.limits[TOLD[at]]);
            }
        }
    }
}

/// What an account has used of each limit that is told, in the limit's own units: as the engine
/// adds it up when the next order comes.
fn used(engine: &Engine<'_>, of: &AccountStanding) -> [u64; TOLD.len()] {
    let units = |symbol| engine.account_units(of.account, symbol);
    let position = engine.symbols().flat_map(units).max().unwrap_or(0);
    let net = of.net[0].max(of.net[1]);
    [i128::from(of.live_orders), position.into(), of.gross, net]
        .map(|value| u64::try_from(value.max(0)).unwrap_or(u64::MAX))
}
