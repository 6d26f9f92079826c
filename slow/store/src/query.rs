//! The documented queries, as tables or JSON lines.

mod about;
#[cfg(feature = "postgres")]
mod gathered;
mod reading;

#[cfg(feature = "postgres")]
pub(crate) use gathered::{Gathered, Owned, write};

use crate::answer::Sheet;
#[cfg(feature = "history")]
use crate::history::Files;
use crate::tables::{
    AUDIT, BARS, Cell as Field, DAYS, FILLS, HOLDINGS, ORDERS, POSITIONS, TOPS, TURNS, Table,
    Tables, explained, first,
};
use crate::versions::Versions;
use crate::{Error, Location, database, moved};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

pub use about::{is_of_account, names, parameters};

/// Rows that a query gives unless it is told otherwise.
pub const ROWS_MAX: u32 = 1_000;

/// The width of bars unless another one is asked for.
pub const WIDTH_S: u32 = 60;

/// What of an account's sums in a symbol, over all days, makes its profit.
const PROFITS: &str = "SELECT account, symbol, position, cash, mark, \
                       cash + position * mark AS profit, realised, \
                       cash + position * mark - realised AS unrealised FROM (";

/// Those sums.
const HELD: &str = include_str!("held.sql");

/// What a query may be narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this account only.
    pub account: Option<u32>,
    /// Of this symbol only.
    pub symbol: Option<String>,
    /// From this moment on, in nanoseconds since the Unix epoch.
    pub from_ns: Option<i64>,
    /// Before this moment.
    pub to_ns: Option<i64>,
    /// Bars of this width in seconds; [`WIDTH_S`] if it is not said.
    pub width_s: Option<u32>,
    /// At most so many rows.
    pub rows_max: Option<u32>,
    /// The newest rows, and these in the order from the newest one; otherwise the oldest, from the
    /// oldest one.
    pub is_newest_first: bool,
}

/// One documented query.
pub(crate) struct Query {
    name: &'static str,
    /// The table of its rows, if that is parted by days: those of some may be in files.
    pub(crate) of_days: &'static str,
    /// What stands around all of it, where only the sums of the rows that are given are to be made.
    around: [&'static str; 2],
    select: &'static str,
    /// The tables whose rows are in its answers.
    reads: &'static [&'static Table],
    /// Whether it is about the youngest day alone, whose number is the first column.
    is_of_youngest: bool,
    /// Columns that a filter narrows; empty where it cannot.
    pub(crate) account: &'static str,
    symbol: &'static str,
    pub(crate) time: &'static str,
    /// Whether it is about one account: no index leads to those of all in their order.
    is_of_account: bool,
    order: &'static str,
}

const PLAIN: Query = Query {
    name: "",
    of_days: "",
    around: [""; 2],
    select: "",
    reads: &[],
    is_of_youngest: false,
    account: "",
    symbol: "",
    time: "",
    is_of_account: false,
    order: "",
};

/// The view `profits`.
pub(crate) fn profits_view(round: &str) -> String {
    let held = HELD.replace("round(", &format!("{round}("));
    format!("CREATE VIEW profits AS {PROFITS}{held}) held;")
}

