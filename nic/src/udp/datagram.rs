//! One datagram with everything the kernel wants around it, at a fixed place on the heap.

use std::mem;
use std::net::SocketAddrV4;
use std::ptr::{self, NonNull};

use super::control::{self, CONTROL_WORDS, Times};
use crate::port::DATAGRAM_BYTES_MAX;
use crate::socket;

/// Header, address, vector and bytes; the header points at its neighbours.
#[repr(C)]
struct Parts {
    header: libc::msghdr,
    vector: libc::iovec,
    address: libc::sockaddr_in,
    control: [u64; CONTROL_WORDS],
    bytes: [u8; DATAGRAM_BYTES_MAX],
}

/// Owns its parts through a raw pointer, so that no Rust reference claims them while an operation
/// is under way. Every method but `message` is for times when none is.
pub(crate) struct Datagram {
    parts: NonNull<Parts>,
}

// SAFETY: the parts are owned; nothing about them belongs to a thread.
unsafe impl Send for Datagram {}

impl Datagram {
    pub fn new() -> Datagram {
        let boxed = Box::new(Parts {
            // SAFETY: integers and pointers, for which zero is a value.
            header: unsafe { mem::zeroed() },
            vector: libc::iovec {
                iov_base: ptr::null_mut(),
                iov_len: 0,
            },
            address: socket::sockaddr_in(SocketAddrV4::new(0.into(), 0)),
            control: [0; CONTROL_WORDS],
            bytes: [0; DATAGRAM_BYTES_MAX],
        });
        let parts = NonNull::from(Box::leak(boxed));
        let mut datagram = Datagram { parts };
        datagram.link();
        datagram
    }

    /// Points the header at the address, the vector and the control words, and the vector at the
    /// bytes.
    fn link(&mut self) {
        let at = self.parts.as_ptr();
        // SAFETY: the parts are allocated; a place is computed, nothing is read.
        let vector = unsafe { &raw mut (*at).vector };
        // SAFETY: as above.
        let address = unsafe { &raw mut (*at).address };
        // SAFETY: as above.
        let bytes = unsafe { &raw mut (*at).bytes };
        // SAFETY: as above.
        let control = unsafe { &raw mut (*at).control };
        let parts = self.parts_mut();
        parts.header.msg_control = control.cast();
        parts.header.msg_name = address.cast();
        parts.header.msg_iov = vector;
        parts.header.msg_iovlen = 1;
        parts.vector.iov_base = bytes.cast();
    }

    fn parts_mut(&mut self) -> &mut Parts {
        // SAFETY: allocated, initialised, and no operation is under way.
        unsafe { self.parts.as_mut() }
    }

    /// The header for the kernel.
    pub fn message(&self) -> *mut libc::msghdr {
        // SAFETY: the parts are allocated; a place is computed, nothing is read.
        unsafe { &raw mut (*self.parts.as_ptr()).header }
    }

    /// Makes all of the datagram room for one to arrive, `with_times` also for its times.
    pub fn prepare_receive(&mut self, with_times: bool) -> *mut libc::msghdr {
        let parts = self.parts_mut();
        parts.header.msg_controllen = match with_times {
            true => size_of_val(&parts.control),
            false => 0,
        };
        parts.header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        parts.header.msg_flags = 0;
        parts.vector.iov_len = DATAGRAM_BYTES_MAX;
        self.message()
    }

    /// Fills in destination and payload, which is at most [`DATAGRAM_BYTES_MAX`] long.
    pub fn prepare_send(&mut self, to: SocketAddrV4, payload: &[u8]) {
        let parts = self.parts_mut();
        parts.address = socket::sockaddr_in(to);
        parts.header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        parts.bytes[..payload.len()].copy_from_slice(payload);
        parts.vector.iov_len = payload.len();
    }

    /// When what arrived came, by the kernel and the card.
    pub fn times(&self) -> Times {
        // SAFETY: allocated, initialised, and no operation is under way.
        let parts = unsafe { self.parts.as_ref() };
        let mut bytes = [0; CONTROL_WORDS * 8];
        for (to, word) in bytes.chunks_exact_mut(8).zip(parts.control) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        let length = parts.header.msg_controllen;
        control::times(bytes.get(..length).unwrap_or(&[]))
    }

    /// Sender and payload of what arrived; `None` when it was longer than the room.
    pub fn received(&self, length: usize) -> Option<(SocketAddrV4, &[u8])> {
        // SAFETY: allocated, initialised, and no operation is under way.
        let parts = unsafe { self.parts.as_ref() };
        if parts.header.msg_flags & libc::MSG_TRUNC != 0 {
            return None;
        }
        Some((
            socket::sockaddr_in_read(&parts.address),
            parts.bytes.get(..length)?,
        ))
    }
}

impl Drop for Datagram {
    fn drop(&mut self) {
        // SAFETY: the parts came from a box and are freed once.
        drop(unsafe { Box::from_raw(self.parts.as_ptr()) });
    }
}
