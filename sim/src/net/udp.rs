//! Datagrams: to one port, or to every port that joined a group.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddrV4;

use nic::{DATAGRAM_BYTES_MAX, SendError, UdpOptions, UdpPort};

use super::{CutOff, State, Wires};

/// Datagrams handed over in one poll.
const BATCH: usize = 64;

/// A receiving port and what is on its way to it, by the time it is due.
#[derive(Debug, Default)]
struct Endpoint {
    options: Option<UdpOptions>,
    cut_off: CutOff,
    inbox: BTreeMap<(u64, u64), (SocketAddrV4, Vec<u8>)>,
}

impl Endpoint {
    fn takes(&self, to: SocketAddrV4) -> bool {
        let Some(options) = &self.options else {
            return false;
        };
        let joined = options.groups.contains(to.ip()) && options.local.port() == to.port();
        joined || options.local == to
    }
}

/// All datagram ports.
#[derive(Debug, Default)]
pub(super) struct Datagrams {
    endpoints: Vec<Endpoint>,
    /// Number of the next datagram: keeps those apart that are due at the same time.
    next: u64,
}

impl Datagrams {
    pub fn is_quiet(&self) -> bool {
        self.endpoints
            .iter()
            .all(|endpoint| endpoint.inbox.is_empty())
    }

    /// Until when each port is cut off.
    pub fn cut_off(&mut self) -> impl Iterator<Item = &mut CutOff> {
        self.endpoints.iter_mut().map(|it| &mut it.cut_off)
    }
}

impl State {
    pub(super) fn partition_datagrams(&mut self, longest_ns: u64) {
        for index in 0..self.datagrams.endpoints.len() {
            if self.random.chance(500_000) {
                self.datagrams.endpoints[index].cut_off = self.cut_off(longest_ns);
            }
        }
    }

    /// Puts a datagram on its way to an endpoint, once or twice, or loses it.
    fn deliver(&mut self, index: usize, from: SocketAddrV4, payload: &[u8], is_mute: bool) {
        self.counts.datagrams += 1;
        let is_deaf = self.datagrams.endpoints[index].cut_off.deaf_until_ns > self.now_ns;
        if is_mute || is_deaf {
            self.counts.cut_off += 1;
            return;
        }
        if self.random.chance(self.faults.drop_in_million) {
            self.counts.dropped += 1;
            return;
        }
        let is_doubled = self.random.chance(self.faults.double_in_million);
        self.counts.doubled += u64::from(is_doubled);
        for _ in 0..=u8::from(is_doubled) {
            let (due_ns, is_late) = self.due_ns();
            self.counts.datagrams_late += u64::from(is_late);
            let key = (due_ns, self.datagrams.next);
            self.datagrams.next += 1;
            let inbox = &mut self.datagrams.endpoints[index].inbox;
            let last = inbox.last_key_value();
            self.counts.overtook += u64::from(last.is_some_and(|(last, _)| *last > key));
            inbox.insert(key, (from, payload.to_vec()));
        }
    }
}

/// A simulated datagram port.
#[derive(Debug)]
pub struct SimUdp {
    wires: Wires,
    index: usize,
    local: SocketAddrV4,
}

impl SimUdp {
    pub(super) fn open(wires: &Wires, options: &UdpOptions) -> io::Result<Self> {
        let mut state = wires.state();
        let endpoints = &mut state.datagrams.endpoints;
        let shares = |one: &Endpoint| {
            let other = one.options.as_ref();
            other.is_some_and(|other| other.local == options.local && other.groups.is_empty())
        };
        if options.groups.is_empty() && endpoints.iter().any(shares) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        endpoints.push(Endpoint {
            options: Some(options.clone()),
            cut_off: CutOff::default(),
            inbox: BTreeMap::new(),
        });
        let index = endpoints.len() - 1;
        drop(state);
        Ok(Self {
            wires: wires.clone(),
            index,
            local: options.local,
        })
    }
}

impl UdpPort for SimUdp {
    fn poll(&mut self, on: &mut dyn FnMut(SocketAddrV4, &[u8])) -> usize {
        let mut came = Vec::new();
        let mut state = self.wires.state();
        let now_ns = state.now_ns;
        let inbox = &mut state.datagrams.endpoints[self.index].inbox;
        while came.len() < BATCH
            && let Some(first) = inbox.first_entry()
            && first.key().0 <= now_ns
        {
            came.push(first.remove());
        }
        drop(state);
        for (from, bytes) in &came {
            on(*from, bytes);
        }
        came.len()
    }

    fn send(&mut self, to: SocketAddrV4, payload: &[u8]) -> Result<(), SendError> {
        if payload.len() > DATAGRAM_BYTES_MAX {
            return Err(SendError::TooLong);
        }
        let mut state = self.wires.state();
        let full_in_million = state.faults.full_in_million;
        if state.random.chance(full_in_million) {
            state.counts.full += 1;
            return Err(SendError::Full);
        }
        let endpoints = &state.datagrams.endpoints;
        let is_mute = endpoints[self.index].cut_off.mute_until_ns > state.now_ns;
        let all = endpoints.len();
        for index in 0..all {
            if state.datagrams.endpoints[index].takes(to) {
                state.deliver(index, self.local, payload, is_mute);
            }
        }
        Ok(())
    }

    fn flush(&mut self) {}

    fn mode(&self) -> &'static str {
        "simulated"
    }

    fn local_addr(&self) -> SocketAddrV4 {
        self.local
    }
}

impl Drop for SimUdp {
    fn drop(&mut self) {
        self.wires.state().datagrams.endpoints[self.index] = Endpoint::default();
    }
}
