//! A kernel UDP socket that sends and receives in batches: `sendmmsg` and `recvmmsg`.

use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;

/// Datagrams of one system call.
pub const BATCH: usize = 64;
/// Bytes of a datagram's buffer.
pub const DATAGRAM_BYTES: usize = 64;
/// What the receiving socket may hold before the kernel drops.
const HELD_BYTES: libc::c_int = 8 << 20;

/// Room for one batch.
pub type Buffers = [[u8; DATAGRAM_BYTES]; BATCH];

/// A socket that never blocks.
#[derive(Debug)]
pub struct Batches {
    socket: UdpSocket,
}

impl Batches {
    /// A socket at this address with much room for what comes.
    ///
    /// # Errors
    /// The system refuses.
    pub fn open(at: SocketAddrV4) -> io::Result<Self> {
        let socket = UdpSocket::bind(at)?;
        socket.set_nonblocking(true)?;
        let held_bytes = HELD_BYTES;
        // SAFETY: the pointer and size name a value that outlives the call.
        let refused = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVBUFFORCE,
                (&raw const held_bytes).cast(),
                size_of_val(&held_bytes) as libc::socklen_t,
            )
        };
        if refused != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { socket })
    }

    /// The socket, for its address and for whom it talks to.
    #[must_use]
    pub const fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Sends buffers, at most a batch of them, whole, to the connected address; says how many the
    /// kernel took.
    ///
    /// # Errors
    /// The system refuses, and not for want of room.
    pub fn send(&self, buffers: &mut [[u8; DATAGRAM_BYTES]]) -> io::Result<usize> {
        let call = |headers: &mut [libc::mmsghdr]| {
            // SAFETY: the headers name buffers that live through the call, and `count` of them.
            unsafe {
                libc::sendmmsg(
                    self.socket.as_raw_fd(),
                    headers.as_mut_ptr(),
                    headers.len() as libc::c_uint,
                    libc::MSG_DONTWAIT,
                )
            }
        };
        batch(buffers, call).map(|(sent, _)| sent)
    }

    /// Receives a batch; says how many came and how long each is.
    ///
    /// # Errors
    /// The system refuses.
    pub fn receive(&self, buffers: &mut Buffers) -> io::Result<(usize, [usize; BATCH])> {
        let call = |headers: &mut [libc::mmsghdr]| {
            // SAFETY: the headers name buffers that live through the call; there is no timeout.
            unsafe {
                libc::recvmmsg(
                    self.socket.as_raw_fd(),
                    headers.as_mut_ptr(),
                    headers.len() as libc::c_uint,
                    libc::MSG_DONTWAIT,
                    std::ptr::null_mut(),
                )
            }
        };
        batch(buffers, call)
    }
}

/// Lets `call` work on a batch of buffers; none done for want of room or datagrams is no error.
fn batch(
    buffers: &mut [[u8; DATAGRAM_BYTES]],
    call: impl FnOnce(&mut [libc::mmsghdr]) -> libc::c_int,
) -> io::Result<(usize, [usize; BATCH])> {
    let mut pieces = [const {
        libc::iovec {
            iov_base: std::ptr::null_mut(),
            iov_len: 0,
        }
    }; BATCH];
    // SAFETY: all-zero headers name nothing; what they are to name is filled in below.
    let mut headers: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
    let parts = buffers.iter_mut().zip(&mut pieces).zip(&mut headers);
    let mut count = 0;
    for ((buffer, piece), header) in parts {
        piece.iov_base = buffer.as_mut_ptr().cast();
        piece.iov_len = buffer.len();
        header.msg_hdr.msg_iov = piece;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    let done = call(&mut headers[..count]);
    if done < 0 {
        let error = io::Error::last_os_error();
        return match error.kind() {
            io::ErrorKind::WouldBlock => Ok((0, [0; BATCH])),
            _ => Err(error),
        };
    }
    let lengths = headers.map(|header| header.msg_len as usize);
    Ok((done.unsigned_abs() as usize, lengths))
}