/// All of them, as docs/store.md lists them.
const QUERIES: &[Query] = &[
    Query {
        name: "open-orders",
        // A day that ended without its word leaves orders behind that nobody can trade with any
        // more. The sign keeps a server from looking for them by their key.
        select: "SELECT id >> 48 AS day, session, user_ref, account, symbol, side, open_units, \
                 units, price, order_ref, entered_ns FROM orders WHERE state = 'live' \
                 AND +id >= (SELECT max(day) FROM days) << 48",
        is_of_youngest: true,
        account: "account",
        symbol: "symbol",
        time: "entered_ns",
        reads: &[&ORDERS, &DAYS],
        order: "entered_ns, id",
        ..PLAIN
    },
    Query {
        name: "trades",
        of_days: "fills",
        select: "SELECT day, match_number, symbol, time_ns, units, price, buyer, seller, broken \
                 FROM trades WHERE true",
        symbol: "symbol",
        time: "time_ns",
        reads: &[&FILLS],
        order: "time_ns, id",
        ..PLAIN
    },
    Query {
        name: "tape",
        of_days: "fills",
        select: "SELECT id >> 48 AS day, (id & 281474976710655) >> 1 AS match_number, symbol, \
                 time_ns, units, price, broken FROM fills WHERE id & 1 = 0",
        symbol: "symbol",
        time: "time_ns",
        reads: &[&FILLS],
        order: "time_ns, id",
        ..PLAIN
    },
    Query {
        name: "fills",
        of_days: "fills",
        select: "SELECT id >> 48 AS day, (id & 281474976710655) >> 1 AS match_number, account, \
                 symbol, CASE id & 1 WHEN 0 THEN 'buy' ELSE 'sell' END AS side, time_ns, units, \
                 price, session, user_ref, liquidity, broken FROM fills WHERE true",
        account: "account",
        is_of_account: true,
        symbol: "symbol",
        time: "time_ns",
        reads: &[&FILLS],
        order: "time_ns, id",
        ..PLAIN
    },
    Query {
        name: "bars",
        select: "SELECT symbol, width_s, start_ns, open, high, low, close, units, value, trades \
                 FROM bars WHERE true",
        symbol: "symbol",
        time: "start_ns",
        reads: &[&BARS],
        order: "start_ns, symbol",
        ..PLAIN
    },
    Query {
        name: "positions",
        select: "SELECT account, symbol, day, bought_units - sold_units AS position, \
                 bought_units, bought_value, sold_units, sold_value FROM positions WHERE true",
        account: "account",
        symbol: "symbol",
        reads: &[&POSITIONS],
        order: "account, symbol, day",
        ..PLAIN
    },
    Query {
        name: "profits",
        around: [PROFITS, ") held ORDER BY account, symbol"],
        select: HELD,
        account: "h.account",
        symbol: "h.symbol",
        reads: &[&HOLDINGS, &BARS],
        order: "h.account, h.symbol",
        ..PLAIN
    },
    Query {
        name: "audit",
        of_days: "audit",
        select: "SELECT id >> 48 AS day, time_ns, act, \"user\", why, session, account, symbol, \
                 flags, units, price FROM audit WHERE true",
        account: "account",
        symbol: "symbol",
        time: "time_ns",
        reads: &[&AUDIT],
        order: "time_ns, id",
        ..PLAIN
    },
    Query {
        name: "turns",
        of_days: "turns",
        select: "SELECT id >> 48 AS day, time_ns, symbol, state FROM turns WHERE true",
        symbol: "symbol",
        time: "time_ns",
        reads: &[&TURNS],
        order: "time_ns, id",
        ..PLAIN
    },
    Query {
        name: "tops",
        select: "SELECT symbol, time_ns, bid, bid_units, ask, ask_units FROM tops WHERE true",
        symbol: "symbol",
        reads: &[&TOPS],
        order: "symbol",
        ..PLAIN
    },
];

/// What a statement is narrowed by.
pub(crate) enum Bound<'f> {
    Number(i64),
    Text(&'f str),
}

/// A statement and what is bound to it.
pub(crate) type Asked<'f> = (String, Vec<Bound<'f>>);

/// The query of that name.
fn named(name: &str) -> Result<&'static Query, Error> {
    let query = QUERIES.iter().find(|query| query.name == name);
    query.ok_or_else(|| {
        let all: Vec<&str> = names().collect();
        let words = format!("there is no query {name:?}; there are {}", all.join(", "));
        Error::Refused(words)
    })
}

/// The table of a query's rows, if those of some days may be in files alone.
pub(crate) fn of_days(query: &Query, filter: &Filter) -> &'static str {
    let is_of_seconds = query.name == "bars" && filter.width_s == Some(1);
    if is_of_seconds { "bars" } else { query.of_days }
}

