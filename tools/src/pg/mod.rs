//! `cargo x pg`: a real PostgreSQL on loopback: a primary, two replicas that stream from it, two
//! shards, and a PgBouncer in front of all. All of it is in a folder of the build, and gone with
//! it.

mod bouncer;
#[allow(dead_code, reason = "the tests of the tables use the rest")]
mod cluster;
// What configures it is the tables' business.
#[allow(dead_code, reason = "the program that it is for uses the rest")]
#[path = "../../../slow/store/src/pgbouncer.rs"]
mod pgbouncer;

use crate::Outcome;
use crate::command::target_dir;
use bouncer::Bouncer;
use clap::Subcommand;
use cluster::{Cluster, Programs, Turn};
use pgbouncer::{Database, Pool, PoolMode};
use std::path::PathBuf;

pub use bouncer::{PACKAGE as POOL_PACKAGE, is_installed as has_pool};
pub use cluster::PACKAGE;

/// Ports on 127.0.0.1: the primary's, its replicas', the shards'.
const PRIMARY_PORT: u16 = 25_432;
const REPLICA_PORTS: [u16; 2] = [25_433, 25_434];
const SHARD_PORTS: [u16; 2] = [25_435, 25_436];

/// The port of the pool in front of them.
const POOL_PORT: u16 = 26_432;

/// Connections of the pool to each: the servers take 50.
const POOL_CONNECTIONS: u32 = 40;

/// The database that is made in each server.
const DATABASE: &str = "wirecross";

/// What the servers are told beside their address. Nothing of them outlives the build: a power cut
/// may take it. There are processes for two who read all of a table at once; nobody gets any who
/// does not ask for them, as the readers of whole tables do. Old days are never changed: what has
/// come of the running one is looked over often, so that its rows are answered by indexes alone.
const SETTINGS: [&str; 9] = [
    "shared_buffers = 256MB",
    "max_wal_size = 4GB",
    "checkpoint_timeout = 30min",
    "synchronous_commit = off",
    "max_connections = 50",
    "max_parallel_workers = 4",
    "max_parallel_workers_per_gather = 0",
    "autovacuum_naptime = 15s",
    "autovacuum_vacuum_insert_scale_factor = 0.05",
];

/// What to do.
#[derive(Subcommand)]
pub enum Task {
    /// Starts the servers; makes what is not there.
    Up {
        /// The primary alone.
        #[arg(long)]
        primary: bool,
    },
    /// Stops them; their data stays.
    Down {
        /// Removes their data, too.
        #[arg(long)]
        remove: bool,
    },
    /// Says which of them run, and where.
    Status,
}

/// One of the servers, and what it is for.
struct Server {
    role: String,
    cluster: Cluster,
    is_replica: bool,
}

/// Does it.
pub fn run(task: &Task) -> Outcome {
    let told = |error| format!("pg: {error}");
    let mut programs = Programs::find().map_err(told)?;
    if !matches!(task, Task::Status) {
        // Beside the folder, as that may go.
        let turn = Turn::take(&target_dir().join("pg-turn"));
        programs = programs.with(turn.map_err(told)?);
    }
    let servers = servers(&programs);
    match task {
        Task::Up { primary } => {
            let count = if *primary { 1 } else { servers.len() };
            for server in &servers[..count] {
                up(server, &servers[0].cluster).map_err(told)?;
            }
            status(&servers[..count]);
            if !*primary {
                pool(&servers, &programs).map_err(told)?;
                routes(&servers).map_err(told)?;
            }
        }
        Task::Down { remove } => {
            bouncer(&programs).stop().map_err(told)?;
            for server in servers.iter().rev() {
                server.cluster.stop().map_err(told)?;
            }
            if *remove && folder().exists() {
                let told = |e| format!("pg: remove {}: {e}", folder().display());
                std::fs::remove_dir_all(folder()).map_err(told)?;
            }
            status(&servers);
        }
        Task::Status => {
            status(&servers);
            if let Some(pid) = bouncer(&programs).pid() {
                println!("{:<10} runs as process {pid}, port {POOL_PORT}", "pool");
            }
        }
    }
    Ok(())
}

fn bouncer(programs: &Programs) -> Bouncer {
    Bouncer {
        programs: programs.clone(),
        folder: folder().join("pool"),
        port: POOL_PORT,
    }
}

/// Writes the table by which the shards are asked as one.
fn routes(servers: &[Server]) -> Outcome {
    let shards = servers.iter().filter(|it| it.role.starts_with("shard"));
    let shard = |it: &Server| {
        let (name, url) = (&it.role, it.cluster.url(DATABASE));
        format!("{{\"name\": {name:?}, \"database\": {url:?}}}")
    };
    let shards: Vec<String> = shards.map(shard).collect();
    let text = format!(
        "{{\"ranges\": [{{\"shards\": [{}]}}]}}\n",
        shards.join(", ")
    );
    let path = folder().join("routes.json");
    let told = |e| format!("write {}: {e}", path.display());
    std::fs::write(&path, text).map_err(told)?;
    println!("{:<10} {}", "routes", path.display());
    Ok(())
}

