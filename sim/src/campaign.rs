//! Many seeds on several threads, and what they came to together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::day::{Report, run};
use crate::plan::Plan;

/// Which seeds to run, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// The first seed.
    pub first: u64,
    /// How many.
    pub seeds: u64,
    /// Threads.
    pub jobs: usize,
    /// After so many broken seeds no further one is begun.
    pub broken_max: usize,
}

/// What a campaign came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Seeds that were run.
    pub seeds: u64,
    /// All that the seeds that kept every promise did, added up.
    pub total: Report,
    /// Seeds that broke a promise and which, the smallest seed first.
    pub broken: Vec<(u64, String)>,
}

struct Shared {
    next: u64,
    outcome: Outcome,
}

impl Campaign {
    /// Runs the seeds; `on` hears after each how many are done.
    pub fn run(&self, on: &(dyn Fn(u64) + Sync)) -> Outcome {
        let shared = Mutex::new(Shared {
            next: self.first,
            outcome: Outcome::default(),
        });
        thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(|| self.work(&shared, on));
            }
        });
        let shared = shared.into_inner();
        let mut outcome = shared.unwrap_or_else(PoisonError::into_inner).outcome;
        outcome.broken.sort();
        outcome
    }

    fn work(&self, shared: &Mutex<Shared>, on: &(dyn Fn(u64) + Sync)) {
        loop {
            let next = self.seed_next(&mut locked(shared));
            let Some(seed) = next else {
                return;
            };
            // A tile that panics is a broken promise, too.
            let ran = catch_unwind(AssertUnwindSafe(|| run(&Plan::of(seed))));
            let ran = ran.unwrap_or_else(|_| Err(format!("seed {seed}: a panic, told above")));
            let mut shared = locked(shared);
            shared.outcome.seeds += 1;
            match ran {
                Ok(report) => shared.outcome.total.add(&report),
                Err(error) => shared.outcome.broken.push((seed, error)),
            }
            let done = shared.outcome.seeds;
            drop(shared);
            on(done);
        }
    }

    fn seed_next(&self, shared: &mut Shared) -> Option<u64> {
        let seed = shared.next;
        let is_over =
            seed - self.first >= self.seeds || shared.outcome.broken.len() >= self.broken_max;
        (!is_over).then(|| {
            shared.next += 1;
            seed
        })
    }
}

fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
