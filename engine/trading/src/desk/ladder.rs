//! The book of a market as the desk and the simulated exchange keep it.

use analytics::book::{Standing, Touch};
use wire::ring::Side;

use crate::{Depth, What};

/// Levels a side has room for; a market with more loses those that are furthest from its touch.
const LEVELS_MAX: usize = 8 << 10;

/// What stands on a market, by price. Where a market tells no levels, its quotes are taken for
/// them: a book of one level a side.
#[derive(Clone, Debug)]
pub struct Ladder {
    depth: Depth,
    is_quoted: bool,
}

impl Default for Ladder {
    fn default() -> Self {
        Self::new()
    }
}

impl Ladder {
    /// An empty book with all its memory.
    #[must_use]
    pub fn new() -> Self {
        Self {
            depth: Depth::new(LEVELS_MAX),
            is_quoted: false,
        }
    }

    /// Applies what a market says.
    pub fn apply(&mut self, what: &What) {
        match *what {
            What::Level { .. } if self.is_quoted => {
                self.clear();
                self.depth.apply(what);
            }
            What::Quote { bid, offer } if self.is_quoted || self.is_empty() => {
                self.clear();
                self.is_quoted = true;
                self.quote(Side::Buy, bid);
                self.quote(Side::Sell, offer);
            }
            What::Clear => self.clear(),
            _ => {
                self.depth.apply(what);
            }
        }
    }

    /// The levels.
    #[must_use]
    pub const fn depth(&self) -> &Depth {
        &self.depth
    }

    /// Best bid and best offer, if there are both, and the bid is below the offer.
    #[must_use]
    pub fn touch(&self) -> Option<Touch> {
        let touch = self.depth.touch();
        touch.spread().is_some_and(|it| it > 0).then_some(touch)
    }

    fn is_empty(&self) -> bool {
        let touch = self.depth.touch();
        touch.bid.quantity == 0 && touch.offer.quantity == 0
    }

    fn clear(&mut self) {
        self.depth.apply(&What::Clear);
        self.is_quoted = false;
    }

    fn quote(&mut self, side: Side, Standing { price, quantity }: Standing) {
        self.depth.apply(&What::Level {
            side,
            price,
            quantity,
        });
    }
}
