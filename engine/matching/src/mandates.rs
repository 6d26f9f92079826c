//! Mandates: accounts that a user has beside its first one, and what it may do for each.
//!
//! A mandate is a session number of its own, under which the user enters orders of one more
//! account: so limits, positions, kill switches and self-trade prevention are those of that
//! account, without a look at whose number it is. Only references are the user's: they grow through
//! all of its numbers, and who names one is understood whichever of them its order is under. A
//! session that is a mandate, or may not enter orders, is not plain: the short way never sees one.

use bytemuck::{Pod, Zeroable};
use wire::ring::{Command, Event, EventKind, MAY_ENTER, MAY_TRADE, Reason};

use crate::Engine;
use crate::answers::{about, refused};
use crate::carry::{Carrier, Tag};
use crate::engine::Session;
use crate::reader::{Reader, RestoreError, RestoreFault};
use crate::refs::Found;
use crate::snapshot::Writer;
use crate::trade::Taker;

/// The most accounts that a user has beside its first one.
pub const MANDATES_MAX: usize = 32;

/// What a session number is beside a session.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Mandate {
    /// Whose mandate it is, 0 for a user's own number.
    user: u16,
    /// The user's next mandate, 0 for none.
    next: u16,
    /// Bits in which what it may do differs from what is usual.
    unusual: u16,
}

/// What a user may do for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mandated {
    /// The user's session.
    pub user: u16,
    /// Its number for this account: the same for the first one.
    pub session: u16,
    /// The account.
    pub account: u32,
    /// [`MAY_ENTER`] and its neighbours.
    pub may: u8,
}

impl Mandate {
    const fn may(&self) -> u8 {
        MAY_TRADE ^ self.unusual as u8
    }

    const fn set_may(&mut self, may: u8) {
        self.unusual = (MAY_TRADE ^ may) as u16;
    }

    /// What a snapshot carries.
    fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        // The next one follows from those that come.
        let Self {
            user,
            next: _,
            unusual: _,
        } = self;
        to.any("mandate.user", user)?;
        let mut may = self.may();
        to.bits("mandate.may", &mut may, MAY_TRADE)?;
        self.set_may(may);
        Ok(())
    }
}

impl Session {
    /// It is a mandate: its references are its user's.
    pub(crate) const MANDATE: u8 = 16;
    /// It may not enter orders.
    const NO_ENTRY: u8 = 32;
    pub(crate) const ANY_MANDATE: u8 = Self::MANDATE | Self::NO_ENTRY;
}

