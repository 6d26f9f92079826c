//! What waits for a connection.

use super::{Channel, Format};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What a frame is about: the number of a symbol, and the channel.
pub(super) type Topic = (u32, Channel);

/// Bytes without compression over which its gain is looked at.
const GAIN_BYTES: usize = 64 << 10;

/// Looks for which a connection does without compression that gained too little.
const LOOKS_WITHOUT: u32 = 16;

/// A message, framed for everybody.
pub(super) struct Frame {
    pub(super) plain: Vec<u8>,
    /// The same compressed, where somebody wanted it and it is smaller.
    pub(super) packed: Option<Vec<u8>>,
}

/// Whether compression pays on a connection: it does when it saves a tenth of the bytes that this
/// connection is sent.
#[derive(Debug, Default)]
struct Gain {
    plain: usize,
    sent: usize,
    /// Looks that are still to be done without it.
    without: u32,
}

impl Gain {
    const fn is_wanted(&self) -> bool {
        self.without == 0
    }

    fn count(&mut self, plain: usize, sent: usize) {
        self.plain += plain;
        self.sent += sent;
        if self.plain < GAIN_BYTES {
            return;
        }
        self.without = match self.without {
            0 if self.sent > self.plain / 10 * 9 => LOOKS_WITHOUT,
            without => without.saturating_sub(1),
        };
        (self.plain, self.sent) = (0, 0);
    }
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<(Option<Topic>, Arc<Frame>)>,
    bytes: usize,
    /// Topics whose frames were thrown away: their state is due when the rest is sent.
    behind: BTreeSet<Topic>,
    gain: Gain,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits to be sent.
    Queued,
    /// There was no room: its topic's state is due instead.
    Conflated,
    /// Its topic's state was due already, and will have it.
    Behind,
}

/// What waits for a connection, in bounds.
pub(super) struct Outbox {
    pub(super) format: Format,
    is_deflate: bool,
    bytes_max: usize,
    waiting: Mutex<Waiting>,
    came: Notify,
}

