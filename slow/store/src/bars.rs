//! Bars of one second, rolled up into minutes and hours, exact in whatever order trades come.
//!
//! A session's replies are read piece by piece, so a trade may come behind a later one of another
//! session. A bar's sums and extremes do not care; its open and close are those of the least and
//! the greatest match number. A trade that is taken back makes its bars anew from what is left.

use crate::Error;
#[cfg(feature = "history")]
use crate::tables::Hear;
use crate::tables::{BARS, Cell, How, Tables, Writer, each, first};
use analytics::kernels::Bar;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Widths of bars in seconds, each a multiple of the one before.
pub const WIDTHS_S: [u64; 3] = [1, 60, 3_600];

const SECOND_NS: u64 = 1_000_000_000;

/// Columns of the table.
const BARS_COLUMNS: usize = 12;

const _: () = assert!(WIDTHS_S[1].is_multiple_of(WIDTHS_S[0]));
const _: () = assert!(WIDTHS_S[2].is_multiple_of(WIDTHS_S[1]));

/// Which bar: symbol, width and start.
type Key = ([u8; 8], u64, u64);

/// A bar and the trades that it opened and closed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    bar: Bar,
    first_id: i64,
    last_id: i64,
}

impl Span {
    /// Both together.
    fn with(self, other: &Self) -> Self {
        let mut bar = self.bar;
        bar.add(&other.bar);
        let is_first = self.first_id <= other.first_id;
        let is_last = self.last_id >= other.last_id;
        bar.open = if is_first { self } else { *other }.bar.open;
        bar.close = if is_last { self } else { *other }.bar.close;
        Self {
            bar,
            first_id: self.first_id.min(other.first_id),
            last_id: self.last_id.max(other.last_id),
        }
    }
}

/// What a transaction does to the bars.
#[derive(Debug, Default)]
pub struct Bars {
    added: BTreeMap<Key, Span>,
    /// Seconds of which a trade was taken back.
    broken: BTreeSet<([u8; 8], u64)>,
}

impl Bars {
    /// Takes a trade.
    ///
    /// # Errors
    /// Its price is none.
    pub fn trade(
        &mut self,
        symbol: [u8; 8],
        (id, time_ns): (i64, u64),
        (price, units): (i64, u32),
    ) -> Result<(), Error> {
        let price = u32::try_from(price);
        let price = price.map_err(|_| Error::Refused(format!("trade {id} has no price")))?;
        let one = Span {
            bar: Bar::of(price, units),
            first_id: id,
            last_id: id,
        };
        for width_s in WIDTHS_S {
            let key = (symbol, width_s, start(time_ns, width_s));
            match self.added.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(one);
                }
                Entry::Occupied(mut place) => {
                    let both = place.get().with(&one);
                    place.insert(both);
                }
            }
        }
        Ok(())
    }

    /// A trade of that moment was taken back.
    pub fn broke(&mut self, symbol: [u8; 8], time_ns: u64) {
        self.broken.insert((symbol, start(time_ns, WIDTHS_S[0])));
    }

    /// Tells all bars of a symbol, by width and start, and forgets them.
    #[cfg(feature = "history")]
    fn tell(&mut self, symbol: &str, on: Hear<'_>) -> Result<(), Error> {
        for (key, span) in std::mem::take(&mut self.added) {
            let [_, rest @ ..] = &row(&key, symbol, &span)?;
            let mut told = [Cell::Null; BARS_COLUMNS];
            told[..rest.len()].copy_from_slice(rest);
            told[rest.len()] = symbol.into();
            on(&told)?;
        }
        Ok(())
    }

    /// Brings it into the table.
    ///
    /// # Errors
    /// The database fails, or a sum is beyond what it can hold.
    pub fn write(&mut self, writer: &mut dyn Writer) -> Result<(), Error> {
        let added = std::mem::take(&mut self.added);
        let rolls_up = writer.tables().rolls_up();
        let widths = if rolls_up { &WIDTHS_S[..1] } else { &WIDTHS_S };
        for (key, span) in added.iter().filter(|(key, _)| widths.contains(&key.1)) {
            if rolls_up {
                put(writer, (key, How::Merge), span)?;
                continue;
            }
            let before = read(writer.tables(), key)?;
            let all = before.map_or(*span, |before| before.with(span));
            put(writer, (key, How::Put), &all)?;
        }
        for (symbol, second) in std::mem::take(&mut self.broken) {
            anew(writer, (symbol, second), widths)?;
        }
        Ok(())
    }
}

