//! PostgreSQL as the database of the projections: a server that others keep, beside the file.
//!
//! One connection, used by one thread: the program is one that waits. Rows are gathered and sent
//! many at once, new ones by binary copies, and all of a turn is one transaction. A server that
//! says nothing is waited for, and that is said; one that is gone is an error, and the projections
//! begin anew from where its tables stand.

mod batch;
mod cells;
mod ours;
mod planning;
mod pooled;
mod rebuild;
mod schema;
mod server;
mod words;

pub use rebuild::{held, rebuild};
pub use server::Server;

use crate::place::first_of;
use crate::tables::{ALL, Cell, Hear, How, Reading, Table, Tables, Writer};
use crate::{Error, Position, tables};
use batch::{Batch, Sending};
use futures_util::{SinkExt as _, TryStreamExt as _};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io::Cursor;
use std::pin::pin;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Column, NoTls, RowStream, Statement};

/// How often one who waits looks whether to go on.
const LOOK: Duration = Duration::from_millis(250);

/// How long an answer is waited for by one who was told to end.
const LAST_MAX: Duration = Duration::from_secs(10);

/// Waiting that is longer is said.
const SILENCE: Duration = Duration::from_secs(3);

/// A writer who asks nothing for so long is not a killed one of whom the server has not heard.
const REST: Duration = Duration::from_secs(3);

/// How long one waits for the end of another writer.
const BUSY_MAX: Duration = Duration::from_secs(60);

/// Columns of an answer at most.
const COLUMNS_MAX: usize = 32;

/// What a writer holds, together with the name of the schema.
const WRITER_LOCK: i64 = i64::from_be_bytes(*b"wxwriter");

/// A connection.
pub struct Postgres {
    server: Server,
    runtime: Runtime,
    client: Client,
    statements: RefCell<HashMap<String, Statement>>,
    batch: RefCell<Batch>,
    answer_max: std::cell::Cell<Option<Duration>>,
    /// Where a pool is before the server: a transaction of ours is open.
    is_within: std::cell::Cell<bool>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postgres({})", self.server)
    }
}

impl Postgres {
    /// Connects for writing; makes the tables if there are none.
    ///
    /// # Errors
    /// The server cannot be reached, another process writes, or the tables are not ours or of
    /// another version.
    pub fn writer(server: &Server) -> Result<Self, Error> {
        if server.is_pooled {
            let why = "who writes holds a lock for as long as he is connected, and a pool gives a \
                       connection to a transaction: name the server's own address";
            return Err(server.refused(why));
        }
        let this = Self::connect(server)?;
        this.lock()?;
        // What a power cut takes of the log is projected again, as with SQLite.
        this.script("SET synchronous_commit = off")?;
        if this.is_new()? {
            let (schema, text) = (server.schema, schema::text(server.parts.unwrap_or(1)));
            let comment = ours::comment_of(server);
            this.script(&format!(
                "BEGIN; CREATE SCHEMA {schema}; {text} \
                 COMMENT ON SCHEMA {schema} IS '{comment}'; COMMIT;"
            ))?;
        }
        this.check_part()?;
        Ok(this)
    }

    /// Connects for reading tables that there are.
    ///
    /// # Errors
    /// As [`Postgres::writer`], or there are none.
    pub fn reader(server: &Server) -> Result<Self, Error> {
        let this = Self::connect(server)?;
        if !server.is_pooled {
            let settings = planning::text("SET", Reading::Rows);
            this.script(&format!(
                "SET default_transaction_read_only = on; {settings}"
            ))?;
        }
        if this.is_new()? {
            return Err(server.refused("there are no tables in it yet"));
        }
        Ok(this)
    }

