//! `wirecross-slow`: tables that follow from a venue's journal and streams.
#![forbid(unsafe_code)]

mod ask;
#[cfg(feature = "history")]
mod history_command;
mod places;
mod pool;
mod serve;

use clap::{Parser, Subcommand};
use places::{Place, Places};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::{Error, Following, Listener, Location, Projector};

/// Tables that follow from a venue's journal and streams. The venue needs a section `[shadow]` in
/// its topology; nothing is written to its directory.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the tables up to what the data directory holds.
    Project {
        #[command(flatten)]
        places: Places,
        /// Go on with what comes until SIGTERM.
        #[arg(long)]
        follow: bool,
        /// Say how many events a second were projected.
        #[arg(long, conflicts_with = "follow")]
        stat: bool,
        /// Inputs that a transaction takes at most, and messages of each stream.
        #[arg(long, conflicts_with = "follow", default_value_t = store::BATCH)]
        batch: u64,
        #[cfg(feature = "history")]
        #[command(flatten)]
        keeping: history_command::Asked,
    },
    /// Follow a venue as a service: confined, with its tables in a folder of its own.
    Serve(serve::Service),
    /// Make the tables anew beside the old ones, then put them in their place.
    Rebuild {
        #[command(flatten)]
        places: Places,
        /// Lose the days that the data directory no longer has.
        #[arg(long)]
        forget: bool,
    },
    /// Copy all tables into an empty database: from a file into a server, for example.
    Copy {
        /// The database that is read, a file or a server's address.
        #[arg(long)]
        from: OsString,
        /// The database that is written, a file or a server's address.
        #[arg(long, required_unless_present = "routes")]
        database: Option<OsString>,
        /// A routing table in its place: each row goes to the shard that it belongs to.
        #[arg(long, conflicts_with = "database")]
        routes: Option<PathBuf>,
    },
    /// Compare tables, journal and feed row by row; the first difference is named.
    Reconcile {
        #[command(flatten)]
        places: Places,
    },
    /// Ask one of the documented queries.
    Query(ask::Asked),
    /// Days as Parquet files, which DuckDB, pandas and polars read as they are.
    #[cfg(feature = "history")]
    #[command(subcommand)]
    History(history_command::Command),
    /// A pool of connections in front of servers.
    #[command(subcommand)]
    Pgbouncer(pool::Task),
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let log = match &command {
        // It has one thread until its walls are up.
        Command::Serve(_) => Ok(None),
        _ => logs::start(serve::PROGRAM, logs::Settings::default(), None).map(Some),
    };
    let done = log.map_err(|error| Error::Refused(format!("log: {error}")));
    match done.and_then(|_log| run(command)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("wirecross-slow: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Project {
            places,
            follow: true,
            #[cfg(feature = "history")]
            keeping,
            ..
        } => {
            let found = places.written()?;
            #[cfg(feature = "history")]
            let keeping = keeping.read();
            #[cfg(feature = "history")]
            places::check_keeping(&found, keeping.is_some())?;
            let following = |place: Place| Following {
                data_dir: places.data_dir.clone(),
                location: place.location,
                #[cfg(feature = "history")]
                keeping: keeping.clone(),
            };
            let all = found.into_iter().map(following).collect();
            follow(all, Duration::from_millis(serve::SLOW_MS), &|| Ok(()))?;
        }
        Command::Project {
            places,
            stat,
            batch,
            ..
        } => {
            let project = |place| project(&places.data_dir, &place, (stat, batch));
            places::at_once(places.written()?, &|| Ok(()), &project)?;
        }
        Command::Serve(service) => serve::serve(&service)?,
        Command::Rebuild { places, forget } => {
            for place in places.written()? {
                let events = store::rebuild(&places.data_dir, &place.location, forget)?;
                println!("rebuilt {}events={events}", place.words());
            }
        }
        Command::Copy {
            from,
            database,
            routes,
        } => copy(&Location::read(&from)?, database, routes)?,
        Command::Reconcile { places } => {
            for place in places.all()? {
                let words = place.words();
                match store::reconcile(&places.data_dir, &place.location)? {
                    Ok(same) => println!(
                        "agreed {words}rows={} trades={} orders={} unread={}",
                        same.rows, same.trades, same.orders, same.unread
                    ),
                    Err(difference) => {
                        println!("differs: {words}{difference}");
                        return Ok(ExitCode::FAILURE);
                    }
                }
            }
        }
        #[cfg(feature = "history")]
        Command::History(command) => return history_command::run(command),
        Command::Query(asked) => ask::ask(asked)?,
        Command::Pgbouncer(task) => pool::run(&task)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn copy(from: &Location, to: Option<OsString>, routes: Option<PathBuf>) -> Result<(), Error> {
    if let Some(database) = to {
        let rows = store::copy(from, &Location::read(&database)?)?;
        println!("copied rows={rows}");
    }
    #[cfg(not(feature = "postgres"))]
    if routes.is_some() {
        let words = "shards are servers: build this program with `--features postgres`";
        return Err(Error::Refused(words.to_owned()));
    }
    #[cfg(feature = "postgres")]
    if let Some(routes) = routes {
        let routes = Arc::new(store::shards::Routes::load(&routes)?);
        for (shard, rows) in store::shards::fill(from, &routes)? {
            println!("copied shard={shard} rows={rows}");
        }
    }
    Ok(())
}

fn project(data_dir: &Path, place: &Place, (is_stat, batch): (bool, u64)) -> Result<(), Error> {
    let begin = Instant::now();
    let words = place.words();
    let projector = Projector::open(data_dir, &place.location)?;
    let mut projector = projector.with_batch(batch);
    let events = projector.catch_up()?;
    if is_stat {
        let seconds = begin.elapsed().as_secs_f64();
        let rate = events as f64 / seconds;
        let cpu_s = cpu_seconds();
        let wal = projector.position()?;
        let wal = wal.map_or_else(String::new, |wal| format!(" wal={wal}"));
        let cost = format!("events_per_s={rate:.0} cpu_s={cpu_s:.2}");
        println!("projected {words}events={events} seconds={seconds:.3} {cost}{wal}");
    } else {
        println!("projected {words}events={events}");
    }
    Ok(())
}

/// Seconds that this process has used of the cores: fields 14 and 15 of its line, in hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let used = behind.split_whitespace().skip(11).take(2);
    used.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Tells what goes on where it is read.
struct Told {
    events: u64,
    /// What is a slow turn.
    slow: Duration,
}

impl Listener for Told {
    fn came(&mut self, events: u64, took: Duration) {
        self.events += events;
        // Most turns are for nothing, which is known when they are over.
        if events == 0 {
            return;
        }
        let took_us = took.as_micros() as u64;
        let turn = tracing::debug_span!("turn", events, took_us);
        if took > self.slow {
            let ms = took.as_secs_f64() * 1e3;
            turn.in_scope(|| tracing::warn!(events, ms, "a slow turn"));
        }
    }

    fn trouble(&mut self, error: &Error) {
        tracing::error!("{error}");
    }

    #[cfg(feature = "history")]
    fn kept(&mut self, kept: &store::history::Kept) {
        logs::tell(format_args!(
            "wirecross-slow: {}",
            history_command::words(kept)
        ));
    }
}

/// Follows a venue into its tables, or into all shards of them at once: one that is away holds up
/// nobody, one that cannot be used at all ends all.
/// A turn that takes longer than `slow` is told. `ready` is done when all threads are there.
fn follow(
    all: Vec<Following>,
    slow: Duration,
    ready: &dyn Fn() -> Result<(), Error>,
) -> Result<(), Error> {
    let is_stopped = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&is_stopped))
            .map_err(|error| Error::Refused(format!("signal {signal}: {error}")))?;
    }
    if let Some(first) = all.first() {
        logs::tell(format_args!(
            "wirecross-slow: following {}",
            first.data_dir.display()
        ));
    }
    let follow = |mut following: Following| {
        let _stopping = Stopping(&is_stopped);
        following.location = following.location.until(&is_stopped);
        let mut told = Told { events: 0, slow };
        let followed = store::follow(&following, &is_stopped, &mut told);
        followed.map(|()| told.events)
    };
    let events = places::at_once(all, ready, &follow)?;
    let events: u64 = events.into_iter().sum();
    logs::tell(format_args!("wirecross-slow: stopped events={events}"));
    Ok(())
}

/// Stops the others, too, when a thread ends, however it does.
struct Stopping<'s>(&'s AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
