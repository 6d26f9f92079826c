//! Bitstamp's live orders as PyPI's `ob-analytics` keeps them: a line for each order that came,
//! changed or went, behind a first line that names the columns.
//!
//! An order that would trade with what stands is told as it came, and the trades after it: until
//! the sides part again the book is none that ever was, and no [`What::End`] is told. Where they do
//! not part for a second, the end of an order was never told, as happens around the snapshot that
//! such a file begins with: of two orders that cannot both stand the older one is taken for gone.

use std::collections::BTreeMap;
use std::path::Path;

use trading::{Depth, Event, Instrument, NotSteps, Step, What};
use wire::ring::Side;

use crate::error::{Error, Fault};
use crate::recording::{Recording, Records, Teller};
use crate::source::Lines;

/// The first line.
pub(crate) const COLUMNS: &[u8] = b"id,timestamp,exchange_timestamp,price,volume,action,direction";
/// How long the sides may overlap, by the venue's clock.
const OVERLAP_MS: u64 = 1_000;
/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// An order that stands.
#[derive(Clone, Copy, Debug)]
struct Standing {
    side: Side,
    price: i64,
    quantity: u64,
    /// The line that it came with.
    line: u64,
}

/// What a line says.
struct Line {
    id: u64,
    received_ms: u64,
    event_ms: u64,
    price: i64,
    quantity: u64,
    action: Action,
    side: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Created,
    Changed,
    Deleted,
}

/// The orders of one market.
pub struct Orders {
    lines: Lines,
    instruments: [Instrument; 1],
    symbol: u32,
    standing: BTreeMap<u64, Standing>,
    depth: Depth,
    /// When the sides began to overlap, by the venue's clock.
    overlap_ms: Option<u64>,
    lost: u64,
    unknown: u64,
}

