//! Answers by HTTP/2 that wait for their client. Its connection lives on while such a client says
//! nothing of the room that it has, and it may say that it lives as often as it likes: so each
//! answer has a clock of its own, which runs while the client could take some of it and does not.

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Response;
use hyper::body::{Frame, SizeHint};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Bytes of an answer that are taken at once or not at all.
const PIECE_BYTES: usize = 16 * 1_024;

/// An answer of which not all is taken.
struct Answer {
    /// Pieces that wait for room.
    waiting: u32,
    /// There is nothing to give at the moment, or ever more.
    is_empty: bool,
    is_over: bool,
    /// When some of it was taken last.
    taken: Instant,
}

#[derive(Default)]
struct Open {
    next: u64,
    answers: BTreeMap<u64, Answer>,
}

/// Those of a connection.
#[derive(Clone, Default)]
pub(crate) struct Outgoing {
    open: Arc<Mutex<Open>>,
    first: Arc<Notify>,
}

impl Outgoing {
    /// An answer with its clock.
    pub(crate) fn timed(&self, answer: Response<Body>) -> Response<Body> {
        let mut open = self.lock();
        let number = open.next;
        open.next += 1;
        let fresh = Answer {
            waiting: 0,
            is_empty: false,
            is_over: false,
            taken: Instant::now(),
        };
        open.answers.insert(number, fresh);
        drop(open);
        self.first.notify_one();
        let outgoing = self.clone();
        answer.map(|body| {
            Body::new(Timed {
                body,
                rest: Bytes::new(),
                place: Place { outgoing, number },
            })
        })
    }

    /// Comes back once a client took nothing of an answer for so long.
    pub(crate) async fn stalled(&self, longest: Duration) {
        // Most connections never have such an answer.
        self.first.notified().await;
        loop {
            tokio::time::sleep(longest / 4).await;
            let now = Instant::now();
            let waits = |it: &Answer| it.waiting > 0 || !it.is_empty;
            let is_stalled = |it: &Answer| waits(it) && now - it.taken > longest;
            if self.lock().answers.values().any(is_stalled) {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Answer)) {
        let mut open = self.lock();
        if let Some(answer) = open.answers.get_mut(&number) {
            change(answer);
            if answer.is_over && answer.waiting == 0 {
                open.answers.remove(&number);
            }
        }
    }
}

/// Which answer something belongs to.
#[derive(Clone)]
struct Place {
    outgoing: Outgoing,
    number: u64,
}

/// A body that says how it is taken.
struct Timed {
    body: Body,
    /// What of its last part was not given yet.
    rest: Bytes,
    place: Place,
}

impl Timed {
    /// The next piece, which says when it is gone.
    fn piece(&mut self) -> Bytes {
        let count = self.rest.len().min(PIECE_BYTES);
        let bytes = self.rest.split_to(count);
        self.place.outgoing.change(self.place.number, |it| {
            it.waiting += 1;
            it.is_empty = false;
            it.taken = Instant::now();
        });
        let place = self.place.clone();
        Bytes::from_owner(Piece { bytes, place })
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        while this.rest.is_empty() {
            let came = Pin::new(&mut this.body).poll_frame(context);
            if came.is_pending() {
                let place = &this.place;
                place.outgoing.change(place.number, |it| it.is_empty = true);
            }
            match ready!(came) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => this.rest = bytes,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return Poll::Ready(other),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(this.piece()))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.place.outgoing.change(self.place.number, |it| {
            (it.is_empty, it.is_over) = (true, true);
        });
    }
}

/// A part of an answer that waits for room.
struct Piece {
    bytes: Bytes,
    place: Place,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.place.outgoing.change(self.place.number, |it| {
            it.waiting -= 1;
            it.taken = Instant::now();
        });
    }
}
