//! Rows that wait to be sent together.

use super::schema::{Kind, kinds};
use crate::tables::{ALL, Cell, How, Table};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem::take;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// Bytes of new rows of a table that are sent at once.
const COPY_BYTES: usize = 4 << 20;

/// Changed rows of a table that are sent at once.
const ROWS_MAX: usize = 20_000;

/// How a binary copy begins: signature, no flags, no extension.
const COPY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// How it ends.
const COPY_END: [u8; 2] = (-1_i16).to_be_bytes();

/// The length of what is not there.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// What stands for the letter zero, which PostgreSQL's text cannot hold.
pub const NO_LETTER: &str = "\u{2400}";

/// Text that PostgreSQL can hold.
pub fn words(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => text.replace('\0', NO_LETTER).into(),
        false => text.into(),
    }
}

/// A value that is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<Cell<'_>> for Held {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Integer(number) => Self::Integer(number),
            Cell::Text(text) => Self::Text(words(text).into_owned()),
            Cell::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
            // No column of the tables is real.
            Cell::Null | Cell::Real(_) => Self::Null,
        }
    }
}

/// What waits for one table.
#[derive(Debug, Default)]
struct Waiting {
    /// New rows, as a copy has them.
    added: Vec<u8>,
    /// Rows that may be there, by their keys.
    changed: BTreeMap<Vec<Held>, (How, Vec<Held>)>,
}

/// What waits.
#[derive(Debug)]
pub struct Batch {
    tables: [Waiting; ALL.len()],
    kinds: Vec<Vec<Kind>>,
    /// Where the columns of each table's key are.
    keys: Vec<Vec<usize>>,
}

/// Rows of one table that are to be sent by one statement.
#[derive(Debug)]
pub struct Sending {
    pub table: &'static Table,
    pub how: How,
    pub rows: Vec<Vec<Held>>,
    pub kinds: Vec<Kind>,
}

impl Batch {
    pub fn new() -> Self {
        let at = |table: &Table, name| table.columns.iter().position(|it| *it == name);
        let key = |table: &&Table| {
            table
                .key
                .iter()
                .filter_map(|name| at(table, *name))
                .collect()
        };
        Self {
            tables: Default::default(),
            kinds: ALL.iter().map(|table| kinds(table)).collect(),
            keys: ALL.iter().map(key).collect(),
        }
    }