    fn connect(server: &Server) -> Result<Self, Error> {
        let told = |error: std::io::Error| server.refused(&error.to_string());
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(told)?;
        let opened = server.config.connect(NoTls);
        let opened = wait(server, (&runtime, server.answer_max), opened)?;
        let (client, connection) = opened;
        // What ends it is told by whatever is asked next.
        runtime.spawn(async move { drop(connection.await) });
        let this = Self {
            server: server.clone(),
            runtime,
            client,
            statements: RefCell::default(),
            batch: RefCell::new(Batch::new()),
            answer_max: std::cell::Cell::new(server.answer_max),
            is_within: std::cell::Cell::new(false),
        };
        if !server.is_pooled {
            this.script(&format!("SET search_path = {}", server.schema))?;
        }
        Ok(this)
    }

    /// Holds the tables against other writers, for as long as the connection is there.
    ///
    /// The server notices that a writer was killed when it is through with what that one asked; so
    /// the lock of one that is busy is waited for, and that of one that rests is believed.
    fn lock(&self) -> Result<(), Error> {
        let text = "SELECT pg_try_advisory_lock(hashtextextended($1, $2))";
        let which = [self.server.schema.into(), WRITER_LOCK.into()];
        let busy = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) \
                    WHERE locktype = 'advisory' AND granted AND state IS DISTINCT FROM 'idle' \
                    AND pid <> pg_backend_pid() AND datname = current_database()";
        let begun = Instant::now();
        let mut rests_since = None;
        while tables::number(self, text, &which)? == 0 {
            let is_busy = tables::number(self, busy, &[])? > 0;
            let since = *rests_since.get_or_insert_with(Instant::now);
            if since.elapsed() > REST || begun.elapsed() > BUSY_MAX {
                let why = "another process writes these tables; stop it, or name another database";
                return Err(self.server.refused(why));
            }
            if is_busy {
                rests_since = None;
            }
            sleep(LOOK);
        }
        Ok(())
    }

    /// Runs statements that give nothing.
    fn script(&self, text: &str) -> Result<(), Error> {
        self.wait(self.client.batch_execute(text))
    }

    /// Waits for an answer, for as long as the server is there and nobody has had enough.
    fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        wait(&self.server, (&self.runtime, self.answer_max.get()), answer)
    }

    fn prepared(&self, text: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.borrow().get(text) {
            return Ok(statement.clone());
        }
        let statement = self.wait(self.client.prepare(text))?;
        let mut known = self.statements.borrow_mut();
        known.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Sends the rows of a table that wait.
    fn send(&self, table: &'static Table) -> Result<(), Error> {
        let added = self.batch.borrow_mut().added(table);
        if let Some(rows) = added {
            self.copy(table, rows)?;
        }
        let changed = self.batch.borrow_mut().changed(table);
        changed.iter().try_for_each(|sending| self.change(sending))
    }

    /// Sends all that waits.
    fn send_all(&self) -> Result<(), Error> {
        ALL.into_iter().try_for_each(|table| self.send(table))
    }

    fn copy(&self, table: &Table, rows: Vec<u8>) -> Result<(), Error> {
        let columns = table.columns.join(", ");
        let text = format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", table.name);
        let statement = self.prepared(&text)?;
        self.wait(async {
            let mut sink = pin!(self.client.copy_in(&statement).await?);
            sink.send(Cursor::new(rows)).await?;
            sink.finish().await
        })?;
        Ok(())
    }

    fn change(&self, sending: &Sending) -> Result<(), Error> {
        let statement = self.prepared(&sending.text())?;
        let columns = sending.columns();
        let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|it| it as _).collect();
        self.wait(self.client.execute(&statement, &columns))?;
        Ok(())
    }
}

