//! Around three currencies: when the quotes of three markets contradict each other, all three are
//! traded at once.
//!
//! [`Triangles`] says where; how much is worked out here in whole lots and exact money, from what
//! the touch has and what the limits allow, all fees as the taker's: a cycle whose profit is eaten
//! by rounding is not begun. Each leg trades at once or leaves. What a leg that missed leaves
//! behind is sold, or bought back, at the touch of the market that trades it for the home currency.

use analytics::arbitrage::{Direction, Opportunity, Pair, Quote, Triangles};
use wire::ring::Side;

use super::BadParameter;
use crate::desk::{Context, Fill, Life, Listings, Money, NewOrder, OrderId, Strategy};

/// Parameters of [`Triangular`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriangularRule {
    /// Numbers of the markets.
    pub symbols: Vec<u32>,
    /// The currency in which a cycle begins and ends.
    pub home: String,
    /// The most to begin a cycle with, in the home currency.
    pub start_max: Money,
    /// The least that a cycle must bring, in the home currency.
    pub profit_min: Money,
    /// Quotes that are older are not believed, in ns.
    pub age_ns_max: u64,
    /// Time between the ends of two cycles' orders and the next cycle, in ns.
    pub pause_ns: u64,
}

/// Legs of a cycle.
const LEGS: usize = 3;

/// See the module.
#[derive(Clone, Debug)]
pub struct Triangular {
    rule: TriangularRule,
    /// The currencies, by their numbers in `triangles`.
    currencies: Vec<String>,
    pairs: Vec<Pair>,
    triangles: Triangles,
    /// Orders that live.
    open: Vec<OrderId>,
    rest_until_ns: u64,
    /// Whether no lot of a currency but the home currency was held when that was last looked at,
    /// and nothing traded since: a look at all currencies takes longer than one at the ways.
    is_even: bool,
    /// By currency: the place of the market that trades it for the home currency.
    homes: Vec<Option<usize>>,
}

/// A leg in whole lots.
#[derive(Clone, Copy, Debug)]
struct Sized {
    pair: usize,
    lots: i64,
}

impl Triangular {
    /// # Errors
    /// A parameter makes no sense, or the markets make no cycle through the home currency.
    pub fn new(rule: TriangularRule, listings: &Listings) -> Result<Self, BadParameter> {
        BadParameter::unless(rule.start_max > Money::ZERO, "start_max", "more than 0")?;
        BadParameter::unless(rule.profit_min >= Money::ZERO, "profit_min", "0 or more")?;
        let mut currencies = vec![rule.home.clone()];
        let mut pairs = Vec::new();
        for &symbol in &rule.symbols {
            let listing = listings.get(symbol).ok_or_else(|| BadParameter {
                name: "markets",
                why: format!("there is no market number {symbol}"),
            })?;
            pairs.push(Pair {
                base: number_of(&mut currencies, &listing.base),
                quote: number_of(&mut currencies, &listing.quote),
                decimals: listing.instrument.tick.decimals(),
                fee_ppm: listing.taker_ppm.max(0).unsigned_abs(),
            });
        }
        let triangles = Triangles::new(&pairs).map_err(|error| BadParameter {
            name: "markets",
            why: error.to_string(),
        })?;
        // The first currency is the home currency, and cycles begin with their lowest one.
        let is_home = |legs: &[analytics::arbitrage::Leg; 3]| {
            let Pair { base, quote, .. } = pairs[legs[0].pair as usize];
            base == 0 || quote == 0
        };
        BadParameter::unless(
            triangles.triangles().iter().any(is_home),
            "markets",
            "no three of them lead from the home currency around and back to it",
        )?;
        let home = |currency: u32| {
            pairs
                .iter()
                .position(|it| it.base == currency && it.quote == 0)
        };
        let homes = (0..currencies.len() as u32).map(home).collect();
        Ok(Self {
            rule,
            currencies,
            pairs,
            triangles,
            open: Vec::with_capacity(2 * LEGS),
            rest_until_ns: 0,
            is_even: true,
            homes,
        })
    }

