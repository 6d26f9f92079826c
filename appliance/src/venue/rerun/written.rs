//! A day's output streams beside what a run of its journal says: each message, in its place.
//!
//! The journal defines sessions and firms itself; who watches which accounts stands in a topology
//! only, so drop copies are compared with one.

use super::FEED_BYTES;
use crate::topology::Topology;
use crate::venue::Presences;
use crate::venue::kept::names_of;
use crate::venue::replay::{Outputs, Overflow, settle, tell};
use crate::venue::{StartError, drop_copies, members, padded, publisher_config_of};
use journal::stream::{self, Kind, Name};
use journal::{DirectoryFiles, Files as _, RecoveryError, Segments, Walker};
use matching::Limits;
use session::feed::{DepthPublisher, Publisher};
use session::order_entry::{Config, DropCopy, Member, OrderEntry};
use std::path::Path;
use wire::ring::{Command, CommandKind, Event, Input};

/// Memory of the run's own stores, from which everything is taken behind each input.
const STORE_BYTES: usize = 128 << 10;
const STORE_MESSAGES: usize = 4_096;

/// Bytes of messages that wait for a look at their stream.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// How a stream compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Full name of its file.
    pub file: String,
    /// Messages that are what the run says, from the first on.
    pub same: u64,
    /// What is not, if something is not.
    pub verdict: Verdict,
}

/// What a stream holds behind the messages that are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing, and the run says no more.
    Same,
    /// Nothing, but the run says so many more: they were not written.
    Short(u64),
    /// Messages of inputs that were not run.
    Long,
    /// Another message than the run says, of this input.
    Differs {
        /// Number of the input.
        sequence: u64,
        /// What stands there.
        found: Vec<u8>,
        /// What the run says.
        due: Vec<u8>,
    },
    /// It is damaged there, in words.
    Damaged(String),
}

/// One stream, and what the run said that was not looked for in it yet.
struct Stream {
    name: Name,
    /// Number of the first message that waits.
    next: u64,
    /// The input of each that waits, and where its bytes end.
    ends: Vec<(u64, usize)>,
    bytes: Vec<u8>,
    verdict: Option<Verdict>,
}

/// All streams of a day.
struct Streams {
    files: DirectoryFiles,
    all: Vec<Stream>,
    /// Number of the present input.
    sequence: u64,
}

/// What follows from a run's events, and the streams that should hold it.
pub(super) struct Written {
    outputs: Outputs,
    streams: Streams,
}

/// Sessions that a journal defines, and their firms. Below them are places of who came later.
///
/// # Errors
/// The journal is damaged or cannot be read.
pub(super) fn members_of<S: Segments>(
    journal: &mut Walker<S>,
) -> Result<Vec<Member>, RecoveryError> {
    let mut members = Vec::new();
    while let Some(record) = journal.record()? {
        for input in record.inputs {
            match CommandKind::from_byte(input.command.kind) {
                Some(CommandKind::DefineSession) => {
                    let place = usize::from(input.command.session).saturating_sub(1);
                    let spare = members.len()..place;
                    members.extend(spare.map(|index| member(index, &Command::BLANK)));
                    members.push(member(members.len(), &input.command));
                }
                Some(CommandKind::OpenDay) => return Ok(members),
                _ => {}
            }
        }
    }
    Ok(members)
}

/// A member whose name nobody hears.
fn member(index: usize, defined: &Command) -> Member {
    let mut firm = padded("");
    firm.copy_from_slice(&defined.client_id[..4]);
    Member {
        user: format!("S{}", index + 1),
        password: "none".to_owned(),
        firm,
        ..Member::default()
    }
}

impl Written {
    /// The streams of a day, before its first input; none if it has none. A topology tells of its
    /// drop copies, otherwise they are left out.
    pub(super) fn open(
        day: &Path,
        limits: &Limits,
        sessions: Vec<Member>,
        topology: Option<&Topology>,
    ) -> Result<Option<Self>, StartError> {
        let mut files = DirectoryFiles::new(day);
        let failed = |error| StartError::of("streams", &error);
        let present = files.names().map_err(failed)?;
        if !present.contains(&Name::FEED.file()) {
            return Ok(None);
        }
        let (members, copies) = match topology {
            Some(topology) => (members(topology), drop_copies(topology)),
            None => (sessions, Vec::new()),
        };
        let has_depth = present.contains(&Name::DEPTH.file());
        let names = names_of(has_depth, members.len(), copies.len());
        let stream = |name| Stream {
            name,
            next: 1,
            ends: Vec::new(),
            bytes: Vec::new(),
            verdict: None,
        };
        Ok(Some(Self {
            outputs: outputs(limits, &members, &copies, has_depth)?,
            streams: Streams {
                files,
                all: names.into_iter().map(stream).collect(),
                sequence: 0,
            },
        }))
    }

    /// Takes an input before its events.
    pub(super) fn begin(&mut self, input: &Input) {
        self.streams.sequence = input.sequence;
        self.outputs.entry.replayed(input);
    }

