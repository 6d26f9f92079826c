//! The UDP port over AF_XDP: our own headers, around the kernel's stack.
//!
//! An ordinary socket is kept open beside it. It never carries a datagram, but it reserves the port
//! number, joins the groups (so that switches and the card's filter let them through) and keeps the
//! kernel from answering "port unreachable". Destinations must be in the segment: hardware
//! addresses come from the options or from frames received, there is no routing.

mod neighbours;

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use af_xdp::{Full, Mode, Options, Port, Rule};

use crate::clock::{Clock, Stamp};
use crate::frame;
use crate::net::{UdpOptions, XdpMode, XdpOptions};
use crate::port::{Arrival, DATAGRAM_BYTES_MAX, SendError, UdpPort, UdpStats};
use crate::socket;
use neighbours::Neighbours;

/// A UDP port on queue 0 of an interface, which it has for itself.
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
        let interface = af_xdp::interface_index(&xdp.interface)?;
        let mac = socket::hardware_address(&xdp.interface)?;
        let rule = Rule {
            mac: Some(mac),
            addresses: [&[*local.ip()], &options.groups[..]].concat(),
            ..Rule::udp(&[local.port()])
        };
        let (port, _) = climb(xdp, |mode| {
            Port::open(&Options::new(interface, mode, rule.clone()))
        })?;
        Ok(XdpUdp {
            port,
            local,
            mac,
            groups: options.groups.clone(),
            neighbours: Neighbours::new(&xdp.neighbours),
            stats: UdpStats::default(),
            _reservation: reservation,
        })
    }

    /// One turn: calls `touch` before it looks at a frame, and hands that on with the datagram.
    fn arrivals<T>(
        &mut self,
        touch: impl Fn() -> T,
        on: &mut dyn FnMut(T, SocketAddrV4, &[u8]),
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
        port.receive(&mut |bytes| {
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
            on(touched, datagram.from, datagram.payload);
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
        self.arrivals(|| (), &mut |(), from, payload| on(from, payload))
    }

    fn poll_stamped(&mut self, clock: &dyn Clock, on: &mut dyn FnMut(Arrival<'_>)) -> usize {
        let touch = || Stamp::touch(clock);
        self.arrivals(touch, &mut |touched, from, payload| {
            on(Arrival {
                from,
                payload,
                touched,
                kernel: None,
                hardware: None,
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
        let counted = self.port.statistics().unwrap_or_default();
        UdpStats {
            send_errors: counted.kernel.tx_invalid + counted.kick_errors,
            receive_errors: self.stats.receive_errors + counted.descriptors_invalid,
            dropped: counted.kernel.rx_lost(),
            ..self.stats
        }
    }
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

/// Tries the modes from the best one allowed downwards, saying why a better one was not had.
pub(crate) fn climb<T>(
    xdp: &XdpOptions,
    mut open: impl FnMut(Mode) -> Result<T, af_xdp::Error>,
) -> io::Result<(T, Mode)> {
    let mut refusals: Vec<String> = Vec::new();
    let ladder = [XdpMode::ZeroCopy, XdpMode::Native, XdpMode::Generic];
    for mode in ladder.into_iter().filter(|step| *step >= xdp.best) {
        let mode = mode_from(mode);
        match open(mode) {
            Ok(opened) => {
                refusals.iter().for_each(|why| eprintln!("nic: {why}"));
                return Ok((opened, mode));
            }
            Err(error) => {
                refusals.push(format!(
                    "{}: {} refused: {error}",
                    xdp.interface,
                    name(mode)
                ));
                if error.errno() == Some(libc::EBUSY) {
                    break; // taken in one mode is taken in all
                }
            }
        }
    }
    let message = refusals.join("; ");
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

fn mode_from(step: XdpMode) -> Mode {
    match step {
        XdpMode::ZeroCopy => Mode::ZeroCopy,
        XdpMode::Native => Mode::Native,
        XdpMode::Generic => Mode::Generic,
    }
}

pub(crate) fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::ZeroCopy => "xdp zero-copy",
        Mode::Native => "xdp native",
        Mode::Generic => "xdp generic",
    }
}
