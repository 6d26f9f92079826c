//! The server's side of order entry: OUCH 5.0 on SoupBinTCP 3.00.
//!
//! A member's session is a numbered stream of replies, kept whole for the day in a store of fixed
//! size; a connection is a cursor in it. What a connection loses, the next one reads again. All
//! replies come from the engine's events, so that replaying the journal rebuilds every store; the
//! only exceptions are the answer to an account query, which goes unsequenced, and login replies.
//!
//! What OUCH says and this does not:
//! - Modify (`M`) is ignored and counted, as the exchange ignores a modify that it cannot honour: it
//!   asks for another side or fewer units under an own reply, which the engine has no command for.
//! - An order with attributes that are not offered goes to the engine behind an `Extra` command and
//!   is refused there; so is one that names another firm, under an own reject code.

mod cause;
mod config;

pub use cause::{Cause, Counters, Malformed};
pub use config::{
    CONNECTIONS_MAX, Config, ConfigError, INBOUND_BYTES_MIN, MEMBERS_MAX, Member, STORE_BYTES_MIN,
};

use wire::ring::{Command, Event, Input};

/// The table of connections is full: close the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull;

/// A member's reply store is full: the event was not taken, hold it and take no further one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreFull;

/// All members' sessions and connections.
///
/// A connection is named by a number of the caller's choice that no other open one has.
pub struct OrderEntry {
    config: Config,
    counters: Counters,
}

impl OrderEntry {
    /// Takes all memory.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: Config, members: &[Member]) -> Result<Self, ConfigError> {
        config.check(members)?;
        Ok(Self { config, counters: Counters::default() })
    }

    /// A connection came.
    ///
    /// # Errors
    /// There are as many connections as were configured.
    pub fn opened(&mut self, conn: u32, now_ns: u64) -> Result<(), TableFull> {
        let _ = (conn, now_ns);
        Err(TableFull)
    }

    /// Bytes came on a connection. Gives how many were taken into its bounded buffer: offer the
    /// others again later. Whole packets are read at once; `sink` says whether it took a command, and
    /// after a no everything that follows on this connection stays in the buffer until
    /// [`OrderEntry::poll`]. An unknown connection takes all and forgets it.
    pub fn received(
        &mut self,
        conn: u32,
        bytes: &[u8],
        now_ns: u64,
        sink: &mut dyn FnMut(Command) -> bool,
    ) -> usize {
        let _ = (conn, now_ns, sink);
        bytes.len()
    }

    /// The other side closed the connection, or it broke: what it sent and was not read is lost.
    pub fn closed(&mut self, conn: u32) {
        let _ = conn;
    }

    /// Reads what was held back, sends heartbeats and ends connections that are silent, stalled or
    /// late. Call it again and again, at least ten times a second.
    pub fn poll(&mut self, now_ns: u64, sink: &mut dyn FnMut(Command) -> bool) {
        let _ = (now_ns, sink);
    }

    /// Offers what is to be sent: `send` gives how many of the bytes it took for this connection.
    pub fn transmit(&mut self, now_ns: u64, send: &mut dyn FnMut(u32, &[u8]) -> usize) {
        let _ = (now_ns, send);
    }

    /// The next connection that the caller must close now, and why; it is forgotten here.
    pub fn closing(&mut self) -> Option<(u32, Cause)> {
        None
    }

    /// Takes an event of the engine, in order; `time_ns` is its input's.
    ///
    /// # Errors
    /// A store has no room; nothing was changed.
    pub fn on_event(&mut self, event: &Event, time_ns: u64) -> Result<(), StoreFull> {
        let _ = (event, time_ns);
        Ok(())
    }

    /// Takes an input of the journal, before its events, instead of reading it from a connection.
    pub fn replayed(&mut self, input: &Input) {
        let _ = input;
    }

    /// The day is over: members get End of Session after their last reply, then are disconnected.
    pub fn end(&mut self) {}

    /// Replies that the fullest store can still take.
    #[must_use]
    pub fn store_room(&self) -> usize {
        self.config.store_messages
    }

    /// Bytes that [`OrderEntry::received`] would take for this connection now.
    #[must_use]
    pub fn inbound_room(&self, conn: u32) -> usize {
        let _ = conn;
        0
    }

    /// What happened so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }
}
