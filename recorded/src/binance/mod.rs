//! Captures of Binance's websocket streams: a line is the time of receipt in ns, a space, and the
//! message as it came; snapshots of the REST interface stand between them in the same way.
//!
//! Depth (`@depth`), best prices (`@bookTicker`) and trades (`@trade`) are told; other streams are
//! passed over and counted. Spot and USD-M perpetuals join snapshot and changes by different rules;
//! which ones hold, the changes say themselves: only those of a perpetual have `pu`.
//!
//! The least step of quantities is finer than what the venue takes in orders today: old orders and
//! trades leave parts of 1/100,000 and less. A lot of 1/100,000,000 holds all that it can write.
//!
//! Times: the venue's are in ms, and those of one stream do not fall. Quotes and snapshots of spot
//! have none, and get the latest told before.

mod join;
mod message;

use std::path::Path;

use trading::{Event, Instrument, Standing, Step, What};
use wire::ring::Side;

use crate::error::{Error, Fault};
use crate::recording::{Recording, Records, Teller};
use crate::source::Lines;
use join::{Change, Join, Joined};
use message::{Depth, Line, Quote, Trade};

const MS_NS: u64 = 1_000_000;

/// A capture of one instrument.
pub struct Capture {
    lines: Lines,
    instruments: [Instrument; 1],
    symbol: u32,
    join: Join,
    /// The venue's newest time.
    event_ns: u64,
    update_id: u64,
    counts: Counts,
}

/// How many messages of what kind a capture brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Changes that were applied.
    pub changes: u64,
    /// Changes from before a snapshot.
    pub stale: u64,
    /// Snapshots that began a book.
    pub snapshots: u64,
    /// Snapshots older than the book.
    pub snapshots_unused: u64,
    /// Times that updates were missing; the book is void from there to the next snapshot.
    pub gaps: u64,
    /// Quotes.
    pub quotes: u64,
    /// Trades.
    pub trades: u64,
    /// Messages of other streams.
    pub others: u64,
}

/// Lines that are looked at for the first change.
const NAMED_LINES_MAX: usize = 1_000;

/// The instrument that a capture is of, as its first change says: `binance-usdm` for a perpetual,
/// `binance-spot` otherwise.
///
/// # Errors
/// The file cannot be read, or there is no change among its first lines.
pub fn instrument(path: &Path, tick: Step, lot: Step) -> Result<Instrument, Error> {
    let mut lines = Lines::open(path)?;
    for _ in 0..NAMED_LINES_MAX {
        if !lines.advance()? {
            break;
        }
        let line = message::line(lines.line()).map_err(|fault| lines.error(fault))?;
        if let (_, Line::Depth(depth)) = line {
            let venue = match depth.previous {
                Some(_) => "binance-usdm",
                None => "binance-spot",
            };
            return Ok(Instrument {
                name: depth.symbol.to_owned(),
                venue: venue.to_owned(),
                tick,
                lot,
            });
        }
    }
    let why = "is nowhere among the first lines: there is no depth".to_owned();
    Err(lines.error(Fault::Field("s", why)))
}

impl Capture {
    /// The events of the capture of an instrument, whose events get the number `symbol`.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(
        path: &Path,
        instrument: Instrument,
        symbol: u32,
    ) -> Result<Recording<Self>, Error> {
        Ok(Recording::new(Self {
            lines: Lines::open(path)?,
            instruments: [instrument],
            symbol,
            join: Join::new(),
            event_ns: 0,
            update_id: 0,
            counts: Counts::default(),
        }))
    }

    /// The venue's number of the newest update told: of a snapshot, a change or a quote.
    #[must_use]
    pub const fn update_id(&self) -> u64 {
        self.update_id
    }

    /// What came so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn teller<'a>(
        &mut self,
        received_ns: u64,
        ms: Option<u64>,
        events: &'a mut Vec<Event>,
    ) -> Teller<'a> {
        let event_ns = ms.map_or(self.event_ns, |ms| ms.saturating_mul(MS_NS));
        self.event_ns = self.event_ns.max(event_ns);
        Teller {
            events,
            event_ns,
            received_ns,
            symbol: self.symbol,
        }
    }

    /// Reads a line, and says what it says.
    fn line(&mut self, events: &mut Vec<Event>) -> Result<(), Error> {
        let (received_ns, line) =
            message::line(self.lines.line()).map_err(|fault| self.lines.error(fault))?;
        let number = self.lines.number();
        let instrument = &self.instruments[0];
        let done = match line {
            Line::Depth(depth) => {
                let change = change(&depth, received_ns, instrument);
                let joined = change.and_then(|change| self.join.change(change));
                joined.map(|joined| self.joined(joined, events))
            }
            Line::Snapshot(it) => {
                let levels = levels(&it.bids, &it.asks, instrument);
                let (id, ms) = (it.last, it.transaction_ms);
                levels.and_then(|levels| {
                    let Some(stale) = self.join.snapshot(id, received_ns, number)? else {
                        self.counts.snapshots_unused += 1;
                        return Ok(());
                    };
                    self.counts.stale += stale;
                    self.update_id = id;
                    self.counts.snapshots += 1;
                    tell_snapshot(&levels, self.teller(received_ns, ms, events));
                    Ok(())
                })
            }
            Line::Quote(quote) => {
                let what = quote_of(&quote, instrument);
                let (id, ms) = (quote.id, quote.ms);
                what.map(|what| {
                    self.counts.quotes += 1;
                    self.update_id = id;
                    self.teller(received_ns, ms, events).tell(what);
                })
            }
            Line::Trade(trade) => {
                let what = trade_of(&trade, instrument);
                let ms = Some(trade.ms);
                what.map(|what| {
                    self.counts.trades += 1;
                    // Trades of an insurance fund come without a quantity.
                    if let Some(what) = what {
                        self.teller(received_ns, ms, events).tell(what);
                    }
                })
            }
            Line::Other => {
                self.counts.others += 1;
                Ok(())
            }
        };
        done.map_err(|fault| self.lines.error(fault))
    }

    fn joined(&mut self, joined: Joined, events: &mut Vec<Event>) {
        match joined {
            Joined::Next(change) => self.tell_change(&change, events),
            Joined::Stale => self.counts.stale += 1,
            Joined::Kept => {}
            Joined::Gap { received_ns } => {
                self.counts.gaps += 1;
                self.teller(received_ns, None, events).tell(What::Clear);
            }
        }
    }

    fn tell_change(&mut self, change: &Change, events: &mut Vec<Event>) {
        self.counts.changes += 1;
        self.update_id = change.last;
        let mut teller = self.teller(change.received_ns, Some(change.ms), events);
        change.levels.iter().for_each(|what| teller.tell(*what));
        teller.tell(What::End);
    }
}

