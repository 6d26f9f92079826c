//! Who is connected, as the journal says: whose orders are to leave, and whom an operator locked.
//!
//! A connection that ends is an input, and so is the mass cancel that follows when its grace is
//! over by the time of the inputs. A start finds out of the journal who was there when the last
//! life ended: for them all it is as if their connections ended now.

use bytemuck::{Pod, Zeroable};
use std::collections::BTreeSet;
use wire::ring::{Command, CommandKind, Input};

/// What of an order must fit its `MassCancel`: the session, and nothing else.
const OF_SESSION: u8 = 1;

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing is to be done for it.
    Away,
    /// It is connected; its orders leave so many nanoseconds after that ends.
    Here(u64),
    /// Its orders leave at this time.
    Leaving(u64),
}

/// Everybody's place.
#[derive(Debug)]
pub struct Presences {
    /// By session number, from 1.
    places: Vec<Place>,
    /// Whose orders leave when.
    due: BTreeSet<(u64, u16)>,
    /// The first of these times.
    due_ns: u64,
    locked: BTreeSet<u16>,
}

/// What a snapshot keeps of a session.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Kept {
    session: u16,
    /// 0 away, 1 here, 2 leaving.
    place: u8,
    is_locked: u8,
    reserved: u32,
    ns: u64,
}

impl Presences {
    /// Of so many sessions, none of which ever came.
    #[must_use]
    pub fn new(sessions: usize) -> Self {
        Self {
            places: vec![Place::Away; sessions],
            due: BTreeSet::new(),
            due_ns: u64::MAX,
            locked: BTreeSet::new(),
        }
    }

    /// Takes an input, applied or replayed.
    pub fn on_input(&mut self, input: &Input) {
        let Input {
            time_ns, command, ..
        } = input;
        let session = command.session;
        let wait_ns = u64::try_from(command.price).unwrap_or(0);
        match CommandKind::from_byte(command.kind) {
            Some(CommandKind::Presence) if command.flags == 1 => {
                self.put(session, Place::Here(wait_ns));
            }
            Some(CommandKind::Presence) => {
                self.put(session, Place::Leaving(time_ns.saturating_add(wait_ns)));
            }
            Some(CommandKind::MassCancel)
                if command.letters[0] == OF_SESSION && *time_ns >= self.leaving_ns(session) =>
            {
                self.put(session, Place::Away);
            }
            Some(CommandKind::Access) if command.flags == 0 => {
                self.locked.remove(&session);
            }
            Some(CommandKind::Access) if command.flags == 1 && self.has(session) => {
                self.locked.insert(session);
            }
            _ => {}
        }
    }

    fn has(&self, session: u16) -> bool {
        (1..=self.places.len()).contains(&usize::from(session))
    }

    fn leaving_ns(&self, session: u16) -> u64 {
        match self.places.get(usize::from(session).wrapping_sub(1)) {
            Some(Place::Leaving(at_ns)) => *at_ns,
            _ => u64::MAX,
        }
    }

    fn put(&mut self, session: u16, place: Place) {
        let left_ns = self.leaving_ns(session);
        if let Some(known) = self.places.get_mut(usize::from(session).wrapping_sub(1)) {
            *known = place;
            self.due.remove(&(left_ns, session));
            if let Place::Leaving(at_ns) = place {
                self.due.insert((at_ns, session));
            }
            self.due_ns = self.due.first().map_or(u64::MAX, |(at_ns, _)| *at_ns);
        }
    }

    /// The next mass cancel that is due: to be applied before anything else is asked for.
    pub fn next(&mut self, now_ns: u64) -> Option<Command> {
        if now_ns < self.due_ns {
            return None;
        }
        let (_, session) = self.due.first()?;
        Some(Command {
            kind: CommandKind::MassCancel as u8,
            session: *session,
            letters: [OF_SESSION, 0, 0, 0],
            ..Command::BLANK
        })
    }

    /// What a start journals: those who were there are not any more.
    pub fn lost(&self) -> impl Iterator<Item = Command> {
        let places = self.places.iter().zip(1..);
        places.filter_map(|(place, session)| match place {
            Place::Here(wait_ns) => Some(Command {
                kind: CommandKind::Presence as u8,
                session,
                price: i64::try_from(*wait_ns).unwrap_or(i64::MAX),
                ..Command::BLANK
            }),
            _ => None,
        })
    }

    /// Sessions that an operator locked.
    pub fn locked(&self) -> impl Iterator<Item = u16> {
        self.locked.iter().copied()
    }

    /// Writes what it knows.
    pub(super) fn state(&self, out: &mut Vec<u8>) {
        for (place, session) in self.places.iter().zip(1..) {
            let (place, ns) = match place {
                Place::Away => (0, 0),
                Place::Here(ns) => (1, *ns),
                Place::Leaving(ns) => (2, *ns),
            };
            let is_locked = u8::from(self.locked.contains(&session));
            if place != 0 || is_locked != 0 {
                out.extend_from_slice(bytemuck::bytes_of(&Kept {
                    session,
                    place,
                    is_locked,
                    reserved: 0,
                    ns,
                }));
            }
        }
    }

    /// Takes what it knew from bytes, before anything else; none when they are no such state.
    pub(super) fn restore(&mut self, bytes: &[u8]) -> Option<()> {
        let (all, rest) = bytes.as_chunks::<{ size_of::<Kept>() }>();
        if !rest.is_empty() {
            return None;
        }
        for bytes in all {
            let kept: Kept = bytemuck::pod_read_unaligned(bytes);
            let place = match kept.place {
                0 => Place::Away,
                1 => Place::Here(kept.ns),
                2 => Place::Leaving(kept.ns),
                _ => return None,
            };
            if !self.has(kept.session) {
                return None;
            }
            self.put(kept.session, place);
            if kept.is_locked == 1 {
                self.locked.insert(kept.session);
            }
        }
        Some(())
    }
}
