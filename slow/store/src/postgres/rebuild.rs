//! Tables that are made anew beside the old ones, in a schema of their own.

use super::ours::COMMENT;
use super::{Postgres, Server, schema};
use crate::tables::{each, first};
use crate::{Error, Location, Projector};
use std::path::Path;

/// The schema of tables that are being made.
const DRAFT: &str = "wirecross_new";

/// The schema of tables that are going.
const OLD: &str = "wirecross_old";

/// The names of the days of tables that are to be made anew, which may be of an older version; none
/// if there are no tables, or if they do not matter.
///
/// # Errors
/// The server fails, or the tables are another program's or of a newer version.
pub fn held(server: &Server, do_matter: bool) -> Result<Vec<String>, Error> {
    let keeper = Postgres::connect(server)?;
    let mut days = Vec::new();
    if keeper.version()?.is_some() && server.part().is_none() && keeper.is_of_shard()? {
        let why = "its tables are a shard's: name the routing table, which says whose";
        return Err(server.refused(why));
    }
    if keeper.version()?.is_some() && do_matter {
        each(
            &keeper,
            "SELECT name FROM days ORDER BY day",
            &[],
            &mut |row| {
                days.push(row[0].text()?.to_owned());
                Ok(())
            },
        )?;
    }
    Ok(days)
}

/// Makes the tables anew beside the old ones, which serve their readers meanwhile, and puts them in
/// their place: readers find the new ones by the same names.
///
/// # Errors
/// The venue's files or the database cannot be used.
pub fn rebuild(data_dir: &Path, server: &Server) -> Result<u64, Error> {
    let keeper = Postgres::connect(server)?;
    // Whoever writes the old ones would go on writing what nobody reads any more; and two who make
    // them anew would write the same draft.
    keeper.lock()?;
    // In as many parts as before, unless another number is said.
    let parts = server.parts.or(keeper.parts()?);
    let draft = server.clone().with_schema(DRAFT).in_parts(parts);
    for schema in [DRAFT, OLD] {
        remove(&keeper, schema)?;
    }
    let location = Location::Server(draft);
    let mut projector = Projector::open(data_dir, &location)?;
    let events = projector.catch_up()?;
    drop(projector);
    let schema = server.schema;
    let old = match is_ours(&keeper, schema)? {
        true => format!("ALTER SCHEMA {schema} RENAME TO {OLD};"),
        false => String::new(),
    };
    keeper.script(&format!(
        "BEGIN; {old} ALTER SCHEMA {DRAFT} RENAME TO {schema}; COMMIT;"
    ))?;
    remove(&keeper, OLD)?;
    Ok(events)
}

/// Whether there is such a schema, which must be ours, of whatever version.
fn is_ours(keeper: &Postgres, schema: &str) -> Result<bool, Error> {
    let text = "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace \
                WHERE nspname = $1";
    let read = |row: &[crate::tables::Cell<'_>]| row[0].text().map(str::to_owned);
    match first(keeper, text, &[schema.into()], read)? {
        None => Ok(false),
        Some(comment) if comment.starts_with(COMMENT) => Ok(true),
        Some(_) => Err(keeper.server.refused(&format!(
            "its schema {schema} is another program's; name another database"
        ))),
    }
}

/// Removes a schema of ours, if there is one: part by part, since a server holds only so many locks
/// at once.
fn remove(keeper: &Postgres, schema: &str) -> Result<(), Error> {
    if !is_ours(keeper, schema)? {
        return Ok(());
    }
    let text = "SELECT relname FROM pg_class WHERE relispartition AND relkind IN ('r', 'p') \
                AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)";
    let mut parts = Vec::new();
    each(keeper, text, &[schema.into()], &mut |row| {
        parts.push(row[0].text()?.to_owned());
        Ok(())
    })?;
    for part in parts {
        // Their names are a table's and a day's; those of a day by symbol go with the day.
        let (table, day) = part.rsplit_once('_').unwrap_or_default();
        if schema::PARTED.contains(&table) && day.parse::<u32>().is_ok() {
            keeper.script(&format!("DROP TABLE {schema}.{part}"))?;
        }
    }
    keeper.script(&format!("DROP SCHEMA {schema} CASCADE"))
}
