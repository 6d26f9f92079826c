//! What an operator changes of a member in a running day: its rate, its grace, where it may log in
//! from, what proves its password, its name where the topology left a place for it, and that it is
//! gone.
//!
//! Each change is an input of the journal, or several, of which the last one makes it count: so it
//! outlives restarts, counts from its place in the log on, and ends with the day. The engine passes
//! it on; what is already under way, a connection or a bucket's tokens, stays.

use core::net::Ipv4Addr;

use wire::ring::{
    ACCESS_GONE, ACCESS_GRACE, ACCESS_NAME, ACCESS_NETWORK, ACCESS_RATE, ACCESS_SECRET, Command,
    CommandKind, Event,
};

use super::{OrderEntry, Rate};
use crate::Network;
use crate::state::{Reader, StateError, list};

/// The most networks of a member.
pub const NETWORKS_MAX: usize = 16;
/// The most letters of a hash.
pub const SECRET_LETTERS_MAX: usize = 224;

/// Letters of a user name.
const USER_LETTERS: usize = 6;
/// Letters of a user's name and its firm's.
const NAMED_LETTERS: usize = USER_LETTERS + 4;

/// Letters that one command carries.
const PIECE_LETTERS: usize = 14;

/// The most commands that a change takes.
pub const SETTING_COMMANDS_MAX: usize = NETWORKS_MAX;

const _: () = assert!(NAMED_LETTERS <= PIECE_LETTERS);
const _: () = assert!(SECRET_LETTERS_MAX.div_ceil(PIECE_LETTERS) <= SETTING_COMMANDS_MAX);

/// What `side` is of the first piece of a list: what was said before it and never ended is void.
const FIRST: u8 = 1;

/// A change of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// How fast it may send.
    Rate(Rate),
    /// After how many nanoseconds its orders leave when its connection ends; never if none.
    Grace(Option<u64>),
    /// Where it may log in from; from anywhere if there are none.
    Networks(Vec<Network>),
    /// The hash of its password.
    Secret(String),
    /// What it and its firm are called: it is there from now on.
    Name(Named),
    /// It is not there any more.
    Gone,
}

/// A member that came in a running day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its user name, of 1 to 6 letters.
    pub user: String,
    /// The firm's four letters.
    pub firm: [u8; 4],
}

impl Named {
    fn letters(&self) -> [u8; NAMED_LETTERS] {
        let mut letters = [b' '; NAMED_LETTERS];
        letters[..USER_LETTERS].copy_from_slice(&wire::padded::<USER_LETTERS>(&self.user));
        letters[USER_LETTERS..].copy_from_slice(&self.firm);
        letters
    }

    /// None if there is no name in them.
    fn of(letters: &[u8]) -> Option<Self> {
        let (user, firm) = letters.get(..NAMED_LETTERS)?.split_at(USER_LETTERS);
        let user = str::from_utf8(wire::trimmed(user)).ok()?;
        let is_name = !user.is_empty() && user.bytes().all(|it| it.is_ascii_graphic());
        let (user, firm) = (user.to_owned(), firm.try_into().ok()?);
        is_name.then_some(Self { user, firm })
    }
}

