//! Tiles on threads: one alone on a core, or several in turn.

use super::spent::Spent;
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

/// A tile, and where its time goes.
pub(super) type Timed<'t> = (&'t mut dyn Tile, Spent);

/// The tiles of each thread, in the order of the places.
pub(super) fn grouped<'t>(
    places: &[Place],
    tiles: impl IntoIterator<Item = Timed<'t>>,
) -> BTreeMap<Place, Vec<Timed<'t>>> {
    let mut groups: BTreeMap<Place, Vec<Timed<'t>>> = BTreeMap::new();
    for (place, tile) in places.iter().zip(tiles) {
        groups.entry(place.clone()).or_default().push(tile);
    }
    groups
}

/// Starts the thread of one place.
pub(super) fn start<'scope, 't: 'scope, C: Clock + Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    (place, tiles): (Place, Vec<Timed<'t>>),
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
                turns(tiles, &clock, &signals, |_| {
                    std::hint::spin_loop();
                    false
                });
            }
            Place::Thread(_) => turns(tiles, &clock, &signals, |idle_turns| {
                idle(idle_turns);
                idle_turns >= IDLE_SPIN
            }),
        })
}

/// Each tile once, from `now_ns` on; also says when it was through.
fn turn(tiles: &mut [Timed<'_>], clock: &impl Clock, mut now_ns: u64) -> (Progress, u64) {
    let mut busy = 0;
    for (tile, spent) in tiles {
        let progress = tile.poll(now_ns);
        let after_ns = clock.now_ns();
        spent.turn(progress, after_ns.saturating_sub(now_ns));
        now_ns = after_ns;
        busy += usize::from(progress == Progress::Busy);
    }
    (Progress::of(busy), now_ns)
}

/// Turns until the venue stops; `rest` is told how many idle turns came in a row, and says whether
/// it took long enough to look at the clock again.
fn turns(mut tiles: Vec<Timed<'_>>, clock: &impl Clock, signals: &Signals, rest: fn(u32) -> bool) {
    let (mut idle_turns, mut now_ns) = (0u32, clock.now_ns());
    while signals.phase() != Phase::Stopped {
        let (progress, after_ns) = turn(&mut tiles, clock, now_ns);
        now_ns = after_ns;
        if progress == Progress::Busy {
            idle_turns = 0;
            continue;
        }
        idle_turns = idle_turns.saturating_add(1);
        if rest(idle_turns) {
            now_ns = clock.now_ns();
            for (_, spent) in &mut tiles {
                spent.rest(now_ns.saturating_sub(after_ns));
            }
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
