//! What is written of a day: sheets, each a statement and the columns that it gives.

use crate::Error;
use crate::bars;
use crate::place::first_of;
use crate::tables::{AUDIT, BARS, Cell, FILLS, Hear, ORDERS, REFUSALS, TURNS, Table, Tables, each};
use history::{Column, Kind, Value};
use std::sync::Arc;

/// How the tables are made: what its columns hold is read there.
const SCHEMA: &str = include_str!("../schema.sql");

/// The column that folders stand for.
pub const SYMBOL: &str = "symbol";

/// One sheet.
#[derive(Debug)]
pub struct Sheet {
    pub name: &'static str,
    /// Gives rows of the ids from `$1` up to `$2` in their order; none of bars: they are made anew.
    select: Option<String>,
    pub is_parted: bool,
    pub columns: Arc<[Column]>,
}

/// All of them: both sides of each trade in a row, bars, and the tables that are parted by days.
pub fn all() -> Vec<Sheet> {
    let tables = [&FILLS, &ORDERS, &REFUSALS, &AUDIT, &TURNS];
    let tables = tables.into_iter().map(table);
    let bars = Sheet {
        select: None,
        ..table(&BARS)
    };
    [trades(), bars].into_iter().chain(tables).collect()
}

impl Sheet {
    /// Tells the rows of a day; where they are parted by symbols, the symbol is the last column and
    /// not one of the file's.
    ///
    /// # Errors
    /// The database fails, or `on` does.
    pub fn each(&self, tables: &dyn Tables, day: i64, on: Hear<'_>) -> Result<(), Error> {
        let range = [first_of(day), first_of(day + 1)].map(Into::into);
        match &self.select {
            Some(select) => each(tables, select, &range, on),
            None => bars::of_day(tables, &range, on),
        }
    }
}

fn trades() -> Sheet {
    let column = |(name, kind, is_optional): (&str, Kind, bool)| Column {
        name: name.to_owned(),
        kind,
        is_optional,
    };
    let columns = [
        ("match_number", Kind::Integer, false),
        ("time_ns", Kind::Integer, false),
        ("units", Kind::Integer, false),
        ("price", Kind::Integer, false),
        ("buyer", Kind::Integer, false),
        // Of a running day one side may be there before the other one.
        ("seller", Kind::Integer, true),
        ("broken", Kind::Text, true),
    ];
    let names = columns.map(|(name, _, _)| name).join(", ");
    Sheet {
        name: "trades",
        select: Some(format!(
            "SELECT {names}, {SYMBOL} FROM trades WHERE id >= $1 AND id < $2 ORDER BY id"
        )),
        is_parted: true,
        columns: columns.into_iter().map(column).collect(),
    }
}

/// The sheet of a table. Orders, fills and bars are parted by symbols; the others have few rows, or
/// rows without a symbol.
fn table(table: &Table) -> Sheet {
    let is_parted = [FILLS.name, ORDERS.name, BARS.name].contains(&table.name);
    let of_file = table
        .columns
        .iter()
        .filter(|it| !is_parted || **it != SYMBOL);
    let mut names: Vec<&str> = of_file.copied().collect();
    let columns = names.iter().map(|name| column(table, name)).collect();
    if is_parted {
        names.push(SYMBOL);
    }
    Sheet {
        name: table.name,
        select: Some(format!(
            "SELECT {} FROM {} WHERE id >= $1 AND id < $2 ORDER BY id",
            names.join(", "),
            table.name
        )),
        is_parted,
        columns,
    }
}

fn column(table: &Table, name: &str) -> Column {
    let begin = format!("CREATE TABLE {} (", table.name);
    let made = SCHEMA.split(&begin).nth(1).unwrap_or_default();
    let made = made.split(");").next().unwrap_or_default();
    let words = made.split(',').map(str::trim);
    let mut words = words.filter_map(|it| it.strip_prefix(name)?.strip_prefix(' '));
    let words = words.next().unwrap_or_default();
    Column {
        name: name.trim_matches('"').to_owned(),
        kind: match words.starts_with("TEXT") {
            true => Kind::Text,
            false => Kind::Integer,
        },
        is_optional: !words.contains("NOT NULL") && !words.contains("PRIMARY KEY"),
    }
}

/// A value of the tables as files have it.
///
/// # Errors
/// No column of these sheets holds such a one: somebody else wrote the row.
pub fn value<'a>(cell: &Cell<'a>) -> Result<Value<'a>, Error> {
    Ok(match *cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(number),
        Cell::Text(text) => Value::Text(text),
        Cell::Real(_) | Cell::Bytes(_) => {
            let words =
                format!("a row holds {cell:?} where that cannot be: it is damaged; rebuild");
            return Err(Error::Refused(words));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_the_schema_has_them() {
        let column = |table, name| {
            let column = column(table, name);
            (column.kind, column.is_optional)
        };
        assert_eq!(column(&FILLS, "id"), (Kind::Integer, false));
        assert_eq!(column(&FILLS, "liquidity"), (Kind::Text, false));
        assert_eq!(column(&FILLS, "broken"), (Kind::Text, true));
        assert_eq!(column(&ORDERS, "replaces"), (Kind::Integer, true));
        assert_eq!(column(&ORDERS, "reason"), (Kind::Text, true));
        assert_eq!(column(&AUDIT, "\"user\""), (Kind::Integer, true));
        assert_eq!(column(&AUDIT, "symbol"), (Kind::Text, true));
        assert_eq!(column(&TURNS, "state"), (Kind::Text, false));
        assert_eq!(column(&REFUSALS, "client_id"), (Kind::Text, true));
    }
}
