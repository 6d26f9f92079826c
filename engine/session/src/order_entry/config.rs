//! What an [`OrderEntry`](super::OrderEntry) is built from, and what can be wrong with it.

use super::access::PASSWORD_LETTERS;
use super::{DropCopy, Rate};
use crate::Network;
use crate::SECOND_NS;

/// The most members (each is one session) of a venue.
pub const MEMBERS_MAX: usize = 4_096;
/// The most connections at a time.
pub const CONNECTIONS_MAX: usize = 4_096;
/// The least room for bytes that came and were not read yet: more than two of the longest packets.
pub const INBOUND_BYTES_MIN: usize = 2_048;
/// The least bytes of a reply store.
pub const STORE_BYTES_MIN: usize = 4_096;

/// The fewest replies of a store.
const STORE_MESSAGES_MIN: usize = 16;

/// One member: session number `n` is the `n`th of the list, from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// User name, at most 6 letters.
    pub user: String,
    /// Password, at most 10 letters; not looked at where passwords are judged elsewhere.
    pub password: String,
    /// Where it may log in from; from anywhere if there are none.
    pub networks: Vec<Network>,
    /// How fast it may send.
    pub rate: Rate,
    /// After how many nanoseconds its orders leave when its connection ends; never if none.
    pub leave_ns: Option<u64>,
    /// The firm's four letters, which an order may repeat in tag 2.
    pub firm: [u8; 4],
}

/// Sizes and times; all memory follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of the day's session, as it goes into Login Accepted: left-aligned, padded with spaces.
    pub session: [u8; 10],
    /// The most connections at a time, logged in or not.
    pub connections: usize,
    /// The highest symbol number that can be defined.
    pub symbols: u16,
    /// Bytes that wait to be read, for each connection; it takes twice as many of memory.
    pub inbound_bytes: usize,
    /// Bytes of one member's newest replies, 3 for each reply included.
    pub store_bytes: usize,
    /// The most replies to one member that are at hand.
    pub store_messages: usize,
    /// Orders of one member that the engine has not answered yet.
    pub echoes: usize,
    /// Whether upper and lower case differ in user names and passwords.
    pub case_matters: bool,
    /// Passwords are not compared here: each login is a [`Question`](super::Question).
    pub asks_elsewhere: bool,
    /// A user that is logged in stays so, and its second login is refused; else the second one
    /// takes the place of the first.
    pub refuses_second: bool,
    /// Wrong passwords in a row that lock a user; 0: any number.
    pub failures_max: u32,
    /// How long that lock lasts.
    pub lock_ns: u64,
    /// The most connections from one address.
    pub connections_an_address: usize,
    /// Silence after which a heartbeat is sent.
    pub heartbeat_ns: u64,
    /// Silence after which the other side is taken for dead.
    pub silence_ns: u64,
    /// Time a new connection has for its login.
    pub login_ns: u64,
    /// Time a connection with unsent replies may go without taking a byte.
    pub stall_ns: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            session: *b"0000000001",
            connections: 64,
            symbols: 1_024,
            inbound_bytes: 16_384,
            store_bytes: 16 << 20,
            store_messages: 1 << 18,
            echoes: 1_024,
            case_matters: false,
            asks_elsewhere: false,
            refuses_second: false,
            failures_max: 0,
            lock_ns: 0,
            connections_an_address: CONNECTIONS_MAX,
            heartbeat_ns: SECOND_NS,
            silence_ns: 15 * SECOND_NS,
            login_ns: 15 * SECOND_NS,
            stall_ns: 30 * SECOND_NS,
        }
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// There is no member, or more than [`MEMBERS_MAX`].
    Members(usize),
    /// A user name is empty, too long, has spaces or other than printable letters.
    User(String),
    /// The password of this user is too long, has spaces or other than printable letters.
    Password(String),
    /// Two members have this user name.
    UserTwice(String),
    /// This field is outside its limits: its name, the value, the least and the greatest good
    /// value.
    Size(&'static str, usize, usize, usize),
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Members(count) => {
                write!(out, "{count} members: list between 1 and {MEMBERS_MAX}")
            }
            Self::User(user) => {
                write!(
                    out,
                    "user name {user:?}: use 1 to 6 printable letters without spaces"
                )
            }
            Self::Password(user) => write!(
                out,
                "password of user {user:?}: use 1 to 10 printable letters without spaces"
            ),
            Self::UserTwice(user) => write!(out, "user name {user:?} is listed twice"),
            Self::Size(name, value, least, most) => {
                write!(out, "{name} is {value}: choose between {least} and {most}")
            }
        }
    }
}

