//! The tables as PostgreSQL has them: the same as SQLite's, made of the same text.

use crate::query;
use crate::tables::Table;

/// SQLite's.
const SCHEMA: &str = include_str!("../schema.sql");

/// What only PostgreSQL has.
const MORE: &str = include_str!("more.sql");

/// Tables that are parted by day: the upper bits of their ids.
pub const PARTED: [&str; 5] = ["audit", "fills", "orders", "refusals", "turns"];

/// Days ahead for which there are parts.
pub const DAYS_AHEAD: i64 = 2;

/// Views that stand in [`MORE`], as PostgreSQL writes them.
const VIEWS: [&str; 1] = ["CREATE VIEW marks"];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Text,
    Bytes,
}

/// The statements that make the tables.
pub fn text() -> String {
    let lines = SCHEMA.lines().filter(|line| !line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let statements = text.split(';').map(str::trim).filter(|it| !it.is_empty());
    let ours = statements.filter(|it| !VIEWS.iter().any(|view| it.starts_with(view)));
    let mut all: Vec<String> = ours.map(statement).collect();
    all.push(MORE.to_owned());
    all.join(";\n") + &query::profits_view("round_half")
}

/// A statement of SQLite's as PostgreSQL has it: words are ordered by their bytes, as there.
fn statement(text: &str) -> String {
    let Some(rest) = text.strip_prefix("CREATE TABLE ") else {
        return text.to_owned();
    };
    let name = rest.split_whitespace().next().unwrap_or_default();
    let table = text
        .trim_end_matches("WITHOUT ROWID")
        .replace(" INTEGER", " BIGINT")
        .replace(" BLOB", " BYTEA")
        .replace(" TEXT", " TEXT COLLATE \"C\"");
    match PARTED.contains(&name) {
        true => format!("{table} PARTITION BY RANGE (id)"),
        false => table,
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
