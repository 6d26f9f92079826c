//! Who may log in: members, and those who watch their accounts.

use super::check::{count_within, is_word, within};
use super::{DropCopy, Error, Limits, Role, Secret, SelfTrade, User, rate, raw, roles, secret};
use session::Network;
use session::order_entry::Rate;
use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Letters of a SoupBinTCP user name, and of an OUCH firm.
const USER_LETTERS: usize = 6;
const FIRM_LETTERS: usize = 4;

/// Letters of a user of the system.
const SYSTEM_LETTERS: usize = 32;

/// The longest that orders may outlive their user's connection, if they do not for good: a day.
const LEAVE_MS_MAX: u64 = 86_400_000;

/// Checks the members. Those who may come later have the first places: docs/sessions.md.
pub(super) fn users(users: Vec<raw::User>, limits: Limits) -> Result<Vec<User>, Error> {
    let spare = usize::from(limits.spare_users);
    let numbers: usize = users.iter().map(|user| user.accounts.len().max(1)).sum();
    count_within(
        "users",
        if users.is_empty() { 0 } else { numbers + spare },
        "limits.sessions",
        usize::from(limits.sessions),
    )?;
    let mut seen = HashSet::new();
    let mut checked: Vec<User> = (0..spare).map(nobody).collect();
    for (index, user) in users.into_iter().enumerate() {
        let word = |field: &str, text: &str, letters: usize| {
            if is_word(text, letters, "") {
                return Ok(());
            }
            let remedy = format!("write 1 to {letters} letters or digits");
            Err(Error::value(
                format!("users[{index}].{field}"),
                "is no such word",
                remedy,
            ))
        };
        word("name", &user.name, USER_LETTERS)?;
        word("firm", &user.firm, FIRM_LETTERS)?;
        // User names are compared without regard to case on the wire.
        if !seen.insert(user.name.to_ascii_uppercase()) {
            return Err(Error::value(
                format!("users[{index}].name"),
                format!("is \"{}\", used twice", user.name),
                "give each user another name",
            ));
        }
        let networks = networks(index, spare + index, &user)?;
        let mut mandates = roles::mandates(index, &user)?;
        let first = mandates.remove(0);
        checked.push(User {
            self_trade: self_trade(index, &user.self_trade)?,
            secret: secret::secret(
                &format!("users[{index}]"),
                (user.password, user.password_hash, user.key_file),
            )?,
            networks,
            gateway: user.gateway,
            rate: rate::rate(&format!("users[{index}]"), user.rate)?,
            leave: user
                .cancel_on_disconnect_ms
                .map(|ms| {
                    let key = format!("users[{index}].cancel_on_disconnect_ms");
                    within(&key, ms, 0..=LEAVE_MS_MAX).map(Duration::from_millis)
                })
                .transpose()?,
            name: user.name,
            firm: user.firm,
            account: first.account,
            role: first.role,
            mandates,
            is_spare: false,
        });
    }
    Ok(checked)
}

/// What a place is called that nobody has: no user's name.
pub(super) fn spare_name(place: usize) -> String {
    format!("+{}", place + 1)
}

/// The place of who may come later, which nobody can log in to: no member has such a name, and
/// nobody comes from there.
fn nobody(place: usize) -> User {
    User {
        name: spare_name(place),
        secret: Secret::Nobody,
        networks: Network::new(Ipv4Addr::from(1), 32).into_iter().collect(),
        rate: Rate::default(),
        gateway: None,
        leave: None,
        firm: String::new(),
        account: 0,
        role: Role::Trader,
        mandates: Vec::new(),
        self_trade: SelfTrade::ALL[0],
        is_spare: true,
    }
}

/// The address of the rings of the user at a place among the users: of no network.
#[must_use]
pub fn ring_address(place: usize) -> Ipv4Addr {
    Ipv4Addr::from(0x100 + place as u32)
}

/// Where a user may log in from: through its rings, if it has any, and from nowhere else.
fn networks(index: usize, place: usize, user: &raw::User) -> Result<Vec<Network>, Error> {
    let Some(gateway) = &user.gateway else {
        return secret::networks(&format!("users[{index}].addresses"), &user.addresses);
    };
    if !is_word(gateway, SYSTEM_LETTERS, "-_") || gateway == "root" {
        let key = format!("users[{index}].gateway");
        let remedy = "name an unprivileged user of the system";
        return Err(Error::value(key, format!("is \"{gateway}\""), remedy));
    }
    if !user.addresses.is_empty() {
        let key = format!("users[{index}].addresses");
        let remedy = "leave them out: the user logs in through its rings";
        return Err(Error::value(key, "are named beside a `gateway`", remedy));
    }
    Ok(Network::new(ring_address(place), 32).into_iter().collect())
}

/// Checks who may watch, towards the members.
pub(super) fn drop_copies(
    copies: Vec<raw::DropCopy>,
    users: &[User],
) -> Result<Vec<DropCopy>, Error> {
    let mut checked: Vec<DropCopy> = Vec::with_capacity(copies.len());
    for (index, copy) in copies.into_iter().enumerate() {
        let wrong = |field: &str, problem: String, remedy: &str| {
            Err(Error::value(
                format!("drop_copies[{index}].{field}"),
                problem,
                remedy,
            ))
        };
        if !is_word(&copy.name, USER_LETTERS, "") {
            return wrong(
                "name",
                "is no such word".into(),
                "write 1 to 6 letters or digits",
            );
        }
        let mut names = users
            .iter()
            .map(|it| &it.name)
            .chain(checked.iter().map(|it| &it.name));
        if names.any(|name| name.eq_ignore_ascii_case(&copy.name)) {
            let problem = format!("is \"{}\", used twice", copy.name);
            return wrong("name", problem, "give it another name");
        }
        let is_watched = |it: &&User| {
            it.accounts()
                .any(|account| copy.accounts.contains(&account))
        };
        let sessions = users.iter().filter(is_watched).count();
        let is_known = |it: &u32| {
            users
                .iter()
                .any(|user| user.accounts().any(|one| one == *it))
        };
        if sessions == 0 || !copy.accounts.iter().all(is_known) {
            let problem = format!("is {:?}", copy.accounts);
            return wrong("accounts", problem, "list accounts of `users`");
        }
        checked.push(DropCopy {
            secret: secret::secret(
                &format!("drop_copies[{index}]"),
                (copy.password, copy.password_hash, copy.key_file),
            )?,
            networks: secret::networks(
                &format!("drop_copies[{index}].addresses"),
                &copy.addresses,
            )?,
            name: copy.name,
            accounts: copy.accounts,
            sessions: sessions + users.iter().filter(|it| it.is_spare).count(),
        });
    }
    Ok(checked)
}

fn self_trade(index: usize, text: &str) -> Result<SelfTrade, Error> {
    let found = SelfTrade::ALL.into_iter().find(|mode| mode.name() == text);
    found.ok_or_else(|| {
        let names = SelfTrade::ALL
            .map(|mode| format!("\"{}\"", mode.name()))
            .join(", ");
        let key = format!("users[{index}].self_trade");
        Error::value(
            key,
            format!("is \"{text}\""),
            format!("write one of {names}"),
        )
    })
}
