//! A strategy that trades by a model, as a desk's file says it.

use quant::monitoring::Alarm;
use serde::Deserialize;
use trading::desk::Strategy;
use trading::strategies::{BadParameter, Judge, LabelRule, Signal, SignalRule};

use super::{DeskFile, MS_NS, RawStrategy};
use crate::desk::models::{Named, Shelf};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSignal {
    market: String,
    /// A file, or with a version the folder that has it.
    model: String,
    version: Option<u32>,
    /// Those of a version are on its card.
    classes: Option<Vec<String>>,
    every_ms: u64,
    buy_at: f64,
    sell_at: f64,
    quantity: String,
    hold_ms: u64,
    age_ms_max: u64,
    slip_ticks: u32,
    accuracy: Option<RawAccuracy>,
}

/// When the model is right too seldom, by labels as `wirecross quant features` makes them.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAccuracy {
    ahead: u64,
    #[serde(rename = "move")]
    least_move: f64,
    /// That of a version is on its card.
    expected: Option<f64>,
    #[serde(default = "fall")]
    fall: f64,
    #[serde(default = "between")]
    between: f64,
}

/// As `wirecross quant check` has them.
const fn fall() -> f64 {
    0.05
}

const fn between() -> f64 {
    10_000.0
}

/// Answers that were always right are expected to be wrong so often.
const CERTAIN: f64 = 1e-3;

/// The library's alarm as a strategy asks it.
struct Alarmed(Alarm);

impl Judge for Alarmed {
    fn push(&mut self, is_right: bool) -> bool {
        self.0.push(is_right)
    }
}

impl RawAccuracy {
    /// Who judges a model.
    fn judge(&self, model: &Named) -> Result<Box<dyn Judge>, String> {
        let expected = self.expected.or(model.accuracy).ok_or(
            "accuracy.expected: is missing: the share of answers that are right, which only the \
             card of a version says, too",
        )?;
        let expected = expected.clamp(CERTAIN, 1.0 - CERTAIN);
        let alarm = Alarm::new(expected, self.fall, self.between);
        let alarm = alarm.map_err(|fault| format!("accuracy: {fault}"))?;
        Ok(Box::new(Alarmed(alarm)))
    }
}

impl RawStrategy {
    /// The model that it asks.
    pub(super) fn model(&self, shelf: &Shelf) -> Result<Option<Named>, String> {
        let read = |raw: &RawSignal| {
            Named::read(shelf, &raw.model, raw.version, raw.classes.as_deref())
                .map_err(|error| format!("strategies.{}.signal.{error}", self.name))
        };
        self.signal.as_ref().map(read).transpose()
    }
}

impl DeskFile {
    pub(super) fn signal(
        &self,
        raw: &RawSignal,
        model: Option<&Named>,
    ) -> Result<Box<dyn Strategy>, String> {
        let symbol = self.market("market", &raw.market)?;
        let model = model.ok_or("model: was not read")?;
        let rule = SignalRule {
            symbol,
            quantity: self.lots(symbol, "quantity", &raw.quantity)?,
            every_ms: raw.every_ms,
            classes: model.classes.clone(),
            buy_at: raw.buy_at,
            sell_at: raw.sell_at,
            hold_ns: raw.hold_ms.saturating_mul(MS_NS),
            age_ns_max: raw.age_ms_max.saturating_mul(MS_NS),
            slip_ticks: raw.slip_ticks,
        };
        let mut signal = Signal::new(rule, Box::new(model.asked()));
        if let Some(accuracy) = &raw.accuracy {
            let label = LabelRule {
                ahead: accuracy.ahead,
                least_move: accuracy.least_move,
            };
            let judge = accuracy.judge(model)?;
            signal = signal.and_then(|signal| signal.judged(label, judge));
        }
        let signal = signal.map_err(|BadParameter { name, why }| match name {
            "model" => format!("{name}: {}: {why}", model.file),
            _ => format!("{name}: {why}"),
        })?;
        Ok(Box::new(signal))
    }
}
