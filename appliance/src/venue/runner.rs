//! Runs a venue on this machine: real ports, real disk, real threads.

use super::beside::Beside;
use super::closing::Closing;
use super::conduct::Conductor;
use super::day::Day;
use super::muster::Muster;
use super::pools;
use super::ports::{entry_port, entry_told, feed_ports, feed_told};
use super::rings::Offers;
use super::seats;
use super::snapshots::{Snapshots, follower_port};
use super::spent::Spent;
use super::staff::Staff;
use super::stop::StopRequests;
use super::threads::Timed;
use super::time::Timekeeper;
use super::walls::Walls;
use super::{Parts, Recovery, StartError, Venue, assemble, engine_limits, threads};
use super::{api, desk, slow};
use crate::tiles::{HISTOGRAMS, Signals};
use crate::topology::{Place, Tile as TileName, Topology};
use door::Ringed;
use footprint::Teller;
use journal::FileStorage;
use matching::Line;
use nic::{Clock, RealSource, RealTcp, RealUdp, TcpPort, TimeSource, Tracker, UdpPort};
use queue::{CounterSet, Home, Pages, Share};
use std::net::SocketAddr;

/// File of the counters, in the data directory.
pub const COUNTERS_FILE: &str = "counters";

const NO_ADDRESS: &str = "order entry has no address";

/// What a run did, when it ended without a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Number of the last input of the day.
    pub inputs: u64,
    /// Logins in this run.
    pub logins: u64,
    /// Feed messages of the day.
    pub messages: u64,
    /// Feed packets of this run.
    pub packets: u64,
    /// Members that were cut off at the end because they did not read.
    pub cut_off: u64,
    /// Hash of the final state.
    pub state_hash: u64,
    /// Orders on the books at the end.
    pub live_orders: u32,
}

/// What `ready` is told: where the venue listens and what it found.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Order entry.
    pub order_entry: SocketAddr,
    /// Where the feed goes.
    pub feed: SocketAddr,
    /// Where the depth goes, if it is told.
    pub depth: Option<SocketAddr>,
    /// Where requests for missed packets go.
    pub rerequest: SocketAddr,
    /// Where snapshots are given, if they are.
    pub snapshot: Option<SocketAddr>,
    /// The day's session.
    pub session: String,
    /// What the journal held.
    pub recovery: Recovery,
    /// How bytes move, in words, for the operator.
    pub modes: Vec<String>,
}

type Real<'m, T> = Venue<'m, T, RealUdp, FileStorage>;

/// How a venue begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begin {
    /// With a new trading day instead of going on with the last one.
    pub new_day: bool,
    /// Confined: only for a process that has one thread and is there for the venue alone.
    pub confined: bool,
}

/// Runs until `requests` tells of a signal; `ready` is called once, when members may connect.
///
/// # Errors
/// The venue could not start, or had to end because a part of it failed.
pub fn run(
    topology: &Topology,
    begin: Begin,
    requests: &StopRequests,
    ready: impl FnOnce(&Ready),
) -> Result<Summary, StartError> {
    run_behind(topology, begin, requests, |port, _| port, ready)
}

