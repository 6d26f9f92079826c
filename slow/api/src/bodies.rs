//! Bodies of requests: how many bytes of them are held at once, whosever they are.
//!
//! A body costs room as it comes, not as it is announced, and gives it back with the answer. Whose
//! key is proven by the head alone may use all of the room; bodies of everybody else, whose
//! signature must be looked at first or who needs no key, have half of it. So nobody who proves
//! nothing keeps out who does.

use crate::answer::Refusal;
use crate::config::Limits;
use crate::metrics::family;
use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame};
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tonic::Status;

/// Bytes of all messages of a call that anybody may make.
const OPEN_MAX: usize = 16 * 1_024;

/// The room for bodies, in bytes.
pub(crate) struct Bodies {
    all: Arc<Semaphore>,
    unproven: Arc<Semaphore>,
    body_max: usize,
    time_max: Duration,
    bytes_max: usize,
    refused: Mutex<u64>,
}

/// Each figure: its name, what it tells, and its kind.
pub(crate) const FIGURES: [(&str, &str, &str); 3] = [
    (
        "wirecross_bodies_bytes",
        "Bytes of memory that bodies of requests have",
        "gauge",
    ),
    (
        "wirecross_bodies_limit_bytes",
        "Bytes of memory that bodies of requests may have",
        "gauge",
    ),
    (
        "wirecross_bodies_refused_total",
        "Bodies of requests for which there was no room",
        "counter",
    ),
];

/// What a body takes of it, until this goes.
#[derive(Default)]
pub(crate) struct Room {
    all: Option<OwnedSemaphorePermit>,
    unproven: Option<OwnedSemaphorePermit>,
}

/// A body, and its room.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    pub(crate) room: Room,
}

impl Bodies {
    /// None are there.
    pub(crate) fn new(limits: &Limits) -> Self {
        let bytes_max = limits.bodies_mib << 20;
        Self {
            all: Arc::new(Semaphore::new(bytes_max)),
            unproven: Arc::new(Semaphore::new(bytes_max / 2)),
            body_max: limits.body_kib * 1_024,
            time_max: limits.request(),
            bytes_max,
            refused: Mutex::default(),
        }
    }

    fn refused(&self) -> MutexGuard<'_, u64> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In the text format of Prometheus.
    pub(crate) fn figures(&self, text: &mut String) {
        let held = self.bytes_max - self.all.available_permits();
        let values = [held as u64, self.bytes_max as u64, *self.refused()];
        for ((name, help, kind), value) in FIGURES.into_iter().zip(values) {
            family(text, name, kind, help);
            let _ = writeln!(text, "{name} {value}");
        }
    }

    /// A body from its beginning to its end, of whom the head proves or not. Who calls bounds the
    /// time.
    ///
    /// # Errors
    /// It is too large, it breaks off, or there is no room.
    pub(crate) async fn whole(&self, mut body: Body, is_proven: bool) -> Result<Held, Refusal> {
        if body.size_hint().lower() > self.body_max as u64 {
            return Err(self.too_large());
        }
        let mut held = Held::default();
        while let Some(frame) = body.frame().await {
            let broken = |error| Refusal::Bad(format!("the body broke off: {error}"));
            let Ok(data) = frame.map_err(broken)?.into_data() else {
                continue;
            };
            self.add(&mut held, &data, is_proven)?;
        }
        Ok(held)
    }

    /// Adds bytes. They are copied: those of a stream keep more memory than they have, each of
    /// them, until they go.
    fn add(&self, held: &mut Held, data: &[u8], is_proven: bool) -> Result<(), Refusal> {
        let bytes = &mut held.bytes;
        let needed = bytes.len() + data.len();
        if needed > self.body_max {
            return Err(self.too_large());
        }
        if needed > bytes.capacity() {
            let wanted = (2 * bytes.capacity()).clamp(needed, self.body_max);
            self.take(&mut held.room, wanted - bytes.capacity(), is_proven)?;
            bytes.reserve_exact(wanted - bytes.len());
        }
        bytes.extend_from_slice(data);
        Ok(())
    }

    fn take(&self, room: &mut Room, bytes: usize, is_proven: bool) -> Result<(), Refusal> {
        let has_room = (is_proven || more(&self.unproven, &mut room.unproven, bytes))
            && more(&self.all, &mut room.all, bytes);
        if !has_room {
            *self.refused() += 1;
            return Err(Refusal::NoRoom);
        }
        Ok(())
    }

    fn too_large(&self) -> Refusal {
        Refusal::TooLarge(format!(
            "the body has more than {} KiB: send fewer calls at once",
            self.body_max / 1_024
        ))
    }

    /// The body of a call that anybody may make, which is read as it comes: it has few bytes in all
    /// and ends in time, or is broken off.
    pub(crate) fn open(self: &Arc<Self>, body: Body) -> Body {
        Body::new(Open {
            body,
            bodies: Arc::clone(self),
            room: Room::default(),
            left: OPEN_MAX,
            end: Box::pin(sleep(self.time_max)),
        })
    }
}

/// Takes more room, if there is some.
fn more(of: &Arc<Semaphore>, held: &mut Option<OwnedSemaphorePermit>, bytes: usize) -> bool {
    let asked = u32::try_from(bytes).ok();
    let taken = asked.and_then(|asked| Arc::clone(of).try_acquire_many_owned(asked).ok());
    let Some(taken) = taken else { return false };
    match held {
        Some(held) => held.merge(taken),
        None => *held = Some(taken),
    }
    true
}

/// A body that has its bounds while it is read.
struct Open {
    body: Body,
    bodies: Arc<Bodies>,
    room: Room,
    /// Bytes that may come.
    left: usize,
    end: Pin<Box<Sleep>>,
}

impl Open {
    /// Whether these bytes may be read, too.
    fn count(&mut self, bytes: usize) -> Result<(), Status> {
        let left = self.left.checked_sub(bytes).ok_or_else(|| {
            let told = format!("the messages of this call have more than {OPEN_MAX} bytes");
            Status::resource_exhausted(told)
        })?;
        self.left = left;
        let taken = self.bodies.take(&mut self.room, bytes, false);
        taken.map_err(|refusal| Status::resource_exhausted(refusal.words()))
    }
}

impl hyper::body::Body for Open {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.end.as_mut().poll(context).is_ready() {
            let told = Refusal::Slow.words();
            return Poll::Ready(Some(Err(Status::deadline_exceeded(told))));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && let Err(status) = self.count(data.len())
        {
            return Poll::Ready(Some(Err(status)));
        }
        polled.map_err(|error| Status::unavailable(error.to_string()))
    }
}
