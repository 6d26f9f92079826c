//! One side of a book by its levels.

use wire::ring::Side;

/// Levels for which a side takes memory at the start. A side with more takes more, twice as much
/// each time: what rests is bounded, but not how it is spread over prices.
const LEVELS: usize = 16;

/// What stands at a price, and what was told of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    price: i64,
    now: Units,
    told: Units,
    /// It is in the list of levels to be looked at.
    is_listed: bool,
}

/// Shown units and orders of a level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Units {
    pub(super) units: u64,
    pub(super) orders: u32,
}

/// Levels in the order of their prices, the best last: what comes and goes is near the best, and
/// costs little there.
pub(super) struct Ladder {
    side: Side,
    levels: Vec<Level>,
}

impl Ladder {
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            levels: Vec::with_capacity(LEVELS),
        }
    }

    /// An order comes with these units. Says whether the level is to be listed.
    pub(super) fn add(&mut self, price: i64, units: u32) -> bool {
        let index = match self.find(price) {
            Ok(index) => index,
            Err(index) => {
                let level = Level {
                    price,
                    ..Level::default()
                };
                self.levels.insert(index, level);
                index
            }
        };
        let level = &mut self.levels[index];
        level.now.units += u64::from(units);
        level.now.orders += 1;
        !core::mem::replace(&mut level.is_listed, true)
    }

    /// Units leave, and with `is_last` their order. Says whether the level is to be listed.
    pub(super) fn take(&mut self, price: i64, units: u32, is_last: bool) -> bool {
        let Ok(index) = self.find(price) else {
            return false;
        };
        let level = &mut self.levels[index];
        level.now.units -= u64::from(units);
        level.now.orders -= u32::from(is_last);
        !core::mem::replace(&mut level.is_listed, true)
    }

    /// Looks at a listed level: what is to be told of it, if that is something else than was told
    /// last. An empty level is forgotten.
    pub(super) fn look(&mut self, price: i64) -> Option<Units> {
        let index = self.find(price).ok()?;
        let level = &mut self.levels[index];
        level.is_listed = false;
        let (now, told) = (level.now, core::mem::replace(&mut level.told, level.now));
        if now.orders == 0 {
            self.levels.remove(index);
        }
        (now != told).then_some(now)
    }

    /// Best price and shown units there, when every listed level was looked at; zeros for none.
    pub(super) fn best(&self) -> (i64, u64) {
        let best = self.levels.last();
        best.map_or((0, 0), |level| (level.price, level.now.units))
    }

    fn find(&self, price: i64) -> Result<usize, usize> {
        match self.side {
            Side::Buy => self.levels.binary_search_by_key(&price, |it| it.price),
            Side::Sell => self.levels.binary_search_by_key(&-price, |it| -it.price),
        }
    }
}
