//! Whether tables, journal and feed agree, row by row.

use crate::book::{self, Book, Told};
use crate::day::of_day;
use crate::inputs::{self, Until};
use crate::place::{fill_id, first_of, moment};
use crate::projector::Limits;
use crate::query::json;
use crate::rebuild::remove;
use crate::{Error, Projector, database};
use journal::stream::{self, Kind, Name};
use journal::{DirectoryFiles, Mark};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use wire::ring::{CommandKind, MASS_OF_USER};

/// The tables that are compared with a projection from zero.
const TABLES: &[&str] = &[
    "days",
    "progress",
    "remarks",
    "symbols",
    "sessions",
    "audit",
    "turns",
    "orders",
    "fills",
    "refusals",
    "positions",
    "bars",
    "shown",
    "tops",
];

/// The column that is not compared: where the journal is read on. One that follows a venue stands
/// behind records without inputs, such as that of a clean stop, where a projection up to the last
/// input has not read them yet.
const MARK: &str = "mark";

/// What was compared and is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Rows that a projection from zero has, too.
    pub rows: u64,
    /// Trades of the feed that are in the tables.
    pub trades: u64,
    /// Orders of the journal that are in the tables.
    pub orders: u64,
    /// What the feed or the journal has and nobody has read of the replies yet.
    pub unread: u64,
}

/// A day of the database whose files are there.
struct Day {
    number: i64,
    name: String,
    folder: PathBuf,
    /// The message of the feed behind the last one that was read, and the input.
    feed_next: u64,
    input_next: u64,
    began_ns: u64,
    /// Sessions' replies hold more than was read.
    has_unread: bool,
}

/// Compares a database, as it stands at one moment, with the venue's files. The first difference
/// is given in words.
///
/// # Errors
/// The files or the database cannot be read.
pub fn reconcile(data_dir: &Path, path: &Path) -> Result<Result<Compared, String>, Error> {
    let connection = database::reader(path)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".check");
    let draft = PathBuf::from(name);
    remove(&draft)?;
    // All is read as it stands at one moment, also beside a process that writes.
    connection.execute_batch("BEGIN")?;
    let compared = compare(&connection, data_dir, &draft);
    remove(&draft)?;
    compared
}

fn compare(
    connection: &Connection,
    data_dir: &Path,
    draft: &Path,
) -> Result<Result<Compared, String>, Error> {
    let mut compared = Compared::default();
    let days = days(connection, data_dir)?;
    for day in &days {
        if let Err(difference) = feed(connection, day, &mut compared)? {
            return Ok(Err(difference));
        }
        if let Err(difference) = orders(connection, day, &mut compared)? {
            return Ok(Err(difference));
        }
    }
    let mut projector = Projector::open(data_dir, draft)?;
    projector.until = Some(limits(connection)?);
    projector.catch_up()?;
    for table in TABLES {
        match tables(connection, projector.connection(), table)? {
            Ok(rows) => compared.rows += rows,
            Err(difference) => return Ok(Err(difference)),
        }
    }
    Ok(Ok(compared))
}

/// Where the tables stand.
fn limits(connection: &Connection) -> Result<Limits, Error> {
    let text = "SELECT name, kind, number, next FROM progress JOIN days USING (day)";
    let mut statement = connection.prepare(text)?;
    let mut rows = statement.query([])?;
    let mut limits = Limits::default();
    while let Some(row) = rows.next()? {
        let next: i64 = row.get(3)?;
        let key = (row.get(0)?, row.get(1)?, row.get(2)?);
        limits.places.insert(key, next as u64);
    }
    Ok(limits)
}

fn days(connection: &Connection, data_dir: &Path) -> Result<Vec<Day>, Error> {
    let mut statement = connection.prepare("SELECT day, name, began_ns FROM days ORDER BY day")?;
    let mut rows = statement.query([])?;
    let mut days = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let began_ns: i64 = row.get(2)?;
        let folder = data_dir.join(&name);
        if !folder.is_dir() {
            continue;
        }
        let mut day = Day {
            number,
            name,
            folder,
            feed_next: 1,
            input_next: 1,
            began_ns: began_ns as u64,
            has_unread: false,
        };
        places(connection, &mut day)?;
        days.push(day);
    }
    Ok(days)
}

/// Reads how far a day was read, and whether there are more replies.
fn places(connection: &Connection, day: &mut Day) -> Result<(), Error> {
    let text = "SELECT kind, number, next FROM progress WHERE day = ?";
    let mut statement = connection.prepare(text)?;
    let mut rows = statement.query([day.number])?;
    let mut files = DirectoryFiles::new(&day.folder);
    while let Some(row) = rows.next()? {
        let (kind, number): (u8, u16) = (row.get(0)?, row.get(1)?);
        let next = row.get::<_, i64>(2)? as u64;
        if kind == 0 {
            day.input_next = next;
        } else if kind == Kind::Feed as u8 {
            day.feed_next = next;
        } else {
            let name = Name {
                kind: Kind::Replies,
                number,
            };
            day.has_unread |= stream::held(&mut files, name)? >= next;
        }
    }
    Ok(())
}

