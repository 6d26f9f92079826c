//! Ethernet, IPv4 and UDP headers of a datagram that fits one frame: written and read. The first
//! two are read for TCP too.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::port::DATAGRAM_BYTES_MAX;

/// A hardware address.
pub(crate) type Mac = [u8; 6];

pub(crate) const ETHERNET_BYTES: usize = 14;
pub(crate) const IPV4_BYTES: usize = 20;
const UDP_BYTES: usize = 8;
/// All headers of a frame.
pub(crate) const HEADER_BYTES: usize = ETHERNET_BYTES + IPV4_BYTES + UDP_BYTES;
/// Longest frame written, without the card's check sequence.
pub(crate) const FRAME_BYTES_MAX: usize = HEADER_BYTES + DATAGRAM_BYTES_MAX;

pub(crate) const TYPE_IPV4: [u8; 2] = [0x08, 0x00];
const PROTOCOL_UDP: u8 = 17;
const TTL_UNICAST: u8 = 64;
/// Multicast stays in the segment, as a socket's does.
const TTL_MULTICAST: u8 = 1;

const _: () = assert!(FRAME_BYTES_MAX == 1514 && FRAME_BYTES_MAX <= af_xdp::FRAME_BYTES_MAX);

/// A datagram as it lay in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Datagram<'a> {
    pub source_mac: Mac,
    pub from: SocketAddrV4,
    pub to: SocketAddrV4,
    pub payload: &'a [u8],
}

/// The hardware address that a multicast group is sent to (RFC 1112: its low 23 bits).
pub(crate) fn multicast_mac(group: Ipv4Addr) -> Mac {
    let [_, b, c, d] = group.octets();
    [0x01, 0x00, 0x5e, b & 0x7f, c, d]
}

/// Writes a whole frame into `room` and returns its length. The payload is at most
/// [`DATAGRAM_BYTES_MAX`] long and `room` at least [`FRAME_BYTES_MAX`].
pub(crate) fn write(
    room: &mut [u8],
    macs: (Mac, Mac),
    from: SocketAddrV4,
    to: SocketAddrV4,
    payload: &[u8],
) -> usize {
    let (source_mac, destination_mac) = macs;
    let udp_bytes = UDP_BYTES + payload.len();
    let length = HEADER_BYTES + payload.len();
    let (header, rest) = room.split_at_mut(HEADER_BYTES);
    header[0..6].copy_from_slice(&destination_mac);
    header[6..12].copy_from_slice(&source_mac);
    header[12..14].copy_from_slice(&TYPE_IPV4);
    let ip = &mut header[ETHERNET_BYTES..ETHERNET_BYTES + IPV4_BYTES];
    ip.fill(0);
    ip[0] = 0x45;
    ip[2..4].copy_from_slice(&((IPV4_BYTES + udp_bytes) as u16).to_be_bytes());
    ip[6] = 0x40; // do not fragment; the identification may then stay 0 (RFC 6864)
    ip[8] = if to.ip().is_multicast() {
        TTL_MULTICAST
    } else {
        TTL_UNICAST
    };
    ip[9] = PROTOCOL_UDP;
    ip[12..16].copy_from_slice(&from.ip().octets());
    ip[16..20].copy_from_slice(&to.ip().octets());
    let sum = !fold(sum_words(ip));
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let udp = &mut header[ETHERNET_BYTES + IPV4_BYTES..];
    udp[0..2].copy_from_slice(&from.port().to_be_bytes());
    udp[2..4].copy_from_slice(&to.port().to_be_bytes());
    udp[4..6].copy_from_slice(&(udp_bytes as u16).to_be_bytes());
    udp[6..8].fill(0);
    let pseudo = pseudo_sum(PROTOCOL_UDP, *from.ip(), *to.ip(), udp_bytes);
    let whole = pseudo + sum_words(udp) + sum_words(payload);
    let sum = match !fold(whole) {
        0 => 0xffff, // 0 would mean "no checksum" (RFC 768)
        sum => sum,
    };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    rest[..payload.len()].copy_from_slice(payload);
    length
}

