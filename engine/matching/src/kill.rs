//! Kill switches: whose orders leave, and are refused from then on.
//!
//! A session or a symbol that is killed is not plain any more: only such ones come here.

use wire::ring::{Command, Event, EventKind, Reason};

use crate::answers::{about, refused};
use crate::books::Book;
use crate::carry::Carrier;
use crate::engine::Session;
use crate::mass::{ACCOUNT, SESSION, SYMBOL};
use crate::trade::Taker;
use crate::{Engine, Events, Step};

impl Session {
    /// It is killed by itself.
    pub(crate) const KILLED: u8 = 2;
    /// Its account is killed.
    const ACCOUNT_KILLED: u8 = 4;
    /// All are.
    pub(crate) const ALL_KILLED: u8 = 8;
    pub(crate) const ANY_KILL: u8 = Self::KILLED | Self::ACCOUNT_KILLED | Self::ALL_KILLED;
    /// The switches that a snapshot carries by session.
    pub(crate) const KEPT_KILLS: u8 = Self::KILLED | Self::ACCOUNT_KILLED;

    /// Sets or clears a bit.
    pub(crate) fn set(&mut self, bit: u8, is_set: bool) {
        self.extra = self.extra & !bit | if is_set { bit } else { 0 };
    }
}

impl Book {
    /// The symbol is killed.
    pub(crate) const KILLED: u32 = 1 << 8;

    pub(crate) fn is_killed(&self) -> bool {
        self.flags & Self::KILLED != 0
    }
}

/// Switches of those who are not defined yet.
#[derive(Clone, Copy)]
pub(crate) struct Kills {
    /// All sessions are killed.
    pub(crate) all: bool,
    /// Some account was killed once: who is defined looks for its own.
    accounts: bool,
}

impl Kills {
    pub(crate) const NONE: Self = Self {
        all: false,
        accounts: false,
    };
}

impl Kills {
    /// What a snapshot carries; sessions carry the rest.
    pub(crate) fn carry<C: Carrier>(&mut self, to: &mut C) -> Result<(), C::Error> {
        let Self { all, accounts: _ } = self;
        let mut byte = u8::from(*all);
        to.number("all_killed", &mut byte, 0..=1)?;
        *all = byte == 1;
        Ok(())
    }

    /// The bits of a session that was carried with these ones.
    pub(crate) fn restore_bits(&mut self, bits: u8) -> u8 {
        self.accounts |= bits & Session::ACCOUNT_KILLED != 0;
        let all = if self.all { Session::ALL_KILLED } else { 0 };
        bits | all
    }
}

impl Engine<'_> {
    /// Sets or lifts a kill switch.
    #[cold]
    pub(crate) fn kill(&mut self, command: &Command, events: &mut Events) -> Step {
        let kills = command.flags != 0;
        let scope = match self.set_kill(command, kills) {
            Ok(scope) => scope,
            Err(reason) => {
                events.push(refused(command, reason));
                return Step::Done;
            }
        };
        if kills {
            return self.leave_all(command, scope, Reason::Killed, events);
        }
        events.push(Event {
            quantity: 0,
            ..about(command, EventKind::KillChanged, Reason::None)
        });
        Step::Done
    }

    /// Marks whom it is about; gives what of an order must fit.
    fn set_kill(&mut self, command: &Command, kills: bool) -> Result<u8, Reason> {
        let [scope, ..] = command.letters;
        if scope > 3 || command.flags > 1 {
            return Err(Reason::InvalidField);
        }
        match scope {
            0 => {
                self.kills.all = kills;
                self.mark(Session::ALL_KILLED, kills, |_| true);
                Ok(0)
            }
            1 => {
                let account = command.user_ref;
                let bit = Session::ACCOUNT_KILLED;
                if !self.mark(bit, kills, |session| session.account == account) {
                    return Err(Reason::UnknownSession);
                }
                self.kills.accounts |= kills;
                Ok(ACCOUNT)
            }
            2 => {
                if !self.is_defined(command.session) {
                    return Err(Reason::UnknownSession);
                }
                let is_user = self.user_of(command.session) == command.session;
                let mut next = Some(command.session);
                while let Some(number) = next {
                    self.sessions[usize::from(number)].set(Session::KILLED, kills);
                    next = self.next_of(number).filter(|_| is_user);
                }
                Ok(SESSION)
            }
            _ => {
                let book = self.books.books.get_mut(usize::from(command.symbol));
                let book = book.filter(|book| book.is_defined());
                let book = book.ok_or(Reason::UnknownSymbol)?;
                book.set(Book::KILLED, kills);
                Ok(SYMBOL)
            }
        }
    }

    /// Sets or clears a bit of the sessions that are meant; whether there are any.
    fn mark(&mut self, bit: u8, is_set: bool, is_meant: impl Fn(&Session) -> bool) -> bool {
        let mut is_any = false;
        for session in &mut *self.sessions {
            if session.defined != 0 && is_meant(session) {
                session.set(bit, is_set);
                is_any = true;
            }
        }
        is_any
    }

    /// The bits of a session, or a mandate, of an account that is being defined.
    pub(crate) fn kills_of(&self, account: u32) -> u8 {
        let all = if self.kills.all {
            Session::ALL_KILLED
        } else {
            0
        };
        if !self.kills.accounts {
            return all;
        }
        let mut sessions = self.sessions.iter();
        let other = sessions.find(|one| one.defined != 0 && one.account == account);
        all | other.map_or(0, |other| other.extra & Session::ACCOUNT_KILLED)
    }

    /// Whether a kill switch is set for a session, by itself, with its account or with all.
    #[must_use]
    pub fn is_session_killed(&self, session: u16) -> bool {
        let session = self.sessions.get(usize::from(session));
        session.is_some_and(|session| session.extra & Session::ANY_KILL != 0)
    }

    /// Whether an order must not be taken.
    pub(crate) fn is_killed(&self, taker: &Taker) -> bool {
        let session = &self.sessions[usize::from(taker.who.session())];
        session.extra & Session::ANY_KILL != 0 || self.book_of(taker).is_killed()
    }
}
