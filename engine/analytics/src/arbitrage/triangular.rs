//! Around three currencies and back with more than before.
//!
//! All cycles of three are found once. An update of a pair looks only at the cycles through it:
//! what the pair gives is compared with what the other two legs would have to, one product and one
//! comparison each.

use super::wide::Wide;
use super::{PPM, Quote};

/// The most pairs and cycles.
pub const PAIRS_MAX: usize = 1 << 16;
/// The most cycles.
pub const TRIANGLES_MAX: usize = 1 << 22;
/// Decimals of a price.
pub const DECIMALS_MAX: u8 = 9;

/// What rounding may take from a product of three rates, and more.
const ROUNDING: f64 = 1e-12;

/// A market in which a currency is traded for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What is traded.
    pub base: u32,
    /// What is paid for it.
    pub quote: u32,
    /// A tick is `10^-decimals` of the quote currency for a unit of the base.
    pub decimals: u8,
    /// What the venue keeps of what one gets, in parts of a million.
    pub fee_ppm: u32,
}

/// What is done in a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Base is sold at the bid.
    Sell,
    /// Base is bought at the ask.
    Buy,
}

/// A trade of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// In which pair.
    pub pair: u32,
    /// Which way.
    pub direction: Direction,
}

impl Leg {
    /// Where its rate stands.
    fn slot(self) -> usize {
        2 * self.pair as usize + self.direction as usize
    }
}

/// A cycle that gains, with what its quotes allow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opportunity {
    /// The cycle's number.
    pub triangle: u32,
    /// Its trades, in their order.
    pub legs: [Leg; 3],
    /// What is gained, as a part of what one starts with, fees taken off.
    pub gain: f64,
    /// The most to start with, in units of the first currency, that the quotes allow.
    pub start: f64,
    /// How old its oldest quote is.
    pub age_ns: u64,
}

impl Opportunity {
    /// What is gained in all, in units of the first currency.
    #[must_use]
    pub fn profit(&self) -> f64 {
        self.gain * self.start
    }
}

/// Pairs of which no cycles can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriangleError {
    /// Too many.
    TooManyPairs(usize),
    /// Too many cycles.
    TooManyTriangles,
    /// A pair of a currency with itself, or with more decimals or a greater fee than there may be.
    BadPair(usize),
}

impl std::fmt::Display for TriangleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooManyPairs(count) => write!(f, "{count} pairs: at most {PAIRS_MAX}"),
            Self::TooManyTriangles => write!(f, "more than {TRIANGLES_MAX} cycles of three"),
            Self::BadPair(at) => write!(
                f,
                "pair {at}: two different currencies, at most {DECIMALS_MAX} decimals, and a fee \
                 below {PPM} parts of a million"
            ),
        }
    }
}

impl std::error::Error for TriangleError {}

/// The other legs of a cycle through a leg.
#[derive(Clone, Copy, Debug)]
struct Others {
    slots: [u32; 2],
    triangle: u32,
}

/// All cycles of three, and the quotes of all pairs.
#[derive(Clone, Debug)]
pub struct Triangles {
    pairs: Vec<Pair>,
    quotes: Vec<Quote>,
    /// By leg: what a unit gives, the fee taken off; 0 without a quote.
    rates: Vec<f64>,
    triangles: Vec<[Leg; 3]>,
    /// By leg: where the cycles through it begin in `others`, and where the last ones end.
    starts: Vec<u32>,
    others: Vec<Others>,
}

impl Triangles {
    /// Finds all cycles, each once for a way around, from its lowest currency on, in the order of
    /// the currencies.
    ///
    /// # Errors
    /// Too many, or a pair that cannot be.
    pub fn new(pairs: &[Pair]) -> Result<Self, TriangleError> {
        if pairs.len() > PAIRS_MAX {
            return Err(TriangleError::TooManyPairs(pairs.len()));
        }
        let is_bad = |pair: &Pair| {
            pair.base == pair.quote || pair.decimals > DECIMALS_MAX || pair.fee_ppm >= PPM
        };
        if let Some(at) = pairs.iter().position(is_bad) {
            return Err(TriangleError::BadPair(at));
        }
        let triangles = cycles(pairs)?;
        let (starts, others) = indexed(&triangles, pairs.len());
        Ok(Self {
            pairs: pairs.to_vec(),
            quotes: vec![Quote::default(); pairs.len()],
            rates: vec![0.0; 2 * pairs.len()],
            triangles,
            starts,
            others,
        })
    }

    /// The trades of all cycles.
    #[must_use]
    pub fn triangles(&self) -> &[[Leg; 3]] {
        &self.triangles
    }

    /// Takes the quote of a pair and hands on all cycles through it that gain, selling first, then
    /// in the order of their numbers. A pair that there is not changes nothing.
    #[inline]
    pub fn update(&mut self, pair: u32, quote: Quote, mut on: impl FnMut(Opportunity)) {
        let Some(place) = self.quotes.get_mut(pair as usize) else {
            return;
        };
        *place = quote;
        let Pair {
            decimals, fee_ppm, ..
        } = self.pairs[pair as usize];
        let kept = f64::from(PPM - fee_ppm) / f64::from(PPM);
        let unit = POWERS[usize::from(decimals)] as f64;
        let rates = [
            kept * f64::from(quote.bid) / unit,
            if quote.ask == 0 {
                0.0
            } else {
                kept * unit / f64::from(quote.ask)
            },
        ];
        let first = 2 * pair as usize;
        self.rates[first..first + 2].copy_from_slice(&rates);
        for (slot, rate) in (first..).zip(rates) {
            let least = (1.0 - ROUNDING) / rate;
            let (from, to) = (self.starts[slot] as usize, self.starts[slot + 1] as usize);
            for others in &self.others[from..to] {
                let [a, b] = others.slots;
                if self.rates[a as usize] * self.rates[b as usize] > least {
                    self.confirm(others.triangle, quote.time_ns, &mut on);
                }
            }
        }
    }

