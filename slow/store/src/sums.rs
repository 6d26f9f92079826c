//! What is kept as sums, made anew of the rows that it sums up.

use crate::answer::plain;
use crate::place::first_of;
use crate::tables::{Reading, Tables, each, explained};
use crate::{Error, Location, moved};

/// A table that is kept, and the statements that give its rows: as they are kept, and made anew.
struct Sum {
    name: &'static str,
    kept: &'static str,
    made: &'static str,
}

/// All of them; DAY is a day whose rows are in the tables, and FIRST and END are the bounds of its
/// ids; from SECONDS on there are bars of a second of all trades. What has been taken back in all
/// is a row of nothing.
const SUMS: [Sum; 3] = [
    Sum {
        name: "positions",
        kept: "SELECT account, symbol, bought_units, bought_value, sold_units, sold_value \
               FROM positions WHERE (bought_units <> 0 OR sold_units <> 0) AND day = DAY",
        made: "SELECT account, symbol, \
               CAST(sum(CASE id & 1 WHEN 0 THEN units ELSE 0 END) AS BIGINT), \
               CAST(sum(CASE id & 1 WHEN 0 THEN units * price ELSE 0 END) AS BIGINT), \
               CAST(sum(CASE id & 1 WHEN 1 THEN units ELSE 0 END) AS BIGINT), \
               CAST(sum(CASE id & 1 WHEN 1 THEN units * price ELSE 0 END) AS BIGINT) \
               FROM fills WHERE broken IS NULL AND id >= FIRST AND id < END \
               GROUP BY account, symbol",
    },
    Sum {
        name: "holdings",
        kept: "SELECT account, symbol, bought_units, bought_value, sold_units, sold_value \
               FROM holdings",
        made: "SELECT account, symbol, CAST(sum(bought_units) AS BIGINT), \
               CAST(sum(bought_value) AS BIGINT), CAST(sum(sold_units) AS BIGINT), \
               CAST(sum(sold_value) AS BIGINT) FROM positions GROUP BY account, symbol",
    },
    Sum {
        name: "bars",
        kept: "SELECT symbol, width_s, start_ns, high, low, units, value, trades, first_id, \
               last_id FROM bars \
               WHERE width_s > 1 AND ( width_s > 60 OR start_ns >= SECONDS )",
        made: "SELECT symbol, width_s * 60, start_ns - start_ns % (width_s * 60 * 1000000000), \
               max(high), min(low), CAST(sum(units) AS BIGINT), CAST(sum(value) AS BIGINT), \
               CAST(sum(trades) AS BIGINT), min(first_id), max(last_id) FROM bars \
               WHERE width_s < 3600 AND ( width_s > 1 OR start_ns >= SECONDS ) \
               GROUP BY symbol, width_s, start_ns - start_ns % (width_s * 60 * 1000000000)",
    },
];

impl Sum {
    /// Its statements: those of each day, or the same for all.
    fn of(&self, days: &[i64], seconds_from: i64) -> Vec<[String; 2]> {
        let of_day = |day: i64| {
            let range = [day, first_of(day), first_of(day + 1)];
            [self.kept, self.made].map(|text| {
                let names = ["DAY", "FIRST", "END"].into_iter().zip(range);
                names.fold(text.to_owned(), |text, (name, number)| {
                    replaced(&text, name, number)
                })
            })
        };
        match self.kept.contains("DAY") {
            true => days.iter().map(|day| of_day(*day)).collect(),
            false => vec![[self.kept, self.made].map(|it| replaced(it, "SECONDS", seconds_from))],
        }
    }
}

/// The text with a number for each word that is this name.
fn replaced(text: &str, name: &str, number: i64) -> String {
    let words = text.split(' ').map(|word| match word == name {
        true => number.to_string(),
        false => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The days whose rows are in the tables.
fn days(tables: &dyn Tables) -> Result<Vec<i64>, Error> {
    let moved = moved::list(tables)?;
    let mut days = Vec::new();
    each(
        tables,
        "SELECT day FROM days ORDER BY day",
        &[],
        &mut |row| {
            days.push(row[0].integer()?);
            Ok(())
        },
    )?;
    days.retain(|day| !moved.iter().any(|(it, _)| it == day));
    Ok(days)
}

/// Compares all sums with what is made anew of the rows; the first difference in words.
///
/// # Errors
/// The database fails.
pub(crate) fn compare(tables: &dyn Tables) -> Result<Result<(), String>, Error> {
    let (days, seconds_from) = (days(tables)?, moved::seconds_from(tables)?);
    tables.read_for(Reading::Whole)?;
    for sum in &SUMS {
        for [kept, made] in sum.of(&days, seconds_from) {
            if let Err(row) = difference(tables, &kept, &made)? {
                return Ok(Err(format!("table {}: {row}", sum.name)));
            }
        }
    }
    tables.read_for(Reading::Rows)?;
    Ok(Ok(()))
}

fn difference(tables: &dyn Tables, kept: &str, made: &str) -> Result<Result<(), String>, Error> {
    for (one, other, words) in [
        (kept, made, "is kept, and its rows do not make it"),
        (made, kept, "is what its rows make, and is not kept"),
    ] {
        let text = format!("SELECT * FROM ({one} EXCEPT {other}) differ ORDER BY 1, 2, 3 LIMIT 1");
        let mut row = Vec::new();
        each(tables, &text, &[], &mut |cells| {
            plain(cells, &mut row).map_err(|error| Error::Refused(error.to_string()))
        })?;
        if !row.is_empty() {
            let row = String::from_utf8_lossy(&row);
            return Ok(Err(format!("{} {words}", row.trim_end())));
        }
    }
    Ok(Ok(()))
}

/// How the database goes about making each of them anew, a line a step.
///
/// # Errors
/// The database cannot be used.
pub fn plans(location: &Location) -> Result<Vec<String>, Error> {
    let tables = location.reader()?;
    tables.freeze()?;
    let (days, seconds_from) = (days(&*tables)?, moved::seconds_from(&*tables)?);
    tables.read_for(Reading::Whole)?;
    let mut lines = Vec::new();
    for sum in &SUMS {
        for [_, made] in sum.of(&days, seconds_from) {
            lines.push(format!("{}:", sum.name));
            lines.extend(explained(&*tables, &made, &[])?);
        }
    }
    tables.commit()?;
    Ok(lines)
}
