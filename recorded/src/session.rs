//! A desk's day as `wirecross desk --session` keeps it: of all that came to the desk, what markets
//! said. The desk's own orders are no part of it.
//!
//! A line is `N KIND RECEIVED EVENT SYMBOL ...`; inputs are numbered from 1, so that a line that is
//! missing shows. Answers, times and words of the desk's are passed over. Ticks and lots are those
//! of the desk's file, which a session does not say.

use std::path::Path;
use std::str::SplitAsciiWhitespace;

use trading::desk::MARKETS_MAX;
use trading::{Event, Instrument, Standing, Step, What};
use wire::ring::Side;

use crate::error::{Error, Fault};
use crate::recording::{Recording, Records};
use crate::source::Lines;

/// The first line.
pub const HEAD: &[u8] = b"wirecross desk session 1";

/// What every market's numbers are steps of.
#[derive(Clone, Copy, Debug)]
struct Steps {
    tick: Step,
    lot: Step,
}

/// A session's file.
pub struct Session {
    lines: Lines,
    steps: Steps,
    first: u32,
    instruments: Vec<Instrument>,
    /// The number of the last input.
    number: u64,
}

impl Session {
    /// The events of a session whose first market gets the number `symbol`.
    ///
    /// # Errors
    /// It cannot be opened, or is no session.
    pub fn open(path: &Path, tick: Step, lot: Step, symbol: u32) -> Result<Recording<Self>, Error> {
        let mut lines = Lines::open(path)?;
        if !lines.advance()? || lines.line() != HEAD {
            return Err(lines.error(Fault::Format));
        }
        Ok(Recording::new(Self {
            lines,
            steps: Steps { tick, lot },
            first: symbol,
            instruments: Vec::new(),
            number: 0,
        }))
    }

    fn fault(&self, name: &'static str, why: impl Into<String>) -> Error {
        self.lines.error(Fault::Field(name, why.into()))
    }

    /// The event of a line; none if it is about something else.
    fn event(&mut self) -> Result<Option<Event>, Error> {
        let text = std::str::from_utf8(self.lines.line());
        let text = text.map_err(|why| self.lines.error(Fault::Message(why.to_string())))?;
        let mut words = text.split_ascii_whitespace();
        let first = words.next().unwrap_or_default();
        // How long a call took stands before the input that made it.
        if first == "overrun" {
            return Ok(None);
        }
        let next = self.number + 1;
        if first.parse() != Ok(next) {
            return Err(self.fault("input", format!("is {first:?}, where {next} is to stand")));
        }
        let kind = words.next().unwrap_or_default();
        let is_market = matches!(kind, "level" | "quote" | "trade" | "clear" | "end");
        let event = is_market.then(|| event(kind, &mut words));
        if event == Some(None) {
            return Err(self.fault("input", format!("{text:?} is no {kind}")));
        }
        self.number = next;
        Ok(event.flatten())
    }
}

fn event(kind: &str, words: &mut SplitAsciiWhitespace<'_>) -> Option<Event> {
    let received_ns = number(words)?;
    let event_ns = number(words)?;
    let symbol = number(words)?;
    let what = match kind {
        "level" => What::Level {
            side: side(words)??,
            price: number(words)?,
            quantity: number(words)?,
        },
        "quote" => What::Quote {
            bid: standing(words)?,
            offer: standing(words)?,
        },
        "trade" => What::Trade {
            aggressor: side(words)?,
            price: number(words)?,
            quantity: number(words)?,
        },
        "clear" => What::Clear,
        _ => What::End,
    };
    let is_all = words.next().is_none();
    is_all.then_some(Event {
        event_ns,
        received_ns,
        symbol,
        what,
    })
}

fn number<N: std::str::FromStr>(words: &mut SplitAsciiWhitespace<'_>) -> Option<N> {
    words.next()?.parse().ok()
}

fn side(words: &mut SplitAsciiWhitespace<'_>) -> Option<Option<Side>> {
    match words.next()? {
        "buy" => Some(Some(Side::Buy)),
        "sell" => Some(Some(Side::Sell)),
        "-" => Some(None),
        _ => None,
    }
}

fn standing(words: &mut SplitAsciiWhitespace<'_>) -> Option<Standing> {
    Some(Standing {
        price: number(words)?,
        quantity: number(words)?,
    })
}

impl Records for Session {
    fn read(&mut self, events: &mut Vec<Event>) -> Result<bool, Error> {
        if !self.lines.advance()? {
            return Ok(false);
        }
        let Some(event) = self.event()? else {
            return Ok(true);
        };
        if event.symbol as usize >= MARKETS_MAX {
            let why = format!(
                "is {}: a desk has {MARKETS_MAX} markets at most",
                event.symbol
            );
            return Err(self.fault("market", why));
        }
        while self.instruments.len() <= event.symbol as usize {
            self.instruments.push(Instrument {
                name: format!("market {}", self.instruments.len()),
                venue: "a desk's session".to_owned(),
                tick: self.steps.tick,
                lot: self.steps.lot,
            });
        }
        events.push(Event {
            symbol: self.first + event.symbol,
            ..event
        });
        Ok(true)
    }

    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }
}
