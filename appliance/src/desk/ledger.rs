//! What is kept of a run: decisions as lines, fills, latencies, and points of a picture.

use std::fmt::Write as _;
use std::io::Write;

use serde::Serialize;
use trading::Event;
use trading::backtest::Watcher;
use trading::desk::{
    Account, Breaker, Decision, Desk, Fill, Heard, Line, Listings, Refusal, SeatFigures, side_text,
};

use super::file::DeskFile;
use crate::client::report::{Latencies, LatencyRow, table};

/// Points of the picture: behind as many, every other one is dropped.
const POINTS_MAX: usize = 4_096;
/// Fills that are printed; the others are counted.
const FILLS_SHOWN: usize = 20;

/// How things stood at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// In ns.
    pub time_ns: u64,
    /// Middle of the first market, in its quote currency; NaN before there is one.
    pub price: f64,
    /// Profit behind fees, in the home currency.
    pub equity: f64,
}

/// See the module.
pub struct Ledger<W> {
    decisions: W,
    is_broken: bool,
    markets: Vec<String>,
    home: String,
    /// All fills.
    pub fills: Vec<Fill>,
    /// From a request to its answer.
    pub answers: Latencies,
    /// Points in time, evenly.
    pub points: Vec<Point>,
    point_every: u64,
    events: u64,
    decided: u64,
}

impl<W: Write> Ledger<W> {
    /// Nothing yet; decisions are written as lines.
    #[must_use]
    pub fn new(file: &DeskFile, decisions: W) -> Self {
        Self {
            decisions,
            is_broken: false,
            markets: names(file.listings()),
            home: file.home().to_owned(),
            fills: Vec::new(),
            answers: Latencies::new(),
            points: Vec::new(),
            point_every: 1,
            events: 0,
            decided: 0,
        }
    }

    /// Adds a point, if one is due.
    fn point(&mut self, desk: &Desk, time_ns: u64) {
        self.events += 1;
        if !self.events.is_multiple_of(self.point_every) {
            return;
        }
        self.points.push(Point {
            time_ns,
            price: price_of(desk.listings()),
            equity: desk.account().equity().to_f64(),
        });
        if self.points.len() >= POINTS_MAX {
            let mut keep = false;
            self.points.retain(|_| {
                keep = !keep;
                keep
            });
            self.point_every *= 2;
        }
    }

    /// Ends the file of decisions.
    ///
    /// # Errors
    /// It could not be written.
    pub fn end(&mut self) -> Result<(), String> {
        if self.is_broken || self.decisions.flush().is_err() {
            return Err("the decisions could not be written: is the disk full?".to_owned());
        }
        Ok(())
    }

    /// What became of everything.
    #[must_use]
    pub fn summary(&self, desk: &Desk) -> Summary {
        let listings = desk.listings();
        let refused = Refusal::ALL.into_iter().filter_map(|why| {
            let count = desk.risk().refused(why);
            (count > 0).then(|| (why.word().to_owned(), count))
        });
        type Seat<'s> = (&'s String, (&'s Account, &'s Breaker, SeatFigures));
        let seat = |(name, (account, breaker, figures)): Seat<'_>| SeatSummary {
            name: name.clone(),
            orders: figures.orders,
            replaces: figures.replaces,
            cancels: figures.cancels,
            refused: figures.refused,
            refused_by_venue: figures.refused_by_venue,
            overruns: breaker.overruns(),
            profit: account.equity().to_string(),
            stopped: breaker.tripped().map(|trip| trip.to_string()),
        };
        let market = |(symbol, name): (u32, &String)| {
            let position = desk.account().position(symbol);
            let lot = listings.get(symbol).map(|it| it.instrument.lot);
            MarketSummary {
                name: name.clone(),
                position: lot.map_or(String::new(), |lot| lot.times(position.lots).to_string()),
                fills: position.fills,
                fills_maker: position.fills_maker,
                fees: position.fees.to_string(),
            }
        };
        Summary {
            home: self.home.clone(),
            events: self.events,
            decisions: self.decided,
            fills: self.fills.len() as u64,
            profit: desk.account().equity().to_string(),
            fees: desk.account().fees(listings).to_string(),
            drawdown: desk.account().drawdown().to_string(),
            refused: refused.collect(),
            open_orders: desk.orders().len(),
            strategies: desk.names().iter().zip(desk.seats()).map(seat).collect(),
            markets: (0..).zip(&self.markets).map(market).collect(),
            answers: self.answers.row(),
        }
    }

    /// The first fills, one a line.
    #[must_use]
    pub fn fills_text(&self, desk: &Desk) -> String {
        let mut text = String::new();
        for fill in self.fills.iter().take(FILLS_SHOWN) {
            let Some(listing) = desk.listings().get(fill.symbol) else {
                continue;
            };
            let instrument = &listing.instrument;
            let lots = instrument.lot.times(fill.quantity as i64);
            let price = instrument.tick.times(fill.price);
            let who = if fill.is_maker { "maker" } else { "taker" };
            let name = desk.names().get(usize::from(fill.seat));
            let _ = writeln!(
                text,
                "{} {} {} {} {} {lots} at {price} {who}",
                fill.time_ns,
                name.map_or("?", String::as_str),
                fill.order,
                side_text(fill.side),
                instrument.name,
            );
        }
        let more = self.fills.len().saturating_sub(FILLS_SHOWN);
        if more > 0 {
            let _ = writeln!(text, "and {more} more fills");
        }
        text
    }
}

