//! Members whose orders leave with them: who is there, as the journal says, and that their orders
//! go when they must.

use std::collections::{BTreeMap, BTreeSet};

use wire::ring::{ACCESS_GRACE, CommandKind, Input};

use crate::sent::{is_extra, is_members};

/// What of an order must fit a mass cancel that takes off all of a session's.
const OF_SESSION: u8 = 1;

/// What a session's grace may be, in nanoseconds, in the present life of the venue.
#[derive(Debug, Default)]
struct Graces {
    /// What it was when the life began; none for what the topology says.
    before: Option<i64>,
    /// What was said since.
    since: Vec<i64>,
}

impl Graces {
    fn begin(&mut self) {
        self.before = self.since.pop().or(self.before);
        self.since.clear();
    }

    fn may_be(&self, ns: i64) -> bool {
        self.before.is_none_or(|before| before == ns) || self.since.contains(&ns)
    }
}

/// Who is there, as far as the journal was read.
#[derive(Debug, Default)]
pub struct Absences {
    here: BTreeSet<u16>,
    /// When the orders of those leave who are not.
    due_ns: BTreeMap<u16, u64>,
    /// What an operator said of how long orders outlive their session's connection.
    graces: BTreeMap<u16, Graces>,
    /// Those whom the end of a life of the venue took away, and of whom nothing was said since.
    lost: BTreeSet<u16>,
    /// How often the orders of one left.
    pub left: u64,
}

impl Absences {
    /// Another life's inputs begin: nobody is connected.
    pub fn begin(&mut self) {
        self.lost = self.here.clone();
        self.graces.values_mut().for_each(Graces::begin);
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
                    let graces = self.graces.get(&session);
                    if graces.is_some_and(|graces| !graces.may_be(command.price)) {
                        return Err(format!(
                            "input {} gives session {session} a grace of {} ns, and an operator \
                             said {graces:?}",
                            input.sequence, command.price
                        ));
                    }
                    self.here.insert(session);
                } else {
                    self.here.remove(&session);
                    let wait_ns = command.price.unsigned_abs();
                    self.due_ns.insert(session, now_ns.saturating_add(wait_ns));
                }
                return Ok(());
            }
            Some(CommandKind::Access) if command.flags == ACCESS_GRACE => {
                let graces = self.graces.entry(session).or_default();
                graces.since.push(command.price);
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