    /// Takes an event of that input.
    pub(super) fn hear(&mut self, event: &Event, input: &Input) {
        let told = tell(&mut self.outputs, &mut self.streams, event, input);
        debug_assert!(told.is_ok(), "nothing waits in the stores");
    }

    /// Behind the last event of an input.
    pub(super) fn settle(&mut self) {
        let Self { outputs, streams } = self;
        streams.replies(&mut outputs.entry);
        settle(outputs, streams);
        let files = &mut streams.files;
        for stream in &mut streams.all {
            if stream.bytes.len() >= WAITING_BYTES_MAX {
                stream.compare(files, false);
            }
        }
    }

    /// Behind the last input; how each stream compares, feeds first.
    pub(super) fn finish(mut self) -> Vec<Compared> {
        let files = &mut self.streams.files;
        let mut compared = Vec::with_capacity(self.streams.all.len());
        for stream in &mut self.streams.all {
            stream.compare(files, true);
            compared.push(Compared {
                file: files.path(&stream.name.file()),
                same: stream.next - 1,
                verdict: stream.verdict.take().unwrap_or(Verdict::Same),
            });
        }
        compared
    }
}

fn outputs(
    limits: &Limits,
    members: &[Member],
    copies: &[DropCopy],
    has_depth: bool,
) -> Result<Outputs, StartError> {
    let small = |copy: &DropCopy| DropCopy {
        store_bytes: STORE_BYTES,
        store_messages: STORE_MESSAGES,
        ..copy.clone()
    };
    let copies: Vec<DropCopy> = copies.iter().map(small).collect();
    let config = Config {
        connections: 1,
        symbols: limits.symbols,
        store_bytes: STORE_BYTES,
        store_messages: STORE_MESSAGES,
        // Nobody logs in: what logins prove is not looked at.
        asks_elsewhere: true,
        ..Config::default()
    };
    let entry = OrderEntry::new(config, members).and_then(|entry| entry.with_drop_copies(&copies));
    let feed = || publisher_config_of(*b"0000000000", limits.symbols, FEED_BYTES);
    let wrong = |field| StartError::new(format!("feed: `{field}` is outside its limits"));
    let depth = has_depth.then(|| DepthPublisher::new(feed(), limits.orders as usize));
    Ok(Outputs {
        entry: entry.map_err(|error| StartError::of("order entry", &error))?,
        publisher: Publisher::new(feed()).map_err(wrong)?,
        depth: depth.transpose().map_err(wrong)?,
        schedule: None,
        presences: Presences::new(0),
    })
}

impl Streams {
    fn push(&mut self, place: usize, message: &[u8]) {
        if let Some(stream) = self.all.get_mut(place) {
            stream.bytes.extend_from_slice(message);
            stream.ends.push((self.sequence, stream.bytes.len()));
        }
    }

    fn place(&self, is_wanted: impl Fn(&Name) -> bool) -> usize {
        let mut names = self.all.iter().map(|stream| stream.name);
        names
            .position(|name| is_wanted(&name))
            .unwrap_or(usize::MAX)
    }
}

impl Overflow for Streams {
    fn replies(&mut self, entry: &mut OrderEntry) {
        // The stores are the members', then the drop copies', as the streams behind the feeds are.
        let first = self.place(|name| matches!(name.kind, Kind::Replies | Kind::DropCopy));
        entry.drain(&mut |store, message| self.push(first + store, message));
    }

    fn feed(&mut self, publisher: &mut Publisher) {
        publisher.drain(&mut |message| self.push(0, message));
    }

    fn depth(&mut self, depth: &mut DepthPublisher) {
        let place = self.place(|name| name.kind == Kind::Depth);
        depth.drain(&mut |message| self.push(place, message));
    }
}

impl Stream {
    /// Looks for what waits; at the end whether there is more.
    fn compare(&mut self, files: &mut DirectoryFiles, is_end: bool) {
        let ends = std::mem::take(&mut self.ends);
        let bytes = std::mem::take(&mut self.bytes);
        if self.verdict.is_some() {
            if let Some(Verdict::Short(more)) = &mut self.verdict {
                *more += ends.len() as u64;
            }
            return;
        }
        let (first, mut at) = (self.next, 0);
        let mut verdict = None;
        let read = stream::read(files, self.name, first, &mut |number, found| {
            let Some((sequence, end)) = ends.get((number - first) as usize).copied() else {
                verdict = is_end.then_some(Verdict::Long);
                return false;
            };
            let due = &bytes[at..end];
            at = end;
            if found != due {
                verdict = Some(Verdict::Differs {
                    sequence,
                    found: found.to_vec(),
                    due: due.to_vec(),
                });
                return false;
            }
            self.next = number + 1;
            is_end || number - first + 1 < ends.len() as u64
        });
        let missing = first + ends.len() as u64 - self.next;
        self.verdict = match (read, verdict) {
            (Err(error), _) => Some(Verdict::Damaged(error.to_string())),
            (Ok(_), None) if missing > 0 => Some(Verdict::Short(missing)),
            (Ok(_), verdict) => verdict,
        };
    }
}
