//! How many requests a second the API answers, over HTTP and by gRPC, and how fast, by `h2load`
//! (Debian: nghttp2-client) on the same machine.
//!
//!     cargo build --release -p api --bins && cargo run --release -p api --example load
//!
//! What comes back is compared with the rule that made the rows before anything is timed. Every
//! answer must be a 200; one by gRPC must be as long as the one that was compared, for its errors
//! are 200 as well.
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
use prost::Message;
use queue::CounterSet;
use rcgen::CertifiedKey;
use serde_json::Value;
use service::Service;
use service::calls::{Caller, framed};
use service::h2load::{Kind, Way, climb, print_head};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use store::Database;
use store::query::Filter;
use tokio::task::LocalSet;

#[derive(Parser)]
struct Arguments {
    /// Rows of the tables.
    #[arg(long, default_value_t = 2_000_000)]
    rows: u64,
    /// Seconds of each run.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Have every answer read from the tables, and none kept.
    #[arg(long)]
    unkept: bool,
    /// Only kinds of requests whose name has this in it.
    #[arg(long, default_value = "")]
    only: String,
}

/// What `wirecross.v1.Tables/Rows` is asked.
#[derive(Clone, PartialEq, Message)]
struct RowsRequest {
    #[prost(string, tag = "1")]
    query: String,
    #[prost(btree_map = "string, string", tag = "2")]
    parameters: BTreeMap<String, String>,
}

/// Its answer.
#[derive(Clone, PartialEq, Message)]
struct RowsResponse {
    #[prost(string, repeated, tag = "1")]
    columns: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Message)]
struct Row {
    #[prost(message, repeated, tag = "1")]
    cells: Vec<Cell>,
}

#[derive(Clone, PartialEq, Message)]
struct Cell {
    #[prost(sint64, optional, tag = "1")]
    number: Option<i64>,
    #[prost(string, optional, tag = "2")]
    text: Option<String>,
}

impl RowsResponse {
    /// The rows with these columns, as words.
    fn words(&self, names: &[&str]) -> Vec<Vec<String>> {
        let place = |name| self.columns.iter().position(|it| it == name).unwrap();
        let places: Vec<usize> = names.iter().map(|name| place(*name)).collect();
        let word = |cell: &Cell| {
            let text = cell.text.clone();
            text.unwrap_or_else(|| cell.number.unwrap().to_string())
        };
        let row = |row: &Row| places.iter().map(|at| word(&row.cells[*at])).collect();
        self.rows.iter().map(row).collect()
    }
}

const KEY: &str = "role = \"auditor\"";

/// Columns of a trade that the rule gives.
const TRADE: [&str; 6] = ["day", "match_number", "symbol", "time_ns", "units", "price"];