/// Looks each trade of the feed up.
fn feed(
    connection: &Connection,
    day: &Day,
    compared: &mut Compared,
) -> Result<Result<(), String>, Error> {
    let mut files = DirectoryFiles::new(&day.folder);
    let (mut book, mut time_ns) = (Book::default(), day.began_ns);
    let mut outcome = Ok(Ok(()));
    if day.feed_next == 1 {
        return outcome;
    }
    stream::read(&mut files, Name::FEED, 1, &mut |message, bytes| {
        time_ns = moment(time_ns, of_day(Kind::Feed, bytes));
        let at = book::At { message, time_ns };
        let told = book.take(&at, bytes);
        outcome = told.and_then(|told| match told {
            Some(told) => look_up(connection, (day, message), &told, compared),
            None => Ok(Ok(())),
        });
        matches!(outcome, Ok(Ok(()))) && message + 1 < day.feed_next
    })?;
    outcome
}

/// Compares what the feed said of a trade with its row.
fn look_up(
    connection: &Connection,
    (day, message): (&Day, u64),
    told: &Told,
    compared: &mut Compared,
) -> Result<Result<(), String>, Error> {
    let place = format!("day {}: feed message {message}", day.name);
    let (match_number, due) = match *told {
        Told::Trade {
            match_number,
            units,
            price,
        } => (match_number, Some((units, price))),
        Told::Broken { match_number } => (match_number, None),
        Told::Cross { .. } => return cross(connection, (day, &place), told),
    };
    let text = "SELECT units, price, broken IS NULL FROM fills WHERE id = ?";
    let read = |row: &rusqlite::Row<'_>| {
        let found: (u32, i64) = (row.get(0)?, row.get(1)?);
        Ok((found, row.get::<_, bool>(2)?))
    };
    let mut statement = connection.prepare_cached(text)?;
    for is_sell in [false, true] {
        let id = fill_id(day.number, match_number, is_sell)?;
        let Some((found, is_good)) = statement.query_row([id], read).optional()? else {
            if day.has_unread {
                compared.unread += 1;
                continue;
            }
            return Ok(Err(format!(
                "{place}: fills has no row {id} of trade {match_number}"
            )));
        };
        match due {
            Some(due) if due != found => {
                return Ok(Err(format!(
                    "{place}: trade {match_number} of {} units at {}; fills row {id} says {} at {}",
                    due.0, due.1, found.0, found.1
                )));
            }
            None if is_good && !day.has_unread && !misstated(connection, day, match_number)? => {
                return Ok(Err(format!(
                    "{place}: trade {match_number} was taken back; fills row {id} does not say so"
                )));
            }
            _ => {}
        }
    }
    compared.trades += u64::from(due.is_some());
    Ok(Ok(()))
}

/// Whether a bust of this trade named an order that was not its.
fn misstated(connection: &Connection, day: &Day, match_number: u64) -> Result<bool, Error> {
    let text = "SELECT count(*) FROM refusals WHERE what = 'bust' AND code = ? \
                AND id >= ? AND id < ?";
    let range = [
        match_number as i64,
        first_of(day.number),
        first_of(day.number + 1),
    ];
    Ok(connection.query_row(text, range, |row| row.get(0))?)
}

/// Compares an auction's trades in all with their rows.
fn cross(
    connection: &Connection,
    (day, place): (&Day, &str),
    told: &Told,
) -> Result<Result<(), String>, Error> {
    let Told::Cross {
        symbol,
        units,
        price,
        time_ns,
    } = *told
    else {
        return Ok(Ok(()));
    };
    let text = "SELECT ifnull(sum(units), 0) FROM fills WHERE id & 1 = 0 AND symbol = ? \
                AND time_ns = ? AND price = ? AND liquidity NOT IN ('A', 'R')";
    let symbol = crate::rows::utf8(&symbol);
    let row = params![symbol, time_ns as i64, price];
    let mut statement = connection.prepare_cached(text)?;
    let found: i64 = statement.query_row(row, |row| row.get(0))?;
    if found as u64 == units || day.has_unread {
        return Ok(Ok(()));
    }
    Ok(Err(format!(
        "{place}: an auction of {units} units of {symbol} at {price}; fills have {found}"
    )))
}

/// An order as the journal and the tables both know it: session, its number, when.
type Key = (u16, u32, i64);

