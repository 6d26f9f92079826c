//! The tables as PostgreSQL has them: the same as SQLite's, made of the same text.

use crate::query;
use crate::tables::Table;

/// SQLite's.
const SCHEMA: &str = include_str!("../schema.sql");

/// What only PostgreSQL has.
const MORE: &str = include_str!("more.sql");

/// Tables that are parted by day: the upper bits of their ids.
pub const PARTED: [&str; 5] = ["audit", "fills", "orders", "refusals", "turns"];

/// Those of them whose parts are parted again by a hash of the symbol, if that is wished: the sides
/// of trades, which are asked for by symbol. Orders are not: whatever becomes of one changes it by
/// its id, which would have to be looked for in each part, and those that live are asked for by
/// account or all together. The others are small, and their rows may have no symbol.
pub const BY_SYMBOL: [&str; 1] = ["fills"];

/// Those that have nothing but the parts by symbol: a bar is of no day's ids.
const BY_SYMBOL_ALONE: [&str; 1] = ["bars"];

/// Days ahead for which there are parts.
pub const DAYS_AHEAD: i64 = 2;

/// Views that stand in [`MORE`], as PostgreSQL writes them.
const VIEWS: [&str; 1] = ["CREATE VIEW marks"];

/// What PostgreSQL's indexes have beside SQLite's, by their names: columns behind those that they
/// are ordered by, so that what is asked for stands in the index in the order in which it is asked
/// for. The rows of a symbol or an account are otherwise a page apart from one another, and a
/// thousand of them a thousand pages.
const COVERED: [(&str, &str); 4] = [
    (
        "live_accounts",
        "symbol, session, user_ref, side, open_units, units, price, order_ref",
    ),
    (
        "live_symbols",
        "account, session, user_ref, side, open_units, units, price, order_ref",
    ),
    ("trade_symbols", "units, price, account, broken"),
    (
        "fill_accounts",
        "symbol, units, price, session, user_ref, liquidity, broken",
    ),
];

/// Indexes of buyers' rows that have sellers' rows here, too: they are asked for [together].
///
/// [together]: super::words
const BOTH_SIDES: [&str; 2] = ["trade_times", "trade_symbols"];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Text,
    Bytes,
}

/// The statements that make the tables, in so many parts by symbol.
pub fn text(parts: u32) -> String {
    let lines = SCHEMA.lines().filter(|line| !line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let statements = text.split(';').map(str::trim).filter(|it| !it.is_empty());
    let ours = statements.filter(|it| !VIEWS.iter().any(|view| it.starts_with(view)));
    let mut all: Vec<String> = ours.map(|it| statement(it, parts)).collect();
    if parts > 1 {
        let tables = BY_SYMBOL_ALONE.iter();
        all.extend(tables.map(|table| hashed(table, parts)));
    }
    all.push(MORE.to_owned());
    all.join(";\n") + &query::profits_view("round_half")
}

/// A statement of SQLite's as PostgreSQL has it: words are ordered by their bytes, as there.
fn statement(text: &str, parts: u32) -> String {
    if let Some(rest) = text.strip_prefix("CREATE INDEX ") {
        return index(rest);
    }
    let Some(rest) = text.strip_prefix("CREATE TABLE ") else {
        return text.to_owned();
    };
    let name = rest.split_whitespace().next().unwrap_or_default();
    let table = text
        .trim_end_matches("WITHOUT ROWID")
        .replace(" INTEGER", " BIGINT")
        .replace(" BLOB", " BYTEA")
        .replace(" TEXT", " TEXT COLLATE \"C\"");
    match name {
        // What parts a table must be in its key.
        name if parts > 1 && BY_SYMBOL.contains(&name) => {
            let table = table.replacen("id BIGINT PRIMARY KEY", "id BIGINT NOT NULL", 1);
            let columns = table.trim_end().trim_end_matches(')').trim_end();
            format!("{columns}, PRIMARY KEY (id, symbol)) PARTITION BY RANGE (id)")
        }
        name if PARTED.contains(&name) => format!("{table} PARTITION BY RANGE (id)"),
        name if parts > 1 && BY_SYMBOL_ALONE.contains(&name) => {
            format!("{} PARTITION BY HASH (symbol)", table.trim_end())
        }
        _ => table,
    }
}

/// The statements that make the parts by symbol of a table that is parted so.
pub fn hashed(table: &str, parts: u32) -> String {
    let part = |number: u32| {
        format!(
            "CREATE TABLE {table}_p{number} PARTITION OF {table} \
             FOR VALUES WITH (MODULUS {parts}, REMAINDER {number})"
        )
    };
    (0..parts).map(part).collect::<Vec<_>>().join("; ")
}

/// An index of SQLite's as PostgreSQL has it. There each one of a table with an `id` ends with it,
/// and rows of the same moment come in its order; here that is to be said.
fn index(rest: &str) -> String {
    let name = rest.split_whitespace().next().unwrap_or_default();
    let (head, condition) = rest.split_once(" WHERE ").unzip();
    let (head, condition) = (head.unwrap_or(rest), condition);
    let is_timed = head.ends_with("_ns)");
    let mut text = format!("CREATE INDEX {head}");
    if is_timed {
        text = text.replace("_ns)", "_ns, id)");
    }
    if let Some((_, columns)) = COVERED.iter().find(|(it, _)| *it == name) {
        text += &format!(" INCLUDE ({columns})");
    }
    match condition.filter(|_| !BOTH_SIDES.contains(&name)) {
        Some(condition) => format!("{text} WHERE {condition}"),
        None => text,
    }
}

/// What the columns of a table hold.
pub fn kinds(table: &Table) -> Vec<Kind> {
    let begin = format!("CREATE TABLE {} (", table.name);
    let columns = SCHEMA.split(&begin).nth(1).unwrap_or_default();
    let columns = columns.split("PRIMARY KEY (").next().unwrap_or_default();
    let kind = |name: &&str| {
        let is = |kind| columns.contains(&format!(" {name} {kind}"));
        match (is("TEXT"), is("BLOB")) {
            (true, _) => Kind::Text,
            (_, true) => Kind::Bytes,
            _ => Kind::Integer,
        }
    };
    table.columns.iter().map(kind).collect()
}
