//! One instrument's book by its levels, kept by the events of any feed.

use analytics::book::{Standing, Touch};
use wire::ring::Side;

use crate::market::What;
use crate::ranked::Ranked;

/// The most levels of a side, unless said otherwise. A perpetual's book of the whole day has some
/// thousands.
pub const DEPTH_LEVELS: usize = 16 << 10;

/// What an event did to the levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelChange {
    /// Whose level.
    pub side: Side,
    /// Its price, in ticks.
    pub price: i64,
    /// What stood there, in lots.
    pub before: u64,
    /// What stands there now.
    pub after: u64,
}

/// A book by levels.
///
/// All its memory is taken at the start. Where a side is full, its worst level gives way to a
/// better one, and is counted: from then on the far end of the book is not known.
#[derive(Clone, Debug)]
pub struct Depth {
    sides: [Ranked; 2],
    levels_max: usize,
    forgotten: u64,
    is_settled: bool,
}

impl Default for Depth {
    fn default() -> Self {
        Self::new(DEPTH_LEVELS)
    }
}

impl Depth {
    /// An empty book of at most so many levels a side, and at least one.
    #[must_use]
    pub fn new(levels_max: usize) -> Self {
        let levels_max = levels_max.max(1);
        Self {
            sides: [Side::Buy, Side::Sell].map(|side| Ranked::new(side, levels_max)),
            levels_max,
            forgotten: 0,
            is_settled: false,
        }
    }

    /// Takes what an event says. Quotes and trades change no level, and neither does a level that
    /// says what stands already.
    pub fn apply(&mut self, what: &What) -> Option<LevelChange> {
        match *what {
            What::Level {
                side,
                price,
                quantity,
            } => {
                self.is_settled = false;
                self.set(side, Standing { price, quantity })
            }
            What::Clear => {
                self.sides.iter_mut().for_each(Ranked::clear);
                self.is_settled = false;
                None
            }
            What::End => {
                self.is_settled = true;
                None
            }
            What::Quote { .. } | What::Trade { .. } => None,
        }
    }

    /// Whether all that belongs together was told: before, the book is none that ever was.
    #[inline]
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// The best level of a side.
    #[inline]
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Standing> {
        self.sides[side as usize].best()
    }

    /// Best bid and best offer; nothing where there is none.
    #[inline]
    #[must_use]
    pub fn touch(&self) -> Touch {
        Touch {
            bid: self.best(Side::Buy).unwrap_or_default(),
            offer: self.best(Side::Sell).unwrap_or_default(),
        }
    }

    /// The levels of a side, best first.
    #[inline]
    pub fn levels(&self, side: Side) -> impl ExactSizeIterator<Item = Standing> {
        self.sides[side as usize].iter()
    }

    /// What stands at a price.
    #[must_use]
    pub fn at(&self, side: Side, price: i64) -> u64 {
        self.sides[side as usize].at(price)
    }

    /// Whether the best bid reaches the best offer.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        self.touch().spread().is_some_and(|spread| spread <= 0)
    }

    /// Levels that gave way because their side was full.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn set(&mut self, side: Side, level: Standing) -> Option<LevelChange> {
        let levels = &mut self.sides[side as usize];
        let Standing { price, quantity } = level;
        if quantity > 0 && levels.len() == self.levels_max && levels.at(price) == 0 {
            self.forgotten += 1;
            if levels.is_worst(price) {
                return None;
            }
            levels.forget_worst();
        }
        let before = levels.set(level);
        (before != quantity).then_some(LevelChange {
            side,
            price,
            before,
            after: quantity,
        })
    }
}
