//! A strategy that trades by a model, as a desk's file says it.

use serde::Deserialize;
use trading::desk::Strategy;
use trading::strategies::{BadParameter, Signal, SignalRule};

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
        let signal = Signal::new(rule, Box::new(model.asked()));
        let signal = signal.map_err(|BadParameter { name, why }| match name {
            "model" => format!("{name}: {}: {why}", model.file),
            _ => format!("{name}: {why}"),
        })?;
        Ok(Box::new(signal))
    }
}
