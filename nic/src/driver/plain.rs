//! The engine without io_uring: keeps the operations and tries each when it is polled.

use std::collections::VecDeque;
use std::os::fd::RawFd;

use super::{Done, Op, RESULTS_MAX};
use crate::uring::Effort;

/// Operations not ended yet, in the order they were started, and results not handed out yet.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    pending: Vec<(Op, u64)>,
    ended: VecDeque<Done>,
    effort: Effort,
}

impl Plain {
    pub fn start(&mut self, op: Op, tag: u64) {
        self.effort.started += 1;
        self.pending.push((op, tag));
    }

    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// Tries the sends, which the caller wants on their way; the rest waits for `reap`.
    pub fn flush(&mut self) {
        self.attempt(|op| matches!(op, Op::Send { .. } | Op::SendMessage { .. }));
    }

    /// Tries every operation and hands out results, oldest first.
    pub fn reap(&mut self, done: &mut Vec<Done>) {
        self.effort.turns += 1;
        self.attempt(|_| true);
        let count = self.ended.len().min(RESULTS_MAX);
        done.extend(self.ended.drain(..count));
    }

    /// Tries the operations of a kind once, oldest first; those that would block stay.
    fn attempt(&mut self, wanted: impl Fn(&Op) -> bool) {
        let (ended, effort) = (&mut self.ended, &mut self.effort);
        self.pending.retain_mut(|(op, tag)| {
            if !wanted(op) {
                return true;
            }
            effort.calls += 1;
            match attempt(op) {
                Some(result) => {
                    effort.ended += 1;
                    ended.push_back(Done::last(*tag, result));
                    false
                }
                None => true,
            }
        });
    }
}

/// The result, or `None` when the operation has to wait.
fn attempt(op: &mut Op) -> Option<i32> {
    let waits = !matches!(op, Op::ReceiveMessage { wait: false, .. });
    let result = match *op {
        Op::Accept {
            on,
            address,
            length,
        } => {
            let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
            // SAFETY: `Driver::start` promises that the address and its length are writable.
            outcome(unsafe { libc::accept4(on.fd, address.cast(), length, flags) } as isize)
        }
        Op::Connect {
            on,
            address,
            length,
        } => {
            *op = Op::Connected { on };
            return attempt_connect(on.fd, address, length);
        }
        Op::Connected { on } => return attempt_connected(on.fd),
        Op::Receive { on, bytes, length } => {
            // SAFETY: `Driver::start` promises that `length` bytes are writable.
            outcome(unsafe { libc::recv(on.fd, bytes.cast(), length as usize, libc::MSG_DONTWAIT) })
        }
        Op::Send { on, bytes, length } => {
            let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
            // SAFETY: `Driver::start` promises that `length` bytes are readable.
            outcome(unsafe { libc::send(on.fd, bytes.cast(), length as usize, flags) })
        }
        // Ports start these only where buffers are shared.
        Op::ReceiveMany { .. } | Op::ReceiveShared { .. } | Op::Cancel { .. } => Err(libc::EINVAL),
        Op::ReceiveMessage { on, message, .. } => {
            // SAFETY: `Driver::start` promises a message header whose parts are writable.
            outcome(unsafe { libc::recvmsg(on.fd, message, libc::MSG_DONTWAIT) })
        }
        Op::SendMessage { on, message } => {
            let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
            // SAFETY: `Driver::start` promises a message header whose parts are readable.
            outcome(unsafe { libc::sendmsg(on.fd, message, flags) })
        }
    };
    match result {
        Err(libc::EINTR) => None,
        Err(libc::EAGAIN) if waits => None,
        Err(errno) => Some(-errno),
        Ok(count) => Some(count),
    }
}

/// Starts dialling. It must not be called twice: after a `shutdown` it would dial anew.
fn attempt_connect(
    fd: RawFd,
    address: *const libc::sockaddr_storage,
    length: libc::socklen_t,
) -> Option<i32> {
    // SAFETY: `Driver::start` promises that `length` bytes of address are readable.
    let result = unsafe { libc::connect(fd, address.cast(), length) };
    match outcome(result as isize) {
        Ok(_) => Some(0),
        Err(libc::EINPROGRESS | libc::EINTR) => None,
        Err(errno) => Some(-errno),
    }
}

/// Whether dialling ended, and how.
fn attempt_connected(fd: RawFd) -> Option<i32> {
    let mut wait = libc::pollfd {
        fd,
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: one entry, writable.
    if outcome(unsafe { libc::poll(&mut wait, 1, 0) } as isize).unwrap_or(0) == 0 {
        return None;
    }
    let mut error: libc::c_int = 0;
    let mut length = size_of_val(&error) as libc::socklen_t;
    let to = (&raw mut error).cast();
    // SAFETY: the value is writable for its length.
    let asked = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, to, &mut length) };
    if let Err(errno) = outcome(asked as isize) {
        return Some(-errno);
    }
    if error != 0 {
        return Some(-error);
    }
    // A socket that was shut down while dialling has no error and no peer.
    let mut peer = crate::socket::empty_storage();
    let mut length = size_of_val(&peer) as libc::socklen_t;
    // SAFETY: the address is writable for its length.
    let named = unsafe { libc::getpeername(fd, (&raw mut peer).cast(), &mut length) };
    Some(outcome(named as isize).map_or_else(|errno| -errno, |_| 0))
}

/// A system call's return value as a count or an error number.
fn outcome(result: isize) -> Result<i32, i32> {
    if result >= 0 {
        return Ok(result as i32);
    }
    Err(std::io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EIO))
}