impl<W: Write> Watcher for Ledger<W> {
    fn decided(&mut self, desk: &Desk, decision: &Decision) {
        self.decided += 1;
        let line = Line {
            decision,
            strategies: desk.names(),
            markets: &self.markets,
        };
        self.is_broken |= writeln!(self.decisions, "{line}").is_err();
    }

    fn heard(&mut self, _: &Desk, heard: &Heard) {
        self.fills.extend(heard.fill);
        if let Some(broken) = heard.broken {
            let what = |it: &Fill| {
                let Fill {
                    seat,
                    symbol,
                    price,
                    ..
                } = *it;
                (seat, symbol, it.side, price, it.quantity, it.is_maker)
            };
            let place = self.fills.iter().rposition(|it| what(it) == what(&broken));
            place.map(|place| self.fills.remove(place));
        }
        if let Some(ns) = heard.answered_ns {
            self.answers.record(ns);
        }
    }

    fn event(&mut self, desk: &Desk, event: &Event) {
        if event.what == trading::What::End {
            self.point(desk, event.received_ns);
        }
    }
}

/// The names of markets.
#[must_use]
pub fn names(listings: &Listings) -> Vec<String> {
    listings
        .iter()
        .map(|it| it.instrument.name.clone())
        .collect()
}

fn price_of(listings: &Listings) -> f64 {
    let Some(listing) = listings.get(0) else {
        return f64::NAN;
    };
    match listings.middle_twice(0) {
        0 => f64::NAN,
        twice => twice as f64 / 2.0 * listing.instrument.tick.value(),
    }
}

/// What became of a run; sums of money are exact, as texts.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The currency of profits.
    pub home: String,
    /// Changes of books that the desk saw.
    pub events: u64,
    /// Lines of decisions.
    pub decisions: u64,
    /// Fills.
    pub fills: u64,
    /// Profit or loss behind all fees.
    pub profit: String,
    /// Fees paid.
    pub fees: String,
    /// Greatest fall of the profit from a peak.
    pub drawdown: String,
    /// Why orders did not leave, and how many.
    pub refused: Vec<(String, u64)>,
    /// Orders that live at the end.
    pub open_orders: usize,
    /// Each strategy.
    pub strategies: Vec<SeatSummary>,
    /// Each market.
    pub markets: Vec<MarketSummary>,
    /// From a request to its answer, in ns.
    pub answers: LatencyRow,
}

/// What a strategy did.
#[derive(Clone, Debug, Serialize)]
pub struct SeatSummary {
    name: String,
    orders: u64,
    replaces: u64,
    cancels: u64,
    refused: u64,
    refused_by_venue: u64,
    overruns: u32,
    profit: String,
    stopped: Option<String>,
}

/// What happened in a market.
#[derive(Clone, Debug, Serialize)]
pub struct MarketSummary {
    name: String,
    position: String,
    fills: u64,
    fills_maker: u64,
    fees: String,
}

impl Summary {
    /// As text; `latencies` are rows beside that of the answers.
    #[must_use]
    pub fn text(&self, latencies: &[(&str, LatencyRow)]) -> String {
        let mut text = String::new();
        for seat in &self.strategies {
            let _ = writeln!(
                text,
                "{}: {} orders, {} replacements, {} cancels, {} refused here, {} by the venue, \
                 profit {}",
                seat.name,
                seat.orders,
                seat.replaces,
                seat.cancels,
                seat.refused,
                seat.refused_by_venue,
                seat.profit
            );
            if let Some(why) = &seat.stopped {
                let _ = writeln!(text, "{}: STOPPED, {why}", seat.name);
            }
        }
        for market in &self.markets {
            let _ = writeln!(
                text,
                "{}: holds {}, {} fills, {} of them as the maker, fees {}",
                market.name, market.position, market.fills, market.fills_maker, market.fees
            );
        }
        for (why, count) in &self.refused {
            let _ = writeln!(text, "refused {why}: {count}");
        }
        let _ = writeln!(
            text,
            "profit {} {home}, fees {}, drawdown {}; {} fills, {} decisions, {} changes of books, \
             {} orders open\n",
            self.profit,
            self.fees,
            self.drawdown,
            self.fills,
            self.decisions,
            self.events,
            self.open_orders,
            home = self.home,
        );
        let rows = [&[("request -> answer", self.answers)], latencies].concat();
        text.push_str(&table(&rows));
        text
    }
}
