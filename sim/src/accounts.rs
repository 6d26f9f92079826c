//! Accounts that users have beside their first one: drawn for the day, granted and revoked by the
//! operator's words, named by orders; and whose a session number is, as the model says.

use std::collections::{BTreeMap, BTreeSet};

use wire::ring::{Event, EventKind};

use crate::random::Random;

/// Session numbers of a venue whose users may have more than one: enough for all that can be
/// granted, so that the table of them is never full.
pub const NUMBERS: u16 = 24;

/// Accounts that can be granted: those that members begin with, and two that nobody does.
const ACCOUNTS: [u32; 6] = [1, 2, 3, 4, 7, 8];

const _: () = assert!(NUMBERS as usize >= 4 * ACCOUNTS.len());

/// Orders that name an account, in a million.
const NAMED_IN_MILLION: u32 = 400_000;

const ROLES: [&str; 4] = ["trader", "trader", "risk", "read-only"];

/// What the topology says of a user's accounts, the first of which is `own`.
pub fn line(own: u16, random: &mut Random) -> String {
    let mut accounts = BTreeSet::new();
    for _ in 0..random.below(3) {
        accounts.insert(random.one_of(&ACCOUNTS));
    }
    accounts.remove(&own.into());
    let further: Vec<String> = accounts
        .into_iter()
        .map(|account| {
            let role = random.one_of(&ROLES);
            format!(", {{ account = {account}, role = \"{role}\" }}")
        })
        .collect();
    let role = random.one_of(&["trader", "trader", "trader", "risk"]);
    format!(
        "accounts = [{{ account = {own}, role = \"{role}\" }}{}]\n",
        further.concat()
    )
}

/// A word of the operator about a user's accounts.
pub fn word(user: &str, random: &mut Random) -> String {
    let account = random.one_of(&ACCOUNTS);
    match random.below(4) {
        0 => format!("revoke {user} {account}"),
        _ => format!("grant {user} {account} {}", random.one_of(&ROLES)),
    }
}

/// The account that an order names, if it names one.
pub fn named(random: &mut Random) -> Option<u32> {
    let is_named = random.chance(NAMED_IN_MILLION);
    is_named.then(|| random.one_of(&ACCOUNTS))
}

/// What a session number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The session of the user.
    pub session: u16,
    pub account: u32,
    /// The place of the input that made it so, counted from 0.
    since: usize,
}

/// Whose all session numbers are, as far as the journal was read.
#[derive(Debug, Default)]
pub struct Holders {
    numbers: BTreeMap<u16, Holder>,
    /// Where what a life of the venue added to the journal begins, for each of them.
    lives: Vec<usize>,
}

impl Holders {
    /// Another life's inputs begin behind so many.
    pub fn begin(&mut self, inputs: usize) {
        self.lives.push(inputs);
    }

    /// Takes an event of the input at a place. A number is nobody else's before the day ends.
    pub fn tell(&mut self, event: &Event, since: usize) {
        let session = match EventKind::from_byte(event.kind) {
            Some(EventKind::SessionDefined) => event.session,
            Some(EventKind::Granted) => event.old_user_ref as u16,
            _ => return,
        };
        let account = event.user_ref;
        self.numbers.entry(event.session).or_insert(Holder {
            session,
            account,
            since,
        });
    }

    /// Whose a number is.
    pub fn of(&self, number: u16) -> Option<&Holder> {
        self.numbers.get(&number)
    }

    /// Whether the venue that took the input at a place had read from the journal, when it started,
    /// that a user has an account.
    pub fn was_known(&self, session: u16, account: u32, place: usize) -> bool {
        let began = self.lives.iter().rev().find(|began| **began <= place);
        let began = began.copied().unwrap_or(0);
        let mut all = self.numbers.values();
        all.any(|it| (it.session, it.account) == (session, account) && it.since < began)
    }
}
