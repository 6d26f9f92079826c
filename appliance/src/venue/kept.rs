//! A venue's state as the sections of a snapshot, and back.
//!
//! What a snapshot says is checked before anything is built on it: the streams that it names must
//! still hold what they held. The engine comes last, because it takes the venue's memory.

use super::StartError;
use super::definitions::definitions;
use super::replay::{Outputs, State, other_topology};
use crate::topology::Topology;
use bytemuck::{Pod, Zeroable};
use journal::snapshot::{Draft, Snapshot};
use journal::stream::{self, Kind, Name, Position};
use journal::{Files, Mark, StorageError};
use matching::{Engine, RestoreError};
use wire::ring::Command;

/// What the sections are: docs/streams.md.
mod tag {
    pub(super) const ENGINE: u32 = 1;
    pub(super) const MARK: u32 = 2;
    pub(super) const STREAMS: u32 = 3;
    pub(super) const ENTRY: u32 = 4;
    pub(super) const FEED: u32 = 5;
    pub(super) const DEPTH: u32 = 6;
    pub(super) const SCHEDULE: u32 = 7;
    pub(super) const DEFINITIONS: u32 = 8;
    pub(super) const PRESENCES: u32 = 9;
}

/// Where a stream stood.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct StreamAt {
    kind: u8,
    reserved: u8,
    number: u16,
    reserved_too: u32,
    position: Position,
}

/// The streams of a topology, in the order of a snapshot.
pub(super) fn names(topology: &Topology) -> Vec<Name> {
    let has_depth = topology.feed.depth.is_some();
    names_of(has_depth, topology.users.len(), topology.drop_copies.len())
}

/// The streams of so many members and drop copies, in the order of a snapshot.
pub(super) fn names_of(has_depth: bool, members: usize, copies: usize) -> Vec<Name> {
    let of = |kind, count: usize| (1..=count as u16).map(move |number| Name { kind, number });
    let feeds = [Name::FEED]
        .into_iter()
        .chain(has_depth.then_some(Name::DEPTH));
    feeds
        .chain(of(Kind::Replies, members))
        .chain(of(Kind::DropCopy, copies))
        .collect()
}

/// The place of a stream's store in order entry; none of a feed's.
pub(super) fn store_of(topology: &Topology, name: Name) -> Option<usize> {
    let index = usize::from(name.number).checked_sub(1)?;
    Some(match name.kind {
        Kind::DropCopy => topology.users.len() + index,
        _ => index,
    })
}

/// What is written beside the state.
pub(super) struct Around<'a> {
    /// Where the journal goes on.
    pub mark: &'a Mark,
    /// Where the streams stand.
    pub streams: &'a [(Name, Position)],
    /// The definitions that the journal has.
    pub definitions: &'a [Command],
}

/// Writes a snapshot, whole or not at all.
pub(super) fn write(
    files: &mut dyn Files,
    state: &State<'_>,
    around: &Around<'_>,
) -> Result<(), StorageError> {
    let Around {
        mark,
        streams,
        definitions,
    } = around;
    let State { engine, outputs } = state;
    let mut draft = Draft::begin(files, mark.next_sequence - 1, mark.time_ns)?;
    draft.section(tag::ENGINE, &mut |write| engine.snapshot(write))?;
    let at = |&(name, position): &(Name, Position)| StreamAt {
        kind: name.kind as u8,
        reserved: 0,
        number: name.number,
        reserved_too: 0,
        position,
    };
    let streams: Vec<StreamAt> = streams.iter().map(at).collect();
    let mut bytes = Vec::new();
    let mut section = |tag, fill: &mut dyn FnMut(&mut Vec<u8>)| {
        bytes.clear();
        fill(&mut bytes);
        draft.section(tag, &mut |write| write(&bytes))
    };
    section(tag::MARK, &mut |out| {
        out.extend_from_slice(bytemuck::bytes_of(*mark));
    })?;
    section(tag::STREAMS, &mut |out| {
        out.extend_from_slice(bytemuck::cast_slice(&streams));
    })?;
    section(tag::DEFINITIONS, &mut |out| {
        out.extend_from_slice(bytemuck::cast_slice(definitions));
    })?;
    section(tag::ENTRY, &mut |out| outputs.entry.state(out))?;
    section(tag::FEED, &mut |out| outputs.publisher.state(out))?;
    if let Some(depth) = &outputs.depth {
        section(tag::DEPTH, &mut |out| depth.state(out))?;
    }
    if let Some(schedule) = &outputs.schedule {
        section(tag::SCHEDULE, &mut |out| schedule.state(out))?;
    }
    section(tag::PRESENCES, &mut |out| outputs.presences.state(out))?;
    draft.finish()
}

/// A snapshot that was read and belongs to a topology.
pub(super) struct Opened {
    snapshot: Snapshot,
    pub mark: Mark,
    pub streams: Vec<(Name, Position)>,
    pub definitions_seen: usize,
}

