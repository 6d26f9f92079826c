//! What comes to a desk, as values: what is recorded of a day, and run again.

use super::decision::Kill;
use super::order::{Fill, Report};
use super::runner::{Desk, Heard};
use super::stopwatch::{Overrun, Stopwatch};
use crate::Event;

/// Something that came to a desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The market said something.
    Event(Event),
    /// The venue said something of an order, at this time in ns.
    Report(u64, Report),
    /// The venue said what an order traded that was sent before this desk began.
    Before(Fill),
    /// The venue took a trade back, which was told as this fill.
    Broken(Fill),
    /// Time came so far, in ns, and a timer was due.
    Time(u64),
    /// The desk was stopped from outside, at this time in ns.
    Kill(u64, Kill),
}

impl Desk {
    /// Takes an input of any kind.
    pub fn input(&mut self, input: &Input, watch: &mut impl Stopwatch) -> Heard {
        match input {
            Input::Event(event) => self.event(event, watch),
            Input::Report(now_ns, report) => return self.report(*now_ns, report, watch),
            Input::Before(fill) => return self.before(fill, watch),
            Input::Broken(fill) => return self.broken(fill, watch),
            Input::Time(now_ns) => self.time(*now_ns, watch),
            Input::Kill(now_ns, why) => self.kill(*now_ns, *why),
        }
        Heard::default()
    }
}

/// The calls of a recorded day that took too long take as long again; all others no time.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    overruns: Vec<Overrun>,
}

impl Remembered {
    /// These calls took too long.
    pub fn add(&mut self, overrun: Overrun) {
        self.overruns.push(overrun);
    }
}

impl Stopwatch for Remembered {
    fn start(&mut self) {}

    fn took_ns(&mut self, call: u64) -> u64 {
        let place = self.overruns.iter().position(|it| it.call == call);
        place.map_or(0, |place| self.overruns.swap_remove(place).took_ns)
    }
}
