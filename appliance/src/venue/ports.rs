//! The ports of a venue on this machine, and how bytes move by them, in words.

use super::StartError;
use crate::tiles::PublishPorts;
use crate::topology::Topology;
use nic::{
    Clock, Net, RealNet, RealTcp, RealUdp, TcpLimits, TcpPort as _, UdpOptions, UdpPort as _,
    XdpTcp,
};

/// Bytes of a connection's receive buffer.
const RECEIVE_BYTES: u32 = 16 << 10;

/// How much longer the port tries to finish a closed connection than the gate waits at the end.
const LINGER_MORE_MS: u32 = 1_000;

/// The door for members, through the kernel's TCP or around it.
pub(super) fn entry_port(
    topology: &Topology,
    clock: Box<dyn Clock + Send>,
) -> Result<RealTcp, StartError> {
    let entry = &topology.order_entry;
    let limits = TcpLimits {
        connections: entry.connections_max as u16,
        receive_bytes: RECEIVE_BYTES,
        send_bytes: entry.backlog_bytes as u32,
        // The gate gives up first, so that it can say how many were cut off.
        linger_ms: (topology.ending.cutoff.as_millis() as u32).saturating_add(LINGER_MORE_MS),
    };
    let opened = match &entry.xdp {
        Some(xdp) => {
            XdpTcp::open(entry.address, limits, xdp, clock).map(|port| RealTcp::Xdp(Box::new(port)))
        }
        None => RealNet::with_uring(topology.uring)
            .tcp_listen(entry.address.into(), limits)
            .map(|port| RealTcp::Socket(Box::new(port))),
    };
    opened.map_err(|e| StartError::of(&format!("order_entry.address {}", entry.address), &e))
}

/// How the bytes of members move, for the operator.
pub(super) fn entry_told(port: &RealTcp) -> String {
    match port {
        RealTcp::Socket(port) => match port.uring() {
            Some(state) => state.to_string(),
            None => port.mode().to_owned(),
        },
        RealTcp::Xdp(port) => {
            let buffers_mib = port.memory_bytes() >> 20;
            format!("{}, {buffers_mib} MiB of buffers", port.told())
        }
    }
}

/// How packets of the feed move, for the operator.
pub(super) fn feed_told(port: &RealUdp) -> String {
    match port {
        RealUdp::Socket(port) => port.mode().to_owned(),
        RealUdp::Xdp(port) => port.told(),
    }
}

/// The ports of the feed, the kernel's or around it.
pub(super) fn feed_ports(topology: &Topology) -> Result<PublishPorts<RealUdp>, StartError> {
    let mut net = RealNet::with_uring(topology.uring);
    let feed = &topology.feed;
    let options = UdpOptions {
        interface: *feed.source.ip(),
        xdp: feed.xdp.clone(),
        ..UdpOptions::new(feed.source)
    };
    let sender = net
        .udp(&options)
        .map_err(|e| StartError::of(&format!("feed.source {}", feed.source), &e))?;
    let rerequest = net
        .udp(&UdpOptions::new(feed.rerequest))
        .map_err(|e| StartError::of(&format!("feed.rerequest {}", feed.rerequest), &e))?;
    let source_b = feed.line_b.and_then(|line| line.source);
    let feed_b = source_b.map(|source| {
        let options = UdpOptions {
            interface: *source.ip(),
            ..UdpOptions::new(source)
        };
        net.udp(&options)
            .map_err(|e| StartError::of(&format!("feed.source_b {source}"), &e))
    });
    Ok(PublishPorts {
        feed: sender,
        feed_b: feed_b.transpose()?,
        rerequest,
        follower: None,
    })
}
