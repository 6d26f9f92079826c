//! The real program over tables whose rows are known, and a client of a few lines.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

pub mod calls;
pub mod market;

use footprint::Teller;
use queue::CounterSet;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::Database;

/// Longer than anything here takes.
pub const BOUND: Duration = Duration::from_secs(120);

/// The secret of key `signer`.
pub const SECRET: [u8; 32] = [7; 32];

/// The user `daemon`.
const DAEMON: u32 = 1;

/// Keys of every kind; the token of each is its name and `-token`.
const KEYS: &[(&str, &str)] = &[
    ("market", "role = \"market\""),
    ("member", "role = \"member\"\naccounts = [1]"),
    ("both", "role = \"member\"\naccounts = [1, 2]"),
    ("auditor", "role = \"auditor\""),
    ("metrics", "role = \"metrics\""),
    ("slow", "role = \"auditor\"\nper_second = 1\nat_once = 3"),
    (
        "eager",
        "role = \"auditor\"\nper_second = 100000\nat_once = 100000",
    ),
];

/// What the venue says of accounts: of the second limit there is none.
const RISK: [&str; 4] = [
    "risk.1.open_orders.used",
    "risk.1.open_orders.limit",
    "risk.1.gross_credit.used",
    "risk.1.gross_credit.limit",
];

/// What the venue's process says of its pools.
const POOLS: [(&str, u64); 4] = [
    ("pool.orders", 100),
    ("pool.gate_engine", 64),
    ("set_aside.engine_bytes", 0),
    ("set_aside.replies_bytes", 4_096),
];

/// Words that others would take for statements, for lines of a log, or for their own marks.
pub fn words() -> impl Iterator<Item = String> {
    let lines = include_str!("../../../store/tests/words.txt").lines();
    lines.map(|line| serde_json::from_str(line).unwrap())
}

/// Parameters that a command of `wirecross quant` answers.
pub fn example(command: &str) -> Value {
    let returns = "AA,BB\n0.01,0.02\n-0.02,0.01\n0.005,-0.01\n0.02,0.015\n";
    match command {
        "simulate" => json!({"paths": 1_024, "option": "asian", "rate": 0.01}),
        "rebalance" => json!({
            "positions": "name,price,lot,quantity,target_ppm\nAA,100,1,50,300000\n",
            "cash": 10_000,
        }),
        "forecast" => json!({"series": "x\n1\n3\n2\n4\n3\n5\n", "season": 2, "horizon": 2}),
        "predict" => json!({"model": "{\"coef\": [0.5, 1], \"intercept\": 0.1}", "rows": "1,2\n"}),
        "train" => {
            let row = |at: usize| format!("{},{}\n", at % 7, ["UP", "DOWN"][at % 7 / 4]);
            let rows: String = (0..300).map(row).collect();
            json!({"rows": format!("x,label\n{rows}"), "folds": 1, "rounds": 3})
        }
        _ => json!({"returns": returns}),
    }
}

/// A running service.
pub struct Service {
    pub address: SocketAddr,
    grpc: Option<SocketAddr>,
    pub dir: tempfile::TempDir,
    child: Child,
    errors: Option<ChildStderr>,
    /// The venue's counters, as long as it is taken for alive.
    pub counters: CounterSet,
}

