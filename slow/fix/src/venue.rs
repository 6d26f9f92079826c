//! A member's way to the venue: two rings of memory, which come over a socket.

use door::{Door, Rings};
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use std::io::{self, Read};

/// Messages of the ring that are taken in a turn.
const CHUNKS_MAX: usize = 1_024;

/// One connection after the other over the same rings.
pub(crate) struct Venue {
    /// Open as long as the venue runs; that it closes tells the venue that we are gone.
    line: UnixStream,
    /// None until the venue handed them over.
    rings: Option<Rings>,
    /// The connection, once there was room to begin it.
    door: Option<Door>,
    is_over: bool,
}

impl Venue {
    /// Waits for the rings over a socket that is connected to the venue's.
    pub(crate) fn new(
        line: std::os::unix::net::UnixStream,
        token: Token,
        registry: &Registry,
    ) -> io::Result<Self> {
        let mut line = UnixStream::from_std(line);
        registry.register(&mut line, token, Interest::READABLE)?;
        Ok(Self {
            line,
            rings: None,
            door: None,
            is_over: false,
        })
    }

    /// Begins another connection.
    pub(crate) fn again(&mut self) {
        (self.door, self.is_over) = (None, false);
    }

    /// The connection is there, or on its way.
    pub(crate) const fn is_open(&self) -> bool {
        !self.is_over
    }

    /// Whether something came.
    pub(crate) fn has_news(&mut self) -> bool {
        self.is_open() && self.door.as_mut().is_some_and(Door::has_news)
    }

    /// Takes what came, and goes on in the making of the connection.
    pub(crate) fn read(&mut self, on: &mut dyn FnMut(&[u8])) {
        if self.is_over {
            return;
        }
        let Some(rings) = &self.rings else {
            match Rings::receive(&self.line) {
                Ok(rings) => self.rings = Some(rings),
                Err(error) => self.is_over = error.kind() != io::ErrorKind::WouldBlock,
            }
            return;
        };
        let is_there = self.is_venue_there();
        let Some(door) = &mut self.door else {
            // A ring that is full of what was said before has room later.
            self.door = Door::over(rings).ok();
            self.is_over = !is_there;
            return;
        };
        let goes_on = door.receive(CHUNKS_MAX, on);
        // What a venue said before it went counts.
        self.is_over = !goes_on || !(is_there || door.has_news());
    }

    /// Sends as many bytes as there is room for; gives how many.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        let door = self.door.as_mut().filter(|_| !self.is_over);
        door.map_or(0, |door| door.send(bytes))
    }

    fn is_venue_there(&self) -> bool {
        let read = (&self.line).read(&mut [0]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}
