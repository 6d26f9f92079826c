//! Tiles on threads: one alone on a core, or several in turn.

use crate::tiles::{Phase, Progress, Signals, Tile};
use crate::topology::Place;
use core_affinity::CoreId;
use nic::Clock;
use std::collections::BTreeMap;
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

/// Idle turns of a shared thread before it gives its core away, and before it sleeps. On a machine
/// with fewer cores than threads, whoever spins takes the time of who has work to do.
const IDLE_SPIN: u32 = 64;
const IDLE_YIELD: u32 = 2_000;
const IDLE_SLEEP: Duration = Duration::from_micros(100);

/// Idle turns before a thread sleeps longer: after a few seconds nobody is in a hurry.
const IDLE_LONG: u32 = 20_000;
const IDLE_SLEEP_LONG: Duration = Duration::from_millis(1);

/// The tiles of each thread, in the order of the places.
pub(super) fn grouped<'t>(
    places: &[Place],
    tiles: impl IntoIterator<Item = &'t mut dyn Tile>,
) -> BTreeMap<Place, Vec<&'t mut dyn Tile>> {
    let mut groups: BTreeMap<Place, Vec<&mut dyn Tile>> = BTreeMap::new();
    for (place, tile) in places.iter().zip(tiles) {
        groups.entry(place.clone()).or_default().push(tile);
    }
    groups
}

/// Starts the thread of one place.
pub(super) fn start<'scope, 't: 'scope, C: Clock + Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    (place, tiles): (Place, Vec<&'t mut dyn Tile>),
    clock: C,
    signals: Signals,
) -> std::io::Result<ScopedJoinHandle<'scope, ()>> {
    let name = match &place {
        Place::Core(core) => format!("core-{core}"),
        Place::Thread(name) => name.clone(),
    };
    Builder::new()
        .name(name)
        .spawn_scoped(scope, move || match place {
            Place::Core(core) => {
                if !core_affinity::set_for_current(CoreId { id: core }) {
                    eprintln!("wirecross: core {core} was refused; its tile runs unpinned");
                }
                turns(tiles, &clock, &signals, |_| std::hint::spin_loop());
            }
            Place::Thread(_) => turns(tiles, &clock, &signals, idle),
        })
}

/// Each tile once.
fn turn(tiles: &mut [&mut dyn Tile], clock: &impl Clock) -> Progress {
    let mut busy = 0;
    for tile in tiles {
        busy += usize::from(tile.poll(clock.now_ns()) == Progress::Busy);
    }
    Progress::of(busy)
}

/// Turns until the venue stops; `rest` is told how many idle turns came in a row.
fn turns(mut tiles: Vec<&mut dyn Tile>, clock: &impl Clock, signals: &Signals, rest: fn(u32)) {
    let mut idle_turns: u32 = 0;
    while signals.phase() != Phase::Stopped {
        if turn(&mut tiles, clock) == Progress::Busy {
            idle_turns = 0;
        } else {
            idle_turns = idle_turns.saturating_add(1);
            rest(idle_turns);
        }
    }
}

/// What a thread that shares its core does after so many idle turns in a row.
pub(crate) fn idle(idle_turns: u32) {
    match idle_turns {
        0..IDLE_SPIN => std::hint::spin_loop(),
        IDLE_SPIN..IDLE_YIELD => std::thread::yield_now(),
        IDLE_YIELD..IDLE_LONG => std::thread::sleep(IDLE_SLEEP),
        _ => std::thread::sleep(IDLE_SLEEP_LONG),
    }
}
