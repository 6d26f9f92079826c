//! What a driver says it can do, asked of the kernel by generic netlink (family `netdev`, command
//! `dev-get`). Needs no rights.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use crate::error::Error;

const STEP: &str = "asking what the driver can do";

/// Longest answer.
const ANSWER_BYTES_MAX: usize = 8192;
/// Header of a netlink message, and of generic netlink behind it.
const HEADER_BYTES: usize = 16;
const GENERIC_BYTES: usize = 4;
const PAYLOAD_AT: usize = HEADER_BYTES + GENERIC_BYTES;
/// Header of an attribute: length and kind.
const ATTRIBUTE_BYTES: usize = 4;
/// The kind, without the flags above it.
const ATTRIBUTE_KIND_MASK: u16 = 0x3fff;

const FLAG_REQUEST: u16 = 1;
const TYPE_ERROR: u16 = 2;
const FAMILY_CONTROL: u16 = 16;
const CONTROL_GET_FAMILY: u8 = 3;
const CONTROL_FAMILY_ID: u16 = 1;
const CONTROL_FAMILY_NAME: u16 = 2;
const NETDEV_GET: u8 = 1;
const NETDEV_INTERFACE: u16 = 1;
const NETDEV_XDP: u16 = 3;
const NETDEV_ZERO_COPY_PARTS: u16 = 4;
const NETDEV_RX_METADATA: u16 = 5;
const NETDEV_SOCKET: u16 = 6;

/// What the driver of an interface says it can do. In copy mode and in generic mode the kernel does
/// some of it for any driver: sockets, and parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Native mode.
    pub native: bool,
    /// Native mode, to sockets.
    pub redirect: bool,
    /// Zero-copy.
    pub zero_copy: bool,
    /// Native mode for packets in several buffers.
    pub multi_buffer: bool,
    /// Most parts of a packet in zero-copy mode.
    pub zero_copy_parts: u32,
    /// The time of arrival before each frame. A virtual interface says yes and answers 0.
    pub rx_timestamp: bool,
    /// The hash of the flow before each frame.
    pub rx_hash: bool,
    /// The VLAN tag taken off, before each frame.
    pub rx_vlan: bool,
    /// The time of sending.
    pub tx_timestamp: bool,
    /// Checksums.
    pub tx_checksum: bool,
    /// Sending at a given time.
    pub tx_launch_time: bool,
}

impl Features {
    /// Of the interface with this index, in this thread's network namespace.
    pub fn of(interface: u32) -> Result<Features, Error> {
        let socket = open()?;
        let name = b"netdev\0";
        let request = message(
            FAMILY_CONTROL,
            CONTROL_GET_FAMILY,
            CONTROL_FAMILY_NAME,
            name,
        );
        let answer = ask(&socket, &request)?;
        let family = find(&answer, CONTROL_FAMILY_ID).and_then(|id| id.get(..2)?.try_into().ok());
        let family = u16::from_ne_bytes(family.ok_or_else(odd)?);
        let request = message(
            family,
            NETDEV_GET,
            NETDEV_INTERFACE,
            &interface.to_ne_bytes(),
        );
        Ok(read(&ask(&socket, &request)?))
    }
}

/// The features in the attributes of an answer; absent ones are none.
fn read(attributes: &[u8]) -> Features {
    let number = |kind| {
        let mut bytes = [0; 8];
        let value = find(attributes, kind).unwrap_or_default();
        let length = value.len().min(8);
        // Little-endian, as every machine with such cards is; narrower numbers fill the low end.
        bytes[..length].copy_from_slice(&value[..length]);
        u64::from_le_bytes(bytes)
    };
    let has = |flags: u64, bit: u32| flags >> bit & 1 != 0;
    let (xdp, rx, tx) = (
        number(NETDEV_XDP),
        number(NETDEV_RX_METADATA),
        number(NETDEV_SOCKET),
    );
    Features {
        native: has(xdp, 0),
        redirect: has(xdp, 1),
        zero_copy: has(xdp, 3),
        multi_buffer: has(xdp, 5),
        zero_copy_parts: number(NETDEV_ZERO_COPY_PARTS) as u32,
        rx_timestamp: has(rx, 0),
        rx_hash: has(rx, 1),
        rx_vlan: has(rx, 2),
        tx_timestamp: has(tx, 0),
        tx_checksum: has(tx, 1),
        tx_launch_time: has(tx, 2),
    }
}

