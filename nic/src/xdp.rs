//! The UDP port over AF_XDP.

use std::io;
use std::net::SocketAddrV4;

use crate::net::{UdpOptions, XdpOptions};
use crate::port::{SendError, UdpPort, UdpStats};

/// A UDP port around the kernel's stack.
#[derive(Debug)]
pub struct XdpUdp {
    local: SocketAddrV4,
}

impl XdpUdp {
    /// Attaches to the interface.
    pub(crate) fn open(options: &UdpOptions, _xdp: &XdpOptions) -> io::Result<XdpUdp> {
        let _ = XdpUdp {
            local: options.local,
        };
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

impl UdpPort for XdpUdp {
    fn poll(&mut self, _on: &mut dyn FnMut(SocketAddrV4, &[u8])) -> usize {
        0
    }

    fn send(&mut self, _to: SocketAddrV4, _payload: &[u8]) -> Result<(), SendError> {
        Err(SendError::Full)
    }

    fn flush(&mut self) {}

    fn mode(&self) -> &'static str {
        "xdp generic"
    }

    fn local_addr(&self) -> SocketAddrV4 {
        self.local
    }

    fn stats(&self) -> UdpStats {
        UdpStats::default()
    }
}