impl Opened {
    /// Reads the snapshot behind input `sequence`; why it cannot be used otherwise.
    pub(super) fn read(
        topology: &Topology,
        files: &mut dyn Files,
        sequence: u64,
    ) -> Result<Self, Unusable> {
        let snapshot = Snapshot::read(files, sequence).map_err(|e| told(&e))?;
        let section = |tag| snapshot.section(tag).unwrap_or(&[]);
        let mark: Mark = bytemuck::try_pod_read_unaligned(section(tag::MARK))
            .map_err(|_| told(&"it does not say where the journal goes on"))?;
        if mark.next_sequence.checked_sub(1) != Some(sequence) || mark.is_start() {
            return Err(told(
                &"it is of another place in the journal than its name says",
            ));
        }
        let seen = commands(section(tag::DEFINITIONS));
        let due = definitions(topology);
        for ((found, due), sequence) in seen.iter().zip(&due).zip(1..) {
            if found != due {
                return Err(Unusable::Venue(other_topology(sequence, found, due)));
            }
        }
        let (mut streams, names) = (Vec::new(), names(topology));
        let all = section(tag::STREAMS).chunks_exact(size_of::<StreamAt>());
        for (at, name) in all
            .map(bytemuck::pod_read_unaligned::<StreamAt>)
            .zip(names.iter())
        {
            if (at.kind, at.number) != (name.kind as u8, name.number) {
                break;
            }
            stream::check(files, *name, &at.position).map_err(|e| told(&e))?;
            streams.push((*name, at.position));
        }
        if streams.len() != names.len() || seen.len() > due.len() {
            return Err(told(&"it is of a venue with other streams"));
        }
        Ok(Self {
            snapshot,
            mark,
            streams,
            definitions_seen: seen.len(),
        })
    }

    /// Fills outputs that are still empty, but for their replies and messages.
    pub(super) fn restore(&self, outputs: &mut Outputs) -> Result<(), Unusable> {
        let Outputs {
            entry,
            publisher,
            depth,
            schedule,
            presences,
        } = outputs;
        entry
            .restore(self.section(tag::ENTRY))
            .map_err(|e| self.wrong(tag::ENTRY, "order entry", &e))?;
        publisher
            .restore(self.section(tag::FEED))
            .map_err(|e| self.wrong(tag::FEED, "feed", &e))?;
        if let Some(depth) = depth {
            depth
                .restore(self.section(tag::DEPTH))
                .map_err(|e| self.wrong(tag::DEPTH, "depth", &e))?;
        }
        if let Some(schedule) = schedule {
            schedule
                .restore(self.section(tag::SCHEDULE))
                .ok_or_else(|| self.wrong(tag::SCHEDULE, "schedule", &"it is of another one"))?;
        }
        // A snapshot from before there were any has no such section.
        presences
            .restore(self.section(tag::PRESENCES))
            .ok_or_else(|| self.wrong(tag::PRESENCES, "presences", &"it is of other sessions"))
    }

    /// Fills an engine that is still empty; one that refuses the bytes is empty again.
    pub(super) fn load(&self, engine: &mut Engine<'_>) -> Result<(), Unusable> {
        let loaded = engine.load(self.section(tag::ENGINE));
        loaded.map_err(|error| match error {
            RestoreError::Bytes { offset, .. } => {
                let at = self.at(tag::ENGINE) + offset as u64;
                told(&format!("at byte {at}: engine: {error}"))
            }
            RestoreError::Limits(_) => told(&error),
        })
    }

    /// The bytes of a section, none where it is missing, and where in the file they begin.
    fn section(&self, tag: u32) -> &[u8] {
        self.snapshot.section(tag).unwrap_or(&[])
    }

    fn at(&self, tag: u32) -> u64 {
        self.snapshot.section_at(tag).unwrap_or(0)
    }

    /// What a section's reader does not like.
    fn wrong(&self, tag: u32, of: &str, why: &dyn std::fmt::Display) -> Unusable {
        told(&format!(
            "the section at byte {}: {of}: {why}",
            self.at(tag)
        ))
    }
}

/// Where the journal goes on behind a snapshot, and how many messages each stream had there, of
/// whatever venue; nothing if it is not whole.
pub(super) fn ends(files: &mut dyn Files, sequence: u64) -> Option<(Mark, Vec<(Name, u64)>)> {
    let snapshot = Snapshot::read(files, sequence).ok()?;
    let mark = bytemuck::try_pod_read_unaligned(snapshot.section(tag::MARK)?).ok()?;
    let streams = snapshot.section(tag::STREAMS)?;
    let all = streams.chunks_exact(size_of::<StreamAt>());
    let end = |at: StreamAt| {
        let kinds = [Kind::Feed, Kind::Depth, Kind::Replies, Kind::DropCopy];
        let kind = kinds.into_iter().find(|kind| *kind as u8 == at.kind)?;
        let name = Name {
            kind,
            number: at.number,
        };
        Some((name, at.position.messages))
    };
    let ends = all.map(bytemuck::pod_read_unaligned).map(end);
    Some((mark, ends.collect::<Option<_>>()?))
}

/// Why a snapshot is not used.
pub(super) enum Unusable {
    /// It is damaged: one before it, or the whole journal, does as well.
    Damaged(String),
    /// The venue is another one: no snapshot would do.
    Venue(StartError),
}

pub(super) fn told(why: &dyn std::fmt::Display) -> Unusable {
    Unusable::Damaged(why.to_string())
}

fn commands(bytes: &[u8]) -> Vec<Command> {
    let all = bytes.chunks_exact(size_of::<Command>());
    all.map(bytemuck::pod_read_unaligned).collect()
}
