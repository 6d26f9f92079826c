//! Who started a trade, where the venue does not say it (Lee, Ready, "Inferring trade direction
//! from intraday data", 1991).

use super::Touch;

/// The side that started a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A buyer.
    Buy,
    /// A seller.
    Sell,
}

/// The rule of Lee and Ready: above the middle a buyer started it, below a seller; at the middle,
/// or without one, the tick test says: the side towards which the price moved last.
///
/// The touch must be the one that stood before the trade, and that is not the one that came last:
/// quotes often overtake the trade that moved them, and half of all signs are then wrong.
/// [`Touches`] finds it by time. The five seconds that the paper lets quotes lag are of its day.
#[derive(Clone, Copy, Debug, Default)]
pub struct TradeSign {
    price: Option<i64>,
    moved: Option<Sign>,
}

impl TradeSign {
    /// No trade yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            price: None,
            moved: None,
        }
    }

    /// Takes a trade; `None` where neither the middle nor a price before tells.
    #[inline]
    pub fn on(&mut self, price: i64, before: Touch) -> Option<Sign> {
        let last = self.price.replace(price).unwrap_or(price);
        self.moved = sign(price.cmp(&last)).or(self.moved);
        let middle = before.middle_halves();
        let by_middle = middle.and_then(|middle| sign((2 * i128::from(price)).cmp(&middle)));
        by_middle.or(self.moved)
    }
}

/// The newest touches with their times, to look back at what stood before something.
#[derive(Clone, Debug)]
pub struct Touches {
    all: Vec<(u64, Touch)>,
    /// How many came.
    count: u64,
}

impl Touches {
    /// Room for so many touches, and at least one; all memory is taken here.
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self {
            all: vec![(0, Touch::default()); length.max(1)],
            count: 0,
        }
    }

    /// Takes the touch as it is from now on. Times do not fall; one that does counts as the newest.
    #[inline]
    pub fn on(&mut self, now_ns: u64, touch: Touch) {
        let newest_ns = self.back(1).map_or(0, |newest| newest.0);
        let at = self.count % self.all.len() as u64;
        self.all[at as usize] = (now_ns.max(newest_ns), touch);
        self.count += 1;
    }

    /// The touch that stood just before a time; the oldest one that is remembered, where all are
    /// younger, and nothing before any. The work is a step for each touch that is younger.
    #[must_use]
    pub fn before(&self, time_ns: u64) -> Touch {
        let newest_first = (1..).map_while(|age| self.back(age));
        let mut oldest = Touch::default();
        for &(at_ns, touch) in newest_first {
            oldest = touch;
            if at_ns < time_ns {
                break;
            }
        }
        oldest
    }

    /// The newest for 1, the one before for 2, as far as they are remembered.
    fn back(&self, age: u64) -> Option<&(u64, Touch)> {
        let length = self.all.len() as u64;
        let is_there = age <= length;
        let number = self.count.checked_sub(age).filter(|_| is_there)?;
        self.all.get((number % length) as usize)
    }
}

fn sign(order: core::cmp::Ordering) -> Option<Sign> {
    match order {
        core::cmp::Ordering::Less => Some(Sign::Sell),
        core::cmp::Ordering::Equal => None,
        core::cmp::Ordering::Greater => Some(Sign::Buy),
    }
}
