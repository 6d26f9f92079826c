//! One life of the venue: what happens before it starts, start, traffic, end.

use appliance::venue::{Recovery, Venue, assemble, counters_anonymous};
use journal::Segments as _;
use journal::simulated::{DiskStorage, Faults as DiskFaults};
use matching::Line;
use queue::CounterSet;

use crate::coverage::Fault;
use crate::damage::damage;
use crate::day::World;
use crate::net::{SimTcp, SimUdp};
use crate::plan::{End, Interruption, LifePlan};
use crate::running::Running;
use crate::shadow;
use crate::wiring;
use crate::wound;
use door::Ringed;

pub(crate) type SimVenue<'m> = Venue<'m, Ringed<SimTcp>, SimUdp, DiskStorage>;

/// Lives one life.
pub(crate) fn live(world: &mut World, plan: &LifePlan) -> Result<(), String> {
    if let Some(interruption) = plan.interruption {
        interrupted(world, interruption, plan)?;
    }
    let faults = plan.disk(&world.disk.counts(), segments(world)?);
    world.disk.set_faults(faults);
    world.wires.set_faults(plan.net);
    world.members.iter_mut().for_each(|it| it.caller.start());
    world.watcher.iter_mut().for_each(|it| it.start());
    world
        .replace_receiver()
        .map_err(|error| error.to_string())?;
    let may_fail = plan.disk_fails.is_some();
    with_venue(world, may_fail, &mut |world, venue, set| {
        let mut lines = std::mem::take(&mut world.shadow_lines);
        let done = beside_shadow(world, venue, set, plan, &mut lines);
        world.shadow_lines = lines;
        done
    })?;
    world.disk.set_faults(DiskFaults {
        is_stalled: false,
        ..world.disk.faults()
    });
    let end = match plan.end {
        _ if world.disk.is_off() => None,
        End::Power(_) => Some(Fault::PowerCut),
        End::Kill(_) => Some(Fault::Killed),
        End::Clean(_) | End::Last(_) => None,
    };
    if end == Some(Fault::PowerCut) || world.disk.is_off() {
        world.disk.crash();
    }
    end.into_iter()
        .for_each(|fault| world.report.faults.note(fault, 1));
    (0..plan.damages).try_for_each(|_| damage(world))?;
    let wound = plan.wound.filter(|_| !matches!(plan.end, End::Last(_)));
    wound.map_or(Ok(()), |kind| wound::wound(world, kind))
}

/// The venue's life, with a shadow if there is to be one.
fn beside_shadow(
    world: &mut World,
    mut venue: SimVenue<'_>,
    set: &mut CounterSet,
    plan: &LifePlan,
    lines: &mut [Line],
) -> Result<(), String> {
    let streams = std::mem::take(&mut venue.streams);
    let shadow = shadow::open(world, streams, lines, set)?;
    if shadow.is_some() {
        wound::healed(world);
    }
    if world.disk.is_off() {
        return Ok(());
    }
    let mut running = Running::new(world, venue, set, plan)?;
    running.shadow = shadow;
    running.traffic()?;
    running.end()
}

/// Starts the venue once more behind its last life: it comes back to the state in which it stopped,
/// and so do all its streams.
pub(crate) fn rebuilt(world: &mut World) -> Result<(), String> {
    with_venue(world, false, &mut |world, venue, _| {
        let entry = venue.gate.entry();
        for (member, session) in world.members.iter().zip(1..) {
            let (heard, kept) = (member.caller.heard.len() as u64, entry.replies(session));
            if heard != kept {
                return Err(format!(
                    "member {session} heard {heard} replies, {kept} came back"
                ));
            }
        }
        let (heard, kept) = (
            world.subscriber.sequence_next(),
            venue.publish.publisher().sequence_next(),
        );
        if heard != kept {
            return Err(format!(
                "the feed goes on with {kept} where {heard} is next"
            ));
        }
        let heard = world.depth.as_ref().map(|it| it.sequence_next());
        let kept = venue.publish.depth().map(|it| it.sequence_next());
        if heard != kept {
            return Err(format!(
                "the depth goes on with {kept:?} where {heard:?} is next"
            ));
        }
        Ok(())
    })
}

