//! A network in memory: streams that are late and cut anywhere, datagrams that get lost, doubled
//! and overtaken, connections that break. Everything by seed.
//!
//! All ports hang on the same [`Wires`]. Time comes from the simulation: nothing arrives before it
//! is due, and nothing is due before [`Wires::set_now`] says so.

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
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            delay_ns_max: 50_000,
            piece_bytes_max: 1 << 16,
            drop_in_million: 0,
            double_in_million: 0,
            full_in_million: 0,
        }
    }
}

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
}

#[derive(Debug)]
struct State {
    now_ns: u64,
    random: Random,
    faults: Faults,
    counts: Counts,
    streams: tcp::Streams,
    datagrams: udp::Datagrams,
}

impl State {
    /// When something sent now arrives.
    fn due_ns(&mut self) -> u64 {
        self.now_ns + self.random.below(self.faults.delay_ns_max + 1)
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
            counts: Counts::default(),
            streams: tcp::Streams::default(),
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
        self.state().faults = faults;
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
