//! The machine's two TCP ports as one type.

use std::net::SocketAddr;

use crate::clock::{BeforeKick, FirstTouch, Stamp};
use crate::port::{Conn, ConnectError, TcpEvent, TcpPort, TcpStats};
use crate::tcp::SocketTcp;
use crate::xdp_tcp::XdpTcp;

/// A TCP port of the machine; [`TcpPort::mode`] says how its bytes move.
#[derive(Debug)]
pub enum RealTcp {
    /// Through the kernel's stack.
    Socket(Box<SocketTcp>),
    /// Around it.
    Xdp(Box<XdpTcp>),
}

impl RealTcp {
    fn port(&self) -> &dyn TcpPort {
        match self {
            RealTcp::Socket(port) => &**port,
            RealTcp::Xdp(port) => &**port,
        }
    }
}

impl TcpPort for RealTcp {
    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        match self {
            RealTcp::Socket(port) => port.poll(on),
            RealTcp::Xdp(port) => port.poll(on),
        }
    }

    fn poll_stamped(
        &mut self,
        on: &mut dyn FnMut(Option<Stamp<FirstTouch>>, TcpEvent<'_>),
    ) -> usize {
        match self {
            RealTcp::Socket(port) => port.poll_stamped(on),
            RealTcp::Xdp(port) => port.poll_stamped(on),
        }
    }

    fn connect(&mut self, to: SocketAddr) -> Result<Conn, ConnectError> {
        match self {
            RealTcp::Socket(port) => port.connect(to),
            RealTcp::Xdp(port) => port.connect(to),
        }
    }

    fn send_room(&self, conn: Conn) -> usize {
        self.port().send_room(conn)
    }

    fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        match self {
            RealTcp::Socket(port) => port.send(conn, bytes),
            RealTcp::Xdp(port) => port.send(conn, bytes),
        }
    }

    fn unsent(&self, conn: Conn) -> usize {
        self.port().unsent(conn)
    }

    fn pause(&mut self, conn: Conn, is_paused: bool) {
        match self {
            RealTcp::Socket(port) => port.pause(conn, is_paused),
            RealTcp::Xdp(port) => port.pause(conn, is_paused),
        }
    }

    fn close(&mut self, conn: Conn) {
        match self {
            RealTcp::Socket(port) => port.close(conn),
            RealTcp::Xdp(port) => port.close(conn),
        }
    }

    fn flush(&mut self) {
        match self {
            RealTcp::Socket(port) => port.flush(),
            RealTcp::Xdp(port) => port.flush(),
        }
    }

    fn kicked(&self) -> Option<Stamp<BeforeKick>> {
        self.port().kicked()
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.port().local_addr()
    }

    fn stats(&self) -> TcpStats {
        self.port().stats()
    }

    fn mode(&self) -> &'static str {
        self.port().mode()
    }
}