    /// Takes the touch of a market and gives the best cycle that it opens.
    fn found(&mut self, desk: &Context<'_>, pair: usize) -> Option<Opportunity> {
        let quote = quote_of(desk, self.rule.symbols[pair]);
        let age_ns_max = self.rule.age_ns_max;
        let (triangles, pairs) = (&mut self.triangles, &self.pairs);
        let mut best: Option<Opportunity> = None;
        triangles.update(pair as u32, quote, |found| {
            let Pair { base, quote, .. } = pairs[found.legs[0].pair as usize];
            let is_home = base == 0 || quote == 0;
            let is_better = best.is_none_or(|best| found.gain > best.gain);
            if is_home && is_better && found.age_ns <= age_ns_max {
                best = Some(found);
            }
        });
        best
    }

    /// The legs in whole lots, as large as the touch and the limits allow, and what they bring.
    fn size(&self, desk: &Context<'_>, found: &Opportunity) -> Option<([Sized; LEGS], Money)> {
        let mut start = self.rule.start_max;
        // A leg that the touch cuts short makes the start smaller, and all is worked out again.
        for _ in 0..=LEGS {
            let mut sized = [Sized { pair: 0, lots: 0 }; LEGS];
            let mut has = start;
            let mut cut = None;
            for (leg, sized) in found.legs.iter().zip(&mut sized) {
                let pair = leg.pair as usize;
                let step = self.step(desk, pair, leg.direction, has)?;
                let room = step.room.min(step.order_max);
                if step.lots > room && cut.is_none() {
                    cut = Some((room, step.lots));
                }
                *sized = Sized {
                    pair,
                    lots: step.lots,
                };
                has = step.gives;
            }
            match cut {
                None => {
                    let spent = self.spent(desk, found, &sized)?;
                    let profit = has - spent;
                    return (profit > self.rule.profit_min).then_some((sized, profit));
                }
                Some((room, lots)) => start = start.scaled(room.into(), lots.into()),
            }
        }
        None
    }

    /// What the first leg takes of the home currency: less than the start, by rounding.
    fn spent(
        &self,
        desk: &Context<'_>,
        found: &Opportunity,
        sized: &[Sized; LEGS],
    ) -> Option<Money> {
        let symbol = self.rule.symbols[sized[0].pair];
        let listing = desk.listings().get(symbol)?;
        let touch = desk.book(symbol).touch()?;
        let worth = desk.listings().worth(symbol);
        let lots = sized[0].lots;
        Some(match found.legs[0].direction {
            Direction::Buy => {
                let price = touch.offer.price;
                worth.value(price, lots) + worth.fee(price, lots, listing.taker_ppm)
            }
            Direction::Sell => desk.listings().lot(symbol) * lots,
        })
    }

    /// What a leg makes of a sum, in whole lots.
    fn step(
        &self,
        desk: &Context<'_>,
        pair: usize,
        direction: Direction,
        has: Money,
    ) -> Option<Step> {
        let symbol = self.rule.symbols[pair];
        let listing = desk.listings().get(symbol)?;
        let touch = desk.book(symbol).touch()?;
        let worth = desk.listings().worth(symbol);
        let lot = desk.listings().lot(symbol);
        let (level, each) = match direction {
            Direction::Sell => (touch.bid, lot),
            Direction::Buy => {
                let price = touch.offer.price;
                let each = worth.value(price, 1) + worth.fee(price, 1, listing.taker_ppm);
                (touch.offer, each)
            }
        };
        let lots = i64::try_from(has.units().checked_div(each.units())?).ok()?;
        let gives = match direction {
            Direction::Sell => {
                worth.value(level.price, lots) - worth.fee(level.price, lots, listing.taker_ppm)
            }
            Direction::Buy => lot * lots,
        };
        (lots > 0).then_some(Step {
            lots,
            gives,
            room: i64::try_from(level.quantity).unwrap_or(i64::MAX),
            order_max: i64::try_from(listing.order_max).unwrap_or(i64::MAX),
        })
    }

    /// Whether it left.
    fn send(&mut self, desk: &mut Context<'_>, pair: usize, side: Side, lots: i64) -> bool {
        let symbol = self.rule.symbols[pair];
        let Some(touch) = desk.book(symbol).touch() else {
            return false;
        };
        let price = match side {
            Side::Buy => touch.offer.price,
            Side::Sell => touch.bid.price,
        };
        let sent = desk.send(NewOrder {
            symbol,
            side,
            price,
            quantity: lots.unsigned_abs(),
            life: Life::Immediate,
        });
        self.open.extend(sent);
        sent.is_ok()
    }

