//! Recorded events, each with a time at the exchange.
//!
//! A capture may have events that their venue told no time of. Were those at its beginning taken
//! for 1970, strategies would live through all the years up to the first time that is told, timer
//! by timer; were a later one, it would be under way for as many years, and all others behind it.

use std::collections::VecDeque;

use crate::Event;

/// Events that are read ahead for the first one with a time, at most.
const AHEAD_MAX: usize = 4_096;

/// What happened before the venue told any time happened when the first one did that has one; where
/// there is none among those that are read ahead, each happened when it came in. Whatever of that
/// is 0, too, stays so. What comes behind a time without one happened at the newest that was told.
pub(super) struct Timed<I: Iterator> {
    events: I,
    ahead: VecDeque<I::Item>,
    /// The newest time that was told, 0 before there is one.
    told_ns: u64,
}

impl<I, E> Timed<I>
where
    I: Iterator<Item = Result<Event, E>>,
{
    pub(super) const fn new(events: I) -> Self {
        Self {
            events,
            ahead: VecDeque::new(),
            told_ns: 0,
        }
    }

    /// Reads ahead up to a time, an error, or as far as may be, and gives the events that have no
    /// time one.
    fn read_ahead(&mut self) {
        while self.ahead.len() < AHEAD_MAX
            && let Some(event) = self.events.next()
        {
            let event_ns = event.as_ref().map_or(0, |event| event.event_ns);
            let is_error = event.is_err();
            self.ahead.push_back(event);
            if event_ns > 0 {
                self.told_ns = event_ns;
            }
            if event_ns > 0 || is_error {
                break;
            }
        }
        for event in self.ahead.iter_mut().flatten() {
            if event.event_ns == 0 {
                event.event_ns = match self.told_ns {
                    0 => event.received_ns,
                    told_ns => told_ns,
                };
            }
        }
    }

    /// The next event behind those that were read ahead.
    fn later(&mut self) -> Option<I::Item> {
        let mut event = self.events.next()?;
        if let Ok(event) = &mut event {
            self.told_ns = self.told_ns.max(event.event_ns);
            if event.event_ns == 0 {
                event.event_ns = self.told_ns;
            }
        }
        Some(event)
    }
}

impl<I, E> Iterator for Timed<I>
where
    I: Iterator<Item = Result<Event, E>>,
{
    type Item = Result<Event, E>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ahead.is_empty() && self.told_ns == 0 {
            self.read_ahead();
        }
        self.ahead.pop_front().or_else(|| self.later())
    }
}
