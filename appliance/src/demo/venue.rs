//! The venue's process: its topology, its ready line, its end.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::Arena;
use super::arena::Addresses;
use crate::client::members::Login;
use crate::venue::logins::key_write;
use session::challenge::Key;

/// How long a venue may take to start or to end before the demo gives up on it.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time between two looks at a process that is ending.
const LOOK: Duration = Duration::from_millis(5);

/// What venue to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Directory of this demo; the venue's data goes below it.
    pub directory: PathBuf,
    /// Symbols, in the order of their numbers.
    pub symbols: Vec<String>,
    /// Members with their keys, in the order of their sessions.
    pub logins: Vec<Login>,
    /// `disk` or `memory`.
    pub ack: &'static str,
    /// Orders that memory is taken for.
    pub orders: u32,
    /// Whether tables are made of what it does.
    pub has_slow_path: bool,
    /// Where it listens and sends.
    pub addresses: Addresses,
}

impl Plan {
    /// File of the topology.
    #[must_use]
    pub fn topology_path(&self) -> PathBuf {
        self.directory.join("venue.toml")
    }

    /// The topology: the disk on one thread, the rest on another.
    #[must_use]
    pub fn topology(&self) -> String {
        let addresses = &self.addresses;
        let data_dir = self.directory.join("data");
        let mut text = format!(
            "name = \"demo\"\ndata_dir = {data_dir:?}\nack = {:?}\nsymbols = {:?}\n\n\
             [order_entry]\naddress = \"{}\"\nreply_mib = 64\n\n\
             [feed]\ngroup = \"{}\"\ngroup_b = \"{}\"\n\
             source = \"{}\"\nrerequest = \"{}\"\ninterface = {:?}\n\
             mode = {:?}\nhistory_mib = 256\n\
             rerequest_allow = [\"127.0.0.0/8\", \"{}/24\"]\n\n\
             [limits]\nsymbols = 67\nsessions = 18\norders = {}\n\n\
             [tiles]\ngate = {{ thread = \"fast\" }}\nengine = {{ thread = \"fast\" }}\n\
             publish = {{ thread = \"fast\" }}\njournal = {{ thread = \"disk\" }}\n\n[links]\n",
            self.ack,
            self.symbols,
            addresses.order_entry,
            addresses.group,
            addresses.line_b,
            addresses.source,
            addresses.rerequest,
            addresses.interface,
            addresses.mode,
            addresses.rerequest.ip(),
            self.orders,
        );
        for link in [
            "gate_engine",
            "engine_journal",
            "engine_gate",
            "engine_publish",
        ] {
            let _ = writeln!(text, "{link} = {{ depth = 16384, full = \"wait\" }}");
        }
        if self.has_slow_path {
            let dir = self.directory.join("tables");
            let _ = write!(text, "\n[shadow]\n\n[slow]\ndir = {dir:?}\n");
        }
        for (index, login) in self.logins.iter().enumerate() {
            let _ = write!(
                text,
                "\n[[users]]\nname = {:?}\nkey_file = {:?}\nfirm = \"DEMO\"\naccount = {}\n",
                login.user,
                self.key_path(login),
                index + 1
            );
        }
        text
    }

    /// The file of a member's key.
    pub(super) fn key_path(&self, login: &Login) -> PathBuf {
        self.directory.join(format!("{}.key", login.user))
    }

