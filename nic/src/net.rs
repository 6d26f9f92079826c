//! Opening ports: [`Net`] is what a tile is written against, [`RealNet`] is the machine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use crate::clock::Clock;
use crate::driver::{Driver, Wants};
use crate::port::{Arrival, SendError, TcpLimits, TcpPort, UdpPort, UdpStats};
use crate::tcp::SocketTcp;
use crate::udp::SocketUdp;
use crate::uring::UringOptions;
use crate::xdp::{XdpOptions, XdpUdp};

/// Opens ports. A compile-time parameter of whatever owns a port, so that a simulator can put its
/// own network in.
pub trait Net {
    /// Byte streams of this network.
    type Tcp: TcpPort;
    /// Datagrams of this network.
    type Udp: UdpPort;

    /// A port that accepts peers at `at` (port 0: the system chooses; ask `local_addr`).
    fn tcp_listen(&mut self, at: SocketAddr, limits: TcpLimits) -> io::Result<Self::Tcp>;

    /// A port that only dials.
    fn tcp_client(&mut self, limits: TcpLimits) -> io::Result<Self::Tcp>;

    /// A datagram port.
    fn udp(&mut self, options: &UdpOptions) -> io::Result<Self::Udp>;
}

/// What a UDP port is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UdpOptions {
    /// Where datagrams are received. Port 0: the system chooses. With `groups`, the port is also
    /// reachable at the machine's other addresses, unless this is a group itself.
    pub local: SocketAddrV4,
    /// Multicast groups to receive.
    pub groups: Vec<Ipv4Addr>,
    /// Address of the interface that multicast is sent and received on; 127.0.0.1 for loopback,
    /// 0.0.0.0 leaves the choice to the routing table.
    pub interface: Ipv4Addr,
    /// Go around the kernel's network stack on this interface; `None` uses ordinary sockets.
    pub xdp: Option<XdpOptions>,
}

impl UdpOptions {
    /// A port at `local`, without multicast and without AF_XDP.
    pub fn new(local: SocketAddrV4) -> UdpOptions {
        UdpOptions {
            local,
            groups: Vec::new(),
            interface: Ipv4Addr::UNSPECIFIED,
            xdp: None,
        }
    }
}

/// The machine's own network.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealNet {
    sockets_only: bool,
    uring: UringOptions,
}

impl RealNet {
    /// io_uring where the kernel allows it, else plain sockets (printed once to stderr).
    pub fn new() -> RealNet {
        RealNet::default()
    }

    /// Plain non-blocking sockets, without trying io_uring.
    pub fn sockets_only() -> RealNet {
        RealNet {
            sockets_only: true,
            ..RealNet::default()
        }
    }

    /// io_uring with these options where the kernel allows it, else plain sockets.
    pub fn with_uring(uring: UringOptions) -> RealNet {
        RealNet {
            uring,
            ..RealNet::default()
        }
    }

    fn driver(&self, wants: &Wants) -> Driver {
        if self.sockets_only {
            Driver::plain()
        } else {
            Driver::open(wants, &self.uring)
        }
    }
}

impl Net for RealNet {
    type Tcp = SocketTcp;
    type Udp = RealUdp;

    fn tcp_listen(&mut self, at: SocketAddr, limits: TcpLimits) -> io::Result<SocketTcp> {
        SocketTcp::open(Some(at), limits, |wants| self.driver(wants))
    }

    fn tcp_client(&mut self, limits: TcpLimits) -> io::Result<SocketTcp> {
        SocketTcp::open(None, limits, |wants| self.driver(wants))
    }

    fn udp(&mut self, options: &UdpOptions) -> io::Result<RealUdp> {
        if let Some(xdp) = &options.xdp {
            match XdpUdp::open(options, xdp) {
                Ok(port) => return Ok(RealUdp::Xdp(Box::new(port))),
                Err(error) if xdp.worst.is_some() => return Err(error),
                Err(error) => eprintln!("nic: no AF_XDP, sockets instead: {error}"),
            }
        }
        let port = SocketUdp::open(options, |wants| self.driver(wants))?;
        Ok(RealUdp::Socket(Box::new(port)))
    }
}

/// A UDP port of the machine; [`UdpPort::mode`] says which step of the ladder it stands on.
#[derive(Debug)]
pub enum RealUdp {
    /// Through the kernel's stack.
    Socket(Box<SocketUdp>),
    /// Around it.
    Xdp(Box<XdpUdp>),
}

impl RealUdp {
    /// Asks the kernel, and through it the card, when datagrams come: see
    /// [`UdpPort::poll_stamped`]. Before the first poll; the first datagrams may still come without
    /// times, because the kernel begins to take them in the background.
    ///
    /// # Errors
    /// The system refuses, or the port goes around it and was opened without
    /// [`XdpOptions::card_times`], or the driver has none.
    pub fn ask_times(&mut self) -> io::Result<()> {
        match self {
            RealUdp::Socket(port) => port.ask_times(),
            RealUdp::Xdp(port) if port.asks_card() => Ok(()),
            RealUdp::Xdp(_) => Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }
}

impl UdpPort for RealUdp {
    fn poll(&mut self, on: &mut dyn FnMut(SocketAddrV4, &[u8])) -> usize {
        match self {
            RealUdp::Socket(port) => port.poll(on),
            RealUdp::Xdp(port) => port.poll(on),
        }
    }

    fn poll_stamped(&mut self, clock: &dyn Clock, on: &mut dyn FnMut(Arrival<'_>)) -> usize {
        match self {
            RealUdp::Socket(port) => port.poll_stamped(clock, on),
            RealUdp::Xdp(port) => port.poll_stamped(clock, on),
        }
    }

    fn send(&mut self, to: SocketAddrV4, payload: &[u8]) -> Result<(), SendError> {
        match self {
            RealUdp::Socket(port) => port.send(to, payload),
            RealUdp::Xdp(port) => port.send(to, payload),
        }
    }

    fn flush(&mut self) {
        match self {
            RealUdp::Socket(port) => port.flush(),
            RealUdp::Xdp(port) => port.flush(),
        }
    }

    fn mode(&self) -> &'static str {
        match self {
            RealUdp::Socket(port) => port.mode(),
            RealUdp::Xdp(port) => port.mode(),
        }
    }

    fn local_addr(&self) -> SocketAddrV4 {
        match self {
            RealUdp::Socket(port) => port.local_addr(),
            RealUdp::Xdp(port) => port.local_addr(),
        }
    }

    fn stats(&self) -> UdpStats {
        match self {
            RealUdp::Socket(port) => port.stats(),
            RealUdp::Xdp(port) => port.stats(),
        }
    }
}
