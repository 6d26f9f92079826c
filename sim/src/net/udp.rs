//! Datagrams: to one port, or to every port that joined a group.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddrV4;

use nic::{DATAGRAM_BYTES_MAX, SendError, UdpOptions, UdpPort};

use super::Wires;

/// Datagrams handed over in one poll.
const BATCH: usize = 64;

/// A receiving port and what is on its way to it, by the time it is due.
#[derive(Debug, Default)]
struct Endpoint {
    options: Option<UdpOptions>,
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
        let faults = state.faults;
        if state.random.chance(faults.full_in_million) {
            return Err(SendError::Full);
        }
        for index in 0..state.datagrams.endpoints.len() {
            if !state.datagrams.endpoints[index].takes(to) {
                continue;
            }
            state.counts.datagrams += 1;
            if state.random.chance(faults.drop_in_million) {
                state.counts.dropped += 1;
                continue;
            }
            let doubled = state.random.chance(faults.double_in_million);
            state.counts.doubled += u64::from(doubled);
            for _ in 0..=u8::from(doubled) {
                let key = (state.due_ns(), state.datagrams.next);
                state.datagrams.next += 1;
                let datagram = (self.local, payload.to_vec());
                state.datagrams.endpoints[index].inbox.insert(key, datagram);
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