impl Outbox {
    pub(super) fn new(format: Format, is_deflate: bool, bytes_max: usize) -> Self {
        Self {
            format,
            is_deflate,
            bytes_max,
            waiting: Mutex::default(),
            came: Notify::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether frames are to be compressed for it.
    pub(super) fn is_packed(&self) -> bool {
        self.is_deflate && self.waiting().gain.is_wanted()
    }

    /// Puts a frame behind the others; where there is no room for it, all of its topic are thrown
    /// away, and so are those that come until the topic's state was sent.
    pub(super) fn push(&self, topic: Topic, frame: &Arc<Frame>) -> Pushed {
        let mut waiting = self.waiting();
        if waiting.behind.contains(&topic) {
            return Pushed::Behind;
        }
        let has_room = waiting.bytes + frame.plain.len() <= self.bytes_max;
        if has_room {
            waiting.put(Some(topic), frame);
        } else {
            waiting.owe(topic.1, &[topic.0]);
        }
        drop(waiting);
        self.came.notify_one();
        match has_room {
            true => Pushed::Queued,
            false => Pushed::Conflated,
        }
    }

    /// The state of these symbols, in rising order, is due, whatever of it waits.
    pub(super) fn owe(&self, channel: Channel, symbols: &[u32]) {
        self.waiting().owe(channel, symbols);
        self.came.notify_one();
    }

    /// Whether more waits than may.
    pub(super) fn is_full(&self) -> bool {
        self.waiting().bytes > self.bytes_max
    }

    /// Has [`Outbox::came`] return if anything waits.
    pub(super) fn go_on(&self) {
        let waiting = self.waiting();
        if !waiting.frames.is_empty() || !waiting.behind.is_empty() {
            self.came.notify_one();
        }
    }

    /// Puts a frame behind the others, room or not: an answer, or the state of a topic.
    pub(super) fn put(&self, topic: Option<Topic>, frame: Frame) {
        let mut waiting = self.waiting();
        if let Some(topic) = topic {
            waiting.behind.remove(&topic);
        }
        waiting.put(topic, &Arc::new(frame));
        drop(waiting);
        self.came.notify_one();
    }

    /// A channel of these symbols, in rising order, is not subscribed to any more.
    pub(super) fn forget(&self, channel: Channel, symbols: &[u32]) {
        let mut waiting = self.waiting();
        waiting.forget(channel, symbols);
        for symbol in symbols {
            waiting.behind.remove(&(*symbol, channel));
        }
    }

    /// Takes about so many bytes that wait; they are put behind `into`.
    pub(super) fn take(&self, bytes_about: usize, into: &mut Vec<u8>) {
        let mut waiting = self.waiting();
        let is_packed = self.is_deflate && waiting.gain.is_wanted();
        while into.len() < bytes_about
            && let Some((_, frame)) = waiting.frames.pop_front()
        {
            waiting.bytes -= frame.plain.len();
            let packed = frame.packed.as_ref().filter(|_| is_packed);
            let sent = packed.unwrap_or(&frame.plain);
            into.extend(sent);
            waiting.gain.count(frame.plain.len(), sent.len());
        }
    }

    /// A topic whose state is due, once everything else was taken.
    pub(super) fn behind(&self) -> Option<Topic> {
        let waiting = self.waiting();
        let is_empty = waiting.frames.is_empty();
        waiting.behind.first().copied().filter(|_| is_empty)
    }

    /// Waits until something came.
    pub(super) async fn came(&self) {
        self.came.notified().await;
    }
}

impl Waiting {
    fn put(&mut self, topic: Option<Topic>, frame: &Arc<Frame>) {
        self.bytes += frame.plain.len();
        self.frames.push_back((topic, Arc::clone(frame)));
    }

    fn owe(&mut self, channel: Channel, symbols: &[u32]) {
        self.forget(channel, symbols);
        let topics = symbols.iter().map(|symbol| (*symbol, channel));
        self.behind.extend(topics);
    }

    fn forget(&mut self, channel: Channel, symbols: &[u32]) {
        let is_one = |topic: Topic| topic.1 == channel && symbols.binary_search(&topic.0).is_ok();
        let bytes = &mut self.bytes;
        self.frames.retain(|(of, frame)| {
            let is_kept = !of.is_some_and(is_one);
            *bytes -= if is_kept { 0 } else { frame.plain.len() };
            is_kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: usize, packed: Option<usize>) -> Arc<Frame> {
        Arc::new(Frame {
            plain: vec![1; bytes],
            packed: packed.map(|bytes| vec![2; bytes]),
        })
    }

    fn taken(outbox: &Outbox) -> Vec<u8> {
        let mut into = Vec::new();
        outbox.take(usize::MAX, &mut into);
        into
    }

    #[test]
    fn a_topic_without_room_waits_for_its_state_and_others_do_not() {
        let outbox = Outbox::new(Format::Json, false, 100);
        let (one, two) = ((1, Channel::Book), (2, Channel::Book));
        assert_eq!(outbox.push(one, &frame(60, None)), Pushed::Queued);
        assert_eq!(outbox.push(two, &frame(30, None)), Pushed::Queued);
        assert_eq!(outbox.push(one, &frame(20, None)), Pushed::Conflated);
        assert_eq!(outbox.behind(), None, "the other one's is still to be sent");
        assert_eq!(outbox.push(one, &frame(1, None)), Pushed::Behind);
        assert_eq!(taken(&outbox).len(), 30);
        assert_eq!(outbox.behind(), Some(one));
        outbox.put(
            Some(one),
            Frame {
                plain: vec![7; 200],
                packed: None,
            },
        );
        assert_eq!(outbox.behind(), None);
        assert_eq!(taken(&outbox).len(), 200, "a state has room");
        assert_eq!(outbox.push(one, &frame(20, None)), Pushed::Queued);
    }

    #[test]
    fn compression_goes_where_it_gains_nothing_and_is_tried_again() {
        let outbox = Outbox::new(Format::Json, true, 1 << 20);
        let topic = (1, Channel::Top);
        for _ in 0..70 {
            outbox.push(topic, &frame(1_000, Some(950)));
            taken(&outbox);
        }
        assert!(!outbox.is_packed(), "five of a hundred are not worth it");
        for _ in 0..66 * LOOKS_WITHOUT {
            outbox.push(topic, &frame(1_000, None));
            taken(&outbox);
        }
        assert!(outbox.is_packed(), "it is tried again");
        for _ in 0..1_000 {
            outbox.push(topic, &frame(1_000, Some(500)));
            assert_eq!(taken(&outbox), vec![2; 500]);
        }
        assert!(outbox.is_packed());
    }

    #[test]
    fn who_cannot_unpack_gets_nothing_packed() {
        let outbox = Outbox::new(Format::Json, false, 1 << 20);
        outbox.push((1, Channel::Top), &frame(10, Some(5)));
        assert_eq!(taken(&outbox), vec![1; 10]);
    }
}
