//! Starting socket operations and learning how they ended: one face, two engines.
//!
//! A port starts operations (`accept`, `recv`, ...) under tags and later gets `(tag, result)`
//! pairs, results as the system gives them: a count or descriptor, or a negated error number. The
//! io_uring engine hands them to the kernel; the plain one tries each in turn whenever it is
//! polled. So a port's logic is written once and behaves alike where io_uring is forbidden.

mod buffer;
mod plain;
mod ring;

use std::os::fd::RawFd;
use std::sync::Once;

pub(crate) use buffer::Buffer;
use plain::Plain;
use ring::Ring;

/// Most results one `reap` hands out: what bounds a port's batch.
pub(crate) const RESULTS_MAX: usize = 64;

/// One socket operation. The pointers are the caller's promise, see [`Driver::start`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Accept {
        fd: RawFd,
        address: *mut libc::sockaddr_storage,
        length: *mut libc::socklen_t,
    },
    Connect {
        fd: RawFd,
        address: *const libc::sockaddr_storage,
        length: libc::socklen_t,
    },
    /// The rest of a `Connect` under the plain engine; ports do not start it.
    Connected { fd: RawFd },
    Receive {
        fd: RawFd,
        bytes: *mut u8,
        length: u32,
    },
    Send {
        fd: RawFd,
        bytes: *const u8,
        length: u32,
    },
    /// `wait`: stays until a datagram comes; else ends at once with EAGAIN.
    ReceiveMessage {
        fd: RawFd,
        message: *mut libc::msghdr,
        wait: bool,
    },
    SendMessage {
        fd: RawFd,
        message: *const libc::msghdr,
    },
}

// SAFETY: an Op is a description; who may touch what it points at is settled by `Driver::start`,
// and does not depend on the thread.
unsafe impl Send for Op {}

/// How the operation started under `tag` ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    pub tag: u64,
    pub result: i32,
}

/// The engine in use.
pub(crate) enum Driver {
    Uring(Box<Ring>),
    Plain(Plain),
}

impl Driver {
    /// io_uring for up to `operations_max` operations at a time, or plain sockets (said once).
    pub fn open(operations_max: u32) -> Driver {
        static SAID: Once = Once::new();
        match Ring::open(operations_max) {
            Ok(ring) => Driver::Uring(Box::new(ring)),
            Err(error) => {
                SAID.call_once(|| {
                    eprintln!("nic: io_uring refused ({error}); using plain sockets instead");
                });
                Driver::plain()
            }
        }
    }

    pub fn plain() -> Driver {
        Driver::Plain(Plain::default())
    }

    /// Whether sockets must be opened non-blocking for this engine.
    pub fn nonblocking(&self) -> bool {
        matches!(self, Driver::Plain(_))
    }

    pub fn mode(&self) -> &'static str {
        match self {
            Driver::Uring(_) => "io_uring",
            Driver::Plain(_) => "sockets",
        }
    }

    /// Queues an operation.
    ///
    /// # Safety
    /// What `op` points at stays allocated, and unread or unwritten as the operation needs, until
    /// `reap` gave its result or [`Driver::shut_down`] returned true.
    pub unsafe fn start(&mut self, op: Op, tag: u64) {
        match self {
            // SAFETY: the caller's promise is passed on.
            Driver::Uring(ring) => unsafe { ring.start(op, tag) },
            Driver::Plain(plain) => plain.start(op, tag),
        }
    }

    /// Hands queued operations to the system; sends at least.
    pub fn flush(&mut self) {
        match self {
            Driver::Uring(ring) => ring.enter_if_needed(),
            Driver::Plain(plain) => plain.flush(),
        }
    }

    /// Flushes, then appends at most [`RESULTS_MAX`] results to `done`.
    pub fn reap(&mut self, done: &mut Vec<Done>) {
        match self {
            Driver::Uring(ring) => ring.reap(done),
            Driver::Plain(plain) => plain.reap(done),
        }
    }

    /// Cancels everything. False: the system may still write to the memory of some operation
    /// (the ring was used on another thread, or would not let go), so it must be leaked.
    pub fn shut_down(&mut self) -> bool {
        match self {
            Driver::Uring(ring) => ring.shut_down(),
            Driver::Plain(_) => true,
        }
    }
}
