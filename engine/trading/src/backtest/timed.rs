//! Recorded events, each with a time at the exchange.
//!
//! A capture may begin with what its venue told no time of. Were that taken for 1970, strategies
//! would live through all the years up to the first time that is told, timer by timer.

use std::collections::VecDeque;

use crate::Event;

/// Events that are read ahead for the first one with a time, at most.
const AHEAD_MAX: usize = 4_096;

/// What happened before the venue told any time happened when the first one did that has one; where
/// there is none among those that are read ahead, each happened when it came in. Whatever of that
/// is 0, too, stays so.
pub(super) struct Timed<I: Iterator> {
    events: I,
    ahead: VecDeque<I::Item>,
    is_told: bool,
}

impl<I, E> Timed<I>
where
    I: Iterator<Item = Result<Event, E>>,
{
    pub(super) const fn new(events: I) -> Self {
        Self {
            events,
            ahead: VecDeque::new(),
            is_told: false,
        }
    }

    /// Reads ahead up to a time, an error, or as far as may be, and gives the events that have no
    /// time one.
    fn read_ahead(&mut self) {
        let mut told_ns = None;
        while self.ahead.len() < AHEAD_MAX
            && let Some(event) = self.events.next()
        {
            let event_ns = event.as_ref().map_or(0, |event| event.event_ns);
            let is_error = event.is_err();
            self.ahead.push_back(event);
            if event_ns > 0 {
                told_ns = Some(event_ns);
            }
            if event_ns > 0 || is_error {
                break;
            }
        }
        self.is_told = told_ns.is_some();
        for event in self.ahead.iter_mut().flatten() {
            if event.event_ns == 0 {
                event.event_ns = told_ns.unwrap_or(event.received_ns);
            }
        }
    }
}

impl<I, E> Iterator for Timed<I>
where
    I: Iterator<Item = Result<Event, E>>,
{
    type Item = Result<Event, E>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ahead.is_empty() && !self.is_told {
            self.read_ahead();
        }
        self.ahead.pop_front().or_else(|| self.events.next())
    }
}
