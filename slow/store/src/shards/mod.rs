//! Tables that are spread over several servers, by time and by symbol, and are asked as one.
//!
//! A routing table says which server has what: ranges of time, each with shards, of which a
//! symbol's rows are on one. What belongs to no time (positions, holdings, bars of an hour, tops)
//! is in the youngest range. The shard of a symbol is the one whose name, hashed with the symbol's,
//! is the greatest (rendezvous hashing): one that is added takes its share and moves nothing else,
//! and one that moves to another host keeps its name and its rows.

mod ask;
mod fill;
mod part;

pub use fill::fill;
pub(crate) use part::Part;

use part::Days;

use crate::router::{Bounds, Router};
use crate::tables::Table;
use crate::tables::{
    AUDIT, BARS, Cell, FILLS, HOLDINGS, ORDERS, POSITIONS, REFUSALS, SHOWN, TOPS, TURNS, each,
};
use crate::{Error, Location, Server};
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A routing table is not larger.
const BYTES_MAX: u64 = 1 << 20;

/// Shards of a table at most.
const SHARDS_MAX: usize = 256;

/// The width of bars that belong to no time, as the profits are made of them.
const WIDEST_S: i64 = 3_600;

/// A server of a range.
#[derive(Debug)]
struct Shard {
    name: String,
    database: Server,
    router: Router,
}

/// A time, and who has its rows.
#[derive(Debug)]
struct Range {
    /// The moment before which its rows are; the youngest has none.
    until_ns: Option<i64>,
    shards: Vec<Shard>,
}

/// Which server has what.
#[derive(Debug)]
pub struct Routes {
    /// The oldest first.
    ranges: Vec<Range>,
    days: Days,
}

impl Routes {
    /// Reads a routing table, a JSON file.
    ///
    /// # Errors
    /// It cannot be read, or says what makes no sense: the words name the place.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let told = |why: &dyn std::fmt::Display| Error::file(path, why);
        let bytes = std::fs::metadata(path).map_err(|e| told(&e))?.len();
        if bytes > BYTES_MAX {
            return Err(told(&"it is larger than a routing table may be"));
        }
        let text = std::fs::read_to_string(path).map_err(|e| told(&e))?;
        let value = serde_json::from_str(&text).map_err(|e| told(&e))?;
        Self::read(&value).map_err(|why| told(&why))
    }

    fn read(value: &Value) -> Result<Self, String> {
        let table = object(value, "the table", &["lag_ms", "ranges"])?;
        let mut bounds = Bounds::default();
        if let Some(lag) = table.get("lag_ms") {
            let lag_ms = lag.as_u64().filter(|it| *it > 0);
            let lag_ms = lag_ms.ok_or("lag_ms: a number of milliseconds above 0")?;
            bounds.lag_max = Duration::from_millis(lag_ms);
        }
        let ranges = list(table.get("ranges"), "ranges")?;
        let mut this = Self {
            ranges: Vec::new(),
            days: Days::default(),
        };
        for (at, range) in ranges.iter().enumerate() {
            let place = format!("ranges[{at}]");
            let range = read_range(range, &place, bounds)?;
            let before = this.ranges.last().and_then(|it: &Range| it.until_ns);
            if range.until_ns.is_some() != (at + 1 < ranges.len()) {
                return Err(format!(
                    "{place}.until_ns: all have one but the last, the youngest"
                ));
            }
            if before.is_some() && range.until_ns.is_some() && range.until_ns <= before {
                return Err(format!(
                    "{place}.until_ns: not behind that of the range before"
                ));
            }
            this.ranges.push(range);
        }
        let all: Vec<&Shard> = this.ranges.iter().flat_map(|it| &it.shards).collect();
        if all.len() > SHARDS_MAX {
            return Err(format!("{} shards: no more than {SHARDS_MAX}", all.len()));
        }
        for (at, shard) in all.iter().enumerate() {
            let same = |it: &&&Shard| it.database.to_string() == shard.database.to_string();
            if all[..at].iter().any(|it| same(&it)) {
                let database = &shard.database;
                return Err(format!(
                    "database {database}: twice; each shard has its own"
                ));
            }
        }
        Ok(this)
    }

    /// The databases of all shards, by the shards' names, the oldest range first: each takes and
    /// has the rows of its shard alone.
    #[must_use]
    pub fn locations(self: &Arc<Self>) -> Vec<(String, Location)> {
        let parts = Part::all(self).into_iter();
        parts.map(located).collect()
    }

    /// The databases of the youngest range, which a projection goes on in.
    ///
    /// # Errors
    /// The range is none that a projection can go on in: the words say why.
    pub fn written(self: &Arc<Self>) -> Result<Vec<(String, Location)>, Error> {
        let parts = Part::all(self).into_iter();
        let youngest = parts.filter(Part::is_youngest);
        let located = |part: Part| match part.unfit() {
            None => Ok(located(part)),
            Some(why) => Err(Error::Refused(format!("the routing table: {why}"))),
        };
        youngest.map(located).collect()
    }

    /// Learns the numbers that days have in the databases of the youngest range, but in one of
    /// them; what does not answer soon has said nothing.
    ///
    /// # Errors
    /// They do not agree.
    pub fn learn_days(self: &Arc<Self>, but: &str) -> Result<(), Error> {
        let parts = Part::all(self).into_iter().filter(Part::is_youngest);
        for part in parts.filter(|part| part.name() != but) {
            let server = part.server().within(Bounds::default().look_max);
            let Ok(tables) = Location::Server(server).reader() else {
                continue;
            };
            let mut days = Vec::new();
            let read = each(&*tables, "SELECT name, day FROM days", &[], &mut |row| {
                days.push((row[0].text()?.to_owned(), row[1].integer()?));
                Ok(())
            });
            if read.is_ok() {
                let mut days = days.into_iter();
                days.try_for_each(|(day, number)| part.agree(&day, number))?;
            }
        }
        Ok(())
    }

    /// The range and the shard that a row belongs to; none if it belongs to all.
    fn of(&self, table: &Table, row: &[Cell<'_>]) -> Result<Option<(usize, usize)>, Error> {
        let column = |name: &str| table.columns.iter().position(|it| *it == name);
        let cell = |name: &str| column(name).map_or(Cell::Null, |at| row[at]);
        let youngest = self.ranges.len() - 1;
        let is = |other: &Table| std::ptr::eq(table.name, other.name);
        let time = match () {
            () if is(&ORDERS) => Some("entered_ns"),
            () if is(&FILLS) || is(&REFUSALS) || is(&AUDIT) || is(&TURNS) => Some("time_ns"),
            () if is(&BARS) && cell("width_s").integer::<i64>()? < WIDEST_S => Some("start_ns"),
            () if is(&BARS) || is(&POSITIONS) || is(&HOLDINGS) => None,
            () if is(&SHOWN) || is(&TOPS) => None,
            () => return Ok(None),
        };
        let range = match time {
            // What tells that inputs are gone has no moment.
            Some(name) => match cell(name).integer()? {
                0 => youngest,
                time_ns => self.range_at(time_ns),
            },
            None => youngest,
        };
        let symbol = match cell("symbol") {
            Cell::Text(symbol) => symbol,
            _ => "",
        };
        Ok(Some((range, self.ranges[range].shard_of(symbol))))
    }

    /// The range of a moment.
    fn range_at(&self, time_ns: i64) -> usize {
        let is_before = |it: &Range| it.until_ns.is_none_or(|until| time_ns < until);
        let found = self.ranges.iter().position(is_before);
        found.unwrap_or(self.ranges.len() - 1)
    }
}