impl Setting {
    /// The commands that say it of a session; none of a list that is too long.
    #[must_use]
    pub fn commands(&self, session: u16) -> Option<Vec<Command>> {
        let of = |flags| Command {
            kind: CommandKind::Access as u8,
            flags,
            session,
            client_id: [0; PIECE_LETTERS],
            ..Command::BLANK
        };
        Some(match self {
            Self::Rate(rate) => {
                let mut command = Command {
                    user_ref: rate.a_second,
                    price: rate.refusals_max.into(),
                    ..of(ACCESS_RATE)
                };
                command.client_id[..4].copy_from_slice(&rate.at_once.to_le_bytes());
                vec![command]
            }
            Self::Grace(leave_ns) => {
                let price = leave_ns.map_or(i64::MAX, |ns| i64::try_from(ns).unwrap_or(i64::MAX));
                vec![Command {
                    price,
                    ..of(ACCESS_GRACE)
                }]
            }
            Self::Networks(networks) if networks.is_empty() => vec![Command {
                side: FIRST,
                price: -1,
                ..of(ACCESS_NETWORK)
            }],
            Self::Networks(networks) if networks.len() <= NETWORKS_MAX => {
                let left = (0..networks.len() as u32).rev();
                let one = |(network, left): (&Network, u32)| Command {
                    side: u8::from(left as usize + 1 == networks.len()),
                    user_ref: network.address().to_bits(),
                    price: network.bits().into(),
                    client_id: letters(&left.to_le_bytes()),
                    ..of(ACCESS_NETWORK)
                };
                networks.iter().zip(left).map(one).collect()
            }
            Self::Secret(hash) if (1..=SECRET_LETTERS_MAX).contains(&hash.len()) => {
                let pieces = hash.as_bytes().chunks(PIECE_LETTERS);
                let count = pieces.len();
                let left = (0..count as u32).rev();
                let one = |(piece, left): (&[u8], u32)| Command {
                    side: u8::from(left as usize + 1 == count),
                    user_ref: left,
                    client_id: letters(piece),
                    ..of(ACCESS_SECRET)
                };
                pieces.zip(left).map(one).collect()
            }
            Self::Name(named) => vec![Command {
                client_id: letters(&named.letters()),
                ..of(ACCESS_NAME)
            }],
            Self::Gone => vec![of(ACCESS_GONE)],
            Self::Networks(_) | Self::Secret(_) => return None,
        })
    }
}

fn letters(piece: &[u8]) -> [u8; PIECE_LETTERS] {
    let mut letters = [0; PIECE_LETTERS];
    letters[..piece.len()].copy_from_slice(piece);
    letters
}

/// All that was changed of a member, and a change that is still being said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The rate, if it was changed; so with all others.
    pub rate: Option<Rate>,
    /// The grace.
    pub grace: Option<Option<u64>>,
    /// The networks.
    pub networks: Option<Vec<Network>>,
    /// The password's hash.
    pub secret: Option<String>,
    /// The name, of a member that came in a running day.
    pub named: Option<Named>,
    /// Whether it is not there any more.
    pub is_gone: bool,
    networks_coming: Vec<Network>,
    secret_coming: String,
}

impl Settings {
    /// Takes an `AccessChanged` about the member; gives what is another one from here on.
    pub fn hear(&mut self, event: &Event) -> Option<Setting> {
        let letters = event.client_id();
        let [a, b, c, d, ..] = letters;
        let number = u32::from_le_bytes([a, b, c, d]);
        let setting = match u8::try_from(event.quantity).ok()? {
            ACCESS_RATE => Setting::Rate(Rate {
                a_second: event.user_ref,
                at_once: number.max(1),
                refusals_max: u32::try_from(event.price).unwrap_or(0),
            }),
            ACCESS_GRACE if event.price == i64::MAX => Setting::Grace(None),
            ACCESS_GRACE => Setting::Grace(u64::try_from(event.price).ok()),
            ACCESS_NETWORK => self.network(event, number)?,
            ACCESS_SECRET => self.piece(&letters, event)?,
            ACCESS_NAME => Setting::Name(Named::of(&letters)?),
            ACCESS_GONE => Setting::Gone,
            _ => return None,
        };
        self.keep(&setting);
        Some(setting)
    }

    fn network(&mut self, event: &Event, left: u32) -> Option<Setting> {
        if event.side == FIRST {
            self.networks_coming.clear();
        }
        let bits = u32::try_from(event.price);
        let address = Ipv4Addr::from_bits(event.user_ref);
        let network = bits.ok().and_then(|bits| Network::new(address, bits));
        if self.networks_coming.len() < NETWORKS_MAX {
            self.networks_coming.extend(network);
        }
        (left == 0).then(|| Setting::Networks(core::mem::take(&mut self.networks_coming)))
    }

