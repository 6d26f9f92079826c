//! What an operator changes of a user: words to settings, as strictly as a topology's are read.

use super::{Words, number};
use crate::topology::hash_fits;
use session::Network;
use session::order_entry::{NETWORKS_MAX, Rate, Setting};
use std::net::Ipv4Addr;
use wire::ring::Command;

/// The greatest numbers of a rate, and the longest grace, as a topology has them.
const A_SECOND_MAX: u32 = 10_000_000;
const GRACE_MS_MAX: u64 = 86_400_000;

impl Words<'_> {
    /// Reads what is to be said to the engine of a user, the last of which makes it count.
    pub(super) fn setting(&mut self) -> Result<Vec<Command>, String> {
        let what = self.word("rate, grace, addresses or password")?;
        if !["rate", "grace", "addresses", "password"].contains(&what) {
            return Err(format!(
                "\"{what}\": say rate, grace, addresses or password"
            ));
        }
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
