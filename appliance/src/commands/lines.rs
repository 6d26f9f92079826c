//! Where a feed's lines arrive, and who answers: what every receiver of a feed takes.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use nic::{Net, RealNet, RealUdp, SocketTcp, TcpLimits, UdpOptions};
use session::feed::{LinesConfig, ReceiverConfig};

use super::book::receive_port;
use crate::tiles::{FeedPorts, FeedServers};

/// Bytes of a snapshot that one read takes.
const SNAPSHOT_READ_BYTES: u32 = 64 << 10;

/// Addresses of a feed.
#[derive(Debug, clap::Args)]
pub struct LineArgs {
    /// Where line A is sent: its multicast group, or this host's address and port.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "recorded")]
    pub(super) a: Option<SocketAddrV4>,
    /// Where line B is sent.
    #[arg(long, value_name = "ADDRESS")]
    b: Option<SocketAddrV4>,
    /// Where missing messages are asked for.
    #[arg(long, value_name = "ADDRESS")]
    rerequest: Option<SocketAddrV4>,
    /// Where snapshots are given.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) snapshot: Option<SocketAddr>,
    /// Address of the interface that the lines arrive on.
    #[arg(long, default_value = "127.0.0.1")]
    interface: Ipv4Addr,
    /// Address of another interface for line B.
    #[arg(long)]
    interface_b: Option<Ipv4Addr>,
}

impl LineArgs {
    /// One line, with requests.
    pub(super) const fn new(a: SocketAddrV4, interface: Ipv4Addr, rerequest: SocketAddrV4) -> Self {
        Self {
            a: Some(a),
            b: None,
            rerequest: Some(rerequest),
            snapshot: None,
            interface,
            interface_b: None,
        }
    }

    /// The ports, with line A at `a`.
    ///
    /// # Errors
    /// Which one could not be opened, and the system's word.
    pub(super) fn ports(&self, a: SocketAddrV4) -> Result<FeedPorts<RealUdp, SocketTcp>, String> {
        let line = |at: SocketAddrV4, interface: Ipv4Addr| {
            receive_port(at, interface).map_err(|e| format!("cannot receive on {at}: {e}"))
        };
        let mut lines = vec![line(a, self.interface)?];
        if let Some(b) = self.b {
            lines.push(line(b, self.interface_b.unwrap_or(self.interface))?);
        }
        let mut net = RealNet::new();
        let ask = UdpOptions::new(SocketAddrV4::new(self.interface, 0));
        let requests = net.udp(&ask).map_err(|e| format!("requests: {e}"))?;
        let limits = TcpLimits {
            connections: 2,
            receive_bytes: SNAPSHOT_READ_BYTES,
            ..TcpLimits::default()
        };
        let snapshots = self.snapshot.map(|_| net.tcp_client(limits));
        let snapshots = snapshots
            .transpose()
            .map_err(|e| format!("snapshots: {e}"))?;
        Ok(FeedPorts {
            lines,
            requests: Some(requests),
            snapshots,
        })
    }

    /// Who answers.
    pub(super) const fn servers(&self) -> FeedServers {
        FeedServers {
            rerequest: self.rerequest,
            snapshots: self.snapshot,
        }
    }
}

/// From the first message on; who joins late takes a snapshot instead of the history.
pub(super) fn config() -> LinesConfig {
    let defaults = LinesConfig::default();
    LinesConfig {
        receiver: ReceiverConfig {
            sequence: 1,
            ..defaults.receiver
        },
        gap_messages_max: 10_000,
        ..defaults
    }
}