/// Starts the pool in front of all servers, each under the name of what it is for, and says how one
/// comes to them by it.
fn pool(servers: &[Server], programs: &Programs) -> Outcome {
    let bouncer = bouncer(programs);
    let database = |server: &Server| {
        let name = server.role.replace('-', "_");
        Database::read(&format!("{name}={}", server.cluster.url(DATABASE)))
    };
    let databases = servers.iter().map(database);
    let pool = Pool {
        databases: databases.collect::<Result<_, _>>()?,
        mode: PoolMode::Transaction,
        listen_host: "127.0.0.1".to_owned(),
        listen_port: POOL_PORT,
        size: POOL_CONNECTIONS / 2,
        reserve: POOL_CONNECTIONS / 4,
        connections_max: POOL_CONNECTIONS,
        clients_max: 1_000,
        auth_file: None,
        folder: bouncer.folder.display().to_string(),
    };
    pool.check()?;
    if bouncer.pid().is_none() {
        bouncer.start(&pool.text())?;
    }
    for url in pool.urls() {
        println!("{:<10} {url}", "pool");
    }
    Ok(())
}

/// Whether a server is installed: its programs are not where others are.
pub fn is_installed() -> bool {
    Programs::are_there()
}

fn folder() -> PathBuf {
    target_dir().join("pg")
}

fn servers(programs: &Programs) -> Vec<Server> {
    let server = |role: String, port, is_replica| Server {
        cluster: Cluster {
            programs: programs.clone(),
            folder: folder().join(&role),
            port,
        },
        role,
        is_replica,
    };
    let mut all = vec![server("primary".to_owned(), PRIMARY_PORT, false)];
    for (number, port) in (1..).zip(REPLICA_PORTS) {
        all.push(server(format!("replica-{number}"), port, true));
    }
    for (number, port) in (1..).zip(SHARD_PORTS) {
        all.push(server(format!("shard-{number}"), port, false));
    }
    all
}

/// Starts a server, and makes it if it is not there. One that was not made to its end is made anew,
/// also where it runs: whoever was at it was interrupted, or made it before ends were marked.
fn up(server: &Server, primary: &Cluster) -> Outcome {
    let cluster = &server.cluster;
    let made = cluster.folder.join("made");
    if made.exists() {
        return match cluster.pid() {
            Some(_) => Ok(()),
            None => cluster.start(),
        };
    }
    cluster.stop()?;
    if cluster.folder.exists() {
        let told = |e| format!("remove {}: {e}", cluster.folder.display());
        std::fs::remove_dir_all(&cluster.folder).map_err(told)?;
    }
    match server.is_replica {
        true => cluster.follow(primary, &SETTINGS)?,
        false => cluster.create(&SETTINGS)?,
    }
    cluster.start()?;
    if !server.is_replica {
        cluster.create_database(DATABASE)?;
    }
    std::fs::write(&made, "").map_err(|e| format!("write {}: {e}", made.display()))
}

fn status(servers: &[Server]) {
    for server in servers {
        let cluster = &server.cluster;
        let state = match cluster.pid() {
            Some(pid) => format!("runs as process {pid}, cpu_s={:.2}", cluster.cpu_seconds()),
            None => "does not run".to_owned(),
        };
        println!("{:<10} {} {state}", server.role, cluster.url(DATABASE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Stdio};

    /// The database of a server answers.
    fn answers(cluster: &Cluster) -> bool {
        let mut psql = cluster.programs.command("psql");
        let psql = cluster.address(&mut psql);
        let status = psql.args(["-d", DATABASE, "-qc", "CHECKPOINT"]).status();
        status.is_ok_and(|it| it.success())
    }

    /// Whoever was ended in the middle left a program that goes on, or a server that is not whole.
    #[test]
    fn who_is_interrupted_leaves_nothing_that_the_next_one_trips_over() {
        let Ok(programs) = Programs::find() else {
            assert!(
                std::env::var_os("CI").is_none(),
                "no servers: cargo x setup"
            );
            eprintln!("skipped: no PostgreSQL, which `cargo x setup` installs");
            return;
        };
        // Others may pass, and nobody but its owner.
        let dir = tempfile::tempdir().expect("a folder");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(dir.path(), mode).expect("a mode");
        let folder = dir.path().join("primary");
        let server = |programs| Server {
            role: "primary".to_owned(),
            cluster: Cluster {
                programs,
                folder: folder.clone(),
                port: 0,
            },
            is_replica: false,
        };
        let take = || Turn::take(dir.path()).map(|turn| server(programs.clone().with(turn)));
        let before = take().expect("a turn");
        std::fs::create_dir(&folder).expect("a folder");
        before.cluster.programs.give(&folder).expect("another's");
        let mut initdb = before.cluster.programs.command("initdb");
        initdb
            .args(["-A", "trust", "-D"])
            .arg(before.cluster.data());
        let left = initdb.stdout(Stdio::null()).spawn();
        let mut left: Child = left.expect("initdb");
        drop((initdb, before));
        // It is waited for; what it made is not whole.
        let next = take().expect("a turn");
        assert!(left.try_wait().expect("a status").is_some(), "it goes on");
        up(&next, &next.cluster).expect("up");
        assert!(answers(&next.cluster));
        drop(next);
        // Interrupted between the start and the database.
        std::fs::remove_file(folder.join("made")).expect("made");
        let next = take().expect("no server has the turn");
        up(&next, &next.cluster).expect("up");
        assert!(answers(&next.cluster));
        up(&next, &next.cluster).expect("it is up");
        next.cluster.stop().expect("down");
    }
}
