//! Spans of `tracing` as those of OpenTelemetry, sent to a collector.
//!
//! Nobody who serves waits for it: a span that ends goes into a bounded queue, which a thread of
//! its own sends on. What has no room there, and what the collector does not take in time, is
//! dropped and counted.

mod conventions;
mod exporter;
mod post;

pub(crate) use exporter::Exporter;

use crate::layer::{Recorder, is_ours, took};
use crate::line::Fields;
use crate::trace::Trace;
use conventions::attribute;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Event as Happened;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Events of a span that are told; how many more there were is.
const EVENTS_MAX: usize = 32;

/// Tells the exporter of each span that ends.
#[derive(Debug)]
pub(crate) struct Spans(Arc<Exporter>);

impl Spans {
    /// For a subscriber that has other layers, too: what crates of ours say, but for details.
    pub(crate) fn filtered<S>(exporter: Arc<Exporter>) -> impl Layer<S>
    where
        S: Subscriber + for<'l> LookupSpan<'l>,
    {
        let is_wanted = |metadata: &Metadata<'_>| {
            is_ours(metadata.target()) && *metadata.level() <= LevelFilter::DEBUG
        };
        Self(exporter).with_filter(filter_fn(is_wanted).with_max_level_hint(LevelFilter::DEBUG))
    }
}

/// What is known of a span.
struct Known {
    trace: Trace,
    begun_ns: u64,
    begun: Instant,
    fields: Fields,
    events: Vec<Happened>,
    events_dropped: u32,
}

impl Known {
    fn new(trace: Trace, mut fields: Fields) -> Self {
        let (took, now) = (took(&mut fields), Instant::now());
        Self {
            trace,
            begun_ns: now_ns().saturating_sub(took.as_nanos() as u64),
            begun: now.checked_sub(took).unwrap_or(now),
            fields,
            events: Vec::new(),
            events_dropped: 0,
        }
    }

    /// As it is told, once it is over.
    fn told(self, name: &'static str) -> Span {
        let took_ns = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let parent = self.trace.parent;
        Span {
            trace_id: self.trace.id.to_be_bytes().to_vec(),
            span_id: self.trace.span.to_be_bytes().to_vec(),
            parent_span_id: parent.map_or_else(Vec::new, |it| it.to_be_bytes().to_vec()),
            flags: 1,
            start_time_unix_nano: self.begun_ns,
            end_time_unix_nano: self.begun_ns.saturating_add(took_ns),
            events: self.events,
            dropped_events_count: self.events_dropped,
            ..conventions::span(name, self.fields)
        }
    }
}

/// Nanoseconds since 1970.
fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

impl<S> Layer<S> for Spans
where
    S: Subscriber + for<'l> LookupSpan<'l>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let mut fields = Fields::new();
        attributes.record(&mut Recorder(&mut fields));
        let within = span.parent();
        let within = within.as_ref().map(|it| it.extensions());
        let within = within.as_ref().and_then(|it| it.get::<Known>());
        let trace = said(&mut fields)
            .or_else(|| within.map(|known| known.trace.child()))
            .unwrap_or_else(|| Trace::begin(self.0.one_in()));
        span.extensions_mut().insert(Known::new(trace, fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(known) = span.extensions_mut().get_mut::<Known>()
        {
            values.record(&mut Recorder(&mut known.fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else {
            return;
        };
        let mut extensions = span.extensions_mut();
        let Some(known) = extensions.get_mut::<Known>() else {
            return;
        };
        if known.events.len() >= EVENTS_MAX {
            known.events_dropped += 1;
            return;
        }
        let mut fields = Fields::new();
        event.record(&mut Recorder(&mut fields));
        let message = fields.remove("message");
        let name = message.as_ref().and_then(|it| it.as_str());
        let level = event.metadata().level().as_str().to_lowercase();
        fields.insert("level".to_owned(), level.into());
        known.events.push(Happened {
            time_unix_nano: now_ns(),
            name: name.unwrap_or_default().to_owned(),
            attributes: fields.into_iter().map(attribute).collect(),
            dropped_attributes_count: 0,
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let known = span.extensions_mut().remove::<Known>();
        if let Some(known) = known.filter(|known| known.trace.is_sampled) {
            self.0.push(known.told(span.name()));
        }
    }
}

/// What a span says itself of where it stands.
fn said(fields: &mut Fields) -> Option<Trace> {
    let parent = fields.remove("parent");
    let parent = parent.as_ref().and_then(|it| it.as_str());
    let own = fields.remove("traceparent")?;
    Some(Trace {
        parent: parent.and_then(|it| u64::from_str_radix(it, 16).ok()),
        ..Trace::read(own.as_str()?)?
    })
}

#[cfg(test)]
mod tests;
