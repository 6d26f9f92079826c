//! Whether a model's word is right as often as it was: by the labels that the market itself gives.
//!
//! A label says what the middle did some rows later, as `wirecross quant features` makes it. One
//! answer at a time waits for its label, and the next one is taken behind that: so no two of those
//! that are judged look ahead over each other.

use super::BadParameter;
use super::signal::Class;

/// Judges answers one after the other. The same answers are judged the same, whenever it is.
pub trait Judge: Send {
    /// Takes an answer in; whether too few are right, which it stays. Allocates nothing.
    fn push(&mut self, is_right: bool) -> bool;
}

/// What a label says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelRule {
    /// How many rows it looks ahead.
    pub ahead: u64,
    /// Ticks by which the middle must have moved then for BUY or SELL.
    pub least_move: f64,
}

/// An answer whose label is to come.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// None if it was no number.
    class: Option<Class>,
    /// The middle then.
    middle: f64,
    /// Rows until its label.
    rows: u64,
}

/// See the module.
pub(super) struct Accuracy {
    rule: LabelRule,
    judge: Box<dyn Judge>,
    waiting: Option<Waiting>,
    is_raised: bool,
}

impl Accuracy {
    /// # Errors
    /// A parameter makes no sense.
    pub(super) fn new(rule: LabelRule, judge: Box<dyn Judge>) -> Result<Self, BadParameter> {
        let is_move = rule.least_move > 0.0 && rule.least_move < 1e9;
        BadParameter::unless(rule.ahead > 0, "accuracy.ahead", "at least one row")?;
        BadParameter::unless(is_move, "accuracy.move", "between 0 and 1e9 ticks")?;
        Ok(Self {
            rule,
            judge,
            waiting: None,
            is_raised: false,
        })
    }

    /// A row came; no middle where a side was missing.
    pub(super) fn row(&mut self, middle: Option<f64>) {
        let Some(waiting) = &mut self.waiting else {
            return;
        };
        waiting.rows -= 1;
        if waiting.rows > 0 {
            return;
        }
        let (class, then) = (waiting.class, waiting.middle);
        self.waiting = None;
        // Without a middle there is no label, here as in training.
        let Some(middle) = middle else { return };
        let label = match middle - then {
            moved if moved >= self.rule.least_move => Class::Buy,
            moved if moved <= -self.rule.least_move => Class::Sell,
            _ => Class::Hold,
        };
        self.is_raised = self.judge.push(class == Some(label));
    }

    /// What the model said of the row that came last.
    pub(super) const fn answer(&mut self, class: Option<Class>, middle: f64) {
        if self.waiting.is_none() {
            self.waiting = Some(Waiting {
                class,
                middle,
                rows: self.rule.ahead,
            });
        }
    }

    /// Rows begin anew: no label looks across that.
    pub(super) const fn forget(&mut self) {
        self.waiting = None;
    }

    /// Whether too few answers were right.
    pub(super) const fn is_raised(&self) -> bool {
        self.is_raised
    }
}