impl core::error::Error for ConfigError {}

impl Config {
    /// Checks sizes and members against the limits.
    ///
    /// # Errors
    /// The first thing found wrong.
    pub fn check(&self, members: &[Member]) -> Result<(), ConfigError> {
        if members.is_empty() || members.len() > MEMBERS_MAX {
            return Err(ConfigError::Members(members.len()));
        }
        let sizes = [
            ("connections", self.connections, 1, CONNECTIONS_MAX),
            (
                "symbols",
                usize::from(self.symbols),
                1,
                usize::from(u16::MAX),
            ),
            (
                "inbound_bytes",
                self.inbound_bytes,
                INBOUND_BYTES_MIN,
                1 << 24,
            ),
            (
                "store_bytes",
                self.store_bytes,
                STORE_BYTES_MIN,
                u32::MAX as usize,
            ),
            (
                "store_messages",
                self.store_messages,
                STORE_MESSAGES_MIN,
                1 << 28,
            ),
            ("echoes", self.echoes, 1, 1 << 20),
            (
                "connections_an_address",
                self.connections_an_address,
                1,
                CONNECTIONS_MAX,
            ),
        ];
        for (name, value, least, most) in sizes {
            if value < least || value > most {
                return Err(ConfigError::Size(name, value, least, most));
            }
        }
        self.check_copies(members, &[])
    }

    /// Checks drop copies, towards the members too.
    pub(super) fn check_copies(
        &self,
        members: &[Member],
        copies: &[DropCopy],
    ) -> Result<(), ConfigError> {
        let count = members.len() + copies.len();
        if count > MEMBERS_MAX {
            return Err(ConfigError::Members(count));
        }
        for copy in copies {
            if copy.store_messages < STORE_MESSAGES_MIN {
                let (found, least) = (copy.store_messages, STORE_MESSAGES_MIN);
                return Err(ConfigError::Size("store_messages", found, least, 1 << 28));
            }
            let (bytes, most) = (copy.store_bytes, u32::MAX as usize);
            if !(STORE_BYTES_MIN..=most).contains(&bytes) {
                return Err(ConfigError::Size(
                    "store_bytes",
                    bytes,
                    STORE_BYTES_MIN,
                    most,
                ));
            }
        }
        let members = members.iter().map(|it| (&it.user, &it.password));
        let copies = copies.iter().map(|it| (&it.user, &it.password));
        self.check_names(&members.chain(copies).collect::<Vec<_>>())
    }

    /// Checks user names and passwords.
    fn check_names(&self, logins: &[(&String, &String)]) -> Result<(), ConfigError> {
        let good = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_graphic())
        };
        for (index, &(user, password)) in logins.iter().enumerate() {
            if !good(user, 6) {
                return Err(ConfigError::User(user.clone()));
            }
            if !self.asks_elsewhere && !good(password, PASSWORD_LETTERS) {
                return Err(ConfigError::Password(user.clone()));
            }
            let same =
                |other: &(&String, &String)| self.same_letters(other.0.as_bytes(), user.as_bytes());
            if logins[..index].iter().any(same) {
                return Err(ConfigError::UserTwice(user.clone()));
            }
        }
        Ok(())
    }

    pub(super) fn same_letters(&self, one: &[u8], other: &[u8]) -> bool {
        if self.case_matters {
            one == other
        } else {
            one.eq_ignore_ascii_case(other)
        }
    }
}
