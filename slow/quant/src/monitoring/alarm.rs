//! An alarm for answers that are right less often than they were.

use crate::fault::{Fault, within};

/// Page's cumulative sum (E. Page, Biometrika 41, 1954) of the logarithm of how much likelier each
/// answer is if fewer are right, never below 0: it climbs when they are, and falls back otherwise.
///
/// While answers are right as often as expected, and none depends on another, it is raised once in
/// `between` answers on average at most (G. Lorden, Annals of Mathematical Statistics 42, 1971).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alarm {
    /// What a right and a wrong answer add.
    steps: [f64; 2],
    limit: f64,
    sum: f64,
    count: u64,
    raised: Option<u64>,
}

impl Alarm {
    /// For answers of which a share of `expected` was right, and of which it shall be noticed when
    /// it falls by `fall`.
    ///
    /// # Errors
    /// `Outside` for shares that are not between 0 and 1, or `between` below 2.
    pub fn new(expected: f64, fall: f64, between: f64) -> Result<Self, Fault> {
        within("expected", expected, 1e-6, 1.0 - 1e-6)?;
        within("fall", fall, 1e-6, expected - 1e-9)?;
        within("answers between false alarms", between, 2.0, 1e15)?;
        let fallen = expected - fall;
        Ok(Self {
            steps: [
                libm::log(fallen / expected),
                libm::log((1.0 - fallen) / (1.0 - expected)),
            ],
            limit: libm::log(between),
            sum: 0.0,
            count: 0,
            raised: None,
        })
    }

    /// Takes an answer in; whether the alarm is raised, which it stays.
    pub fn push(&mut self, is_right: bool) -> bool {
        let [right, wrong] = self.steps;
        self.sum = (self.sum + if is_right { right } else { wrong }).max(0.0);
        if self.raised.is_none() && self.sum >= self.limit {
            self.raised = Some(self.count);
        }
        self.count += 1;
        self.raised.is_some()
    }

    /// The answer, from 0, that raised it.
    #[must_use]
    pub const fn raised(&self) -> Option<u64> {
        self.raised
    }

    /// How near it is: raised from 1 on.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.sum / self.limit
    }
}
