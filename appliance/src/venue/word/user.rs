//! What an operator changes of a user: words to settings, as strictly as a topology's are read.

use super::{Said, Words, number, of};
use crate::topology::{hash_fits, is_word};
use crate::venue::definitions::letters_first;
use crate::venue::padded;
use session::Network;
use session::order_entry::{NETWORKS_MAX, Named, Rate, Setting};
use std::net::Ipv4Addr;
use wire::ring::{Command, CommandKind};

/// The greatest numbers of a rate, and the longest grace, as a topology has them.
const A_SECOND_MAX: u32 = 10_000_000;
const GRACE_MS_MAX: u64 = 86_400_000;

/// Letters of a user's name, and of its firm's.
const USER_LETTERS: usize = 6;
const FIRM_LETTERS: usize = 4;

impl Words<'_> {
    /// Reads what is to be said to the engine of a user.
    pub(super) fn of_user(&mut self) -> Result<Said, String> {
        match self.word("add, remove, rate, grace, addresses or password")? {
            "add" => self.newcomer(),
            "remove" => self.leaver(),
            what @ ("rate" | "grace" | "addresses" | "password") => {
                Said::of(self.setting(what)?, None)
            }
            what => Err(format!(
                "\"{what}\": say add, remove, rate, grace, addresses or password"
            )),
        }
    }

    /// A user for a place that the topology left: its session is defined first, and it is there
    /// once the last command gives it its name.
    fn newcomer(&mut self) -> Result<Said, String> {
        let user = self.name("a user", USER_LETTERS)?;
        let (users, copies) = (&self.topology.users, &self.topology.drop_copies);
        let mut names = users
            .iter()
            .map(|it| &it.name)
            .chain(copies.iter().map(|it| &it.name));
        if names.any(|name| name.eq_ignore_ascii_case(&user)) {
            return Err(format!("\"{user}\" is a user of this venue already"));
        }
        let firm = self.name("a firm", FIRM_LETTERS)?;
        let account = number(self.word("an account")?)?;
        let secret = self.password()?;
        let networks = self.networks()?;
        let session = self.topology.spare().ok_or_else(|| {
            "no place is left for another user: raise limits.spare_users before the next day"
                .to_owned()
        })?;
        let named = Named {
            user,
            firm: padded(&firm),
        };
        let mut commands = vec![Command {
            session,
            user_ref: account,
            client_id: letters_first(named.firm),
            ..of(CommandKind::DefineSession)
        }];
        for setting in [secret, networks, Setting::Name(named.clone())] {
            commands.extend(setting.commands(session).ok_or("that is too long")?);
        }
        Said::of(commands, Some(named))
    }

    fn name(&mut self, what: &str, letters: usize) -> Result<String, String> {
        let name = self.word(what)?;
        if is_word(name, letters, "") {
            return Ok(name.to_owned());
        }
        Err(format!(
            "\"{name}\" is not {what}'s name: say 1 to {letters} letters or digits"
        ))
    }

    /// A user that is taken away: its orders first.
    fn leaver(&mut self) -> Result<Said, String> {
        let session = self.user()?;
        let mut kill = Command {
            session,
            flags: 1,
            ..of(CommandKind::Kill)
        };
        kill.letters[0] = 2;
        let gone = Setting::Gone.commands(session).into_iter().flatten();
        Said::of([kill].into_iter().chain(gone).collect(), None)
    }

    fn setting(&mut self, what: &str) -> Result<Vec<Command>, String> {
        let session = self.user()?;
        let setting = match what {
            "rate" => self.rate()?,
            "grace" => self.grace()?,
            "addresses" => self.addresses(session)?,
            _ => self.password()?,
        };
        let commands = setting.commands(session);
        commands.ok_or_else(|| "that is too long".to_owned())
    }

    fn rate(&mut self) -> Result<Setting, String> {
        let first = self.word("off, or messages a second")?;
        if first == "off" {
            return Ok(Setting::Rate(Rate::default()));
        }
        let within = |text: &str| match number(text)? {
            rate @ 1..=A_SECOND_MAX => Ok(rate),
            other => Err(format!("{other} is not between 1 and {A_SECOND_MAX}")),
        };
        Ok(Setting::Rate(Rate {
            a_second: within(first)?,
            at_once: within(self.word("how many may come at once")?)?,
            refusals_max: self.words.next().map_or(Ok(0), number)?,
        }))
    }

    fn grace(&mut self) -> Result<Setting, String> {
        let ms = self.word("off, or milliseconds")?;
        if ms == "off" {
            return Ok(Setting::Grace(None));
        }
        match number(ms)? {
            ms @ 0..=GRACE_MS_MAX => Ok(Setting::Grace(Some(ms * 1_000_000))),
            other => Err(format!("{other} is more than a day, {GRACE_MS_MAX} ms")),
        }
    }

    fn addresses(&mut self, session: u16) -> Result<Setting, String> {
        let place = usize::from(session).wrapping_sub(1);
        let user = self.topology.users.get(place);
        if user.is_some_and(|user| user.gateway.is_some()) {
            return Err("the user logs in through its rings, and from nowhere else".to_owned());
        }
        self.networks()
    }

    fn networks(&mut self) -> Result<Setting, String> {
        let mut word = self.word("any, or networks")?;
        let mut networks = Vec::new();
        if word == "any" {
            return Ok(Setting::Networks(networks));
        }
        loop {
            let (address, bits) = word.split_once('/').unwrap_or((word, "32"));
            let address = address.parse::<Ipv4Addr>().ok();
            let bits = bits.parse().ok();
            let network = address
                .zip(bits)
                .and_then(|(it, bits)| Network::new(it, bits));
            networks.push(network.ok_or_else(|| {
                format!(
                    "\"{word}\" is no network: write one such as 10.0.0.0/8, with no bits set \
                     behind the first ones"
                )
            })?);
            if networks.len() > NETWORKS_MAX {
                return Err(format!("a user has {NETWORKS_MAX} networks at most"));
            }
            let Some(next) = self.words.next() else {
                return Ok(Setting::Networks(networks));
            };
            word = next;
        }
    }

    /// Never the password itself: words stand in the journal.
    fn password(&mut self) -> Result<Setting, String> {
        let hash = self.word("what `wirecross admin hash-password` prints")?;
        hash_fits(self.topology, hash)?;
        Ok(Setting::Secret(hash.to_owned()))
    }
}
