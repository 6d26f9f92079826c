//! The documented queries, as tables or JSON lines.

use crate::{Error, database};
use rusqlite::ToSql;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};
use std::io::Write;
use std::path::Path;

/// Rows that a query gives unless it is told otherwise.
pub const ROWS_MAX: u32 = 1_000;

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
    /// Bars of this width in seconds.
    pub width_s: Option<u32>,
    /// At most so many rows.
    pub rows_max: Option<u32>,
}

/// One documented query.
struct Query {
    name: &'static str,
    select: &'static str,
    /// Columns that a filter narrows; empty where it cannot.
    account: &'static str,
    symbol: &'static str,
    time: &'static str,
    order: &'static str,
}

/// All of them, as docs/store.md lists them.
const QUERIES: &[Query] = &[
    Query {
        name: "open-orders",
        select: "SELECT id >> 48 AS day, session, user_ref, account, symbol, side, open_units, \
                 units, price, order_ref, entered_ns FROM orders WHERE state = 'live'",
        account: "account",
        symbol: "symbol",
        time: "entered_ns",
        order: "id",
    },
    Query {
        name: "trades",
        select: "SELECT day, match_number, symbol, time_ns, units, price, buyer, seller, broken \
                 FROM trades WHERE 1",
        account: "",
        symbol: "symbol",
        time: "time_ns",
        order: "time_ns, id",
    },
    Query {
        name: "bars",
        select: "SELECT symbol, width_s, start_ns, open, high, low, close, units, value, trades \
                 FROM bars WHERE 1",
        account: "",
        symbol: "symbol",
        time: "start_ns",
        order: "symbol, width_s, start_ns",
    },
    Query {
        name: "positions",
        select: "SELECT account, symbol, day, bought_units - sold_units AS position, \
                 bought_units, bought_value, sold_units, sold_value FROM positions WHERE 1",
        account: "account",
        symbol: "symbol",
        time: "",
        order: "account, symbol, day",
    },
    Query {
        name: "profits",
        select: "SELECT account, symbol, position, cash, mark, profit, realised, unrealised \
                 FROM profits WHERE 1",
        account: "account",
        symbol: "symbol",
        time: "",
        order: "account, symbol",
    },
    Query {
        name: "audit",
        select: "SELECT id >> 48 AS day, time_ns, act, user, why, session, account, symbol, \
                 flags, units, price FROM audit WHERE 1",
        account: "account",
        symbol: "symbol",
        time: "time_ns",
        order: "id",
    },
    Query {
        name: "turns",
        select: "SELECT id >> 48 AS day, time_ns, symbol, state FROM turns WHERE 1",
        account: "",
        symbol: "symbol",
        time: "time_ns",
        order: "id",
    },
    Query {
        name: "tops",
        select: "SELECT symbol, time_ns, bid, bid_units, ask, ask_units FROM tops WHERE 1",
        account: "",
        symbol: "symbol",
        time: "",
        order: "symbol",
    },
];

/// The names of all queries.
pub fn names() -> impl Iterator<Item = &'static str> {
    QUERIES.iter().map(|query| query.name)
}

/// A statement and what is bound to it.
type Asked = (String, Vec<Box<dyn ToSql>>);

/// Puts a query together; what it cannot be narrowed by is an error.
fn asked(name: &str, filter: &Filter) -> Result<Asked, Error> {
    let Some(query) = QUERIES.iter().find(|query| query.name == name) else {
        let all: Vec<&str> = names().collect();
        let words = format!("there is no query {name:?}; there are {}", all.join(", "));
        return Err(Error::Refused(words));
    };
    let (mut text, mut values) = (query.select.to_owned(), Vec::<Box<dyn ToSql>>::new());
    let mut narrow = |column: &str, sign: &str, value: Option<Box<dyn ToSql>>| match value {
        None => Ok(()),
        Some(_) if column.is_empty() => Err(Error::Refused(format!(
            "query {name} has nothing that this option could narrow: see docs/store.md"
        ))),
        Some(value) => {
            text += &format!(" AND {column} {sign} ?");
            values.push(value);
            Ok(())
        }
    };
    let width = if name == "bars" { "width_s" } else { "" };
    let boxed = |value: Option<i64>| value.map(|it| Box::new(it) as Box<dyn ToSql>);
    let symbol = filter.symbol.clone();
    narrow(query.account, "=", boxed(filter.account.map(Into::into)))?;
    narrow(
        query.symbol,
        "=",
        symbol.map(|it| Box::new(it) as Box<dyn ToSql>),
    )?;
    narrow(width, "=", boxed(filter.width_s.map(Into::into)))?;
    narrow(query.time, ">=", boxed(filter.from_ns))?;
    narrow(query.time, "<", boxed(filter.to_ns))?;
    let rows_max = filter.rows_max.unwrap_or(ROWS_MAX);
    text += &format!(" ORDER BY {} LIMIT {rows_max}", query.order);
    Ok((text, values))
}

/// Asks a query of a database and writes its rows: a table whose columns are parted by tabs, or a
/// JSON object a line.
///
/// # Errors
/// There is no such query, it cannot be narrowed so, or the database or `out` fails.
pub fn query(
    database: &Path,
    name: &str,
    filter: &Filter,
    (is_json, out): (bool, &mut dyn Write),
) -> Result<u64, Error> {
    let (text, values) = asked(name, filter)?;
    let connection = database::reader(database)?;
    let mut statement = connection.prepare(&text)?;
    let columns: Vec<String> = statement.column_names().map(|it| (*it).into()).collect();
    let failed = |error: std::io::Error| Error::Refused(format!("output: {error}"));
    if !is_json {
        writeln!(out, "{}", columns.join("\t")).map_err(failed)?;
    }
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let values = (0..columns.len()).map(|column| Ok(json(row.get_ref(column)?)));
        let values: Vec<Value> = values.collect::<Result<_, rusqlite::Error>>()?;
        let line = if is_json {
            let object: Map<String, Value> = columns.iter().cloned().zip(values).collect();
            Value::Object(object).to_string()
        } else {
            values.iter().map(plain).collect::<Vec<_>>().join("\t")
        };
        writeln!(out, "{line}").map_err(failed)?;
        count += 1;
    }
    Ok(count)
}

/// A value of a row.
pub(crate) fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => format!("{bytes:02x?}").into(),
    }
}

/// A value in a table: an operator's words must not break its lines.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.escape_debug().to_string(),
        other => other.to_string(),
    }
}
