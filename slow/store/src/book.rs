//! What the feed of orders shows: every shown order, and the best price of each side.

use crate::Error;
use crate::place::{first_of, id};
use crate::rows::{letter, utf8};
use crate::tables::{How, SHOWN, TOPS, TURNS, Tables, Writer, each};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use wire::itch::Message;

/// Where a message stands.
#[derive(Clone, Copy, Debug)]
pub struct At {
    pub message: u64,
    pub time_ns: u64,
}

/// What the feed said of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Of these units, at this price, under this match number.
    Trade {
        match_number: u64,
        units: u32,
        price: i64,
    },
    /// It was taken back.
    Broken { match_number: u64 },
    /// An auction's trades in all.
    Cross {
        symbol: [u8; 8],
        units: u64,
        price: i64,
        time_ns: u64,
    },
}

/// An order that the book shows.
#[derive(Clone, Copy, Debug)]
struct Shown {
    symbol: [u8; 8],
    is_sell: bool,
    price: i64,
    units: u32,
    /// The table has it.
    is_stored: bool,
}

/// Units at each price, of both sides.
type Levels = [BTreeMap<i64, u64>; 2];

/// A price and the units there.
type Level = (i64, i64);

/// The shown orders of a day.
#[derive(Debug, Default)]
pub struct Book {
    orders: HashMap<u64, Shown>,
    levels: HashMap<[u8; 8], Levels>,
    /// Orders whose rows are not what they are.
    touched: Vec<u64>,
    /// Orders that left and have a row.
    gone: Vec<u64>,
    /// Symbols whose best prices may be others now, and since when.
    moved: BTreeMap<[u8; 8], u64>,
    turns: Vec<(u64, u64, Option<[u8; 8]>, u8)>,
}

impl Book {
    /// Reads the shown orders of a day.
    ///
    /// # Errors
    /// The database fails.
    pub fn load(tables: &dyn Tables, day: i64) -> Result<Self, Error> {
        let text = "SELECT id, symbol, side, price, units FROM shown WHERE id >= $1 AND id < $2";
        let range = [first_of(day), first_of(day + 1)].map(Into::into);
        let mut book = Self::default();
        each(tables, text, &range, &mut |row| {
            let shown = Shown {
                symbol: wire::padded(row[1].text()?),
                is_sell: row[2].text()? == "S",
                price: row[3].integer()?,
                units: row[4].integer()?,
                is_stored: true,
            };
            let order_ref = row[0].integer::<i64>()? - first_of(day);
            *book.level(&shown) += u64::from(shown.units);
            book.orders.insert(order_ref as u64, shown);
            Ok(())
        })?;
        Ok(book)
    }

    /// Takes a message; gives what it says of a trade.
    ///
    /// # Errors
    /// It is none, or is about an order that is not shown.
    pub fn take(&mut self, at: &At, message: &[u8]) -> Result<Option<Told>, Error> {
        let message = Message::parse(message).map_err(|error| unfit(at, &error.to_string()))?;
        match message {
            Message::AddOrder(it) => {
                let shown = Shown {
                    symbol: it.stock(),
                    is_sell: it.side() == b'S',
                    price: it.price().into(),
                    units: it.shares(),
                    is_stored: false,
                };
                self.add(at, it.order_ref(), shown)?;
            }
            Message::OrderReplace(it) => {
                let old = self.take_off(at, it.old_order_ref(), u32::MAX)?;
                let shown = Shown {
                    price: it.price().into(),
                    units: it.shares(),
                    is_stored: false,
                    ..old
                };
                self.add(at, it.new_order_ref(), shown)?;
            }
            Message::OrderCancel(it) => {
                self.take_off(at, it.order_ref(), it.shares())?;
            }
            Message::OrderDelete(it) => {
                self.take_off(at, it.order_ref(), u32::MAX)?;
            }
            Message::OrderExecuted(it) => {
                let order = self.take_off(at, it.order_ref(), it.shares())?;
                return Ok(Some(Told::Trade {
                    match_number: it.match_number(),
                    units: it.shares(),
                    price: order.price,
                }));
            }
            Message::OrderExecutedPrice(it) => {
                self.take_off(at, it.order_ref(), it.shares())?;
                return Ok(Some(Told::Trade {
                    match_number: it.match_number(),
                    units: it.shares(),
                    price: it.price().into(),
                }));
            }
            other => return Ok(self.take_other(at, &other)),
        }
        Ok(None)
    }

    /// Takes a message as [`Book::take`] does. A shard's tables have some symbols only: what is
    /// about an order of another one is passed by, and known by the order not being shown here.
    ///
    /// # Errors
    /// As [`Book::take`].
    pub fn take_kept(&mut self, tables: &dyn Tables, at: &At, message: &[u8]) -> Result<(), Error> {
        let order = match Message::parse(message) {
            Ok(_) if !tables.is_shard() => None,
            Ok(Message::AddOrder(it)) if !tables.keeps(&utf8(&it.stock())) => return Ok(()),
            Ok(Message::OrderReplace(it)) => Some(it.old_order_ref()),
            Ok(Message::OrderCancel(it)) => Some(it.order_ref()),
            Ok(Message::OrderDelete(it)) => Some(it.order_ref()),
            Ok(Message::OrderExecuted(it)) => Some(it.order_ref()),
            Ok(Message::OrderExecutedPrice(it)) => Some(it.order_ref()),
            _ => None,
        };
        if order.is_some_and(|order| !self.orders.contains_key(&order)) {
            return Ok(());
        }
        self.take(at, message).map(|_| ())
    }

