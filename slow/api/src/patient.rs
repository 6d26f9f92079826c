//! A stream whose client must say what it speaks, and take what waits for it, sooner or later.

use crate::config::Limits;
use crate::crowd::Crowd;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Bytes by which a protocol is told: the preface of HTTP/2.
const PREFACE_BYTES: usize = 24;

/// Writes fail when no byte was taken for so long; so do reads when the first bytes took longer.
pub(crate) struct Patient<T> {
    stream: T,
    patience: Duration,
    /// Bytes of the preface that came.
    came: usize,
    greeting: Pin<Box<Sleep>>,
    /// While bytes wait: when it is over.
    end: Option<Pin<Box<Sleep>>>,
    /// Who hears of it when it is.
    crowd: Option<Crowd>,
}

impl<T> Patient<T> {
    /// Within these limits; the crowd hears of a client that takes nothing.
    pub(crate) fn new(stream: T, limits: &Limits, crowd: Crowd) -> Self {
        Self {
            stream,
            patience: limits.stall(),
            came: 0,
            greeting: Box::pin(sleep_until(Instant::now() + limits.request())),
            end: None,
            crowd: Some(crowd),
        }
    }

    /// What a write came to, looked at with the clock.
    fn timed<V>(
        &mut self,
        context: &mut Context<'_>,
        came: Poll<io::Result<V>>,
    ) -> Poll<io::Result<V>> {
        if came.is_ready() {
            self.end = None;
            return came;
        }
        let patience = self.patience;
        let end = self
            .end
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        match end.as_mut().poll(context) {
            Poll::Ready(()) => {
                // Once, however often it is looked at.
                if let Some(crowd) = self.crowd.take() {
                    crowd.stalled();
                }
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = into.filled().len();
        let came = Pin::new(&mut self.stream).poll_read(context, into);
        if self.came >= PREFACE_BYTES {
            return came;
        }
        self.came += into.filled().len() - filled;
        if came.is_pending() && self.greeting.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        came
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Patient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let came = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.timed(context, came)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let came = Pin::new(&mut self.stream).poll_flush(context);
        self.timed(context, came)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let came = Pin::new(&mut self.stream).poll_shutdown(context);
        self.timed(context, came)
    }
}
