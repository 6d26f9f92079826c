//! What order entry is beside its replies, as bytes, and back; and replies that are kept elsewhere.
//!
//! Nothing of connections is kept: a venue that starts has none.

use super::OrderEntry;
use crate::state::{Reader, StateError, list};

impl OrderEntry {
    /// Writes what the replies to come depend on, between two inputs.
    pub fn state(&self, out: &mut Vec<u8>) {
        out.extend((self.members.len() as u16).to_le_bytes());
        list(out, self.sessions.iter(), |out, session| session.state(out));
        list(out, self.symbols.all(), |out, (number, name, state)| {
            out.extend(number.to_le_bytes());
            out.extend(name);
            out.extend([state as u8]);
        });
        self.mandates_state(out);
        self.answers_state(out);
        self.settings_state(out);
    }

    /// Takes the state from bytes, before anything else was done. Gives how many replies there
    /// were for each member, then for each drop copy: each store waits for [`Self::begin_behind`].
    ///
    /// # Errors
    /// The bytes are no state, or one of other members or with more symbols.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<Vec<u64>, StateError> {
        let mut from = Reader::new(bytes);
        let members = usize::from(from.short("members")?);
        from.require("members", members == self.members.len())?;
        let mut replies = Vec::with_capacity(self.sessions.len());
        let mut sessions = self.sessions.iter_mut();
        from.list("sessions", |from| {
            let session = sessions.next();
            from.require("sessions", session.is_some())?;
            if let Some(session) = session {
                replies.push(session.restore(from)?);
            }
            Ok(())
        })?;
        from.require("sessions", replies.len() == self.sessions.len())?;
        from.list("symbols", |from| {
            let number = from.short("symbol.number")?;
            let name = from.take("symbol.name")?;
            let state = from.byte("symbol.state")?;
            from.require("symbol.number", self.symbols.define(number, name))?;
            self.symbols.state_set(number, state.into());
            Ok(())
        })?;
        self.mandates_restore(&mut from)?;
        self.answers_restore(&mut from)?;
        self.settings_restore(&mut from)?;
        from.end()?;
        Ok(replies)
    }

    /// Goes on behind `count` replies of a store that are kept elsewhere; stores are counted from
    /// 0, the members' first.
    pub fn begin_behind(&mut self, index: usize, count: u64) {
        if let Some(session) = self.sessions.get_mut(index) {
            session.store.begin_behind(count);
        }
    }

    /// Hands out all replies, each with its store as in [`Self::begin_behind`], and forgets them:
    /// for who keeps them elsewhere and has no connections.
    pub fn drain(&mut self, on: &mut dyn FnMut(usize, &[u8])) {
        for (index, session) in self.sessions.iter_mut().enumerate() {
            session.store.drain(&mut |message| on(index, message));
        }
        self.full = false;
    }
}
