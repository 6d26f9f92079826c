//! The program under test: started on the disk, perhaps with less of the kernel than usual, and
//! killed.

use std::fs;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::members::USERS;

/// The longest that a venue may take to start or to end.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What the kernel does for a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Everything.
    Whole,
    /// No io_uring: the journal waits for pwrite and fdatasync.
    Plain,
    /// As `Plain`, and fdatasync does nothing and says that it did.
    Flushless,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program.
    pub program: PathBuf,
    /// Where the topology and the venue's words go: not on the disk whose power is cut.
    pub directory: PathBuf,
    /// Where the venue keeps its data.
    pub data: PathBuf,
}

impl Plan {
    /// Writes the topology.
    ///
    /// # Errors
    /// The system's word.
    pub fn write(&self) -> io::Result<()> {
        let mut text = TOPOLOGY.replace("DATA", &self.data.display().to_string());
        for (user, account) in USERS.iter().zip(1..) {
            text += &format!(
                "[[users]]\nname = \"{user}\"\npassword = \"secret\"\nfirm = \"FIRM\"\n\
                 account = {account}\n"
            );
        }
        fs::write(self.topology(), text)
    }

    fn topology(&self) -> PathBuf {
        self.directory.join("venue.toml")
    }

    /// Starts the program; `before` runs it, as strace does.
    ///
    /// # Errors
    /// The system's word.
    pub fn start(&self, kernel: Kernel, new_day: bool, before: &[String]) -> io::Result<Venue> {
        let words = before.iter().map(String::as_str).map(Path::new);
        let mut words = words.chain([self.program.as_path()]);
        let mut command = Command::new(words.next().unwrap_or(&self.program));
        command
            .args(words)
            .args(["run", "--topology"])
            .arg(self.topology());
        if new_day {
            command.arg("--new-day");
        }
        let stderr = self.directory.join("stderr");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(fs::File::create(&stderr)?);
        // SAFETY: between fork and exec only system calls are made, on memory of this process.
        unsafe {
            command.pre_exec(move || kernel.enter());
        }
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        // SAFETY: the descriptor is ours; only its flags change.
        unsafe { libc::fcntl(stdout.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        Ok(Venue {
            child,
            stdout,
            said: Vec::new(),
            stderr,
        })
    }
}

impl Kernel {
    /// Makes the kernel answer as this says, for this process and those that it becomes; it dies
    /// with the one that started it.
    fn enter(self) -> io::Result<()> {
        // SAFETY: takes numbers only.
        if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } < 0 {
            return Err(io::Error::last_os_error());
        }
        let refuse = |errno: u32| libc::SECCOMP_RET_ERRNO | errno;
        let flush = match self {
            Self::Whole => return Ok(()),
            Self::Plain => libc::SECCOMP_RET_ALLOW,
            Self::Flushless => refuse(0),
        };
        let (load, equal, give) = (
            |at: u32| filter(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, at),
            |number: libc::c_long| {
                filter(
                    libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
                    1,
                    number as u32,
                )
            },
            |what: u32| filter(libc::BPF_RET | libc::BPF_K, 0, what),
        );
        let mut program = [
            load(0),
            equal(libc::SYS_io_uring_setup),
            give(refuse(libc::ENOSYS as u32)),
            equal(libc::SYS_fdatasync),
            give(flush),
            give(libc::SECCOMP_RET_ALLOW),
        ];
        let filters = libc::sock_fprog {
            len: program.len() as u16,
            filter: program.as_mut_ptr(),
        };
        let mode = libc::SECCOMP_MODE_FILTER;
        // SAFETY: takes numbers only.
        let mut failed = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } < 0;
        // SAFETY: the program outlives the call, which copies it.
        failed |= unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const filters) } < 0;
        if failed {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}

/// One instruction; a comparison that fails leaves out so many.
fn filter(code: u32, skip: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: skip,
        k,
    }
}

/// A running program; killed when dropped.
pub struct Venue {
    child: Child,
    stdout: ChildStdout,
    said: Vec<u8>,
    stderr: PathBuf,
}

/// What the ready line tells.
#[derive(Clone, Debug)]
pub struct Ready {
    pub order_entry: SocketAddr,
    pub session: String,
    pub state_hash: u64,
}

impl Venue {
    /// The ready line, once it is there.
    ///
    /// # Errors
    /// The venue ended instead, or says something else.
    pub fn ready(&mut self) -> Result<Option<Ready>, String> {
        let mut bytes = [0; 1_024];
        match self.stdout.read(&mut bytes) {
            Ok(0) => return Err(format!("the venue did not start: {}", self.stderr())),
            Ok(length) => self.said.extend_from_slice(&bytes[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.to_string()),
        }
        let text = String::from_utf8_lossy(&self.said);
        let Some((line, _)) = text.split_once('\n') else {
            return Ok(None);
        };
        let field = |name: &str| {
            let mut words = line.split_whitespace();
            words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        let parsed = || {
            Some(Ready {
                order_entry: field("order_entry")?.parse().ok()?,
                session: field("session")?.to_owned(),
                state_hash: u64::from_str_radix(field("state_hash")?, 16).ok()?,
            })
        };
        parsed()
            .map(Some)
            .ok_or_else(|| format!("the venue said {line:?}"))
    }

    /// What it wrote to stderr.
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// The system's word.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, String> {
        self.child.try_wait().map_err(|error| error.to_string())
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It does not.
    pub fn end(&mut self) -> Result<ExitStatus, String> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(format!("the venue does not end: {}", self.stderr()))
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        self.kill();
    }
}

const TOPOLOGY: &str = r#"
name = "power-cut"
data_dir = "DATA"
ack = "disk"
segment_mib = 1
symbols = ["AAPL", "MSFT"]

[order_entry]
address = "127.0.0.1:0"
connections_max = 8
reply_mib = 4

[feed]
group = "127.0.0.1:9"
source = "127.0.0.1:0"
rerequest = "127.0.0.1:0"
history_mib = 1

[limits]
symbols = 2
sessions = 3
orders = 16384

[ending]
drain_s = 1
cutoff_s = 1
feed_end_ms = 1

[tiles]
gate = { thread = "fast" }
engine = { thread = "fast" }
publish = { thread = "fast" }
journal = { thread = "disk" }

[links]
gate_engine = { depth = 256, full = "wait" }
engine_journal = { depth = 256, full = "wait" }
engine_gate = { depth = 1024, full = "wait" }
engine_publish = { depth = 1024, full = "wait" }
"#;
