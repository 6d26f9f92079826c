//! A trace of what is asked of kept answers, a line each: milliseconds since the service began,
//! bytes of the answer, and the key under which it is kept. The example `measure` of crate `cache`
//! plays it.

use logs::Queue;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Bytes that a trace takes on the disk at most; it ends there.
const TRACE_BYTES_MAX: usize = 256 << 20;

/// A trace that a thread of its own writes: who asks does not wait for the disk.
#[derive(Debug)]
pub(super) struct Trace {
    begun: Instant,
    lines: Arc<Queue>,
    /// What it may still take; none when it has ended.
    left: Mutex<Option<usize>>,
}

impl Trace {
    /// Begins one, which its owner alone may read: keys name accounts.
    ///
    /// # Errors
    /// The file cannot be made, or the system has no thread.
    pub(super) fn begin(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true);
        let out = file.mode(0o600).open(path)?;
        Ok(Self {
            begun: Instant::now(),
            lines: Queue::start(out, |_| String::new())?,
            left: Mutex::new(Some(TRACE_BYTES_MAX)),
        })
    }

    /// An answer of so many bytes was asked for. A line that is lost ends the trace, and nothing
    /// else.
    pub(super) fn note(&self, key: &str, bytes: usize) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(room) = *left else {
            return;
        };
        // Whoever asked chose some of these words: they break no line.
        let key = key.escape_debug();
        let line = format!("{} {bytes} {key}\n", self.begun.elapsed().as_millis());
        let why = if self.lines.counts().dropped > 0 {
            "the disk does not take it, or not so fast"
        } else if line.len() > room {
            "it has as many bytes as it may"
        } else {
            *left = Some(room - line.len());
            return self.lines.push(line);
        };
        tracing::warn!(why, "the trace of kept answers ends");
        *left = None;
    }
}
