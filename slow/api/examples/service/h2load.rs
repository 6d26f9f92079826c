//! Load by `h2load` (Debian: nghttp2-client), one thread of it on the same machine.

use super::{Service, busy};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// The goal of a request in twenty, in microseconds.
const P95_US: u64 = 5_000;

/// Requests at a time.
const CLIENTS: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// One kind of request.
pub struct Kind<'a> {
    pub name: &'a str,
    pub path: String,
    /// What is posted; nothing is got.
    pub body: Option<&'a Path>,
    pub way: Way,
    /// Bytes that an answer has at least, behind its head: one that tells of an error has fewer.
    pub bytes_least: u64,
}

/// How it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Http1,
    Http2,
    Grpc,
}

/// What came of it.
struct Done {
    /// Requests a second.
    rate: f64,
    /// Of all requests, sorted, in microseconds.
    times_us: Vec<u64>,
    /// Parts of a core that the service and the client took.
    cores: [f64; 2],
}

impl Done {
    fn at(&self, part: f64) -> u64 {
        self.times_us[((self.times_us.len() - 1) as f64 * part) as usize]
    }
}

/// What stands above the rows of [`climb`].
pub fn print_head() {
    let words = "clients  a second   p50 us   p95 us   p99 us   max us   service  h2load";
    println!("{:38} {words}", "");
}

/// More and more clients, a row each, and the highest rate at which 19 of 20 requests were within
/// the goal.
pub fn climb(service: &Service, scheme: &str, kind: &Kind<'_>, seconds: u32, log: &Path) {
    let mut best = None;
    for clients in CLIENTS {
        let done = load(service, scheme, kind, (clients, seconds), log);
        let [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(|part| done.at(part));
        let [served, asked] = done.cores.map(|cores| 100.0 * cores);
        println!(
            "{:38} {clients:7} {:9.0} {p50:8} {p95:8} {p99:8} {max:8} {served:7.0} % {asked:5.0} %",
            kind.name, done.rate
        );
        if p95 < P95_US && best.is_none_or(|(most, _)| done.rate > most) {
            best = Some((done.rate, clients));
        }
    }
    match best {
        Some((rate, clients)) => println!(
            "{:38} p95 below 5 ms up to {rate:.0} a second, {clients} clients",
            kind.name
        ),
        None => println!("{:38} p95 is above 5 ms with one client", kind.name),
    }
}

fn load(
    service: &Service,
    scheme: &str,
    kind: &Kind<'_>,
    (clients, seconds): (usize, u32),
    log: &Path,
) -> Done {
    let _ = std::fs::remove_file(log);
    let mut command = command(service, kind, (clients, seconds));
    command.arg(format!("--log-file={}", log.display()));
    command.arg(format!("{scheme}://{}{}", at(service, kind), kind.path));
    let taken = || [service.busy(), busy("self")[1]];
    let (before, begun) = (taken(), Instant::now());
    let output = command
        .output()
        .expect("h2load: apt install nghttp2-client");
    let (after, took_s) = (taken(), begun.elapsed().as_secs_f64());
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
    let text = std::fs::read_to_string(log).unwrap();
    let mut times_us = Vec::new();
    let mut cut = 0;
    for line in text.lines() {
        let words: Vec<u64> = line.split('\t').map(|it| it.parse().unwrap()).collect();
        match words[1] {
            200 => times_us.push(words[2]),
            // Its time was over before the answer began.
            0 => cut += 1,
            _ => panic!("{told}"),
        }
    }
    times_us.sort_unstable();
    assert!(cut <= clients, "{told}");
    // What is under way at the end may be short.
    let whole = times_us.len().saturating_sub(clients) as u64;
    let is_whole = data_bytes(&told) >= whole * kind.bytes_least;
    assert!(is_whole, "answers are short: {told}");
    Done {
        rate: times_us.len() as f64 / f64::from(seconds),
        times_us,
        cores: [0, 1].map(|at| (after[at] - before[at]) / took_s),
    }
}

fn at(service: &Service, kind: &Kind<'_>) -> SocketAddr {
    match kind.way {
        Way::Http1 | Way::Http2 => service.address,
        Way::Grpc => service.grpc.unwrap(),
    }
}

fn command(service: &Service, kind: &Kind<'_>, (clients, seconds): (usize, u32)) -> Command {
    let mut command = Command::new("h2load");
    command.args(["-c", &clients.to_string(), "-t", "1", "-m", "1"]);
    command.args(["-D", &seconds.to_string()]);
    command.args(["-H", &format!("authorization: Bearer {}", service.token)]);
    // Bytes are counted from the first request on, of a warming up, too.
    if kind.way != Way::Grpc {
        command.args(["--warm-up-time", "1"]);
    }
    match kind.way {
        Way::Http1 => {
            command.arg("--h1");
        }
        Way::Http2 => {}
        Way::Grpc => {
            command.args(["-H", "content-type: application/grpc", "-H", "te: trailers"]);
        }
    }
    if let Some(body) = kind.body {
        command.arg("-d").arg(body);
    }
    command
}

/// Bytes of bodies that came, by the client's count.
fn data_bytes(told: &str) -> u64 {
    let line = told.lines().find(|line| line.starts_with("traffic:"));
    let count = line.and_then(|line| line.rsplit_once('(')?.1.split_once(')'));
    count.unwrap().0.parse().unwrap()
}
