//! Events and spans of `tracing` as lines.

use crate::line::{Fields, Line, cut};
use crate::queue::Queue;
use crate::settings::{Format, Settings};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// What crates of others say is worth a line from here on: their details are not for who runs a
/// venue.
const OTHERS: LevelFilter = LevelFilter::WARN;

/// Crates whose details are.
const OURS: [&str; 5] = ["api", "fix", "logs", "store", "wirecross"];

/// Makes a line of each event, and of each span when it ends: then with the milliseconds that it
/// took. An event within a span says the innermost one's fields, too.
#[derive(Debug)]
pub struct Lines {
    program: &'static str,
    settings: Settings,
    queue: Arc<Queue>,
}

/// What is known of a span.
struct Known {
    begun: Instant,
    fields: Fields,
}

impl Lines {
    /// Of a program, into a queue.
    #[must_use]
    pub fn new(program: &'static str, settings: Settings, queue: Arc<Queue>) -> Self {
        Self {
            program,
            settings,
            queue,
        }
    }

    /// The same, which hears only of what is worth a line: others may hear of more.
    #[must_use]
    pub fn filtered<S>(self) -> impl Layer<S>
    where
        S: Subscriber + for<'l> LookupSpan<'l>,
    {
        let least = self.settings.level.0;
        let is_wanted = move |metadata: &Metadata<'_>| {
            let is_known = is_ours(metadata.target()) || *metadata.level() <= OTHERS;
            *metadata.level() <= least && is_known
        };
        self.with_filter(filter_fn(is_wanted).with_max_level_hint(least))
    }

    fn say(
        &self,
        metadata: &Metadata<'_>,
        (message, fields): (&str, &Fields),
        within: Option<(&'static str, &Fields)>,
    ) {
        let format: Format = self.settings.format;
        let line = Line {
            program: self.program,
            level: level_of(metadata),
            message,
            fields,
            within,
        };
        self.queue.push(line.drawn(format, SystemTime::now()));
    }
}

/// The line that says how many lines of a program were left out.
pub fn missing(program: &'static str, settings: Settings) -> impl Fn(u64) -> String + Send {
    move |count| {
        let fields = Fields::from_iter([("lines".to_owned(), count.into())]);
        let line = Line {
            program,
            level: "warn",
            message: "lines were left out: they came faster than they were read",
            fields: &fields,
            within: None,
        };
        line.drawn(settings.format, SystemTime::now())
    }
}

fn level_of(metadata: &Metadata<'_>) -> &'static str {
    match *metadata.level() {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}

/// Whether a crate of ours says it.
pub(crate) fn is_ours(target: &str) -> bool {
    let of_crate = target.split("::").next().unwrap_or_default();
    OURS.iter().any(|name| of_crate.starts_with(name))
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'l> LookupSpan<'l>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Recorder(&mut fields));
        let now = Instant::now();
        let begun = now.checked_sub(took(&mut fields)).unwrap_or(now);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Known { begun, fields });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(known) = span.extensions_mut().get_mut::<Known>()
        {
            values.record(&mut Recorder(&mut known.fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Recorder(&mut fields));
        let message = fields.remove("message");
        let message = message.as_ref().and_then(Value::as_str).unwrap_or_default();
        let span = context.event_span(event);
        let extensions = span.as_ref().map(|span| span.extensions());
        let known = extensions.as_ref().and_then(|it| it.get::<Known>());
        let within = span.as_ref().zip(known);
        let within = within.map(|(span, known)| (span.name(), &known.fields));
        self.say(event.metadata(), (message, &fields), within);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(mut known) = span.extensions_mut().remove::<Known>() else {
            return;
        };
        let ms = known.begun.elapsed().as_secs_f64() * 1e3;
        known.fields.insert("ms".to_owned(), ms.into());
        self.say(span.metadata(), (span.name(), &known.fields), None);
    }
}

/// What a span says of how long it took already when it is made: microseconds by the name of
/// `took_us`, for what is known to be worth a span when it is over.
pub(crate) fn took(fields: &mut Fields) -> Duration {
    let told = fields.remove("took_us");
    Duration::from_micros(told.as_ref().and_then(Value::as_u64).unwrap_or(0))
}

/// Puts what is recorded into fields.
pub(crate) struct Recorder<'f>(pub(crate) &'f mut Fields);

impl Recorder<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Recorder<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, cut(&format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, cut(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Level;
    use std::io::{self, Write};
    use std::sync::{Mutex, PoisonError};
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that come of it, as objects.
    fn lines(level: LevelFilter, act: impl FnOnce()) -> Vec<Value> {
        let kept = Kept::default();
        let settings = Settings {
            format: Format::Json,
            level: Level(level),
        };
        let told = missing("wirecross-api", settings);
        let queue = Queue::start(kept.clone(), told).expect("a thread");
        let lines = Lines::new("wirecross-api", settings, Arc::clone(&queue));
        let subscriber = tracing_subscriber::registry().with(lines.filtered());
        tracing::subscriber::with_default(subscriber, act);
        queue.drain(Duration::from_secs(60));
        let bytes = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let objects = text.lines().map(serde_json::from_str);
        objects.collect::<Result<_, _>>().expect("objects")
    }

    #[test]
    fn events_say_their_fields_and_those_of_the_span() {
        let told = lines(LevelFilter::DEBUG, || {
            let request = tracing::debug_span!("request", path = "/x", status = 0);
            request.in_scope(|| tracing::warn!(user = "a\nb", count = 3, "it {}", "is so"));
            request.record("status", 200);
        });
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(
            (&told[0]["level"], &told[0]["message"]),
            (&"warn".into(), &"it is so".into())
        );
        assert_eq!(
            told[0]["fields"],
            serde_json::json!({"user": "a\nb", "count": 3})
        );
        assert_eq!(told[0]["within"]["fields"]["path"], "/x");
        let end = &told[1]["fields"];
        assert_eq!(
            (&told[1]["message"], &end["status"]),
            (&"request".into(), &200.into())
        );
        assert!(end["ms"].as_f64() >= Some(0.0), "{end}");
    }

    #[test]
    fn what_is_below_the_level_and_details_of_others_are_no_lines() {
        let told = lines(LevelFilter::INFO, || {
            tracing::debug!("a detail");
            tracing::info!(target: "h2::frame", "a detail of others");
            tracing::warn!(target: "h2::frame", "a warning of others");
            tracing::debug_span!("request").in_scope(|| tracing::info!("no span"));
        });
        let messages: Vec<_> = told.iter().map(|it| it["message"].clone()).collect();
        assert_eq!(messages, ["a warning of others", "no span"]);
    }

    #[test]
    fn that_lines_are_missing_is_an_object_too() {
        let settings = Settings {
            format: Format::Json,
            level: Level(LevelFilter::INFO),
        };
        let line = missing("wirecross-api", settings)(7);
        let told: Value = serde_json::from_str(&line).expect("an object");
        assert_eq!(
            (&told["level"], &told["fields"]["lines"]),
            (&"warn".into(), &7.into())
        );
    }
}
