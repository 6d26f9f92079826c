//! What the desk trades by: recordings of two markets, or fifty markets that are made up.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use analytics::arbitrage::{Pair, Triangles};
use analytics::bars::Rule;
use appliance::desk::{data, file::DeskFile, models::Shelf};
use trading::desk::{BreakerRule, Desk, DeskPlan, Limits, Money, SeatPlan};
use trading::{Event, Standing, What};

use super::detector::{Detector, Found};
use crate::rows::triangles::{FAR, FEE_PPM, MARKETS, Market};
use crate::{BenchError, Effort};

const FOLDER: &str = "../../shared/data/crypto";
const FILES: [&str; 2] = [
    "binance_spot_ethusdt_20240808.gz",
    "binance_usdm_ethusdt_20240808.gz",
];
/// Two markets with a maker each, which follows each tick.
const MAKERS: &str = include_str!("makers.toml");
/// Times the pace of the recording.
const PACE: f64 = 20.0;
const SECOND_NS: u64 = 1_000_000_000;
/// Time between two updates of the made-up markets.
const UPDATE_NS: u64 = 20_000;
/// They trade in hundredths: of whole units few ways would gain behind rounding.
const LOTS_PER_UNIT: u64 = 100;

/// A desk and what it trades by.
pub struct Feed {
    pub name: &'static str,
    pub about: &'static str,
    pub file: DeskFile,
    pub events: Vec<Event>,
    pub pace: Option<f64>,
    /// For a desk that only looks.
    pub pairs: Option<Vec<Pair>>,
}

fn failed(error: String) -> BenchError {
    BenchError::failed("the desk's feed", error)
}

impl Feed {
    /// A new desk; `to` hears what a detector found.
    pub fn desk(&self, to: &Sender<Found>) -> Result<Desk, BenchError> {
        let Some(pairs) = &self.pairs else {
            return self.file.desk().map_err(failed);
        };
        let most = Money::parse("1000000000").ok_or_else(|| failed("money".to_string()))?;
        let detector = Detector::new(triangles(pairs)?, to.clone());
        Ok(Desk::new(DeskPlan {
            listings: self.file.listings().clone(),
            limits: Limits {
                order_value_max: most,
                exposure_max: most,
                band_ppm: 1,
                orders_per_second: 1,
                open_orders_max: 1,
                loss_max: most,
            },
            bars: Rule::default(),
            seats: vec![SeatPlan {
                name: "detector".to_string(),
                priority: 0,
                breaker: BreakerRule {
                    loss_max: most,
                    orders_max: 1,
                    orders_window_ns: SECOND_NS,
                    budget_ns: SECOND_NS,
                    overruns_max: u32::MAX,
                    answer_ns_max: u64::MAX,
                },
                strategy: Box::new(detector),
            }],
        }))
    }

    /// How fast it is played.
    pub fn pace_text(&self) -> String {
        self.pace.map_or_else(
            || "as fast as they are taken".to_string(),
            |pace| format!("at {pace} times their pace"),
        )
    }
}

/// The tables of the pairs.
pub fn triangles(pairs: &[Pair]) -> Result<Triangles, BenchError> {
    Triangles::new(pairs).map_err(|error| BenchError::failed("the pairs", error))
}

/// Spot and perpetual of one currency, as they were recorded.
pub fn recorded(effort: Effort) -> Result<Feed, BenchError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let paths: Vec<PathBuf> = FILES.iter().map(|name| folder.join(name)).collect();
    if let Some(path) = paths.iter().find(|path| !path.exists()) {
        let why = format!("{} is not there", path.display());
        return Err(BenchError::Skipped(why));
    }
    let file = DeskFile::parse(MAKERS, &Shelf::of(Path::new("."))).map_err(failed)?;
    let seconds = effort.pick(2, 80, 400) as u64;
    let mut end_ns = None;
    let events = data::open(&file, &paths).map_err(failed)?;
    let events = events.take_while(|event| {
        let Ok(event) = event else { return true };
        let end_ns = *end_ns.get_or_insert(event.received_ns + seconds * SECOND_NS);
        event.received_ns <= end_ns
    });
    Ok(Feed {
        name: "ETH spot and perpetual",
        about: "a recording with a maker on each market",
        events: events.collect::<Result<_, _>>().map_err(failed)?,
        file,
        pace: (effort != Effort::Tiny).then_some(PACE),
        pairs: None,
    })
}

/// Fifty markets in which ways around three currencies gain now and then, traded.
pub fn generated(effort: Effort) -> Result<Feed, BenchError> {
    made(effort, "50 made-up markets, traded", false)
}

/// The same markets, looked at.
pub fn detected(effort: Effort) -> Result<Feed, BenchError> {
    made(effort, "50 made-up markets, looked at", true)
}

fn made(effort: Effort, name: &'static str, is_looked_at: bool) -> Result<Feed, BenchError> {
    let market = Market::new(MARKETS[0], FAR, effort.pick(2_000, 100_000, 500_000));
    let change = |(at, (symbol, quote)): (usize, &(u32, analytics::arbitrage::Quote))| {
        let standing = |price: u32, units: u32| Standing {
            price: price.into(),
            quantity: LOTS_PER_UNIT * u64::from(units),
        };
        let touch = What::Quote {
            bid: standing(quote.bid, quote.bid_units),
            offer: standing(quote.ask, quote.ask_units),
        };
        let time_ns = SECOND_NS + at as u64 * UPDATE_NS;
        [touch, What::End].map(|what| Event {
            event_ns: time_ns,
            received_ns: time_ns,
            symbol: *symbol,
            what,
        })
    };
    Ok(Feed {
        name,
        about: if is_looked_at {
            "a call is one look at the ways through a market; all found are those of a full scan"
        } else {
            "the shipped strategy, resting 1 ms behind a cycle; a call is look, sizes and orders"
        },
        file: DeskFile::parse(&text(&market.pairs), &Shelf::of(Path::new("."))).map_err(failed)?,
        events: market.updates.iter().enumerate().flat_map(change).collect(),
        pace: (effort != Effort::Tiny).then_some(1.0),
        pairs: is_looked_at.then_some(market.pairs),
    })
}

/// The desk's file of made-up markets.
fn text(pairs: &[Pair]) -> String {
    let mut text = String::from("home = \"C0\"\n");
    for (at, Pair { base, quote, .. }) in pairs.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "[[markets]]\nname = \"M{at}\"\nbase = \"C{base}\"\nquote = \"C{quote}\"\n\
             tick = \"0.000001\"\nlot = \"0.01\"\ntaker_ppm = {FEE_PPM}\norder_max = \"1000\"\n\
             position_max = \"1000000000\"\n"
        );
    }
    let names: Vec<String> = (0..pairs.len()).map(|at| format!("\"M{at}\"")).collect();
    text + "[risk]\norder_value_max = \"1000000000\"\nexposure_max = \"1000000000000\"\n\
            loss_max = \"1000000000\"\nband_ppm = 500000\norders_per_second = 1000000\n\
            open_orders_max = 100\n[[strategies]]\nname = \"around\"\n[strategies.breaker]\n\
            loss_max = \"1000000000\"\norders_max = 1000000\norders_window_ms = 1000\n\
            budget_us = 1000000\noverruns_max = 1000000\nanswer_ms_max = 100000\n\
            [strategies.triangular]\nstart_max = \"100\"\nprofit_min = \"0.000001\"\n\
            age_ms_max = 1000000\npause_ms = 1\nmarkets = ["
        + &names.join(", ")
        + "]\n"
}
