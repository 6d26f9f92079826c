//! How quiet a core is: a pinned thread reads the time stamp counter as fast as it can, and every
//! gap between two readings is time that something else took.

mod causes;
mod gaps;
mod plot;
mod report;

pub use causes::{Cause, Snapshot};
pub use gaps::{Gap, Gaps};
pub use plot::svg;
pub use report::{Bucket, CoreReport, jitter_text};

use crate::cpus::Cpus;
use crate::host::Host;
use quanta::Clock;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// Gaps from here on are asked for their cause at once, in nanoseconds: asking takes about 20 us,
/// which must be little beside them.
const LONG_NS: u64 = 50_000;
/// This long the thread spins before it counts, so that frequency and caches settle.
const WARM_UP: Duration = Duration::from_millis(100);

/// What is measured.
#[derive(Clone, Debug)]
pub struct Jitter {
    /// The cores, all at the same time.
    pub cores: Cpus,
    /// For how long.
    pub time: Duration,
    /// The shortest gap that counts, in nanoseconds.
    pub threshold_ns: u64,
}

impl Jitter {
    /// Measures, with a thread on each core.
    ///
    /// # Errors
    /// A thread cannot be started, or died.
    pub fn run(&self) -> Result<Vec<CoreReport>, String> {
        // The first clock of a process measures the counter's rate, for a tenth of a second.
        let clock = Clock::new();
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for cpu in self.cores.iter() {
                let clock = clock.clone();
                let builder = std::thread::Builder::new().name(format!("jitter-{cpu}"));
                let thread = builder.spawn_scoped(scope, move || self.one(cpu, &clock));
                threads.push(thread.map_err(|error| format!("a thread for core {cpu}: {error}"))?);
            }
            let joined = threads.into_iter().map(|thread| {
                thread
                    .join()
                    .map_err(|_| "a measuring thread panicked: see above".to_owned())
            });
            joined.collect()
        })
    }

    /// Measures the calling thread's core after binding it there.
    fn one(&self, cpu: usize, clock: &Clock) -> CoreReport {
        let is_pinned = core_affinity::set_for_current(core_affinity::CoreId { id: cpu });
        let host = Host::live();
        let mut gaps = Gaps::new(self.threshold_ns);
        let mut switches = Switches::new();
        spin(clock, WARM_UP, &mut Gaps::new(self.threshold_ns), &mut || 0);
        let before = Snapshot::take(&host, cpu);
        spin(clock, self.time, &mut gaps, &mut || switches.forced());
        let causes = Snapshot::take(&host, cpu).since(&before);
        CoreReport::of(cpu, is_pinned, &gaps, causes)
    }
}

/// Looks at the counter for so long. Gaps that are long are asked for the forced switches of this
/// thread so far; what recording takes is not counted.
fn spin(clock: &Clock, time: Duration, gaps: &mut Gaps, switches: &mut dyn FnMut() -> u64) {
    let end_ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let threshold = ticks_of(clock, gaps.threshold_ns());
    let mut forced = switches();
    let start = clock.raw();
    let end = start.saturating_add(ticks_of(clock, end_ns));
    let (mut last, mut looks, mut shortest) = (start, 0u64, u64::MAX);
    while last < end {
        let now = clock.raw();
        let gap = now.saturating_sub(last);
        looks += 1;
        last = now;
        shortest = shortest.min(gap);
        if gap >= threshold {
            let at_ns = clock.delta_as_nanos(start, now.saturating_sub(gap));
            let ns = clock.delta_as_nanos(0, gap);
            let before = forced;
            if ns >= LONG_NS {
                forced = switches();
            }
            gaps.record(Gap {
                at_ns,
                ns,
                was_switched: forced > before,
            });
            last = clock.raw();
        }
    }
    gaps.finish(
        looks,
        clock.delta_as_nanos(0, shortest),
        clock.delta_as_nanos(start, last),
    );
}

/// Ticks of the counter in so many nanoseconds, at least one.
fn ticks_of(clock: &Clock, ns: u64) -> u64 {
    const SPAN: u64 = 1 << 32;
    let span_ns = clock.delta_as_nanos(0, SPAN).max(1);
    let ticks = u128::from(ns) * u128::from(SPAN) / u128::from(span_ns);
    u64::try_from(ticks).unwrap_or(u64::MAX).max(1)
}

/// How often the kernel took the core from this thread, from a file that stays open.
struct Switches {
    status: Option<File>,
    text: Vec<u8>,
}

impl Switches {
    fn new() -> Self {
        Self {
            status: File::open("/proc/thread-self/status").ok(),
            text: vec![0; 8 << 10],
        }
    }

    fn forced(&mut self) -> u64 {
        let read = self
            .status
            .as_ref()
            .and_then(|file| file.read_at(&mut self.text, 0).ok());
        let text = &self.text[..read.unwrap_or(0)];
        let text = std::str::from_utf8(text).unwrap_or_default();
        causes::number_after(text, "nonvoluntary_ctxt_switches:").unwrap_or(0)
    }
}
