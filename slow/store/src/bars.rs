//! Bars of one second, rolled up into minutes and hours, exact in whatever order trades come.
//!
//! A session's replies are read piece by piece, so a trade may come behind a later one of another
//! session. A bar's sums and extremes do not care; its open and close are those of the least and
//! the greatest match number. A trade that is taken back makes its bars anew from what is left.

use crate::Error;
use analytics::kernels::Bar;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Widths of bars in seconds, each a multiple of the one before.
pub const WIDTHS_S: [u64; 3] = [1, 60, 3_600];

const SECOND_NS: u64 = 1_000_000_000;

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

    /// Brings it into the table.
    ///
    /// # Errors
    /// The database fails, or a sum is beyond what it can hold.
    pub fn write(&mut self, connection: &Connection) -> Result<(), Error> {
        let added = std::mem::take(&mut self.added);
        for (key, span) in &added {
            let before = read(connection, key)?;
            let all = before.map_or(*span, |before| before.with(span));
            put(connection, key, &all)?;
        }
        for (symbol, second) in std::mem::take(&mut self.broken) {
            anew(connection, symbol, second)?;
        }
        Ok(())
    }
}

/// The start of the bar that holds a moment.
const fn start(time_ns: u64, width_s: u64) -> u64 {
    time_ns - time_ns % (width_s * SECOND_NS)
}

fn name(symbol: &[u8; 8]) -> std::borrow::Cow<'_, str> {
    crate::rows::utf8(symbol)
}

fn read(connection: &Connection, key: &Key) -> Result<Option<Span>, Error> {
    let text = "SELECT open, high, low, close, units, value, trades, first_id, last_id FROM bars \
                WHERE symbol = ? AND width_s = ? AND start_ns = ?";
    let mut statement = connection.prepare_cached(text)?;
    let row = params![name(&key.0), key.1 as i64, key.2 as i64];
    Ok(statement.query_row(row, span).optional()?)
}

fn span(row: &rusqlite::Row<'_>) -> rusqlite::Result<Span> {
    let value: i64 = row.get(5)?;
    let bar = Bar {
        open: row.get(0)?,
        high: row.get(1)?,
        low: row.get(2)?,
        close: row.get(3)?,
        volume: row.get::<_, i64>(4)? as u64,
        value: value as u128,
        count: row.get::<_, i64>(6)? as u64,
    };
    Ok(Span {
        bar,
        first_id: row.get(7)?,
        last_id: row.get(8)?,
    })
}

fn put(connection: &Connection, key: &Key, span: &Span) -> Result<(), Error> {
    let text = "INSERT OR REPLACE INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let bar = &span.bar;
    let value = i64::try_from(bar.value).map_err(|_| {
        let symbol = name(&key.0);
        Error::Refused(format!("bar of {symbol}: its value is beyond 2^63"))
    })?;
    connection.prepare_cached(text)?.execute(params![
        name(&key.0),
        key.1 as i64,
        key.2 as i64,
        bar.open,
        bar.high,
        bar.low,
        bar.close,
        bar.volume as i64,
        value,
        bar.count as i64,
        span.first_id,
        span.last_id,
    ])?;
    Ok(())
}

/// Makes the bars over a second anew: the second from its trades, each wider one from the narrower.
fn anew(connection: &Connection, symbol: [u8; 8], second: u64) -> Result<(), Error> {
    let of_trades = "SELECT price, price, price, price, units, price * units, 1, id, id FROM fills \
                     WHERE id & 1 = 0 AND broken IS NULL AND symbol = ?1 \
                     AND time_ns >= ?2 AND time_ns < ?3 AND ?4 = ?4";
    let of_bars = "SELECT open, high, low, close, units, value, trades, first_id, last_id \
                   FROM bars WHERE symbol = ?1 AND start_ns >= ?2 AND start_ns < ?3 \
                   AND width_s = ?4";
    let mut narrower = 0;
    for width_s in WIDTHS_S {
        let begin = start(second, width_s);
        let end = begin + width_s * SECOND_NS;
        let source = if narrower == 0 { of_trades } else { of_bars };
        let mut statement = connection.prepare_cached(source)?;
        let range = params![name(&symbol), begin as i64, end as i64, narrower as i64];
        let mut all: Option<Span> = None;
        for one in statement.query_map(range, span)? {
            let one = one?;
            all = Some(all.map_or(one, |all| all.with(&one)));
        }
        let key = (symbol, width_s, begin);
        match all {
            Some(all) => put(connection, &key, &all)?,
            None => remove(connection, &key)?,
        }
        narrower = width_s;
    }
    Ok(())
}

fn remove(connection: &Connection, key: &Key) -> Result<(), Error> {
    let text = "DELETE FROM bars WHERE symbol = ? AND width_s = ? AND start_ns = ?";
    let row = params![name(&key.0), key.1 as i64, key.2 as i64];
    connection.prepare_cached(text)?.execute(row)?;
    Ok(())
}
