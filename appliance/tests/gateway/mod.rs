//! A FIX member before a venue: the gateway's process, and who talks to it.

// Each test file uses its part of this.
#![allow(dead_code)]

#[path = "../../../slow/fix/tests/pieces/mod.rs"]
mod pieces;

use crate::harness::{Site, wait_until};
use fix::message::{Message, Split, split};
use pieces::frame_of;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Fields of a report that are the same when it is made again.
const REPORTED: [u32; 13] = [37, 11, 17, 150, 39, 55, 54, 38, 44, 31, 32, 14, 151];

/// A site where ALPHA comes by a gateway of the user nobody, with these words more; `None` with a
/// word where this is not root.
pub fn site(more: &str) -> Option<Site> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("skipped: the gateway is another user's process, which only root can start");
        return None;
    }
    let by_ring = format!("account = 1\ngateway = \"nobody\"\n{more}");
    let site = Site::new().with("account = 1", &by_ring);
    let text = format!(
        "listen = \"127.0.0.1:0\"\nvenue = {:?}\ncomp_id = \"VENUE\"\ndata_dir = {:?}\nuser = \
         \"nobody\"\n",
        site.data_dir(),
        site.dir.path().join("numbers")
    );
    fs::write(settings(&site), text).unwrap();
    Some(site)
}

pub fn settings(site: &Site) -> PathBuf {
    site.dir.path().join("fix.toml")
}

/// The gateway's process; killed when dropped.
pub struct Gateway {
    pub child: Child,
    pub address: SocketAddr,
}

impl Gateway {
    pub fn start(site: &Site) -> Self {
        let program = std::env::current_exe().unwrap();
        let folder = program.ancestors().nth(2).unwrap();
        let mut child = Command::new(folder.join("examples/fix_gateway"))
            .arg(settings(site))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim_end().strip_prefix("FIX 4.4 at ");
        let address = address.unwrap_or_else(|| panic!("the gateway said {line:?}"));
        Self {
            child,
            address: address.parse().unwrap(),
        }
    }

    pub fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The status of each of its threads.
    pub fn threads(&self) -> Vec<String> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let status = |it: fs::DirEntry| fs::read_to_string(it.path().join("status")).unwrap();
        threads.map(|it| status(it.unwrap())).collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

/// ALPHA by FIX.
pub struct Fix {
    stream: TcpStream,
    /// Of the next message.
    pub number: u64,
    inbound: Vec<u8>,
    pub heard: Vec<Message>,
    pub is_closed: bool,
}

impl Fix {
    pub fn logon(gateway: &Gateway, number: u64) -> Self {
        let stream = TcpStream::connect(gateway.address).unwrap();
        let patience = Some(Duration::from_millis(5));
        stream.set_read_timeout(patience).unwrap();
        let mut fix = Self {
            stream,
            number,
            inbound: Vec::new(),
            heard: Vec::new(),
            is_closed: false,
        };
        fix.send("A", "98=0|108=60|554=alpha|");
        fix
    }

    pub fn send(&mut self, kind: &str, fields: &str) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let frame = frame_of(kind, self.number, fields, since.as_nanos() as u64);
        self.number += 1;
        // One that is gone shows when it is read.
        let _ = self.stream.write_all(&frame);
    }

    /// Says bytes that are no message.
    pub fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub fn enter(&mut self, id: &str, units: u32) {
        let time = "20261122-10:00:00.000";
        let terms = format!("11={id}|55=AAPL|54=1|38={units}|40=2|44=100|60={time}|");
        self.send("D", &terms);
    }

    pub fn turn(&mut self) {
        let mut bytes = [0; 4_096];
        match self.stream.read(&mut bytes) {
            Ok(0) => self.is_closed = true,
            Ok(read) => self.inbound.extend_from_slice(&bytes[..read]),
            Err(_) => {}
        }
        while let Split::Message(bytes) = split(&self.inbound) {
            let frame = self.inbound.drain(..bytes).collect();
            self.heard.push(Message::read(frame));
        }
    }

    pub fn has(&self, tag: u32, value: &str) -> bool {
        self.heard
            .iter()
            .any(|message| message.text(tag) == Some(value))
    }

    pub fn until(&mut self, tag: u32, value: &str) {
        wait_until(&format!("{tag}={value}"), || {
            self.turn();
            self.has(tag, value)
        });
    }

    /// What reports said, by their numbers: those that came first, or those that came again.
    pub fn reports(&self, is_again: bool) -> BTreeMap<u64, Vec<Option<String>>> {
        let ours = self
            .heard
            .iter()
            .filter(|it| it.kind() == "8" && (it.text(43) == Some("Y")) == is_again);
        let said = ours.map(|it| {
            let number = it.number(34).unwrap().unwrap();
            let fields = REPORTED.map(|tag| it.text(tag).map(str::to_owned));
            (number, fields.to_vec())
        });
        said.collect()
    }
}

/// Logs on as soon as the venue takes it.
pub fn logon_again(gateway: &Gateway, number: u64) -> Fix {
    let mut fix = Fix::logon(gateway, number);
    wait_until("the logon", || {
        fix.turn();
        if fix.is_closed {
            fix = Fix::logon(gateway, number);
        }
        fix.has(35, "A")
    });
    fix
}
