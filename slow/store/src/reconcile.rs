//! Whether tables, journal and feed agree, row by row.

use crate::book::{self, Book, Told};
use crate::day::of_day;
use crate::inputs::{self, Until};
use crate::place::{fill_id, first_of, moment};
use crate::projector::Limits;
use crate::rebuild::remove;
use crate::same::same;
use crate::tables::{ALL, Cell, Tables, each, first, number};
use crate::{Error, Location, Projector, moved, sums};
use journal::stream::{self, Kind, Name};
use journal::{DirectoryFiles, Mark};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use wire::ring::{CommandKind, MASS_OF_USER};

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
pub fn reconcile(data_dir: &Path, location: &Location) -> Result<Result<Compared, String>, Error> {
    let tables = location.reader()?;
    let draft = match location {
        Location::File(path) => {
            let mut name = path.as_os_str().to_owned();
            name.push(".check");
            PathBuf::from(name)
        }
        #[cfg(feature = "postgres")]
        Location::Server(_) => {
            let name = format!("wirecross-{}.check", std::process::id());
            std::env::temp_dir().join(name)
        }
    };
    remove(&draft)?;
    // All is read as it stands at one moment, also beside a process that writes.
    tables.freeze()?;
    let compared = compare(&*tables, data_dir, &draft);
    remove(&draft)?;
    compared
}

fn compare(
    tables: &dyn Tables,
    data_dir: &Path,
    draft: &Path,
) -> Result<Result<Compared, String>, Error> {
    let mut compared = Compared::default();
    let moved = moved::seconds(tables)?;
    let made = || from_zero(tables, (data_dir, draft), &moved);
    // A shard has not all that the venue's files tell of: what is compared with these is then the
    // projection of all that the shard is compared with.
    let early = tables.is_shard().then(made).transpose()?;
    let whole = early.as_ref().map_or(tables, Projector::tables);
    if let Err(difference) = with_files(whole, (data_dir, &moved), &mut compared)? {
        return Ok(Err(difference));
    }
    let projector = early.map_or_else(made, Ok)?;
    for table in ALL {
        match same(tables, projector.tables(), table)? {
            Ok(rows) => compared.rows += rows,
            Err(difference) => return Ok(Err(difference)),
        }
    }
    Ok(Ok(compared))
}

/// A projection from zero up to where the tables stand, without the days that were moved and what
/// went with each.
fn from_zero(
    tables: &dyn Tables,
    (data_dir, draft): (&Path, &Path),
    moved: &[(i64, i64)],
) -> Result<Projector, Error> {
    let mut projector = Projector::open(data_dir, &Location::File(draft.to_owned()))?;
    projector.until = Some(limits(tables)?);
    projector.catch_up()?;
    for &(day, until_ns) in moved {
        moved::take_out(projector.tables(), day, until_ns)?;
    }
    Ok(projector)
}

/// Compares tables with journal and feed, and what is kept as sums with its rows.
fn with_files(
    tables: &dyn Tables,
    (data_dir, moved): (&Path, &[(i64, i64)]),
    compared: &mut Compared,
) -> Result<Result<(), String>, Error> {
    let days = days(tables, data_dir)?;
    let is_there = |day: &&Day| moved.iter().all(|(moved, _)| *moved != day.number);
    for day in days.iter().filter(is_there) {
        if let Err(difference) = feed(tables, day, compared)? {
            return Ok(Err(difference));
        }
        if let Err(difference) = orders(tables, day, compared)? {
            return Ok(Err(difference));
        }
    }
    sums::compare(tables)
}

/// Where the tables stand.
fn limits(tables: &dyn Tables) -> Result<Limits, Error> {
    let text = "SELECT name, kind, number, next FROM progress JOIN days USING (day)";
    let mut limits = Limits::default();
    // Of a day that was just begun nothing came as yet.
    each(tables, "SELECT name FROM days", &[], &mut |row| {
        limits.days.insert(row[0].text()?.to_owned());
        Ok(())
    })?;
    each(tables, text, &[], &mut |row| {
        let key = (
            row[0].text()?.to_owned(),
            row[1].integer()?,
            row[2].integer()?,
        );
        limits.places.insert(key, row[3].bits()?);
        Ok(())
    })?;
    Ok(limits)
}

fn days(tables: &dyn Tables, data_dir: &Path) -> Result<Vec<Day>, Error> {
    let text = "SELECT day, name, began_ns FROM days ORDER BY day";
    let mut days = Vec::new();
    each(tables, text, &[], &mut |row| {
        let name = row[1].text()?.to_owned();
        let folder = data_dir.join(&name);
        if folder.is_dir() {
            days.push(Day {
                number: row[0].integer()?,
                name,
                folder,
                feed_next: 1,
                input_next: 1,
                began_ns: row[2].bits()?,
                has_unread: false,
            });
        }
        Ok(())
    })?;
    days.iter_mut().try_for_each(|day| places(tables, day))?;
    Ok(days)
}

/// Reads how far a day was read, and whether there are more replies.
fn places(tables: &dyn Tables, day: &mut Day) -> Result<(), Error> {
    let text = "SELECT kind, number, next FROM progress WHERE day = $1";
    let mut files = DirectoryFiles::new(&day.folder);
    each(tables, text, &[day.number.into()], &mut |row| {
        let (kind, number): (u8, u16) = (row[0].integer()?, row[1].integer()?);
        let next = row[2].bits()?;
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
        Ok(())
    })
}

