//! A venue of two members, which acknowledges from memory.

use crate::service::program;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

const TOPOLOGY: &str = r#"
name = "orders"
data_dir = "DATA"
ack = "memory"
symbols = ["AAPL"]

[order_entry]
address = "127.0.0.1:0"
silence_ms = 600000
reply_mib = 64

[feed]
group = "239.193.0.3:26499"
source = "127.0.0.1:0"
rerequest = "127.0.0.1:0"
history_mib = 64

[limits]
symbols = 4
sessions = 4
orders = 4096

[tiles]
gate = { thread = "all" }
engine = { thread = "all" }
journal = { thread = "all" }
publish = { thread = "all" }

[links]
gate_engine = { depth = 4096, full = "wait" }
engine_journal = { depth = 4096, full = "wait" }
engine_gate = { depth = 16384, full = "wait" }
engine_publish = { depth = 16384, full = "wait" }

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

/// A venue, until this goes.
pub struct Venue {
    pub child: Child,
    pub order_entry: SocketAddr,
    /// Who writes to nobody ends.
    _out: BufReader<ChildStdout>,
}

impl Venue {
    pub fn start(folder: &Path) -> Self {
        let topology = folder.join("topology.toml");
        let data = folder.join("data");
        std::fs::write(&topology, TOPOLOGY.replace("DATA", data.to_str().unwrap())).unwrap();
        let mut command = Command::new(program("wirecross"));
        command.args(["run", "--topology"]).arg(&topology);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        out.read_line(&mut ready).unwrap();
        let mut words = ready.split_whitespace();
        let address = words.find_map(|word| word.strip_prefix("order_entry="));
        Self {
            child,
            order_entry: address.unwrap().parse().unwrap(),
            _out: out,
        }
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
