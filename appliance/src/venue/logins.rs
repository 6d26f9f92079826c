//! Judging logins away from the tiles: an Argon2 hash takes milliseconds and memory on purpose.
//!
//! Two rings lead to the worker and back. A login that finds no room in the first is refused, so
//! that nobody waits behind a flood. An unknown user costs what a wrong password costs: its letters
//! are hashed with somebody's salt, and the outcome is thrown away.

use crate::tiles::{Phase, Signals};
use crate::topology::{Secret, Topology, letters_of};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use bytemuck::{Pod, Zeroable};
use queue::{Error, Reader, Writer, ring_named};
use session::challenge::{KEY_BYTES, Key, NONCE_BYTES};
use session::order_entry::{Answer, PASSWORD_LETTERS, Question, is_password};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Logins that wait for the worker.
const WAITING_MAX: usize = 64;

/// Time between two looks of the worker: far less than a hash takes.
const LOOK: Duration = Duration::from_millis(1);

/// A [`Question`] in a ring, or its answer.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Slip {
    number: u64,
    conn: u32,
    /// 0 for nobody, else a login, counted from 1.
    login: u16,
    password: [u8; PASSWORD_LETTERS],
    /// 1 in the answer to a right password.
    is_right: u8,
    nonce: [u8; NONCE_BYTES],
    session: [u8; 10],
    reserved: u8,
}

/// The gate's ends of the rings to the worker.
pub struct LoginLinks {
    questions: Writer<Slip>,
    answers: Reader<Slip>,
    changes: Sender<(u16, String)>,
}

impl LoginLinks {
    /// Hands on a question; `false` when too many wait already.
    pub(crate) fn ask(&mut self, question: &Question) -> bool {
        let slip = Slip {
            number: question.number,
            conn: question.conn,
            login: question.login.map_or(0, |login| login + 1),
            password: question.password,
            nonce: question.nonce,
            session: question.session,
            ..Slip::zeroed()
        };
        let is_put = self.questions.put(0, &slip).is_ok();
        self.questions.publish();
        is_put
    }

    /// A login proves itself by the password of another hash from now on: a question that is asked
    /// behind this is judged by it. An operator said so, which is rare.
    pub(crate) fn change(&self, login: u16, hash: &str) {
        // Who judges goes when the venue does.
        let _ = self.changes.send((login, hash.to_owned()));
    }

    /// The next answer: of which connection, to which of its logins.
    pub(crate) fn answer(&mut self) -> Option<(u32, u64, Answer)> {
        let (_, slip) = self.answers.pop()?;
        let answer = if slip.is_right == 1 {
            Answer::Right
        } else {
            Answer::Wrong
        };
        Some((slip.conn, slip.number, answer))
    }
}

/// Compares passwords with what a topology knows of them.
pub struct Passwords {
    secrets: Vec<Known>,
    /// What nobody's letters are compared with, if any password is hashed.
    nobody: Option<Box<PasswordHash>>,
}

enum Known {
    Plain(String),
    Hash(Box<PasswordHash>),
    /// Of a user of this name.
    Key([u8; 6], Key),
    /// Nobody proves it.
    Nobody,
}

impl Passwords {
    /// Those of a topology; none if all can be compared at once: no hash, no key.
    #[must_use]
    pub fn of(topology: &Topology) -> Option<Self> {
        if !topology.has_worker() {
            return None;
        }
        let known = |(name, secret): (&str, &Secret)| match secret {
            Secret::Plain(password) => Some(Known::Plain(password.clone())),
            Secret::Hash(hash) => Some(Known::Hash(Box::new(PasswordHash::new(hash).ok()?))),
            Secret::Key(_, key) => Some(Known::Key(wire::padded(name), key.clone()?)),
            Secret::Nobody => Some(Known::Nobody),
        };
        let secrets: Option<Vec<_>> = topology.secrets().map(known).collect();
        let secrets = secrets?;
        let nobody = secrets.iter().find_map(|known| match known {
            Known::Hash(hash) => Some(hash.clone()),
            Known::Plain(_) | Known::Key(..) | Known::Nobody => None,
        });
        Some(Self { secrets, nobody })
    }

    /// Has a login prove itself by the password of a hash; whether that is one.
    pub fn change(&mut self, login: u16, hash: &str) -> bool {
        let known = self.secrets.get_mut(usize::from(login));
        let (Some(known), Ok(hash)) = (known, PasswordHash::new(hash)) else {
            return false;
        };
        *known = Known::Hash(Box::new(hash));
        true
    }