    /// Takes a row; gives it back as false where what waits must be sent first.
    pub fn take(&mut self, table: &Table, how: How, row: &[Cell<'_>]) -> bool {
        let waiting = &mut self.tables[table.number];
        if how == How::Add {
            append(&mut waiting.added, row);
            return true;
        }
        let held = |cell: &Cell<'_>| Held::from(*cell);
        let (key, row): (Vec<Held>, Vec<Held>) = match how {
            How::Remove => (row.iter().map(held).collect(), Vec::new()),
            _ => {
                let key = &self.keys[table.number];
                let key = key.iter().map(|at| held(&row[*at])).collect();
                (key, row.iter().map(held).collect())
            }
        };
        if how == How::Merge && waiting.changed.contains_key(&key) {
            return false;
        }
        waiting.changed.insert(key, (how, row));
        true
    }

    /// Whether a table has so much that it is to be sent.
    pub fn is_full(&self, table: &Table) -> bool {
        let waiting = &self.tables[table.number];
        waiting.added.len() >= COPY_BYTES || waiting.changed.len() >= ROWS_MAX
    }

    /// The new rows of a table, as a copy of it; nothing if there are none.
    pub fn added(&mut self, table: &Table) -> Option<Vec<u8>> {
        let waiting = &mut self.tables[table.number];
        if waiting.added.is_empty() {
            return None;
        }
        let mut rows = take(&mut waiting.added);
        rows.extend_from_slice(&COPY_END);
        Some(rows)
    }

    /// Its rows that may be there.
    pub fn changed(&mut self, table: &'static Table) -> Vec<Sending> {
        let mut all: Vec<Sending> = Vec::new();
        for (key, (how, row)) in take(&mut self.tables[table.number].changed) {
            let row = if how == How::Remove { key } else { row };
            match all.iter_mut().find(|sending| sending.how == how) {
                Some(sending) => sending.rows.push(row),
                None => {
                    let kinds = match how {
                        How::Remove => {
                            let key = self.keys[table.number].iter();
                            key.map(|at| self.kinds[table.number][*at]).collect()
                        }
                        _ => self.kinds[table.number].clone(),
                    };
                    all.push(Sending {
                        table,
                        how,
                        rows: vec![row],
                        kinds,
                    });
                }
            }
        }
        all
    }
}

/// Puts a row to a copy.
fn append(copy: &mut Vec<u8>, row: &[Cell<'_>]) {
    if copy.is_empty() {
        copy.reserve(COPY_BYTES + COPY_BYTES / 8);
        copy.extend_from_slice(COPY_HEAD);
    }
    copy.extend_from_slice(&(row.len() as i16).to_be_bytes());
    for cell in row {
        match *cell {
            Cell::Integer(number) => {
                copy.extend_from_slice(&8_i32.to_be_bytes());
                copy.extend_from_slice(&number.to_be_bytes());
            }
            Cell::Text(text) => append_bytes(copy, words(text).as_bytes()),
            Cell::Bytes(bytes) => append_bytes(copy, bytes),
            Cell::Null | Cell::Real(_) => copy.extend_from_slice(&NULL),
        }
    }
}

fn append_bytes(copy: &mut Vec<u8>, bytes: &[u8]) {
    copy.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
    copy.extend_from_slice(bytes);
}

impl Sending {
    /// The statement that takes the rows, a column a parameter.
    pub fn text(&self) -> String {
        let kinds = self.kinds.iter().zip(1..).map(|(kind, it)| match kind {
            Kind::Integer => format!("${it}::bigint[]"),
            Kind::Text => format!("${it}::text[]"),
            Kind::Bytes => format!("${it}::bytea[]"),
        });
        let columns: Vec<String> = kinds.collect();
        let (name, columns) = (self.table.name, columns.join(", "));
        if self.how == How::Remove {
            let key = self.table.key.join(", ");
            return format!(
                "DELETE FROM {name} WHERE ({key}) IN (SELECT * FROM unnest({columns}))"
            );
        }
        let names = self.table.columns.join(", ");
        let conflict = self.table.conflict(self.how);
        format!("INSERT INTO {name} ({names}) SELECT * FROM unnest({columns}) {conflict}")
    }

    /// The parameters.
    pub fn columns(&self) -> Vec<Column<'_>> {
        let columns = 0..self.kinds.len();
        columns.map(|at| Column { sending: self, at }).collect()
    }
}

/// A column of some rows, as an array.
#[derive(Debug)]
pub struct Column<'s> {
    sending: &'s Sending,
    at: usize,
}

impl ToSql for Column<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let (rows, at) = (&self.sending.rows, self.at);
        let element = match self.sending.kinds[at] {
            Kind::Integer => Type::INT8,
            Kind::Text => Type::TEXT,
            Kind::Bytes => Type::BYTEA,
        };
        // One dimension, perhaps with nulls; from 1 on.
        for number in [1, 1, element.oid() as i32, i32::try_from(rows.len())?, 1] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        for row in rows {
            let number;
            let bytes = match &row[at] {
                Held::Null => {
                    out.extend_from_slice(&NULL);
                    continue;
                }
                Held::Integer(it) => {
                    number = it.to_be_bytes();
                    &number[..]
                }
                Held::Text(text) => text.as_bytes(),
                Held::Bytes(bytes) => bytes,
            };
            out.extend_from_slice(&i32::try_from(bytes.len())?.to_be_bytes());
            out.extend_from_slice(bytes);
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8_ARRAY, Type::TEXT_ARRAY, Type::BYTEA_ARRAY].contains(ty)
    }

    to_sql_checked!();
}
