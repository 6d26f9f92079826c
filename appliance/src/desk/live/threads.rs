//! The threads of a desk's tiles: one a core, or one a tile.

use std::thread::{Builder, Scope, ScopedJoinHandle};

use nic::{Clock, RealClock};
use queue::Watch;

use super::OVER;
use crate::tiles::Progress;
use crate::venue::idle;

/// The threads of feed, strategy and orders.
const NAMES: [&str; 3] = ["desk-feed", "desk-strategy", "desk-orders"];

/// A turn of a tile, at this time and in this phase.
pub(super) type Turn<'t> = Box<dyn FnMut(u64, u64) -> Progress + Send + 't>;

/// What a thread does.
pub(super) struct Thread<'t> {
    name: &'static str,
    core: Option<usize>,
    turns: Vec<Turn<'t>>,
}

/// The threads of feed, strategy and orders: one a core, named after the first tile there.
pub(super) fn threads(cores: Option<[usize; 3]>, turns: [Turn<'_>; 3]) -> Vec<Thread<'_>> {
    let cores = cores.map_or([None; 3], |cores| cores.map(Some));
    let mut threads: Vec<Thread<'_>> = Vec::new();
    for ((name, core), turn) in NAMES.into_iter().zip(cores).zip(turns) {
        let shared = threads
            .iter_mut()
            .find(|it| core.is_some() && it.core == core);
        match shared {
            Some(thread) => thread.turns.push(turn),
            None => threads.push(Thread {
                name,
                core,
                turns: vec![turn],
            }),
        }
    }
    threads
}

/// A thread that turns until all is over; pinned threads spin, others rest when idle.
pub(super) fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    thread: Thread<'scope>,
    phase: Watch,
) -> Result<ScopedJoinHandle<'scope, ()>, String> {
    let Thread {
        name,
        core,
        mut turns,
    } = thread;
    let work = move || {
        if let Some(id) = core
            && !core_affinity::set_for_current(core_affinity::CoreId { id })
        {
            eprintln!("wirecross: core {id} was refused; {name} runs unpinned");
        }
        let clock = RealClock::new();
        let mut idle_turns = 0;
        loop {
            let phase = phase.get();
            if phase >= OVER {
                return;
            }
            let mut is_busy = false;
            for turn in &mut turns {
                is_busy |= turn(clock.now_ns(), phase) == Progress::Busy;
            }
            idle_turns = if is_busy { 0 } else { idle_turns + 1 };
            match core {
                Some(_) => std::hint::spin_loop(),
                None => idle(idle_turns),
            }
        }
    };
    let builder = Builder::new().name(name.to_owned());
    let spawned = builder.spawn_scoped(scope, work);
    spawned.map_err(|error| format!("{name}: {error}"))
}
