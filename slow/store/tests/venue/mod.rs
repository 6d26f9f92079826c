//! A venue's data directory with a day in which everything happens, and the program under test.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each test program uses a part")]

// How a day comes to be is the appliance's business: its own tests make it the same way.
#[path = "../../../../appliance/tests/shadowed/mod.rs"]
pub mod shadowed;

// How a server is started is the builder's tool's business.
#[path = "../../../../tools/src/pg/cluster.rs"]
pub mod cluster;

// And so is a pool.
#[path = "../../../../tools/src/pg/bouncer.rs"]
pub mod bouncer;

use cluster::{Cluster, Programs};
use journal::simulated::Disk;
use journal::storage::segment_name;
use journal::{Files, Segments};
use queue::CounterSet;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::cell::Cell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use tempfile::TempDir;
use wire::ring::{CommandKind, Input};

/// Makes two tests of each function: with a file of SQLite's, and with a server of PostgreSQL's.
/// Without a server's programs, which `cargo x setup` installs, the second says so and does
/// nothing.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),*) => {
        $(mod $name {
            use super::{$name, Site};

            #[test]
            fn sqlite() {
                $name(&Site::new());
            }

            #[test]
            fn postgres() {
                Site::served().iter().for_each($name);
            }
        })*
    };
}

/// A server that stops when nobody needs it any more.
pub struct Running {
    pub cluster: Cluster,
    databases: Cell<u32>,
    _dir: TempDir,
}

/// What it is told: nothing of it is to last.
const SETTINGS: [&str; 5] = [
    "fsync = off",
    "full_page_writes = off",
    "shared_buffers = 64MB",
    "max_connections = 20",
    "log_min_messages = fatal",
];

impl Running {
    /// Starts one, if its programs are there.
    pub fn start() -> Option<Rc<Self>> {
        Self::start_at(0)
    }

    /// The same by a TCP port, which a confined process can reach; 0 for none.
    pub fn start_at(port: u16) -> Option<Rc<Self>> {
        let programs = match Programs::find() {
            Ok(programs) => programs,
            Err(why) => {
                assert!(std::env::var_os("CI").is_none(), "{why}");
                eprintln!("skipped: {why}");
                return None;
            }
        };
        let dir = tempfile::tempdir().unwrap();
        let cluster = Cluster {
            programs,
            folder: dir.path().to_path_buf(),
            port,
        };
        // What was begun is ended, also if it does not get further.
        let this = Self {
            cluster,
            databases: Cell::new(0),
            _dir: dir,
        };
        this.cluster.create(&SETTINGS).unwrap();
        this.cluster.start().unwrap();
        Some(Rc::new(this))
    }

    /// Makes a database; gives its address.
    fn database(&self) -> String {
        let name = format!("tables{}", self.databases.replace(self.databases.get() + 1));
        self.cluster.create_database(&name).unwrap();
        self.cluster.url(&name)
    }
}

impl Drop for Running {
    /// A test that failed may have left processes that do nothing; what it said must come out.
    fn drop(&mut self) {
        let tell = |what| {
            for process in self.cluster.processes() {
                let process = Pid::from_raw(process as i32);
                let _ = process.map(|it| kill_process(it, what));
            }
        };
        tell(Signal::CONT);
        let mut stop = self.cluster.programs.command("pg_ctl");
        stop.arg("stop").arg("-D").arg(self.cluster.data());
        stop.args(["-m", "immediate", "-s", "-w", "-t", "60"]);
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        tell(Signal::KILL);
    }
}

/// A data directory and a place for a database.
pub struct Site {
    pub dir: TempDir,
    /// The server that has the database, if it is no file, and its address there.
    pub served: Option<(Rc<Running>, String)>,
    /// What the address says beside the place.
    pub options: &'static str,
}

impl Site {
    /// With a file of SQLite's.
    pub fn new() -> Self {
        Self::of(None)
    }

    /// With a server of PostgreSQL's, if its programs are there.
    pub fn served() -> Option<Self> {
        Running::start().map(|server| Self::of(Some(server)))
    }

    /// Another one with a database of the same kind.
    pub fn another(&self) -> Self {
        Self::of(self.served.as_ref().map(|(server, _)| Rc::clone(server)))
    }

    fn of(server: Option<Rc<Running>>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        let served = server.map(|server| {
            let url = server.database();
            (server, url)
        });
        Self {
            dir,
            served,
            options: "",
        }
    }

    /// Where the database is, as the program is told.
    pub fn place(&self) -> OsString {
        match &self.served {
            Some((_, url)) => format!("{url}{}", self.options).into(),
            None => self.database().into(),
        }
    }

    /// The same for callers.
    pub fn location(&self) -> store::Location {
        store::Location::read(&self.place()).unwrap()
    }

