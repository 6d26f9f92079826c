//! How soon ten thousand clients of streams hear what a feed says, and what each of them costs.
//!
//!     cargo build --release -p api --bins && cargo run --release -p api --example streams
//!
//! A made feed changes the top of each symbol once a second; each client has one symbol's `top`,
//! over WebSocket, or by gRPC with `--grpc`. Every client must be told every change, once and in
//! order.
#![allow(clippy::unwrap_used)]

mod service;

use clap::Parser;
use prost::Message;
use queue::CounterSet;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::Service;
use service::calls::{Answers, Caller};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

#[derive(Clone, Copy, Parser)]
struct Arguments {
    /// Clients.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Symbols, each of which changes once a second.
    #[arg(long, default_value_t = 100)]
    symbols: u16,
    /// Seconds in which they change.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Streams by gRPC, as many on a connection as it may have.
    #[arg(long)]
    grpc: bool,
}

/// Streams that a connection of gRPC may have.
const STREAMS_MAX: usize = 32;

/// What `wirecross.v1.Market/Stream` is asked.
#[derive(Clone, PartialEq, Message)]
struct StreamRequest {
    #[prost(int32, tag = "1")]
    channel: i32,
    #[prost(string, repeated, tag = "2")]
    symbols: Vec<String>,
    #[prost(int32, tag = "3")]
    form: i32,
}

/// What it tells.
#[derive(Clone, PartialEq, Message)]
struct StreamMessage {
    #[prost(bytes = "vec", tag = "1")]
    message: Vec<u8>,
}

/// When each change of each symbol was sent.
type Sent = Arc<Mutex<Vec<Vec<Instant>>>>;

/// The memory of a service, in bytes.
fn resident(service: &Service) -> u64 {
    let path = format!("/proc/{}/status", service.child.id());
    let told = std::fs::read_to_string(path).unwrap();
    let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<u64>().unwrap() << 10
}

/// A feed of its own group.
struct Feed {
    socket: UdpSocket,
    line: SocketAddrV4,
    next: u64,
}

impl Feed {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        Self {
            socket,
            line: SocketAddrV4::new(Ipv4Addr::new(239, 193, 0, 2), port),
            next: 1,
        }
    }

    fn send(&mut self, messages: &[&[u8]]) {
        let mut bytes = b"LOAD      ".to_vec();
        bytes.extend(self.next.to_be_bytes());
        bytes.extend((messages.len() as u16).to_be_bytes());
        for message in messages {
            bytes.extend((message.len() as u16).to_be_bytes());
            bytes.extend(*message);
        }
        self.next += messages.len() as u64;
        self.socket.send_to(&bytes, self.line).unwrap();
    }

    fn list(&mut self, locate: u16) {
        let mut bytes = [b' '; wire::itch::StockDirectory::BYTES];
        bytes[0] = b'R';
        bytes[1..3].copy_from_slice(&locate.to_be_bytes());
        bytes[3..11].fill(0);
        bytes[11..19].copy_from_slice(format!("{:<8}", name(locate)).as_bytes());
        self.send(&[&bytes]);
    }

    /// One more unit at the best price of a symbol.
    fn add(&mut self, stock_locate: u16) {
        let mut bytes = [0; wire::itch::AddOrder::BYTES];
        let add = wire::itch::fields::AddOrder {
            stock_locate,
            tracking_number: 0,
            timestamp: 1,
            order_ref: self.next,
            side: b'B',
            shares: 1,
            stock: [b' '; 8],
            price: 1_000_000,
        };
        add.encode(&mut bytes).unwrap();
        self.send(&[&bytes]);
    }
}

fn name(locate: u16) -> String {
    format!("S{locate}")
}

/// Changes every symbol once a second, one behind the other.
fn publish(mut feed: Feed, arguments: Arguments, sent: &Sent) {
    let begun = Instant::now();
    let pause = Duration::from_secs(1) / u32::from(arguments.symbols);
    let mut due = begun;
    for _ in 0..arguments.seconds {
        for symbol in 0..arguments.symbols {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            due += pause;
            let mut sent = sent.lock().unwrap();
            sent[usize::from(symbol)].push(Instant::now());
            feed.add(symbol);
        }
    }
}

/// Opens a stream of a symbol's top, and waits for what it is.
async fn opened(address: SocketAddr, token: &str, symbol: u16) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let wish = format!(
        r#"{{"op":"subscribe","channel":"top","symbols":["{}"]}}"#,
        name(symbol)
    );
    let head = format!(
        "GET /api/v1/stream HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let frame = [
        &[0x81, 0x80 | wish.len() as u8, 0, 0, 0, 0][..],
        wish.as_bytes(),
    ]
    .concat();
    stream.write_all(&frame).await.unwrap();
    let (mut left, mut bytes) = (Vec::new(), [0; 1_024]);
    let is_told = |left: &[u8]| {
        let told = String::from_utf8_lossy(left);
        told.contains("\"subscribed\"}") && told.contains("snapshot\":true") && told.ends_with('}')
    };
    while !is_told(&left) {
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&left));
        left.extend(&bytes[..count]);
    }
    stream
}

/// The same by gRPC.
async fn called(caller: &Caller, symbol: u16) -> Answers {
    let request = StreamRequest {
        channel: 2,
        symbols: vec![name(symbol)],
        form: 1,
    };
    let mut answers = caller.call("wirecross.v1.Market/Stream", &request).await;
    loop {
        let told: StreamMessage = answers.next().await.unwrap();
        if String::from_utf8_lossy(&told.message).contains("snapshot\":true") {
            return answers;
        }
    }
}