fn located(part: Part) -> (String, Location) {
    (part.name().to_owned(), Location::Server(part.server()))
}

impl Range {
    fn shard_of(&self, symbol: &str) -> usize {
        let weight = |shard: &Shard| weight(&shard.name, symbol);
        let all = self.shards.iter().enumerate();
        all.max_by_key(|(_, shard)| weight(shard))
            .map_or(0, |(at, _)| at)
    }
}

/// How much a shard wants a symbol: FNV-1a of both names, its bits then mixed as MurmurHash3 ends,
/// because those of short names are not.
fn weight(shard: &str, symbol: &str) -> u64 {
    let bytes = shard.bytes().chain([0]).chain(symbol.bytes());
    let hash = bytes.fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    hash ^ (hash >> 33)
}

fn object<'v>(
    value: &'v Value,
    place: &str,
    known: &[&str],
) -> Result<&'v Map<String, Value>, String> {
    let found = value
        .as_object()
        .ok_or_else(|| format!("{place}: an object"))?;
    match found.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!(
            "{place}: {key:?} is not known; there are {}",
            known.join(", ")
        )),
        None => Ok(found),
    }
}

fn list<'v>(value: Option<&'v Value>, place: &str) -> Result<&'v Vec<Value>, String> {
    let found = value.and_then(Value::as_array).filter(|it| !it.is_empty());
    found.ok_or_else(|| format!("{place}: a list that is not empty"))
}