impl Orders {
    /// The events of a file.
    ///
    /// # Errors
    /// The file cannot be opened, or has other columns.
    pub fn open(path: &Path, tick: Step, lot: Step, symbol: u32) -> Result<Recording<Self>, Error> {
        let mut lines = Lines::open(path)?;
        if !lines.advance()? || lines.line() != COLUMNS {
            return Err(lines.error(Fault::Format));
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.and_then(|name| name.split('.').next());
        let instrument = Instrument {
            name: name.unwrap_or_default().to_owned(),
            venue: "bitstamp".to_owned(),
            tick,
            lot,
        };
        Ok(Recording::new(Self {
            lines,
            instruments: [instrument],
            symbol,
            standing: BTreeMap::new(),
            depth: Depth::default(),
            overlap_ms: None,
            lost: 0,
            unknown: 0,
        }))
    }

    /// The book as told.
    #[must_use]
    pub const fn depth(&self) -> &Depth {
        &self.depth
    }

    /// Orders that were taken for gone because what came after could not stand beside them.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Changes and ends of orders that did not stand.
    #[must_use]
    pub const fn unknown(&self) -> u64 {
        self.unknown
    }

    fn line(&self) -> Result<Line, Error> {
        let field = |name, why: String| self.lines.error(Fault::Field(name, why));
        let text = std::str::from_utf8(self.lines.line());
        let text = text.map_err(|why| self.lines.error(Fault::Message(why.to_string())))?;
        let mut cells = text.split(',');
        let mut next = |name| {
            let cell = cells.next();
            cell.ok_or_else(|| field(name, "is missing".to_owned()))
        };
        let number = |name, text: &str| {
            let number = text.parse::<u64>();
            number.map_err(|why| field(name, format!("is {text:?}: {why}")))
        };
        let steps = |name, step: Step, text: &str| {
            let count = count(step, text);
            count.map_err(|why| field(name, format!("is {text}, which {why}")))
        };
        let [instrument] = &self.instruments;
        let id = number("id", next("id")?)?;
        let received_ms = number("timestamp", next("timestamp")?)?;
        let event_ms = number("exchange_timestamp", next("exchange_timestamp")?)?;
        let price = steps("price", instrument.tick, next("price")?)?;
        let quantity = steps("volume", instrument.lot, next("volume")?)?;
        let quantity =
            u64::try_from(quantity).map_err(|_| field("volume", "is below 0".to_owned()))?;
        let action = match next("action")? {
            "created" => Action::Created,
            "changed" => Action::Changed,
            "deleted" => Action::Deleted,
            other => return Err(field("action", format!("is {other:?}"))),
        };
        let side = match next("direction")? {
            "bid" => Side::Buy,
            "ask" => Side::Sell,
            other => return Err(field("direction", format!("is {other:?}"))),
        };
        Ok(Line {
            id,
            received_ms,
            event_ms,
            price,
            quantity,
            action,
            side,
        })
    }

    /// Does to orders what the line says.
    fn apply(&mut self, line: &Line, teller: &mut Teller<'_>) {
        let before = self.standing.remove(&line.id);
        if let Some(before) = before {
            self.tell(
                before.side,
                before.price,
                -i128::from(before.quantity),
                teller,
            );
        }
        self.unknown += u64::from(before.is_none() && line.action != Action::Created);
        let stays = line.action != Action::Deleted && line.quantity > 0;
        // A change of an order that does not stand is no order: where it stood is not known.
        if !stays || (line.action == Action::Changed && before.is_none()) {
            return;
        }
        let came = before.map_or(self.lines.number(), |before| before.line);
        let after = Standing {
            side: line.side,
            price: line.price,
            quantity: line.quantity,
            line: came,
        };
        self.standing.insert(line.id, after);
        self.tell(after.side, after.price, i128::from(after.quantity), teller);
    }

    fn tell(&mut self, side: Side, price: i64, change: i128, teller: &mut Teller<'_>) {
        let stands = i128::from(self.depth.at(side, price)) + change;
        let what = What::Level {
            side,
            price,
            quantity: stands.clamp(0, i128::from(u64::MAX)) as u64,
        };
        self.depth.apply(&what);
        teller.tell(what);
    }

    /// Takes the older of two orders that overlap for gone, until the sides part.
    fn part(&mut self, teller: &mut Teller<'_>) {
        while self.overlaps() {
            let touch = self.depth.touch();
            let is_best = |order: &Standing| match order.side {
                Side::Buy => order.price == touch.bid.price,
                Side::Sell => order.price == touch.offer.price,
            };
            let best = self.standing.iter().filter(|(_, order)| is_best(order));
            let Some((&id, &order)) = best.min_by_key(|(_, order)| order.line) else {
                break;
            };
            self.standing.remove(&id);
            self.lost += 1;
            self.tell(order.side, order.price, -i128::from(order.quantity), teller);
        }
    }

    fn overlaps(&self) -> bool {
        self.depth
            .touch()
            .spread()
            .is_some_and(|spread| spread <= 0)
    }
}

/// How many steps a text is, exactly, which may have an exponent: 7.18e-06.
fn count(step: Step, text: &str) -> Result<i64, NotSteps> {
    let Some((digits, exponent)) = text.split_once('e') else {
        return step.count(text.as_bytes());
    };
    let exponent: i8 = exponent.parse().map_err(|_| NotSteps::Number)?;
    let (whole, after) = digits.split_once('.').unwrap_or((digits, ""));
    let mantissa: i64 = format!("{whole}{after}")
        .parse()
        .map_err(|_| NotSteps::Number)?;
    let decimals = after.len() as i64 - i64::from(exponent);
    if let Ok(decimals) = u8::try_from(decimals) {
        return step.steps(mantissa, decimals);
    }
    let ten = u32::try_from(-decimals)
        .ok()
        .and_then(|by| 10_i64.checked_pow(by));
    let mantissa = ten.and_then(|ten| mantissa.checked_mul(ten));
    step.steps(mantissa.ok_or(NotSteps::TooMany)?, 0)
}

impl Records for Orders {
    fn read(&mut self, events: &mut Vec<Event>) -> Result<bool, Error> {
        if !self.lines.advance()? {
            return Ok(false);
        }
        let line = self.line()?;
        let mut teller = Teller {
            events,
            event_ns: line.event_ms.saturating_mul(MS),
            received_ns: line.received_ms.saturating_mul(MS),
            symbol: self.symbol,
        };
        self.apply(&line, &mut teller);
        if self.overlaps() {
            let since = *self.overlap_ms.get_or_insert(line.event_ms);
            if line.event_ms.saturating_sub(since) <= OVERLAP_MS {
                return Ok(true);
            }
            self.part(&mut teller);
        }
        self.overlap_ms = None;
        teller.tell(What::End);
        Ok(true)
    }

    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_exact() {
        let lot = Step::new(1, 8).unwrap();
        for (text, wanted) in [
            ("7.18e-06", Ok(718)),
            ("1e-08", Ok(1)),
            ("1.5e+01", Ok(1_500_000_000)),
            ("2e0", Ok(200_000_000)),
            ("1e-09", Err(NotSteps::Between)),
            ("1e+19", Err(NotSteps::TooMany)),
            ("1e127", Err(NotSteps::TooMany)),
            ("1e-127", Err(NotSteps::TooMany)),
            ("1.2.3e1", Err(NotSteps::Number)),
            ("e1", Err(NotSteps::Number)),
            ("1e", Err(NotSteps::Number)),
            ("1e999", Err(NotSteps::Number)),
            ("0.25", Ok(25_000_000)),
        ] {
            assert_eq!(count(lot, text), wanted, "{text}");
        }
    }
}
