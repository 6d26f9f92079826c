//! Several recordings as one, in the order in which their events were received.

use trading::Event;

use crate::error::Error;

/// The events of several recordings by their times of receipt; of those with the same time, the
/// earlier recording's come first. Within a recording the order stays, also where its times do not
/// grow. After the first error there is nothing more.
pub struct Merged<I: Iterator> {
    sources: Vec<I>,
    next: Vec<Option<Event>>,
    /// An error that was met while looking ahead, told when its turn comes: at once.
    failed: Option<Error>,
    is_over: bool,
}

impl<I: Iterator<Item = Result<Event, Error>>> Merged<I> {
    /// All events of these.
    pub fn new(sources: impl IntoIterator<Item = I>) -> Self {
        let sources: Vec<I> = sources.into_iter().collect();
        let mut merged = Self {
            next: vec![None; sources.len()],
            sources,
            failed: None,
            is_over: false,
        };
        for at in 0..merged.sources.len() {
            merged.look(at);
        }
        merged
    }

    /// The recordings; each has been read one event beyond what was handed out.
    pub fn sources(&self) -> &[I] {
        &self.sources
    }

    /// Looks at what a recording has next.
    fn look(&mut self, at: usize) {
        let next = self.sources.get_mut(at).and_then(Iterator::next);
        match next.transpose() {
            Ok(event) => {
                if let Some(place) = self.next.get_mut(at) {
                    *place = event;
                }
            }
            Err(error) => self.failed = self.failed.take().or(Some(error)),
        }
    }
}

impl<I: Iterator<Item = Result<Event, Error>>> Iterator for Merged<I> {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        if let Some(error) = self.failed.take() {
            self.is_over = true;
            return Some(Err(error));
        }
        let waiting = self.next.iter().enumerate();
        let waiting = waiting.filter_map(|(at, next)| next.map(|event| (event, at)));
        let (event, at) = waiting.min_by_key(|(event, at)| (event.received_ns, *at))?;
        self.look(at);
        Some(Ok(event))
    }
}
