//! The shadow of a simulated venue: it gets turns like everybody else, dies with the venue, and
//! what it wrote must be what everybody was told.

use appliance::venue::shadow::{Counters, Parts, Shadow};
use journal::stream::{self, Kind, Name, Position};
use matching::Line;
use queue::CounterSet;

use crate::day::World;
use crate::wiring::SESSION;

/// Opens the shadow of a venue that has started, if its topology asks for one and the disk does.
pub(crate) fn open<'m>(
    world: &mut World,
    streams: Vec<(Name, Position)>,
    lines: &'m mut [Line],
    set: &mut CounterSet,
) -> Result<Option<Shadow<'m>>, String> {
    if world.topology.shadow.is_none() {
        return Ok(None);
    }
    let disk = &world.disk;
    let before = disk.counts().file_failures();
    let parts = Parts {
        segments: Box::new(disk.storage()),
        files: Box::new(disk.files()),
        session: SESSION,
        streams: Some(streams),
    };
    let counters = Counters::new(set).map_err(|error| error.to_string())?;
    match Shadow::open(&world.topology, parts, lines, counters) {
        Ok(shadow) => Ok(Some(shadow)),
        Err(_) if disk.is_off() || disk.counts().file_failures() > before => Ok(None),
        Err(error) => Err(format!("shadow: {error}")),
    }
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
    let feed = Some(world.subscriber.sequence_next());
    let depth = world.depth.as_ref().map(|it| it.sequence_next());
    for (name, due) in [(Name::FEED, feed), (Name::DEPTH, depth)] {
        let Some(due) = due else { continue };
        let next = stream::read(&mut world.disk.files(), name, 1, &mut |_, _| true);
        let next = next.map_err(|error| error.to_string())?;
        if next != due {
            let file = name.file();
            return Err(format!(
                "{file} goes on with {next}, its receiver with {due}"
            ));
        }
    }
    Ok(())
}
