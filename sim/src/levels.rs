//! Messages of the depth: those that the model's books call for, and those that came.

use std::collections::BTreeMap;

use flow::{Naive, Resting};
use wire::depth::Message;
use wire::ring::{Event, EventKind, Input, PRICE_MARKET, Side};

use crate::market::{DAY_NS, four};

/// A message as a receiver can tell it from others; fields that it does not have are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stands {
    letter: u8,
    symbol: u16,
    timestamp: u64,
    side: u8,
    price: u32,
    units: u64,
    orders: u32,
    /// Best price to sell at, and units there.
    offer: (u32, u64),
}

/// Shown units and orders by price, of buys and of sells.
type Book = [BTreeMap<i64, (u64, u32)>; 2];

/// Tells what the depth must say, from the model's books before and after each input.
#[derive(Default)]
pub struct LevelTeller {
    books: BTreeMap<u16, Book>,
    told: Vec<Stands>,
    /// Where in `told` the messages of each input end: their order is the venue's choice.
    ends: Vec<usize>,
    /// Inputs whose messages were compared.
    checked: usize,
}

impl LevelTeller {
    /// Adds what an input calls for, which the model has applied.
    pub fn tell(&mut self, naive: &Naive, events: &[Event], input: &Input) {
        let timestamp = input.time_ns % DAY_NS;
        let from = self.told.len();
        let mut symbols: Vec<u16> = events.iter().map(|event| event.symbol).collect();
        symbols.sort_unstable();
        symbols.dedup();
        for symbol in symbols.into_iter().filter(|symbol| *symbol > 0) {
            let about = Stands {
                symbol,
                timestamp,
                ..Stands::default()
            };
            let is_defined = |event: &Event| {
                event.kind == EventKind::SymbolDefined as u8 && event.symbol == symbol
            };
            if events.iter().any(is_defined) {
                self.told.push(Stands {
                    letter: b'R',
                    ..about
                });
            }
            let now = [Side::Buy, Side::Sell].map(|side| levels(naive, symbol, side));
            let before = self.books.entry(symbol).or_default();
            changes(before, &now, about, &mut self.told);
            *before = now;
        }
        if self.told.len() > from {
            self.told[from..].sort_unstable();
            self.ends.push(self.told.len());
        }
    }

    /// Whether a receiver heard what it must, from the first message on; with `is_all` to the last.
    ///
    /// # Errors
    /// The first input of which something else was heard.
    pub fn check(&mut self, heard: &[Stands], is_all: bool) -> Result<(), String> {
        while let Some(end) = self.ends.get(self.checked) {
            let from = self.checked.checked_sub(1).map_or(0, |at| self.ends[at]);
            let due = &self.told[from..*end];
            let Some(found) = heard.get(from..heard.len().min(*end)) else {
                break;
            };
            let mut sorted = found.to_vec();
            sorted.sort_unstable();
            if !sorted.iter().all(|one| due.binary_search(one).is_ok()) {
                return Err(format!("the depth said {sorted:?} where {due:?} is due"));
            }
            if sorted.len() < due.len() {
                break;
            }
            if sorted != due {
                return Err(format!("the depth said {sorted:?} where {due:?} is due"));
            }
            self.checked += 1;
        }
        let (heard, due) = (heard.len(), self.told.len());
        if heard > due || (is_all && heard != due) {
            return Err(format!(
                "the depth said {heard} messages where {due} are due"
            ));
        }
        Ok(())
    }
}

/// What a side of a book shows.
fn levels(naive: &Naive, symbol: u16, side: Side) -> BTreeMap<i64, (u64, u32)> {
    let mut levels = BTreeMap::new();
    let is_shown = |order: &&Resting| order.shown() > 0;
    for order in naive.orders(symbol, side).filter(is_shown) {
        let is_market_sell = side == Side::Sell && order.price == PRICE_MARKET;
        let price = if is_market_sell { 0 } else { order.price };
        let level: &mut (u64, u32) = levels.entry(price).or_default();
        level.0 += u64::from(order.shown());
        level.1 += 1;
    }
    levels
}

/// What is to be told of a book that was another one before.
fn changes(before: &Book, now: &Book, about: Stands, told: &mut Vec<Stands>) {
    let from = told.len();
    for (letter, (before, now)) in [b'B', b'S'].into_iter().zip(before.iter().zip(now)) {
        let gone = before.keys().filter(|price| !now.contains_key(price));
        let changed = now
            .iter()
            .filter(|(price, at)| before.get(price) != Some(at));
        let changed = changed.map(|(price, (units, orders))| (*price, *units, *orders));
        for (price, units, orders) in changed.chain(gone.map(|price| (*price, 0, 0))) {
            told.push(Stands {
                letter: b'L',
                side: letter,
                price: four(price),
                units,
                orders,
                ..about
            });
        }
    }
    if told.len() > from && best(before) != best(now) {
        let [(price, units), offer] = best(now);
        told.push(Stands {
            letter: b'T',
            price,
            units,
            offer,
            ..about
        });
    }
}

/// Best prices and units there; zeros of a side without orders.
fn best([buys, sells]: &Book) -> [(u32, u64); 2] {
    [buys.last_key_value(), sells.first_key_value()]
        .map(|best| best.map_or((0, 0), |(price, (units, _))| (four(*price), *units)))
}

/// Reads what a receiver heard.
pub fn stands_of(message: &Message<'_>) -> Stands {
    match message {
        Message::Directory(m) => Stands {
            letter: b'R',
            symbol: m.stock_locate(),
            timestamp: m.timestamp(),
            ..Stands::default()
        },
        Message::Level(m) => Stands {
            letter: b'L',
            symbol: m.stock_locate(),
            timestamp: m.timestamp(),
            side: m.side(),
            price: m.price(),
            units: m.units(),
            orders: m.orders(),
            ..Stands::default()
        },
        Message::Top(m) => Stands {
            letter: b'T',
            symbol: m.stock_locate(),
            timestamp: m.timestamp(),
            price: m.bid_price(),
            units: m.bid_units(),
            offer: (m.offer_price(), m.offer_units()),
            ..Stands::default()
        },
    }
}