/// A snapshot is a book of its own.
fn tell_snapshot(levels: &[What], mut teller: Teller<'_>) {
    teller.tell(What::Clear);
    levels.iter().for_each(|what| teller.tell(*what));
    teller.tell(What::End);
}

impl Records for Capture {
    fn read(&mut self, events: &mut Vec<Event>) -> Result<bool, Error> {
        if let Some(joined) = self.join.next_kept() {
            let joined = joined.map_err(|fault| self.lines.error(fault))?;
            self.joined(joined, events);
            return Ok(true);
        }
        if !self.lines.advance()? {
            return Ok(false);
        }
        self.line(events).map(|()| true)
    }

    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }
}

fn is_of(instrument: &Instrument, symbol: &str) -> Result<(), Fault> {
    if symbol == instrument.name {
        return Ok(());
    }
    let why = format!("is {symbol} in a capture of {}", instrument.name);
    Err(Fault::Field("s", why))
}

/// A decimal text as so many lots.
fn quantity(field: &'static str, text: &str, instrument: &Instrument) -> Result<u64, Fault> {
    let count = instrument.lot.count(text.as_bytes());
    let count = count.map_err(|why| Fault::Field(field, format!("is {text:?}, which {why}")))?;
    u64::try_from(count).map_err(|_| Fault::Field(field, format!("is {text:?}, below 0")))
}

/// A decimal text as so many ticks.
fn price(field: &'static str, text: &str, instrument: &Instrument) -> Result<i64, Fault> {
    let count = instrument.tick.count(text.as_bytes());
    count.map_err(|why| Fault::Field(field, format!("is {text:?}, which {why}")))
}

fn levels(
    bids: &[[&str; 2]],
    asks: &[[&str; 2]],
    instrument: &Instrument,
) -> Result<Vec<What>, Fault> {
    let bids = bids
        .iter()
        .map(|level| (Side::Buy, ["b.price", "b.quantity"], level));
    let asks = asks
        .iter()
        .map(|level| (Side::Sell, ["a.price", "a.quantity"], level));
    let level = |(side, fields, level): (Side, [&'static str; 2], &[&str; 2])| {
        Ok(What::Level {
            side,
            price: price(fields[0], level[0], instrument)?,
            quantity: quantity(fields[1], level[1], instrument)?,
        })
    };
    bids.chain(asks).map(level).collect()
}

fn change(depth: &Depth<'_>, received_ns: u64, of: &Instrument) -> Result<Change, Fault> {
    is_of(of, depth.symbol)?;
    if depth.last < depth.first {
        let why = format!("is {}, before U {}", depth.last, depth.first);
        return Err(Fault::Field("u", why));
    }
    Ok(Change {
        received_ns,
        ms: depth.transaction_ms.unwrap_or(depth.ms),
        first: depth.first,
        last: depth.last,
        previous: depth.previous,
        levels: levels(&depth.bids, &depth.asks, of)?,
    })
}

fn quote_of(quote: &Quote<'_>, of: &Instrument) -> Result<What, Fault> {
    is_of(of, quote.symbol)?;
    Ok(What::Quote {
        bid: Standing {
            price: price("b", quote.bid, of)?,
            quantity: quantity("B", quote.bid_quantity, of)?,
        },
        offer: Standing {
            price: price("a", quote.offer, of)?,
            quantity: quantity("A", quote.offer_quantity, of)?,
        },
    })
}

fn trade_of(trade: &Trade<'_>, of: &Instrument) -> Result<Option<What>, Fault> {
    is_of(of, trade.symbol)?;
    let quantity = quantity("q", trade.quantity, of)?;
    let price = price("p", trade.price, of)?;
    let aggressor = if trade.buyer_made {
        Side::Sell
    } else {
        Side::Buy
    };
    Ok((quantity > 0).then_some(What::Trade {
        price,
        quantity,
        aggressor: Some(aggressor),
    }))
}
