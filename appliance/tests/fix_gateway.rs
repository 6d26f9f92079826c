//! A FIX member before a venue, by the gateway's process and its rings: what rests and trades
//! outlives the death of either process, and no death goes unnoticed.
#![allow(clippy::unwrap_used)]

mod harness;
#[path = "../../slow/fix/tests/pieces/mod.rs"]
mod pieces;

use fix::message::{Message, Split, split};
use harness::{BOUND, Member, Site, wait_until};
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
fn site(more: &str) -> Option<Site> {
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

fn settings(site: &Site) -> PathBuf {
    site.dir.path().join("fix.toml")
}

/// The gateway's process; killed when dropped.
struct Gateway {
    child: Child,
    address: SocketAddr,
}

impl Gateway {
    fn start(site: &Site) -> Self {
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

    fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn status(&self) -> String {
        fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Processes that call the venue for a gateway with these settings.
fn ushers(site: &Site) -> usize {
    let settings = settings(site);
    let processes = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let ours = lines.filter(|line| {
        let line = String::from_utf8_lossy(line);
        line.contains(settings.to_str().unwrap()) && line.contains("--usher")
    });
    ours.count()
}

/// ALPHA by FIX.
struct Fix {
    stream: TcpStream,
    /// Of the next message.
    number: u64,
    inbound: Vec<u8>,
    heard: Vec<Message>,
    is_closed: bool,
}

impl Fix {
    fn logon(gateway: &Gateway, number: u64) -> Self {
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

    fn send(&mut self, kind: &str, fields: &str) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let frame = frame_of(kind, self.number, fields, since.as_nanos() as u64);
        self.number += 1;
        // One that is gone shows when it is read.
        let _ = self.stream.write_all(&frame);
    }

    fn enter(&mut self, id: &str, units: u32) {
        let time = "20261122-10:00:00.000";
        let terms = format!("11={id}|55=AAPL|54=1|38={units}|40=2|44=100|60={time}|");
        self.send("D", &terms);
    }

    fn turn(&mut self) {
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

    fn has(&self, tag: u32, value: &str) -> bool {
        self.heard
            .iter()
            .any(|message| message.text(tag) == Some(value))
    }

    fn until(&mut self, tag: u32, value: &str) {
        wait_until(&format!("{tag}={value}"), || {
            self.turn();
            self.has(tag, value)
        });
    }

    /// What reports said, by their numbers: those that came first, or those that came again.
    fn reports(&self, is_again: bool) -> BTreeMap<u64, Vec<Option<String>>> {
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
fn logon_again(gateway: &Gateway, number: u64) -> Fix {
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

#[test]
fn what_a_member_has_outlives_the_death_of_gateway_and_venue() {
    let Some(site) = site("") else { return };
    // The gateway may come first.
    let mut gateway = Gateway::start(&site);
    let venue = site.start();
    let mut fix = logon_again(&gateway, 1);
    fix.enter("first", 10);
    fix.until(150, "0");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.enter(b'S', 4, "AAPL", 1_000_000);
    fix.until(150, "F");
    let before = fix.reports(false);

    gateway.kill();
    bravo.enter(b'S', 6, "AAPL", 1_000_000);
    bravo.until("the trade", |it| it.kinds().ends_with('E'));
    wait_until("the usher's end", || ushers(&site) == 0);
    gateway = Gateway::start(&site);
    let mut fix = logon_again(&gateway, fix.number);
    fix.until(39, "2");
    assert_eq!(fix.reports(false).len(), 1, "reported once");
    // Nobody is ALPHA by another way.
    Member::dial(venue.order_entry(), "ALPHA", "alpha").until_closed();

    venue.kill();
    fix.until(58, "the venue ended the session");
    let venue = site.start();
    let mut after = logon_again(&gateway, fix.number);
    after.send("2", "7=1|16=0|");
    after.enter("second", 1);
    after.until(11, "second");
    let again = after.reports(true);
    let told = before
        .iter()
        .chain(&fix.reports(false))
        .all(|(number, report)| {
            let copy = again.get(number);
            assert_eq!(copy, Some(report), "message {number}");
            true
        });
    assert!(told && before.len() == 2);
    drop(gateway);
    venue.stop();
}

#[test]
fn a_gateway_is_confined_and_has_one_usher() {
    let Some(site) = site("") else { return };
    let gateway = Gateway::start(&site);
    let status = gateway.status();
    for line in [
        "Uid:\t65534\t65534\t65534\t65534",
        "CapEff:\t0000000000000000",
        "CapBnd:\t0000000000000000",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
        "Threads:\t1",
    ] {
        assert!(status.contains(line), "no {line:?} in {status}");
    }
    assert_eq!(ushers(&site), 1);
    // Without a venue nobody gets in, and is told so.
    let mut fix = Fix::logon(&gateway, 1);
    fix.until(35, "5");
    assert!(
        fix.heard[0]
            .text(58)
            .unwrap()
            .starts_with("the venue is not there")
    );
}

#[test]
fn orders_leave_when_their_gateway_dies() {
    let Some(site) = site("cancel_on_disconnect_ms = 0\n") else {
        return;
    };
    let venue = site.start();
    let mut gateway = Gateway::start(&site);
    let mut fix = logon_again(&gateway, 1);
    fix.enter("rests", 999_999);
    fix.until(150, "0");
    gateway.kill();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    let start = std::time::Instant::now();
    // As long as the order rests each of these trades; the first that rests itself finds it gone.
    loop {
        let count = bravo.replies.len();
        bravo.enter(b'S', 1, "AAPL", 1_000_000);
        bravo.until("an answer", |it| it.replies.len() > count);
        if bravo.kinds().ends_with("AA") {
            break;
        }
        assert!(start.elapsed() < BOUND, "{}", bravo.kinds());
    }
    venue.stop();
}