    /// Writes the topology and the members' keys, all new.
    fn write(&self) -> Result<PathBuf, String> {
        for login in &self.logins {
            let path = self.key_path(login);
            let key = Key::parse(&login.password);
            let key = key.ok_or_else(|| format!("{}: has no key", login.user))?;
            // A directory that was kept holds those of the last demo.
            let _ = std::fs::remove_file(&path);
            key_write(&path, &key).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        let path = self.topology_path();
        std::fs::write(&path, self.topology())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

/// A running venue.
pub struct VenueProcess {
    child: Child,
    lines: Receiver<String>,
    /// Order entry.
    pub order_entry: SocketAddr,
    /// Where requests go.
    pub rerequest: SocketAddrV4,
}

impl VenueProcess {
    /// Writes topology and keys, starts the venue and waits until members may connect.
    ///
    /// # Errors
    /// What went wrong, in words; the venue's own words are on stderr.
    pub fn start(arena: &Arena, plan: &Plan) -> Result<Self, String> {
        Self::start_again(arena, &plan.write()?)
    }

    /// Starts a venue on a topology that is there already.
    ///
    /// # Errors
    /// As [`VenueProcess::start`].
    pub fn start_again(arena: &Arena, topology: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| format!("our program: {error}"))?;
        let mut command = Command::new(program);
        command.arg("run").arg("--topology").arg(topology);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = arena
            .spawn(&mut command)
            .map_err(|error| format!("starting the venue: {error}"))?;
        let lines = lines_of(&mut child);
        let mut venue = Self {
            child,
            lines,
            order_entry: SocketAddr::V4(SocketAddrV4::new([0; 4].into(), 0)),
            rerequest: SocketAddrV4::new([0; 4].into(), 0),
        };
        let ready = venue.line("ready ")?;
        venue.order_entry = address(&ready, "order_entry")?;
        venue.rerequest = address(&ready, "rerequest")?;
        Ok(venue)
    }

    /// Waits for the line that begins so.
    fn line(&mut self, begin: &str) -> Result<String, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) if line.starts_with(begin) => return Ok(line),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("the venue printed no {begin:?} in {PATIENCE:?}"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the venue ended before it printed {begin:?}"));
                }
            }
        }
    }

    /// Kills it where it stands.
    ///
    /// # Errors
    /// The system's word.
    pub fn kill(mut self) -> Result<(), String> {
        self.child
            .kill()
            .map_err(|error| format!("killing the venue: {error}"))?;
        self.child
            .wait()
            .map_err(|error| format!("waiting for the venue: {error}"))?;
        Ok(())
    }

    /// Asks it to end; [`VenueProcess::ended`] tells when it has.
    pub fn terminate(&self) {
        terminate(&self.child);
    }

    /// Whether the process has ended.
    ///
    /// # Errors
    /// The system's word.
    pub fn ended(&mut self) -> Result<bool, String> {
        let status = self
            .child
            .try_wait()
            .map_err(|error| format!("the venue: {error}"))?;
        std::thread::sleep(if status.is_none() {
            LOOK
        } else {
            Duration::ZERO
        });
        Ok(status.is_some())
    }

    /// The summary of a venue that has ended, and whether it ended well.
    ///
    /// # Errors
    /// It failed, or printed no summary.
    pub fn summary(mut self) -> Result<Summary, String> {
        let status = self
            .child
            .wait()
            .map_err(|error| format!("the venue: {error}"))?;
        if !status.success() {
            return Err(format!("the venue ended with {status}"));
        }
        let line = self.line("summary ")?;
        let number = |name| field(&line, name)?.parse().map_err(|_| wrong(&line, name));
        let state_hash = field(&line, "state_hash")?;
        Ok(Summary {
            inputs: number("inputs")?,
            messages: number("messages")?,
            live_orders: number("live_orders")?,
            state_hash: u64::from_str_radix(state_hash, 16)
                .map_err(|_| wrong(&line, "state_hash"))?,
        })
    }
}

impl Drop for VenueProcess {
    fn drop(&mut self) {
        // A venue that outlives its demo would hold the data directory; errors mean it is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a venue said at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Inputs of the day.
    pub inputs: u64,
    /// Feed messages of the day.
    pub messages: u64,
    /// Orders on the books.
    pub live_orders: u64,
    /// Hash of the final state.
    pub state_hash: u64,
}

/// Asks a process to end that was not waited for.
pub(super) fn terminate(child: &Child) {
    // SAFETY: kill(2) takes numbers; the child was not waited for, so the number is its own.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGTERM) };
}

/// The lines a child prints, read by a thread of their own so that waiting for one has an end.
pub(super) fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

fn field<'l>(line: &'l str, name: &str) -> Result<&'l str, String> {
    let named = |word: &'l str| word.strip_prefix(name)?.strip_prefix('=');
    line.split_whitespace()
        .find_map(named)
        .ok_or_else(|| wrong(line, name))
}

fn address<A: std::str::FromStr>(line: &str, name: &str) -> Result<A, String> {
    field(line, name)?.parse().map_err(|_| wrong(line, name))
}

fn wrong(line: &str, name: &str) -> String {
    format!("the venue's line has no good {name}: {line}")
}
