//! Whole frames on a cable's end: made up ones, and those of others passed on.

#![allow(dead_code)] // each test program uses its part
#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nic::netns::VethEnd;

/// A socket for whole frames on one interface.
pub struct Packet {
    fd: OwnedFd,
}

impl Packet {
    /// Sends, and hears everything that comes if `hears`.
    pub fn open(interface: &str, hears: bool) -> Packet {
        let protocol = if hears {
            (libc::ETH_P_ALL as u16).to_be()
        } else {
            0
        };
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: takes no pointers.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        assert!(fd >= 0, "{}", std::io::Error::last_os_error());
        // SAFETY: the descriptor is new and owned by nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: integers, for which zero is a value.
        let mut at: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        at.sll_family = libc::AF_PACKET as u16;
        at.sll_protocol = protocol;
        at.sll_ifindex = af_xdp::interface_index(interface).unwrap() as i32;
        let length = size_of::<libc::sockaddr_ll>() as u32;
        // SAFETY: the address is readable for its length.
        let bound = unsafe { libc::bind(fd.as_raw_fd(), (&raw const at).cast(), length) };
        assert_eq!(bound, 0, "{}", std::io::Error::last_os_error());
        if hears {
            // What is sent by others on this interface is not heard.
            let one: libc::c_int = 1;
            let (value, bytes) = ((&raw const one).cast(), size_of::<libc::c_int>() as u32);
            let name = libc::PACKET_IGNORE_OUTGOING;
            // SAFETY: the value is readable for its length.
            let set =
                unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_PACKET, name, value, bytes) };
            assert_eq!(set, 0);
        }
        Packet { fd }
    }

    /// Says whether the kernel took it.
    pub fn send(&self, frame: &[u8]) -> bool {
        // SAFETY: the frame is readable for its length.
        let sent =
            unsafe { libc::send(self.fd.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        sent == frame.len() as isize
    }

    /// The next frame, if there is one; longer ones than the buffer are cut.
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        // SAFETY: the buffer is writable for its length.
        let got = unsafe {
            libc::recv(
                self.fd.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                0,
            )
        };
        usize::try_from(got).ok().map(|bytes| &buffer[..bytes])
    }
}

/// The ones' complement sum of big-endian words (RFC 1071), not inverted.
pub fn sum(parts: &[&[u8]]) -> u16 {
    let mut total = 0u32;
    for part in parts {
        for pair in part.chunks(2) {
            total += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
            total = (total & 0xffff) + (total >> 16);
        }
    }
    total as u16
}

pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

/// A segment without payload from `from`, which need not exist, over the cable from `left`.
pub fn segment(
    (left, right): (&VethEnd, &VethEnd),
    (from, to): (SocketAddrV4, u16),
    flags: u8,
    (sequence, acknowledged): (u32, u32),
) -> Vec<u8> {
    let mut bytes = [&right.mac[..], &left.mac, &[8, 0, 0x45, 0, 0, 40]].concat();
    bytes.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    bytes.extend(from.ip().octets());
    bytes.extend(right.address.octets());
    let header = !sum(&[&bytes[14..34]]);
    bytes[24..26].copy_from_slice(&header.to_be_bytes());
    bytes.extend(from.port().to_be_bytes());
    bytes.extend(to.to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(acknowledged.to_be_bytes());
    bytes.extend([0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    let stated = !sum(&[&bytes[26..34], &[0, 6, 0, 20], &bytes[34..]]);
    bytes[50..52].copy_from_slice(&stated.to_be_bytes());
    bytes
}

/// A peer of the cable's network that does not exist.
pub fn stranger(number: u32) -> SocketAddrV4 {
    let host = 3 + number % 200;
    let port = 1024 + (number / 200) as u16;
    SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, host as u8), port)
}
