//! The side that takes a snapshot.

use wire::glimpse;
use wire::soup::number;

use crate::soup_client::{ClientState, Heard, SoupClient, SoupConfig};

/// What a snapshot brings, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snapped<'a> {
    /// It begins: what was known before is replaced by it.
    Begin,
    /// A message of ITCH that says how something is.
    Message(&'a [u8]),
    /// It is whole: of this session it stands for everything before message number `next`.
    End {
        /// The feed's session.
        session: [u8; 10],
        /// Number of the first message that it does not stand for.
        next: u64,
    },
}

/// Takes one snapshot a connection.
pub struct SnapshotClient {
    soup: SoupClient,
    session: [u8; 10],
    is_whole: bool,
}

impl SnapshotClient {
    /// A client without a connection.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            soup: SoupClient::new(SoupConfig::new(user, password)),
            session: [b' '; 10],
            is_whole: false,
        }
    }

    /// A connection was made.
    pub fn connected(&mut self, now_ns: u64) {
        self.is_whole = false;
        self.soup = SoupClient::new(self.soup.config().clone());
        self.soup.connected(now_ns);
    }

    /// Takes all bytes that came and hands on what they say.
    pub fn received(&mut self, bytes: &[u8], now_ns: u64, on: &mut dyn FnMut(Snapped<'_>)) {
        let Self {
            soup,
            session,
            is_whole,
        } = self;
        soup.received(bytes, now_ns, &mut |heard| match heard {
            Heard::Accepted { session: name, .. } => {
                *session = name;
                on(Snapped::Begin);
            }
            Heard::Sequenced { message, .. } if !*is_whole => match end_of(message) {
                Some(next) => {
                    *is_whole = true;
                    on(Snapped::End {
                        session: *session,
                        next,
                    });
                }
                None => on(Snapped::Message(message)),
            },
            _ => {}
        });
    }

    /// Offers what is to be sent; `send` gives how many bytes it took.
    pub fn transmit(&mut self, now_ns: u64, send: &mut dyn FnMut(&[u8]) -> usize) {
        self.soup.transmit(now_ns, send);
    }

    /// Whether the connection is of no use any more, the snapshot being whole or not.
    pub fn is_over(&mut self, now_ns: u64) -> bool {
        let state = self.soup.poll(now_ns);
        self.is_whole || !matches!(state, ClientState::LoggingIn | ClientState::Live)
    }

    /// Whether the snapshot of this connection came whole.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }
}

/// The number that the end of a snapshot names.
fn end_of(message: &[u8]) -> Option<u64> {
    let glimpse::Message::SnapshotEnd(end) = glimpse::Message::parse(message).ok()?;
    number(&end.sequence())
}
