//! What the generated flow looks like: its parameters and the published figures behind it.
//!
//! The figures are those of one day of AAPL on Nasdaq (ITCH 5.0): kinds of messages, sizes,
//! distance from the middle and price changes of replacements. They are tables of quantiles,
//! interpolated in integers, so that every machine draws the same.

use std::fmt;

use crate::random::Random;

/// The most symbols a generator makes.
pub const SYMBOLS_MAX: u16 = 8_192;
/// The most sessions a generator makes.
pub const SESSIONS_MAX: u16 = 1_024;
/// The most orders a generator keeps standing.
pub const STANDING_MAX: u32 = 4_000_000;
/// Price units of a tick: 0.01 in 1/10,000.
pub const TICK: i64 = 100;

/// What flow to make; the same shape makes the same flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Seed of the random numbers.
    pub seed: u64,
    /// Symbols, numbered from 1; the k-th is chosen with a weight of 1/k.
    pub symbols: u16,
    /// Sessions, numbered from 1, all equally busy.
    pub sessions: u16,
    /// Orders that stand on all books together once the generator has filled them.
    pub standing: u32,
    /// Mean time between two commands; they come in bursts.
    pub gap_mean_ns: u64,
    /// Shares of the kinds of commands, once the books are filled.
    pub mix: Mix,
}

/// Shares of the kinds of commands, in 65,536ths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// New orders, aggressors included.
    pub new: u32,
    /// Cancels.
    pub cancel: u32,
    /// Replacements.
    pub replace: u32,
    /// Reductions.
    pub reduce: u32,
    /// Aggressors: new orders that are to trade at once.
    pub aggressor: u32,
}

/// What the shares of a [`Mix`] add up to, aggressors aside.
pub const MIX_WHOLE: u32 = 65_536;

impl Mix {
    /// 49 % new orders, 43.5 % cancels, 7 % replacements, 0.5 % reductions. Aggressors are 3.7
    /// points; the rest of the 4 that trade comes from the wandering middle.
    pub const PUBLISHED: Self = Self {
        new: 32_113,
        cancel: 28_508,
        replace: 4_588,
        reduce: 327,
        aggressor: 2_425,
    };

    /// Reads percentages, `NEW/CANCEL/REPLACE/REDUCE/AGGRESSOR`: the first four add up to 100, the
    /// last is a part of the first.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?}: write NEW/CANCEL/REPLACE/REDUCE/AGGRESSOR in percent, such as \
                 49/43.5/7/0.5/3.7; the first four add up to 100, the last is a part of the first"
            )
        };
        let shares: Result<Vec<f64>, _> = text.split('/').map(str::parse).collect();
        let shares = shares.map_err(|_| wrong())?;
        let [new, cancel, replace, reduce, aggressor] = shares[..] else {
            return Err(wrong());
        };
        let is_share = |share: &f64| (0.0..=100.0).contains(share);
        let whole = new + cancel + replace + reduce;
        if !shares.iter().all(is_share) || (whole - 100.0).abs() > 1e-6 || aggressor > new {
            return Err(wrong());
        }
        let part = |share: f64| (share / 100.0 * f64::from(MIX_WHOLE)).round() as u32;
        let (cancel, replace, reduce) = (part(cancel), part(replace), part(reduce));
        // What rounding leaves over belongs to the new orders, the largest share as a rule.
        let new = MIX_WHOLE.saturating_sub(cancel + replace + reduce);
        Ok(Self {
            new,
            cancel,
            replace,
            reduce,
            aggressor: part(aggressor).min(new),
        })
    }
}

const _: () = assert!(
    Mix::PUBLISHED.new + Mix::PUBLISHED.cancel + Mix::PUBLISHED.replace + Mix::PUBLISHED.reduce
        == MIX_WHOLE
);

/// A number of the shape is zero or above its maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The field.
    pub field: &'static str,
    /// Its greatest value; the least is 1.
    pub max: u64,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "the flow's {} must be from 1 to {}",
            self.field, self.max
        )
    }
}

impl std::error::Error for ShapeError {}

impl Default for Shape {
    fn default() -> Self {
        Self {
            seed: 1,
            symbols: 1,
            sessions: 4,
            standing: 5_000,
            gap_mean_ns: 1_000,
            mix: Mix::PUBLISHED,
        }
    }
}

