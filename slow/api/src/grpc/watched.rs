//! Calls are told as requests over HTTP are, by what their status is in the end.

use crate::routes::Api;
use crate::said::Told;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response};
use axum::middleware::Next;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::Code;
use tracing::Instrument;

/// Where a call says what became of it: in its head where that is all it says, else behind its
/// messages.
const STATUS: &str = "grpc-status";

/// Tells of a call, which stands in our list, from its head to the end of its answer.
pub(super) async fn told(
    State(api): State<Arc<Api>>,
    mut request: Request<Body>,
    next: Next,
) -> Response<Body> {
    let told = Arc::new(Told::call(&request));
    request.extensions_mut().insert(Arc::clone(&told));
    let answer = next.run(request).instrument(told.span.clone()).await;
    let (mut head, body) = answer.into_parts();
    let status = status_in(&head.headers);
    let slow = api.config.limits.slow();
    told.answered(&mut head.headers, status.unwrap_or(0), Some(slow));
    api.took(&told);
    if let Some(status) = status {
        told.became(status);
        return Response::from_parts(head, body);
    }
    // Until it is known, the client may leave.
    told.became(Code::Cancelled as i64);
    Response::from_parts(head, Body::new(Watched { body, told }))
}

fn status_in(headers: &HeaderMap) -> Option<i64> {
    headers.get(STATUS)?.to_str().ok()?.parse().ok()
}

/// The messages of an answer, with whom it is to be told of when they are over.
struct Watched {
    body: Body,
    told: Arc<Told>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(status) = frame.trailers_ref().and_then(status_in)
        {
            self.told.became(status);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
