//! A port's ring refuses whatever its port does not need.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use io_uring::register::Restriction;
use io_uring::types::{Fixed, OpenHow};

use super::*;
use crate::driver::Purpose;

const PURPOSES: [Purpose; 3] = [Purpose::Listen, Purpose::Dial, Purpose::Datagrams];

/// A ring with one socket at place 0.
fn ring(purpose: Purpose, socket: &UdpSocket) -> Ring {
    let wants = Wants {
        purpose,
        operations_max: 8,
        sockets_max: 1,
        receive_bytes: 64,
    };
    let mut ring = Ring::open(&wants, &UringOptions::default()).unwrap();
    let on = Socket {
        fd: socket.as_raw_fd(),
        place: 0,
    };
    ring.adopt(on).unwrap();
    ring
}

/// What the kernel answers to one entry, which must end at once.
fn answer(ring: &mut Ring, entry: &squeue::Entry) -> i32 {
    // SAFETY: the callers' entries point at what outlives this call, or at nothing.
    unsafe { ring.uring.submission().push(entry) }.unwrap();
    ring.in_flight += 1;
    let mut done = Vec::new();
    ring.reap(&mut done);
    let [done] = done[..] else {
        panic!("{} results", done.len())
    };
    done.result
}

#[test]
fn other_operations_are_refused() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let path = c"/dev/null";
    let how = OpenHow::new();
    let mut byte = 0u8;
    let at = &raw mut byte;
    for purpose in PURPOSES {
        let mut ring = ring(purpose, &socket);
        let fixed = squeue::Flags::FIXED_FILE;
        let refused = [
            opcode::Nop::new().build(),
            opcode::OpenAt2::new(Fd(libc::AT_FDCWD), path.as_ptr(), &raw const how).build(),
            opcode::Read::new(Fixed(0), at, 1).build(),
            opcode::Write::new(Fixed(0), at, 1).build(),
            opcode::Socket::new(libc::AF_INET, libc::SOCK_STREAM, 0).build(),
            opcode::Close::new(Fd(socket.as_raw_fd())).build(),
            opcode::Shutdown::new(Fixed(0), libc::SHUT_RDWR).build(),
        ];
        for entry in refused {
            let entry = entry.flags(fixed);
            assert_eq!(answer(&mut ring, &entry), -libc::EACCES, "{entry:?}");
        }
    }
}

#[test]
fn files_outside_the_table_are_refused() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut byte = 0u8;
    let (fd, at) = (Fd(socket.as_raw_fd()), &raw mut byte);
    let mut ring = ring(Purpose::Listen, &socket);
    let named = opcode::Recv::new(fd, at, 1).flags(libc::MSG_DONTWAIT);
    assert_eq!(answer(&mut ring, &named.build()), -libc::EACCES);
    let placed = opcode::Recv::new(Fixed(0), at, 1).flags(libc::MSG_DONTWAIT);
    assert_eq!(answer(&mut ring, &placed.build()), -libc::EAGAIN);
    let beyond = opcode::Recv::new(Fixed(1), at, 1).build();
    assert_eq!(answer(&mut ring, &beyond), -libc::EBADF);
}

#[test]
fn only_who_listens_accepts() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let none = std::ptr::null_mut();
    for (purpose, refusal) in [
        (Purpose::Listen, libc::EOPNOTSUPP),
        (Purpose::Dial, libc::EACCES),
        (Purpose::Datagrams, libc::EACCES),
    ] {
        let mut ring = ring(purpose, &socket);
        let accept = opcode::Accept::new(Fixed(0), none, none.cast()).build();
        assert_eq!(answer(&mut ring, &accept), -refusal, "{purpose:?}");
    }
}

#[test]
fn a_restricted_ring_is_not_freed_of_its_rules() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut ring = ring(Purpose::Dial, &socket);
    assert_eq!(
        answer(&mut ring, &opcode::Nop::new().build()),
        -libc::EACCES
    );
    let mut rules = [Restriction::sqe_op(opcode::Nop::CODE)];
    let submitter = ring.uring.submitter();
    assert!(submitter.register_restrictions(&mut rules).is_err());
    assert!(submitter.unregister_files().is_err());
    assert!(
        submitter
            .register_probe(&mut io_uring::Probe::new())
            .is_err()
    );
}
