//! A member that logs in, asks for all of the day's replies and never reads one.
//!
//! Its socket takes little: a small receive buffer, and short segments, from which the other side's
//! kernel derives how much it buffers. So a hundred kilobytes of replies are more than enough.

use super::{Member, Venue};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};

/// Orders entered by [`fill_store`]: 69 bytes of replies each.
const ORDERS: usize = 2_000;

/// Orders under way at a time, so that replies never pile up in the venue.
const WINDOW: usize = 16;

/// Gives ALPHA's session more replies than the sockets of a deaf member take; says how many.
pub fn fill_store(venue: &Venue) -> usize {
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    for order in 1..=ORDERS {
        alpha.enter(b'B', 1, "MSFT", 10_000);
        if order % WINDOW == 0 || order == ORDERS {
            alpha.until("the answers", |member| member.replies.len() == 1 + order);
        }
    }
    1 + ORDERS
}

/// The member's connection.
pub struct Deaf {
    _stream: TcpStream,
}

impl Deaf {
    /// Logs ALPHA in.
    pub fn login(to: SocketAddr) -> Self {
        let mut stream = small_socket(to);
        let mut packet = vec![0, 47, b'L'];
        packet.extend_from_slice(b"ALPHA alpha               ");
        packet.extend_from_slice(b"                   1");
        stream.write_all(&packet).unwrap();
        Self { _stream: stream }
    }
}

/// Connects a socket whose buffers are small from the beginning.
fn small_socket(to: SocketAddr) -> TcpStream {
    let SocketAddr::V4(to) = to else {
        panic!("IPv4 is used: {to}")
    };
    // SAFETY: `socket` takes no memory of ours.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) };
    assert!(fd >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the descriptor is new and owned by nobody else.
    let stream = unsafe { TcpStream::from_raw_fd(fd) };
    option(&stream, libc::SOL_SOCKET, libc::SO_RCVBUF, 2_048);
    option(&stream, libc::IPPROTO_TCP, libc::TCP_MAXSEG, 536);
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes(to.ip().octets()),
        },
        sin_zero: [0; 8],
    };
    let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: `address` is a whole socket address of `length` bytes and outlives the call.
    let failed = unsafe { libc::connect(fd, (&raw const address).cast(), length) };
    assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
    stream
}

fn option(stream: &TcpStream, level: i32, name: i32, value: i32) {
    let length = size_of::<i32>() as libc::socklen_t;
    let pointer = (&raw const value).cast();
    // SAFETY: `value` is an integer of `length` bytes and outlives the call.
    let failed = unsafe { libc::setsockopt(stream.as_raw_fd(), level, name, pointer, length) };
    assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
}
