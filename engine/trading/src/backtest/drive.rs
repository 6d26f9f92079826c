//! What drives a desk through recorded events: one clock, on which events reach the exchange and
//! the desk, requests the exchange, and answers the desk.
//!
//! What happens at the same time happens in this order: events at the exchange, requests at the
//! exchange, answers at the desk, events at the desk, timers of the desk. While nothing happens for
//! longer than [`REST_NS_MAX`], no timer is called either: those that are due then come at its end.

use std::collections::VecDeque;

use super::exchange::Exchange;
use super::latency::{Latency, Random};
use super::timed::Timed;
use crate::desk::{Action, Decided, Decision, Desk, Heard, Report, Timeless};
use crate::{Event, REST_NS_MAX, What};

/// How long what takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Models {
    /// From an event to the desk.
    pub market: Latency,
    /// From the desk's decision to the exchange.
    pub order: Latency,
    /// From the exchange's answer to the desk.
    pub answer: Latency,
    /// Seed of what is drawn.
    pub seed: u64,
}

/// Looks on.
pub trait Watcher {
    /// The desk decided something.
    fn decided(&mut self, _desk: &Desk, _decision: &Decision) {}

    /// The desk heard an answer.
    fn heard(&mut self, _desk: &Desk, _heard: &Heard) {}

    /// The desk took an event.
    fn event(&mut self, _desk: &Desk, _event: &Event) {}
}

/// Messages that are under way, by the time of their arrival.
struct Lane<T> {
    latency: Latency,
    waiting: VecDeque<(u64, T)>,
    last_ns: u64,
}

impl<T> Lane<T> {
    const fn new(latency: Latency) -> Self {
        Self {
            latency,
            waiting: VecDeque::new(),
            last_ns: 0,
        }
    }

    fn put(&mut self, due_ns: u64, what: T) {
        self.last_ns = self.last_ns.max(due_ns);
        self.waiting.push_back((self.last_ns, what));
    }

    fn due_ns(&self) -> Option<u64> {
        self.waiting.front().map(|(due_ns, _)| *due_ns)
    }
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Recorded,
    Request,
    Answer,
    Event,
    Timer,
}

/// A desk, an exchange, and what is under way between them.
pub struct Backtest {
    desk: Desk,
    exchange: Exchange,
    random: Random,
    events: Lane<Event>,
    requests: Lane<Action>,
    answers: Lane<Report>,
    /// Time at the exchange.
    now_ns: u64,
    /// How long the change that is being told is under way; drawn once for all its events.
    change_ns: Option<u64>,
}

impl Backtest {
    /// Nothing happened yet.
    #[must_use]
    pub fn new(desk: Desk, models: Models) -> Self {
        Self {
            exchange: Exchange::new(desk.listings().len()),
            desk,
            random: Random::new(models.seed),
            events: Lane::new(models.market),
            requests: Lane::new(models.order),
            answers: Lane::new(models.answer),
            now_ns: 0,
            change_ns: None,
        }
    }

    /// Runs through all events, and on until every request is answered. What comes before any
    /// event has a time ([`Event::event_ns`] of 0) happens with the first that has one, what comes
    /// later without one at the newest time that was told. An error of theirs ends the run.
    ///
    /// # Errors
    /// That of the events.
    pub fn run<E>(
        mut self,
        events: impl Iterator<Item = Result<Event, E>>,
        watcher: &mut impl Watcher,
    ) -> Result<Desk, E> {
        let mut events = Timed::new(events).peekable();
        loop {
            let recorded = match events.next_if(Result::is_err) {
                Some(Err(error)) => return Err(error),
                _ => events.peek().and_then(|event| event.as_ref().ok()),
            };
            let recorded_ns = recorded.map(|event| event.event_ns.max(self.now_ns));
            let Some((now_ns, next)) = self.next(recorded_ns) else {
                return Ok(self.desk);
            };
            self.now_ns = self.now_ns.max(now_ns);
            match next {
                Next::Recorded => {
                    if let Some(Ok(event)) = events.next() {
                        self.recorded(&event);
                    }
                }
                Next::Request => self.request(),
                Next::Answer => self.answer(watcher),
                Next::Event => self.event(watcher),
                Next::Timer => self.desk.time(self.now_ns, &mut Timeless),
            }
            self.carry(watcher);
        }
    }

    /// What happens next, and when; nothing when all is over.
    fn next(&self, recorded_ns: Option<u64>) -> Option<(u64, Next)> {
        let due = [
            (recorded_ns, Next::Recorded),
            (self.requests.due_ns(), Next::Request),
            (self.answers.due_ns(), Next::Answer),
            (self.events.due_ns(), Next::Event),
        ];
        let due = due.into_iter().filter_map(|(ns, next)| Some((ns?, next)));
        let due = due.min()?;
        // Behind the last event nobody's timer matters.
        let is_over = recorded_ns.is_none() && self.events.waiting.is_empty();
        let is_resting = due.0.saturating_sub(self.now_ns) > REST_NS_MAX;
        let timer_ns = self.desk.timer_next_ns();
        let timer = timer_ns.filter(|_| !is_over && !is_resting);
        let timer = timer.map(|ns| (ns, Next::Timer));
        Some(timer.map_or(due, |timer| timer.min(due)))
    }

    /// Lets the exchange do something; its answers are under way from now on.
    fn at_exchange(&mut self, act: impl FnOnce(&mut Exchange, &mut dyn FnMut(Report))) {
        let Self {
            exchange,
            answers,
            random,
            now_ns,
            ..
        } = self;
        act(exchange, &mut |report| {
            let under_way_ns = answers.latency.draw(random);
            answers.put(*now_ns + under_way_ns, report);
        });
    }

    /// Something happened at the exchange.
    fn recorded(&mut self, event: &Event) {
        self.at_exchange(|exchange, mut put| exchange.event(event, &mut put));
        let random = &mut self.random;
        let under_way_ns = match self.events.latency {
            Latency::Recorded => event.received_ns.saturating_sub(event.event_ns),
            latency => *self.change_ns.get_or_insert_with(|| latency.draw(random)),
        };
        if event.what == What::End {
            self.change_ns = None;
        }
        self.events.put(self.now_ns + under_way_ns, *event);
    }

    /// A request is at the exchange.
    fn request(&mut self) {
        let Some((_, action)) = self.requests.waiting.pop_front() else {
            return;
        };
        self.at_exchange(|exchange, mut put| exchange.action(&action, &mut put));
    }

    /// An answer is at the desk.
    fn answer(&mut self, watcher: &mut impl Watcher) {
        if let Some((now_ns, report)) = self.answers.waiting.pop_front() {
            let heard = self.desk.report(now_ns, &report, &mut Timeless);
            watcher.heard(&self.desk, &heard);
        }
    }

    /// An event is at the desk.
    fn event(&mut self, watcher: &mut impl Watcher) {
        if let Some((received_ns, event)) = self.events.waiting.pop_front() {
            let event = Event {
                received_ns,
                ..event
            };
            self.desk.event(&event, &mut Timeless);
            watcher.event(&self.desk, &event);
        }
    }

    /// Carries the desk's requests away.
    fn carry(&mut self, watcher: &mut impl Watcher) {
        let mut decisions = Vec::new();
        self.desk
            .take_decisions(|decision| decisions.push(*decision));
        for decision in &decisions {
            watcher.decided(&self.desk, decision);
            if let Decided::Send(action) = decision.what {
                let under_way_ns = self.requests.latency.draw(&mut self.random);
                self.requests.put(decision.time_ns + under_way_ns, action);
            }
        }
    }
}
