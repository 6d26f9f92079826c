//! Numbers that members used, and orders that went into the journal although they were answered.

use std::collections::BTreeMap;

use wire::ring::{Command, Event, EventKind, Reason};

use crate::sent::is_extra;

/// What an order asked for, with its attributes.
type Asked = (Option<Command>, Command);

/// What each number stands for, by session and number.
#[derive(Debug, Default)]
pub struct Used {
    taken: BTreeMap<(u16, u32), Asked>,
    /// Attributes whose order follows, by session.
    extras: BTreeMap<u16, Command>,
    /// Orders that were taken and that the engine was asked for again.
    pub again: u64,
}

impl Used {
    /// Takes an input of a session's and its events.
    pub fn follow(&mut self, session: u16, command: &Command, events: &[Event]) {
        if is_extra(command) {
            self.extras.insert(session, *command);
            return;
        }
        let asked = (self.extras.remove(&session), *command);
        for event in events {
            let kind = EventKind::from_byte(event.kind);
            let is_used = event.reason == Reason::DuplicateUserRef as u8;
            let number = match event.has(Event::OF_USER) {
                true => event.old_user_ref,
                false => event.user_ref,
            };
            match kind {
                Some(EventKind::MassCanceled) if !event.has(Event::OF_USER) => {}
                Some(EventKind::Accepted | EventKind::Replaced | EventKind::MassCanceled) => {
                    self.taken.insert((session, number), asked);
                }
                Some(EventKind::Rejected | EventKind::Refused) if is_used => {
                    let first = self.taken.get(&(session, number));
                    self.again += u64::from(first == Some(&asked));
                }
                _ => {}
            }
        }
    }
}