impl Engine<'_> {
    /// Whose a session number is: its own user's, or that of the mandate.
    #[inline]
    pub(crate) fn user_of(&self, session: u16) -> u16 {
        match self.mandates[usize::from(session)].user {
            0 => session,
            user => user,
        }
    }

    pub(crate) fn is_defined(&self, session: u16) -> bool {
        let session = self.sessions.get(usize::from(session));
        session.is_some_and(Session::is_defined)
    }

    /// A user's own number and those of its mandates; or a mandate's alone. All are in the tables.
    pub(crate) fn numbers_of(&self, session: u16) -> impl Iterator<Item = u16> + '_ {
        let is_user = self.mandates[usize::from(session)].user == 0;
        core::iter::successors(Some(session), move |number| self.next_of(*number))
            .take_while(move |number| is_user || *number == session)
    }

    /// The next mandate of the same user.
    pub(crate) fn next_of(&self, number: u16) -> Option<u16> {
        let next = self.mandates[usize::from(number)].next;
        (next != 0).then_some(next)
    }

    /// The live order that a session, or one of its mandates, calls so.
    #[inline(always)]
    pub(crate) fn find_order(&self, session: u16, user_ref: u32) -> Option<Found> {
        let found = self.refs.get(self.slab.orders, session, user_ref);
        found.or_else(|| self.find_mandated(session, user_ref))
    }

    /// The same, under the mandates. O([`MANDATES_MAX`]).
    #[inline(never)]
    fn find_mandated(&self, session: u16, user_ref: u32) -> Option<Found> {
        let user = self.sessions.get(usize::from(session))?;
        if !user.has_mandates() {
            return None;
        }
        let mut mandates = self.numbers_of(session).skip(1);
        mandates.find_map(|number| self.refs.get(self.slab.orders, number, user_ref))
    }

    /// Whether an order's session may enter orders.
    pub(crate) fn may_enter(&self, taker: &Taker) -> bool {
        self.sessions[usize::from(taker.who.session())].extra & Session::NO_ENTRY == 0
    }

    /// Says what a user may do for an account.
    #[cold]
    pub(crate) fn grant(&mut self, command: &Command) -> Event {
        match self.granted(command) {
            Ok(number) => Event {
                session: number,
                old_user_ref: command.session.into(),
                quantity: command.flags.into(),
                ..about(command, EventKind::Granted, Reason::None)
            },
            Err(reason) => refused(command, reason),
        }
    }

    /// The number that the user has for the account.
    fn granted(&mut self, command: &Command) -> Result<u16, Reason> {
        let (user, account, may) = (command.session, command.user_ref, command.flags);
        if may & !MAY_TRADE != 0 {
            return Err(Reason::InvalidField);
        }
        if !self.is_defined(user) || self.user_of(user) != user {
            return Err(Reason::UnknownSession);
        }
        let mut numbers = self.numbers_of(user);
        let known = numbers.find(|one| self.sessions[usize::from(*one)].account == account);
        drop(numbers);
        let number = match known {
            Some(number) => number,
            None => self.mandate(user, account, may)?,
        };
        self.mandates[usize::from(number)].set_may(may);
        self.sessions[usize::from(number)].set(Session::NO_ENTRY, may & MAY_ENTER == 0);
        Ok(number)
    }

    /// Makes one more mandate of a user.
    fn mandate(&mut self, user: u16, account: u32, may: u8) -> Result<u16, Reason> {
        let session = self.sessions[usize::from(user)];
        if may == 0 {
            return Err(Reason::WrongAccount);
        }
        if session.has_free_refs() {
            return Err(Reason::Unsupported);
        }
        let above = (user..=u16::MAX).zip(&self.sessions[usize::from(user)..]);
        let free = above.into_iter().find(|(_, one)| !one.is_defined());
        let (number, _) = free
            .filter(|_| self.numbers_of(user).count() <= MANDATES_MAX)
            .ok_or(Reason::TableFull)?;
        let kills = self.kills_of(account);
        let place = self.accounts.join(account, number);
        let place = place.ok_or(Reason::TableFull)?;
        self.sessions[usize::from(number)] = session.mandate(account, place, kills);
        self.link_mandate(user, number);
        Ok(number)
    }

    /// Adds a number behind the others of its user.
    fn link_mandate(&mut self, user: u16, number: u16) {
        let last = self.numbers_of(user).last().unwrap_or(user);
        self.mandates[usize::from(last)].next = number;
        self.mandates[usize::from(number)].user = user;
        self.sessions[usize::from(user)].set_has_mandates();
    }

    /// What users may do for accounts, by session number.
    pub fn mandates(&self) -> impl Iterator<Item = Mandated> + '_ {
        let all = (0..=u16::MAX).zip(self.sessions.iter().zip(self.mandates.iter()));
        let defined = all.filter(|(_, (session, _))| session.is_defined());
        defined.map(|(number, (session, mandate))| Mandated {
            user: self.user_of(number),
            session: number,
            account: session.account,
            may: mandate.may(),
        })
    }

    /// Writes what a session number is beside a plain user's, if it is.
    pub(crate) fn write_mandate(&self, writer: &mut Writer<'_>, number: u16) {
        let mandate = self.mandates[usize::from(number)];
        if mandate.user != 0 || mandate.unusual != 0 {
            writer.record(Tag::Mandate, |to| { mandate }.carry(to));
        }
    }

    /// Reads it, of a session that was just read and is not in its table yet.
    pub(crate) fn restore_mandate(
        &mut self,
        reader: &mut Reader<'_>,
        number: u16,
        session: &mut Session,
    ) -> Result<(), RestoreError> {
        if !reader.is_next(Tag::Mandate) {
            return Ok(());
        }
        let mut mandate = Mandate::zeroed();
        reader.record(Tag::Mandate, |from| mandate.carry(from))?;
        let says = mandate.user != 0 || mandate.unusual != 0;
        reader.require(says, "mandate", RestoreFault::Value)?;
        session.set(Session::NO_ENTRY, mandate.may() & MAY_ENTER == 0);
        self.mandates[usize::from(number)].unusual = mandate.unusual;
        if mandate.user == 0 {
            return Ok(());
        }
        let user = self.sessions.get(usize::from(mandate.user));
        let user = user.filter(|one| one.is_defined() && one.extra & Session::MANDATE == 0);
        let is_user = user.is_some_and(|user| session.is_fit_for(user));
        reader.require(is_user, "mandate.user", RestoreFault::Value)?;
        let room = self.numbers_of(mandate.user).count() <= MANDATES_MAX;
        reader.require(room, "mandate.user", RestoreFault::Room)?;
        session.extra |= Session::MANDATE;
        self.link_mandate(mandate.user, number);
        Ok(())
    }
}
