//! What the feed says, kept by symbol: books by orders, and the trades since the last look.

use super::hub::Reach;
use super::{Level, Trade};
use std::collections::BTreeMap;
use subscriber::Market;
use trading::{Applied, Books, Image};
use wire::itch::Message;
use wire::ring::Side;

/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400 * 1_000_000_000;

/// What happened in a symbol since the last look.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) trades: Vec<Trade>,
    pub(super) broken: Vec<u64>,
}

/// The market, and what of it was not looked at yet.
pub(super) struct Board {
    books: Books,
    changed: BTreeMap<u16, Change>,
    reach: Reach,
    now_ns: u64,
}

impl Board {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self {
            books: Books::new(),
            changed: BTreeMap::new(),
            reach: Reach::These,
            now_ns: 0,
        }
    }

    /// The time of what comes now, in nanoseconds since 1970.
    pub(super) const fn tick(&mut self, now_ns: u64) {
        self.now_ns = now_ns;
    }

    /// What happened since the last look, by symbol.
    pub(super) fn look(&mut self) -> (BTreeMap<u16, Change>, Reach) {
        let reach = core::mem::replace(&mut self.reach, Reach::These);
        if reach != Reach::These {
            for (locate, _) in self.books.names() {
                self.changed.entry(locate).or_default();
            }
        }
        (core::mem::take(&mut self.changed), reach)
    }

    /// A symbol's name.
    pub(super) fn name(&self, locate: u16) -> Option<String> {
        let name = self.books.name(locate)?;
        Some(String::from_utf8_lossy(name.trim_ascii_end()).into_owned())
    }

    /// The best levels of a symbol, best first.
    pub(super) fn levels(&self, locate: u16, levels_max: usize) -> [Vec<Level>; 2] {
        [Side::Buy, Side::Sell].map(|side| {
            let book = self.books.book(locate);
            let levels = book.into_iter().flat_map(|book| book.levels(side));
            let levels = levels.take(levels_max).map(|level| Level {
                price: level.price,
                units: level.quantity,
                orders: level.orders as u32,
            });
            levels.collect()
        })
    }

    fn trade_of(&self, message: &Message<'_>, resting: Option<(u16, Side, i64)>) -> Option<Trade> {
        let (id, price, units, aggressor) = match message {
            Message::OrderExecuted(m) => {
                let (_, side, price) = resting?;
                let aggressor = Some(side.opposite());
                (m.match_number(), price, m.shares().into(), aggressor)
            }
            Message::OrderExecutedPrice(m) if m.printable() == b'Y' => {
                let aggressor = resting.map(|(_, side, _)| side.opposite());
                let price = m.price().into();
                (m.match_number(), price, m.shares().into(), aggressor)
            }
            Message::Trade(m) => (m.match_number(), m.price().into(), m.shares().into(), None),
            Message::CrossTrade(m) => (m.match_number(), m.price().into(), m.shares(), None),
            _ => return None,
        };
        // The feed says the time of the day; midnight may have passed on its way.
        let midnight = self.now_ns - self.now_ns % DAY_NS;
        let mut time_ns = midnight + message.header().timestamp;
        if time_ns > self.now_ns + DAY_NS / 2 {
            time_ns -= DAY_NS;
        }
        (units > 0).then_some(Trade {
            id,
            time_ns,
            price,
            units,
            aggressor,
        })
    }
}

impl Market for Board {
    fn begin(&mut self) {
        self.books = Books::new();
        self.changed.clear();
        self.reach = Reach::NewSession;
    }

    fn message(&mut self, bytes: &[u8]) -> bool {
        let Ok(message) = Message::parse(bytes) else {
            return false;
        };
        let named = trading::named(&message);
        let resting = named.and_then(|order_ref| self.books.place_of(order_ref));
        let trade = self.trade_of(&message, resting);
        let applied = self.books.apply(&message);
        let locate = resting.map_or(message.header().stock_locate, |it| it.0);
        let broken = match &message {
            Message::BrokenTrade(m) => Some(m.match_number()),
            _ => None,
        };
        let is_news = applied == Applied::Changed
            || trade.is_some()
            || broken.is_some()
            || matches!(message, Message::StockDirectory(_));
        if is_news {
            let change = self.changed.entry(locate).or_default();
            change.trades.extend(trade);
            change.broken.extend(broken);
        }
        true
    }

    fn snapshot(&mut self, image: Image) {
        self.books = image.books().clone();
        if self.reach == Reach::These {
            self.reach = Reach::All;
        }
    }
}
