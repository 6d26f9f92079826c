//! A venue's data directory with a day in which everything happens, and the program under test.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each test program uses a part")]

// How a day comes to be is the appliance's business: its own tests make it the same way.
#[path = "../../../../appliance/tests/shadowed/mod.rs"]
pub mod shadowed;

use journal::simulated::Disk;
use journal::storage::segment_name;
use journal::{Files, Segments};
use queue::CounterSet;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;
use wire::ring::{CommandKind, Input};

/// A data directory and a place for a database.
pub struct Site {
    pub dir: TempDir,
}

impl Site {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        Self { dir }
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
        command.args(rest).arg("--database").arg(self.database());
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
