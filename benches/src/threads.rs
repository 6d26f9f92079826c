//! Threads that spin: where they run, and how long they wait for each other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::BenchError;

/// Longest wait for the other side of a bench, as far as the waiting thread was there.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Most of a pause between two looks at the clock that counts: who was away for longer was stopped
/// or had no core, and so, perhaps, was the other side.
const ABSENCE_MAX: Duration = Duration::from_secs(20);
/// Looks in vain before a waiting thread lets another one run: matters only where two threads
/// share a core.
const LOOKS_MAX: u32 = 1 << 12;

/// Binds the calling thread to a processor it may use, the first one for place 0, wrapping around;
/// says which. Without permission the thread stays where it is.
pub fn pin(place: usize) -> Option<usize> {
    let allowed = processors();
    let processor = *allowed.get(place.checked_rem(allowed.len())?)?;
    // SAFETY: an all-zero `cpu_set_t` is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `processor` came out of a set of the same size.
    unsafe { libc::CPU_SET(processor, &mut set) };
    // SAFETY: the pointer and size name `set`, which lives through the call.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) };
    (result == 0).then_some(processor)
}

/// Lets the calling thread run on all processors that this process may use.
pub fn anywhere() {
    let allowed = processors();
    // SAFETY: an all-zero `cpu_set_t` is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for processor in allowed {
        // SAFETY: `processor` came out of a set of the same size.
        unsafe { libc::CPU_SET(processor, &mut set) };
    }
    // SAFETY: the pointer and size name `set`, which lives through the call.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) };
}

/// Processors that this process may use.
#[must_use]
pub fn processors() -> Vec<usize> {
    // SAFETY: an all-zero `cpu_set_t` is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let pid = std::process::id().cast_signed();
    // SAFETY: the pointer and size name `set`, which lives through the call.
    let result = unsafe { libc::sched_getaffinity(pid, size_of_val(&set), &mut set) };
    if result != 0 {
        return Vec::new();
    }
    let count = libc::CPU_SETSIZE.unsigned_abs() as usize;
    // SAFETY: every number asked for is below the size of the set.
    (0..count)
        .filter(|processor| unsafe { libc::CPU_ISSET(*processor, &set) })
        .collect()
}

/// Ends the waits of both sides of a pair once one of them failed.
#[derive(Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Asks until there is something: spins first, then yields, and ends after [`PATIENCE`].
    pub fn wait<T>(&self, mut ask: impl FnMut() -> Option<T>) -> Result<T, BenchError> {
        let (mut waited, mut looked) = (Duration::ZERO, None);
        loop {
            for _ in 0..LOOKS_MAX {
                if let Some(found) = ask() {
                    return Ok(found);
                }
                std::hint::spin_loop();
            }
            // Relaxed: only ends a wait, carries no message.
            if self.0.load(Ordering::Relaxed) {
                return Err(BenchError::Stopped);
            }
            let now = Instant::now();
            let passed = now - looked.replace(now).unwrap_or(now);
            waited += passed.min(ABSENCE_MAX);
            if waited > PATIENCE {
                let what = format!("the other side did not answer for {PATIENCE:?}");
                return Err(BenchError::Failed(what));
            }
            std::thread::yield_now();
        }
    }

    /// Stops the waits if this is an error.
    fn on_error<T>(&self, result: Result<T, BenchError>) -> Result<T, BenchError> {
        if result.is_err() {
            self.0.store(true, Ordering::Relaxed);
        }
        result
    }
}

/// Runs `here` on the first processor and `there` on the second, and gives `here`'s result once
/// both have ended without error.
pub fn pair<T: Send>(
    here: impl FnOnce(&Stop) -> Result<T, BenchError> + Send,
    there: impl FnOnce(&Stop) -> Result<(), BenchError> + Send,
) -> Result<T, BenchError> {
    let stop = Stop::default();
    let panicked = || BenchError::Failed("one side of a pair panicked".to_string());
    // Neither side is the calling thread: that one must keep all its processors.
    let (here, there) = std::thread::scope(|scope| {
        let here = scope.spawn(|| {
            pin(0);
            stop.on_error(here(&stop))
        });
        let there = scope.spawn(|| {
            pin(1);
            stop.on_error(there(&stop))
        });
        (here.join(), there.join())
    });
    let here = here.unwrap_or_else(|_| Err(panicked()));
    let there = there.unwrap_or_else(|_| Err(panicked()));
    match (here, there) {
        (Err(BenchError::Stopped) | Ok(_), Err(error)) => Err(error),
        (here, _) => here,
    }
}
