//! Frames and streams in and out; knows no message type.
//!
//! A tile sees three traits: [`Clock`], [`TcpPort`] and [`UdpPort`], opened through [`Net`].
//! Nothing here blocks: a port is polled, takes one bounded batch and returns. Behind [`RealNet`]
//! stand io_uring (or plain non-blocking sockets where the kernel refuses io_uring) and AF_XDP;
//! [`mirror`] joins two ports in memory for tests; a simulator brings its own [`Net`].
//!
//! An io_uring port belongs to the thread that first polls it or sends on it: open it anywhere,
//! then keep it on one thread.

mod clock;
mod driver;
mod frame;
mod interface;
pub mod mirror;
mod net;
pub mod netns;
mod port;
mod real_tcp;
mod socket;
mod tcp;
mod udp;
mod uring;
mod xdp;
mod xdp_tcp;

pub use af_xdp::BusyPoll;
pub use clock::{
    BeforeKick, Clock, Correction, Drift, FirstTouch, Hardware, KernelReceived, Point, RED_LINE_NS,
    RealClock, RealSource, SLEW_PPM_MAX, Stamp, SteeredClock, SystemState, TimeSource, Tracker,
};
pub use net::{Net, RealNet, RealUdp, UdpOptions};
pub use port::{
    Arrival, Conn, ConnectError, DATAGRAM_BYTES_MAX, SendError, TcpEvent, TcpLimits, TcpPort,
    TcpStats, UdpPort, UdpStats,
};
pub use real_tcp::RealTcp;
pub use tcp::SocketTcp;
pub use udp::SocketUdp;
pub use uring::{Effort, Receive, Sqpoll, UringOptions, UringState};
pub use xdp::{
    Congestion, FrameStats, XDP_DEPTH, XDP_DEPTH_MAX, XDP_QUEUE_MAX, XDP_QUEUES_MAX, XdpMode,
    XdpOptions, XdpUdp,
};
pub use xdp_tcp::{HALF_OPEN_MAX, HALF_OPEN_NS, XDP_CONNECTIONS_MAX, XdpTcp, XdpTcpWork};