    /// All cycles that gain, found the long way: each is looked at.
    pub fn scan(&self, now_ns: u64, mut on: impl FnMut(Opportunity)) {
        for triangle in 0..self.triangles.len() as u32 {
            self.confirm(triangle, now_ns, &mut on);
        }
    }

    /// Hands a cycle on if it gains, which is decided exactly.
    #[inline(never)]
    fn confirm(&self, triangle: u32, now_ns: u64, on: &mut impl FnMut(Opportunity)) {
        let legs = self.triangles[triangle as usize];
        // What a unit gives is the product of some numbers by the product of others.
        let mut ratios = [[0; 2]; 3];
        let mut oldest_ns = now_ns;
        for (ratio, leg) in ratios.iter_mut().zip(legs) {
            let quote = &self.quotes[leg.pair as usize];
            let unit = POWERS[usize::from(self.pairs[leg.pair as usize].decimals)];
            *ratio = match leg.direction {
                Direction::Sell => [quote.bid.into(), unit],
                Direction::Buy => [unit, quote.ask.into()],
            };
            oldest_ns = oldest_ns.min(quote.time_ns);
        }
        let kept = legs.map(|leg| PPM - self.pairs[leg.pair as usize].fee_ppm);
        let gives = ratios.map(|[gives, _]| gives).into_iter();
        let gives = Wide::product(gives.chain(kept.map(u64::from)));
        let takes = ratios.map(|[_, takes]| takes).into_iter();
        let takes = Wide::product(takes.chain([PPM; 3].map(u64::from)));
        if gives <= takes || ratios.iter().flatten().any(|number| *number == 0) {
            return;
        }
        on(Opportunity {
            triangle,
            legs,
            gain: gives.gain_over(takes),
            start: self.start(legs),
            age_ns: now_ns - oldest_ns,
        });
    }

    /// The most to start with that the quotes of all legs allow.
    fn start(&self, legs: [Leg; 3]) -> f64 {
        // What a unit at the start has become before a leg.
        let mut grown = 1.0;
        let mut start = f64::INFINITY;
        for leg in legs {
            let quote = &self.quotes[leg.pair as usize];
            let unit = POWERS[usize::from(self.pairs[leg.pair as usize].decimals)] as f64;
            let room = match leg.direction {
                Direction::Sell => f64::from(quote.bid_units),
                Direction::Buy => f64::from(quote.ask_units) * f64::from(quote.ask) / unit,
            };
            start = start.min(room / grown);
            grown *= self.rates[leg.slot()];
        }
        start
    }
}

/// Powers of ten.
const POWERS: [u64; DECIMALS_MAX as usize + 1] = {
    let mut powers = [1; DECIMALS_MAX as usize + 1];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};

/// All ways around three currencies.
fn cycles(pairs: &[Pair]) -> Result<Vec<[Leg; 3]>, TriangleError> {
    // By the currency that is given: what is got, and how.
    let mut ways: Vec<(u32, u32, Leg)> = Vec::new();
    for (pair, Pair { base, quote, .. }) in (0..).zip(pairs) {
        let leg = |direction| Leg { pair, direction };
        ways.push((*base, *quote, leg(Direction::Sell)));
        ways.push((*quote, *base, leg(Direction::Buy)));
    }
    ways.sort_by_key(|(from, to, leg)| (*from, *to, leg.slot()));
    let from = |currency: u32| {
        let start = ways.partition_point(|(from, ..)| *from < currency);
        ways[start..]
            .iter()
            .take_while(move |(from, ..)| *from == currency)
    };
    let mut found = Vec::new();
    for (first, second, one) in &ways {
        if second < first {
            continue;
        }
        for (_, third, two) in from(*second).filter(|(_, third, _)| third > first) {
            let back = from(*third).filter(|(_, to, _)| to == first);
            found.extend(back.map(|(_, _, three)| [*one, *two, *three]));
            if found.len() > TRIANGLES_MAX {
                return Err(TriangleError::TooManyTriangles);
            }
        }
    }
    Ok(found)
}

/// By leg: the cycles through it.
fn indexed(triangles: &[[Leg; 3]], pairs: usize) -> (Vec<u32>, Vec<Others>) {
    let mut all: Vec<(usize, Others)> = Vec::with_capacity(3 * triangles.len());
    for (triangle, legs) in (0..).zip(triangles) {
        for at in 0..3 {
            let slots = [1, 2].map(|by| legs[(at + by) % 3].slot() as u32);
            all.push((legs[at].slot(), Others { slots, triangle }));
        }
    }
    all.sort_by_key(|(slot, others)| (*slot, others.triangle));
    let mut starts = vec![0; 2 * pairs + 1];
    for (slot, _) in &all {
        starts[slot + 1] += 1;
    }
    for slot in 1..starts.len() {
        starts[slot] += starts[slot - 1];
    }
    (starts, all.into_iter().map(|(_, others)| others).collect())
}
