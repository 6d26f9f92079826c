//! A TCP segment as it lay in a frame: everything that decides whose it is, checked once.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::frame::{IPV4_BYTES, Mac, Packet};

const TCP_BYTES: usize = 20;
const PROTOCOL_TCP: u8 = 6;

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// What a frame says, without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub peer: SocketAddrV4,
    /// Where answers go: the peer, or the router it is behind.
    pub peer_mac: Mac,
    /// Bytes of the IP packet, which starts behind the Ethernet header.
    pub ip_bytes: usize,
    pub sequence: u32,
    acknowledged: u32,
    flags: u8,
}

impl Segment {
    /// Whether it asks for a new connection.
    pub fn opens(&self) -> bool {
        self.flags & (SYN | ACK | RST) == SYN
    }

    /// Whether it ends the connection at once.
    pub fn resets(&self) -> bool {
        self.flags & RST != 0
    }

    /// Up to where the peer has what was sent, if it says so.
    pub fn acknowledged(&self) -> Option<u32> {
        (self.flags & (ACK | RST) == ACK).then_some(self.acknowledged)
    }
}

/// An IP packet from `peer` that brings nothing, from before `sequence`: whoever holds the
/// connection answers with where it stands. Its checksums are not computed.
pub(super) fn question(
    (peer, local): (SocketAddrV4, SocketAddrV4),
    sequence: u32,
    acknowledged: u32,
) -> [u8; IPV4_BYTES + TCP_BYTES] {
    let mut packet = [0; IPV4_BYTES + TCP_BYTES];
    let (ip, tcp) = packet.split_at_mut(IPV4_BYTES);
    ip[0] = 0x45;
    ip[2..4].copy_from_slice(&((IPV4_BYTES + TCP_BYTES) as u16).to_be_bytes());
    (ip[8], ip[9]) = (64, PROTOCOL_TCP);
    ip[12..16].copy_from_slice(&peer.ip().octets());
    ip[16..20].copy_from_slice(&local.ip().octets());
    tcp[0..2].copy_from_slice(&peer.port().to_be_bytes());
    tcp[2..4].copy_from_slice(&local.port().to_be_bytes());
    tcp[4..8].copy_from_slice(&sequence.wrapping_sub(1).to_be_bytes());
    tcp[8..12].copy_from_slice(&acknowledged.to_be_bytes());
    (tcp[12], tcp[13]) = (0x50, ACK);
    packet
}

/// The segment in `frame`, or `None` when it is not a whole, unfragmented one from a possible peer
/// to `local` and `mac`, with sound checksums.
pub(super) fn read(frame: &[u8], mac: Mac, local: SocketAddrV4) -> Option<Segment> {
    if !frame.starts_with(&mac) {
        return None;
    }
    let packet = Packet::read(frame, PROTOCOL_TCP)?;
    let tcp = packet.segment.first_chunk::<TCP_BYTES>()?;
    let half = |at: usize| u16::from_be_bytes([tcp[at], tcp[at + 1]]);
    let word = |at: usize| u32::from(half(at)) << 16 | u32::from(half(at + 2));
    let (from, to) = (packet.from, packet.to);
    let to_us = to == *local.ip() && half(2) == local.port();
    let has_peer = packet.source_mac[0] & 1 == 0 && may_be_peer(from, to) && half(0) != 0;
    if !to_us || !has_peer || !packet.is_sound(half(16)) {
        return None;
    }
    Some(Segment {
        peer: SocketAddrV4::new(from, half(0)),
        peer_mac: packet.source_mac,
        ip_bytes: IPV4_BYTES + packet.segment.len(),
        sequence: word(4),
        acknowledged: word(8),
        flags: tcp[13],
    })
}

/// Whether answers may be sent there at all.
fn may_be_peer(from: Ipv4Addr, us: Ipv4Addr) -> bool {
    let nobody = from.is_unspecified() || from.is_broadcast() || from.is_multicast();
    !nobody && !from.is_loopback() && from != us
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{fold, sum_words};

    const MAC: Mac = [2, 0, 0, 0, 0, 2];
    const LOCAL: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 168, 0, 199), 80);

    /// A SYN worked by hand after RFC 791, 9293 and 1071.
    fn syn() -> Vec<u8> {
        #[rustfmt::skip]
        let mut frame = vec![
            2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
            0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0xb8, 0xb7, 192, 168, 0, 1, 192, 168, 0, 199,
            0x12, 0x34, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0x20, 0, 0xfb, 0x44, 0, 0,
        ];
        frame.extend([0xaa; 6]); // the padding of short frames
        frame
    }

    #[test]
    fn a_syn_is_read_and_its_padding_left_out() {
        let segment = read(&syn(), MAC, LOCAL).unwrap();
        let peer = SocketAddrV4::new(Ipv4Addr::new(192, 168, 0, 1), 0x1234);
        assert_eq!((segment.peer, segment.ip_bytes), (peer, 40));
        assert_eq!(segment.peer_mac, [2, 0, 0, 0, 0, 1]);
        assert!(segment.opens());
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let good = syn();
        for length in 0..54 {
            assert_eq!(read(&good[..length], MAC, LOCAL), None, "{length} bytes");
        }
        for bit in 0..54 * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let is_sender_mac = (6..12).contains(&(bit / 8)) && bit != 6 * 8;
            assert_eq!(read(&bad, MAC, LOCAL).is_some(), is_sender_mac, "bit {bit}");
        }
    }

    #[test]
    fn a_sum_left_to_the_card_is_accepted() {
        let mut frame = syn();
        let addresses = sum_words(&frame[26..34]);
        frame[50..52].copy_from_slice(&fold(addresses + 6 + 20).to_be_bytes());
        assert!(read(&frame, MAC, LOCAL).is_some());
    }
}
