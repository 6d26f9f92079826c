//! What the programs of the slow path say while they serve: a line for each event of `tracing`, as
//! text or as JSON, on stderr.
//!
//! Nobody who has something to say waits for who reads it: lines go into a bounded queue, which a
//! thread of its own writes out. Where stderr stalls the queue fills, and what comes then is left
//! out and counted. Words of strangers break no line and move no cursor.
//!
//! With the feature `otel` spans also go to a collector of OpenTelemetry, in the same way: by a
//! bounded queue and a thread of its own.
#![forbid(unsafe_code)]

mod layer;
mod line;
mod queue;
mod settings;
#[cfg(feature = "otel")]
mod spans;
mod trace;

pub use layer::Lines;
pub use queue::{Counts, LINES_MAX, Queue};
pub use settings::{Export, Format, Level, Settings, SpanCounts};
pub use trace::Trace;

use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt;

/// How long the end of a program waits for who reads its last lines.
const END_MAX: Duration = Duration::from_secs(1);

/// What the process's one log counts.
static SAYING: OnceLock<Saying> = OnceLock::new();

/// By what a process says what it says.
#[derive(Clone, Debug)]
struct Saying {
    lines: Arc<Queue>,
    #[cfg(feature = "otel")]
    spans: Option<Arc<spans::Exporter>>,
}

/// The log of this process; what is left is written when it goes, within a second, and what is
/// left of spans within another one.
#[derive(Debug)]
pub struct Log(Saying);

impl Drop for Log {
    fn drop(&mut self) {
        #[cfg(feature = "otel")]
        if let Some(spans) = &self.0.spans {
            spans.drain(END_MAX);
        }
        self.0.lines.drain(END_MAX);
    }
}

/// Lets this process say what it says from now on by threads of their own, one for lines and one
/// for spans if these are to go anywhere, which stand when this returns: system calls that only a
/// starting thread needs may be forbidden then.
///
/// # Errors
/// The system has no thread, the process has a log already, or it can send no spans.
pub fn start(program: &'static str, settings: Settings, export: Option<Export>) -> io::Result<Log> {
    if let Some(export) = &export {
        export.check().map_err(io::Error::other)?;
    }
    let lines = Queue::start(io::stderr(), layer::missing(program, settings))?;
    let layer = Lines::new(program, settings, Arc::clone(&lines)).filtered();
    let subscriber = tracing_subscriber::registry().with(layer);
    #[cfg(feature = "otel")]
    let spans = export.map(|export| spans::Exporter::new(program, export));
    #[cfg(feature = "otel")]
    spans.as_ref().map_or(Ok(()), spans::Exporter::start)?;
    #[cfg(feature = "otel")]
    let subscriber = subscriber.with(spans.clone().map(spans::Spans::filtered));
    tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
    let saying = Saying {
        lines,
        #[cfg(feature = "otel")]
        spans,
    };
    SAYING.get_or_init(|| saying.clone());
    Ok(Log(saying))
}

/// Says on stdout, to who started this program, what he waits for; he may have stopped listening.
pub fn tell(what: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{what}");
}

/// What became of the lines of this process; nothing where it has no log.
#[must_use]
pub fn counts() -> Counts {
    let saying = SAYING.get();
    saying.map_or_else(Counts::default, |it| it.lines.counts())
}

/// What became of its spans; nothing where they go nowhere.
#[must_use]
pub fn span_counts() -> SpanCounts {
    #[cfg(feature = "otel")]
    if let Some(spans) = SAYING.get().and_then(|it| it.spans.as_ref()) {
        return spans.counts();
    }
    SpanCounts::default()
}

/// Of the traces that begin here one in so many is kept; none where spans go nowhere.
fn one_in() -> Option<u32> {
    #[cfg(feature = "otel")]
    if let Some(spans) = SAYING.get().and_then(|it| it.spans.as_ref()) {
        return Some(spans.one_in());
    }
    None
}
