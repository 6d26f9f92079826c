//! How long an answer holds: until a table changes that it was read of.

use super::{Reader, named};
use crate::Error;
use crate::versions::{Version, Versions};

impl Reader {
    /// How far the tables that a query reads were when one of them last changed, as they stand now:
    /// as long as that is the same, so are all its answers, if `wirecross-slow` alone writes. Asked
    /// of [tables that stand still](Self::freeze).
    ///
    /// # Errors
    /// There is no such query, or the database fails.
    pub fn version(&self, name: &str) -> Result<Version, Error> {
        let reads = named(name)?.reads;
        let changes = self.tables.changes()?;
        if let Some((before, versions)) = self.looked.get()
            && Some(before) == changes
        {
            return Ok(versions.of(reads));
        }
        let versions = Versions::read(&*self.tables)?;
        self.looked.set(changes.map(|changes| (changes, versions)));
        Ok(versions.of(reads))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Bound, Filter, QUERIES, statement};
    use crate::Database;
    use crate::tables::{ALL, Cell, Tables, each};
    use std::collections::BTreeSet;

    /// The tables that SQLite opens for a query, by the pages where they and their indexes begin.
    fn opened(database: &Database, text: &str, values: &[Cell<'_>]) -> BTreeSet<String> {
        let mut pages = BTreeSet::new();
        let text = format!("EXPLAIN {text}");
        each(database, &text, values, &mut |row| {
            if matches!(row[1], Cell::Text("OpenRead" | "ReopenIdx")) {
                pages.insert(row[3].integer::<i64>()?);
            }
            Ok(())
        })
        .unwrap();
        let name = |page: &i64| {
            let text = "SELECT tbl_name FROM sqlite_schema WHERE rootpage = ?1";
            let row = database
                .connection
                .query_row(text, [page], |row| row.get(0));
            row.unwrap()
        };
        pages.iter().map(name).collect()
    }

    #[test]
    fn queries_say_which_tables_they_read() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("tables.db")).unwrap();
        for query in QUERIES {
            let said: BTreeSet<String> = query.reads.iter().map(|it| it.name.to_owned()).collect();
            for (account, symbol) in [(Some(1), None), (Some(1), Some("A")), (None, Some("A"))] {
                let filter = Filter {
                    account: account.filter(|_| !query.account.is_empty()),
                    symbol: symbol
                        .filter(|_| !query.symbol.is_empty())
                        .map(str::to_owned),
                    ..Filter::default()
                };
                let Ok((text, bound)) = statement(query, &filter) else {
                    continue;
                };
                let values: Vec<Cell<'_>> = bound.iter().map(Bound::cell).collect();
                let opened = opened(&database, &database.worded(text), &values);
                assert_eq!(opened, said, "{}", query.name);
            }
        }
    }

    #[test]
    fn all_tables_but_the_places_have_a_version() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("tables.db")).unwrap();
        let mut named = BTreeSet::from(["progress".to_owned()]);
        each(&database, "SELECT name FROM versions", &[], &mut |row| {
            named.insert(row[0].text()?.to_owned());
            Ok(())
        })
        .unwrap();
        let all = ALL.iter().map(|table| table.name).chain(["opened"]);
        let all: BTreeSet<String> = all.map(str::to_owned).collect();
        assert_eq!(named, all);
    }
}