    /// Takes a message that is about no shown order.
    fn take_other(&mut self, at: &At, message: &Message<'_>) -> Option<Told> {
        match message {
            Message::Trade(it) => Some(Told::Trade {
                match_number: it.match_number(),
                units: it.shares(),
                price: it.price().into(),
            }),
            Message::BrokenTrade(it) => Some(Told::Broken {
                match_number: it.match_number(),
            }),
            Message::CrossTrade(it) => Some(Told::Cross {
                symbol: it.stock(),
                units: it.shares(),
                price: it.price().into(),
                time_ns: at.time_ns,
            }),
            Message::SystemEvent(it) => {
                self.turns.push((at.message, at.time_ns, None, it.event()));
                None
            }
            Message::TradingAction(it) => {
                let turn = (at.message, at.time_ns, Some(it.stock()), it.state());
                self.turns.push(turn);
                None
            }
            _ => None,
        }
    }

    /// Writes what is only in memory.
    ///
    /// # Errors
    /// The database fails.
    pub fn write(&mut self, writer: &mut dyn Writer, day: i64) -> Result<(), Error> {
        self.write_orders(writer, day)?;
        for (symbol, time_ns) in std::mem::take(&mut self.moved) {
            let (bid, ask) = self.top(&symbol);
            let (bid, ask) = (bid.unzip(), ask.unzip());
            let name = utf8(&symbol);
            let row = [
                (&*name).into(),
                time_ns.into(),
                bid.0.into(),
                bid.1.into(),
                ask.0.into(),
                ask.1.into(),
            ];
            writer.write(&TOPS, How::Put, &row)?;
        }
        for (message, time_ns, symbol, state) in self.turns.drain(..) {
            let symbol = symbol.as_ref().map(|symbol| utf8(symbol));
            let state = letter(state);
            let row = [
                id(day, message)?.into(),
                time_ns.into(),
                symbol.as_deref().into(),
                state.as_str().into(),
            ];
            writer.write(&TURNS, How::Add, &row)?;
        }
        Ok(())
    }

    fn write_orders(&mut self, writer: &mut dyn Writer, day: i64) -> Result<(), Error> {
        for order_ref in self.gone.drain(..) {
            writer.write(&SHOWN, How::Remove, &[id(day, order_ref)?.into()])?;
        }
        let touched: BTreeSet<u64> = self.touched.drain(..).collect();
        for order_ref in touched {
            let Some(shown) = self.orders.get_mut(&order_ref) else {
                continue;
            };
            shown.is_stored = true;
            let symbol = utf8(&shown.symbol);
            let row = [
                id(day, order_ref)?.into(),
                (&*symbol).into(),
                if shown.is_sell { "S" } else { "B" }.into(),
                shown.price.into(),
                shown.units.into(),
            ];
            writer.write(&SHOWN, How::Put, &row)?;
        }
        Ok(())
    }

    fn level(&mut self, shown: &Shown) -> &mut u64 {
        let levels = self.levels.entry(shown.symbol).or_default();
        levels[usize::from(shown.is_sell)]
            .entry(shown.price)
            .or_default()
    }

    /// The best price of each side and the units there.
    fn top(&self, symbol: &[u8; 8]) -> (Option<Level>, Option<Level>) {
        let Some([bids, asks]) = self.levels.get(symbol) else {
            return (None, None);
        };
        let level = |(price, units): (&i64, &u64)| (*price, *units as i64);
        let bid = bids.last_key_value().map(level);
        (bid, asks.first_key_value().map(level))
    }

    fn add(&mut self, at: &At, order_ref: u64, shown: Shown) -> Result<(), Error> {
        *self.level(&shown) += u64::from(shown.units);
        if self.orders.insert(order_ref, shown).is_some() {
            return Err(unfit(at, &format!("order {order_ref} is shown already")));
        }
        self.touched.push(order_ref);
        self.moved.insert(shown.symbol, at.time_ns);
        Ok(())
    }

    /// Takes so many units off an order, or all that it has; gives it as it was.
    fn take_off(&mut self, at: &At, order_ref: u64, units: u32) -> Result<Shown, Error> {
        let unknown = || unfit(at, &format!("order {order_ref} is not shown"));
        let shown = self.orders.get_mut(&order_ref).ok_or_else(unknown)?;
        let before = *shown;
        let units = units.min(before.units);
        shown.units -= units;
        if shown.units == 0 {
            self.orders.remove(&order_ref);
            if before.is_stored {
                self.gone.push(order_ref);
            }
        } else {
            self.touched.push(order_ref);
        }
        let level = self.level(&before);
        *level = level.saturating_sub(units.into());
        if *level == 0
            && let Some(levels) = self.levels.get_mut(&before.symbol)
        {
            levels[usize::from(before.is_sell)].remove(&before.price);
        }
        self.moved.insert(before.symbol, at.time_ns);
        Ok(before)
    }
}

/// Removes what was shown on days before this one.
///
/// # Errors
/// The database fails.
pub fn forget_before(tables: &dyn Tables, day: i64) -> Result<(), Error> {
    let before = [first_of(day).into()];
    tables.run("DELETE FROM shown WHERE id < $1", &before)?;
    tables.run("DELETE FROM tops", &[])?;
    Ok(())
}

fn unfit(at: &At, what: &str) -> Error {
    Error::Venue(format!(
        "stream of the feed: message {}: {what}; look at it with `wirecross journal verify`, then \
         rebuild",
        at.message
    ))
}
