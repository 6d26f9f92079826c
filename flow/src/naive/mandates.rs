//! Mandates: session numbers that a user has for accounts beside its first one.

use wire::ring::{Command, Event, EventKind, MAY_ENTER, MAY_TRADE, Reason};

use super::{Naive, Session, increments};
use crate::answer::about;
use crate::book::Resting;

/// The most mandates of a user.
const MANDATES_MAX: usize = 32;

impl Naive {
    /// Whose a session number is.
    pub(super) fn user_of(&self, session: u16) -> u16 {
        self.sessions.get(&session).map_or(session, |one| one.user)
    }

    /// A user's own number and those of its mandates, or a mandate's alone.
    pub(super) fn numbers_of(&self, session: u16) -> impl Iterator<Item = u16> + '_ {
        let all = self.sessions.iter();
        let is_of = move |number: u16, one: &Session| number == session || one.user == session;
        all.filter(move |(number, one)| is_of(**number, one))
            .map(|(number, _)| *number)
    }

    /// The live order that a session, or one of its mandates, calls so.
    pub(super) fn find(&self, session: u16, user_ref: u32) -> Option<Resting> {
        let mut numbers = self.numbers_of(session);
        numbers.find_map(|number| self.books.find(number, user_ref))
    }

    /// The last reference of a user's accepted orders.
    pub(super) fn user_ref_last(&self, user: u16) -> u32 {
        self.sessions.get(&user).map_or(0, |one| one.user_ref_last)
    }

    pub(super) fn may_enter(&self, session: u16) -> bool {
        let session = self.sessions.get(&session);
        session.is_none_or(|session| session.may & MAY_ENTER != 0)
    }

    pub(super) fn grant(&mut self, command: &Command) -> Event {
        match self.granted(command) {
            Ok(number) => Event {
                session: number,
                old_user_ref: command.session.into(),
                quantity: command.flags.into(),
                ..about(command, EventKind::Granted, Reason::None)
            },
            Err(reason) => about(command, EventKind::Refused, reason),
        }
    }

    fn granted(&mut self, command: &Command) -> Result<u16, Reason> {
        let (user, account, may) = (command.session, command.user_ref, command.flags);
        if !self.offers(increments::MANDATES) || may & !MAY_TRADE != 0 {
            return Err(Reason::InvalidField);
        }
        let session = self.sessions.get(&user).filter(|one| one.user == user);
        let session = session.ok_or(Reason::UnknownSession)?;
        let (mode, free_refs) = (session.mode, session.free_refs);
        let known = self
            .numbers_of(user)
            .find(|number| self.account(*number) == Some(account));
        let number = match known {
            Some(number) => number,
            None if may == 0 => return Err(Reason::WrongAccount),
            None if free_refs => return Err(Reason::Unsupported),
            None => {
                let free = (user..=u16::MAX).find(|number| !self.sessions.contains_key(number));
                let is_full = self.numbers_of(user).count() > MANDATES_MAX;
                let number = free.filter(|_| !is_full).ok_or(Reason::TableFull)?;
                self.check_room()?;
                let mandate = Session::new(user, account, mode, false);
                self.sessions.insert(number, mandate);
                self.kill_with(user, number);
                number
            }
        };
        if let Some(session) = self.sessions.get_mut(&number) {
            session.may = may;
        }
        Ok(number)
    }
}