fn get(service: &Service, path: &str) -> Value {
    let mut stream = TcpStream::connect(service.address).unwrap();
    let text = format!(
        "GET {path} HTTP/1.1\r\nHost: venue\r\nConnection: close\r\n\
         Authorization: Bearer {}\r\n\r\n",
        service.token
    );
    stream.write_all(text.as_bytes()).unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    serde_json::from_str(told.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn rows(query: &str, parameters: &[(&str, &str)]) -> RowsRequest {
    let parameters = parameters.iter();
    RowsRequest {
        query: query.to_owned(),
        parameters: parameters
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn asked(service: &Service, request: &RowsRequest) -> RowsResponse {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = async {
        let caller = Caller::connect(service.grpc.unwrap(), &service.token).await;
        caller.ask("wirecross.v1.Tables/Rows", request).await
    };
    LocalSet::new().block_on(&runtime, answer)
}

/// Trades as the API tells them, over HTTP and by gRPC, are those of the rule.
fn compare(service: &Service, made: &Made, symbol: &str) {
    let filter = Filter {
        symbol: Some(symbol.to_owned()),
        rows_max: Some(50),
        ..Filter::default()
    };
    let due = made.answer("tape", &filter);
    let found = get(service, &format!("/api/v1/tape?symbol={symbol}&limit=50"));
    let found = found.as_array().unwrap();
    let words = |row: &Value| TRADE.map(|name| row[name].to_string().trim_matches('"').to_owned());
    let found: Vec<Vec<String>> = found.iter().map(|row| words(row).to_vec()).collect();
    assert_eq!(found.len(), 50, "trades of {symbol}: more --rows");
    let request = rows("tape", &[("symbol", symbol), ("limit", "50")]);
    let called = asked(service, &request).words(&TRADE);
    assert_eq!(found, called);
    for (row, due) in found.iter().zip(&due) {
        assert_eq!(format!("{}\t-", row.join("\t")), *due);
    }
}

/// A request's body in a file.
fn body(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn batch(made: &Made) -> String {
    let call = |id| {
        let symbol = made.symbol(id);
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tape\",\
             \"params\":{{\"symbol\":\"{symbol}\",\"limit\":10}}}}"
        )
    };
    let calls: Vec<String> = (0..10).map(call).collect();
    format!("[{}]", calls.join(","))
}

/// Requests over HTTP; over TLS those of the first two.
fn over_http<'a>(symbol: &str, batch: &'a Path) -> Vec<Kind<'a>> {
    let kind = |name, path: &str, way| Kind {
        name,
        path: path.to_owned(),
        body: None,
        way,
        bytes_least: 1,
    };
    let one = format!("/api/v1/tops?symbol={symbol}");
    let trades = format!("/api/v1/tape?symbol={symbol}&limit=50");
    vec![
        kind("a top, HTTP/1.1", &one, Way::Http1),
        kind("a top, HTTP/2", &one, Way::Http2),
        kind("50 trades of a symbol, HTTP/2", &trades, Way::Http2),
        Kind {
            body: Some(batch),
            ..kind(
                "10 calls of 10 trades each, HTTP/2",
                "/api/batch",
                Way::Http2,
            )
        },
        kind("metrics, HTTP/1.1", "/metrics", Way::Http1),
    ]
}

/// What is asked by gRPC.
fn by_grpc(symbol: &str) -> [(&'static str, RowsRequest); 3] {
    [
        ("a top, gRPC", rows("tops", &[("symbol", symbol)])),
        (
            "50 trades of a symbol, gRPC",
            rows("tape", &[("symbol", symbol), ("limit", "50")]),
        ),
        (
            "positions of an account, gRPC",
            rows("positions", &[("account", "7")]),
        ),
    ]
}

/// A certificate of our own, and the settings that name it.
fn tls(folder: &Path) -> String {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let chain = body(folder, "chain.pem", cert.pem().as_bytes());
    let key = body(folder, "key.pem", signing_key.serialize_pem().as_bytes());
    format!("tls = {{ certificate = {chain:?}, key = {key:?} }}\n")
}

fn main() {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made = Made::of(arguments.rows);
    made.fill(
        &mut Database::open(&folder.join("tables.db"))
            .unwrap()
            .connection,
    )
    .unwrap();
    let _counters = CounterSet::create(
        &folder.join("counters"),
        appliance::tiles::COUNTERS,
        appliance::tiles::HISTOGRAMS,
    )
    .unwrap();
    let off = arguments.unkept;
    let sections = format!("[cache]\noff = {off}\n[grpc]\nlisten = \"127.0.0.1:0\"\n");
    let symbol = made.symbol(3);
    let service = Service::start(folder, KEY, &sections);
    compare(&service, &made, &symbol);
    println!("{} rows; answers are those of their rule", made.rows());
    let batch = body(folder, "batch.json", batch(&made).as_bytes());
    let log = folder.join("log");
    let run = |service: &Service, scheme: &str, kind: &Kind<'_>| {
        if kind.name.contains(&arguments.only) {
            climb(service, scheme, kind, arguments.seconds, &log);
        }
    };
    print_head();
    for kind in over_http(&symbol, &batch) {
        run(&service, "http", &kind);
    }
    for (name, request) in by_grpc(&symbol) {
        let file = body(folder, "message", &framed(&request));
        let kind = Kind {
            name,
            path: "/wirecross.v1.Tables/Rows".to_owned(),
            body: Some(&*file),
            way: Way::Grpc,
            bytes_least: framed(&asked(&service, &request)).len() as u64,
        };
        run(&service, "http", &kind);
    }
    drop(service);
    let service = Service::start(folder, KEY, &(tls(folder) + &sections));
    for kind in over_http(&symbol, &batch).iter().take(2) {
        let name = format!("{}, TLS", kind.name);
        let kind = Kind {
            name: &name,
            path: kind.path.clone(),
            ..*kind
        };
        run(&service, "https", &kind);
    }
}
