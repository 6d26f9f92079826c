//! The accounts of a user, and what it may do for each.

use super::check::count_within;
use super::{Error, raw};
use matching::MANDATES_MAX;
use wire::ring::{MAY_CANCEL, MAY_TRADE};

/// What a user may do for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Enter, replace and cancel orders.
    Trader,
    /// Cancel the orders that it entered, and enter none.
    Risk,
    /// Nothing; it goes on hearing of orders that it entered before.
    ReadOnly,
}

impl Role {
    /// Every role; the first is the default.
    pub const ALL: [Self; 3] = [Self::Trader, Self::Risk, Self::ReadOnly];

    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trader => "trader",
            Self::Risk => "risk",
            Self::ReadOnly => "read-only",
        }
    }

    /// What it may do, as a `Grant` says it.
    #[must_use]
    pub const fn may(self) -> u8 {
        match self {
            Self::Trader => MAY_TRADE,
            Self::Risk => MAY_CANCEL,
            Self::ReadOnly => 0,
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == word)
    }

    /// The role that may do this.
    #[must_use]
    pub fn of(may: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.may() == may)
    }

    /// All words.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// An account that a user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mandate {
    /// Its number.
    pub account: u32,
    /// What the user may do for it.
    pub role: Role,
}

/// Checks the accounts of the user at a place; the first one is that of orders that name none.
pub(super) fn mandates(index: usize, user: &raw::User) -> Result<Vec<Mandate>, Error> {
    let wrong = |key: String, problem: &str, remedy: String| {
        Err(Error::value(
            format!("users[{index}].{key}"),
            problem,
            remedy,
        ))
    };
    let all = match (user.account, &user.accounts[..]) {
        (Some(account), []) => vec![(account, None)],
        (None, accounts @ [_, ..]) => accounts
            .iter()
            .map(|one| (one.account, one.role.as_deref()))
            .collect(),
        (None, []) => {
            let remedy = "write the number of the user's account".to_owned();
            return wrong("account".to_owned(), "is missing", remedy);
        }
        (Some(_), _) => {
            let remedy = "write one of them".to_owned();
            return wrong("account".to_owned(), "stands beside `accounts`", remedy);
        }
    };
    let key = format!("users[{index}].accounts");
    count_within(&key, all.len(), "accounts of a user", MANDATES_MAX + 1)?;
    let mut checked: Vec<Mandate> = Vec::with_capacity(all.len());
    for (place, (account, role)) in all.into_iter().enumerate() {
        if checked.iter().any(|one| one.account == account) {
            let key = format!("accounts[{place}].account");
            return wrong(key, "is named twice", "name each account once".to_owned());
        }
        let Some(role) = Role::named(role.unwrap_or(Role::Trader.name())) else {
            let remedy = format!("write one of {}", Role::names());
            return wrong(format!("accounts[{place}].role"), "is no role", remedy);
        };
        checked.push(Mandate { account, role });
    }
    Ok(checked)
}