fn read_range(value: &Value, place: &str, bounds: Bounds) -> Result<Range, String> {
    let range = object(value, place, &["until_ns", "shards"])?;
    let until_ns = range.get("until_ns").map(|it| {
        let told = || format!("{place}.until_ns: nanoseconds since the Unix epoch");
        it.as_i64().ok_or_else(told)
    });
    let mut shards: Vec<Shard> = Vec::new();
    for (at, shard) in list(range.get("shards"), &format!("{place}.shards"))?
        .iter()
        .enumerate()
    {
        let place = format!("{place}.shards[{at}]");
        let shard = read_shard(shard, &place, bounds)?;
        if shards.iter().any(|it| it.name == shard.name) {
            return Err(format!("{place}.name: {:?} twice", shard.name));
        }
        shards.push(shard);
    }
    Ok(Range {
        until_ns: until_ns.transpose()?,
        shards,
    })
}

fn read_shard(value: &Value, place: &str, bounds: Bounds) -> Result<Shard, String> {
    let shard = object(value, place, &["name", "database", "replicas"])?;
    let text = |value: Option<&Value>, place: String| {
        let found = value.and_then(Value::as_str).filter(|it| !it.is_empty());
        found
            .map(str::to_owned)
            .ok_or_else(|| format!("{place}: text"))
    };
    let server = |value: Option<&Value>, place: String| {
        let address = text(value, place.clone())?;
        match Location::read(address.as_ref()).map_err(|why| format!("{place}: {why}"))? {
            Location::Server(server) => Ok(server),
            Location::File(_) => Err(format!("{place}: {address}: no server's address")),
        }
    };
    let database = server(shard.get("database"), format!("{place}.database"))?;
    let none = Vec::new();
    let replicas = match shard.get("replicas") {
        None => &none,
        some => list(some, &format!("{place}.replicas"))?,
    };
    let replicas = replicas
        .iter()
        .map(|it| server(Some(it), format!("{place}.replicas")))
        .collect::<Result<_, _>>()?;
    Ok(Shard {
        name: text(shard.get("name"), format!("{place}.name"))?,
        router: Router::new(database.clone(), replicas, bounds),
        database,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shards(count: usize) -> Value {
        let shard = |at: usize| {
            let database = format!("postgres://h/t{at}");
            json!({"name": format!("s{at}"), "database": database})
        };
        (0..count).map(shard).collect()
    }

    fn refused(value: Value) -> String {
        Routes::read(&value).unwrap_err()
    }

    #[test]
    fn tables_that_make_no_sense_are_refused_by_place() {
        let one = || json!({"shards": shards(1)});
        assert!(Routes::read(&json!({"ranges": [one()]})).is_ok());
        assert!(refused(json!({"ranges": []})).starts_with("ranges: a list"));
        assert!(refused(json!({"ranges": [one()], "lag": 1})).contains("\"lag\" is not known"));
        assert!(refused(json!({"ranges": [one()], "lag_ms": 0})).starts_with("lag_ms"));
        let open = json!({"ranges": [one(), one()]});
        assert!(refused(open).starts_with("ranges[0].until_ns: all have one but"));
        let old = |until: i64, name: &str| {
            let database = format!("postgres://h/{name}");
            json!({"until_ns": until, "shards": [{"name": "a", "database": database}]})
        };
        let back = json!({"ranges": [old(5, "a"), old(5, "b"), one()]});
        assert!(refused(back).starts_with("ranges[1].until_ns: not behind"));
        let twice = json!({"ranges": [old(5, "t0"), one()]});
        assert!(refused(twice).contains("twice"));
        let file = json!({"ranges": [{"shards": [{"name": "a", "database": "tables.db"}]}]});
        assert!(refused(file).starts_with("ranges[0].shards[0].database: tables.db"));
    }

    #[test]
    fn a_shard_more_takes_its_share_and_moves_nothing_else() {
        let of = |count: usize| {
            let value = json!({"ranges": [{"shards": shards(count)}]});
            Routes::read(&value).unwrap()
        };
        let (four, five) = (of(4), of(5));
        let mut counts = [0; 5];
        for number in 0..10_000 {
            let symbol = format!("SYM{number}");
            let [before, after] = [&four, &five].map(|it| it.ranges[0].shard_of(&symbol));
            assert!(after == before || after == 4);
            counts[after] += 1;
        }
        assert!(
            counts.iter().all(|count| (1_800..2_200).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn moments_belong_to_the_range_before_whose_end_they_are() {
        let range = |until: i64, name: &str| {
            let database = format!("postgres://h/{name}");
            json!({"until_ns": until, "shards": [{"name": "a", "database": database}]})
        };
        let value = json!({"ranges": [range(10, "x"), range(20, "y"), {"shards": shards(1)}]});
        let routes = Routes::read(&value).unwrap();
        let at = [i64::MIN, 9, 10, 19, 20, i64::MAX].map(|time| routes.range_at(time));
        assert_eq!(at, [0, 0, 1, 1, 2, 2]);
    }
}