    fn piece(&mut self, letters: &[u8; PIECE_LETTERS], event: &Event) -> Option<Setting> {
        if event.side == FIRST {
            self.secret_coming.clear();
        }
        let letters = letters.iter().take_while(|letter| **letter != 0);
        if self.secret_coming.len() + PIECE_LETTERS <= SECRET_LETTERS_MAX {
            self.secret_coming
                .extend(letters.map(|letter| char::from(*letter)));
        }
        (event.user_ref == 0).then(|| Setting::Secret(core::mem::take(&mut self.secret_coming)))
    }

    fn keep(&mut self, setting: &Setting) {
        match setting.clone() {
            Setting::Rate(rate) => self.rate = Some(rate),
            Setting::Grace(grace) => self.grace = Some(grace),
            Setting::Networks(networks) => self.networks = Some(networks),
            Setting::Secret(secret) => self.secret = Some(secret),
            Setting::Name(named) => self.named = Some(named),
            Setting::Gone => self.is_gone = true,
        }
    }

    /// All that was changed.
    fn all(&self) -> impl Iterator<Item = Setting> {
        let Self {
            rate,
            grace,
            networks,
            secret,
            named,
            is_gone,
            // They count when they are whole.
            networks_coming: _,
            secret_coming: _,
        } = self.clone();
        let simple = rate
            .map(Setting::Rate)
            .into_iter()
            .chain(grace.map(Setting::Grace));
        let lists = networks.map(Setting::Networks).into_iter();
        let ends = is_gone.then_some(Setting::Gone);
        let texts = secret
            .map(Setting::Secret)
            .into_iter()
            .chain(named.map(Setting::Name));
        simple.chain(lists).chain(texts).chain(ends)
    }

    fn state(&self, out: &mut Vec<u8>) {
        let networks = |out: &mut Vec<u8>, all: &[Network]| {
            list(out, all.iter(), |out, network| {
                out.extend(network.address().to_bits().to_le_bytes());
                out.extend(network.bits().to_le_bytes());
            });
        };
        let text = |out: &mut Vec<u8>, text: &str| {
            list(out, text.bytes(), |out, letter| out.push(letter));
        };
        let is_set = [
            self.rate.is_some(),
            self.grace.is_some(),
            self.networks.is_some(),
            self.secret.is_some(),
        ];
        let mut kinds = is_set.map(u8::from);
        kinds[0] |= if self.named.is_some() { NAMED } else { 0 };
        kinds[0] |= if self.is_gone { GONE } else { 0 };
        out.extend(kinds);
        let rate = self.rate.unwrap_or_default();
        for number in [rate.a_second, rate.at_once, rate.refusals_max] {
            out.extend(number.to_le_bytes());
        }
        let grace = self.grace.flatten().unwrap_or(u64::MAX);
        out.extend(grace.to_le_bytes());
        networks(out, self.networks.as_deref().unwrap_or_default());
        text(out, self.secret.as_deref().unwrap_or_default());
        networks(out, &self.networks_coming);
        text(out, &self.secret_coming);
        if let Some(named) = &self.named {
            out.extend(named.letters());
        }
    }

    fn restored(from: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut is_set: [u8; 4] = from.take("setting.kinds")?;
        let (has_name, is_gone) = (is_set[0] & NAMED != 0, is_set[0] & GONE != 0);
        is_set[0] &= !(NAMED | GONE);
        let [is_rate, is_grace, is_networks, is_secret] = is_set.map(|one| one == 1);
        let rate = Rate {
            a_second: from.word("setting.rate")?,
            at_once: from.word("setting.rate")?,
            refusals_max: from.word("setting.rate")?,
        };
        let grace = Some(from.long("setting.grace")?).filter(|ns| *ns != u64::MAX);
        let (all, secret) = (networks(from)?, text(from)?);
        let (networks_coming, secret_coming) = (networks(from)?, text(from)?);
        let named = has_name.then(|| from.take::<NAMED_LETTERS>("setting.name"));
        let named = named.transpose()?.map(|letters| Named::of(&letters));
        from.require("setting.name", named != Some(None))?;
        Ok(Self {
            rate: is_rate.then_some(rate),
            grace: is_grace.then_some(grace),
            networks: is_networks.then_some(all),
            secret: is_secret.then_some(secret),
            named: named.flatten(),
            is_gone,
            networks_coming,
            secret_coming,
        })
    }
}

