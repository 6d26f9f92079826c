//! Tiles on threads: one alone on a core, or several in turn.

use super::muster::Post;
use super::spent::Spent;
use crate::tiles::{Phase, Progress, Signals, Tile};
use crate::topology::{Place, Tile as Name};
use core_affinity::CoreId;
use nic::Clock;
use std::collections::BTreeMap;
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

/// Idle turns of a shared thread before it gives its core away, and before it sleeps. On a machine
/// with fewer cores than threads, whoever spins takes the time of who has work to do.
const IDLE_SPIN: u32 = 64;
const IDLE_YIELD: u32 = 4_000;
/// Of the turns between, every so many give the core away: that is a system call, which costs as
/// much as a turn or more, and what comes meanwhile waits.
const YIELD_TURNS: u32 = 8;
const IDLE_SLEEP: Duration = Duration::from_micros(100);

/// How often engine and gate follow one another before the other tiles of their thread have a turn.
const EXCHANGES_MAX: usize = 4;

/// Idle turns before a thread sleeps longer: after a few seconds nobody is in a hurry.
const IDLE_LONG: u32 = 20_000;
const IDLE_SLEEP_LONG: Duration = Duration::from_millis(1);

/// A tile, and where its time goes.
pub(super) struct Timed<'t> {
    pub(super) name: Name,
    pub(super) tile: &'t mut dyn Tile,
    pub(super) spent: Spent,
}

impl Timed<'_> {
    /// One turn at `now_ns`; also says when it was through.
    fn poll(&mut self, clock: &impl Clock, now_ns: u64) -> (Progress, u64) {
        let progress = self.tile.poll(now_ns);
        let after_ns = clock.now_ns();
        self.spent.turn(progress, after_ns.saturating_sub(now_ns));
        (progress, after_ns)
    }
}

/// The tiles of each thread, in the order of [`Name::ALL`].
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

/// Starts the thread of one place, which begins at the word.
pub(super) fn start<'scope, 't: 'scope, C: Clock + Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    (place, tiles): (Place, Vec<Timed<'t>>),
    clock: C,
    (signals, post): (Signals, Post),
) -> std::io::Result<ScopedJoinHandle<'scope, ()>> {
    let name = match &place {
        Place::Core(core) => format!("core-{core}"),
        Place::Thread(name) => name.clone(),
    };
    Builder::new().name(name).spawn_scoped(scope, move || {
        if let Place::Core(core) = place
            && !core_affinity::set_for_current(CoreId { id: core })
        {
            eprintln!("wirecross: core {core} was refused; its tile runs unpinned");
        }
        post.wait();
        match place {
            Place::Core(_) => turns(tiles, &clock, &signals, |_| {
                std::hint::spin_loop();
                false
            }),
            Place::Thread(_) => turns(tiles, &clock, &signals, |idle_turns| {
                idle(idle_turns);
                idle_turns >= IDLE_SPIN
            }),
        }
    })
}

/// Each tile once, from `now_ns` on; also says when it was through. Behind an engine that did
/// something comes the gate again, if it is here: a reply does not wait for the disk's and the
/// feed's system calls unless the ack rule says so. An engine that gets more to do by that goes on.
fn turn(tiles: &mut [Timed<'_>], clock: &impl Clock, mut now_ns: u64) -> (Progress, u64) {
    let mut busy = 0;
    for index in 0..tiles.len() {
        for _ in 0..EXCHANGES_MAX {
            let progress;
            (progress, now_ns) = tiles[index].poll(clock, now_ns);
            if progress != Progress::Busy {
                break;
            }
            busy += 1;
            if tiles[index].name != Name::Engine {
                break;
            }
            let Some(gate) = tiles.iter_mut().find(|timed| timed.name == Name::Gate) else {
                break;
            };
            (_, now_ns) = gate.poll(clock, now_ns);
        }
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
            for timed in &mut tiles {
                timed.spent.rest(now_ns.saturating_sub(after_ns));
            }
        }
    }
}

/// What a thread that shares its core does after so many idle turns in a row.
pub(crate) fn idle(idle_turns: u32) {
    match idle_turns {
        0..IDLE_SPIN => std::hint::spin_loop(),
        IDLE_SPIN..IDLE_YIELD if idle_turns.is_multiple_of(YIELD_TURNS) => {
            std::thread::yield_now();
        }
        IDLE_SPIN..IDLE_YIELD => std::hint::spin_loop(),
        IDLE_YIELD..IDLE_LONG => std::thread::sleep(IDLE_SLEEP),
        _ => std::thread::sleep(IDLE_SLEEP_LONG),
    }
}
