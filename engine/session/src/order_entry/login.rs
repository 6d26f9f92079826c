//! Logins: asked for, judged here or elsewhere, and decided.
//!
//! Whoever is refused learns as little as can be: an unknown user, a wrong password, a wrong
//! address and a lock are all "not authorized". Where passwords are hashed the tile that reads must
//! not spend the time of it: the login becomes a [`Question`], and its connection waits for the
//! [`Answer`] without being read.

use crate::challenge::{Key, NONCE_BYTES, Nonces, greeting};
use wire::soup::{LoginRequest, number, number_text};
use wire::trimmed;

use super::access::{PASSWORD_LETTERS, is_password, may_come};
use super::connection::Connection;
use super::read::Step;
use super::{Cause, OrderEntry};

/// What is said, in a debug packet, to a login that nobody had the time to judge.
const BUSY: &[u8] = b"too many logins at once: try again";

/// What is said to a second login where the first one stays.
const TAKEN: &[u8] = b"this user is logged in already";

const _: () = assert!(BUSY.len() <= super::SAY_BYTES_MAX && TAKEN.len() <= super::SAY_BYTES_MAX);

/// A login that waits for its answer.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// Which login this is: an answer to another one is none.
    number: u64,
    /// Whose name it has.
    index: Option<usize>,
    request: LoginRequest,
    nonce: [u8; NONCE_BYTES],
}

/// A login whose password is to be judged elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The connection.
    pub conn: u32,
    /// Which login this is, of all.
    pub number: u64,
    /// Whose password is to be compared, counted from 0 and the members first; none if nobody has
    /// that name, which must take as long to find wrong.
    pub login: Option<u16>,
    /// The letters, with spaces behind them; capitals unless case matters.
    pub password: [u8; PASSWORD_LETTERS],
    /// What the connection was greeted with, if connections are.
    pub nonce: [u8; NONCE_BYTES],
    /// The session that the login asks for, as it has it.
    pub session: [u8; 10],
}

/// What became of a [`Question`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is the password.
    Right,
    /// It is not.
    Wrong,
    /// Nobody has the time to look.
    Busy,
}

impl OrderEntry {
    /// From now on greets each connection with a number for who proves a key; the seed is used for
    /// nothing else, and never again.
    pub fn greet(&mut self, seed: Key) {
        self.nonces = Some(Nonces::new(seed));
    }

    /// Greets a connection that just came.
    pub(super) fn challenge(&mut self, connection: &mut Connection, now_ns: u64) {
        if let Some(nonces) = &mut self.nonces {
            connection.nonce = nonces.take(now_ns);
            connection.control(b'+', &greeting(&connection.nonce));
        }
    }

    /// The next login that is to be judged elsewhere, each once.
    pub fn question(&mut self) -> Option<Question> {
        let slot = self.lists.asking.from(0)?;
        self.lists.asking.remove(slot);
        let connection = self.connections[slot].as_ref()?;
        let asked = connection.asked?;
        let mut password = left(&asked.request);
        if !self.config.case_matters {
            password.make_ascii_uppercase();
        }
        Some(Question {
            conn: connection.id,
            number: asked.number,
            login: asked.index.map(|index| index as u16),
            password,
            nonce: asked.nonce,
            session: asked.request.session,
        })
    }

    /// Takes an answer; one that comes too late changes nothing.
    pub fn answered(&mut self, conn: u32, number: u64, answer: Answer, now_ns: u64) {
        let Some(slot) = self.slot(conn) else { return };
        let Some(mut connection) = self.connections[slot].take() else {
            return;
        };
        // A connection that is over, but was not closed yet, must not log anybody in.
        let is_over = connection.cause.is_some();
        let asked = connection.asked.take_if(|asked| asked.number == number);
        if let Some(asked) = asked.filter(|_| !is_over) {
            let step = match answer {
                Answer::Busy => refused(&mut connection, b'S', BUSY, Cause::LoginsBusy),
                _ => self.decide(
                    &mut connection,
                    slot,
                    &asked,
                    answer == Answer::Right,
                    now_ns,
                ),
            };
            if let Step::Close(cause) = step {
                self.shut(&mut connection, slot, cause, now_ns);
            }
            // What came behind the login is read with the next turn.
            connection.held = connection.cause.is_none();
        }
        self.connections[slot] = Some(connection);
        self.settle(slot, now_ns);
    }

    pub(super) fn login(
        &mut self,
        connection: &mut Connection,
        slot: usize,
        request: &LoginRequest,
        now_ns: u64,
    ) -> Step {
        self.logins_asked += 1;
        let asked = Asked {
            number: self.logins_asked,
            index: self.named(request),
            request: *request,
            nonce: connection.nonce,
        };
        if self.config.asks_elsewhere {
            connection.asked = Some(asked);
            self.lists.asking.insert(slot);
            return Step::Asked;
        }
        let is_right = self.is_known(&asked);
        self.decide(connection, slot, &asked, is_right, now_ns)
    }