    /// Runs a statement beside the program; gives its rows as text.
    pub fn sql(&self, text: &str) -> Vec<Vec<String>> {
        let Some((_, url)) = &self.served else {
            return sqlite(&self.database(), text);
        };
        let mut psql = Command::new("psql");
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-F",
            "\t",
            "-d",
            url,
        ]);
        let output = psql
            .arg("-c")
            .arg(text)
            .env("PGOPTIONS", "-c search_path=wirecross")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}: {told}");
        let row = |line: &str| line.split('\t').map(str::to_owned).collect();
        said.lines().map(row).collect()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn database(&self) -> PathBuf {
        self.dir.path().join("tables.db")
    }

    pub fn day(&self, name: &str) -> PathBuf {
        self.data_dir().join(name)
    }

    /// A day up to so many inputs, with all its streams; gives the inputs.
    pub fn live_day(&self, name: &str, seed: u64, inputs: usize) -> Vec<Input> {
        let inputs = told_inputs(seed, inputs);
        self.live(name, seed, &inputs);
        inputs
    }

    /// A day of these inputs, with all its streams.
    pub fn live(&self, name: &str, seed: u64, inputs: &[Input]) {
        let topology = shadowed::topology();
        let disk = shadowed::journal_of(inputs, seed);
        shadowed::live(&topology, &disk, inputs.len() as u64);
        copy_out(&disk, &self.day(name));
        self.say_durable(inputs.len() as u64);
    }

    /// Says as a running venue does what of its journal is durable.
    pub fn say_durable(&self, durable: u64) {
        let path = self.data_dir().join("counters");
        let mut counters = CounterSet::create(&path, &["journal.durable"], &[]).unwrap();
        counters.counter("journal.durable").unwrap().set(durable);
    }

    /// Runs the program with the data directory and the database.
    pub fn program(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-slow"));
        let (word, rest) = args.split_first().unwrap();
        command.arg(word);
        if *word != "query" {
            command.arg("--data-dir").arg(self.data_dir());
        }
        command.args(rest).arg("--database").arg(self.place());
        command
    }

    /// Runs the program, which must succeed, and gives what it prints.
    pub fn succeeds(&self, args: &[&str]) -> String {
        let output = self.program(args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{args:?}: {out}{err}");
        out
    }

    /// All rows of a query as JSON.
    pub fn rows(&self, args: &[&str]) -> Vec<Value> {
        let all = [&["query"], args, &["--json", "--limit", "1000000"]].concat();
        let text = self.succeeds(&all);
        let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
        rows.collect()
    }

    /// The tables must agree with journal, feed and a projection from zero.
    pub fn agrees(&self) {
        let said = self.succeeds(&["reconcile"]);
        assert!(said.starts_with("agreed "), "{said}");
    }

    /// Runs the program, which must end with this code, and gives what it says.
    pub fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.program(args);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

fn sqlite(path: &Path, text: &str) -> Vec<Vec<String>> {
    let tables = rusqlite::Connection::open(path).unwrap();
    let mut statement = tables.prepare(text).unwrap();
    let columns = statement.column_count();
    let text = |row: &rusqlite::Row<'_>, at| {
        let value: rusqlite::types::Value = row.get(at)?;
        Ok(match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            _ => String::new(),
        })
    };
    let rows = statement.query_map([], |row| (0..columns).map(|at| text(row, at)).collect());
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// A hostile day's inputs of the topology's members: what others trade has no replies.
pub fn told_inputs(seed: u64, count: usize) -> Vec<Input> {
    let topology = shadowed::topology();
    let members = topology.users.len() as u16;
    let is_definition = |input: &Input| input.command.kind == CommandKind::DefineSession as u8;
    let is_told = |input: &Input| !is_definition(input) || input.command.session <= members;
    let inputs = shadowed::inputs(&topology, seed, count);
    let told = (1..).zip(inputs.into_iter().filter(is_told));
    told.map(|(sequence, input)| Input { sequence, ..input })
        .collect()
}

/// Inputs of a record that the journal of a made day holds.
pub const GROUP: usize = 50;

/// Puts the files of a simulated disk into a directory, as a venue leaves them.
pub fn copy_out(disk: &Disk, into: &Path) {
    std::fs::create_dir_all(into).unwrap();
    let mut segments = disk.storage();
    for at in segments.list().unwrap() {
        let mut bytes = vec![0; at.bytes as usize];
        segments.read(at.number, 0, &mut bytes).unwrap();
        std::fs::write(into.join(segment_name(at.number)), bytes).unwrap();
    }
    let mut files = disk.files();
    for name in files.names().unwrap() {
        let mut bytes = vec![0; files.length(&name).unwrap() as usize];
        files.read(&name, 0, &mut bytes).unwrap();
        std::fs::write(into.join(name), bytes).unwrap();
    }
    std::fs::write(into.join("limits"), "").unwrap();
}