/// A start that something comes between; whether it succeeds is all one.
fn interrupted(
    world: &mut World,
    interruption: Interruption,
    plan: &LifePlan,
) -> Result<(), String> {
    let counts = world.disk.counts();
    let mut faults = DiskFaults {
        segments_max: plan.disk_segments_max,
        ..DiskFaults::default()
    };
    match interruption {
        Interruption::Read(number) => faults.read_fails = Some(counts.reads + number),
        Interruption::Power(number) => faults.write_fails = Some(counts.writes + number),
        Interruption::Kill => {}
    }
    world.disk.set_faults(faults);
    with_venue(world, true, &mut |_, _, _| Ok(()))?;
    let fault = match interruption {
        Interruption::Read(_) => return Ok(()),
        Interruption::Kill => Fault::Killed,
        Interruption::Power(_) => {
            world.disk.crash();
            Fault::PowerCutInRecovery
        }
    };
    world.report.faults.note(fault, 1);
    Ok(())
}

/// Segments on the disk, and the number of the last one.
fn segments(world: &World) -> Result<(usize, u32), String> {
    let all = world.disk.storage().list();
    let all = all.map_err(|error| error.to_string())?;
    Ok((all.len(), all.last().map_or(0, |at| at.number)))
}

/// What a venue does that started.
type Act<'a> = &'a mut dyn FnMut(&mut World, SimVenue<'_>, &mut CounterSet) -> Result<(), String>;

/// Starts the venue, looks at what came back, and lets it do something. With `may_fail` a disk that
/// failed may keep it from starting.
fn with_venue(world: &mut World, may_fail: bool, act: Act<'_>) -> Result<(), String> {
    let mut lines = std::mem::take(&mut world.lines);
    let done = started(world, &mut lines, may_fail, act);
    world.lines = lines;
    done
}

fn started(
    world: &mut World,
    lines: &mut [Line],
    may_fail: bool,
    act: Act<'_>,
) -> Result<(), String> {
    let mut set = counters_anonymous().map_err(|error| error.to_string())?;
    let before = world.disk.counts();
    let snapshots = wound::listed(&world.disk)?;
    let rings = world.rings().map_err(|error| error.to_string())?;
    let around = (&world.wires, &world.disk);
    let parts = wiring::parts(&world.topology, around, rings, &mut set)
        .map_err(|error| error.to_string())?;
    let (venue, recovery) = match assemble(&world.topology, parts, lines, &mut set) {
        Ok(assembled) => assembled,
        Err(_) if may_fail && world.disk.counts().failures() > before.failures() => {
            world.report.disk_failures += 1;
            return Ok(());
        }
        Err(error) => return Err(error.to_string()),
    };
    if world.topology.shadow.is_some() {
        wound::check_start(world, &recovery, (&snapshots, &before))?;
    }
    came_back(world, &venue, &recovery)?;
    act(world, venue, &mut set)
}

/// What earlier lives acknowledged is in the journal, and the engine stands where that says.
fn came_back(world: &mut World, venue: &SimVenue<'_>, recovery: &Recovery) -> Result<(), String> {
    // What looks at the disk from here on is not the venue.
    world.disk.set_faults(DiskFaults {
        read_fails: None,
        ..world.disk.faults()
    });
    world.report.torn += u64::from(recovery.torn.is_some());
    world.report.skipped += recovery.inputs_skipped;
    let stopped = world.stopped.take();
    let found = (recovery.inputs, recovery.state_hash);
    if let Some(stopped) = stopped
        && stopped != found
    {
        return Err(format!(
            "stopped cleanly at input and state {stopped:?}, came back at {found:?}"
        ));
    }
    world.oracle.follow(&world.disk)?;
    world.check(false)?;
    world.oracle.check_engine(venue.engine.engine())
}