/// What a client hears of its symbol.
struct Client {
    symbol: u16,
    changes: usize,
    sent: Sent,
    /// How long each change was on its way, in microseconds.
    times: Vec<u64>,
}

impl Client {
    /// Takes a message, which must be the next change, or tell how the feed stands.
    fn take(&mut self, told: &[u8], now: Instant) {
        let told = String::from_utf8_lossy(told);
        let Some((_, bid)) = told.split_once("\"bid\":[1000000,") else {
            assert!(told.contains("\"feed\""), "{told}");
            return;
        };
        let units: usize = bid.split(',').next().unwrap().parse().unwrap();
        assert_eq!(units, self.times.len() + 1, "a change is missing: {told}");
        let sent = self.sent.lock().unwrap()[usize::from(self.symbol)][units - 1];
        self.times.push(now.duration_since(sent).as_micros() as u64);
    }

    fn is_done(&self) -> bool {
        self.times.len() == self.changes
    }

    /// Hears everything over WebSocket.
    async fn hear(mut self, mut stream: TcpStream) -> Vec<u64> {
        let (mut left, mut bytes) = (Vec::new(), [0; 2_048]);
        while !self.is_done() {
            let count = stream.read(&mut bytes).await.unwrap();
            assert!(count > 0, "a connection is over");
            let now = Instant::now();
            left.extend(&bytes[..count]);
            while let Some(frame) = frame(&mut left) {
                if frame[0] == 0x89 {
                    // Whether we live: a pong of a client's, with a mask of zeros.
                    stream.write_all(&[0x8A, 0x80, 0, 0, 0, 0]).await.unwrap();
                } else {
                    self.take(&frame, now);
                }
            }
        }
        self.times
    }

    /// Hears everything by gRPC.
    async fn hear_by_grpc(mut self, mut answers: Answers) -> Vec<u64> {
        while !self.is_done() {
            let told: StreamMessage = answers.next().await.unwrap();
            self.take(&told.message, Instant::now());
        }
        self.times
    }
}

/// The first frame of what was read, if it is there whole.
fn frame(left: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = match *left.get(1)? {
        126 => 4 + usize::from(u16::from_be_bytes([*left.get(2)?, *left.get(3)?])),
        length => 2 + usize::from(length),
    };
    (left.len() >= length).then(|| left.drain(..length).collect())
}

/// Has all clients hear all changes; `begin` is called when all are there.
async fn all_heard(
    service: &Service,
    arguments: Arguments,
    sent: &Sent,
    begin: impl FnOnce(),
) -> Vec<u64> {
    let mut tasks = Vec::new();
    let mut callers = Vec::new();
    for at in 0..arguments.connections {
        let symbol = (at % usize::from(arguments.symbols)) as u16;
        let client = Client {
            symbol,
            changes: arguments.seconds as usize,
            sent: Arc::clone(sent),
            times: Vec::new(),
        };
        if arguments.grpc {
            if at % STREAMS_MAX == 0 {
                let caller = Caller::connect(service.grpc.unwrap(), &service.token);
                callers.push(caller.await);
            }
            let answers = called(callers.last().unwrap(), symbol).await;
            tasks.push(tokio::task::spawn_local(client.hear_by_grpc(answers)));
        } else {
            let stream = opened(service.address, &service.token, symbol).await;
            tasks.push(tokio::task::spawn_local(client.hear(stream)));
        }
    }
    begin();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    times
}

fn main() {
    let arguments = Arguments::parse();
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum;
    setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let counters = folder.path().join("counters");
    let _counters = CounterSet::create(&counters, &["engine.inputs"], &[]).unwrap();
    let mut feed = Feed::new();
    store::Database::open(&folder.path().join("tables.db")).unwrap();
    let (line, most) = (feed.line, arguments.connections + 10);
    let more = format!(
        "[grpc]\nlisten = \"127.0.0.1:0\"\n[feed]\na = \"{line}\"\n[limits]\n\
         connections_max = {most}\n\
         connections_an_address = {most}"
    );
    let service = Service::start(folder.path(), "role = \"market\"", &more);
    let sent: Sent = Arc::new(Mutex::new(vec![Vec::new(); arguments.symbols.into()]));
    for symbol in 0..arguments.symbols {
        feed.list(symbol);
    }
    std::thread::sleep(Duration::from_millis(200));
    let before = resident(&service);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let begun = Instant::now();
    let (told, heard) = (Arc::clone(&sent), Arc::clone(&sent));
    let mut busy = 0.0;
    let begin = || {
        let each = (resident(&service) - before) / arguments.connections as u64;
        println!(
            "{} streams opened in {:.1} s: {each} bytes of the service each",
            arguments.connections,
            begun.elapsed().as_secs_f64()
        );
        busy = service.busy();
        std::thread::spawn(move || publish(feed, arguments, &told));
    };
    let all = all_heard(&service, arguments, &heard, begin);
    let mut times = LocalSet::new().block_on(&runtime, all);
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "{} deliveries, {} a second, none missing: p50 {} us, p99 {} us, p99.9 {} us, max {} us; \
         the service took {:.0} % of a core",
        times.len(),
        times.len() as u64 / arguments.seconds,
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        100.0 * (service.busy() - busy) / arguments.seconds as f64
    );
}
