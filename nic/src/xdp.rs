//! The UDP port over AF_XDP: our own headers, around the kernel's stack.
//!
//! An ordinary socket is kept open beside it. It never carries a datagram, but it reserves the port
//! number, joins the groups (so that switches and the card's filter let them through) and keeps the
//! kernel from answering "port unreachable". Destinations must be in the segment: hardware
//! addresses come from the options or from frames received, there is no routing.

mod neighbours;
mod options;
mod stats;

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use af_xdp::{Full, Port, Rule, RxMetadata};

use crate::clock::{Clock, Hardware, Stamp};
use crate::frame;
use crate::net::UdpOptions;
use crate::port::{Arrival, DATAGRAM_BYTES_MAX, SendError, UdpPort, UdpStats};
use crate::socket;
use neighbours::Neighbours;
pub use options::{
    Congestion, XDP_DEPTH, XDP_DEPTH_MAX, XDP_QUEUE_MAX, XDP_QUEUES_MAX, XdpMode, XdpOptions,
};
pub(crate) use options::{name, open, told};
pub use stats::FrameStats;

/// A UDP port on queues of an interface, which it has for itself.
#[derive(Debug)]
pub struct XdpUdp {
    port: Port,
    /// Where datagrams are sent from, and to.
    local: SocketAddrV4,
    mac: frame::Mac,
    groups: Vec<Ipv4Addr>,
    neighbours: Neighbours,
    stats: UdpStats,
    _reservation: OwnedFd,
}

impl XdpUdp {
    /// In the best mode that is allowed and had.
    pub(crate) fn open(options: &UdpOptions, xdp: &XdpOptions) -> io::Result<XdpUdp> {
        let (reservation, bound) = socket::udp(options)?;
        let local = SocketAddrV4::new(own_address(options)?, bound.port());
        let mac = socket::hardware_address(&xdp.interface)?;
        let rule = Rule {
            mac: Some(mac),
            addresses: [&[*local.ip()], &options.groups[..]].concat(),
            ..Rule::udp(&[local.port()])
        };
        Ok(XdpUdp {
            port: open(xdp, &rule)?,
            local,
            mac,
            groups: options.groups.clone(),
            neighbours: Neighbours::new(&xdp.neighbours),
            stats: UdpStats::default(),
            _reservation: reservation,
        })
    }

    /// Whether the card is asked when each datagram came.
    pub fn asks_card(&self) -> bool {
        self.port.metadata()
    }

    /// The queues, and how many frames came by each.
    pub fn queues(&self) -> impl Iterator<Item = (u32, u64)> {
        self.port.queues()
    }

    /// What was granted, in words for an operator.
    pub fn told(&self) -> String {
        let times = if self.asks_card() {
            ", card asked for times"
        } else {
            ""
        };
        told(&self.port) + times
    }

    /// One turn: calls `touch` before it looks at a frame, and hands that on with the datagram and
    /// what the card said.
    fn arrivals<T>(
        &mut self,
        touch: impl Fn() -> T,
        mut on: impl FnMut((T, Option<RxMetadata>), SocketAddrV4, &[u8]),
    ) -> usize {
        self.flush();
        let XdpUdp {
            port,
            local,
            groups,
            neighbours,
            stats,
            ..
        } = self;
        let mut count = 0;
        port.receive_with(&mut |bytes, metadata| {
            let touched = touch();
            let datagram = frame::read(bytes).filter(|datagram| {
                let to = datagram.to;
                to.port() == local.port() && (to.ip() == local.ip() || groups.contains(to.ip()))
            });
            let Some(datagram) = datagram else {
                stats.receive_errors += 1;
                return;
            };
            neighbours.learn(*datagram.from.ip(), datagram.source_mac);
            count += 1;
            on((touched, metadata), datagram.from, datagram.payload);
        });
        stats.received += count as u64;
        count
    }

    /// The hardware address for a destination.
    fn mac_of(&self, to: Ipv4Addr) -> Option<frame::Mac> {
        if to.is_multicast() {
            return Some(frame::multicast_mac(to));
        }
        self.neighbours.find(to)
    }
}

impl UdpPort for XdpUdp {
    fn poll(&mut self, on: &mut dyn FnMut(SocketAddrV4, &[u8])) -> usize {
        self.arrivals(|| (), |_, from, payload| on(from, payload))
    }

    fn poll_stamped(&mut self, clock: &dyn Clock, on: &mut dyn FnMut(Arrival<'_>)) -> usize {
        let touch = || Stamp::touch(clock);
        self.arrivals(touch, |(touched, metadata), from, payload| {
            on(Arrival {
                from,
                payload,
                touched,
                kernel: None,
                hardware: card_time(metadata),
            });
        })
    }

    fn send(&mut self, to: SocketAddrV4, payload: &[u8]) -> Result<(), SendError> {
        if payload.len() > DATAGRAM_BYTES_MAX {
            return Err(SendError::TooLong);
        }
        let macs = (
            self.mac,
            self.mac_of(*to.ip()).ok_or(SendError::NoNeighbour)?,
        );
        let local = self.local;
        let build = |room: &mut [u8]| frame::write(room, macs, local, to, payload);
        if let Err(Full) = self.port.transmit(build) {
            self.port.kick();
            self.port.transmit(build).map_err(|Full| SendError::Full)?;
        }
        self.stats.sent += 1;
        Ok(())
    }

    fn flush(&mut self) {
        self.port.kick();
    }

    fn mode(&self) -> &'static str {
        name(self.port.mode())
    }

    fn local_addr(&self) -> SocketAddrV4 {
        self.local
    }

    fn stats(&self) -> UdpStats {
        let frames = FrameStats::of(&self.port, self.stats.receive_errors);
        UdpStats {
            send_errors: frames.send_errors,
            dropped: frames.lost,
            frames,
            ..self.stats
        }
    }
}

/// When the card says that the frame came, if it was asked and has a clock.
fn card_time(metadata: Option<RxMetadata>) -> Option<Stamp<Hardware>> {
    Stamp::told(metadata?.timestamp_ns?)
}

/// The address that stands in our headers.
fn own_address(options: &UdpOptions) -> io::Result<Ipv4Addr> {
    let candidates = [*options.local.ip(), options.interface];
    let usable = |ip: &Ipv4Addr| !ip.is_unspecified() && !ip.is_multicast();
    candidates.into_iter().find(usable).ok_or_else(|| {
        let message = "an AF_XDP port needs the interface's address in `local` or `interface`";
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cards_time_is_marked_as_such_and_an_absent_one_is_absent() {
        let with = |timestamp_ns| {
            card_time(Some(RxMetadata {
                timestamp_ns,
                ..RxMetadata::default()
            }))
        };
        let time = with(Some(1_700_000_000_000_000_123)).unwrap();
        assert_eq!(
            (time.ns(), time.point()),
            (1_700_000_000_000_000_123, "hardware")
        );
        assert_eq!(
            (with(Some(0)), with(None), card_time(None)),
            (None, None, None)
        );
    }
}
