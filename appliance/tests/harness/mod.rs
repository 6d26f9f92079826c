//! The program under test in a directory of its own, with ports that the system chose, and members
//! that talk to it over real sockets.
//!
//! Every wait ends by an event; the bound is only there so that a broken venue fails the test
//! instead of hanging it, and is far longer than the slowest machine needs.

// Each test file uses its part of this.
#![allow(dead_code, unused_imports)]

mod api;
mod deaf;
mod golden;
mod member;
pub mod paired;
mod program;

pub use api::{api_settings, free_port, over_http, posted_over_http, write_for_all};
pub use deaf::{Deaf, fill_store};
pub use golden::unpack;
pub use member::{Member, trade};
pub use program::{Ended, Program, program, program_beside};

use nic::{Net, RealNet, RealUdp, UdpOptions};
use std::collections::HashMap;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest that anything may take.
pub const BOUND: Duration = Duration::from_secs(240);

/// The ports of a receiver: for what it hears, and for what it asks.
pub fn receiver_ports() -> (RealUdp, RealUdp) {
    let mut net = RealNet::new();
    let mut port = || {
        net.udp(&UdpOptions::new("127.0.0.1:0".parse().unwrap()))
            .unwrap()
    };
    (port(), port())
}

/// Waits until `done`, looking again and again.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < BOUND, "waited {BOUND:?} for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The fields of the status of a process or thread by its folder in /proc, while it is there.
pub fn status(task: &Path) -> Option<HashMap<String, String>> {
    let text = std::fs::read_to_string(task.join("status")).ok()?;
    let fields = text.lines().filter_map(|line| line.split_once(":\t"));
    let fields = fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Some(fields.collect())
}

/// The same of a process by its number.
pub fn process_status(process: &str) -> Option<HashMap<String, String>> {
    status(&Path::new("/proc").join(process))
}

/// The living child of a process.
pub fn child_of(parent: &str) -> Option<String> {
    std::fs::read_dir("/proc").unwrap().find_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.parse::<u32>().ok()?;
        let status = process_status(&name)?;
        (status["PPid"] == parent && !status["State"].starts_with('Z')).then_some(name)
    })
}

/// A directory that others may pass: a venue that root starts becomes somebody else.
pub fn directory() -> TempDir {
    directory_in(&std::env::temp_dir())
}

/// The same in a place of choice.
pub fn directory_in(place: &Path) -> TempDir {
    let passable = Permissions::from_mode(0o711);
    let mut builder = tempfile::Builder::new();
    builder.permissions(passable).tempdir_in(place).unwrap()
}

/// A data directory, a feed receiver's port, and the topology that names both.
pub struct Site {
    pub dir: TempDir,
    pub feed: UdpSocket,
    pub topology: String,
}

impl Site {
    /// A small venue with the symbols AAPL and MSFT and the members ALPHA and BRAVO.
    pub fn new() -> Self {
        let dir = directory();
        let feed = UdpSocket::bind("127.0.0.1:0").unwrap();
        feed.set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let topology = TOPOLOGY
            .replace("DATA", dir.path().join("data").to_str().unwrap())
            .replace("GROUP", &feed.local_addr().unwrap().to_string());
        Self {
            dir,
            feed,
            topology,
        }
    }

    /// Changes the topology's text.
    pub fn with(mut self, from: &str, to: &str) -> Self {
        assert!(self.topology.contains(from), "the topology has no {from:?}");
        self.topology = self.topology.replacen(from, to, 1);
        self
    }

    /// Where the venue keeps its journal.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts the venue and waits until it is ready.
    pub fn start(&self) -> Venue {
        self.start_with(&[])
    }

    /// Starts a venue, which must give ALPHA the replies of the day so far again, and stops it.
    pub fn start_and_compare(&self, before: &[Vec<u8>]) {
        let venue = self.start();
        let mut alpha = Member::login(venue.order_entry(), "ALPHA");
        alpha.until("the day's replies", |member| {
            member.replies.len() >= before.len()
        });
        assert_eq!(alpha.replies[..before.len()], *before);
        venue.stop();
    }

    /// Starts the venue with further arguments and waits until it is ready.
    pub fn start_with(&self, args: &[&str]) -> Venue {
        let mut venue = self.spawn(args);
        let ready = venue.line();
        let Some(ready) = ready.filter(|line| line.starts_with("ready ")) else {
            panic!("the venue did not become ready: {}", venue.stderr());
        };
        venue.ready = fields(&ready);
        venue
    }

