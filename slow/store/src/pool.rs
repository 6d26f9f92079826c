//! `wirecross-slow pgbouncer`: a pool's configuration, from the addresses of servers.

use clap::{Args, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use store::Error;
use store::pgbouncer::{Database, Pool, PoolMode};

/// What to do.
#[derive(Subcommand)]
pub enum Task {
    /// Write PgBouncer's file, and say by which addresses clients then come.
    Config(Settings),
}

/// What the file is made of.
#[derive(Args)]
pub struct Settings {
    /// A database: `postgres://user@host:port/name`, or `ALIAS=` and that; once for each.
    #[arg(long, required = true)]
    database: Vec<String>,
    /// Where clients come.
    #[arg(long, default_value = "127.0.0.1:6432")]
    listen: SocketAddr,
    /// When a connection goes back to its pool.
    #[arg(long, value_enum, default_value_t = Mode::Transaction)]
    pool_mode: Mode,
    /// Connections of a user to a database.
    #[arg(long, default_value_t = 20)]
    pool_size: u32,
    /// Such connections more, for clients that waited.
    #[arg(long, default_value_t = 5)]
    reserve: u32,
    /// Connections to a database at most: fewer than its server's `max_connections`.
    #[arg(long, default_value_t = 50)]
    connections_max: u32,
    /// Clients at most.
    #[arg(long, default_value_t = 1_000)]
    clients_max: u32,
    /// Users and what proves them, as PgBouncer's `userlist.txt`. Without it everybody on this host
    /// is whom the database's address names.
    #[arg(long)]
    auth_file: Option<PathBuf>,
    /// Where PgBouncer writes its log and its process's number.
    #[arg(long, default_value = "/var/run/postgresql")]
    folder: PathBuf,
    /// The file to write, in the place of stdout.
    #[arg(long)]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// When its client goes.
    Session,
    /// At the end of each transaction.
    Transaction,
    /// After each statement.
    Statement,
}

/// Does it.
pub fn run(task: &Task) -> Result<(), Error> {
    let Task::Config(settings) = task;
    let pool = pool(settings).map_err(|why| Error::Refused(format!("pgbouncer config: {why}")))?;
    let urls = pool.urls();
    match &settings.output {
        Some(path) => {
            let told = |error| Error::Refused(format!("{}: {error}", path.display()));
            std::fs::write(path, pool.text()).map_err(told)?;
            urls.iter().for_each(|url| println!("{url}"));
        }
        None => {
            print!("{}", pool.text());
            urls.iter().for_each(|url| println!("; clients: {url}"));
        }
    }
    Ok(())
}

fn pool(settings: &Settings) -> Result<Pool, String> {
    let words = |path: &PathBuf| {
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| format!("{}: its name is no text", path.display()))
    };
    let databases = settings.database.iter().map(|it| Database::read(it));
    let pool = Pool {
        databases: databases.collect::<Result<_, _>>()?,
        mode: match settings.pool_mode {
            Mode::Session => PoolMode::Session,
            Mode::Transaction => PoolMode::Transaction,
            Mode::Statement => PoolMode::Statement,
        },
        listen_host: settings.listen.ip().to_string(),
        listen_port: settings.listen.port(),
        size: settings.pool_size,
        reserve: settings.reserve,
        connections_max: settings.connections_max,
        clients_max: settings.clients_max,
        auth_file: settings.auth_file.as_ref().map(words).transpose()?,
        folder: words(&settings.folder)?,
    };
    pool.check()?;
    Ok(pool)
}
