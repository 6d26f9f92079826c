//! A trace of what is asked of kept answers, a line each: milliseconds since the service began,
//! bytes of the answer, and the key under which it is kept. The example `measure` of crate `cache`
//! plays it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Bytes that a trace takes on the disk at most; it ends there.
const TRACE_BYTES_MAX: usize = 256 << 20;

/// A trace that is being written.
#[derive(Debug)]
pub(super) struct Trace {
    begun: Instant,
    /// The file and what it may still take; none when it has ended.
    out: Mutex<Option<(File, usize)>>,
}

impl Trace {
    /// Begins one, which its owner alone may read: keys name accounts.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(super) fn begin(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true);
        let out = file.mode(0o600).open(path)?;
        Ok(Self {
            begun: Instant::now(),
            out: Mutex::new(Some((out, TRACE_BYTES_MAX))),
        })
    }

    /// An answer of so many bytes was asked for. What cannot be written ends the trace, and nothing
    /// else.
    pub(super) fn note(&self, key: &str, bytes: usize) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((file, left)) = out.as_mut() else {
            return;
        };
        // Whoever asked chose some of these words: they break no line.
        let key = key.escape_debug();
        let line = format!("{} {bytes} {key}\n", self.begun.elapsed().as_millis());
        let ended = if line.len() > *left {
            Some(format!("it has {TRACE_BYTES_MAX} bytes"))
        } else {
            *left -= line.len();
            file.write_all(line.as_bytes())
                .err()
                .map(|it| it.to_string())
        };
        if let Some(why) = ended {
            tracing::warn!(why, "the trace of kept answers ends");
            *out = None;
        }
    }
}
