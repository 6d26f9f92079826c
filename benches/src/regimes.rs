//! Order flow of one book under five price regimes, made from a seed.
//!
//! 50 % of the messages are new orders, 15 % of these immediate-or-cancel; 41 % are cancels and
//! 9 % modifies. Order ids are a random permutation of a dense range. About 40,000 orders stand on
//! 1,400 prices when the clock starts: passive orders lie 1 to 700 ticks from a middle price, and
//! the regime says where the middle is. Immediate-or-cancel orders reach up to 5 ticks beyond it.
//! Prices stay within 27,000 to 65,000 ticks, sizes are 1 to 500.
//!
//! Cancels and modifies pick any order that was entered and not cancelled yet, without knowing
//! whether it traded meanwhile: about one in seven comes too late, as in life. A modify always
//! changes the price, because engines differ about priority when only the size changes.
//!
//! When the middle runs faster than anyone can cancel, orders are left behind and traded through.

use wirecross_capi::{KIND_CANCEL, KIND_MODIFY, KIND_NEW, Message};

/// Least and greatest price.
pub const PRICES: (i64, i64) = (27_000, 65_000);
/// Ticks from the middle to the farthest passive order.
const DISTANCE_MAX: u64 = 700;
/// Orders that stand when the clock starts.
pub const STANDING: usize = 40_000;
const MIDDLE: i64 = 46_000;
/// A crash falls from the top of the window to its bottom.
const TOP: i64 = PRICES.1 - DISTANCE_MAX as i64;
const BOTTOM: i64 = PRICES.0 + DISTANCE_MAX as i64;
const QUANTITY_MAX: u64 = 500;

/// Where the middle price goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// Nowhere.
    Static,
    /// So many percent from its lowest to its highest, up and down four times.
    Swing(u8),
    /// From the top of the window to its bottom, 57 % and so the most a fall of 60 % can show
    /// there, within 2 % of the messages, then slowly most of the way back.
    FlashCrash,
}

/// The five regimes and their names.
pub const REGIMES: [(&str, Regime); 5] = [
    ("static", Regime::Static),
    ("2 % swing", Regime::Swing(2)),
    ("25 % swing", Regime::Swing(25)),
    ("40 % swing", Regime::Swing(40)),
    ("60 % flash crash", Regime::FlashCrash),
];

impl Regime {
    /// The middle price after `at` of `total` messages.
    fn middle(self, at: usize, total: usize) -> i64 {
        // In millionths, so that it is the same everywhere.
        let at = (at as i64 * 1_000_000) / total.max(1) as i64;
        match self {
            Self::Static => MIDDLE,
            Self::Swing(percent) => {
                let half = MIDDLE * i64::from(percent) / 200;
                // From 0 to 250,000 and on: up, down twice as far, and up again.
                let phase = at % 250_000;
                let offset = match phase {
                    0..62_500 => phase,
                    62_500..187_500 => 125_000 - phase,
                    _ => phase - 250_000,
                };
                MIDDLE + half * offset / 62_500
            }
            Self::FlashCrash => match at {
                0..450_000 => TOP,
                450_000..470_000 => TOP - (TOP - BOTTOM) * (at - 450_000) / 20_000,
                470_000..800_000 => BOTTOM + (TOP - BOTTOM) * 3 / 4 * (at - 470_000) / 330_000,
                _ => BOTTOM + (TOP - BOTTOM) * 3 / 4,
            },
        }
    }
}

/// Messages of a regime.
pub struct Stream {
    /// Order ids are below this.
    pub ids: u32,
    /// The orders that stand when the clock starts.
    pub before: Vec<Message>,
    /// What is timed.
    pub timed: Vec<Message>,
}

/// An order that was entered and not cancelled, as far as its owner knows.
#[derive(Clone, Copy)]
struct Known {
    id: u64,
    side: u8,
    price: i64,
}

/// The state while a stream is made.
struct Maker {
    random: Random,
    ids: Vec<u32>,
    known: Vec<Known>,
}

impl Stream {
    /// A stream with so many orders standing and so many new orders, always the same one.
    #[must_use]
    pub fn new(regime: Regime, standing: usize, news: usize) -> Self {
        let mut random = Random(0x7769_7265);
        let count = standing + news;
        let mut ids: Vec<u32> = (0..count as u32).collect();
        for last in (1..count).rev() {
            ids.swap(last, random.below(last as u64 + 1) as usize);
        }
        let mut maker = Maker {
            random,
            ids,
            known: Vec::with_capacity(count),
        };
        let total = 2 * news;
        let middle = regime.middle(0, total);
        let before = (0..standing).map(|_| maker.passive(middle)).collect();
        let mut timed = Vec::with_capacity(total);
        while !maker.ids.is_empty() {
            let middle = regime.middle(timed.len(), total);
            timed.push(maker.message(middle));
        }
        Self {
            ids: count as u32,
            before,
            timed,
        }
    }
}

impl Maker {
    fn message(&mut self, middle: i64) -> Message {
        let kind = self.random.below(100);
        if kind < 50 || self.known.is_empty() {
            return if self.random.below(100) < 15 {
                self.aggressive(middle)
            } else {
                self.passive(middle)
            };
        }
        let place = self.random.below(self.known.len() as u64) as usize;
        if kind < 91 {
            let order = self.known.swap_remove(place);
            return message(KIND_CANCEL, order.id);
        }
        let order = self.known[place];
        let mut price = self.price(order.side, middle);
        if price == order.price {
            price += if price == PRICES.1 { -1 } else { 1 };
        }
        self.known[place].price = price;
        Message {
            price,
            quantity: self.quantity(),
            ..message(KIND_MODIFY, order.id)
        }
    }

    fn passive(&mut self, middle: i64) -> Message {
        let side = self.random.below(2) as u8;
        let price = self.price(side, middle);
        let id = u64::from(self.ids.pop().unwrap_or_default());
        self.known.push(Known { id, side, price });
        Message {
            price,
            side,
            quantity: self.quantity(),
            ..message(KIND_NEW, id)
        }
    }

    fn aggressive(&mut self, middle: i64) -> Message {
        let side = self.random.below(2) as u8;
        let reach = 1 + self.random.below(5) as i64;
        let price = if side == 0 {
            middle + reach
        } else {
            middle - reach
        };
        let id = u64::from(self.ids.pop().unwrap_or_default());
        Message {
            price: price.clamp(PRICES.0, PRICES.1),
            side,
            ioc: 1,
            quantity: self.quantity(),
            ..message(KIND_NEW, id)
        }
    }

    fn price(&mut self, side: u8, middle: i64) -> i64 {
        let distance = 1 + self.random.below(DISTANCE_MAX) as i64;
        let price = if side == 0 {
            middle - distance
        } else {
            middle + distance
        };
        price.clamp(PRICES.0, PRICES.1)
    }

    fn quantity(&mut self) -> u32 {
        1 + self.random.below(QUANTITY_MAX) as u32
    }
}

fn message(kind: u8, id: u64) -> Message {
    Message {
        id,
        price: 0,
        quantity: 0,
        kind,
        side: 0,
        ioc: 0,
        zero: 0,
    }
}

/// splitmix64 (Steele, Lea, Flood).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = mixed ^ (mixed >> 31);
        ((u128::from(mixed) * u128::from(bound)) >> 64) as u64
    }
}
