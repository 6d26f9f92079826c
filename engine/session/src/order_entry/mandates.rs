//! Which accounts members act for, and what they may do for each, as the engine tells it.
//!
//! A member's own number is its place in the list; for each further account the engine gives it
//! another one. An order names its account by an optional element and goes under that account's
//! number; what comes later about the order goes under the number that the order has.

use wire::ouch::{Tag, Tags};
use wire::ring::{Event, MAY_CANCEL, MAY_TRADE, Reason};

use super::OrderEntry;
use super::accepted::find;
use super::read::number_of;
use super::session::Session;
use crate::state::{Reader, StateError, list};

/// What a session number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mandate {
    number: u16,
    /// The member's place.
    index: u16,
    account: u32,
    may: u8,
}

/// All that was granted, by number; of members' own numbers only what is not usual.
#[derive(Default)]
pub(super) struct Mandates(Vec<Mandate>);

impl Mandates {
    fn of(&self, number: u16) -> Option<&Mandate> {
        let place = self.0.binary_search_by_key(&number, |one| one.number);
        place.ok().and_then(|place| self.0.get(place))
    }

    fn put(&mut self, mandate: Mandate) {
        match self
            .0
            .binary_search_by_key(&mandate.number, |one| one.number)
        {
            Ok(place) => self.0[place] = mandate,
            Err(place) => self.0.insert(place, mandate),
        }
    }

    /// What may be done under a number.
    fn may(&self, number: u16) -> u8 {
        self.of(number).map_or(MAY_TRADE, |mandate| mandate.may)
    }

    /// The number that a member has for an account beside its first one.
    fn number(&self, index: usize, account: u32) -> Option<u16> {
        let is_it = |one: &&Mandate| usize::from(one.index) == index && one.account == account;
        self.0.iter().find(is_it).map(|one| one.number)
    }
}

/// The account that an order names: of an element that comes twice the last one counts.
pub(super) fn account_named(tags: Tags<'_>) -> Option<u32> {
    tags.filter_map(|tag| match tag {
        Tag::Account(account) => Some(account),
        _ => None,
    })
    .last()
}

impl OrderEntry {
    /// The member whose number it is.
    pub(super) fn member_of(&self, number: u16) -> Option<usize> {
        let index = usize::from(number).wrapping_sub(1);
        if index < self.members.len() {
            return Some(index);
        }
        self.mandates
            .of(number)
            .map(|mandate| usize::from(mandate.index))
    }

    /// The account of orders under a number of a member.
    pub(super) fn account_of(&self, index: usize, number: u16) -> Option<u32> {
        if number == number_of(index) {
            return self.sessions[index].account;
        }
        self.mandates.of(number).map(|mandate| mandate.account)
    }

    /// A grant was taken.
    pub(super) fn granted(&mut self, event: &Event) {
        let user = u16::try_from(event.old_user_ref).unwrap_or(0);
        let index = user.wrapping_sub(1);
        if usize::from(index) < self.members.len() {
            self.mandates.put(Mandate {
                number: event.session,
                index,
                account: event.user_ref,
                may: event.quantity as u8,
            });
        }
    }

    /// The number that a new order goes under: that of the account it names, the member's own if it
    /// names none.
    pub(super) fn number_new(&self, index: usize, tags: Tags<'_>) -> Result<u16, Reason> {
        let own = self.sessions[index].account;
        match account_named(tags) {
            Some(account) if own != Some(account) => self
                .mandates
                .number(index, account)
                .ok_or(Reason::WrongAccount),
            _ => Ok(number_of(index)),
        }
    }

    /// The number that an order has, as far as that is known; else the member's own, by which the
    /// engine finds it whatever its account.
    pub(super) fn number_of_order(&self, index: usize, user_ref: u32) -> u16 {
        let known = self.sessions[index].mandated(user_ref);
        known.unwrap_or(number_of(index))
    }

