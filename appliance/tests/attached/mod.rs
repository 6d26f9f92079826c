//! Everything that is attached to a venue and may be slow: its tables in a file, the API over them,
//! tables on a server, and a projection that is never through; and who attacks the API. All of it
//! can be held, together.

pub mod attack;

// How a server is started is the builder's tool's business.
#[path = "../../../tools/src/pg/cluster.rs"]
#[allow(dead_code, reason = "a part is used here")]
pub mod cluster;

use crate::harness::{Site, api_settings, child_of, free_port, program_beside, wait_until};
use attack::{Attackers, Counts};
use cluster::{Cluster, Programs};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the server is told: it keeps what it has, and writes it as usual.
const SETTINGS: [&str; 4] = [
    "shared_buffers = 64MB",
    "max_wal_size = 128MB",
    "min_wal_size = 32MB",
    "wal_keep_size = 0",
];

/// Time between two requests for pages of trades.
const ASKED_EVERY: Duration = Duration::from_millis(10);

/// A small disk in memory, which can be filled; it goes with this value.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounted there.
    pub fn mount(at: &Path, mib: u32) -> Self {
        fs::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args([
            "-t",
            "tmpfs",
            "-o",
            &format!("size={mib}m,mode=755"),
            "tmpfs",
        ]);
        assert!(
            mount.arg(at).status().unwrap().success(),
            "only root mounts"
        );
        Self(at.to_path_buf())
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Nothing more fits.
    pub fn fill(&self) {
        let mut file = fs::File::create(self.ballast()).unwrap();
        let piece = vec![1; 4096];
        while file.write_all(&piece).is_ok() {}
    }

    /// There is room again.
    pub fn relieve(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Sends a signal to processes, and to all of a group where the number is negative. Some may be
/// gone.
pub fn tell(processes: &[i32], signal: i32) {
    for process in processes {
        // SAFETY: it has no pointers; the numbers are those of processes of our own.
        unsafe { libc::kill(*process, signal) };
    }
}

/// The topology's sections for the slow path, with the API's settings written beside.
pub fn sections(site: &Site, tables: &Path) -> (String, u16) {
    let port = free_port();
    let settings = api_settings(site, port);
    let text = format!(
        "[shadow]\n\n[slow]\ndir = {tables:?}\n\n\
         [api]\nsettings = {settings:?}\n\n"
    );
    (text, port)
}

/// What somebody does who reads the API.
#[derive(Default)]
struct Asked {
    is_on: bool,
    is_over: bool,
    /// Pages of trades that were told.
    pages: u64,
}

/// All of it.
pub struct Attached {
    /// The server of the second tables.
    pub cluster: Cluster,
    pub url: String,
    tables: PathBuf,
    data: PathBuf,
    watchers: Vec<String>,
    follows: Child,
    projects: Child,
    asks: Option<JoinHandle<()>>,
    asked: Arc<Mutex<Asked>>,
    attackers: Attackers,
    /// The API is attacked.
    pub is_attacked: bool,
    /// The server is to stay held.
    pub is_stalled: bool,
}

/// Makes the server on the small disk.
pub fn server(folder: &Path) -> (Cluster, String) {
    let cluster = Cluster {
        programs: Programs::find().unwrap(),
        folder: folder.to_path_buf(),
        port: 0,
    };
    cluster.create(&SETTINGS).unwrap();
    cluster.start().unwrap();
    cluster.create_database("tables").unwrap();
    let url = cluster.url("tables");
    (cluster, url)
}

impl Attached {
    /// Attached to a venue that runs, whose tiles have processor 0 from now on.
    pub fn start(
        (site, venue): (&Site, u32),
        (cluster, url): (Cluster, String),
        (tables, port): (&Path, u16),
    ) -> Self {
        let watchers = watchers(venue);
        part(venue, &watchers);
        let slow = program_beside("wirecross-slow");
        let mut follows = Command::new(&slow);
        let words = ["project", "--follow", "--database", &url, "--data-dir"];
        follows.args(words).arg(site.data_dir());
        follows.stdout(Stdio::null()).stderr(Stdio::null());
        // A projection from zero, again and again: work without an end.
        let again = "while :; do rm -f \"$2\"*; \"$0\" project --data-dir \"$1\" --database \
                     \"$2\" || exit 1; done";
        let mut projects = Command::new("sh");
        projects.args(["-c", again]).arg(&slow).arg(site.data_dir());
        projects.arg(site.dir.path().join("again.db"));
        projects.stdout(Stdio::null()).stderr(Stdio::null());
        projects.process_group(0);
        let asked = Arc::new(Mutex::new(Asked::default()));
        let asks = asking(port, Arc::clone(&asked));
        Self {
            cluster,
            url,
            tables: tables.join("tables.db"),
            data: site.data_dir(),
            watchers,
            follows: follows.spawn().unwrap(),
            projects: projects.spawn().unwrap(),
            asks: Some(asks),
            asked,
            attackers: Attackers::start(port),
            is_attacked: false,
            is_stalled: false,
        }
    }

    /// The programs that the venue started, as they are now.
    fn started(&self) -> Vec<i32> {
        let programs = self.watchers.iter().filter_map(|it| child_of(it));
        programs.map(|it| it.parse().unwrap()).collect()
    }

    fn server(&self) -> Vec<i32> {
        let processes = self.cluster.processes();
        processes.iter().map(|it| *it as i32).collect()
    }

    /// Lets everything run, or holds it.
    pub fn run(&self, is_on: bool) {
        self.asked.lock().unwrap().is_on = is_on;
        self.attackers.run(is_on && self.is_attacked);
        let signal = if is_on { libc::SIGCONT } else { libc::SIGSTOP };
        let own = [self.follows.id() as i32, -(self.projects.id() as i32)];
        tell(&own, signal);
        tell(&self.started(), signal);
        if !(is_on && self.is_stalled) {
            tell(&self.server(), signal);
        }
    }

    /// The server is gone from one moment to the next, and the programs that the venue started.
    pub fn kill(&self) {
        let processes = self.cluster.processes();
        tell(&self.server(), libc::SIGKILL);
        Cluster::wait_gone(&processes).unwrap();
        tell(&self.started(), libc::SIGKILL);
    }

    /// Everything is as it should be again, and through with what there is.
    pub fn recover(&mut self) {
        (self.is_stalled, self.is_attacked) = (false, false);
        self.run(true);
        if self.cluster.pid().is_none() {
            self.cluster.start().unwrap();
        }
    }

    /// Ends what the venue does not end; how many pages of trades were told, and attacks made.
    pub fn end(&mut self) -> (u64, Counts) {
        self.asked.lock().unwrap().is_over = true;
        if let Some(asks) = self.asks.take() {
            asks.join().unwrap();
        }
        tell(&[-(self.projects.id() as i32)], libc::SIGKILL);
        self.projects.wait().unwrap();
        tell(&[self.follows.id() as i32], libc::SIGTERM);
        let ended = self.follows.wait().unwrap();
        assert!(ended.success(), "{ended}");
        (self.asked.lock().unwrap().pages, self.attackers.end())
    }

    /// Asks `wirecross-slow` something about a database and the venue's files; what it told.
    fn told(&self, what: &str, database: &str) -> String {
        let mut command = Command::new(program_beside("wirecross-slow"));
        command.args([what, "--database", database, "--data-dir"]);
        let output = command.arg(&self.data).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Tables, journal and feed agree row by row, in the file and on the server, once they have
    /// what was left when the venue ended.
    pub fn reconcile(&self) {
        for database in [self.tables.to_str().unwrap(), &self.url] {
            let left = self.told("project", database);
            let agreed = self.told("reconcile", database);
            println!("{left} at the end, {agreed}");
            assert!(agreed.contains("unread=0"));
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if let Ok(mut asked) = self.asked.lock() {
            asked.is_over = true;
        }
        tell(&[-(self.projects.id() as i32)], libc::SIGKILL);
        tell(&[self.follows.id() as i32], libc::SIGKILL);
        tell(&self.server(), libc::SIGCONT);
        // It leaves no memory behind if it may end by itself.
        let _ = self.cluster.stop();
    }
}

/// A neighbour on the other processor that only computes, as far as it may: what it costs the
/// venue, any neighbour does. It goes with this value.
pub struct Neighbour(Child);

impl Neighbour {
    /// Started where the calling thread runs; held.
    pub fn start() -> Self {
        let mut command = Command::new("nice");
        command.args(["-n", "10", "sh", "-c", "while :; do :; done"]);
        let this = Self(command.spawn().unwrap());
        this.run(false);
        this
    }

    /// Lets it compute, or holds it.
    pub fn run(&self, is_on: bool) {
        let signal = if is_on { libc::SIGCONT } else { libc::SIGSTOP };
        tell(&[self.0.id() as i32], signal);
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The watchers that a venue started.
fn watchers(venue: u32) -> Vec<String> {
    let mut found = Vec::new();
    wait_until("slow path and API", || {
        let children = fs::read_to_string(format!("/proc/{venue}/task/{venue}/children"));
        found = children
            .unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        found.len() == 2 && found.iter().all(|watcher| child_of(watcher).is_some())
    });
    found
}

/// Puts all threads of a process on a processor, or one thread.
fn put(what: &[&str], processor: &str, process: &str) {
    let mut command = Command::new("taskset");
    command.args(what).args(["-c", "-p", processor, process]);
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
}

/// The venue's tiles have processor 0; its other threads and all else have 1.
fn part(venue: u32, watchers: &[String]) {
    let venue = venue.to_string();
    put(&["-a"], "1", &venue);
    for thread in fs::read_dir(format!("/proc/{venue}/task")).unwrap() {
        let thread = thread.unwrap();
        let name = fs::read_to_string(thread.path().join("comm")).unwrap();
        if name.trim() == "all" {
            put(&[], "0", thread.file_name().to_str().unwrap());
        }
    }
    for watcher in watchers {
        put(&["-a"], "1", watcher);
        put(&["-a"], "1", &child_of(watcher).unwrap());
    }
}

/// Asks the API for a page of trades, again and again while it is on.
fn asking(port: u16, asked: Arc<Mutex<Asked>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        loop {
            let is_on = {
                let asked = asked.lock().unwrap();
                if asked.is_over {
                    return;
                }
                asked.is_on
            };
            if is_on && ask(port).is_some() {
                asked.lock().unwrap().pages += 1;
            }
            std::thread::sleep(ASKED_EVERY);
        }
    })
}

fn ask(port: u16) -> Option<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    // One that is held answers when it goes on, and nobody waits that long.
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let text = "GET /api/v1/trades?limit=100 HTTP/1.1\r\nHost: venue\r\nConnection: close\r\n\
                Authorization: Bearer token\r\n\r\n";
    stream.write_all(text.as_bytes()).ok()?;
    let mut told = String::new();
    stream.read_to_string(&mut told).ok()?;
    told.starts_with("HTTP/1.1 200").then_some(())
}
