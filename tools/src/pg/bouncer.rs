//! A PgBouncer of our own in front of such servers: one folder and a port on loopback. The tests of
//! the tables start theirs by this file, too.

use super::cluster::Programs;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What Debian calls the package that has it.
pub const PACKAGE: &str = "pgbouncer";

/// The program, which stands where not everybody's path leads.
const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// How long it may take to start or to stop.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// How long it may take to take a connection before it counts as not running.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// One pool.
#[derive(Clone, Debug)]
pub struct Bouncer {
    pub programs: Programs,
    /// Its configuration, its log and the number of its process.
    pub folder: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

/// Whether the program is installed.
pub fn is_installed() -> bool {
    std::path::Path::new(PROGRAM).is_file()
}

impl Bouncer {
    /// Starts it with a configuration, and waits until it takes connections.
    ///
    /// # Errors
    /// It does not start; the words end with what its log says.
    pub fn start(&self, configuration: &str) -> Result<(), String> {
        if !is_installed() {
            return Err(format!(
                "{PROGRAM} is not there: `cargo x setup` installs Debian's {PACKAGE}, or \
                 `apt-get install {PACKAGE}` by hand"
            ));
        }
        if self.answers() {
            return Err(format!("port {} is another program's", self.port));
        }
        let told = |e| format!("cannot make {}: {e}", self.folder.display());
        fs::create_dir_all(&self.folder).map_err(told)?;
        self.programs.give(&self.folder)?;
        let file = self.folder.join("pgbouncer.ini");
        let told = |e| format!("write {}: {e}", file.display());
        fs::write(&file, configuration).map_err(told)?;
        // What one that was killed left behind.
        let _ = fs::remove_file(self.pid_file());
        let mut start = self.programs.command(PROGRAM);
        start.args(["-d", "-q"]).arg(&file);
        let status = start.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let status = status.map_err(|e| format!("cannot start {PROGRAM}: {e}"))?;
        let begun = Instant::now();
        while status.success() && begun.elapsed() < WAIT_MAX {
            if self.answers() && self.pid().is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let log = fs::read_to_string(self.folder.join("pgbouncer.log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        Err(format!("pgbouncer: no start:\n{}", last.join("\n")))
    }

    /// Stops it, if it runs; who is connected is cut off.
    ///
    /// # Errors
    /// It does not stop.
    pub fn stop(&self) -> Result<(), String> {
        let Some(pid) = self.pid() else {
            return Ok(());
        };
        let mut kill = std::process::Command::new("kill");
        let status = kill.args(["-TERM", &pid.to_string()]).status();
        status.map_err(|e| format!("cannot start kill: {e}"))?;
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
        let text = fs::read_to_string(self.pid_file()).ok()?;
        let pid: u32 = text.trim().parse().ok()?;
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        (state.contains("(pgbouncer)") && !state.contains(") Z ")).then_some(pid)
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("pgbouncer.pid")
    }

    fn answers(&self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        TcpStream::connect_timeout(&address, ANSWER_MAX).is_ok()
    }
}