fn odd() -> Error {
    Error::new(STEP, io::ErrorKind::InvalidData.into())
}

fn open() -> Result<OwnedFd, Error> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_GENERIC) };
    if fd < 0 {
        return Err(Error::last(STEP));
    }
    // SAFETY: new, and owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A request with one attribute.
fn message(family: u16, command: u8, kind: u16, value: &[u8]) -> Vec<u8> {
    let attribute = ATTRIBUTE_BYTES + value.len();
    let total = PAYLOAD_AT + attribute.next_multiple_of(4);
    let mut bytes = Vec::with_capacity(total);
    bytes.extend((total as u32).to_ne_bytes());
    bytes.extend(family.to_ne_bytes());
    bytes.extend(FLAG_REQUEST.to_ne_bytes());
    bytes.extend([0; 8]); // sequence and sender: one question at a time
    bytes.extend([command, 1, 0, 0]);
    bytes.extend((attribute as u16).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(total, 0);
    bytes
}

/// Sends a request; returns the attributes of the answer.
fn ask(socket: &OwnedFd, request: &[u8]) -> Result<Vec<u8>, Error> {
    let fd = socket.as_raw_fd();
    let at = request.as_ptr().cast();
    // SAFETY: the request is readable for its length; no address, so it goes to the kernel.
    if unsafe { libc::sendto(fd, at, request.len(), 0, ptr::null(), 0) } < 0 {
        return Err(Error::last(STEP));
    }
    let mut answer = vec![0; ANSWER_BYTES_MAX];
    let at = answer.as_mut_ptr().cast();
    // SAFETY: the answer is writable for its length. The kernel has answered by now.
    let length = unsafe { libc::recv(fd, at, answer.len(), libc::MSG_DONTWAIT) };
    if length < 0 {
        return Err(Error::last(STEP));
    }
    answer.truncate(length as usize);
    let field = |at: usize| Some(u16::from_ne_bytes([*answer.get(at)?, *answer.get(at + 1)?]));
    if field(4) == Some(TYPE_ERROR) {
        let errno = answer.get(HEADER_BYTES..HEADER_BYTES + 4);
        let errno = errno
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(odd)?;
        let errno = i32::from_ne_bytes(errno).wrapping_neg();
        return Err(Error::new(STEP, io::Error::from_raw_os_error(errno)));
    }
    let attributes = answer.get(PAYLOAD_AT..).ok_or_else(odd)?;
    Ok(attributes.to_vec())
}

/// The value of the first attribute of this kind.
fn find(mut attributes: &[u8], kind: u16) -> Option<&[u8]> {
    loop {
        let (&[a, b, c, d], _) = attributes.split_first_chunk::<ATTRIBUTE_BYTES>()?;
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = attributes.get(ATTRIBUTE_BYTES..length)?;
        if u16::from_ne_bytes([c, d]) & ATTRIBUTE_KIND_MASK == kind {
            return Some(value);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A card that says all: attributes in another order, one unknown.
    #[test]
    fn a_recorded_answer_is_read_and_every_cut_of_it_survives() {
        let attribute = |kind: u16, value: &[u8]| {
            let mut bytes = message(0, 0, kind, value);
            bytes.drain(..PAYLOAD_AT);
            bytes
        };
        let bytes = [
            attribute(99, b"abc"),
            attribute(NETDEV_SOCKET, &0b101u64.to_ne_bytes()),
            attribute(NETDEV_XDP, &0b10_1011u64.to_ne_bytes()),
            attribute(NETDEV_ZERO_COPY_PARTS, &8u32.to_ne_bytes()),
            attribute(NETDEV_RX_METADATA, &0b011u64.to_ne_bytes()),
        ]
        .concat();
        let expected = Features {
            native: true,
            redirect: true,
            zero_copy: true,
            multi_buffer: true,
            zero_copy_parts: 8,
            rx_timestamp: true,
            rx_hash: true,
            rx_vlan: false,
            tx_timestamp: true,
            tx_checksum: false,
            tx_launch_time: true,
        };
        assert_eq!(read(&bytes), expected);
        for length in 0..bytes.len() {
            let cut = read(&bytes[..length]);
            assert!(!cut.rx_hash, "{length}");
        }
        assert_eq!(read(&[0; 64]), Features::default(), "a length of 0 ends it");
    }
}
