//! A server, two that follow it, a pool in front of them, and what befalls them.
#![allow(clippy::unwrap_used)]

pub mod recovery;
pub mod stalling;

use crate::venue::Site;
use crate::venue::bouncer::{Bouncer, PACKAGE, is_installed};
use crate::venue::cluster::Cluster;
use rustix::process::{Pid, Signal, kill_process};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};
use store::pgbouncer::{Database, Pool, PoolMode};
use store::query::Filter;
use store::router::{Answer, Bounds, Router};
use store::{Error, Location, Position, Server};
use tempfile::TempDir;

/// Far longer than anything takes, also beside other work.
pub const WAIT_MAX: Duration = Duration::from_secs(300);

/// What a replica is told: a primary that is back is found at once.
const SETTINGS: [&str; 5] = [
    "fsync = off",
    "shared_buffers = 64MB",
    "max_connections = 20",
    "log_min_messages = fatal",
    "wal_retrieve_retry_interval = 50ms",
];

/// A server that follows the site's; it ends with the test.
pub struct Replica {
    pub cluster: Cluster,
    _dir: TempDir,
}

impl Replica {
    pub fn of(primary: &Cluster) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let this = Self {
            cluster: Cluster {
                programs: primary.programs.clone(),
                folder: dir.path().to_path_buf(),
                port: 0,
            },
            _dir: dir,
        };
        this.cluster.follow(primary, &SETTINGS).unwrap();
        this.cluster.start().unwrap();
        this
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        tell(&self.cluster, Signal::CONT);
        tell(&self.cluster, Signal::KILL);
    }
}

/// A pool that ends with the test.
pub struct Pooled {
    pub bouncer: Bouncer,
    pub pool: Pool,
    _dir: TempDir,
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let _ = self.bouncer.stop();
    }
}

/// The site's server, two that follow it, and a router over them.
pub struct Fleet {
    pub site: Site,
    pub replicas: [Replica; 2],
    pub router: Router,
}

/// Nothing is late on a busy machine.
pub const PATIENT: Bounds = Bounds {
    lag_max: Duration::from_secs(3_600),
    look_max: WAIT_MAX,
    answer_max: WAIT_MAX,
};

pub fn server(url: &str) -> Server {
    let Ok(Location::Server(server)) = Location::read(url.as_ref()) else {
        panic!("{url} is no server's address");
    };
    server
}

impl Fleet {
    pub fn start() -> Option<Self> {
        if !is_installed() {
            let why = format!("no PgBouncer: `cargo x setup` installs Debian's {PACKAGE}");
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("skipped: {why}");
            return None;
        }
        let site = Site::served()?;
        let primary = site.served.as_ref().unwrap().0.cluster.clone();
        let replicas = std::thread::scope(|threads| {
            let other = threads.spawn(|| Replica::of(&primary));
            [Replica::of(&primary), other.join().unwrap()]
        });
        let mut this = Self {
            router: Router::new(
                server(&site.place().into_string().unwrap()),
                vec![],
                PATIENT,
            ),
            site,
            replicas,
        };
        this.router = this.router(PATIENT);
        Some(this)
    }

    pub fn primary(&self) -> &Cluster {
        &self.site.served.as_ref().unwrap().0.cluster
    }

    pub fn urls(&self) -> [String; 3] {
        let name = "tables0";
        let [one, two] = &self.replicas;
        [self.primary(), &one.cluster, &two.cluster].map(|it| it.url(name))
    }

    pub fn router(&self, bounds: Bounds) -> Router {
        let [primary, one, two] = self.urls();
        Router::new(server(&primary), vec![server(&one), server(&two)], bounds)
    }

    /// Projects what the venue has; gives the position behind which all of it stands.
    pub fn project(&self) -> Position {
        let said = self.site.succeeds(&["project", "--stat"]);
        let wal = said.trim().rsplit_once("wal=").unwrap().1;
        wal.parse().unwrap()
    }

    /// A pool in front of all three, with so many connections to each.
    pub fn pooled(&self, size: u32) -> Pooled {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let dir = tempfile::tempdir().unwrap();
        let aliases = ["primary", "one", "two"].into_iter().zip(self.urls());
        let pool = Pool {
            databases: aliases
                .map(|(alias, url)| Database::read(&format!("{alias}={url}")).unwrap())
                .collect(),
            mode: PoolMode::Transaction,
            listen_host: "127.0.0.1".to_owned(),
            listen_port: port,
            size,
            reserve: 0,
            connections_max: size,
            clients_max: 100,
            auth_file: None,
            folder: dir.path().display().to_string(),
        };
        pool.check().unwrap();
        let programs = self.primary().programs.clone();
        let folder = dir.path().to_path_buf();
        let pooled = Pooled {
            bouncer: Bouncer {
                programs,
                folder,
                port,
            },
            pool,
            _dir: dir,
        };
        pooled.bouncer.start(&pooled.pool.text()).unwrap();
        pooled
    }

    /// The rows of a statement that is asked of a database of the primary.
    pub fn rows(&self, database: &str, text: &str) -> String {
        let mut psql = self.primary().programs.command("psql");
        let psql = self.primary().address(&mut psql);
        let output = psql
            .args(["-X", "-A", "-t", "-d", database, "-c", text])
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }

    /// What the tables really hold.
    pub fn truth(&self) -> String {
        let all = ["query", "open-orders", "--json", "--limit", "1000000"];
        self.site.succeeds(&all)
    }

    pub fn number_of(&self, replica: &Answer<String>) -> Option<usize> {
        let at = |it: &Replica| {
            replica
                .server
                .contains(&*it.cluster.folder.to_string_lossy())
        };
        self.replicas.iter().position(at)
    }

    /// Waits until a replica answers.
    pub fn serves(&self, router: &Router, replica: usize, after: Position) {
        until(&format!("replica {replica} serves"), || {
            let answer = open_orders(router, Some(after));
            answer.is_ok_and(|it| self.number_of(&it) == Some(replica))
        });
    }
}

pub fn open_orders(router: &Router, after: Option<Position>) -> Result<Answer<String>, Error> {
    let filter = Filter {
        rows_max: Some(1_000_000),
        ..Filter::default()
    };
    router.read(after, &mut |reader| {
        let mut rows = Vec::new();
        reader.query("open-orders", &filter, (true, &mut rows))?;
        Ok(String::from_utf8(rows).unwrap())
    })
}

pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < WAIT_MAX, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn tell(cluster: &Cluster, what: Signal) {
    for process in cluster.processes() {
        let _ = Pid::from_raw(process as i32).map(|it| kill_process(it, what));
    }
}

/// All at once, as a lost host.
pub fn kill(cluster: &Cluster) {
    let processes = cluster.processes();
    for process in &processes {
        let _ = Pid::from_raw(*process as i32).map(|it| kill_process(it, Signal::KILL));
    }
    Cluster::wait_gone(&processes).unwrap();
}

pub fn replay(cluster: &Cluster, word: &str) {
    let mut psql = cluster.programs.command("psql");
    cluster
        .address(&mut psql)
        .args(["-q", "-d", "tables0", "-c"]);
    let text = format!("SELECT pg_wal_replay_{word}()");
    let status = psql.arg(text).stdout(Stdio::null()).status();
    assert!(status.unwrap().success());
}

pub fn kill_pool(bouncer: &Bouncer) {
    let pid = bouncer.pid().unwrap();
    kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
    Cluster::wait_gone(&[pid]).unwrap();
}
