//! `venue`: an order in and its reply out through the whole venue, against a bare echo of the same
//! transport in the same place.
//!
//! The venue is the one that `wirecross run` starts: gate, engine, journal and publish in turn on
//! one thread, replies released from memory. A member in another network namespace spins on a
//! kernel TCP socket and sends one message at a time, orders and their cancels in turn. The echo
//! sends the same messages back through the same port on the same core. More threads that spin do
//! not fit beside the member's on two cores; a topology for bigger hosts pins each tile to its own.

mod door;
mod member;
mod servers;
mod table;

use std::cell::RefCell;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;
use std::{fs, io};

use appliance::venue::StopRequests;
use appliance::venue::runner::COUNTERS_FILE;
use nic::netns::VethPair;
use queue::CounterReader;

use crate::calibration::Gate;
use crate::compare::{Case, Subject, interleave};
use crate::stats::Samples;
use crate::threads::{Stop, pair};
use crate::{BenchError, Options, Row};
use door::{Passed, Way};
use member::{Echoed, Judge, Member, converse, dial};
use servers::{FEED_PORT, Place, Transport, echo, venue};
use table::Server as Table;

/// The row.
pub const ROW: Row = Row {
    name: "venue",
    about: "an order in, its reply out through the whole venue; a bare echo of the same transport",
    run,
};

/// Messages before the first one that is timed.
const WARM: u32 = 200;
/// Distances of messages. In 20 us a server is done with all of the last one, the feed's packet
/// included; when the next one comes at once, it waits for what is left of that; the journal's
/// record is written once in a millisecond; in 100 us a thread that it shares with nobody but the
/// system has begun to rest.
const CASES: [(&str, Duration); 3] = [
    ("one each 20 us", Duration::from_micros(20)),
    ("each at once after the last", Duration::ZERO),
    ("one each 100 us", Duration::from_micros(100)),
];

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Venue,
    Echo,
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let cable = VethPair::create().map_err(|error| BenchError::Skipped(error.to_string()))?;
    let gate = Gate::new(options.effort)?;
    let mut cases = Vec::new();
    for transport in Transport::ALL {
        match measured(options, &cable, transport, &gate) {
            Ok(found) => cases.extend(found),
            Err(BenchError::Skipped(why)) => eprintln!("benches: skipped: {why}"),
            Err(error) => return Err(error),
        }
    }
    if cases.is_empty() {
        return Err(BenchError::Skipped("no transport works here".to_string()));
    }
    Ok(cases)
}

fn measured(
    options: &Options,
    cable: &VethPair,
    transport: Transport,
    gate: &Gate,
) -> Result<Vec<Case>, BenchError> {
    let count = options.effort.pick(20, 2_000, 20_000) as u32;
    let tables = [(); 2].map(|()| RefCell::new([(); CASES.len()].map(|()| Table::default())));
    let turn = |server: Server| {
        let heard = gate.run(|| turn(options, (cable, transport), server, count))?;
        let ways = timed(&heard.passed.ways, count)?;
        let mut tables = tables[server as usize].borrow_mut();
        for ((table, ways), engine_ns) in tables.iter_mut().zip(ways).zip(heard.engine_ns) {
            table.add(ways, engine_ns);
        }
        tables[0].looks_add(&heard.passed.looks_ns);
        Ok(heard.times)
    };
    let subjects = vec![
        Subject::new("venue", || turn(Server::Venue)).twice(),
        Subject::new("bare echo", || turn(Server::Echo)),
    ];
    let found = interleave(CASES.len(), options.effort.rounds(), subjects)?;
    let [of_venue, of_echo] = tables.map(RefCell::into_inner);
    let looks = table::looks(&of_venue[0], &of_echo[0]);
    let mut cases = Vec::new();
    for (place, (name, _)) in CASES.iter().enumerate() {
        let name = format!("{}, {name}", transport.name());
        let case = found.case(&name, place, "venue", &["bare echo"])?;
        let hops = table::hops(&of_venue[place], &of_echo[place])?;
        let note = format!("{}{hops}\n  {looks}\n  {}", difference(&case), gate.note());
        cases.push(case.noted(&note));
    }
    Ok(cases)
}

/// What one turn gave.
struct Heard {
    /// By case.
    times: Vec<Samples>,
    passed: Passed,
    /// By case: nanoseconds of the engine's turns a message, by the venue's own account.
    engine_ns: Vec<f64>,
}