/// Waits for an answer of a server, for so long at most.
fn wait<T>(
    server: &Server,
    (runtime, longest): (&Runtime, Option<Duration>),
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Error> {
    runtime.block_on(async {
        let mut answer = pin!(answer);
        let (begun, mut is_said) = (Instant::now(), false);
        let mut stopped = None;
        loop {
            if let Ok(answer) = tokio::time::timeout(LOOK, &mut answer).await {
                if is_said {
                    let seconds = begun.elapsed().as_secs();
                    tracing::warn!("database {server}: it took {seconds} s to answer");
                }
                return answer.map_err(|error| server.failed(&error));
            }
            if let Some(longest) = longest
                && begun.elapsed() >= longest
            {
                let words = format!("database {server}: no answer for {longest:?}");
                return Err(Error::Server(words));
            }
            // One that is at work is let finish.
            if server.is_stopped() && stopped.get_or_insert_with(Instant::now).elapsed() > LAST_MAX
            {
                let words = format!("database {server}: no answer at the end");
                return Err(Error::Server(words));
            }
            if begun.elapsed() > SILENCE && !is_said {
                is_said = true;
                let seconds = SILENCE.as_secs();
                tracing::warn!("database {server}: no answer for {seconds} s; waiting for it");
            }
        }
    })
}

impl Tables for Postgres {
    fn begin(&self) -> Result<(), Error> {
        self.script("BEGIN")
    }

    fn commit(&self) -> Result<(), Error> {
        self.send_all()?;
        self.is_within.set(false);
        self.script("COMMIT")
    }

    fn freeze(&self) -> Result<(), Error> {
        const FREEZE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        match self.server.is_pooled {
            true => self.enter(FREEZE),
            false => self.script(FREEZE),
        }
    }

    fn ask(
        &self,
        text: &str,
        values: &[Cell<'_>],
        columns: &mut dyn FnMut(&[&str]) -> Result<(), Error>,
        on: Hear<'_>,
    ) -> Result<(), Error> {
        if self.server.is_pooled {
            return self.ask_unnamed(text, values, columns, on);
        }
        self.send_all()?;
        let statement = self.prepared(text)?;
        columns(&names_of(statement.columns()))?;
        let rows = self.wait(self.client.query_raw(&statement, values.iter()))?;
        self.hear(rows, &mut |_| Ok(()), on)
    }

    fn run(&self, text: &str, values: &[Cell<'_>]) -> Result<u64, Error> {
        self.send_all()?;
        let statement = self.prepared(text)?;
        self.wait(self.client.execute_raw(&statement, values.iter()))
    }

    fn writer(&self) -> Box<dyn Writer + '_> {
        Box::new(self)
    }

    fn position(&self) -> Result<Option<Position>, Error> {
        let text = "SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS BIGINT)";
        let at = tables::number(self, text, &[])?;
        Ok(Some(Position::of(at as u64)))
    }

    fn wait_for(&self, longest: Duration) {
        self.answer_max.set(Some(longest));
    }

    fn read_for(&self, reading: Reading) -> Result<(), Error> {
        self.script(&planning::text("SET LOCAL", reading))
    }

    fn rolls_up(&self) -> bool {
        true
    }

    fn roll_up(&self, does: bool) -> Result<(), Error> {
        self.send_all()?;
        let word = if does { "ENABLE" } else { "DISABLE" };
        self.script(&format!("ALTER TABLE bars {word} TRIGGER USER"))
    }

    fn explain(&self) -> &'static str {
        "EXPLAIN"
    }

    fn worded(&self, text: String) -> String {
        words::of(&text)
    }

    fn clear(&self, day: i64) -> Result<(), Error> {
        self.send_all()?;
        // A reader who takes long is not to make all others wait behind this.
        self.script("SET LOCAL lock_timeout = '5s'")?;
        for table in schema::PARTED {
            self.script(&format!("DROP TABLE {table}_{day}"))?;
        }
        Ok(())
    }

    #[cfg(feature = "history")]
    fn bytes(&self, day: i64) -> Result<Option<u64>, Error> {
        let size = |table| {
            let tree = format!("pg_partition_tree('{table}_{day}')");
            format!("(SELECT sum(pg_total_relation_size(relid)) FROM {tree})")
        };
        let parts = schema::PARTED.map(size).join(" + ");
        let text = format!("SELECT CAST({parts} AS BIGINT)");
        let bytes = tables::number(self, &text, &[])?;
        Ok(Some(bytes as u64))
    }

    fn is_shard(&self) -> bool {
        self.server.part().is_some()
    }

    fn keeps(&self, symbol: &str) -> bool {
        self.server.part().is_none_or(|part| part.keeps(symbol))
    }

    fn has(&self, table: &Table, row: &[Cell<'_>]) -> Result<bool, Error> {
        let has = self.server.part().map(|part| part.has(table, row));
        has.unwrap_or(Ok(true))
    }

    fn agree(&self, day: &str, number: i64) -> Result<(), Error> {
        let agreed = self.server.part().map(|part| part.agree(day, number));
        agreed.unwrap_or(Ok(()))
    }

    fn make_room(&self, day: i64) -> Result<(), Error> {
        let parts = self.parts()?.unwrap_or(1);
        for table in schema::PARTED {
            let parts = match schema::BY_SYMBOL.contains(&table) {
                true => parts,
                false => 1,
            };
            for day in day..=day + schema::DAYS_AHEAD {
                self.make_part((table, parts), day)?;
            }
        }
        Ok(())
    }
}

/// The names of an answer's columns.
fn names_of(columns: &[Column]) -> Vec<&str> {
    columns.iter().map(Column::name).collect()
}

impl Postgres {
    /// Hears the rows of an answer; `first` hears the first one's columns before that.
    fn hear(
        &self,
        rows: RowStream,
        first: &mut dyn FnMut(&[Column]) -> Result<(), Error>,
        on: Hear<'_>,
    ) -> Result<(), Error> {
        let mut rows = pin!(rows);
        let mut outcome = Ok(());
        let mut is_first = true;
        // What is heard is heard while the answer comes: it may be larger than memory.
        self.wait(async {
            while let Some(row) = rows.try_next().await? {
                assert!(row.len() <= COLUMNS_MAX, "{} columns", row.len());
                let mut cells = [Cell::Null; COLUMNS_MAX];
                for (at, into) in cells[..row.len()].iter_mut().enumerate() {
                    *into = row.try_get(at)?;
                }
                if is_first {
                    outcome = first(row.columns());
                    is_first = false;
                }
                if outcome.is_ok() {
                    outcome = on(&cells[..row.len()]);
                }
            }
            Ok(())
        })?;
        outcome
    }

    /// Makes the part of a table that a day's rows go to, if there is none, itself in so many parts
    /// by symbol. It is made beside the table and then attached, so nobody who reads or writes the
    /// other parts waits meanwhile.
    fn make_part(&self, (table, parts): (&str, u32), day: i64) -> Result<(), Error> {
        let part = format!("{table}_{day}");
        let text = "SELECT count(*) FROM pg_class WHERE relname = $1 AND relispartition \
                    AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $2)";
        let which = [part.as_str().into(), self.server.schema.into()];
        if tables::number(self, text, &which)? > 0 {
            return Ok(());
        }
        let (first, end) = (first_of(day), first_of(day + 1));
        let (by, made) = match parts {
            1 => ("", String::new()),
            _ => (" PARTITION BY HASH (symbol)", schema::hashed(&part, parts)),
        };
        self.script(&format!(
            "CREATE TABLE {part} (LIKE {table} INCLUDING ALL){by}; {made}; \
             ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({first}) TO ({end})"
        ))
    }
}

impl Writer for &Postgres {
    fn tables(&self) -> &dyn Tables {
        *self
    }

    fn write(&mut self, table: &'static Table, how: How, row: &[Cell<'_>]) -> Result<(), Error> {
        if let Some(part) = self.server.part()
            && how != How::Remove
            && !part.takes(table, row)?
        {
            return Ok(());
        }
        if !self.batch.borrow_mut().take(table, how, row) {
            self.send(table)?;
            self.batch.borrow_mut().take(table, how, row);
        }
        let is_full = self.batch.borrow().is_full(table);
        if is_full { self.send(table) } else { Ok(()) }
    }
}
