//! What stops a strategy: it lost, sent or dawdled too much.

use core::fmt;

use super::money::Money;
use super::risk::Pace;

/// What a strategy may do before it is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerRule {
    /// What it may lose, in the home currency.
    pub loss_max: Money,
    /// Requests it may make within `orders_window_ns`.
    pub orders_max: u32,
    /// The window of `orders_max`, in ns.
    pub orders_window_ns: u64,
    /// Time that one call of it may take, in ns.
    pub budget_ns: u64,
    /// Calls that may take longer than that.
    pub overruns_max: u32,
    /// Time that the venue may take to answer one of its requests, in ns.
    pub answer_ns_max: u64,
}

/// Why a strategy was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trip {
    /// It lost more than it may; what its profit is.
    Loss(Money),
    /// It asked for more than it may in its window.
    Rate(u32),
    /// Too many calls of it took too long; how long the last one took, in ns.
    Budget(u64),
    /// The venue took too long to answer it, in ns.
    Answer(u64),
}

impl fmt::Display for Trip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss(profit) => write!(out, "loss: its profit is {profit}"),
            Self::Rate(max) => write!(out, "rate: more than {max} requests in its window"),
            Self::Budget(ns) => write!(out, "budget: a call of it took {ns} ns"),
            Self::Answer(ns) => write!(out, "answer: the venue took {ns} ns"),
        }
    }
}

/// Looks whether a strategy keeps to its rule. Once it does not, it never does again.
#[derive(Clone, Debug)]
pub struct Breaker {
    rule: BreakerRule,
    pace: Pace,
    overruns: u32,
    tripped: Option<Trip>,
    is_told: bool,
}

impl Breaker {
    /// Takes all memory.
    #[must_use]
    pub fn new(rule: BreakerRule) -> Self {
        Self {
            pace: Pace::new(rule.orders_max, rule.orders_window_ns),
            rule,
            overruns: 0,
            tripped: None,
            is_told: false,
        }
    }

    /// Why the strategy was stopped, if it was.
    #[must_use]
    pub const fn tripped(&self) -> Option<Trip> {
        self.tripped
    }

    /// Why it was stopped, the first time that somebody asks.
    pub(super) fn tripped_now(&mut self) -> Option<Trip> {
        let trip = self.tripped.filter(|_| !self.is_told);
        self.is_told |= trip.is_some();
        trip
    }

    /// Calls that took too long.
    #[must_use]
    pub const fn overruns(&self) -> u32 {
        self.overruns
    }

    /// Time that one call may take, in ns.
    #[must_use]
    pub const fn budget_ns(&self) -> u64 {
        self.rule.budget_ns
    }

    /// Its profit is so much now.
    pub(super) fn profit(&mut self, profit: Money) {
        if profit < -self.rule.loss_max {
            self.trip(Trip::Loss(profit));
        }
    }

    /// It asks for something; whether it may.
    pub(super) fn request(&mut self, now_ns: u64) -> bool {
        if self.tripped.is_some() {
            return false;
        }
        if !self.pace.has_room(now_ns) {
            self.trip(Trip::Rate(self.rule.orders_max));
            return false;
        }
        self.pace.take(now_ns);
        true
    }

    /// A call of it took longer than it may.
    pub(super) fn overrun(&mut self, took_ns: u64) {
        self.overruns += 1;
        if self.overruns > self.rule.overruns_max {
            self.trip(Trip::Budget(took_ns));
        }
    }

    /// The venue answered a request of it.
    pub(super) fn answered(&mut self, took_ns: u64) {
        if took_ns > self.rule.answer_ns_max {
            self.trip(Trip::Answer(took_ns));
        }
    }

    fn trip(&mut self, why: Trip) {
        self.tripped.get_or_insert(why);
    }
}
