//! Two series that keep together: when their spread is far from its mean, it is traded until it is
//! back.

use crate::statistics::{NotFinite, OutOfRange, Rolling};

/// When to trade a spread, in standard deviations of its last values from their mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairsRule {
    /// Units of `y` against one of `x`: the spread is `x - hedge * y`.
    pub hedge: f64,
    /// Values of the spread that are looked back at.
    pub window: usize,
    /// From here on it is entered.
    pub entry: f64,
    /// From here on, towards the mean, it is left.
    pub exit: f64,
    /// From here on, away from it, it is left at a loss, and not entered again before it is nearer
    /// than the entry.
    pub stop: f64,
}

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// Nothing.
    Flat,
    /// `x`, against `y`.
    Long,
    /// `y`, against `x`.
    Short,
    /// Nothing, until the spread is nearer than the entry.
    Stopped,
}

/// What the newest pair of prices says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairsSignal {
    /// `x - hedge * y`.
    pub spread: f64,
    /// How many standard deviations it is from its mean.
    pub z: f64,
    /// What is to be held now.
    pub stance: Stance,
    /// What was held before.
    pub before: Stance,
}

/// A spread that is watched.
#[derive(Clone, Debug, PartialEq)]
pub struct PairsTrade {
    rule: PairsRule,
    window: Rolling,
    stance: Stance,
}

impl PairsTrade {
    /// # Errors
    /// A window below 2, a hedge that is no number, or not `0 <= exit < entry < stop`.
    pub fn new(rule: PairsRule) -> Result<Self, OutOfRange> {
        let range = |what, min, max, given: f64| {
            let is_in = given >= min && given < max;
            let error = OutOfRange {
                what,
                min,
                max,
                given,
            };
            if is_in { Ok(()) } else { Err(error) }
        };
        range("the hedge", f64::MIN, f64::MAX, rule.hedge)?;
        range("the window", 2.0, f64::MAX, rule.window as f64)?;
        range("the exit", 0.0, rule.entry, rule.exit)?;
        range("the entry", rule.exit, rule.stop, rule.entry)?;
        Ok(Self {
            rule,
            window: Rolling::new(rule.window)?,
            stance: Stance::Flat,
        })
    }

    /// Takes a pair of prices; says something once the window is full and the spread moves.
    ///
    /// # Errors
    /// A price is not finite: nothing is changed.
    pub fn push(&mut self, x: f64, y: f64) -> Result<Option<PairsSignal>, NotFinite> {
        let spread = x - self.rule.hedge * y;
        self.window.push(spread)?;
        let z = self.window.z_score(1).filter(|_| self.window.is_full());
        Ok(z.map(|z| {
            let before = self.stance;
            self.stance = self.next(z);
            PairsSignal {
                spread,
                z,
                stance: self.stance,
                before,
            }
        }))
    }

    fn next(&self, z: f64) -> Stance {
        let PairsRule {
            entry, exit, stop, ..
        } = self.rule;
        // How far it is on the side on which it was entered.
        let far = match self.stance {
            Stance::Long => -z,
            Stance::Short => z,
            Stance::Flat | Stance::Stopped => z.abs(),
        };
        match self.stance {
            Stance::Long | Stance::Short if far >= stop => Stance::Stopped,
            Stance::Long | Stance::Short if far <= exit => Stance::Flat,
            Stance::Stopped if far < entry => Stance::Flat,
            Stance::Flat if far >= stop => Stance::Stopped,
            Stance::Flat if z >= entry => Stance::Short,
            Stance::Flat if z <= -entry => Stance::Long,
            same => same,
        }
    }
}