/// Two fills of accounts 1 and 2, an order of each, two tops.
pub fn fill(path: &Path, price: i64) {
    let database = Database::open(path).unwrap();
    let day = 1i64 << 48;
    let text = format!(
        "INSERT INTO days VALUES (1, '20261122-01', 1);
         INSERT INTO fills VALUES ({buy}, 1, 1, 1, 1, 'AAPL', 100, 5, {price}, 'A', NULL),
                                  ({sell}, 2, 2, 1, 2, 'AAPL', 100, 5, {price}, 'R', NULL);
         INSERT INTO positions VALUES (1, 1, 'AAPL', 5, 5 * {price}, 0, 0),
                                      (1, 2, 'AAPL', 0, 0, 5, 5 * {price});
         INSERT INTO holdings VALUES (1, 'AAPL', 5, 5 * {price}, 0, 0),
                                     (2, 'AAPL', 0, 0, 5, 5 * {price});
         INSERT INTO bars VALUES ('AAPL', 60, 0, {price}, {price}, {price}, {price}, 5, 5 * {price},
                                  1, {buy}, {buy});
         INSERT INTO bars VALUES ('AAPL', 3600, 0, {price}, {price}, {price}, {price}, 5,
                                  5 * {price}, 1, {buy}, {buy});
         INSERT INTO tops VALUES ('AAPL', 100, {price}, 7, {price} + 100, 9);
         INSERT INTO audit VALUES ({day}, 50, 'Halt', 0, 'a \"quote\" and
a line', 0, 0, 'AAPL', 0, 0, 0);",
        buy = day + 2,
        sell = day + 3,
    );
    database.connection.execute_batch(&text).unwrap();
    for (id, account) in [(1, 1), (2, 2), (3, 2)] {
        let text = "INSERT INTO orders VALUES (?1, ?2, ?1, ?2, 'MSFT', 'buy', 10, 500, 'day', 'Y', \
                    ?1, NULL, '', ?1, ?1, 10, 0, 0, 'live', NULL)";
        let values = (day + id, account);
        database.connection.execute(text, values).unwrap();
    }
}

/// A key that enters orders, at a venue that is not there.
pub fn trader(dir: &Path) -> String {
    let (file, hash) = (dir.join("password"), Sha256::digest(b"trader-token"));
    std::fs::write(&file, "alpha\n").unwrap();
    format!(
        "[orders]\nvenue = \"127.0.0.1:1\"\n[[keys]]\nname = \"trader\"\nrole = \"trader\"\n\
         accounts = [1]\nuser = \"ALPHA\"\npassword_file = {file:?}\ntoken_sha256 = \"{}\"\n",
        api::keys::digits_of(&hash)
    )
}

/// What the settings of a service are made of.
pub struct Settings {
    pub limits: &'static str,
    pub more: String,
}

impl Service {
    pub fn start() -> Self {
        Self::with(&Settings {
            limits: "",
            more: String::new(),
        })
    }

    pub fn with(settings: &Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::among(dir, settings)
    }

    /// In a folder that may have certificates already.
    pub fn among(dir: tempfile::TempDir, settings: &Settings) -> Self {
        let (tables, venue) = (dir.path().join("tables"), dir.path().join("venue"));
        for folder in [&tables, &venue] {
            std::fs::create_dir(folder).unwrap();
        }
        fill(&tables.join("tables.db"), 1_000_000);
        let counters = appliance::tiles::COUNTERS;
        let histograms = appliance::tiles::HISTOGRAMS;
        // A user is connected and locked, another one neither.
        let counters = [counters, &["session.ALPHA", "session.BRAVO"], &RISK].concat();
        let file = venue.join("counters");
        let mut counters = CounterSet::create(&file, &counters, histograms).unwrap();
        counters.counter("session.ALPHA").unwrap().set(3);
        for (name, value) in RISK.into_iter().zip([95, 100, 7, 0]) {
            counters.counter(name).unwrap().set(value);
        }
        Teller::open(&venue, &POOLS.map(|(name, size)| (name.to_owned(), size))).unwrap();
        let mut text = format!(
            "listen = \"127.0.0.1:0\"\nvenue = {venue:?}\ntables = {:?}\n{}\n[limits]\n{}\n",
            tables.join("tables.db"),
            settings.more,
            settings.limits
        );
        for (name, rest) in KEYS {
            let hash = Sha256::digest(format!("{name}-token").as_bytes());
            let hash = api::keys::digits_of(&hash);
            text += &format!("[[keys]]\nname = \"{name}\"\n{rest}\ntoken_sha256 = \"{hash}\"\n");
        }
        let secret = dir.path().join("secret");
        std::fs::write(&secret, api::keys::digits_of(&SECRET)).unwrap();
        text += &format!(
            "[[keys]]\nname = \"signer\"\nrole = \"member\"\naccounts = [2]\n\
             secret_file = {secret:?}\n"
        );
        let config = dir.path().join("api.toml");
        std::fs::write(&config, text).unwrap();
        let ([address, grpc], child, errors) = spawned(&config);
        Self {
            address: address.unwrap(),
            grpc,
            dir,
            child,
            errors,
            counters,
        }
    }

    /// Ends it.
    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it, and gives what it said on stderr.
    pub fn said(&mut self) -> String {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
        let mut said = String::new();
        self.errors
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        said
    }

    /// Starts it again where it was.
    pub fn again(&mut self) {
        let config = self.dir.path().join("api.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        // That of gRPC may be another one.
        let listen = |address: &str| format!("listen = \"{address}\"\nvenue");
        let here = listen(&self.address.to_string());
        let text = text.replace(&listen("127.0.0.1:0"), &here);
        std::fs::write(&config, text).unwrap();
        let (addresses, child, errors) = spawned(&config);
        self.address = addresses[0].unwrap();
        (self.grpc, self.child, self.errors) = (addresses[1], child, errors);
    }

    /// Starts it again, confined: as somebody else where that is needed.
    pub fn confined(&mut self) {
        self.stop();
        let user = rustix::process::geteuid().is_root().then_some(DAEMON);
        if let Some(user) = user {
            give(self.dir.path(), user);
        }
        let (addresses, child, errors) = spawned_by(&self.dir.path().join("api.toml"), user);
        self.address = addresses[0].unwrap();
        (self.grpc, self.child, self.errors) = (addresses[1], child, errors);
    }

    /// Where gRPC is spoken.
    pub fn grpc(&self) -> SocketAddr {
        self.grpc.unwrap()
    }

    pub fn tables(&self) -> PathBuf {
        self.dir.path().join("tables/tables.db")
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        stream.set_write_timeout(Some(BOUND)).unwrap();
        stream
    }

    /// A request with these lines of head and this body.
    pub fn ask(&self, method: &str, path: &str, head: &[String], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        ask_over(&mut stream, (method, path), head, body)
    }

    pub fn get(&self, path: &str, key: &str) -> Answer {
        self.ask("GET", path, &token(key), &[])
    }

    /// One of its figures for Prometheus; none also where these were asked for too often.
    pub fn figure(&self, name: &str) -> Option<u64> {
        let text = self.get("/metrics", "metrics").body;
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    pub fn post(&self, body: &str, key: &str) -> Answer {
        self.ask("POST", "/api/batch", &token(key), body.as_bytes())
    }
}

/// The program with these settings, and where it listens: for HTTP, and for gRPC if it does.
fn spawned(config: &Path) -> ([Option<SocketAddr>; 2], Child, Option<ChildStderr>) {
    spawned_by(config, None)
}

fn spawned_by(
    config: &Path,
    user: Option<u32>,
) -> ([Option<SocketAddr>; 2], Child, Option<ChildStderr>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-api"));
    command.arg("serve").arg(config);
    if let Some(user) = user {
        command.uid(user).gid(user);
    } else if rustix::process::geteuid().is_root() {
        // Confined as another user it could not read the folder of a test.
        command.arg("--insecure-dev");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let errors = child.stderr.take();
    let told = addresses(child.stdout.take().unwrap());
    if told[0].is_none() {
        let mut said = String::new();
        let _ = errors.unwrap().read_to_string(&mut said);
        let _ = child.wait();
        panic!("no address: {said}");
    }
    (told, child, errors)
}

/// Makes a folder's contents another user's.
fn give(path: &Path, user: u32) {
    std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}

/// Where a service says that it listens; none of HTTP if it ends before.
fn addresses(out: ChildStdout) -> [Option<SocketAddr>; 2] {
    let mut grpc = None;
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        if let Some((_, address)) = line.split_once("gRPC at ") {
            grpc = Some(address.parse().unwrap());
        } else if let Some((_, address)) = line.split_once("://") {
            return [Some(address.parse().unwrap()), grpc];
        }
    }
    [None, grpc]
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mut told = String::new();
        if let Some(mut errors) = self.errors.take() {
            let _ = errors.read_to_string(&mut told);
        }
        if std::thread::panicking() {
            eprintln!("--- the service's stderr\n{told}---");
        } else {
            assert!(!told.contains("panicked"), "{told}");
        }
    }
}

/// The head that shows the token of a key; none for an empty name.
pub fn token(key: &str) -> Vec<String> {
    if key.is_empty() {
        return Vec::new();
    }
    vec![format!("Authorization: Bearer {key}-token")]
}

/// Milliseconds since the Unix epoch, by which requests are signed.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis() as u64
}

/// What a signed request has in its head.
pub fn signature(signed: &api::keys::Signed<'_>, name: &str, secret: &[u8; 32]) -> Vec<String> {
    vec![
        format!("X-Wirecross-Key: {name}"),
        format!("X-Wirecross-Time: {}", signed.time),
        format!("X-Wirecross-Nonce: {}", signed.nonce),
        format!(
            "X-Wirecross-Signature: {}",
            api::keys::digits_of(&signed.by(secret))
        ),
    ]
}

pub fn ask_over<T: Read + Write>(
    stream: &mut T,
    (method, path): (&str, &str),
    head: &[String],
    body: &[u8],
) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: venue\r\nConnection: close\r\n");
    for line in head {
        text += &format!("{line}\r\n");
    }
    text += &format!("Content-Length: {}\r\n\r\n", body.len());
    // Who is refused early may not take all of it.
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.write_all(body);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    Answer::of(&bytes)
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let head = head.to_lowercase();
        let mut body = body.to_owned();
        if head.contains("transfer-encoding: chunked") {
            body = whole(&body);
        }
        Self {
            status: status.unwrap_or(0),
            head,
            body,
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn told(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// A body without the lengths of its chunks.
fn whole(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        whole += &rest[..length];
        body = &rest[length + 2..];
    }
    whole
}
