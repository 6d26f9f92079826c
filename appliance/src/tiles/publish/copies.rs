//! The same packets to further places: the second line, and the venue's own follower.

use crate::topology::Topology;
use nic::{DATAGRAM_BYTES_MAX, SendError, UdpPort};
use queue::{Counter, CounterSet, Error};
use std::net::SocketAddrV4;

/// One further place, and the packet that its port had no room for.
///
/// The first line never waits for another one: a packet that finds the one before it still waiting
/// takes its place, and that one is lost there, as on a cable.
struct Copy {
    to: SocketAddrV4,
    kept: [u8; DATAGRAM_BYTES_MAX],
    kept_bytes: usize,
    dropped: Counter,
}

impl Copy {
    fn new(to: SocketAddrV4, dropped: Counter) -> Self {
        Self {
            to,
            kept: [0; DATAGRAM_BYTES_MAX],
            kept_bytes: 0,
            dropped,
        }
    }

    /// Sends the packet that waits; whether none waits any more.
    fn retry(&mut self, port: &mut impl UdpPort) -> bool {
        if self.kept_bytes == 0 {
            return true;
        }
        let sent = port.send(self.to, &self.kept[..self.kept_bytes]);
        let is_gone = sent != Err(SendError::Full);
        if is_gone {
            self.kept_bytes = 0;
            self.dropped.add(u64::from(sent.is_err()));
        }
        is_gone
    }

    fn send(&mut self, port: &mut impl UdpPort, packet: &[u8]) {
        let is_free = self.retry(port);
        let sent = match is_free {
            true => port.send(self.to, packet),
            false => Err(SendError::Full),
        };
        match sent {
            Ok(()) => {}
            Err(SendError::Full) if packet.len() <= self.kept.len() => {
                self.dropped.add(u64::from(!is_free));
                self.kept[..packet.len()].copy_from_slice(packet);
                self.kept_bytes = packet.len();
            }
            Err(_) => self.dropped.add(1),
        }
    }
}

/// Where the feed goes beside its first line, by the port that it leaves.
pub(super) struct Copies {
    line_b: Option<Copy>,
    follower: Option<Copy>,
}

impl Copies {
    pub(super) fn new(
        topology: &Topology,
        follower: Option<SocketAddrV4>,
        set: &mut CounterSet,
    ) -> Result<Self, Error> {
        let dropped_b = set.counter("publish.dropped_b")?;
        let dropped_follower = set.counter("publish.dropped_follower")?;
        let line_b = topology.feed.line_b;
        Ok(Self {
            line_b: line_b.map(|line| Copy::new(line.group, dropped_b)),
            follower: follower.map(|to| Copy::new(to, dropped_follower)),
        })
    }

    /// Sends what waits.
    pub(super) fn retry(&mut self, line_b: &mut impl UdpPort, own: &mut impl UdpPort) {
        if let Some(copy) = &mut self.line_b {
            copy.retry(line_b);
        }
        if let Some(copy) = &mut self.follower {
            copy.retry(own);
        }
    }

    /// Sends a packet everywhere.
    pub(super) fn send(
        &mut self,
        line_b: &mut impl UdpPort,
        own: &mut impl UdpPort,
        packet: &[u8],
    ) {
        if let Some(copy) = &mut self.line_b {
            copy.send(line_b, packet);
        }
        if let Some(copy) = &mut self.follower {
            copy.send(own, packet);
        }
    }
}
