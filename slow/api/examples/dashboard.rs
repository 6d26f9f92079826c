//! Records what the page asks of a live venue: a venue with its tables, members' orders, the
//! service, and viewers who run the page's own code. The trace is played by `cargo run -p cache
//! --example measure -- FILE`.
//!
//!     cargo build --profile checked -p appliance -p store -p api --bins --examples
//!     target/checked/examples/dashboard trace.txt
#![allow(clippy::unwrap_used)]

mod service;

use clap::Parser;
use queue::CounterSet;
use service::Service;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const TOPOLOGY: &str = include_str!("../../../appliance/topologies/loopback.toml");

/// What members trade, the busiest first.
const SYMBOLS: &str = "AAPL,MSFT,NVDA,AMZN,GOOG,META,TSLA,ORCL";

/// Which part of a hundred viewers look at a view, stated before anything was measured.
const VIEWS: [(&str, u32); 5] = [
    ("books", 40),
    ("trades", 30),
    ("orders", 10),
    ("accounts", 10),
    ("audit", 10),
];

/// What a viewer may see.
const KEY: &str = "role = \"auditor\"";

#[derive(Parser)]
struct Arguments {
    /// Where the trace goes.
    trace: PathBuf,
    /// Viewers, in tens.
    #[arg(long, default_value_t = 100)]
    viewers: u32,
    /// How long they look.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Commands a second that members send meanwhile.
    #[arg(long, default_value_t = 100)]
    rate: u32,
}

/// A process that ends with its end here.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program that is built beside this one.
fn program(name: &str) -> Command {
    let examples = std::env::current_exe().unwrap();
    let path = examples.parent().unwrap().with_file_name(name);
    assert!(path.is_file(), "{}: build it first", path.display());
    Command::new(path)
}

/// A venue below a folder, and where it takes orders.
fn venue(folder: &Path) -> (Running, String) {
    let symbols = SYMBOLS.replace(',', "\", \"");
    let slow = format!(
        "[shadow]\n\n[slow]\ndir = {:?}\n\n[tiles]",
        folder.join("tables")
    );
    let text = TOPOLOGY
        .replace("data/loopback", folder.join("data").to_str().unwrap())
        .replace("\"AAPL\"", &format!("\"{symbols}\""))
        .replace("[tiles]", &slow);
    let path = folder.join("venue.toml");
    std::fs::write(&path, text).unwrap();
    let mut command = program("wirecross");
    command
        .args(["run", "--insecure-dev", "--topology"])
        .arg(&path);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let venue = Running(child);
    for line in lines.map_while(Result::ok) {
        let mut words = line.split_whitespace();
        if line.starts_with("ready ") {
            let entry = words.find_map(|word| word.strip_prefix("order_entry="));
            return (venue, entry.unwrap().to_owned());
        }
    }
    panic!("the venue did not become ready");
}

fn members(entry: &str, asked: &Arguments) -> Running {
    let mut command = program("wirecross");
    command.args(["load", "--connect", entry, "--symbols", SYMBOLS]);
    command.args(["--login", "ALPHA:alpha", "--login", "BRAVO:bravo"]);
    command.args(["--standing", "200", "--rate", &asked.rate.to_string()]);
    // Until the viewers have seen enough.
    command.args(["--seconds", "3600"]).stdout(Stdio::null());
    Running(command.spawn().unwrap())
}

fn main() {
    let asked = Arguments::parse();
    let dir = tempfile::tempdir().unwrap();
    let (_venue, entry) = venue(dir.path());
    let _members = members(&entry, &asked);
    let tables = dir.path().join("tables");
    let is_there = || tables.join("tables.db").is_file();
    while !is_there() {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let (counters, histograms) = (appliance::tiles::COUNTERS, appliance::tiles::HISTOGRAMS);
    let _counters = CounterSet::create(&tables.join("counters"), counters, histograms).unwrap();
    let service = Service::start(&tables, KEY, "cache = { trace = true }");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/viewers.mjs");
    let mut viewers = Command::new("node");
    viewers
        .arg(script)
        .arg(format!("http://{}", service.address));
    viewers.args([&asked.seconds.to_string(), &service.token]);
    viewers.args(VIEWS.map(|(name, part)| format!("{name}={}", asked.viewers * part / 100)));
    assert!(viewers.status().unwrap().success());
    std::fs::copy(tables.join("tables.db-trace"), &asked.trace).unwrap();
}