/// Bits of a state's first byte, which earlier versions wrote as 0 or 1: a name stands at its end;
/// the member is gone.
const NAMED: u8 = 2;
const GONE: u8 = 4;

fn networks(from: &mut Reader<'_>) -> Result<Vec<Network>, StateError> {
    let mut all = Vec::new();
    from.list("setting.networks", |from| {
        let (address, bits) = (from.word("setting.network")?, from.word("setting.network")?);
        let network = Network::new(Ipv4Addr::from_bits(address), bits);
        from.require("setting.network", network.is_some())?;
        all.extend(network);
        from.require("setting.networks", all.len() <= NETWORKS_MAX)
    })?;
    Ok(all)
}

fn text(from: &mut Reader<'_>) -> Result<String, StateError> {
    let mut text = String::new();
    from.list("setting.secret", |from| {
        text.push(char::from(from.byte("setting.secret")?));
        from.require("setting.secret", text.len() <= 2 * SECRET_LETTERS_MAX)
    })?;
    Ok(text)
}

impl OrderEntry {
    /// An operator changed something of a member.
    pub(super) fn set(&mut self, event: &Event) {
        let index = usize::from(event.session).wrapping_sub(1);
        if index < self.members.len()
            && let Some(setting) = self.settings.entry(index).or_default().hear(event)
        {
            self.apply(index, setting);
        }
    }

    fn apply(&mut self, index: usize, setting: Setting) {
        let member = &mut self.members[index];
        match setting {
            Setting::Rate(rate) => member.rate = rate,
            Setting::Networks(networks) => member.networks = networks,
            Setting::Secret(_) => {
                self.secrets.insert(index);
            }
            Setting::Name(Named { user, firm }) => (member.user, member.firm) = (user, firm),
            Setting::Gone => {
                self.sessions[index].access.is_gone = true;
                self.kick(index);
            }
            // The sequencer is told of who is there with its new grace: a venue that goes down goes
            // by what it was told.
            Setting::Grace(leave_ns) => {
                member.leave_ns = Some(leave_ns.unwrap_or(i64::MAX as u64));
                if self.sessions[index].slot.is_some() {
                    self.sessions[index].is_told_here = false;
                    self.telling.insert(index);
                }
            }
        }
    }

    /// The next member whose password has another hash since it was last told, counted from 0, and
    /// the hash.
    pub fn secret(&mut self) -> Option<(u16, &str)> {
        let index = self.secrets.from(0)?;
        self.secrets.remove(index);
        let settings = self.settings.get(&index)?;
        Some((index as u16, settings.secret.as_deref()?))
    }

    /// Writes what was changed of members; nothing if nothing was.
    pub(super) fn settings_state(&self, out: &mut Vec<u8>) {
        if self.settings.is_empty() {
            return;
        }
        list(out, self.settings.iter(), |out, (index, settings)| {
            out.extend((*index as u16).to_le_bytes());
            settings.state(out);
        });
    }

    /// Takes it, if bytes are left.
    pub(super) fn settings_restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError> {
        if from.end().is_ok() {
            return Ok(());
        }
        let members = self.members.len();
        from.list("settings", |from| {
            let index = usize::from(from.short("setting.member")?);
            from.require("setting.member", index < members)?;
            let settings = Settings::restored(from)?;
            for setting in settings.all() {
                self.apply(index, setting);
            }
            self.settings.insert(index, settings);
            Ok(())
        })
    }
}
