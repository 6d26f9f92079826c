//! A PostgreSQL server of our own: one folder, loopback or a socket file, and a user who is not
//! root. The tests of the tables start theirs by this file, too.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Whom the server runs as where we are root, whom it refuses: the first of these that there is.
const USERS: [&str; 2] = ["postgres", "daemon"];

/// How long a server may take to start, to stop or to copy itself.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// Where `/proc/PID/stat` has user and system time behind the name: the process's own, and that of
/// its children that have ended.
const CPU_FIELDS: [usize; 4] = [11, 12, 13, 14];

/// What these count: `USER_HZ`, which Linux fixes.
const TICKS_A_SECOND: f64 = 100.0;

/// What Debian calls the package that has the server.
pub const PACKAGE: &str = "postgresql-15";

/// The servers' programs that are installed.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
    /// Whom they are run as, if it is not us.
    user: Option<(String, u32, u32)>,
    /// Whose turn it is, where others may come.
    turn: Option<Arc<Turn>>,
}

/// One server.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub programs: Programs,
    /// Its data, its log and its socket.
    pub folder: PathBuf,
    /// Its port on 127.0.0.1; 0 for a socket file in its folder alone.
    pub port: u16,
}

/// Whose turn it is to make, start or stop servers of a folder: one does it at a time, and who
/// comes next also waits for programs that outlive whoever started them, as `initdb` does where a
/// signal ends that one alone.
#[derive(Debug)]
pub struct Turn(fs::File);

impl Turn {
    /// Waits for it.
    ///
    /// # Errors
    /// The folder cannot be had, or somebody else is at it for too long.
    pub fn take(folder: &Path) -> Result<Self, String> {
        let path = folder.join("turn");
        let told = |e: io::Error| format!("{}: {e}", path.display());
        fs::create_dir_all(folder).map_err(told)?;
        let file = fs::File::create(&path).map_err(told)?;
        let begun = Instant::now();
        while let Err(error) = file.try_lock() {
            match error {
                fs::TryLockError::WouldBlock if begun.elapsed() < WAIT_MAX => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                fs::TryLockError::WouldBlock => {
                    let path = path.display();
                    return Err(format!("{path}: somebody else is at these servers"));
                }
                fs::TryLockError::Error(error) => return Err(told(error)),
            }
        }
        Ok(Self(file))
    }
}

impl Programs {
    /// The same, who have the turn as long as one of them runs. They read nothing, so they have it
    /// in the place of their input, and servers that they leave behind have it not.
    #[must_use]
    pub fn with(mut self, turn: Turn) -> Self {
        self.turn = Some(Arc::new(turn));
        self
    }

    /// Looks for them.
    ///
    /// # Errors
    /// There are none, or nobody to run them as.
    pub fn find() -> Result<Self, String> {
        let Some(folder) = newest() else {
            return Err(format!(
                "no PostgreSQL server is installed: `cargo x setup` installs Debian's {PACKAGE}, \
                 or `apt-get install {PACKAGE}` by hand"
            ));
        };
        let user = match is_root() {
            true => Some(someone()?),
            false => None,
        };
        Ok(Self {
            folder,
            user,
            turn: None,
        })
    }

    /// Whether there are any.
    pub fn are_there() -> bool {
        newest().is_some()
    }

    /// One of them, to be run as the user that they need.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join(name));
        let turn = self.turn.as_ref().and_then(|turn| turn.0.try_clone().ok());
        let input = turn.map_or_else(Stdio::null, Stdio::from);
        command.stdin(input).env("LC_ALL", "C");
        if let Some((_, user, group)) = &self.user {
            command.uid(*user).gid(*group);
        }
        command.current_dir("/");
        command
    }

    /// Gives a folder to that user.
    ///
    /// # Errors
    /// The system refuses.
    pub fn give(&self, folder: &Path) -> Result<(), String> {
        let Some((name, user, group)) = &self.user else {
            return Ok(());
        };
        let told = |e| format!("cannot give {} to {name}: {e}", folder.display());
        std::os::unix::fs::chown(folder, Some(*user), Some(*group)).map_err(told)
    }
}

