//! Open, high, low, close, volume and value of trades, in one pass over integers, exact.

use super::tail;
use crate::arch::{Backend, Kernel, LANES, Lanes};

/// What trades of one symbol come to. Prices are in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Price of the first trade.
    pub open: u32,
    /// The highest price.
    pub high: u32,
    /// The lowest price.
    pub low: u32,
    /// Price of the last trade.
    pub close: u32,
    /// Units traded.
    pub volume: u64,
    /// Ticks times units.
    pub value: u128,
    /// Trades.
    pub count: u64,
}

impl Bar {
    /// The bar of one trade.
    #[must_use]
    pub fn of(price: u32, units: u32) -> Self {
        Self {
            open: price,
            high: price,
            low: price,
            close: price,
            volume: units.into(),
            value: u128::from(price) * u128::from(units),
            count: 1,
        }
    }

    /// Adds what came after.
    pub fn add(&mut self, later: &Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume += later.volume;
        self.value += later.value;
        self.count += later.count;
    }

    /// The volume-weighted average price in ticks, rounded once, to the nearest `f64`, ties to
    /// even; the last price if there is no volume.
    #[must_use]
    pub fn vwap(&self) -> f64 {
        if self.volume == 0 {
            return self.close.into();
        }
        ratio(self.value, self.volume)
    }
}

/// Bits of a fraction beyond which nothing is rounded but the last one.
const RATIO_BITS: u32 = 60;

/// A ratio below 2^32, rounded once.
fn ratio(value: u128, by: u64) -> f64 {
    let by = u128::from(by);
    let whole = value / by;
    // So many bits of the ratio that an `f64` has fewer, and a last one for all others.
    let shift = RATIO_BITS - (128 - whole.leading_zeros()).min(RATIO_BITS - 1);
    let rest = value % by;
    let fraction = (rest << shift) / by;
    let is_more = !(rest << shift).is_multiple_of(by);
    let bits = (whole << shift | fraction) << 1 | u128::from(is_more);
    bits as f64 * 0.5f64.powi(shift as i32 + 1)
}

impl Backend {
    /// The bar of as many trades as the shorter series has; `None` of none. Exact, whatever the
    /// prices and units.
    #[must_use]
    pub fn bar(self, prices: &[u32], units: &[u32]) -> Option<Bar> {
        let length = prices.len().min(units.len());
        let (prices, units) = (&prices[..length], &units[..length]);
        let (&open, &close) = (prices.first()?, prices.last()?);
        let found = self.run(Search(prices, units));
        // The sums of values wrap at 2^64. No sum is greater than this, so mostly none did.
        let is_small = u128::from(found.high) * u128::from(found.volume) <= u64::MAX.into();
        let value = if is_small {
            found.value.into()
        } else {
            value(prices, units)
        };
        Some(Bar {
            open,
            high: found.high,
            low: found.low,
            close,
            volume: found.volume,
            value,
            count: length as u64,
        })
    }
}

/// The sum of prices times units, however great.
#[cold]
fn value(prices: &[u32], units: &[u32]) -> u128 {
    let pairs = prices.iter().zip(units);
    let products = pairs.map(|(price, units)| u64::from(*price) * u64::from(*units));
    products.map(u128::from).sum()
}

struct Search<'a>(&'a [u32], &'a [u32]);

struct Found {
    low: u32,
    high: u32,
    volume: u64,
    /// Modulo 2^64.
    value: u64,
}

impl Kernel for Search<'_> {
    type Output = Found;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Found {
        let (whole_p, rest_p) = self.0.as_chunks::<LANES>();
        let (whole_u, rest_u) = self.1.as_chunks::<LANES>();
        let first = self.0.first().copied().unwrap_or(0);
        let (rest_p, rest_u) = ([tail(rest_p, first)], [tail(rest_u, 0)]);
        let mut low = lanes.splat_u32(first);
        let (mut high, mut sums) = (low, [lanes.zero_sums(); 2]);
        for (prices, units) in whole_p
            .iter()
            .zip(whole_u)
            .chain(rest_p.iter().zip(&rest_u))
        {
            let (prices, units) = (lanes.load_u32(prices), lanes.load_u32(units));
            low = lanes.min_u32(low, prices);
            high = lanes.max_u32(high, prices);
            sums = lanes.add_products(sums, prices, units);
        }
        let [mut lows, mut highs] = [[0; LANES]; 2];
        lanes.store_u32(low, &mut lows);
        lanes.store_u32(high, &mut highs);
        let [volume, value] = sums.map(|sums| lanes.total(sums));
        Found {
            low: lows.into_iter().fold(first, u32::min),
            high: highs.into_iter().fold(first, u32::max),
            volume,
            value,
        }
    }
}
