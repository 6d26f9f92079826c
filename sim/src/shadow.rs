//! The shadow of a simulated venue: it gets turns like everybody else, dies with the venue, and
//! what it wrote must be what everybody was told.

use appliance::topology::Topology;
use appliance::venue::shadow::{Counters, Parts, Shadow};
use journal::simulated::Disk;
use journal::stream::{self, Kind, Name};
use matching::Line;
use queue::CounterSet;

use crate::day::World;
use crate::wiring::SESSION;

/// Opens the shadow of a venue that has started, if its topology asks for one.
pub(crate) fn open<'m>(
    topology: &Topology,
    disk: &Disk,
    lines: &'m mut [Line],
    set: &mut CounterSet,
) -> Result<Option<Shadow<'m>>, String> {
    if topology.shadow.is_none() {
        return Ok(None);
    }
    let parts = Parts {
        segments: Box::new(disk.storage()),
        files: Box::new(disk.files()),
        session: SESSION,
    };
    let counters = Counters::new(set).map_err(|error| error.to_string())?;
    let opened = Shadow::open(topology, parts, lines, counters);
    opened.map(Some).map_err(|error| format!("shadow: {error}"))
}

/// At rest the shadow stands where the engine does, and its streams hold what was heard.
pub(crate) fn check(
    shadow: &mut Shadow<'_>,
    world: &World,
    (sequence, state_hash): (u64, u64),
    now_ns: u64,
) -> Result<(), String> {
    let found = (shadow.sequence(), shadow.state_hash());
    if found != (sequence, state_hash) {
        let due = (sequence, state_hash);
        return Err(format!(
            "the shadow stands at {found:?}, the engine at {due:?}"
        ));
    }
    if !shadow.snapshot_make(now_ns) {
        return Err("the shadow cannot make a snapshot".to_owned());
    }
    let members = world.members.iter().map(|member| &member.caller);
    let callers = members
        .zip(1..)
        .map(|(caller, number)| (caller, Kind::Replies, number));
    let watcher = world
        .watcher
        .iter()
        .map(|caller| (caller, Kind::DropCopy, 1));
    for (caller, kind, number) in callers.chain(watcher) {
        let mut kept = Vec::new();
        let name = Name { kind, number };
        stream::read(&mut world.disk.files(), name, 1, &mut |_, message| {
            kept.push(message.to_vec());
            true
        })
        .map_err(|error| error.to_string())?;
        if kept != caller.heard {
            let counts = (kept.len(), caller.heard.len());
            return Err(format!(
                "{} differs from what was heard: {counts:?}",
                name.file()
            ));
        }
    }
    let next = stream::read(&mut world.disk.files(), Name::FEED, 1, &mut |_, _| true);
    let next = next.map_err(|error| error.to_string())?;
    match world.subscriber.sequence_next() {
        due if due == next => Ok(()),
        due => Err(format!(
            "the feed's stream goes on with {next}, the feed with {due}"
        )),
    }
}
