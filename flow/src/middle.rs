//! The middle price of a symbol: a slow walk around where it began.

use crate::random::Random;
use crate::shape::TICK;

/// How far the middle price of a symbol wanders from where it began.
pub const WANDER_TICKS: i64 = 200;
/// Middle price of the first symbol; each next one is a little cheaper.
const PRICE_FIRST: i64 = 2_900_000;
const PRICE_LEAST: i64 = 100_000;
const _: () = assert!(PRICE_LEAST > WANDER_TICKS * TICK);
/// Commands of the symbol from one move to the next, at the least.
const INTERVAL_LEAST: u32 = 512;

#[derive(Clone, Copy)]
pub(crate) struct Middle {
    price: i64,
    home: i64,
    interval: u32,
    left: u32,
}

impl Middle {
    /// The middle of the symbol at a place, from 1, with so many orders standing: the more of them,
    /// the slower it moves, because each move lets new orders trade with a level of old ones.
    pub(crate) fn new(place: u64, standing: u64) -> Self {
        let price = PRICE_FIRST * 20 / (19 + place as i64) / TICK * TICK;
        let price = price.max(PRICE_LEAST);
        let interval = INTERVAL_LEAST + (standing / 2) as u32;
        Self {
            price,
            home: price,
            interval,
            left: interval,
        }
    }

    /// The price now.
    pub(crate) const fn price(&self) -> i64 {
        self.price
    }

    /// The price for one more command; it moves when its time has come.
    pub(crate) fn price_next(&mut self, random: &mut Random) -> i64 {
        self.left -= 1;
        if self.left == 0 {
            self.left = self.interval;
            // The further from home, the likelier the way back.
            let away = (self.price - self.home) / TICK;
            let up = random.below(2 * WANDER_TICKS as u64) as i64 >= WANDER_TICKS + away;
            self.price += if up { TICK } else { -TICK };
        }
        self.price
    }
}
