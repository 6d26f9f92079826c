//! Several members' order entry sessions over one TCP port, kept alive and reconnected.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use crate::topology::key_in;
use crate::venue::logins::key_random;

use nic::{Conn, TcpEvent, TcpPort};
use session::ouch_client::{OuchClient, Reply};
use session::soup_client::{ClientState, SoupConfig};

/// Pause before a member dials again after its connection ended.
const REDIAL_NS: u64 = 100_000_000;
/// Bytes of commands that a member may have queued.
const OUTBOUND_BYTES: usize = 1 << 20;

/// A user name and its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// User name, 1 to 6 letters.
    pub user: String,
    /// Password, at most 10 letters; or a key, 64 hexadecimal digits.
    pub password: String,
}

impl Login {
    /// A user with a new key.
    ///
    /// # Errors
    /// The system gives none, in words.
    pub fn with_new_key(user: &str) -> Result<Self, String> {
        let key = key_random().map_err(|error| format!("a key for {user}: {error}"))?;
        Ok(Self {
            user: user.to_owned(),
            password: key.to_text(),
        })
    }

    /// Reads `USER:PASSWORD`, or `USER:@FILE` with a key's file.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some((user, file)) = text.split_once(":@") {
            return Ok(Self {
                user: user.to_owned(),
                password: key_in(Path::new(file))?.to_text(),
            });
        }
        match text.split_once(':') {
            Some((user, password))
                if !user.is_empty() && user.len() <= 6 && password.len() <= 10 =>
            {
                Ok(Self {
                    user: user.to_owned(),
                    password: password.to_owned(),
                })
            }
            _ => Err(format!(
                "{text:?}: write USER:PASSWORD, with a user of 1 to 6 letters and a password of at \
                 most 10, or USER:@FILE with a key's file"
            )),
        }
    }
}

/// Why a member can do nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberError {
    /// The venue rejected the login with this letter.
    LoginRejected(String, char),
    /// The venue sent what makes no sense.
    Malformed(String),
    /// No socket could be made.
    Socket(String),
}

impl fmt::Display for MemberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoginRejected(user, 'A') => {
                write!(
                    f,
                    "login of {user} rejected (A): unknown user or wrong password"
                )
            }
            Self::LoginRejected(user, letter) => {
                write!(
                    f,
                    "login of {user} rejected ({letter}): the session is not available"
                )
            }
            Self::Malformed(user) => write!(f, "the venue sent {user} bytes that make no sense"),
            Self::Socket(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for MemberError {}

struct Member {
    user: String,
    ouch: OuchClient,
    conn: Option<Conn>,
    redial_ns: u64,
}

/// Members of one venue.
pub struct Members<T> {
    tcp: T,
    address: SocketAddr,
    members: Vec<Member>,
}

impl<T: TcpPort> Members<T> {
    /// Members without a connection; [`Members::poll`] dials. They ask for the day's replies from
    /// number `sequence` on: 1 for all, 0 for none of those before the login.
    #[must_use]
    pub fn new(tcp: T, address: SocketAddr, logins: &[Login], sequence: u64) -> Self {
        let members = logins.iter().map(|login| Member {
            user: login.user.clone(),
            ouch: OuchClient::new(SoupConfig {
                outbound_bytes: OUTBOUND_BYTES,
                sequence,
                ..SoupConfig::new(&login.user, &login.password)
            }),
            conn: None,
            redial_ns: 0,
        });
        Self {
            tcp,
            address,
            members: members.collect(),
        }
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// A member's order entry.
    pub fn member(&mut self, index: usize) -> &mut OuchClient {
        &mut self.members[index].ouch
    }

    /// Whether every member is logged in.
    #[must_use]
    pub fn all_live(&self) -> bool {
        self.members
            .iter()
            .all(|member| member.ouch.state() == ClientState::Live)
    }

    /// Whether every member heard the end of the session.
    #[must_use]
    pub fn all_ended(&self) -> bool {
        self.members
            .iter()
            .all(|member| member.ouch.state() == ClientState::Ended)
    }

    /// Forgets every connection at once and waits before it dials again: for a venue that is known
    /// to be gone. `address` is where it will be next.
    pub fn reconnect(&mut self, address: SocketAddr) {
        self.address = address;
        for member in &mut self.members {
            if let Some(conn) = member.conn.take() {
                self.tcp.close(conn);
            }
            member.ouch.soup().disconnected();
            member.redial_ns = 0;
        }
    }

    /// Moves bytes both ways and hands on replies with the index of their member. Returns how much
    /// happened.
    ///
    /// # Errors
    /// A member that cannot go on.
    pub fn poll(
        &mut self,
        now_ns: u64,
        on: &mut dyn FnMut(usize, Reply<'_>),
    ) -> Result<usize, MemberError> {
        let members = &mut self.members;
        let moved = self.tcp.poll(&mut |event| match event {
            TcpEvent::Opened { conn, .. } => {
                if let Some((_, member)) = owner(members, conn) {
                    member.ouch.soup().connected(now_ns);
                }
            }
            TcpEvent::Data { conn, bytes } => {
                if let Some((index, member)) = owner(members, conn) {
                    member
                        .ouch
                        .received(bytes, now_ns, &mut |reply| on(index, reply));
                }
            }
            TcpEvent::Closed { conn } => {
                if let Some((_, member)) = owner(members, conn) {
                    member.conn = None;
                    member.redial_ns = now_ns + REDIAL_NS;
                    if member.ouch.state() != ClientState::Ended {
                        member.ouch.soup().disconnected();
                    }
                }
            }
        });
        self.keep_alive(now_ns)?;
        self.transmit(now_ns);
        Ok(moved)
    }

    fn keep_alive(&mut self, now_ns: u64) -> Result<(), MemberError> {
        for member in &mut self.members {
            match member.ouch.soup().poll(now_ns) {
                ClientState::Disconnected
                    if member.conn.is_none() && now_ns >= member.redial_ns =>
                {
                    let conn = self.tcp.connect(self.address);
                    let conn = conn.map_err(|error| MemberError::Socket(error.to_string()))?;
                    member.conn = Some(conn);
                }
                ClientState::Silent => {
                    if let Some(conn) = member.conn.take() {
                        self.tcp.close(conn);
                    }
                    member.ouch.soup().disconnected();
                }
                ClientState::Rejected(letter) => {
                    let letter = char::from(letter);
                    return Err(MemberError::LoginRejected(member.user.clone(), letter));
                }
                ClientState::Malformed => return Err(MemberError::Malformed(member.user.clone())),
                _ => {}
            }
        }
        Ok(())
    }

    /// Hands queued bytes to the port. [`Members::poll`] does it too.
    pub fn transmit(&mut self, now_ns: u64) {
        for member in &mut self.members {
            if let Some(conn) = member.conn {
                let tcp = &mut self.tcp;
                member
                    .ouch
                    .soup()
                    .transmit(now_ns, &mut |bytes| tcp.send(conn, bytes));
            }
        }
        self.tcp.flush();
    }
}

fn owner(members: &mut [Member], conn: Conn) -> Option<(usize, &mut Member)> {
    members
        .iter_mut()
        .enumerate()
        .find(|(_, member)| member.conn == Some(conn))
}