/// One turn: a server and a member that converses with it, once a case.
fn turn(
    options: &Options,
    (cable, transport): (&VethPair, Transport),
    server: Server,
    count: u32,
) -> Result<Heard, BenchError> {
    let failed = |error: io::Error| BenchError::failed("the venue's directory", error);
    fs::create_dir_all(&options.directory).map_err(failed)?;
    let directory = tempfile::tempdir_in(&options.directory).map_err(failed)?;
    let place = &Place {
        cable,
        transport,
        directory: directory.path(),
    };
    let address: &Mutex<Option<SocketAddr>> = &Mutex::new(None);
    let (to, passed) = channel();
    let (asks, requests) = StopRequests::own();
    // The venue ends when it is asked to, or when the member is gone for whatever reason.
    let here = move |stop: &Stop| {
        let entered = place.cable.left.netns.enter();
        entered.map_err(|error| BenchError::failed("the member's place", error))?;
        let feed = UdpSocket::bind((place.cable.left.address, FEED_PORT));
        let _feed = feed.map_err(|error| BenchError::failed("the feed's receiver", error))?;
        let told = || address.lock().ok().and_then(|told| *told);
        let mut stream = dial(stop.wait(told)?)?;
        let heard = match server {
            Server::Venue => {
                let mut member = Member::login(stop, &mut stream)?;
                let engine = Engine::attach(place.directory)?;
                all(stop, &mut stream, count, &mut member, Some(&engine))
            }
            Server::Echo => all(stop, &mut stream, count, &mut Echoed::default(), None),
        };
        drop(stream);
        let _ = asks.send(0); // a server that ended has said why
        heard
    };
    let there = move |stop: &Stop| {
        let told = |at| {
            if let Ok(mut address) = address.lock() {
                *address = Some(at);
            }
        };
        match server {
            Server::Venue => venue(place, (&requests, to), count_all(count), told),
            Server::Echo => echo(place, stop, (&requests, to), told),
        }
    };
    let (times, engine_ns) = pair(here, there)?.into_iter().unzip();
    Ok(Heard {
        times,
        passed: passed.recv().unwrap_or_default(),
        engine_ns,
    })
}

/// The venue's account of its engine, read as an operator reads it.
struct Engine(CounterReader);

impl Engine {
    fn attach(directory: &Path) -> Result<Self, BenchError> {
        let reader = CounterReader::attach(&directory.join(COUNTERS_FILE));
        let reader = reader.map_err(|error| BenchError::failed("the venue's counters", error))?;
        Ok(Self(reader))
    }

    /// Nanoseconds that its turns took, and inputs.
    fn read(&self) -> (u64, u64) {
        let get = |name| self.0.get(name).unwrap_or(0);
        (get("engine.busy_ns"), get("engine.inputs"))
    }
}

/// Messages of a turn.
fn count_all(count: u32) -> u32 {
    CASES.len() as u32 * (WARM + count)
}

/// Converses once a case; gives the times, and what a message cost the engine.
fn all(
    stop: &Stop,
    stream: &mut TcpStream,
    count: u32,
    judge: &mut impl Judge,
    engine: Option<&Engine>,
) -> Result<Vec<(Samples, f64)>, BenchError> {
    let mut from = 1;
    let mut case = |(_, pace): &(&str, Duration)| {
        converse(stop, stream, (from, WARM), *pace, judge)?;
        from += WARM;
        let before = engine.map(Engine::read);
        let times = converse(stop, stream, (from, count), *pace, judge)?;
        from += count;
        let cost = engine
            .zip(before)
            .map_or(0.0, |(engine, (busy_ns, inputs))| {
                let now = engine.read();
                (now.0 - busy_ns) as f64 / (now.1 - inputs).max(1) as f64
            });
        Ok((times, cost))
    };
    CASES.iter().map(&mut case).collect()
}

/// The timed ways of each case. What came before, the login's, is not looked at.
fn timed(ways: &[Way], count: u32) -> Result<Vec<&[Way]>, BenchError> {
    let surplus = ways.len().checked_sub(count_all(count) as usize);
    let lost = || BenchError::WrongAnswer("messages were answered that nobody saw".to_string());
    let ways = ways.get(surplus.ok_or_else(lost)?..).ok_or_else(lost)?;
    let cases = ways.chunks((WARM + count) as usize);
    Ok(cases.map(|case| &case[WARM as usize..]).collect())
}

/// What the venue adds, at each percentile.
fn difference(case: &Case) -> String {
    let Some(echo) = case.peers.first() else {
        return String::new();
    };
    let (ours, echo) = (&case.ours.stats, &echo.stats);
    format!(
        "the venue adds {:.0} ns at the median, {:.0} at p99, {:.0} at p99.9",
        ours.median - echo.median,
        ours.p99 - echo.p99,
        ours.p999 - echo.p999
    )
}