/// Looks each trade of the feed up, and each trade of the tables in the feed.
fn feed(
    tables: &dyn Tables,
    day: &Day,
    compared: &mut Compared,
) -> Result<Result<(), String>, Error> {
    let mut files = DirectoryFiles::new(&day.folder);
    let (mut book, mut time_ns) = (Book::default(), day.began_ns);
    let mut outcome = Ok(Ok(()));
    if day.feed_next == 1 {
        return outcome;
    }
    let mut trades = HashSet::new();
    stream::read(&mut files, Name::FEED, 1, &mut |message, bytes| {
        time_ns = moment(time_ns, of_day(Kind::Feed, bytes));
        let at = book::At { message, time_ns };
        let told = book.take(&at, bytes);
        if let Ok(Some(Told::Trade { match_number, .. })) = told {
            trades.insert(match_number);
        }
        outcome = told.and_then(|told| match told {
            Some(told) => look_up(tables, (day, message), &told, compared),
            None => Ok(Ok(())),
        });
        matches!(outcome, Ok(Ok(()))) && message + 1 < day.feed_next
    })?;
    match outcome? {
        Ok(()) => told_of(tables, day, &trades, time_ns),
        difference => Ok(difference),
    }
}

/// Looks each trade of the tables up in what the feed told up to a moment. The replies may have
/// been read further than the feed, and the feed sums an auction's up.
fn told_of(
    tables: &dyn Tables,
    day: &Day,
    trades: &HashSet<u64>,
    until_ns: u64,
) -> Result<Result<(), String>, Error> {
    let text = "SELECT id FROM fills WHERE id >= $1 AND id < $2 AND id & 1 = 0 \
                AND time_ns < $3 AND liquidity IN ('A', 'R') ORDER BY id";
    let from = first_of(day.number);
    let range = [
        from.into(),
        first_of(day.number + 1).into(),
        until_ns.into(),
    ];
    let mut untold = None;
    each(tables, text, &range, &mut |row| {
        let id: i64 = row[0].integer()?;
        let match_number = (id - from) as u64 >> 1;
        if untold.is_none() && !trades.contains(&match_number) {
            untold = Some((id, match_number));
        }
        Ok(())
    })?;
    Ok(untold.map_or(Ok(()), |(id, match_number)| {
        let name = &day.name;
        Err(format!(
            "day {name}: fills row {id}: the feed has no trade {match_number}"
        ))
    }))
}

/// Compares what the feed said of a trade with its row.
fn look_up(
    tables: &dyn Tables,
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
        Told::Cross { .. } => return cross(tables, (day, &place), told),
    };
    let text = "SELECT units, price, broken IS NULL FROM fills WHERE id = $1";
    let read = |row: &[Cell<'_>]| {
        let found: (u32, i64) = (row[0].integer()?, row[1].integer()?);
        Ok((found, row[2].integer::<i64>()? != 0))
    };
    for is_sell in [false, true] {
        let id = fill_id(day.number, match_number, is_sell)?;
        let Some((found, is_good)) = first(tables, text, &[id.into()], read)? else {
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
            None if is_good && !day.has_unread && !misstated(tables, day, match_number)? => {
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
fn misstated(tables: &dyn Tables, day: &Day, match_number: u64) -> Result<bool, Error> {
    let text = "SELECT count(*) FROM refusals WHERE what = 'bust' AND code = $1 \
                AND id >= $2 AND id < $3";
    let range = [
        match_number.into(),
        first_of(day.number).into(),
        first_of(day.number + 1).into(),
    ];
    Ok(number(tables, text, &range)? > 0)
}

/// Compares an auction's trades in all with their rows.
fn cross(
    tables: &dyn Tables,
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
    let text = "SELECT coalesce(CAST(sum(units) AS BIGINT), 0) FROM fills \
                WHERE id & 1 = 0 AND symbol = $1 \
                AND time_ns = $2 AND price = $3 AND liquidity NOT IN ('A', 'R')";
    let symbol = crate::rows::utf8(&symbol);
    let row = [(&*symbol).into(), time_ns.into(), price.into()];
    let found = number(tables, text, &row)?;
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
    tables: &dyn Tables,
    day: &Day,
    compared: &mut Compared,
) -> Result<Result<(), String>, Error> {
    let text = "SELECT session, user_ref, entered_ns, id FROM orders \
                WHERE id >= $1 AND id < $2 \
                UNION ALL SELECT session, user_ref, time_ns, id FROM refusals \
                WHERE what = 'order' AND id >= $1 AND id < $2";
    let range = [first_of(day.number), first_of(day.number + 1)].map(Into::into);
    let mut answers: HashMap<Key, Vec<i64>> = HashMap::new();
    each(tables, text, &range, &mut |row| {
        let key = (row[0].integer()?, row[1].integer()?, row[2].integer()?);
        answers.entry(key).or_default().push(row[3].integer()?);
        Ok(())
    })?;
    let mut members: Vec<u16> = Vec::new();
    let text = "SELECT session FROM sessions WHERE day = $1 ORDER BY session";
    each(tables, text, &[day.number.into()], &mut |row| {
        members.push(row[0].integer()?);
        Ok(())
    })?;
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