/// An IPv4 packet as it lay in a frame, without options and not a fragment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    pub source_mac: Mac,
    pub from: Ipv4Addr,
    pub to: Ipv4Addr,
    protocol: u8,
    /// What is behind the IPv4 header, without the padding of short frames.
    pub segment: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The packet in `frame`, or `None` when it is not a whole one of this protocol, or the
    /// checksum of its header is wrong.
    pub fn read(frame: &'a [u8], protocol: u8) -> Option<Packet<'a>> {
        let (header, rest) = frame.split_first_chunk::<{ ETHERNET_BYTES + IPV4_BYTES }>()?;
        if header[12..14] != TYPE_IPV4 {
            return None;
        }
        let ip = &header[ETHERNET_BYTES..];
        let fragment = u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff;
        if ip[0] != 0x45 || fragment != 0 || ip[9] != protocol || fold(sum_words(ip)) != 0xffff {
            return None;
        }
        let ip_bytes = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let address = |at: usize| Ipv4Addr::new(ip[at], ip[at + 1], ip[at + 2], ip[at + 3]);
        let mut source_mac = [0; 6];
        source_mac.copy_from_slice(&header[6..12]);
        Some(Packet {
            source_mac,
            from: address(12),
            to: address(16),
            protocol,
            segment: rest.get(..ip_bytes.checked_sub(IPV4_BYTES)?)?,
        })
    }

    /// Whether the checksum over the segment, which states it, is right, or the sum over the
    /// pseudo-header alone: that is what a kernel sender leaves for the card to finish, and a
    /// virtual cable has no card.
    pub fn is_sound(&self, stated: u16) -> bool {
        let pseudo = pseudo_sum(self.protocol, self.from, self.to, self.segment.len());
        stated == fold(pseudo) || fold(pseudo + sum_words(self.segment)) == 0xffff
    }
}

/// The datagram in `frame`, or `None` when it is not a whole, unfragmented IPv4 UDP datagram with
/// sound checksums. Bytes behind it (the padding of short frames) are ignored.
pub(crate) fn read(frame: &[u8]) -> Option<Datagram<'_>> {
    let packet = Packet::read(frame, PROTOCOL_UDP)?;
    let (udp, payload) = packet.segment.split_first_chunk::<UDP_BYTES>()?;
    let half = |at: usize| u16::from_be_bytes([udp[at], udp[at + 1]]);
    let stated = half(6);
    // 0 says that there is no checksum.
    let is_sound = stated == 0 || packet.is_sound(stated);
    if usize::from(half(4)) != packet.segment.len() || !is_sound {
        return None;
    }
    Some(Datagram {
        source_mac: packet.source_mac,
        from: SocketAddrV4::new(packet.from, half(0)),
        to: SocketAddrV4::new(packet.to, half(2)),
        payload,
    })
}

fn pseudo_sum(protocol: u8, from: Ipv4Addr, to: Ipv4Addr, segment_bytes: usize) -> u64 {
    let addresses = sum_words(&from.octets()) + sum_words(&to.octets());
    addresses + u64::from(protocol) + segment_bytes as u64
}

/// Sum of the big-endian 16-bit words, the last byte padded with zero, folded to one word (RFC
/// 1071): four bytes at a time, as little-endian numbers, for the order of bytes may be put right
/// at the end.
pub(crate) fn sum_words(bytes: &[u8]) -> u64 {
    let (quads, rest) = bytes.as_chunks::<4>();
    let sum: u64 = quads
        .iter()
        .map(|&quad| u64::from(u32::from_le_bytes(quad)))
        .sum();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    let sum = sum + u64::from(u32::from_le_bytes(last));
    fold(sum).swap_bytes().into()
}

