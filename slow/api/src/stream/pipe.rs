//! A subscription without a connection of its own: messages one by one, for who frames them
//! otherwise.

use super::hub::Hub;
use super::outbox::Outbox;
use super::{Channel, Format};
use crate::answer::Refusal;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::watch;

/// Bytes that are taken from the queue at a time.
const TAKE_BYTES: usize = 64 << 10;

/// A channel of some symbols, or of all.
pub(crate) struct Pipe {
    hub: Arc<Hub>,
    outbox: Arc<Outbox>,
}

impl Pipe {
    /// Subscribes; without symbols to all that there are and will be.
    ///
    /// # Errors
    /// Symbols that nobody knows, or too many of them.
    pub(crate) fn open(
        hub: &Arc<Hub>,
        format: Format,
        channel: Channel,
        symbols: &[String],
    ) -> Result<Self, Refusal> {
        let most = hub.limits.subscriptions_max;
        if symbols.len() > most {
            return Err(Refusal::TooLarge(format!(
                "symbols: more than {most}: ask for all"
            )));
        }
        let outbox = Arc::new(Outbox::new(format, false, hub.limits.stream_kib << 10));
        hub.join(&outbox);
        let pipe = Self {
            hub: Arc::clone(hub),
            outbox,
        };
        let names = (!symbols.is_empty()).then_some(symbols);
        let told = hub.subscribe(&pipe.outbox, channel, names);
        told.map_err(|names| {
            let seen = hub.sight().name();
            let told = format!("symbols: no {} (the feed is {seen})", names.join(", "));
            Refusal::NotFound(told)
        })?;
        Ok(pipe)
    }

    /// Says messages until nobody hears them any more, or the service ends.
    pub(crate) async fn run<S, E>(
        self,
        mut is_over: watch::Receiver<bool>,
        mut say: impl FnMut(Vec<u8>) -> S,
        gone: impl Future<Output = ()>,
    ) where
        S: Future<Output = Result<(), E>>,
    {
        tokio::pin!(gone);
        loop {
            tokio::select! {
                () = self.outbox.came() => {}
                () = &mut gone => return,
                _ = is_over.changed() => return,
            }
            for message in self.taken() {
                tokio::select! {
                    said = say(message) => if said.is_err() { return },
                    _ = is_over.changed() => return,
                }
            }
            self.outbox.go_on();
        }
    }

    /// Some of what waits, with the present state of what was thrown away.
    fn taken(&self) -> Vec<Vec<u8>> {
        let mut bytes = Vec::new();
        self.outbox.take(TAKE_BYTES, &mut bytes);
        while bytes.len() < TAKE_BYTES
            && let Some(topic) = self.outbox.behind()
        {
            self.hub.catch_up(&self.outbox, topic);
            self.outbox.take(TAKE_BYTES, &mut bytes);
        }
        messages(&bytes)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.hub.leave(&self.outbox);
    }
}

/// Messages without the heads of WebSocket that they wait with: ours are whole, and not masked.
fn messages(mut frames: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let [_, length, rest @ ..] = frames {
        let more = match length {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some((head, rest)) = rest.split_at_checked(more) else {
            break;
        };
        let long = head
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let length = if more == 0 {
            usize::from(*length)
        } else {
            long
        };
        let Some((message, rest)) = rest.split_at_checked(length) else {
            break;
        };
        messages.push(message.to_vec());
        frames = rest;
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use websocket::{Kind, frame};

    #[test]
    fn messages_of_every_length_lose_their_heads() {
        let all: Vec<Vec<u8>> = [0, 1, 125, 126, 65_535, 65_536]
            .map(|it| vec![7; it])
            .into();
        let frames: Vec<u8> = all.iter().flat_map(|it| frame(Kind::Binary, it)).collect();
        assert_eq!(messages(&frames), all);
        assert_eq!(messages(&frames[..frames.len() - 1]), all[..5]);
    }
}
