//! Members whose orders leave with them: who is there, as the journal says, and that their orders
//! go when they must.

use std::collections::{BTreeMap, BTreeSet};

use wire::ring::{CommandKind, Input};

use crate::sent::{is_extra, is_members};

/// What of an order must fit a mass cancel that takes off all of a session's.
const OF_SESSION: u8 = 1;

/// Who is there, as far as the journal was read.
#[derive(Debug, Default)]
pub struct Absences {
    here: BTreeSet<u16>,
    /// When the orders of those leave who are not.
    due_ns: BTreeMap<u16, u64>,
    /// Those whom the end of a life of the venue took away, and of whom nothing was said since.
    lost: BTreeSet<u16>,
    /// How often the orders of one left.
    pub left: u64,
}

impl Absences {
    /// Another life's inputs begin: nobody is connected.
    pub fn begin(&mut self) {
        self.lost = self.here.clone();
    }

    /// Takes the next input. An error is one that came too early.
    pub fn follow(&mut self, input: &Input) -> Result<(), String> {
        let (command, now_ns) = (&input.command, input.time_ns);
        let session = command.session;
        match CommandKind::from_byte(command.kind) {
            Some(CommandKind::Presence) => {
                self.lost.remove(&session);
                self.due_ns.remove(&session);
                if command.flags == 1 {
                    self.here.insert(session);
                } else {
                    self.here.remove(&session);
                    let wait_ns = command.price.unsigned_abs();
                    self.due_ns.insert(session, now_ns.saturating_add(wait_ns));
                }
                return Ok(());
            }
            Some(CommandKind::MassCancel)
                if command.letters[0] == OF_SESSION && self.is_due(session, now_ns) =>
            {
                self.due_ns.remove(&session);
                self.left += 1;
            }
            _ => {}
        }
        let sequence = input.sequence;
        if let Some((session, due)) = self.due_ns.iter().find(|(_, due)| **due <= now_ns)
            && command.kind != CommandKind::MassCancel as u8
        {
            return Err(format!(
                "input {sequence}, a command of kind {}, is of {now_ns} ns, and the orders of \
                 session {session} were to leave at {due} ns",
                command.kind
            ));
        }
        if let Some(session) = self.lost.first()
            && (is_members(command) || is_extra(command))
        {
            return Err(format!(
                "input {sequence} is a member's, and nothing says that session {session} went when \
                 the venue's last life ended"
            ));
        }
        Ok(())
    }

    /// Whether a session's orders are to be gone.
    fn is_due(&self, session: u16, now_ns: u64) -> bool {
        self.due_ns.get(&session).is_some_and(|due| *due <= now_ns)
    }
}