    /// What this strategy holds of a currency, in 10^-24 of it, fees of the quote side included.
    fn held(&self, desk: &Context<'_>, currency: u32) -> Money {
        let of = |(pair, symbol): (&Pair, &u32)| {
            let position = desk.position(*symbol);
            let lot = desk.listings().lot(*symbol);
            let base = if pair.base == currency {
                lot * position.lots
            } else {
                Money::ZERO
            };
            let quote = if pair.quote == currency {
                position.cash - position.fees
            } else {
                Money::ZERO
            };
            base + quote
        };
        self.pairs.iter().zip(&self.rule.symbols).map(of).sum()
    }

    /// Trades what legs that missed left behind for the home currency; whether anything left.
    fn clear_up(&mut self, desk: &mut Context<'_>) -> bool {
        let mut has_sent = false;
        self.is_even = true;
        for currency in 1..self.currencies.len() {
            let Some(pair) = self.homes[currency] else {
                continue;
            };
            let symbol = self.rule.symbols[pair];
            let Some(listing) = desk.listings().get(symbol) else {
                continue;
            };
            let lot = desk.listings().lot(symbol);
            let order_max = i64::try_from(listing.order_max).unwrap_or(i64::MAX);
            let held = self.held(desk, currency as u32);
            let lots = i64::try_from(held.units() / lot.units()).unwrap_or(0);
            let side = if lots > 0 { Side::Sell } else { Side::Buy };
            if lots != 0 {
                self.is_even = false;
                has_sent |= self.send(desk, pair, side, lots.abs().min(order_max));
            }
        }
        has_sent
    }
}

/// What a leg makes of what it is given.
struct Step {
    lots: i64,
    gives: Money,
    /// Lots that stand at the touch.
    room: i64,
    order_max: i64,
}

impl Strategy for Triangular {
    fn on_book(&mut self, desk: &mut Context<'_>, symbol: u32) {
        let place = self.rule.symbols.iter().position(|it| *it == symbol);
        let Some(pair) = place else {
            return;
        };
        let found = self.found(desk, pair);
        let is_resting = desk.now_ns() < self.rest_until_ns;
        if !self.open.is_empty() || is_resting || (!self.is_even && self.clear_up(desk)) {
            return;
        }
        let Some(found) = found else {
            return;
        };
        if let Some((sized, _)) = self.size(desk, &found) {
            for (leg, Sized { pair, lots }) in found.legs.iter().zip(sized) {
                let side = match leg.direction {
                    Direction::Buy => Side::Buy,
                    Direction::Sell => Side::Sell,
                };
                // What left before a leg that may not is cleared up later.
                if !self.send(desk, pair, side, lots) {
                    break;
                }
            }
        }
    }

    fn on_fill(&mut self, _desk: &mut Context<'_>, _fill: &Fill) {
        self.is_even = false;
    }

    fn on_broken(&mut self, _desk: &mut Context<'_>, _fill: &Fill) {
        self.is_even = false;
    }

    fn on_gone(&mut self, desk: &mut Context<'_>, order: OrderId) {
        self.open.retain(|id| *id != order);
        if self.open.is_empty() {
            self.rest_until_ns = desk.now_ns() + self.rule.pause_ns;
        }
    }
}

fn number_of(currencies: &mut Vec<String>, name: &str) -> u32 {
    let known = currencies.iter().position(|it| it == name);
    let place = known.unwrap_or_else(|| {
        currencies.push(name.to_owned());
        currencies.len() - 1
    });
    place as u32
}

/// The touch as [`Triangles`] takes it, in ticks of a power of ten; none where it does not fit.
fn quote_of(desk: &Context<'_>, symbol: u32) -> Quote {
    let time_ns = desk.now_ns();
    let touch = desk.book(symbol).touch();
    let units = desk
        .listings()
        .get(symbol)
        .map_or(1, |it| it.instrument.tick.units());
    let price = |ticks: i64| u32::try_from(ticks * i64::from(units)).unwrap_or(0);
    let lots = |quantity: u64| u32::try_from(quantity).unwrap_or(u32::MAX);
    touch.map_or(
        Quote {
            time_ns,
            ..Quote::default()
        },
        |touch| Quote {
            bid: price(touch.bid.price),
            bid_units: lots(touch.bid.quantity),
            ask: price(touch.offer.price),
            ask_units: lots(touch.offer.quantity),
            time_ns,
        },
    )
}
