//! One shard of a routing table, as whoever writes it sees it.

use super::{Range, Routes};
use crate::tables::{Cell, Table};
use crate::{Error, Server};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Bars of an hour are made of narrower ones of their range: one that begins within an hour has
/// some of them only.
const HOUR_NS: i64 = 3_600_000_000_000;

/// The number of each day, as all shards of a routing table are to have it.
#[derive(Debug, Default)]
pub(super) struct Days(Mutex<BTreeMap<String, i64>>);

impl Days {
    /// Learns a day's number; gives another one if it has that already.
    pub(super) fn agree(&self, name: &str, number: i64) -> Result<(), i64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *known.entry(name.to_owned()).or_insert(number) {
            same if same == number => Ok(()),
            other => Err(other),
        }
    }
}

/// A shard: which rows are its own.
#[derive(Clone)]
pub struct Part {
    routes: Arc<Routes>,
    range: usize,
    shard: usize,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({})", self.words())
    }
}

impl Part {
    /// The shards of all ranges, the oldest range first.
    pub(super) fn all(routes: &Arc<Routes>) -> Vec<Self> {
        let ranges = routes.ranges.iter().enumerate();
        let places =
            ranges.flat_map(|(range, it)| (0..it.shards.len()).map(move |shard| (range, shard)));
        let part = |(range, shard)| Self {
            routes: Arc::clone(routes),
            range,
            shard,
        };
        places.map(part).collect()
    }

    fn of_range(&self) -> &Range {
        &self.routes.ranges[self.range]
    }

    /// The name of the shard.
    pub(crate) fn name(&self) -> &str {
        &self.of_range().shards[self.shard].name
    }

    /// Its server, which then takes its rows alone.
    pub(crate) fn server(&self) -> Server {
        let database = &self.of_range().shards[self.shard].database;
        database.clone().with_part(Arc::new(self.clone()))
    }

    /// Whether its rows are of the time that goes on.
    pub(super) fn is_youngest(&self) -> bool {
        self.range + 1 == self.routes.ranges.len()
    }

    /// The moment from which on its rows are; none if there is no older range.
    fn since_ns(&self) -> Option<i64> {
        let before = self.range.checked_sub(1);
        before.and_then(|before| self.routes.ranges[before].until_ns)
    }

    /// Why nobody can write it but from another database, if so.
    pub(super) fn unfit(&self) -> Option<String> {
        let since_ns = self.since_ns().filter(|it| it % HOUR_NS != 0)?;
        Some(format!(
            "the youngest range begins at {since_ns}, within an hour, whose bars would be of two \
             ranges: let `until_ns` of the one before be a whole hour"
        ))
    }

    /// Which part of all it is, in words that a database keeps: other rows belong to a shard of
    /// other neighbours or of another time.
    pub(crate) fn words(&self) -> String {
        let names = self.of_range().shards.iter().map(|it| &it.name);
        let mut names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
        names.sort();
        let since = self.since_ns().map(|it| format!(", since {it}"));
        let until = self.of_range().until_ns.map(|it| format!(", until {it}"));
        let bounds = since.unwrap_or_default() + &until.unwrap_or_default();
        format!("shard {:?} of {}{bounds}", self.name(), names.join(", "))
    }

    /// Whether a symbol's rows are here; those without one if it is empty.
    pub(crate) fn keeps(&self, symbol: &str) -> bool {
        self.of_range().shard_of(symbol) == self.shard
    }

    /// Whether a row is here.
    pub(crate) fn has(&self, table: &Table, row: &[Cell<'_>]) -> Result<bool, Error> {
        let place = self.routes.of(table, row)?;
        Ok(place.is_none_or(|place| place == (self.range, self.shard)))
    }

    /// Whether a row that is to be written is for this shard.
    ///
    /// # Errors
    /// It is of another range, which nobody writes meanwhile.
    pub(crate) fn takes(&self, table: &Table, row: &[Cell<'_>]) -> Result<bool, Error> {
        let Some((range, shard)) = self.routes.of(table, row)? else {
            return Ok(true);
        };
        if range == self.range {
            return Ok(shard == self.shard);
        }
        Err(Error::Refused(format!(
            "shard {}: a row of {} is of an older range: a projection goes on in the youngest one, \
             from where `copy --routes` filled all of them up to its beginning",
            self.name(),
            table.name
        )))
    }

    /// Learns that a day has this number here.
    ///
    /// # Errors
    /// Other shards have another one.
    pub(crate) fn agree(&self, day: &str, number: i64) -> Result<(), Error> {
        let agreed = self.routes.days.agree(day, number);
        agreed.map_err(|other| {
            Error::Refused(format!(
                "shard {}: day {day} is number {number} here, and {other} in other shards: days \
                 were removed before this one read them; make all anew by `rebuild --routes`",
                self.name()
            ))
        })
    }
}