/// The folder of the newest version's programs, as Debian has them.
fn newest() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let found = folders.filter_map(|entry| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        let folder = path.join("bin");
        folder.join("initdb").is_file().then_some((version, folder))
    });
    found.max().map(|(_, folder)| folder)
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

/// A user who is not root.
fn someone() -> Result<(String, u32, u32), String> {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = |wanted: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let is_wanted = fields.next()? == wanted;
            let (_, user, group) = (fields.next()?, fields.next()?, fields.next()?);
            let ids = (user.parse().ok()?, group.parse().ok()?);
            is_wanted.then_some((wanted.to_owned(), ids.0, ids.1))
        })
    };
    USERS.into_iter().find_map(found).ok_or_else(|| {
        format!(
            "a server does not run as root, and there is no user {}",
            USERS.join(" or ")
        )
    })
}

impl Cluster {
    /// Makes an empty one; whoever reaches its socket or port may do everything.
    ///
    /// # Errors
    /// It cannot be made; the words say why.
    pub fn create(&self, settings: &[&str]) -> Result<(), String> {
        self.make_folder()?;
        let mut initdb = self.programs.command("initdb");
        initdb.arg("-D").arg(self.data());
        initdb.args([
            "-U",
            "wirecross",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ]);
        run(&mut initdb)?;
        self.configure(settings)
    }

    /// Makes a copy of a server that runs, which follows it.
    ///
    /// # Errors
    /// It cannot be made; the words say why.
    pub fn follow(&self, primary: &Self, settings: &[&str]) -> Result<(), String> {
        self.make_folder()?;
        let mut copy = self.programs.command("pg_basebackup");
        copy.arg("-D").arg(self.data());
        primary.address(&mut copy);
        copy.args(["-R", "-X", "stream", "-c", "fast", "-N"]);
        run(&mut copy)?;
        self.configure(settings)
    }

    fn make_folder(&self) -> Result<(), String> {
        let told = |e: io::Error| format!("cannot make {}: {e}", self.folder.display());
        fs::create_dir_all(&self.folder).map_err(told)?;
        self.programs.give(&self.folder)
    }

    /// Where its files are.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn configure(&self, settings: &[&str]) -> Result<(), String> {
        let folder = self.folder.display();
        let address = if self.port == 0 { "" } else { "127.0.0.1" };
        let port = if self.port == 0 { 5432 } else { self.port };
        let mut text = format!(
            "listen_addresses = '{address}'\nport = {port}\n\
             unix_socket_directories = '{folder}'\n"
        );
        // Who follows finds what he needs, also if he was away or is copied just now.
        text += "wal_keep_size = 256MB\n";
        for setting in settings {
            text += setting;
            text.push('\n');
        }
        let path = self.data().join("wirecross.conf");
        let told = |e: io::Error| format!("{}: {e}", path.display());
        fs::write(&path, text).map_err(told)?;
        let main = self.data().join("postgresql.conf");
        let told = |e: io::Error| format!("{}: {e}", main.display());
        let before = fs::read_to_string(&main).map_err(told)?;
        let include = "include 'wirecross.conf'\n";
        if before.contains(include) {
            return Ok(());
        }
        fs::write(&main, before + include).map_err(told)
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// It does not start; the words end with what its log says.
    pub fn start(&self) -> Result<(), String> {
        let log = self.folder.join("log");
        self.forget_killed()?;
        let mut start = self.programs.command("pg_ctl");
        start.arg("start").arg("-D").arg(self.data());
        start.args(["-w", "-s", "-t", &WAIT_MAX.as_secs().to_string(), "-l"]);
        start.arg(&log).stdout(Stdio::null()).stderr(Stdio::null());
        let status = start.status();
        let status = status.map_err(|e| format!("cannot start pg_ctl: {e}"))?;
        if status.success() {
            return Ok(());
        }
        let told = fs::read_to_string(&log).unwrap_or_default();
        let last: Vec<&str> = told.lines().rev().take(5).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        Err(format!(
            "{}: no start:\n{}",
            self.folder.display(),
            last.join("\n")
        ))
    }

