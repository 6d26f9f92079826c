//! What the programs of the slow path say while they serve: a line for each event of `tracing`, as
//! text or as JSON, on stderr.
//!
//! Nobody who has something to say waits for who reads it: lines go into a bounded queue, which a
//! thread of its own writes out. Where stderr stalls the queue fills, and what comes then is left
//! out and counted. Words of strangers break no line and move no cursor.
#![forbid(unsafe_code)]

mod layer;
mod line;
mod queue;
mod settings;

pub use layer::Lines;
pub use queue::{Counts, LINES_MAX, Queue};
pub use settings::{Format, Level, Settings};

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt;

/// How long the end of a program waits for who reads its last lines.
const END_MAX: Duration = Duration::from_secs(1);

/// What the process's one log counts.
static QUEUE: OnceLock<Arc<Queue>> = OnceLock::new();

/// The log of this process; what is left is written when it goes, within a second.
#[derive(Debug)]
pub struct Log(Arc<Queue>);

impl Drop for Log {
    fn drop(&mut self) {
        self.0.drain(END_MAX);
    }
}

/// Lets this process say what it says from now on by a thread of its own, which stands when this
/// returns: system calls that only a starting thread needs may be forbidden then.
///
/// # Errors
/// The system has no thread, or the process has a log already.
pub fn start(program: &'static str, settings: Settings) -> io::Result<Log> {
    let queue = Queue::start(io::stderr(), layer::missing(program, settings))?;
    let lines = Lines::new(program, settings, Arc::clone(&queue));
    let subscriber = tracing_subscriber::registry().with(lines);
    tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
    QUEUE.get_or_init(|| Arc::clone(&queue));
    Ok(Log(queue))
}

/// What became of the lines of this process; nothing where it has no log.
#[must_use]
pub fn counts() -> Counts {
    QUEUE.get().map_or_else(Counts::default, |it| it.counts())
}