/// Puts a query together; what it cannot be narrowed by is an error.
pub(crate) fn statement<'f>(query: &Query, filter: &'f Filter) -> Result<Asked<'f>, Error> {
    let name = query.name;
    if query.is_of_account && filter.account.is_none() {
        let words = format!("query {name} is about one account: say which");
        return Err(Error::Refused(words));
    }
    let [before, behind] = query.around;
    let mut text = format!("{before}{}", query.select);
    let mut values = Vec::new();
    let mut narrow = |column: &str, sign: &str, value: Option<Bound<'f>>| match value {
        None => Ok(()),
        Some(_) if column.is_empty() => Err(Error::Refused(format!(
            "query {name} has nothing that this option could narrow: see docs/store.md"
        ))),
        Some(value) => {
            values.push(value);
            text += &format!(" AND {column} {sign} ${}", values.len());
            Ok(())
        }
    };
    let is_bars = name == "bars";
    let width = if is_bars { "width_s" } else { "" };
    let width_s = filter.width_s.or(is_bars.then_some(WIDTH_S));
    let number = |value: Option<i64>| value.map(Bound::Number);
    let symbol = filter.symbol.as_deref().map(Bound::Text);
    narrow(query.account, "=", number(filter.account.map(Into::into)))?;
    narrow(query.symbol, "=", symbol)?;
    narrow(width, "=", number(width_s.map(Into::into)))?;
    narrow(query.time, ">=", number(filter.from_ns))?;
    narrow(query.time, "<", number(filter.to_ns))?;
    let rows_max = filter.rows_max.unwrap_or(ROWS_MAX);
    let order = match filter.is_newest_first {
        // All of it the other way round, so that the same index is read from its end.
        true if !query.time.is_empty() => query.order.replace(", ", " DESC, ") + " DESC",
        true => {
            let words = format!(
                "query {name} is not in the order of time, so no rows of it are the newest: see \
                 docs/store.md"
            );
            return Err(Error::Refused(words));
        }
        false => query.order.to_owned(),
    };
    text += &format!(" ORDER BY {order} LIMIT {rows_max}{behind}");
    Ok((text, values))
}

/// Whether a query is about the youngest day alone; its rows then begin with the day's number.
#[cfg(feature = "postgres")]
pub(crate) fn is_of_youngest(name: &str) -> bool {
    named(name).is_ok_and(|query| query.is_of_youngest)
}

/// Who asks queries of one database, one after the other.
#[derive(Debug)]
pub struct Reader {
    tables: Box<dyn Tables>,
    /// The tables' versions when they were last looked at, with what said so.
    looked: Cell<Option<(i64, Versions)>>,
}

impl Reader {
    /// Opens a database file that exists.
    ///
    /// # Errors
    /// There is none, or it is not ours.
    pub fn open(database: &Path) -> Result<Self, Error> {
        Ok(Self::of(Box::new(database::reader(database)?)))
    }

    /// Opens a database that exists, wherever it is.
    ///
    /// # Errors
    /// As [`Reader::open`], or its server cannot be reached.
    pub fn at(location: &Location) -> Result<Self, Error> {
        Ok(Self::of(location.reader()?))
    }

    fn of(tables: Box<dyn Tables>) -> Self {
        Self {
            tables,
            looked: Cell::new(None),
        }
    }

    /// Lets the tables stand still for who reads them, until [`Self::thaw`].
    ///
    /// # Errors
    /// The database fails.
    pub fn freeze(&self) -> Result<(), Error> {
        self.tables.freeze()
    }

