//! The file of a desk: markets, limits, latencies and strategies, in TOML.
//!
//! Quantities, ticks, lots and money are texts, so that they are exact: `"0.05"`. `docs/desk.md`
//! lists the keys.

mod signal;

use std::path::Path;

use analytics::arbitrage::PairsRule;
use analytics::bars::Rule;
use serde::Deserialize;
use trading::backtest::{Latency, Models};
use trading::desk::{
    BreakerRule, Desk, DeskPlan, Limits, Listing, Listings, Money, SeatPlan, Strategy,
};
use trading::strategies::{
    Maker, MakerRule, Pairs, PairsLeg, PairsPlan, Triangular, TriangularRule,
};
use trading::{Instrument, Step};

use super::models::{Named, Shelf};
use signal::RawSignal;

/// Nanoseconds in a millisecond and a microsecond.
const MS_NS: u64 = 1_000_000;
const US_NS: u64 = 1_000;
/// The most requests in a window that are counted: the time of each is kept.
const REQUESTS_MAX: u32 = 1_000_000;

/// What a desk's file says, read and checked.
#[derive(Clone, Debug)]
pub struct DeskFile {
    raw: Raw,
    listings: Listings,
    limits: Limits,
    /// Of each strategy, if it asks one.
    models: Vec<Option<Named>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    home: String,
    #[serde(default = "second_ms")]
    bar_ms: u64,
    markets: Vec<RawMarket>,
    risk: RawRisk,
    #[serde(default)]
    models: RawModels,
    strategies: Vec<RawStrategy>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMarket {
    name: String,
    /// What the venue calls it, where that is not its name.
    symbol: Option<String>,
    base: Option<String>,
    quote: Option<String>,
    tick: String,
    lot: String,
    #[serde(default)]
    maker_ppm: i32,
    #[serde(default)]
    taker_ppm: i32,
    order_max: String,
    position_max: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRisk {
    order_value_max: String,
    exposure_max: String,
    loss_max: String,
    band_ppm: u32,
    orders_per_second: u32,
    open_orders_max: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModels {
    /// Microseconds: one number, or the least and the most; as recorded if it is not said.
    market_us: Option<RawLatency>,
    order_us: Option<RawLatency>,
    answer_us: Option<RawLatency>,
    #[serde(default)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum RawLatency {
    Constant(u64),
    Drawn([u64; 2]),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStrategy {
    name: String,
    #[serde(default)]
    priority: u32,
    breaker: RawBreaker,
    maker: Option<RawMaker>,
    pairs: Option<RawPairs>,
    triangular: Option<RawTriangular>,
    signal: Option<RawSignal>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBreaker {
    loss_max: String,
    orders_max: u32,
    orders_window_ms: u64,
    budget_us: u64,
    overruns_max: u32,
    answer_ms_max: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMaker {
    market: String,
    quantity: String,
    half_spread_ticks: f64,
    skew_ticks: f64,
    inventory_max: String,
    requote_ticks: u32,
    pause_us: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPairs {
    x: String,
    x_quantity: String,
    y: String,
    y_quantity: String,
    hedge: f64,
    window: usize,
    entry: f64,
    exit: f64,
    stop: f64,
    sample_ms: u64,
    slip_ticks: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTriangular {
    markets: Vec<String>,
    start_max: String,
    profit_min: String,
    age_ms_max: u64,
    pause_ms: u64,
}

const fn second_ms() -> u64 {
    1_000
}

impl DeskFile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// What is wrong, with the file and the key.
    pub fn load(path: &Path) -> Result<Self, String> {
        let named = |error: String| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
        Self::parse(&text, &Shelf::of(path)).map_err(named)
    }

    /// Reads and checks a file's text, and the models that it names.
    ///
    /// # Errors
    /// What is wrong, with the key.
    pub fn parse(text: &str, shelf: &Shelf) -> Result<Self, String> {
        let raw: Raw = toml::from_str(text).map_err(|error| error.to_string())?;
        let listings: Vec<_> = raw.markets.iter().map(listing).collect::<Result<_, _>>()?;
        for (at, market) in raw.markets.iter().enumerate() {
            if raw.markets[..at].iter().any(|it| it.name == market.name) {
                return Err(format!("markets.{}: there are two", market.name));
            }
        }
        let listings = Listings::new(listings, &raw.home).map_err(|error| error.to_string())?;
        let limits = limits(&raw.risk)?;
        let models = raw.strategies.iter().map(|it| it.model(shelf));
        let file = Self {
            models: models.collect::<Result<_, _>>()?,
            raw,
            listings,
            limits,
        };
        if file.raw.strategies.is_empty() {
            return Err("strategies: at least one".to_owned());
        }
        // Everything else is found out by making it once.
        file.desk().map(|_| file)
    }

    /// A desk as the file says it.
    ///
    /// # Errors
    /// A strategy's parameters make no sense.
    pub fn desk(&self) -> Result<Desk, String> {
        let seats = self.raw.strategies.iter().zip(&self.models);
        let seats = seats.map(|(raw, model)| self.seat(raw, model.as_ref()));
        Ok(Desk::new(DeskPlan {
            listings: self.listings.clone(),
            limits: self.limits.clone(),
            bars: Rule {
                width_ns: self.raw.bar_ms.saturating_mul(MS_NS),
                ..Rule::default()
            },
            seats: seats.collect::<Result<_, _>>()?,
        }))
    }

    /// The markets.
    #[must_use]
    pub const fn listings(&self) -> &Listings {
        &self.listings
    }

    /// What the venue calls each market.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.raw
            .markets
            .iter()
            .map(|raw| raw.symbol.as_deref().unwrap_or(&raw.name))
    }

    /// The currency in which profits are told.
    #[must_use]
    pub fn home(&self) -> &str {
        &self.raw.home
    }

    /// The latencies of a backtest.
    #[must_use]
    pub fn models(&self) -> Models {
        let models = &self.raw.models;
        let latency = |raw: Option<RawLatency>| match raw {
            None => Latency::Recorded,
            Some(RawLatency::Constant(us)) => Latency::Constant(us.saturating_mul(US_NS)),
            Some(RawLatency::Drawn([least, most])) => Latency::Drawn {
                least_ns: least.saturating_mul(US_NS),
                most_ns: most.saturating_mul(US_NS),
            },
        };
        Models {
            market: latency(models.market_us),
            order: latency(models.order_us),
            answer: latency(models.answer_us),
            seed: models.seed,
        }
    }

    /// The models that are asked, with the strategy that asks each.
    pub fn models_asked(&self) -> impl Iterator<Item = (&str, &Named)> {
        let all = self.raw.strategies.iter().zip(&self.models);
        all.filter_map(|(raw, model)| Some((raw.name.as_str(), model.as_ref()?)))
    }

    fn seat(&self, raw: &RawStrategy, model: Option<&Named>) -> Result<SeatPlan, String> {
        let named = |error: String| format!("strategies.{}.{error}", raw.name);
        Ok(SeatPlan {
            name: raw.name.clone(),
            priority: raw.priority,
            breaker: breaker(&raw.breaker).map_err(named)?,
            strategy: self.strategy(raw, model).map_err(named)?,
        })
    }

    fn strategy(
        &self,
        raw: &RawStrategy,
        model: Option<&Named>,
    ) -> Result<Box<dyn Strategy>, String> {
        match (&raw.maker, &raw.pairs, &raw.triangular, &raw.signal) {
            (Some(raw), None, None, None) => self.maker(raw).map_err(|e| format!("maker.{e}")),
            (None, Some(raw), None, None) => self.pairs(raw).map_err(|e| format!("pairs.{e}")),
            (None, None, Some(raw), None) => {
                self.triangular(raw).map_err(|e| format!("triangular.{e}"))
            }
            (None, None, None, Some(raw)) => {
                self.signal(raw, model).map_err(|e| format!("signal.{e}"))
            }
            _ => Err("maker, pairs, triangular, signal: one of them".to_owned()),
        }
    }

    fn maker(&self, raw: &RawMaker) -> Result<Box<dyn Strategy>, String> {
        let symbol = self.market("market", &raw.market)?;
        let maker = Maker::new(MakerRule {
            symbol,
            quantity: self.lots(symbol, "quantity", &raw.quantity)?,
            half_spread_ticks: raw.half_spread_ticks,
            skew_ticks: raw.skew_ticks,
            inventory_max: self.lots(symbol, "inventory_max", &raw.inventory_max)?,
            requote_ticks: raw.requote_ticks,
            pause_ns: raw.pause_us.saturating_mul(US_NS),
        });
        Ok(Box::new(maker.map_err(|error| error.to_string())?))
    }

    fn pairs(&self, raw: &RawPairs) -> Result<Box<dyn Strategy>, String> {
        let leg = |key, name: &str, quantity_key, quantity: &str| {
            let symbol = self.market(key, name)?;
            let quantity = self.lots(symbol, quantity_key, quantity)?;
            Ok::<_, String>(PairsLeg { symbol, quantity })
        };
        let pairs = Pairs::new(PairsPlan {
            x: leg("x", &raw.x, "x_quantity", &raw.x_quantity)?,
            y: leg("y", &raw.y, "y_quantity", &raw.y_quantity)?,
            rule: PairsRule {
                hedge: raw.hedge,
                window: raw.window,
                entry: raw.entry,
                exit: raw.exit,
                stop: raw.stop,
            },
            sample_ns: raw.sample_ms.saturating_mul(MS_NS),
            slip_ticks: raw.slip_ticks,
        });
        Ok(Box::new(pairs.map_err(|error| error.to_string())?))
    }

    fn triangular(&self, raw: &RawTriangular) -> Result<Box<dyn Strategy>, String> {
        let markets = raw.markets.iter().map(|name| self.market("markets", name));
        let rule = TriangularRule {
            symbols: markets.collect::<Result<_, _>>()?,
            home: self.raw.home.clone(),
            start_max: money("start_max", &raw.start_max)?,
            profit_min: money("profit_min", &raw.profit_min)?,
            age_ns_max: raw.age_ms_max.saturating_mul(MS_NS),
            pause_ns: raw.pause_ms.saturating_mul(MS_NS),
        };
        let triangular = Triangular::new(rule, &self.listings);
        Ok(Box::new(triangular.map_err(|error| error.to_string())?))
    }

    fn market(&self, key: &str, name: &str) -> Result<u32, String> {
        let place = self.raw.markets.iter().position(|it| it.name == name);
        let place = place.ok_or_else(|| format!("{key}: no market is called {name:?}"))?;
        Ok(place as u32)
    }

    fn lots(&self, symbol: u32, key: &str, text: &str) -> Result<u64, String> {
        let listing = self.listings.get(symbol);
        let lot = listing.map_or(Step::ONE, |it| it.instrument.lot);
        count(lot, key, text)
    }
}

fn listing(raw: &RawMarket) -> Result<Listing, String> {
    let key = |name: &str| format!("markets.{}.{name}", raw.name);
    let step = |name: &str, text: &str| {
        Step::parse(text).ok_or_else(|| format!("{}: {text:?} is no step", key(name)))
    };
    let lot = step("lot", &raw.lot)?;
    Ok(Listing {
        instrument: Instrument {
            name: raw.name.clone(),
            venue: String::new(),
            tick: step("tick", &raw.tick)?,
            lot,
        },
        base: raw.base.clone().unwrap_or_else(|| raw.name.clone()),
        quote: raw.quote.clone().unwrap_or_else(|| "USD".to_owned()),
        maker_ppm: raw.maker_ppm,
        taker_ppm: raw.taker_ppm,
        order_max: count(lot, &key("order_max"), &raw.order_max)?,
        position_max: count(lot, &key("position_max"), &raw.position_max)?,
    })
}

fn limits(raw: &RawRisk) -> Result<Limits, String> {
    Ok(Limits {
        order_value_max: money("risk.order_value_max", &raw.order_value_max)?,
        exposure_max: money("risk.exposure_max", &raw.exposure_max)?,
        band_ppm: raw.band_ppm,
        orders_per_second: requests("risk.orders_per_second", raw.orders_per_second)?,
        open_orders_max: raw.open_orders_max,
        loss_max: money("risk.loss_max", &raw.loss_max)?,
    })
}

fn breaker(raw: &RawBreaker) -> Result<BreakerRule, String> {
    Ok(BreakerRule {
        loss_max: money("breaker.loss_max", &raw.loss_max)?,
        orders_max: requests("breaker.orders_max", raw.orders_max)?,
        orders_window_ns: raw.orders_window_ms.saturating_mul(MS_NS),
        budget_ns: raw.budget_us.saturating_mul(US_NS),
        overruns_max: raw.overruns_max,
        answer_ns_max: raw.answer_ms_max.saturating_mul(MS_NS),
    })
}

fn requests(key: &str, count: u32) -> Result<u32, String> {
    if count > REQUESTS_MAX {
        return Err(format!("{key}: {count} is more than {REQUESTS_MAX}"));
    }
    Ok(count)
}

fn money(key: &str, text: &str) -> Result<Money, String> {
    Money::parse(text).ok_or_else(|| format!("{key}: {text:?} is no sum of money"))
}

fn count(lot: Step, key: &str, text: &str) -> Result<u64, String> {
    let lots = lot.count(text.as_bytes());
    let lots = lots.map_err(|why| format!("{key}: {text:?} {why}, in lots of {}", lot.times(1)))?;
    u64::try_from(lots).map_err(|_| format!("{key}: {text:?} is less than nothing"))
}