pub(crate) fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEFT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 1), 40_000);
    const RIGHT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 2), 9);
    const MACS: (Mac, Mac) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut room = vec![0xee; FRAME_BYTES_MAX];
        let length = write(&mut room, MACS, LEFT, RIGHT, payload);
        room.truncate(length);
        room
    }

    #[test]
    fn bytes_are_those_of_the_standards() {
        // Worked by hand after RFC 791, 768 and 1071: from 192.168.0.1 to
        // 192.168.0.199, 28 bytes with "hi" as payload.
        let from = SocketAddrV4::new(Ipv4Addr::new(192, 168, 0, 1), 0x1234);
        let to = SocketAddrV4::new(Ipv4Addr::new(192, 168, 0, 199), 0x0035);
        let mut room = [0; FRAME_BYTES_MAX];
        let length = write(&mut room, MACS, from, to, b"hi");
        #[rustfmt::skip]
        let expected = [
            2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
            0x45, 0, 0, 30, 0, 0, 0x40, 0, 64, 17, 0xb8, 0xb6, 192, 168, 0, 1, 192, 168, 0, 199,
            0x12, 0x34, 0, 0x35, 0, 10, 0x02, 0xef, b'h', b'i',
        ];
        assert_eq!(room[..length], expected);
    }

    #[test]
    fn a_sum_is_that_of_the_words_one_by_one() {
        let bytes: Vec<u8> = (0..1_500u32).map(|n| (n * n % 251) as u8).collect();
        for length in (0..200).chain([1_499, 1_500]) {
            let padded = [&bytes[..length], &[0][..length % 2]].concat();
            let words = padded.chunks(2);
            let sum = words.map(|pair| u64::from(pair[0]) << 8 | u64::from(pair[1]));
            assert_eq!(
                fold(sum_words(&bytes[..length])),
                fold(sum.sum()),
                "{length}"
            );
        }
        assert_eq!(fold(sum_words(&[0xff; 1_500])), 0xffff);
    }

    #[test]
    fn groups_map_to_their_hardware_addresses() {
        for (group, mac) in [
            ([239, 193, 7, 7], [1, 0, 0x5e, 0x41, 7, 7]),
            ([224, 0, 0, 1], [1, 0, 0x5e, 0, 0, 1]),
            ([239, 255, 255, 255], [1, 0, 0x5e, 0x7f, 255, 255]),
        ] {
            assert_eq!(multicast_mac(Ipv4Addr::from(group)), mac);
        }
    }

    #[test]
    fn checksum_absent_or_left_to_the_card_is_accepted_and_a_wrong_one_is_not() {
        let good = frame(b"payload");
        let udp_bytes = UDP_BYTES + 7;
        let pseudo = fold(pseudo_sum(PROTOCOL_UDP, *LEFT.ip(), *RIGHT.ip(), udp_bytes));
        let pseudo = pseudo.to_be_bytes();
        let with = |sum: [u8; 2]| {
            let mut frame = good.clone();
            frame[40..42].copy_from_slice(&sum);
            read(&frame).is_some()
        };
        assert!(with([0, 0]) && with(pseudo));
        let stated = u16::from_be_bytes([good[40], good[41]]);
        for wrong in [stated ^ 1, stated.wrapping_add(1), !stated] {
            assert!(!with(wrong.to_be_bytes()), "{wrong:#x}");
        }
    }

    #[test]
    fn every_cut_and_every_foreign_frame_is_refused() {
        let good = frame(b"payload");
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_none(), "{length} bytes");
        }
        // Type, version and options, fragment, protocol, lengths.
        for (at, value) in [
            (12, 0x86),
            (14, 0x46),
            (14, 0x65),
            (20, 0x20),
            (21, 1),
            (23, 6),
        ] {
            let mut bad = good.clone();
            bad[at] = value;
            let ip = &mut bad[14..34];
            ip[10..12].fill(0);
            let sum = !fold(sum_words(ip));
            ip[10..12].copy_from_slice(&sum.to_be_bytes());
            assert!(read(&bad).is_none(), "byte {at}");
        }
        for udp_bytes in [0u16, 7, 16, u16::MAX] {
            let mut bad = good.clone();
            bad[38..40].copy_from_slice(&udp_bytes.to_be_bytes());
            bad[40..42].fill(0);
            assert!(read(&bad).is_none(), "udp length {udp_bytes}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 128, failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn what_is_written_is_read_back_despite_padding(
            payload in proptest::collection::vec(any::<u8>(), 0..=DATAGRAM_BYTES_MAX),
            padding in 0usize..40,
        ) {
            let mut bytes = frame(&payload);
            bytes.resize(bytes.len() + padding, 0xaa);
            let read = read(&bytes).unwrap();
            let expected =
                Datagram { source_mac: MACS.0, from: LEFT, to: RIGHT, payload: &payload };
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn one_flipped_bit_never_changes_what_is_read(
            payload in proptest::collection::vec(any::<u8>(), 1..100),
            bit in any::<proptest::sample::Index>(),
        ) {
            let good = frame(&payload);
            // One sum in 65,536 happens to be that of the pseudo-header alone, which says that the
            // card shall finish it: such a frame is read unchecked.
            let udp_bytes = UDP_BYTES + payload.len();
            let pseudo = fold(pseudo_sum(PROTOCOL_UDP, *LEFT.ip(), *RIGHT.ip(), udp_bytes));
            prop_assume!(good[40..42] != pseudo.to_be_bytes());
            let bit = bit.index(good.len() * 8);
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            if let Some(got) = read(&bad) {
                // Hardware addresses have no checksum of ours, and the UDP one may turn into
                // "absent".
                prop_assert!(bit / 8 < 12 || (40..42).contains(&(bit / 8)));
                prop_assert_eq!(got.payload, &payload[..]);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
