//! The engine beside the reference: what is written by hand for one holds for the other.

use matching::{Engine, Events, Limits, Line, Step};
use wire::ring::{Event, Input};

/// Room for every case.
const LIMITS: Limits = Limits {
    symbols: 8,
    sessions: 8,
    orders: 500,
    special: 500,
    price_groups: 128,
    accounts: 8,
};

/// An engine; the test process keeps its memory.
pub struct Beside(Engine<'static>);

impl Beside {
    pub fn new() -> Self {
        let memory = vec![Line::ZERO; LIMITS.lines()].leak();
        Self(Engine::new(LIMITS, memory).expect("good limits"))
    }

    /// All events of an input.
    pub fn apply(&mut self, input: &Input) -> Vec<Event> {
        let mut events = Events::new();
        let mut step = self.0.apply(input, &mut events);
        let mut all = events.as_slice().to_vec();
        while step == Step::More {
            step = self.0.resume(&mut events);
            all.extend_from_slice(events.as_slice());
        }
        all
    }
}
