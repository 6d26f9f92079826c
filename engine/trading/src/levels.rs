//! Books by their levels, kept by the messages of the depth.

use std::collections::BTreeMap;

use wire::depth::Message;
use wire::ring::Side;

use crate::Level;

/// Best price and units there, zeros for none.
pub type Best = (i64, u64);

/// One side: what stands at each price.
type Ladder = BTreeMap<i64, Level>;

/// The books of a depth, by stock locate.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    sides: BTreeMap<(u16, u8), Ladder>,
    tops: BTreeMap<u16, [Best; 2]>,
    names: BTreeMap<[u8; 8], u16>,
}

impl Levels {
    /// No book yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one message; `false` for one that says nothing new, which a whole stream never has.
    pub fn apply(&mut self, message: &Message<'_>) -> bool {
        match message {
            Message::Directory(m) => self.names.insert(m.stock(), m.stock_locate()).is_none(),
            Message::Level(m) => {
                let side = side_of(m.side());
                let level = Level {
                    price: m.price().into(),
                    quantity: m.units(),
                    orders: m.orders() as usize,
                };
                let ladder = self.sides.entry((m.stock_locate(), side as u8));
                set(ladder.or_default(), level)
            }
            Message::Top(m) => {
                let best = [
                    (m.bid_price().into(), m.bid_units()),
                    (m.offer_price().into(), m.offer_units()),
                ];
                let before = self.tops.insert(m.stock_locate(), best);
                before.unwrap_or_default() != best
            }
        }
    }

    /// The levels of a side, best first.
    pub fn levels(&self, locate: u16, side: Side) -> impl Iterator<Item = Level> {
        let ladder = self.sides.get(&(locate, side as u8));
        let (falling, rising) = match side {
            Side::Buy => (ladder, None),
            Side::Sell => (None, ladder),
        };
        let falling = falling.into_iter().flat_map(|it| it.values().rev());
        let rising = rising.into_iter().flat_map(|it| it.values());
        falling.chain(rising).copied()
    }

    /// Best bid and best offer, as they were told.
    #[must_use]
    pub fn top(&self, locate: u16) -> [Best; 2] {
        self.tops.get(&locate).copied().unwrap_or_default()
    }

    /// The stock locate of a name, which is compared without its padding.
    #[must_use]
    pub fn locate(&self, name: &str) -> Option<u16> {
        let wanted = name.trim_end().as_bytes();
        let mut names = self.names.iter();
        names
            .find(|(name, _)| name.trim_ascii_end() == wanted)
            .map(|(_, &locate)| locate)
    }
}

/// Puts a level into its place, or takes it away; whether that changes anything.
fn set(ladder: &mut Ladder, level: Level) -> bool {
    if level.orders == 0 {
        return ladder.remove(&level.price).is_some();
    }
    ladder.insert(level.price, level) != Some(level)
}

/// A letter that is none is taken for a sell's.
const fn side_of(letter: u8) -> Side {
    match letter {
        b'B' => Side::Buy,
        _ => Side::Sell,
    }
}