    /// Which tables of a server these are: the same for all that follow it, others after a rebuild.
    ///
    /// # Errors
    /// The database fails, or is none of a server.
    pub fn identity(&self) -> Result<String, Error> {
        let text = "SELECT system_identifier, CAST(oid AS BIGINT) FROM pg_control_system(), \
                    pg_namespace WHERE nspname = current_schema()";
        let read = |row: &[Field<'_>]| Ok(format!("{:x}.{:x}", row[0].bits()?, row[1].bits()?));
        let found = first(&*self.tables, text, &[], read)?;
        found.ok_or_else(|| Error::Server("there are no tables any more".to_owned()))
    }

    /// An answer that takes longer is none from now on.
    pub(crate) fn wait_for(&self, longest: Duration) {
        self.tables.wait_for(longest);
    }

    /// The first row of a statement.
    pub(crate) fn first<T>(
        &self,
        text: &str,
        read: impl Fn(&[Field<'_>]) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        first(&*self.tables, text, &[], read)
    }

    /// Ends that.
    ///
    /// # Errors
    /// The database fails.
    pub fn thaw(&self) -> Result<(), Error> {
        self.tables.commit()
    }

    /// Asks a query and writes its rows: a table whose columns are parted by tabs, or a JSON object
    /// a line. Gives how many rows there are.
    ///
    /// # Errors
    /// There is no such query, it cannot be narrowed so, or the database or `out` fails.
    pub fn query(
        &self,
        name: &str,
        filter: &Filter,
        (is_json, out): (bool, &mut dyn Write),
    ) -> Result<u64, Error> {
        let mut sheet = Sheet::new(is_json, out);
        ask(&mut sheet, &*self.tables, (name, filter))?;
        Ok(sheet.rows)
    }

    /// The same of all days, also of those whose rows are in files alone, below `history`: the
    /// same statement is asked of each of these, too.
    ///
    /// # Errors
    /// As [`Self::query`], or the files cannot be read.
    #[cfg(feature = "history")]
    pub fn query_all_days(
        &self,
        history: &Path,
        (name, filter): (&str, &Filter),
        (is_json, out): (bool, &mut dyn Write),
    ) -> Result<u64, Error> {
        // A day that is moved meanwhile is still in the tables for us.
        self.tables.freeze()?;
        let files = Files {
            dir: history,
            rows_max: u64::MAX,
            until: None,
        };
        let rows = self.query_with(&files, (name, filter), (is_json, out))?;
        self.tables.commit()?;
        Ok(rows)
    }

    /// The same of tables that [stand still](Self::freeze), within bounds.
    ///
    /// # Errors
    /// As [`Self::query_all_days`], or a bound is reached.
    #[cfg(feature = "history")]
    pub fn query_with(
        &self,
        files: &Files<'_>,
        (name, filter): (&str, &Filter),
        (is_json, out): (bool, &mut dyn Write),
    ) -> Result<u64, Error> {
        let query = named(name)?;
        if of_days(query, filter).is_empty() {
            return self.query(name, filter, (is_json, out));
        }
        let mut sheet = Sheet::new(is_json, out);
        crate::history::answer(&*self.tables, files, (query, filter), &mut sheet)?;
        Ok(sheet.rows)
    }

    /// How the database goes about a query, a line a step.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub fn explain(&self, name: &str, filter: &Filter) -> Result<Vec<String>, Error> {
        let (text, bound) = statement(named(name)?, filter)?;
        let text = self.tables.worded(text);
        let values: Vec<Field<'_>> = bound.iter().map(Bound::cell).collect();
        explained(&*self.tables, &text, &values)
    }

    /// The names of the days of which a query's rows are in files alone, the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn moved(&self, name: &str, filter: &Filter) -> Result<Vec<String>, Error> {
        if of_days(named(name)?, filter).is_empty() {
            return Ok(Vec::new());
        }
        let days = moved::list(&*self.tables)?;
        Ok(days.into_iter().map(|(_, name)| name).collect())
    }
}

impl Bound<'_> {
    pub(crate) const fn cell(&self) -> Field<'_> {
        match self {
            Self::Number(number) => Field::Integer(*number),
            Self::Text(text) => Field::Text(text),
        }
    }
}

/// A value of a row.
pub(crate) fn json(value: Field<'_>) -> Value {
    match value {
        Field::Null => Value::Null,
        Field::Integer(number) => number.into(),
        Field::Real(number) => number.into(),
        Field::Text(text) => text.into(),
        Field::Bytes(bytes) => format!("{bytes:02x?}").into(),
    }
}

/// Asks a query and writes what is answered behind what is there.
fn ask(
    sheet: &mut Sheet<'_>,
    tables: &dyn Tables,
    (name, filter): (&str, &Filter),
) -> Result<(), Error> {
    let (text, bound) = statement(named(name)?, filter)?;
    let text = tables.worded(text);
    let values: Vec<Field<'_>> = bound.iter().map(Bound::cell).collect();
    let sheet = RefCell::new(sheet);
    let head = &mut |names: &[&str]| sheet.borrow_mut().head(names);
    let row = &mut |row: &[Field<'_>]| sheet.borrow_mut().row(row);
    tables.ask(&text, &values, head, row)
}
