//! A network in memory: streams that are late and cut anywhere, datagrams that get lost, doubled
//! and overtaken, connections that break, hosts that are cut off. Everything by seed.
//!
//! All ports hang on the same [`Wires`]. Time comes from the simulation: nothing arrives before it
//! is due, and nothing is due before [`Wires::set_now`] says so.

mod streams;
mod tcp;
mod udp;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nic::{Net, TcpLimits, UdpOptions};

use crate::random::Random;
pub use tcp::SimTcp;
pub use udp::SimUdp;

/// How badly the network behaves. The default has no fault but up to 50 µs of delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The longest delay of a piece of a stream or of a datagram.
    pub delay_ns_max: u64,
    /// The longest piece of a stream that arrives at once.
    pub piece_bytes_max: u64,
    /// Datagrams lost, in a million.
    pub drop_in_million: u32,
    /// Datagrams doubled, in a million.
    pub double_in_million: u32,
    /// Sends for which a full queue is pretended, in a million.
    pub full_in_million: u32,
    /// Pieces of streams and datagrams that come up to 0.2 s late, in a million.
    pub late_in_million: u32,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            delay_ns_max: 50_000,
            piece_bytes_max: 1 << 16,
            drop_in_million: 0,
            double_in_million: 0,
            full_in_million: 0,
            late_in_million: 0,
        }
    }
}

/// How late something very late is at most: longer than most lives of the venue.
pub const LATE_NS_MAX: u64 = 200_000_000;

/// What happened on the wires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that were made.
    pub connections: u64,
    /// Connections that broke.
    pub broken: u64,
    /// Datagrams sent to somebody.
    pub datagrams: u64,
    /// Datagrams lost.
    pub dropped: u64,
    /// Datagrams doubled.
    pub doubled: u64,
    /// Datagrams that came before one that was sent earlier.
    pub overtook: u64,
    /// Datagrams that came very late.
    pub datagrams_late: u64,
    /// Datagrams from or to a port that was cut off.
    pub cut_off: u64,
    /// Sends for which a full queue was pretended.
    pub full: u64,
    /// Pieces of streams that were cut in two.
    pub split: u64,
    /// Pieces of streams that came very late.
    pub streams_late: u64,
    /// Streams' ports that were cut off both ways.
    pub partitions: u64,
    /// Streams' ports that were cut off one way.
    pub partitions_one_way: u64,
}

/// Until when a port is cut off.
#[derive(Clone, Copy, Debug, Default)]
struct CutOff {
    /// Nothing comes to it.
    deaf_until_ns: u64,
    /// Nothing comes from it.
    mute_until_ns: u64,
}

#[derive(Debug)]
struct State {
    now_ns: u64,
    random: Random,
    faults: Faults,
    /// Nothing is disturbed any more.
    is_calm: bool,
    counts: Counts,
    streams: streams::Streams,
    datagrams: udp::Datagrams,
}

impl State {
    /// When something sent now arrives, and whether that is very late.
    fn due_ns(&mut self) -> (u64, bool) {
        let is_late = self.random.chance(self.faults.late_in_million);
        let longest_ns = if is_late {
            LATE_NS_MAX
        } else {
            self.faults.delay_ns_max
        };
        (self.now_ns + self.random.below(longest_ns + 1), is_late)
    }

    /// Until when a port is cut off that is cut off now; for as long as `longest_ns`.
    fn cut_off(&mut self, longest_ns: u64) -> CutOff {
        let until_ns = self.now_ns + self.random.below(longest_ns + 1);
        let way = self.random.below(3);
        CutOff {
            deaf_until_ns: if way == 1 { 0 } else { until_ns },
            mute_until_ns: if way == 2 { 0 } else { until_ns },
        }
    }
}

/// What all ports of one simulation hang on.
#[derive(Clone, Debug)]
pub struct Wires(Arc<Mutex<State>>);

impl Wires {
    /// Wires without a port.
    #[must_use]
    pub fn new(seed: u64, now_ns: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            now_ns,
            random: Random::new(seed),
            faults: Faults::default(),
            is_calm: false,
            counts: Counts::default(),
            streams: streams::Streams::default(),
            datagrams: udp::Datagrams::default(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves time on.
    pub fn set_now(&self, now_ns: u64) {
        self.state().now_ns = now_ns;
    }

    /// Changes how the network behaves from now on.
    pub fn set_faults(&self, faults: Faults) {
        let mut state = self.state();
        state.faults = faults;
        state.is_calm = false;
    }

    /// Breaks one of the open connections, by seed; what was under way on it is lost.
    pub fn cut_one(&self) {
        let mut state = self.state();
        let open = state.streams.open();
        if let Some(last) = (open.len() as u64).checked_sub(1) {
            let index = open[state.random.below(last + 1) as usize];
            state.streams.cut(index);
            state.counts.broken += 1;
        }
    }

    /// Cuts off each port with the toss of a coin, but for those that listen, and for a while of at
    /// most `longest_ns`: both ways or one way. What is sent on streams meanwhile comes afterwards.
    pub fn partition(&self, longest_ns: u64) {
        let mut state = self.state();
        state.partition_streams(longest_ns);
        state.partition_datagrams(longest_ns);
    }

    /// From now on there are no faults, and nobody is cut off any more.
    pub fn calm(&self) {
        let mut state = self.state();
        state.faults = Faults::default();
        state.is_calm = true;
        state.join();
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let state = self.state();
        state.streams.is_quiet() && state.datagrams.is_quiet()
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().counts
    }
}

/// Opens ports on simulated wires.
#[derive(Clone, Debug)]
pub struct SimNet(Wires);

impl SimNet {
    /// A network of these wires.
    #[must_use]
    pub fn new(wires: &Wires) -> Self {
        Self(wires.clone())
    }
}

impl Net for SimNet {
    type Tcp = SimTcp;
    type Udp = SimUdp;

    fn tcp_listen(&mut self, at: SocketAddr, limits: TcpLimits) -> io::Result<SimTcp> {
        SimTcp::open(&self.0, Some(at), limits)
    }

    fn tcp_client(&mut self, limits: TcpLimits) -> io::Result<SimTcp> {
        SimTcp::open(&self.0, None, limits)
    }

    fn udp(&mut self, options: &UdpOptions) -> io::Result<SimUdp> {
        SimUdp::open(&self.0, options)
    }
}
