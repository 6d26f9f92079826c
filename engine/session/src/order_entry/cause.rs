//! Why a connection was closed, and how often each happened.

use wire::ring::{Event, EventKind, Reason};

/// What was wrong with the bytes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Malformed {
    /// A packet of length 0: not even a type.
    PacketEmpty,
    /// A packet longer than any that is taken.
    PacketLong,
    /// A packet type that members do not send.
    PacketUnknown,
    /// The first packet was no login.
    LoginExpected,
    /// A second login on one connection.
    LoginTwice,
    /// A login of a wrong length.
    LoginLength,
    /// An order entry message of an unknown type.
    MessageUnknown,
    /// An order entry message of a wrong length, or with fields that do not fit into it.
    MessageLength,
}

/// Why a connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Unknown user or wrong password.
    NotAuthorized,
    /// Another session, or a place in the sequence that does not exist, was asked for.
    SessionUnavailable,
    /// Too many logins were asked for at once.
    LoginsBusy,
    /// The user is logged in already, and that login stays.
    AlreadyLoggedIn,
    /// No login in time, or none before the day ended.
    LoginLate,
    /// Nothing was heard for too long.
    Silent,
    /// Replies were not taken for too long.
    Stalled,
    /// The same user logged in again: the newer connection wins, because the older one is
    /// probably dead and the member must not wait until that shows.
    Superseded,
    /// The member logged out.
    LoggedOut,
    /// The session ended and all replies were sent.
    Ended,
    /// The member sent far more than its rate allows.
    Throttled,
    /// An operator asked for it.
    Kicked,
    /// Its next reply is not in memory any more, and cannot be read where it is kept, if it is.
    Unreadable,
    /// The bytes make no sense.
    Malformed(Malformed),
}

/// How many connections were closed for each cause, and what else happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections taken.
    pub opened: u64,
    /// Connections refused because the table was full.
    pub refused: u64,
    /// Connections refused because of where they came from: nobody may log in from there, or there
    /// are as many from there as may be.
    pub refused_address: u64,
    /// Logins accepted.
    pub logins: u64,
    /// Connections that the other side closed.
    pub closed_by_peer: u64,
    /// Closed: [`Cause::NotAuthorized`].
    pub not_authorized: u64,
    /// Closed: [`Cause::SessionUnavailable`].
    pub session_unavailable: u64,
    /// Logins refused as not authorized because nobody may log in as this user from there.
    pub wrong_address: u64,
    /// Users that were locked for too many wrong passwords.
    pub locks: u64,
    /// Logins refused as not authorized because the user was locked.
    pub locked_out: u64,
    /// Closed: [`Cause::LoginsBusy`].
    pub logins_busy: u64,
    /// Closed: [`Cause::AlreadyLoggedIn`].
    pub already_logged_in: u64,
    /// Closed: [`Cause::LoginLate`].
    pub login_late: u64,
    /// Closed: [`Cause::Silent`].
    pub silent: u64,
    /// Closed: [`Cause::Stalled`].
    pub stalled: u64,
    /// Closed: [`Cause::Superseded`].
    pub superseded: u64,
    /// Closed: [`Cause::LoggedOut`].
    pub logged_out: u64,
    /// Closed: [`Cause::Ended`].
    pub ended: u64,
    /// Messages refused because the member sent more than its rate allows.
    pub throttled_messages: u64,
    /// Closed: [`Cause::Throttled`].
    pub throttled: u64,
    /// Orders that came again and were answered as before.
    pub repeats: u64,
    /// Orders refused because the venue was overloaded.
    pub overloaded: u64,
    /// Orders refused because the member may not act for the account that they name.
    pub wrong_account: u64,
    /// Orders and cancels refused because the member may not do that for their account.
    pub not_permitted: u64,
    /// Closed: [`Cause::Kicked`].
    pub kicked: u64,
    /// Closed: [`Cause::Unreadable`].
    pub unreadable: u64,
    /// Closed: [`Cause::Malformed`], in the order of [`Malformed`].
    pub malformed: [u64; 8],
    /// Commands that the sink took.
    pub commands: u64,
    /// Times that reading stopped because the sink or a table of commands under way was full; not
    /// because a member did not take its answers.
    pub held_back: u64,
    /// Bytes that came and were never read because the connection ended first.
    pub bytes_unread: u64,
    /// Modify messages, which are ignored.
    pub modifies_ignored: u64,
    /// Symbols whose number is beyond the configured highest one: orders cannot name them.
    pub symbols_beyond: u64,
    /// Replies to a member that is not in the list, or without its order: the log is another
    /// venue's.
    pub replies_lost: u64,
    /// Connections, and members with an order that must follow, that turns looked at.
    pub looks: u64,
}

impl Counters {
    /// Counts an order that was refused for its account.
    pub(super) fn note_rejection(&mut self, event: &Event) {
        if event.kind != EventKind::Rejected as u8 {
            return;
        }
        match Reason::from_byte(event.reason) {
            Some(Reason::WrongAccount) => self.wrong_account += 1,
            Some(Reason::NotPermitted) => self.not_permitted += 1,
            _ => {}
        }
    }

    pub(super) fn closed(&mut self, cause: Cause) {
        let counter = match cause {
            Cause::NotAuthorized => &mut self.not_authorized,
            Cause::SessionUnavailable => &mut self.session_unavailable,
            Cause::LoginsBusy => &mut self.logins_busy,
            Cause::AlreadyLoggedIn => &mut self.already_logged_in,
            Cause::LoginLate => &mut self.login_late,
            Cause::Silent => &mut self.silent,
            Cause::Stalled => &mut self.stalled,
            Cause::Superseded => &mut self.superseded,
            Cause::LoggedOut => &mut self.logged_out,
            Cause::Ended => &mut self.ended,
            Cause::Throttled => &mut self.throttled,
            Cause::Kicked => &mut self.kicked,
            Cause::Unreadable => &mut self.unreadable,
            Cause::Malformed(malformed) => &mut self.malformed[malformed as usize],
        };
        *counter += 1;
    }
}