    /// The member or drop copy of this name. All names are looked at: how long it takes does not
    /// tell whether there is one.
    fn named(&self, request: &LoginRequest) -> Option<usize> {
        let user = trimmed(&request.username);
        let members = self.members.iter().map(|it| &it.user);
        let names = members.chain(self.drop_copies.iter().map(|it| &it.user));
        names.enumerate().fold(None, |found, (index, name)| {
            let is_it = self.config.same_letters(name.as_bytes(), user);
            if is_it { Some(index) } else { found }
        })
    }

    /// Whether it is the password that is known here; a user that does not exist has one, too.
    fn is_known(&self, asked: &Asked) -> bool {
        let index = asked.index.unwrap_or(0);
        let stored = match index.checked_sub(self.members.len()) {
            None => &self.members[index].password,
            Some(copy) => &self.drop_copies[copy].password,
        };
        let given = left(&asked.request);
        is_password(stored, &given, self.config.case_matters) && asked.index.is_some()
    }

    /// Lets a login in or says no.
    fn decide(
        &mut self,
        connection: &mut Connection,
        slot: usize,
        asked: &Asked,
        is_right: bool,
        now_ns: u64,
    ) -> Step {
        let known = asked
            .index
            .filter(|index| self.may_log_in(*index, connection, is_right, now_ns));
        let Some(index) = known else {
            return refused(connection, b'A', &[], Cause::NotAuthorized);
        };
        let Some(next) = self.place(index, &asked.request) else {
            return refused(connection, b'S', &[], Cause::SessionUnavailable);
        };
        if let Some(old) = self.sessions[index].slot {
            if self.config.refuses_second {
                return refused(connection, b'S', TAKEN, Cause::AlreadyLoggedIn);
            }
            if let Some(mut superseded) = self.connections[old].take() {
                self.shut(&mut superseded, old, Cause::Superseded, now_ns);
                self.connections[old] = Some(superseded);
                self.settle(old, now_ns);
            }
        }
        self.sessions[index].slot = Some(slot);
        self.presence_changed(index);
        self.counters.logins += 1;
        let mut accepted = [0; 30];
        accepted[..10].copy_from_slice(&self.config.session);
        accepted[10..].copy_from_slice(&number_text(next));
        connection.control(b'A', &accepted);
        connection.session = Some(index);
        connection.start_at(next, &self.sessions[index].store, now_ns);
        Step::Taken
    }

    /// Whether a user that exists may come in: from there, unlocked, with the right password.
    /// Wrong passwords from where it may not come from do not count: nobody locks a pinned user
    /// out from elsewhere.
    fn may_log_in(
        &mut self,
        index: usize,
        connection: &Connection,
        is_right: bool,
        now_ns: u64,
    ) -> bool {
        if !may_come(self.networks(index), connection.peer) {
            self.counters.wrong_address += 1;
            return false;
        }
        let access = &mut self.sessions[index].access;
        if access.is_locked(now_ns) {
            self.counters.locked_out += 1;
            return false;
        }
        if is_right {
            access.succeeded();
        } else if access.failed(&self.config, now_ns) {
            self.counters.locks += 1;
        }
        is_right
    }

    /// Number of the first reply to be sent: 0 asks for the most recent one and all that follow.
    /// What lies beyond the next reply does not exist, and whoever asks for it must be told that
    /// this is not the stream it read before.
    fn place(&self, index: usize, request: &LoginRequest) -> Option<u64> {
        let session = trimmed(&request.session);
        if !session.is_empty() && session != trimmed(&self.config.session) {
            return None;
        }
        let store = &self.sessions[index].store;
        let next = match number(&request.sequence)? {
            0 => store.count().max(1),
            wanted => wanted,
        };
        let kept = if self.are_kept {
            u64::MAX
        } else {
            store.covered()
        };
        let is_elsewhere = (1..=kept.min(store.count())).contains(&next);
        (is_elsewhere || store.start(next).is_some()).then_some(next)
    }
}

/// The letters of a password, spaces behind them.
fn left(request: &LoginRequest) -> [u8; PASSWORD_LETTERS] {
    let mut password = [b' '; PASSWORD_LETTERS];
    let letters = trimmed(&request.password);
    password[..letters.len()].copy_from_slice(letters);
    password
}

/// Says no to a login, in words too if there are any.
fn refused(connection: &mut Connection, letter: u8, why: &[u8], cause: Cause) -> Step {
    if !why.is_empty() {
        connection.control(b'+', why);
    }
    connection.control(b'J', &[letter]);
    Step::Close(cause)
}