/// As [`run`], with something of the caller's between the gate and its port: `door` is given the
/// port and the venue's clock.
///
/// # Errors
/// As [`run`].
pub fn run_behind<T: TcpPort + Send>(
    topology: &Topology,
    begin: Begin,
    requests: &StopRequests,
    door: impl FnOnce(RealTcp, Box<dyn Clock + Send>) -> T,
    ready: impl FnOnce(&Ready),
) -> Result<Summary, StartError> {
    machine_check(topology)?;
    let tracker = Tracker::new(RealSource::new());
    let day = Day::open(topology, begin.new_day, tracker.source().system_ns())?;
    let counters_path = topology.data_dir.join(COUNTERS_FILE);
    let names = seats::counters(topology);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut set = CounterSet::create(&counters_path, &names, HISTOGRAMS)
        .map_err(|e| StartError::of("counters", &e))?;
    let time = Timekeeper::new(tracker, &mut set).map_err(|e| StartError::of("counters", &e))?;
    let clock = time.clock();
    let tcp = entry_port(topology, Box::new(clock.clone()))?;
    let follower = follower_port(topology)?;
    let mut udp = feed_ports(topology)?;
    udp.follower = follower.as_ref().map(UdpPort::local_addr);
    let mut modes = vec![format!("order entry: {}", entry_told(&tcp))];
    modes.push(format!("feed: {}", feed_told(&udp.feed)));
    let mut lines = memory(topology, &mut modes)?;
    let teller = Teller::open(&topology.data_dir, &pools::known(topology))
        .map_err(|e| StartError::of("footprint", &e))?;
    let offers = Offers::open(topology)?;
    let slow = slow::start(topology, begin.confined, &mut modes)?;
    let doors = desk::Doors {
        order_entry: tcp
            .local_addr()
            .ok_or_else(|| StartError::new(NO_ADDRESS))?,
        rerequest: udp.rerequest.local_addr(),
    };
    let api = api::start(topology, doors, begin.confined, &mut modes)?;
    let mut desk = desk::start(topology, doors, begin.confined, &mut modes)?;
    let walls =
        requests.pause(|| Walls::settle(topology, begin.confined, (&mut set, &mut modes)))??;
    let storage = FileStorage::open(&day.directory).map_err(|e| StartError::of("journal", &e))?;
    modes.push(format!("journal: {}", storage.mode()));
    let parts = Parts {
        tcp: Ringed::new(
            door(tcp, Box::new(clock.clone())),
            &offers.rings(),
            set.counter("gate.rings_refused")
                .map_err(|e| StartError::of("counters", &e))?,
        ),
        udp,
        storage,
        files: topology.shadow.map(|_| day.files()),
        session: day.session,
        rings: Home::Mapped,
    };
    let (mut venue, recovery) = assemble(topology, parts, &mut lines, &mut set)?;
    let mut conductor = Conductor::new(&mut set, topology.ending, time)
        .map_err(|e| StartError::of("counters", &e))?;
    let spent = Spent::all(&mut set).map_err(|e| StartError::of("counters", &e))?;
    let signals = Signals::new(&set).map_err(|e| StartError::of("counters", &e))?;
    let mut told = ready_of(topology, &venue, &day, recovery, modes)?;
    let snapshots = match follower {
        Some(port) => Snapshots::open(topology, &venue, (port, day.session), &clock)?,
        None => None,
    };
    told.snapshot = snapshots.as_ref().and_then(Snapshots::local_addr);

    let staff = Staff::of(topology, &day, &mut venue, (snapshots, offers), &mut set)?;
    let _telling = teller
        .start(footprint::EVERY)
        .map_err(|e| StartError::of("footprint", &e))?;
    let incoming = requests.started();
    let muster = Muster::new();
    let outcome = std::thread::scope(|scope| {
        let mut handles = Vec::new();
        let tiles = TileName::ALL.into_iter().zip(venue.tiles()).zip(spent);
        let tiles = tiles.map(|((name, tile), spent)| Timed { name, tile, spent });
        for group in threads::grouped(&topology.places, tiles) {
            let hands = (signals.clone(), muster.post());
            handles.push(threads::start(scope, group, clock.clone(), hands));
        }
        staff.start(scope, topology, &clock, (&signals, &muster));
        let closed = muster.begin(|| walls.close());
        let (handles, refused): (Vec<_>, Vec<_>) = handles.into_iter().partition(Result::is_ok);
        let handles: Vec<_> = handles.into_iter().flatten().collect();
        let is_whole = refused.is_empty() && closed.is_ok();
        if is_whole {
            ready(&told);
        }
        let is_alive = || is_whole && handles.iter().all(|handle| !handle.is_finished());
        // Who trades beside us takes its orders off while we still take cancels.
        let is_left = || desk.as_mut().is_none_or(Beside::is_ended);
        let outcome = conductor.conduct(incoming, is_alive, is_left);
        let panicked = handles
            .into_iter()
            .map(|handle| handle.join())
            .any(|end| end.is_err());
        closed.map_err(|error| error.to_string())?;
        if panicked {
            Err("a thread panicked: see above".to_owned())
        } else {
            outcome
        }
    });
    let summary = finished(&mut venue, outcome)?;
    if let Err(error) = Closing::of(&summary).write(&day.directory) {
        eprintln!("wirecross: what the day came to is not on disk: {error}");
    }
    if let Some(slow) = slow {
        slow.end();
    }
    if let Some(api) = api {
        api.end();
    }
    Ok(summary)
}

/// Pinned tiles need their cores.
fn machine_check(topology: &Topology) -> Result<(), StartError> {
    if topology
        .places
        .iter()
        .any(|place| matches!(place, Place::Core(_)))
    {
        topology
            .check_machine(&crate::commands::cores_usable())
            .map_err(|e| StartError::new(e.to_string()))?;
    }
    Ok(())
}

fn ready_of<T: TcpPort + Send>(
    topology: &Topology,
    venue: &Real<'_, T>,
    day: &Day,
    recovery: Recovery,
    modes: Vec<String>,
) -> Result<Ready, StartError> {
    let order_entry = venue.gate.tcp().local_addr();
    Ok(Ready {
        order_entry: order_entry.ok_or_else(|| StartError::new(NO_ADDRESS))?,
        feed: topology.feed.group.into(),
        depth: topology.feed.depth.map(|depth| depth.group.into()),
        rerequest: venue.publish.ports().rerequest.local_addr().into(),
        snapshot: None,
        session: String::from_utf8_lossy(&day.session).into_owned(),
        recovery,
        modes,
    })
}

/// What the tiles say after their threads ended.
fn finished<T: TcpPort + Send>(
    venue: &mut Real<'_, T>,
    outcome: Result<(), String>,
) -> Result<Summary, StartError> {
    if let Err(reason) = outcome {
        let told = venue
            .tiles()
            .iter()
            .find_map(|tile| tile.failure().map(str::to_owned));
        return Err(StartError::new(told.unwrap_or(reason)));
    }
    Ok(Summary {
        inputs: venue.engine.sequence(),
        logins: venue.gate.entry().counters().logins,
        messages: venue.publish.publisher().sequence_next() - 1,
        packets: venue.publish.publisher().counters().packets,
        cut_off: venue.gate.cut_off(),
        state_hash: venue.engine.engine().state_hash(),
        live_orders: venue.engine.engine().live_orders(),
    })
}

/// The engine's memory, cleared. What is told of it goes to `modes`.
fn memory(topology: &Topology, modes: &mut Vec<String>) -> Result<Pages<Line>, StartError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let lines = Pages::<Line>::zeroed_by(threads, engine_limits(topology).lines(), by_threads)
        .ok_or_else(|| StartError::new("no memory for an engine of these limits"))?;
    let (bytes, huge) = lines.bytes_huge();
    modes.push(format!(
        "engine: {} MiB, {} of them on 2 MB pages",
        bytes >> 20,
        huge.unwrap_or(0) >> 20
    ));
    Ok(lines)
}

/// Clears memory on as many cores as there are shares, before anything else runs on them.
fn by_threads(shares: Vec<Share<'_>>) {
    std::thread::scope(|scope| {
        for share in shares {
            scope.spawn(|| share.clear());
        }
    });
}
