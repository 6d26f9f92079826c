//! How many requests a second the API answers, and how fast, by `h2load` (Debian:
//! nghttp2-client) on the same machine. What comes back is compared with the rule that made the
//! rows before anything is timed, and every answer must be a 200.
#![allow(clippy::unwrap_used)]

#[path = "../../store/examples/queries/due.rs"]
mod due;
// Some of it is for who narrows queries in other ways.
#[allow(dead_code)]
#[path = "../../store/examples/queries/made.rs"]
mod made;
mod service;

use clap::Parser;
use made::Made;
use queue::CounterSet;
use serde_json::Value;
use service::Service;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use store::Database;
use store::query::Filter;

/// The goal of a request in twenty, in microseconds.
const P95_US: u64 = 5_000;

/// Requests at a time.
const CLIENTS: [usize; 6] = [1, 2, 4, 8, 16, 32];

#[derive(Parser)]
struct Arguments {
    /// Rows of the tables.
    #[arg(long, default_value_t = 2_000_000)]
    rows: u64,
    /// Seconds of each run.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
}

impl Service {
    fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let text = format!(
            "GET {path} HTTP/1.1\r\nHost: venue\r\nConnection: close\r\n\
             Authorization: Bearer {}\r\n\r\n",
            self.token
        );
        stream.write_all(text.as_bytes()).unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        serde_json::from_str(told.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Rows a second, and the times of all requests in microseconds.
    fn load(&self, kind: &Kind<'_>, clients: usize, seconds: u32, log: &Path) -> (f64, Vec<u64>) {
        let _ = std::fs::remove_file(log);
        let mut command = Command::new("h2load");
        command.args(["-c", &clients.to_string(), "-t", "1", "-m", "1"]);
        command.args(["-D", &seconds.to_string(), "--warm-up-time", "1"]);
        command.arg(format!("--log-file={}", log.display()));
        command.args(["-H", &format!("authorization: Bearer {}", self.token)]);
        if kind.is_first {
            command.arg("--h1");
        }
        if let Some(body) = kind.body {
            command.arg("-d").arg(body);
        }
        command.arg(format!("http://{}{}", self.address, kind.path));
        let output = command
            .output()
            .expect("h2load: apt install nghttp2-client");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}");
        let text = std::fs::read_to_string(log).unwrap();
        let mut times: Vec<u64> = text
            .lines()
            .map(|line| {
                let words: Vec<u64> = line.split('\t').map(|it| it.parse().unwrap()).collect();
                assert_eq!(words[1], 200, "{told}");
                words[2]
            })
            .collect();
        times.sort_unstable();
        (times.len() as f64 / f64::from(seconds), times)
    }
}

/// One kind of request.
struct Kind<'a> {
    name: &'static str,
    path: String,
    body: Option<&'a Path>,
    is_first: bool,
}

/// Trades as the API tells them are those of the rule.
fn compare(service: &Service, made: &Made) {
    let symbol = made.symbol(3);
    let filter = Filter {
        symbol: Some(symbol.clone()),
        rows_max: Some(50),
        ..Filter::default()
    };
    let due = made.answer("tape", &filter);
    let found = service.get(&format!("/api/v1/tape?symbol={symbol}&limit=50"));
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 50);
    for (row, due) in found.iter().zip(&due) {
        let names = ["day", "match_number", "symbol", "time_ns", "units", "price"];
        let words = names.map(|name| row[name].to_string().trim_matches('"').to_owned());
        assert_eq!(format!("{}\t-", words.join("\t")), *due);
    }
}

fn main() {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir().unwrap();
    let made = Made::of(arguments.rows);
    let path = folder.path().join("tables.db");
    made.fill(&mut Database::open(&path).unwrap().connection)
        .unwrap();
    let _counters = CounterSet::create(
        &folder.path().join("counters"),
        appliance::tiles::COUNTERS,
        appliance::tiles::HISTOGRAMS,
    )
    .unwrap();
    let service = Service::start(folder.path(), "auditor", "");
    compare(&service, &made);
    println!("{} rows; answers are those of their rule", made.rows());
    let batch = folder.path().join("batch.json");
    let call = |id| {
        let symbol = made.symbol(id);
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tape\",\
             \"params\":{{\"symbol\":\"{symbol}\",\"limit\":10}}}}"
        )
    };
    let calls: Vec<String> = (0..10).map(call).collect();
    std::fs::write(&batch, format!("[{}]", calls.join(","))).unwrap();
    let symbol = made.symbol(3);
    let kind = |name, path: String, body, is_first| Kind {
        name,
        path,
        body,
        is_first,
    };
    let one = format!("/api/v1/tops?symbol={symbol}");
    let kinds = [
        kind("a top, HTTP/1.1", one.clone(), None, true),
        kind("a top, HTTP/2", one, None, false),
        kind(
            "50 trades of a symbol, HTTP/2",
            format!("/api/v1/tape?symbol={symbol}&limit=50"),
            None,
            false,
        ),
        kind(
            "10 calls of 10 trades each, HTTP/2",
            "/api/batch".to_owned(),
            Some(&*batch),
            false,
        ),
        kind("metrics, HTTP/1.1", "/metrics".to_owned(), None, true),
    ];
    let log = folder.path().join("log");
    println!(
        "{:36} clients  a second   p50 us   p95 us   p99 us   max us",
        ""
    );
    for kind in &kinds {
        let mut best = None;
        for clients in CLIENTS {
            let (rate, times) = service.load(kind, clients, arguments.seconds, &log);
            let at = |q: f64| times[((times.len() - 1) as f64 * q) as usize];
            let [p50, p95, p99] = [0.5, 0.95, 0.99].map(at);
            println!(
                "{:36} {clients:7} {rate:9.0} {p50:8} {p95:8} {p99:8} {:8}",
                kind.name,
                times[times.len() - 1]
            );
            if p95 < P95_US && best.is_none_or(|(most, _)| rate > most) {
                best = Some((rate, clients));
            }
        }
        match best {
            Some((rate, clients)) => println!(
                "{:36} p95 below 5 ms up to {rate:.0} a second, {clients} clients",
                kind.name
            ),
            None => println!("{:36} p95 is above 5 ms with one client", kind.name),
        }
    }
}
