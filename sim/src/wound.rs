//! Damage at rest to snapshots and streams, and what a start must make of it: they follow from the
//! journal, so nothing is lost, but the one that is damaged must not be used, and the one before it
//! must.

use appliance::venue::Recovery;
use journal::simulated::{Counts as DiskCounts, Disk};
use journal::{Files as _, snapshot};

use crate::coverage::Fault;
use crate::day::World;
use crate::plan::Wound;

/// What was damaged before the next start.
#[derive(Debug, Default)]
pub(crate) struct Wounds {
    /// A bit of the newest snapshot.
    is_snapshot: bool,
    /// A bit of a stream, on which all snapshots stand.
    is_stream: bool,
    /// The newest snapshot when one was damaged last.
    newest: u64,
}

/// Damages what a life left, unless that would take all that a start can go on from.
pub(crate) fn wound(world: &mut World, kind: Wound) -> Result<(), String> {
    let snapshots = listed(&world.disk)?;
    let is_whole = world.disk.counts().retired == 0;
    let spare = snapshots.get(1).copied().unwrap_or(0);
    let Some(newest) = snapshots.first().copied() else {
        return Ok(());
    };
    // Who lets go of segments leaves two snapshots for that, of which one was damaged once at most.
    let has_spare = is_whole || world.wounds.newest == 0 || spare > world.wounds.newest;
    let name = match kind {
        Wound::Snapshot if has_spare => snapshot::file_name(newest),
        Wound::Stream if is_whole => {
            let names = world.disk.files().names();
            let mut names = names.map_err(|error| error.to_string())?;
            names.retain(|name| name.starts_with("stream-"));
            world
                .random
                .one_of(&names.iter().collect::<Vec<_>>())
                .clone()
        }
        _ => return Ok(()),
    };
    let files = world.disk.files();
    let mut bytes = files.bytes(&name).unwrap_or_default();
    if bytes.is_empty() {
        return Ok(());
    }
    let at = world.random.below(bytes.len() as u64) as usize;
    bytes[at] ^= 1 << world.random.below(8);
    files.set_bytes(&name, bytes);
    world.wounds.newest = newest;
    let (flag, fault) = match kind {
        Wound::Snapshot => (&mut world.wounds.is_snapshot, Fault::SnapshotDamaged),
        Wound::Stream => (&mut world.wounds.is_stream, Fault::StreamDamaged),
    };
    *flag = true;
    world.report.faults.note(fault, 1);
    Ok(())
}

/// The inputs behind which there are snapshots, the newest first.
pub(crate) fn listed(disk: &Disk) -> Result<Vec<u64>, String> {
    snapshot::list(&mut disk.files()).map_err(|error| error.to_string())
}

/// Whether a start went on from the newest snapshot that can be used, of those that were there.
pub(crate) fn check_start(
    world: &mut World,
    recovery: &Recovery,
    (snapshots, before): (&[u64], &DiskCounts),
) -> Result<(), String> {
    let wounds = &world.wounds;
    let refused = recovery.refused.len();
    let is_read_failing = world.disk.counts().reads_failed > before.reads_failed;
    let refused_max = match (wounds.is_stream || is_read_failing, wounds.is_snapshot) {
        (true, _) => snapshots.len(),
        (false, is_snapshot) => is_snapshot.into(),
    };
    if let Some(why) = recovery.refused.get(refused_max) {
        return Err(why.clone());
    }
    let due = snapshots.get(refused).copied().unwrap_or(0);
    if recovery.inputs_skipped != due {
        let found = recovery.inputs_skipped;
        return Err(format!(
            "went on from the snapshot behind input {found} where there is one behind {due}"
        ));
    }
    world.report.fallbacks += u64::from(refused > 0 && due > 0);
    Ok(())
}

/// A shadow has taken over: what was damaged is set aside or written anew.
pub(crate) fn healed(world: &mut World) {
    let newest = world.wounds.newest;
    world.wounds = Wounds {
        newest,
        ..Wounds::default()
    };
}
