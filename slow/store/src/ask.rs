//! `wirecross-slow query`: one of the documented queries, of a file, a server or several.

use clap::Args;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use store::query::{Filter, Reader};
use store::{Error, Location, Position};

/// What is asked.
#[derive(Args)]
pub struct Asked {
    /// open-orders, fills, trades, tape, bars, positions, profits, audit, turns or tops.
    name: String,
    /// The database, a file or a server's address.
    #[arg(long, required_unless_present = "routes")]
    database: Option<OsString>,
    /// A routing table in its place: the shards that have the rows.
    #[arg(long, conflicts_with_all = ["database", "replica", "after"])]
    routes: Option<PathBuf>,
    /// Of this account only.
    #[arg(long)]
    account: Option<u32>,
    /// Of this symbol only.
    #[arg(long)]
    symbol: Option<String>,
    /// From this moment on, nanoseconds since the Unix epoch.
    #[arg(long)]
    from: Option<i64>,
    /// Before this moment.
    #[arg(long)]
    to: Option<i64>,
    /// Bars of so many seconds: 1, 60 or 3600.
    #[arg(long)]
    width: Option<u32>,
    /// At most so many rows.
    #[arg(long, default_value_t = store::query::ROWS_MAX)]
    limit: u32,
    /// The oldest rows first, or with `desc` the newest.
    #[arg(long, value_parser = ["asc", "desc"], default_value = "asc")]
    order: String,
    /// A JSON object a line.
    #[arg(long)]
    json: bool,
    /// A server that follows the database's and may answer in its place; once for each.
    #[arg(long)]
    replica: Vec<OsString>,
    /// What such a server may lack: nothing that is older than so many milliseconds.
    #[arg(long, default_value_t = 1_000, requires = "replica")]
    lag_ms: u64,
    /// A position of the server's log that the answer must be behind: `project --stat` says one.
    #[arg(long)]
    after: Option<Position>,
    /// The folder of the days whose rows are in files alone.
    #[cfg(feature = "history")]
    #[arg(long, conflicts_with_all = ["routes", "replica", "after"])]
    history: Option<PathBuf>,
    /// Say on stderr who answered, and behind which position.
    #[arg(long, requires = "replica")]
    served: bool,
}

/// Asks it.
pub fn ask(asked: Asked) -> Result<(), Error> {
    let filter = Filter {
        account: asked.account,
        symbol: asked.symbol.clone(),
        from_ns: asked.from,
        to_ns: asked.to,
        width_s: asked.width,
        rows_max: Some(asked.limit),
        is_newest_first: asked.order == "desc",
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    #[cfg(feature = "postgres")]
    if let Some(routes) = &asked.routes {
        let routes = store::shards::Routes::load(routes)?;
        routes.query(&asked.name, &filter, (asked.json, &mut out))?;
    }
    #[cfg(not(feature = "postgres"))]
    if asked.routes.is_some() {
        let words = "shards are servers: build this program with `--features postgres`";
        return Err(Error::Refused(words.to_owned()));
    }
    if let Some(database) = &asked.database {
        one(&asked, database, &filter, &mut out)?;
    }
    out.flush()
        .map_err(|error| Error::Refused(format!("output: {error}")))
}

/// Asks one database, or those that follow it.
fn one(
    asked: &Asked,
    database: &OsString,
    filter: &Filter,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let is_routed = !asked.replica.is_empty() || asked.after.is_some();
    match Location::read(database)? {
        #[cfg(feature = "postgres")]
        Location::Server(primary) if is_routed => routed(asked, filter, primary, out)?,
        location => {
            if is_routed {
                let words = format!("{location}: a file has no replicas, and no position in a log");
                return Err(Error::Refused(words));
            }
            answer(&Reader::at(&location)?, asked, filter, out)?;
        }
    }
    Ok(())
}

/// Answers from the tables, and from files where some days are in files alone.
fn answer(
    reader: &Reader,
    asked: &Asked,
    filter: &Filter,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    #[cfg(feature = "history")]
    if let Some(history) = &asked.history {
        reader.query_all_days(history, (&asked.name, filter), (asked.json, out))?;
        return Ok(());
    }
    if let Some(last) = reader.moved(&asked.name, filter)?.last() {
        eprintln!(
            "wirecross-slow: rows of the days up to {last} were moved into files: name their \
             folder by --history where they matter"
        );
    }
    reader.query(&asked.name, filter, (asked.json, out))?;
    Ok(())
}

/// Asks whoever will do.
#[cfg(feature = "postgres")]
fn routed(
    asked: &Asked,
    filter: &Filter,
    primary: store::Server,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    use store::router::{Bounds, Router};
    let replica = |address: &OsString| match Location::read(address)? {
        Location::Server(server) => Ok(server),
        Location::File(path) => Err(Error::Refused(format!(
            "replica {}: it is a file, and no server's address",
            path.display()
        ))),
    };
    let bounds = Bounds {
        lag_max: std::time::Duration::from_millis(asked.lag_ms),
        ..Bounds::default()
    };
    let replicas = asked.replica.iter().map(replica);
    let router = Router::new(primary, replicas.collect::<Result<_, _>>()?, bounds);
    // All of it is there before any of it is told: who fails half-way is followed by another one.
    let answer = router.read(asked.after, &mut |reader| {
        let mut rows = Vec::new();
        reader.query(&asked.name, filter, (asked.json, &mut rows))?;
        Ok(rows)
    })?;
    if asked.served {
        let role = if answer.is_primary {
            "primary"
        } else {
            "replica"
        };
        eprintln!(
            "served by={} role={role} wal={}",
            answer.server, answer.position
        );
    }
    out.write_all(&answer.value)
        .map_err(|error| Error::Refused(format!("output: {error}")))
}