    /// Whether a login proves what it must; one of nobody never does. Takes as long for all.
    #[must_use]
    pub fn is_right(&self, question: &Question) -> bool {
        let password = &question.password;
        let login = question.login.map(usize::from);
        let known = login.and_then(|login| self.secrets.get(login));
        let hash = match known {
            Some(Known::Hash(hash)) => Some(hash),
            _ => self.nobody.as_ref(),
        };
        let letters = wire::trimmed(password);
        let is_hash =
            |hash: &PasswordHash| Argon2::default().verify_password(letters, hash).is_ok();
        let is_hashed = hash.is_some_and(|hash| is_hash(hash));
        let nobody = ([b' '; 6], Key::new([0; KEY_BYTES]));
        let (user, key) = match known {
            Some(Known::Key(user, key)) => (user, key),
            _ => (&nobody.0, &nobody.1),
        };
        let proof = key.letters(&question.nonce, user, &question.session);
        let is_proved = str::from_utf8(&proof).is_ok_and(|it| is_password(it, password, false));
        match known {
            Some(Known::Hash(_)) => is_hashed,
            Some(Known::Key(..)) => is_proved,
            Some(Known::Plain(stored)) => is_password(stored, password, false),
            Some(Known::Nobody) | None => false,
        }
    }
}

/// Judges one login after the other.
pub struct LoginWorker {
    questions: Reader<Slip>,
    answers: Writer<Slip>,
    passwords: Passwords,
    changes: Receiver<(u16, String)>,
}

impl LoginWorker {
    /// Judges the next login; `false` when there is none, or no room for the answer.
    pub fn turn(&mut self) -> bool {
        if !self.answers.has_room(1) {
            return false;
        }
        let Some((_, mut slip)) = self.questions.pop() else {
            return false;
        };
        for (login, hash) in self.changes.try_iter() {
            self.passwords.change(login, &hash);
        }
        let question = Question {
            conn: slip.conn,
            number: slip.number,
            login: slip.login.checked_sub(1),
            password: slip.password,
            nonce: slip.nonce,
            session: slip.session,
        };
        slip.is_right = u8::from(self.passwords.is_right(&question));
        slip.password = [0; PASSWORD_LETTERS];
        let put = self.answers.put(0, &slip);
        self.answers.publish();
        put.is_ok()
    }

    /// Judges logins until the venue stopped.
    pub(super) fn serve(mut self, signals: &Signals) {
        while signals.phase() != Phase::Stopped {
            if !self.turn() {
                std::thread::sleep(LOOK);
            }
        }
    }
}

/// The gate's links and the worker of a topology; none if it has nothing to judge.
pub(super) fn worker_of(topology: &Topology) -> Result<Option<(LoginLinks, LoginWorker)>, Error> {
    let Some(passwords) = Passwords::of(topology) else {
        return Ok(None);
    };
    let (questions_in, questions_out) = ring_named("gate_logins", WAITING_MAX)?;
    let (answers_in, answers_out) = ring_named("logins_gate", WAITING_MAX)?;
    let (changes_in, changes) = channel();
    let links = LoginLinks {
        questions: questions_in,
        answers: answers_out,
        changes: changes_in,
    };
    let worker = LoginWorker {
        questions: questions_out,
        answers: answers_in,
        passwords,
        changes,
    };
    Ok(Some((links, worker)))
}

/// A key of the system's choice.
///
/// # Errors
/// The system has none.
pub fn key_random() -> io::Result<Key> {
    let mut bytes = [0; KEY_BYTES];
    // SAFETY: the pointer is to as many bytes as the second argument says.
    let read = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    // So few bytes come whole, or not at all.
    if usize::try_from(read) == Ok(KEY_BYTES) {
        return Ok(Key::new(bytes));
    }
    Err(io::Error::last_os_error())
}

/// Writes a key into a new file that only its owner may read.
///
/// # Errors
/// The file is there already, or as of the system.
pub fn key_write(file: &Path, key: &Key) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut made = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    writeln!(made, "{}", key.to_text())
}

/// What a topology keeps instead of a password.
///
/// # Errors
/// It is no password, or the system gives no salt.
pub fn hashed(password: &str) -> Result<String, String> {
    let letters = letters_of(password)
        .ok_or_else(|| "a password has 1 to 10 letters or digits".to_owned())?;
    let hash = Argon2::default().hash_password(letters.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| error.to_string())
}
