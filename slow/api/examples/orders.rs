//! How long an order by gRPC waits for its acknowledgement, beside the same order by OUCH.
//!
//!     cargo build --release -p appliance -p api --bins
//!     cargo run --release -p api --example orders
//!
//! A venue acknowledges from memory, a service stands before it, and a member of each way sends
//! orders that nobody meets, at a fixed rate whatever became of those before: in turns, by one
//! program and one pace. A time runs from when an order was due to its acknowledgement, so what
//! waits behind others counts. Then `h2load` enters orders, as many clients as one likes with one
//! under way each. Every order must be accepted.
#![allow(clippy::unwrap_used)]

mod members;
mod service;

use clap::Parser;
use members::{ENTER, Grpc, Ouch, Venue, by_grpc, paced};
use queue::CounterSet;
use service::calls::framed;
use service::h2load::{Kind, Way, climb, print_head};
use service::{Service, busy};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// The goal of an order in twenty, in microseconds.
const P95_US: u64 = 5_000;

/// From there on no higher rate is tried.
const LATE_US: u64 = 20 * P95_US;

/// Times that either way has its turn at a rate.
const TURNS: u64 = 2;

#[derive(Parser)]
struct Arguments {
    /// Seconds of each turn.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Orders a second, one rate after the other, until gRPC is late.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "250,500,1000,2000,3000,4000,6000,8000"
    )]
    rates: Vec<u64>,
}

/// The processor's time of venue, service and this program.
fn taken(venue: &Venue, service: &Service) -> [f64; 3] {
    let venue = busy(&venue.child.id().to_string());
    [venue[0], service.busy(), busy("self")[0]]
}

/// The times of a way at a rate, and what it took of the cores.
#[derive(Default)]
struct Row {
    times_us: Vec<u64>,
    busy_s: [f64; 3],
    took_s: f64,
}

impl Row {
    fn add(&mut self, times_us: Vec<u64>, busy_s: [f64; 3], took_s: f64) {
        self.times_us.extend(times_us);
        self.busy_s = [0, 1, 2].map(|at| self.busy_s[at] + busy_s[at]);
        self.took_s += took_s;
    }

    /// Prints it; the time that 19 of 20 did not exceed.
    fn print(mut self, way: &str, rate: u64) -> u64 {
        self.times_us.sort_unstable();
        let at = |part: f64| self.times_us[((self.times_us.len() - 1) as f64 * part) as usize];
        let [venue, served, sent] = self.busy_s.map(|it| 100.0 * it / self.took_s);
        println!(
            "{way:5} {rate:9} {:8} {:8} {:8} {:8} {:8} {venue:7.0} % {served:7.0} % {sent:6.0} %",
            at(0.0),
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0)
        );
        at(0.95)
    }
}

/// Both members before their venue.
struct Both<'a> {
    venue: &'a Venue,
    service: &'a Service,
    ouch: Ouch,
    grpc: &'a Grpc,
}

impl Both<'_> {
    /// So many orders by either way, in turns: OUCH's row and that of gRPC.
    async fn turns(&mut self, rate: u64, count: u64) -> [Row; 2] {
        let mut rows = [Row::default(), Row::default()];
        for turn in 0..2 * TURNS {
            let (before, begun) = (taken(self.venue, self.service), Instant::now());
            let dues = paced(rate, count);
            let is_grpc = turn % 2 == 1;
            let times = if is_grpc {
                self.grpc.send(dues).await
            } else {
                self.ouch.send(dues, count as usize).await
            };
            let after = taken(self.venue, self.service);
            let busy_s = [0, 1, 2].map(|at| after[at] - before[at]);
            rows[usize::from(is_grpc)].add(times, busy_s, begun.elapsed().as_secs_f64());
        }
        rows
    }

    /// Tells of each rate, until gRPC is late.
    async fn compare(&mut self, arguments: &Arguments) {
        // The first turns warm everything up.
        self.turns(500, 500).await;
        let words = "min us   p50 us   p95 us   p99 us   max us     venue   service   client";
        println!("way    a second   {words}");
        let mut best = None;
        for rate in &arguments.rates {
            let [ouch, grpc] = self.turns(*rate, rate * arguments.seconds).await;
            ouch.print("OUCH", *rate);
            match grpc.print("gRPC", *rate) {
                ..P95_US => best = Some(rate),
                // What comes faster than it is done waits ever longer.
                LATE_US.. => break,
                _ => {}
            }
        }
        match best {
            Some(rate) => println!("gRPC  p95 below 5 ms up to {rate} a second"),
            None => println!("gRPC  p95 is above 5 ms at every rate"),
        }
    }
}

/// Orders by `h2load`, while the session is told to us.
async fn by_h2load(service: &Arc<Service>, folder: &Path, seconds: u32) {
    let (file, log) = (folder.join("order"), folder.join("log"));
    std::fs::write(&file, framed(&by_grpc())).unwrap();
    let (done, is_done) = oneshot::channel();
    let service = Arc::clone(service);
    std::thread::spawn(move || {
        let kind = Kind {
            name: "an order, gRPC",
            path: format!("/{ENTER}"),
            body: Some(&file),
            way: Way::Grpc,
            bytes_least: 30,
        };
        print_head();
        climb(&service, "http", &kind, seconds, &log);
        let _ = done.send(());
    });
    is_done.await.unwrap();
}

fn main() {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let _counters = CounterSet::create(&folder.join("counters"), &["engine.inputs"], &[]).unwrap();
    store::Database::open(&folder.join("tables.db")).unwrap();
    let password = folder.join("password");
    std::fs::write(&password, "alpha").unwrap();
    let venue = Venue::start(folder);
    let key = format!(
        "role = \"trader\"\naccounts = [1]\nuser = \"ALPHA\"\npassword_file = {password:?}"
    );
    let sections = format!(
        "[grpc]\nlisten = \"127.0.0.1:0\"\n[orders]\nvenue = \"{}\"",
        venue.order_entry
    );
    let service = Arc::new(Service::start(folder, &key, &sections));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let all = async {
        let grpc = Grpc::login(&service).await;
        let mut both = Both {
            venue: &venue,
            service: &service,
            ouch: Ouch::login(venue.order_entry).await,
            grpc: &grpc,
        };
        both.compare(&arguments).await;
        by_h2load(&service, folder, arguments.seconds as u32).await;
    };
    LocalSet::new().block_on(&runtime, all);
}
