//! A documented query of all shards that may have rows for it, merged in its order.

use super::{Range, Routes, Shard, WIDEST_S};
use crate::Error;
use crate::query::{self, Filter, Gathered, Owned};
use std::cmp::Ordering;
use std::io::Write;

impl Routes {
    /// Asks a query of the shards that may have rows for it, at once, and writes them as one
    /// answer of a [`query::Reader`]. Gives how many rows there are.
    ///
    /// # Errors
    /// As [`query::Reader::query`]; also if one of these shards gives no answer: part of one is
    /// none.
    pub fn query(
        &self,
        name: &str,
        filter: &Filter,
        (is_json, out): (bool, &mut dyn Write),
    ) -> Result<u64, Error> {
        let asked = self.asked(name, filter);
        let mut gathered = std::thread::scope(|threads| {
            let threads: Vec<_> = asked
                .iter()
                .map(|shard| threads.spawn(|| gather(shard, name, filter)))
                .collect();
            let joined = threads.into_iter().map(|it| {
                let words = || Error::Refused("a thread that asked a shard panicked".to_owned());
                it.join().map_err(|_| words())?
            });
            joined.collect::<Result<Vec<_>, Error>>()
        })?;
        if query::is_of_youngest(name) {
            self.leave_youngest(&mut gathered)?;
        }
        query::write(&merged(gathered, filter), is_json, out)
    }

    /// Leaves the rows of the youngest day. Shards of old times know of no younger one than their
    /// own.
    fn leave_youngest(&self, gathered: &mut [Gathered]) -> Result<(), Error> {
        let Some(shard) = self.ranges.last().and_then(|it| it.shards.first()) else {
            return Ok(());
        };
        let text = "SELECT coalesce(max(day), 0) FROM days";
        let read = shard.router.read(None, &mut |reader| {
            reader.first(text, |row| row[0].integer())
        });
        let youngest = read.map_err(|error| told(shard, error))?.value.unwrap_or(0);
        for answer in gathered {
            answer
                .rows
                .retain(|row| matches!(row[0], Owned::Integer(day) if day >= youngest));
        }
        Ok(())
    }

    /// The shards that may have rows.
    fn asked(&self, name: &str, filter: &Filter) -> Vec<&Shard> {
        let is_timeless = ["positions", "profits", "tops"].contains(&name)
            || name == "bars" && filter.width_s.is_some_and(|it| i64::from(it) >= WIDEST_S);
        let begins = |at: usize| at.checked_sub(1).and_then(|at| self.ranges[at].until_ns);
        let youngest = self.ranges.len() - 1;
        let is_asked = |at: usize, range: &Range| match is_timeless {
            true => at == youngest,
            // What tells that inputs are gone has no moment.
            false if name == "audit" && at == youngest => true,
            false => {
                let is_over = range
                    .until_ns
                    .zip(filter.from_ns)
                    .is_some_and(|(end, from)| end <= from);
                let is_ahead = begins(at)
                    .zip(filter.to_ns)
                    .is_some_and(|(begin, to)| to <= begin);
                !is_over && !is_ahead
            }
        };
        let ranges = self.ranges.iter().enumerate();
        let ranges = ranges.filter(|(at, range)| is_asked(*at, range));
        let mut asked = Vec::new();
        for (_, range) in ranges {
            match &filter.symbol {
                Some(symbol) => asked.push(&range.shards[range.shard_of(symbol)]),
                None => asked.extend(&range.shards),
            }
        }
        // An answer without rows has columns all the same.
        if asked.is_empty() {
            asked.extend(self.ranges[youngest].shards.first());
        }
        asked
    }
}

fn gather(shard: &Shard, name: &str, filter: &Filter) -> Result<Gathered, Error> {
    let read = shard
        .router
        .read(None, &mut |reader| reader.gather(name, filter));
    Ok(read.map_err(|error| told(shard, error))?.value)
}

fn told(shard: &Shard, error: Error) -> Error {
    match error {
        Error::Server(words) => Error::Server(format!("shard {}: {words}", shard.name)),
        other => other,
    }
}

/// All rows in their order, the first of them.
fn merged(gathered: Vec<Gathered>, filter: &Filter) -> Gathered {
    let rows_max = filter.rows_max.unwrap_or(query::ROWS_MAX) as usize;
    let mut all = gathered.into_iter();
    let Some(mut merged) = all.next() else {
        return Gathered::default();
    };
    merged.rows.extend(all.flat_map(|it| it.rows));
    let key = &merged.key;
    // Each shard's are in order already, which is what this sort is quick with.
    merged.rows.sort_by(|one, other| {
        let parts = key.iter().map(|at| order(&one[*at], &other[*at]));
        let order = parts.fold(Ordering::Equal, Ordering::then);
        match filter.is_newest_first {
            true => order.reverse(),
            false => order,
        }
    });
    merged.rows.truncate(rows_max);
    merged
}

/// As databases order them: words by their bytes.
fn order(one: &Owned, other: &Owned) -> Ordering {
    match (one, other) {
        (Owned::Integer(one), Owned::Integer(other)) => one.cmp(other),
        (Owned::Text(one), Owned::Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        _ => Ordering::Equal,
    }
}
