//! Spans that wait for the collector, and the thread that sends them.

use super::post::{Refused, post};
use crate::settings::{Export, SpanCounts};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// Spans of a message at most.
const BATCH_MAX: usize = 512;

/// How long a span waits for others to go with it.
const GATHER: Duration = Duration::from_millis(500);

/// How often spans are sent to a collector that does not take them, and the rest between.
const TRIES: u32 = 3;
const REST: Duration = Duration::from_secs(1);

/// The queue between who serves and the thread that sends.
#[derive(Debug)]
pub(crate) struct Exporter {
    program: &'static str,
    settings: Export,
    inside: Mutex<Inside>,
    /// There is a span, or the end.
    came: Condvar,
    /// All that was there was sent, or dropped.
    empty: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    spans: VecDeque<Span>,
    counts: SpanCounts,
    is_sending: bool,
    is_ending: bool,
}

impl Exporter {
    /// An empty one, from which nothing goes before its thread is started.
    pub(crate) fn new(program: &'static str, settings: Export) -> Arc<Self> {
        Arc::new(Self {
            program,
            settings,
            inside: Mutex::default(),
            came: Condvar::new(),
            empty: Condvar::new(),
        })
    }

    /// Starts the thread, which stands when this returns.
    ///
    /// # Errors
    /// The system has none.
    pub(crate) fn start(self: &Arc<Self>) -> io::Result<()> {
        let ours = Arc::clone(self);
        let (standing, stands) = channel();
        Builder::new().name("spans".to_owned()).spawn(move || {
            let _ = standing.send(());
            ours.run();
        })?;
        stands.recv().map_err(io::Error::other)
    }

    /// Of the traces that begin here one in so many is kept.
    pub(crate) const fn one_in(&self) -> u32 {
        self.settings.one_in
    }

    /// Adds a span that is over, if there is room.
    pub(crate) fn push(&self, span: Span) {
        let mut inside = self.inside();
        if inside.spans.len() >= self.settings.waiting_max {
            inside.counts.dropped += 1;
            return;
        }
        inside.spans.push_back(span);
        if inside.spans.len() == 1 || inside.spans.len() == BATCH_MAX {
            self.came.notify_one();
        }
    }

    /// What became of spans until now.
    pub(crate) fn counts(&self) -> SpanCounts {
        self.inside().counts
    }

    /// Waits until all is sent, but no longer than this; nothing is waited for from here on.
    pub(crate) fn drain(&self, longest: Duration) {
        let mut inside = self.inside();
        inside.is_ending = true;
        self.came.notify_one();
        let is_left = |inside: &mut Inside| inside.is_sending || !inside.spans.is_empty();
        let _ = self.empty.wait_timeout_while(inside, longest, is_left);
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut is_well = true;
        loop {
            let batch = self.batch();
            let count = batch.len() as u64;
            let sent = self.send(batch);
            // Once for each time that it goes away, and once when it is back.
            match &sent {
                Ok(_) if !is_well => tracing::info!("the collector takes spans again"),
                Err(why) if is_well => {
                    let collector = self.settings.collector;
                    tracing::warn!(%collector, %why, "the collector takes no spans: dropped");
                }
                _ => {}
            }
            is_well = sent.is_ok();
            let taken = sent.map_or(0, |rejected| count.saturating_sub(rejected));
            let mut inside = self.inside();
            inside.counts.exported += taken;
            inside.counts.dropped += count - taken;
            inside.is_sending = false;
            if inside.spans.is_empty() {
                self.empty.notify_all();
            }
        }
    }

    /// What goes together: waits for the first of it, and a moment for more.
    fn batch(&self) -> Vec<Span> {
        let waited = self
            .came
            .wait_while(self.inside(), |it| it.spans.is_empty());
        let inside = waited.unwrap_or_else(PoisonError::into_inner);
        let is_short = |it: &mut Inside| it.spans.len() < BATCH_MAX && !it.is_ending;
        let waited = self.came.wait_timeout_while(inside, GATHER, is_short);
        let (mut inside, _) = waited.unwrap_or_else(PoisonError::into_inner);
        inside.is_sending = true;
        let count = inside.spans.len().min(BATCH_MAX);
        inside.spans.drain(..count).collect()
    }

    /// Sends them, again where that may help; gives how many the collector rejected.
    fn send(&self, spans: Vec<Span>) -> Result<u64, String> {
        let body = self.message(spans).encode_to_vec();
        let mut tries = 1;
        loop {
            match post(self.settings.collector, &body, self.settings.timeout()) {
                Ok(answer) => return Ok(rejected(&answer)),
                Err(Refused::ForGood(why)) => return Err(why),
                Err(Refused::ForNow(why)) if tries >= TRIES => return Err(why),
                Err(Refused::ForNow(_)) => tries += 1,
            }
            let is_on = |it: &mut Inside| !it.is_ending;
            let _ = self.came.wait_timeout_while(self.inside(), REST, is_on);
        }
    }

    fn message(&self, spans: Vec<Span>) -> ExportTraceServiceRequest {
        let attributes = [
            ("service.name", self.program.to_owned()),
            ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
            ("process.pid", std::process::id().to_string()),
        ];
        let attribute =
            |(name, value): (&str, String)| super::attribute((name.to_owned(), value.into()));
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource {
                    attributes: attributes.map(attribute).to_vec(),
                    ..Resource::default()
                }),
                scope_spans: vec![ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: "wirecross".to_owned(),
                        ..InstrumentationScope::default()
                    }),
                    spans,
                    schema_url: String::new(),
                }],
                schema_url: String::new(),
            }],
        }
    }
}

/// Spans that a collector did not take of those that it was sent; 0 where it says nothing of it.
fn rejected(answer: &[u8]) -> u64 {
    let answer = ExportTraceServiceResponse::decode(answer).ok();
    let partial = answer.and_then(|it| it.partial_success);
    partial.map_or(0, |it| u64::try_from(it.rejected_spans).unwrap_or(0))
}
