//! Where a command finds the venue's days and its tables: one database, or the shards of them.

use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Barrier, OnceLock};
use store::{Error, Location};

/// Where the venue keeps its days, and where the tables are.
#[derive(Args)]
pub struct Places {
    /// The venue's data directory.
    #[arg(long)]
    pub data_dir: PathBuf,
    #[command(flatten)]
    tables: Tables,
}

/// Where the tables are.
#[derive(Args)]
pub struct Tables {
    /// The database: an SQLite file, which is made if there is none, or a server's address,
    /// `postgres://user@host:port/name`.
    #[arg(long, required_unless_present = "routes")]
    pub database: Option<OsString>,
    /// A routing table in its place: each shard gets the rows that belong to it.
    #[arg(long, conflicts_with = "database")]
    pub routes: Option<PathBuf>,
    /// Only the shard of this name.
    #[arg(long, requires = "routes")]
    pub shard: Option<String>,
}

/// A database.
pub struct Place {
    shard: Option<String>,
    pub location: Location,
}

impl Place {
    /// Which shard it is, for people; nothing if there is but one database.
    pub fn words(&self) -> String {
        let shard = self.shard.as_ref();
        shard.map_or_else(String::new, |shard| format!("shard={shard} "))
    }
}

impl Place {
    /// The same, with a server's password.
    pub fn with_password(self, password: &str) -> Self {
        Self {
            location: self.location.with_password(password),
            ..self
        }
    }
}

impl Places {
    /// The databases that a projection goes on in.
    pub fn written(&self) -> Result<Vec<Place>, Error> {
        self.tables.written()
    }

    /// All databases.
    pub fn all(&self) -> Result<Vec<Place>, Error> {
        self.tables.found(false)
    }
}

impl Tables {
    /// The databases that a projection goes on in.
    pub fn written(&self) -> Result<Vec<Place>, Error> {
        self.found(true)
    }

    fn found(&self, is_to_write: bool) -> Result<Vec<Place>, Error> {
        match (&self.database, &self.routes) {
            (Some(database), _) => Ok(vec![Place {
                shard: None,
                location: Location::read(database)?,
            }]),
            (None, Some(routes)) => shards(routes, self.shard.as_deref(), is_to_write),
            (None, None) => Err(Error::Refused("say --database or --routes".to_owned())),
        }
    }
}

#[cfg(not(feature = "postgres"))]
fn shards(_: &std::path::Path, _: Option<&str>, _: bool) -> Result<Vec<Place>, Error> {
    let words = "shards are servers: build this program with `--features postgres`";
    Err(Error::Refused(words.to_owned()))
}

/// The shards of a routing table, or the one of a name.
#[cfg(feature = "postgres")]
fn shards(
    path: &std::path::Path,
    only: Option<&str>,
    is_to_write: bool,
) -> Result<Vec<Place>, Error> {
    let routes = std::sync::Arc::new(store::shards::Routes::load(path)?);
    let mut found = match is_to_write {
        true => routes.written()?,
        false => routes.locations(),
    };
    if let Some(only) = only {
        let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
        found.retain(|(name, _)| name == only);
        if found.is_empty() {
            let (path, names) = (path.display(), names.join(", "));
            let words = format!("{path}: there is no shard {only:?} to use here: {names}");
            return Err(Error::Refused(words));
        }
        // Who does all of them learns it on the way.
        if is_to_write {
            routes.learn_days(only)?;
        }
    }
    let place = |(shard, location)| Place {
        shard: Some(shard),
        location,
    };
    Ok(found.into_iter().map(place).collect())
}

/// Does something with all databases at once, each on a thread of its own; all are done, whatever
/// becomes of one, whose error is then given. `ready` is done when all threads are there and before
/// any begins: a process may give up its right to start any.
pub fn at_once<T: Send, R: Send>(
    all: Vec<T>,
    ready: &dyn Fn() -> Result<(), Error>,
    work: &(dyn Fn(T) -> Result<R, Error> + Sync),
) -> Result<Vec<R>, Error> {
    // One alone needs none.
    if all.len() == 1 {
        ready()?;
        return all.into_iter().map(work).collect();
    }
    let (started, may_go) = (Barrier::new(all.len() + 1), OnceLock::<bool>::new());
    let go = |one| {
        started.wait();
        may_go.wait().then(|| work(one)).transpose()
    };
    std::thread::scope(|threads| {
        let start = |one| threads.spawn(|| go(one));
        let threads: Vec<_> = all.into_iter().map(start).collect();
        started.wait();
        let readied = ready();
        let _ = may_go.set(readied.is_ok());
        let told = || Error::Refused("a thread of a database panicked".to_owned());
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| told())?);
        // Each is waited for, so that none is left half-way.
        let done: Vec<Result<Option<R>, Error>> = joined.collect();
        readied?;
        done.into_iter().filter_map(Result::transpose).collect()
    })
}

/// Days of shards are not kept in files.
#[cfg(feature = "history")]
pub fn check_keeping(places: &[Place], is_kept: bool) -> Result<(), Error> {
    if is_kept && places.iter().any(|place| place.shard.is_some()) {
        let words = "--history: days are written into files from one database that has all rows, \
                     not from shards";
        return Err(Error::Refused(words.to_owned()));
    }
    Ok(())
}