    /// Starts the program without waiting for anything.
    pub fn spawn(&self, args: &[&str]) -> Venue {
        let path = self.dir.path().join("topology.toml");
        std::fs::write(&path, &self.topology).unwrap();
        self.spawn_on(&path, args)
    }

    /// Starts the program on another topology file, without waiting for anything.
    pub fn spawn_on(&self, topology: &Path, args: &[&str]) -> Venue {
        let stderr_path = tempfile::NamedTempFile::new_in(self.dir.path()).unwrap();
        let (stderr_file, stderr_path) = stderr_path.keep().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_wirecross"))
            .args(["run", "--topology"])
            .arg(topology)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(stderr_file))
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Venue {
            child,
            lines,
            stderr_path,
            ready: HashMap::new(),
        }
    }
}

/// A running program; killed when dropped.
pub struct Venue {
    child: Child,
    lines: Receiver<String>,
    stderr_path: PathBuf,
    ready: HashMap<String, String>,
}

impl Venue {
    /// The next line of stdout; `None` when the program ended.
    pub fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(BOUND) {
            Ok(line) => Some(line),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            Err(timeout) => panic!("no line within {BOUND:?}: {timeout}; {}", self.stderr()),
        }
    }

    /// Number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A field of the ready line.
    pub fn ready(&self, field: &str) -> &str {
        &self.ready[field]
    }

    /// Where members connect.
    pub fn order_entry(&self) -> SocketAddr {
        self.ready("order_entry").parse().unwrap()
    }

    /// What the program wrote to stderr so far.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr_path).unwrap_or_default()
    }

    /// Sends a signal by its name, as an operator does.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .unwrap();
        assert!(status.success(), "kill -s {name} {pid}");
    }

    /// Limits how long the program's files may be from now on.
    pub fn file_size_limit(&self, bytes: u64) {
        let pid = self.child.id() as libc::pid_t;
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: `limit` outlives the call; no new limit is given.
        let failed =
            unsafe { libc::prlimit(pid, libc::RLIMIT_FSIZE, std::ptr::null(), &raw mut limit) };
        assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
        limit.rlim_cur = bytes;
        // SAFETY: `limit` outlives the call; the old limit is not asked for.
        let failed = unsafe {
            libc::prlimit(
                pid,
                libc::RLIMIT_FSIZE,
                &raw const limit,
                std::ptr::null_mut(),
            )
        };
        assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_until("the venue's end", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }

    /// Ends the venue by SIGTERM, which must succeed, and gives its summary.
    pub fn stop(mut self) -> HashMap<String, String> {
        self.signal("TERM");
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.stderr());
        let summary = self.line().unwrap_or_default();
        assert!(
            summary.starts_with("summary "),
            "no summary but {summary:?}: {}",
            self.stderr()
        );
        fields(&summary)
    }

    /// Kills the venue as a power switch does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the venue's stderr\n{}---", self.stderr());
        }
    }
}

/// The `name=value` pieces of a line.
pub fn fields(line: &str) -> HashMap<String, String> {
    let pieces = line
        .split_whitespace()
        .filter_map(|piece| piece.split_once('='));
    pieces
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The counters of a running venue, read as `wirecross top` does.
pub fn counter(site: &Site, name: &str) -> u64 {
    let path = site
        .data_dir()
        .join(appliance::venue::runner::COUNTERS_FILE);
    queue::CounterReader::attach(&path)
        .unwrap()
        .get(name)
        .unwrap()
}

const TOPOLOGY: &str = r#"
name = "test"
data_dir = "DATA"
ack = "disk"
segment_mib = 1
symbols = ["AAPL", "MSFT"]

[order_entry]
address = "127.0.0.1:0"
connections_max = 8
stall_ms = 60000
silence_ms = 600000
reply_mib = 4

[feed]
group = "GROUP"
source = "127.0.0.1:0"
rerequest = "127.0.0.1:0"
history_mib = 4

[limits]
symbols = 4
sessions = 4
orders = 4096

[ending]
drain_s = 60
cutoff_s = 60
feed_end_ms = 1

[tiles]
gate = { thread = "all" }
engine = { thread = "all" }
journal = { thread = "all" }
publish = { thread = "all" }

[links]
gate_engine = { depth = 256, full = "wait" }
engine_journal = { depth = 256, full = "wait" }
engine_gate = { depth = 1024, full = "wait" }
engine_publish = { depth = 1024, full = "wait" }

[[users]]
name = "ALPHA"
password = "alpha"
firm = "ALPH"
account = 1

[[users]]
name = "BRAVO"
password = "bravo"
firm = "BRAV"
account = 2
"#;
