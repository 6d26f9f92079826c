//! What passes between a gateway's process and the venue: two rings in shared memory.
//!
//! The venue makes the rings of a user, sealed against another size, and hands them over a socket
//! to the process that may have them. Through one of them the gateway sends bytes, through the
//! other one it gets bytes: a connection like one over TCP, with the same protocol and the same
//! rules, but no network. A new connection of the same or another process begins with
//! [`Chunk::BEGIN`]. The socket over which the rings came stays open as long as a gateway uses them
//! and the venue runs: when it closes, the other side is gone.
//!
//! Neither side believes the other one: a message is copied out of the ring once, and the copy is
//! looked at.
#![forbid(unsafe_code)]

mod chunk;
mod hand;
#[cfg(feature = "port")]
mod port;
mod usher;

pub use chunk::{Chunk, Content};
pub use hand::{DEPTH, Rings};
#[cfg(feature = "port")]
pub use port::Ringed;
pub use usher::{Usher, usher};

use queue::{Reader, Writer};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A gateway's side of a connection.
#[derive(Debug)]
pub struct Door {
    commands: Writer<Chunk>,
    replies: Reader<Chunk>,
    /// Tells this connection from those before.
    session: u64,
    has_begun: bool,
    /// Over which the rings came, if this is to keep it.
    _line: Option<UnixStream>,
}

impl Door {
    /// Asks the venue at its socket for the rings, and begins a connection.
    ///
    /// # Errors
    /// Nobody is there, or this process may not have them.
    pub fn open(socket: &Path) -> io::Result<Self> {
        let line = UnixStream::connect(socket)?;
        let door = Self::over(&Rings::receive(&line)?)?;
        Ok(Self {
            _line: Some(line),
            ..door
        })
    }

    /// Begins a connection over rings that nobody else uses any more. The socket over which they
    /// came must stay open.
    ///
    /// # Errors
    /// The ring is full of what another process left and the venue does not take.
    pub fn over(rings: &Rings) -> io::Result<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_ns = since.map_or(0, |since| since.as_nanos() as u64);
        Self::begin(rings, now_ns ^ (u64::from(std::process::id()) << 40))
    }

    /// Begins a connection of this number, which no other one had, over rings that nobody else uses
    /// any more.
    ///
    /// # Errors
    /// As [`Self::over`].
    pub fn begin(rings: &Rings, session: u64) -> io::Result<Self> {
        let mut commands = rings.commands.writer();
        let begin = Chunk::of(Chunk::BEGIN, session, &[]);
        if commands.push(0, &begin).is_err() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Self {
            commands,
            replies: rings.replies.reader(),
            session,
            has_begun: false,
            _line: None,
        })
    }

    /// Whether something came that was not taken.
    #[must_use]
    pub fn has_news(&mut self) -> bool {
        self.replies.peek().is_some()
    }

    /// Sends as many bytes as there is room for; gives how many.
    pub fn send(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        for piece in bytes.chunks(Chunk::BYTES_MAX) {
            let chunk = Chunk::of(Chunk::DATA, self.session, piece);
            if self.commands.put(0, &chunk).is_err() {
                break;
            }
            sent += piece.len();
        }
        self.commands.publish();
        sent
    }

    /// Takes what came, up to so many messages of the ring. Says whether the connection goes on.
    pub fn receive(&mut self, max: usize, on: &mut dyn FnMut(&[u8])) -> bool {
        for _ in 0..max {
            let Some((_, chunk)) = self.replies.pop() else {
                break;
            };
            if chunk.session != self.session {
                continue;
            }
            match chunk.content() {
                Some(Content::Begin) => self.has_begun = true,
                Some(Content::Data(bytes)) if self.has_begun => on(bytes),
                Some(Content::End(_)) => return false,
                _ => {}
            }
        }
        self.replies.credit_flush();
        true
    }
}