/// The bars that the trades of a day make, its ids being from `range` on and below: rows of the
/// table with the symbol behind all other columns, those of a symbol together. Where another day
/// has trades in the same bar, each has its own part of it.
///
/// # Errors
/// The database fails, or `on` does.
#[cfg(feature = "history")]
pub fn of_day(tables: &dyn Tables, range: &[Cell<'_>; 2], on: Hear<'_>) -> Result<(), Error> {
    let text = "SELECT symbol, id, time_ns, price, units FROM fills \
                WHERE id & 1 = 0 AND broken IS NULL AND id >= $1 AND id < $2 ORDER BY symbol, id";
    let (mut bars, mut symbol) = (Bars::default(), String::new());
    each(tables, text, range, &mut |row| {
        let name = row[0].text()?;
        if name != symbol {
            bars.tell(&symbol, on)?;
            name.clone_into(&mut symbol);
        }
        // One symbol at a time needs no name.
        let (id, time_ns) = (row[1].integer()?, row[2].bits()?);
        bars.trade(
            [0; 8],
            (id, time_ns),
            (row[3].integer()?, row[4].integer()?),
        )
    })?;
    bars.tell(&symbol, on)
}

/// The start of the bar that holds a moment.
const fn start(time_ns: u64, width_s: u64) -> u64 {
    time_ns - time_ns % (width_s * SECOND_NS)
}

fn name(symbol: &[u8; 8]) -> std::borrow::Cow<'_, str> {
    crate::rows::utf8(symbol)
}

fn read(tables: &dyn Tables, key: &Key) -> Result<Option<Span>, Error> {
    let text = "SELECT open, high, low, close, units, value, trades, first_id, last_id FROM bars \
                WHERE symbol = $1 AND width_s = $2 AND start_ns = $3";
    let symbol = name(&key.0);
    let which = [(&*symbol).into(), key.1.into(), key.2.into()];
    first(tables, text, &which, span)
}

fn span(row: &[Cell<'_>]) -> Result<Span, Error> {
    let value: i64 = row[5].integer()?;
    let bar = Bar {
        open: row[0].integer()?,
        high: row[1].integer()?,
        low: row[2].integer()?,
        close: row[3].integer()?,
        volume: row[4].bits()?,
        value: value as u128,
        count: row[6].bits()?,
    };
    Ok(Span {
        bar,
        first_id: row[7].integer()?,
        last_id: row[8].integer()?,
    })
}

fn put(writer: &mut dyn Writer, (key, how): (&Key, How), span: &Span) -> Result<(), Error> {
    writer.write(&BARS, how, &row(key, &name(&key.0), span)?)
}

/// A bar as a row of the table.
fn row<'s>(key: &Key, symbol: &'s str, span: &Span) -> Result<[Cell<'s>; BARS_COLUMNS], Error> {
    let bar = &span.bar;
    let value = i64::try_from(bar.value)
        .map_err(|_| Error::Refused(format!("bar of {symbol}: its value is beyond 2^63")))?;
    Ok([
        symbol.into(),
        key.1.into(),
        key.2.into(),
        bar.open.into(),
        bar.high.into(),
        bar.low.into(),
        bar.close.into(),
        bar.volume.into(),
        value.into(),
        bar.count.into(),
        span.first_id.into(),
        span.last_id.into(),
    ])
}

/// Makes the bars over a second anew: the second from its trades, each wider one from the narrower.
fn anew(
    writer: &mut dyn Writer,
    (symbol, second): ([u8; 8], u64),
    widths: &[u64],
) -> Result<(), Error> {
    let of_trades = "SELECT price, price, price, price, units, price * units, 1, id, id FROM fills \
                     WHERE id & 1 = 0 AND broken IS NULL AND symbol = $1 \
                     AND time_ns >= $2 AND time_ns < $3";
    let of_bars = "SELECT open, high, low, close, units, value, trades, first_id, last_id \
                   FROM bars WHERE symbol = $1 AND start_ns >= $2 AND start_ns < $3 \
                   AND width_s = $4";
    let mut narrower = 0;
    for &width_s in widths {
        let begin = start(second, width_s);
        let end = begin + width_s * SECOND_NS;
        let symbol_name = name(&symbol);
        let which: [Cell<'_>; 4] = [
            (&*symbol_name).into(),
            begin.into(),
            end.into(),
            narrower.into(),
        ];
        let (source, which) = match narrower {
            0 => (of_trades, &which[..3]),
            _ => (of_bars, &which[..]),
        };
        let mut all: Option<Span> = None;
        each(writer.tables(), source, which, &mut |row| {
            let one = span(row)?;
            all = Some(all.map_or(one, |all| all.with(&one)));
            Ok(())
        })?;
        let key = (symbol, width_s, begin);
        match all {
            Some(all) => put(writer, (&key, How::Put), &all)?,
            None => {
                let key = [(&*symbol_name).into(), width_s.into(), begin.into()];
                writer.write(&BARS, How::Remove, &key)?;
            }
        }
        narrower = width_s;
    }
    Ok(())
}