    /// Removes what one that was killed left behind, and what would keep the next one from starting
    /// for as long as nobody heard of that one's end.
    fn forget_killed(&self) -> Result<(), String> {
        let port = if self.port == 0 { 5432 } else { self.port };
        let socket = self.folder.join(format!(".s.PGSQL.{port}.lock"));
        for file in [self.data().join("postmaster.pid"), socket] {
            if self.pid().is_none() && file.exists() {
                fs::remove_file(&file).map_err(|e| format!("remove {}: {e}", file.display()))?;
            }
        }
        Ok(())
    }

    /// Stops it, if it runs; what it was doing is undone.
    ///
    /// # Errors
    /// It does not stop.
    pub fn stop(&self) -> Result<(), String> {
        if self.pid().is_none() {
            return Ok(());
        }
        let mut stop = self.programs.command("pg_ctl");
        stop.arg("stop").arg("-D").arg(self.data());
        stop.args([
            "-m",
            "fast",
            "-s",
            "-w",
            "-t",
            &WAIT_MAX.as_secs().to_string(),
        ]);
        run(&mut stop)
    }

    /// The server's process, if it runs.
    pub fn pid(&self) -> Option<u32> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let pid: u32 = text.lines().next()?.trim().parse().ok()?;
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // One that was killed may still be in the list, until somebody hears of its end.
        (state.contains("(postgres)") && !state.contains(") Z ")).then_some(pid)
    }

    /// Its processes: the server's and those that it started.
    pub fn processes(&self) -> Vec<u32> {
        let Some(pid) = self.pid() else {
            return Vec::new();
        };
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        let children = children.split_whitespace().filter_map(|it| it.parse().ok());
        std::iter::once(pid).chain(children).collect()
    }

    /// Seconds that its processes have used of the cores, those that have ended included.
    pub fn cpu_seconds(&self) -> f64 {
        let ticks = |pid: &u32, fields: &[usize]| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let behind = stat.rsplit(')').next().unwrap_or_default();
            let all: Vec<u64> = behind
                .split_whitespace()
                .map(|it| it.parse().unwrap_or(0))
                .collect();
            let used = fields.iter().filter_map(|at| all.get(*at));
            used.sum::<u64>()
        };
        let processes = self.processes();
        let own: u64 = processes
            .iter()
            .map(|pid| ticks(pid, &CPU_FIELDS[..2]))
            .sum();
        let ended = processes
            .first()
            .map_or(0, |pid| ticks(pid, &CPU_FIELDS[2..]));
        (own + ended) as f64 / TICKS_A_SECOND
    }

    /// Waits until none of some processes is there any more.
    ///
    /// # Errors
    /// One stays.
    pub fn wait_gone(processes: &[u32]) -> Result<(), String> {
        let begun = Instant::now();
        let is_there = |pid: &u32| {
            let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !state.is_empty() && !state.contains(") Z ")
        };
        while processes.iter().any(is_there) {
            if begun.elapsed() > WAIT_MAX {
                return Err(format!("one of {processes:?} does not end"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The address of a database of it.
    pub fn url(&self, database: &str) -> String {
        if self.port > 0 {
            return format!("postgres://wirecross@127.0.0.1:{}/{database}", self.port);
        }
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://wirecross@{folder}/{database}")
    }

    /// Makes a database in it.
    ///
    /// # Errors
    /// The server refuses.
    pub fn create_database(&self, name: &str) -> Result<(), String> {
        let mut create = self.programs.command("createdb");
        run(self.address(&mut create).arg(name))
    }

    /// Says where the server is.
    pub fn address<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.args(["-U", "wirecross"]);
        match self.port {
            0 => command.arg("-h").arg(&self.folder),
            port => command.args(["-h", "127.0.0.1", "-p", &port.to_string()]),
        }
    }
}

/// Runs a program; what it says is told if it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output();
    let output = output.map_err(|e| format!("cannot start {name}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let told = [output.stdout, output.stderr].concat();
    Err(format!("{name}: {}", String::from_utf8_lossy(&told).trim()))
}