impl Shape {
    pub(crate) fn check(&self) -> Result<(), ShapeError> {
        let fields = [
            ("symbols", u64::from(self.symbols), u64::from(SYMBOLS_MAX)),
            (
                "sessions",
                u64::from(self.sessions),
                u64::from(SESSIONS_MAX),
            ),
            (
                "standing",
                u64::from(self.standing),
                u64::from(STANDING_MAX),
            ),
            ("gap_mean_ns", self.gap_mean_ns, 1_000_000_000),
            ("mix.new", u64::from(self.mix.new), u64::from(MIX_WHOLE)),
        ];
        let mix = self.mix;
        let whole = [mix.new, mix.cancel, mix.replace, mix.reduce]
            .map(u64::from)
            .iter()
            .sum();
        if u64::from(MIX_WHOLE) != whole || mix.aggressor > mix.new {
            return Err(ShapeError {
                field: "mix",
                max: u64::from(MIX_WHOLE),
            });
        }
        match fields
            .iter()
            .find(|(_, value, max)| !(1..=*max).contains(value))
        {
            Some((field, _, max)) => Err(ShapeError { field, max: *max }),
            None => Ok(()),
        }
    }
}

/// A point of a distribution: this share, in millionths, of all values lies below the value.
type Quantile = (u32, u32);

const MILLION: u64 = 1_000_000;

/// Distance of a buy from the middle, in ticks. Beyond the last the buy is at one tick.
pub(crate) const BUY_DISTANCE: &[Quantile] = &[
    (0, 1),
    (500_000, 5),
    (750_000, 11),
    (850_000, 60),
    (900_000, 136),
    (950_000, 1_049),
    (990_000, 10_926),
    (999_000, 26_296),
    (1_000_000, 30_000),
];

/// Distance of a sell from the middle, in ticks, up to offers at 100,000 dollars.
pub(crate) const SELL_DISTANCE: &[Quantile] = &[
    (0, 1),
    (500_000, 4),
    (750_000, 9),
    (900_000, 20),
    (950_000, 59),
    (990_000, 1_087),
    (999_000, 6_093),
    (999_900, 100_000),
    (999_990, 1_000_000),
    (1_000_000, 10_000_000),
];

/// Units of an order.
pub(crate) const SIZE: &[Quantile] = &[
    (0, 1),
    (200_000, 100),
    (930_000, 101),
    (930_000, 150),
    (970_000, 201),
    (990_000, 401),
    (999_000, 1_601),
    (1_000_000, 20_000),
];

/// Units of an aggressor: smaller, so that most of them have one fill.
pub(crate) const SIZE_AGGRESSOR: &[Quantile] = &[
    (0, 1),
    (850_000, 60),
    (950_000, 101),
    (995_000, 201),
    (999_900, 1_601),
    (1_000_000, 20_000),
];

/// By how many ticks a replacement moves its price.
pub(crate) const PRICE_CHANGE: &[Quantile] = &[
    (0, 1),
    (600_000, 2),
    (900_000, 4),
    (990_000, 13),
    (1_000_000, 60),
];

const fn quantiles_are_good(table: &[Quantile]) -> bool {
    let mut index = 1;
    while index < table.len() {
        if table[index].0 < table[index - 1].0 || table[index].1 < table[index - 1].1 {
            return false;
        }
        index += 1;
    }
    table[0].0 == 0 && table[table.len() - 1].0 as u64 == MILLION
}

const _: () = assert!(quantiles_are_good(BUY_DISTANCE) && quantiles_are_good(SELL_DISTANCE));
const _: () = assert!(quantiles_are_good(SIZE_AGGRESSOR));
const _: () = assert!(quantiles_are_good(SIZE) && quantiles_are_good(PRICE_CHANGE));

/// Draws a value from a table of quantiles: at least the first value, below the last.
pub(crate) fn draw(table: &[Quantile], random: &mut Random) -> u32 {
    // Thousandths of a millionth, so that the rarest segment is not one value.
    let at = random.below(MILLION * 1_000);
    for pair in table.windows(2) {
        let [(share, value), (share_next, value_next)] = [pair[0], pair[1]];
        let (from, to) = (u64::from(share) * 1_000, u64::from(share_next) * 1_000);
        if at < to {
            let width = u64::from(value_next - value);
            return value + ((at - from) * width / (to - from)) as u32;
        }
    }
    table[0].1
}
