//! A Redis of our own: one folder, a port on loopback, nothing written to the disk. The tests of
//! the cache start theirs by this file, too.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The server's program.
pub const PROGRAM: &str = "redis-server";

/// What Debian calls the package that has it.
pub const PACKAGE: &str = "redis-server";

/// How long it may take to start or to stop.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// How long it may take to answer before it counts as not running.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What it is told beside its address: a cache's memory is bounded and outlives nothing.
const SETTINGS: [&str; 8] = [
    "--save",
    "",
    "--appendonly",
    "no",
    "--maxmemory",
    "256mb",
    "--maxmemory-policy",
    "volatile-lru",
];

/// One server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its log and the number of its process.
    pub folder: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// The server's program with all that it is told; it stays in front.
    pub fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]);
        command.arg("--dir").arg(&self.folder);
        command.arg("--pidfile").arg(self.pid_file());
        command.arg("--logfile").arg(self.folder.join("log"));
        command.args(SETTINGS);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Starts it beside whoever asks, and waits until it answers.
    ///
    /// # Errors
    /// It does not start; the words end with what its log says.
    pub fn start(&self) -> Result<(), String> {
        let told = |e| format!("cannot make {}: {e}", self.folder.display());
        fs::create_dir_all(&self.folder).map_err(told)?;
        if answers(self.port) {
            return Err(format!("port {} is another server's", self.port));
        }
        let status = self.command().args(["--daemonize", "yes"]).status();
        let status = status.map_err(|e| format!("cannot start {PROGRAM}: {e}"))?;
        let begun = Instant::now();
        while status.success() && begun.elapsed() < WAIT_MAX {
            if answers(self.port) && self.pid().is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        Err(format!("no start:\n{}", last.join("\n")))
    }

    /// Stops it, if it runs.
    ///
    /// # Errors
    /// It does not stop.
    pub fn stop(&self) -> Result<(), String> {
        let Some(pid) = self.pid() else {
            return Ok(());
        };
        asked(self.port, "SHUTDOWN NOSAVE");
        let begun = Instant::now();
        while self.pid().is_some() {
            if begun.elapsed() > WAIT_MAX {
                return Err(format!("process {pid} does not end"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Its process, if it runs.
    pub fn pid(&self) -> Option<u32> {
        let pid: u32 = fs::read_to_string(self.pid_file())
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        (state.contains("(redis-server)") && !state.contains(") Z ")).then_some(pid)
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    /// Its address as clients take it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// Whether the program is installed.
pub fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(PROGRAM).is_file())
}

/// Whether a Redis answers at a port.
pub fn answers(port: u16) -> bool {
    asked(port, "PING").is_some_and(|answer| answer.starts_with("+PONG"))
}

/// The beginning of what a server answers; none if it does not.
pub fn asked(port: u16, what: &str) -> Option<String> {
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let mut stream = TcpStream::connect_timeout(&address.into(), ANSWER_MAX).ok()?;
    stream.set_read_timeout(Some(ANSWER_MAX)).ok()?;
    stream.write_all(format!("{what}\r\n").as_bytes()).ok()?;
    let mut answer = [0; 4_096];
    let count = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..count]).into_owned())
}
