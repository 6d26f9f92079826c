//! Frames in and out for the TCP stack, which sees IP packets: Ethernet ends here.

use af_xdp::{Arrived, Port, Sender};
use smoltcp::phy::{self, Checksum, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

use crate::frame::{ETHERNET_BYTES, FRAME_BYTES_MAX, Mac, TYPE_IPV4};

const _: () = assert!(FRAME_BYTES_MAX <= af_xdp::FRAME_BYTES_MAX);

/// The port, and who we are on its wire.
#[derive(Debug)]
pub(super) struct Wire {
    pub port: Port,
    mac: Mac,
}

impl Wire {
    pub fn new(port: Port, mac: Mac) -> Wire {
        Wire { port, mac }
    }

    /// Our hardware address.
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// Whether a frame can be sent.
    pub fn has_room(&mut self) -> bool {
        self.port.sender().has_room()
    }

    /// The wire as the stack sees it for one call: at most this IP packet comes in, and what goes
    /// out goes to `peer_mac`.
    pub fn line<'a>(&'a mut self, packet: Option<&'a [u8]>, peer_mac: Mac) -> Line<'a> {
        Line {
            packet,
            sender: self.port.sender(),
            macs: (self.mac, peer_mac),
        }
    }

    /// The same, with the packet of so many bytes in this frame.
    pub fn line_with<'a>(
        &'a mut self,
        (arrived, ip_bytes): (&'a Arrived, usize),
        peer_mac: Mac,
    ) -> Line<'a> {
        let (bytes, sender) = self.port.answering(arrived);
        Line {
            packet: Some(&bytes[ETHERNET_BYTES..ETHERNET_BYTES + ip_bytes]),
            sender,
            macs: (self.mac, peer_mac),
        }
    }
}

/// The stack's device for one call.
pub(super) struct Line<'a> {
    packet: Option<&'a [u8]>,
    sender: Sender<'a>,
    /// Ours and the peer's.
    macs: (Mac, Mac),
}

/// What the stack has to know about the wire. Checksums of what comes in were looked at before.
pub(super) fn capabilities() -> DeviceCapabilities {
    let mut all = DeviceCapabilities::default();
    all.medium = Medium::Ip;
    all.max_transmission_unit = FRAME_BYTES_MAX - ETHERNET_BYTES;
    all.checksum.ipv4 = Checksum::Tx;
    all.checksum.tcp = Checksum::Tx;
    all
}

impl<'a> phy::Device for Line<'a> {
    type RxToken<'b>
        = Incoming<'b>
    where
        Self: 'b;
    type TxToken<'b>
        = Outgoing<'b, 'a>
    where
        Self: 'b;

    fn receive(&mut self, _: Instant) -> Option<(Incoming<'_>, Outgoing<'_, 'a>)> {
        let packet = self.packet.take()?;
        Some((Incoming(packet), self.outgoing()))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_, 'a>> {
        self.sender.has_room().then(|| self.outgoing())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        capabilities()
    }
}

impl<'a> Line<'a> {
    fn outgoing(&mut self) -> Outgoing<'_, 'a> {
        Outgoing {
            sender: &mut self.sender,
            macs: self.macs,
        }
    }
}

/// A packet that came.
pub(super) struct Incoming<'a>(&'a [u8]);

impl phy::RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Room for a packet to send.
pub(super) struct Outgoing<'b, 'a> {
    sender: &'b mut Sender<'a>,
    macs: (Mac, Mac),
}

impl phy::TxToken for Outgoing<'_, '_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let Some(mut frame) = self.sender.frame() else {
            // Asked for room first, so never here; if ever, the packet is lost as on any wire.
            return f(&mut [0; FRAME_BYTES_MAX][..length]);
        };
        let room = self.sender.room(&mut frame);
        room[0..6].copy_from_slice(&self.macs.1);
        room[6..12].copy_from_slice(&self.macs.0);
        room[12..14].copy_from_slice(&TYPE_IPV4);
        let result = f(&mut room[ETHERNET_BYTES..ETHERNET_BYTES + length]);
        self.sender.send(frame, ETHERNET_BYTES + length);
        result
    }
}