    /// The number that a replacement goes under: that of the order, whose account it may name again
    /// and not change.
    pub(super) fn number_kept(
        &self,
        index: usize,
        old_user_ref: u32,
        tags: Tags<'_>,
    ) -> Result<u16, Reason> {
        let named = account_named(tags)
            .map(|_| self.number_new(index, tags))
            .transpose()?;
        let known = self.sessions[index].number_known(old_user_ref, number_of(index));
        match (named, known) {
            (Some(named), Some(known)) if named != known => Err(Reason::WrongAccount),
            (Some(number), _) => Ok(number),
            (None, _) => Ok(self.number_of_order(index, old_user_ref)),
        }
    }

    /// Whether orders under a number may be cancelled by their member.
    pub(super) fn may_cancel(&self, number: u16) -> bool {
        self.mandates.may(number) & MAY_CANCEL != 0
    }

    /// Writes what was granted, and the numbers of orders.
    pub(super) fn mandates_state(&self, out: &mut Vec<u8>) {
        list(out, self.mandates.0.iter(), |out, mandate| {
            let Mandate {
                number,
                index,
                account,
                may,
            } = *mandate;
            out.extend(number.to_le_bytes());
            out.extend(index.to_le_bytes());
            out.extend(account.to_le_bytes());
            out.extend([may]);
        });
        for session in &self.sessions[..self.members.len()] {
            session.mandated_state(out);
        }
    }

    /// Takes it, if bytes are left: earlier versions wrote nothing where nothing was granted.
    pub(super) fn mandates_restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError> {
        if from.end().is_ok() {
            return Ok(());
        }
        let members = self.members.len();
        let mut last = 0;
        from.list("mandates", |from| {
            let mandate = Mandate {
                number: from.short("mandate.number")?,
                index: from.short("mandate.member")?,
                account: from.word("mandate.account")?,
                may: from.byte("mandate.may")?,
            };
            from.require("mandate.number", mandate.number > last)?;
            from.require("mandate.member", usize::from(mandate.index) < members)?;
            last = mandate.number;
            self.mandates.0.push(mandate);
            Ok(())
        })?;
        let mut sessions = self.sessions[..members].iter_mut();
        sessions.try_for_each(|session| session.mandated_restore(from))
    }
}

impl Session {
    /// The number of an order of the member: of one that was accepted under another number than the
    /// member's own, or of the only one under way that is called so.
    fn mandated(&self, user_ref: u32) -> Option<u16> {
        let of = |(user_ref, _): &(u32, u16)| *user_ref;
        let accepted = find(&self.mandated, user_ref, of).map(|place| self.mandated[place].1);
        accepted.or_else(|| self.number_under_way(user_ref))
    }

    /// The same, also where it is the member's own.
    fn number_known(&self, user_ref: u32, own: u16) -> Option<u16> {
        let is_accepted = self.letters_of(user_ref).is_some();
        self.mandated(user_ref).or(is_accepted.then_some(own))
    }

    /// Notes the number of an order that was accepted, if it is not the member's own.
    pub(super) fn accept_under(&mut self, user_ref: u32, number: u16, own: u16) {
        if number != own {
            self.mandated.push((user_ref, number));
        }
    }

    fn mandated_state(&self, out: &mut Vec<u8>) {
        list(out, self.mandated.iter(), |out, (user_ref, number)| {
            out.extend(user_ref.to_le_bytes());
            out.extend(number.to_le_bytes());
        });
        list(out, self.echo_numbers(), |out, number| {
            out.extend(number.to_le_bytes());
        });
    }

    fn mandated_restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError> {
        from.list("mandated", |from| {
            let of = (
                from.word("mandated.user_ref")?,
                from.short("mandated.number")?,
            );
            let is_above = self.mandated.last().is_none_or(|last| last.0 < of.0);
            from.require("mandated.user_ref", is_above)?;
            self.mandated.push(of);
            Ok(())
        })?;
        let mut place = 0;
        from.list("echo.numbers", |from| {
            let number = from.short("echo.number")?;
            let is_one = self.set_echo_number(place, number);
            place += 1;
            from.require("echo.numbers", is_one)
        })
    }
}