/// Looks each order of the journal up, and each row of an order in the journal.
fn orders(
    connection: &Connection,
    day: &Day,
    compared: &mut Compared,
) -> Result<Result<(), String>, Error> {
    let text = "SELECT session, user_ref, entered_ns, id FROM orders WHERE id >= ?1 AND id < ?2 \
                UNION ALL SELECT session, user_ref, time_ns, id FROM refusals \
                WHERE what = 'order' AND id >= ?1 AND id < ?2";
    let mut statement = connection.prepare(text)?;
    let mut rows = statement.query([first_of(day.number), first_of(day.number + 1)])?;
    let mut answers: HashMap<Key, Vec<i64>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let key = (row.get(0)?, row.get(1)?, row.get(2)?);
        answers.entry(key).or_default().push(row.get(3)?);
    }
    let mut members = connection.prepare("SELECT session FROM sessions WHERE day = ?")?;
    let members = members.query_map([day.number], |row| row.get::<_, u16>(0))?;
    let members: Vec<u16> = members.collect::<Result<_, _>>()?;
    let (mut mark, mut missing, mut is_cut) = (Mark::START, None, false);
    let mut others = Vec::new();
    while mark.next_sequence < day.input_next {
        let until = Until {
            durable: day.input_next - 1,
            is_over: false,
            inputs_max: day.input_next - mark.next_sequence,
        };
        let before = mark.next_sequence;
        let (_, gap) = inputs::read(&day.folder, &mut mark, until, &mut |input| {
            let command = &input.command;
            let Some(kind) = CommandKind::from_byte(command.kind) else {
                return Ok(());
            };
            let is_due = matches!(
                kind,
                CommandKind::New | CommandKind::Replace | CommandKind::Refuse
            );
            // A member's mass cancel is no order, and is refused as one is.
            let is_mass = kind == CommandKind::MassCancel && command.flags == MASS_OF_USER;
            if !is_due && !is_mass && kind != CommandKind::Amend {
                return Ok(());
            }
            let user_ref = match is_mass {
                true => command.old_user_ref,
                false => command.user_ref,
            };
            let key = (command.session, user_ref, input.time_ns as i64);
            if !members.contains(&key.0) {
                others.push(key);
                return Ok(());
            }
            let answer = answers.get_mut(&key).and_then(Vec::pop);
            compared.orders += u64::from(answer.is_some());
            if answer.is_none() && is_due && missing.is_none() {
                missing = Some((input.sequence, key));
            }
            Ok(())
        })?;
        is_cut |= gap.is_some();
        if mark.next_sequence == before {
            break;
        }
    }
    let place = format!("day {}", day.name);
    if let Some((sequence, key)) = missing {
        if day.has_unread {
            compared.unread += 1;
        } else {
            return Ok(Err(format!(
                "{place}: journal input {sequence}: order {} of session {} has no row",
                key.1, key.0
            )));
        }
    }
    // Numbers that users have for other accounts: the users hear of these.
    for (_, user_ref, time_ns) in others {
        let mut users = members.iter().map(|user| (*user, user_ref, time_ns));
        let answer = users.find_map(|key| answers.get_mut(&key).and_then(Vec::pop));
        compared.orders += u64::from(answer.is_some());
    }
    // Streams may be read further than the journal, whose last records nobody called durable yet.
    let is_left = |key: &Key, ids: &[i64]| !ids.is_empty() && (key.2 as u64) < mark.time_ns;
    let left = answers.into_iter().filter(|(key, ids)| is_left(key, ids));
    match left.min() {
        Some((key, ids)) if !is_cut => Ok(Err(format!(
            "{place}: row {} of order {} of session {}: the journal has no input of it",
            ids[0], key.1, key.0
        ))),
        _ => Ok(Ok(())),
    }
}

/// Compares a table with the one that was projected from zero; gives its rows.
fn tables(found: &Connection, due: &Connection, table: &str) -> Result<Result<u64, String>, Error> {
    let key: String = {
        let text = "SELECT group_concat(name) FROM \
                    (SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk)";
        found.query_row(text, [table], |row| row.get(0))?
    };
    let compared: String = {
        let text = "SELECT group_concat(name) FROM pragma_table_info(?) WHERE name <> ?";
        found.query_row(text, [table, MARK], |row| row.get(0))?
    };
    let text = format!("SELECT {compared} FROM {table} ORDER BY {key}");
    let (mut found, mut due) = (found.prepare(&text)?, due.prepare(&text)?);
    let columns: Vec<String> = found.column_names().map(|it| (*it).into()).collect();
    let (mut found, mut due) = (found.query([])?, due.query([])?);
    let mut rows = 0;
    loop {
        let values = |row: Option<&rusqlite::Row<'_>>| match row {
            None => Ok(None),
            Some(row) => {
                let values = (0..columns.len()).map(|column| Ok(json(row.get_ref(column)?)));
                values
                    .collect::<Result<Vec<_>, rusqlite::Error>>()
                    .map(Some)
            }
        };
        let (found, due) = (values(found.next()?)?, values(due.next()?)?);
        if found == due {
            if found.is_none() {
                return Ok(Ok(rows));
            }
            rows += 1;
            continue;
        }
        let words = |row: &Option<Vec<serde_json::Value>>| match row {
            None => "no such row".to_owned(),
            Some(values) => {
                let pairs = columns.iter().zip(values);
                let pairs: Vec<String> = pairs.map(|(name, it)| format!("{name}={it}")).collect();
                pairs.join(" ")
            }
        };
        return Ok(Err(format!(
            "table {table}: {}; a projection from zero has {}",
            words(&found),
            words(&due)
        )));
    }
}
