//! Databases that keep orders durable: one row an order, by its number.

use std::fs;
use std::path::Path;

use quanta::Clock;
use redb::{Database, ReadableDatabase as _, ReadableTableMetadata as _, TableDefinition};
use rusqlite::Connection;
use wire::ring::Input;

use super::{BATCH, Plan, input};
use crate::BenchError;
use crate::compare::Subject;
use crate::stats::Samples;

/// Orders one at a time for which there is a batch.
const ALONE_PER_BATCH: usize = 50;

const ORDERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("orders");

/// The databases, with a turn for one order at a time and for batches.
pub(super) fn subjects<'p>(plan: &'p Plan<'p>) -> Vec<Subject<'p>> {
    let (alone, batches) = (plan.alone, (plan.alone / ALONE_PER_BATCH).max(1));
    let sqlite = move || -> Result<Vec<Samples>, BenchError> {
        let failed = |error| BenchError::failed("SQLite", error);
        let turn = |batch, count| sqlite(plan.directory, batch, count).map_err(failed);
        Ok(vec![turn(1, alone)?, turn(BATCH, batches)?])
    };
    let redb = move || -> Result<Vec<Samples>, BenchError> {
        let failed = |error| BenchError::failed("redb", error);
        let turn = |batch, count| redb(plan.directory, batch, count).map_err(failed);
        Ok(vec![turn(1, alone)?, turn(BATCH, batches)?])
    };
    vec![
        Subject::new("SQLite, WAL, synchronous=FULL", sqlite),
        Subject::new("redb", redb),
    ]
}

/// Numbers of a batch.
fn numbers(batch: usize, index: usize) -> std::ops::Range<u64> {
    let first = (index * batch) as u64 + 1;
    first..first + batch as u64
}

/// The time of one order of a batch, in picoseconds.
fn of_one(clock: &Clock, start: u64, batch: usize) -> u64 {
    clock.delta_as_nanos(start, clock.raw()) * 1_000 / batch as u64
}

fn sqlite(directory: &Path, batch: usize, count: usize) -> Result<Samples, rusqlite::Error> {
    let path = directory.join("sqlite");
    let mut database = Connection::open(&path)?;
    database.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE orders (sequence INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    )?;
    let clock = Clock::new();
    let mut times = Samples::with_capacity(count);
    for index in 0..count {
        let start = clock.raw();
        let transaction = database.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO orders VALUES (?1, ?2)")?;
            for sequence in numbers(batch, index) {
                let body = input(sequence);
                insert.execute((sequence.cast_signed(), bytemuck::bytes_of(&body)))?;
            }
        }
        transaction.commit()?;
        times.push(of_one(&clock, start, batch));
    }
    let mut rows = database.prepare("SELECT body FROM orders ORDER BY sequence")?;
    let bodies = rows.query_map((), |row| row.get::<_, Vec<u8>>(0))?;
    let mut next = 1;
    for body in bodies {
        if body? != bytemuck::bytes_of(&input(next)) {
            return Err(rusqlite::Error::InvalidQuery);
        }
        next += 1;
    }
    if next != (batch * count) as u64 + 1 {
        return Err(rusqlite::Error::QueryReturnedNoRows);
    }
    drop(rows);
    drop(database);
    for file in ["sqlite", "sqlite-wal", "sqlite-shm"] {
        // The last connection takes the other two away.
        let _ = fs::remove_file(directory.join(file));
    }
    Ok(times)
}

fn redb(directory: &Path, batch: usize, count: usize) -> Result<Samples, redb::Error> {
    let path = directory.join("redb");
    let database = Database::create(&path)?;
    let clock = Clock::new();
    let mut times = Samples::with_capacity(count);
    for index in 0..count {
        let start = clock.raw();
        let transaction = database.begin_write()?;
        {
            let mut orders = transaction.open_table(ORDERS)?;
            for sequence in numbers(batch, index) {
                let body: Input = input(sequence);
                orders.insert(sequence, bytemuck::bytes_of(&body))?;
            }
        }
        transaction.commit()?;
        times.push(of_one(&clock, start, batch));
    }
    let reader = database.begin_read()?;
    let orders = reader.open_table(ORDERS)?;
    let total = (batch * count) as u64;
    let wrong = || redb::Error::Corrupted("what was written is not what is read".to_owned());
    if orders.len()? != total {
        return Err(wrong());
    }
    for sequence in 1..=total {
        let found = orders.get(sequence)?.ok_or_else(wrong)?;
        if found.value() != bytemuck::bytes_of(&input(sequence)) {
            return Err(wrong());
        }
    }
    drop(orders);
    drop(reader);
    drop(database);
    let _ = fs::remove_file(&path);
    Ok(times)
}
