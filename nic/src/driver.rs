//! Starting socket operations and learning how they ended: one face, two engines.
//!
//! A port starts operations (`accept`, `recv`, ...) under tags and later gets `(tag, result)`
//! pairs, results as the system gives them: a count or descriptor, or a negated error number. The
//! io_uring engine hands them to the kernel; the plain one tries each in turn whenever it is
//! polled. So a port's logic is written once and behaves alike where io_uring is forbidden.

mod buffer;
mod plain;
mod pool;
mod ring;
mod rules;

use std::io;
use std::os::fd::RawFd;
use std::sync::Once;

pub(crate) use buffer::Buffer;
use plain::Plain;
use ring::Ring;

use crate::uring::{Effort, UringOptions, UringState};

/// Most results one `reap` hands out: what bounds a port's batch.
pub(crate) const RESULTS_MAX: usize = 64;

/// A socket of a port: its descriptor, and its place in the table of files that a ring is allowed
/// to touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    pub fd: RawFd,
    pub place: u32,
}

/// What kinds of operations a port starts; its ring refuses all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Accept, connect, receive, send.
    Listen,
    /// The same without accept.
    Dial,
    /// Datagrams.
    Datagrams,
}

/// What a port asks of its engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wants {
    pub purpose: Purpose,
    /// Operations under way at a time.
    pub operations_max: u32,
    /// Sockets at a time: places are below this.
    pub sockets_max: u32,
    /// Bytes of a receive buffer shared by all sockets; 0: each operation brings its own.
    pub receive_bytes: u32,
}

/// One socket operation. The pointers are the caller's promise, see [`Driver::start`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Accept {
        on: Socket,
        address: *mut libc::sockaddr_storage,
        length: *mut libc::socklen_t,
    },
    Connect {
        on: Socket,
        address: *const libc::sockaddr_storage,
        length: libc::socklen_t,
    },
    /// The rest of a `Connect` under the plain engine; ports do not start it.
    Connected { on: Socket },
    Receive {
        on: Socket,
        bytes: *mut u8,
        length: u32,
    },
    /// Receives into shared buffers until it is cancelled, fails or finds none free (ENOBUFS).
    ReceiveMany { on: Socket },
    /// Receives once, into a shared buffer.
    ReceiveShared { on: Socket },
    /// Ends the operation started under `tag`.
    Cancel { tag: u64 },
    Send {
        on: Socket,
        bytes: *const u8,
        length: u32,
    },
    /// `wait`: stays until a datagram comes; else ends at once with EAGAIN.
    ReceiveMessage {
        on: Socket,
        message: *mut libc::msghdr,
        wait: bool,
    },
    SendMessage {
        on: Socket,
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
    /// The operation goes on: more results follow.
    pub more: bool,
    /// The shared buffer that holds what came; the port gives it back.
    pub shared: Option<u16>,
}

impl Done {
    /// The end of an operation that used no shared buffer.
    pub fn last(tag: u64, result: i32) -> Done {
        Done {
            tag,
            result,
            more: false,
            shared: None,
        }
    }
}

/// The engine in use.
pub(crate) enum Driver {
    Uring(Box<Ring>),
    Plain(Plain),
}

impl Driver {
    /// io_uring as asked for, or plain sockets (said once).
    pub fn open(wants: &Wants, options: &UringOptions) -> Driver {
        static SAID: Once = Once::new();
        match Ring::open(wants, options) {
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

    /// Whether receives may use shared buffers.
    pub fn shares(&self) -> bool {
        matches!(self, Driver::Uring(ring) if ring.shares())
    }

    /// What io_uring was asked and granted; `None` for plain sockets.
    pub fn uring(&self) -> Option<UringState> {
        match self {
            Driver::Uring(ring) => Some(ring.state()),
            Driver::Plain(_) => None,
        }
    }

    /// What was done so far.
    pub fn effort(&self) -> Effort {
        match self {
            Driver::Uring(ring) => ring.effort(),
            Driver::Plain(plain) => plain.effort(),
        }
    }

    /// Makes a socket known under its place, before its first operation.
    pub fn adopt(&mut self, on: Socket) -> io::Result<()> {
        match self {
            Driver::Uring(ring) => ring.adopt(on),
            Driver::Plain(_) => Ok(()),
        }
    }

    /// Forgets the socket of a place: until then it stays open, whoever closes the descriptor.
    pub fn forget(&mut self, place: u32) {
        if let Driver::Uring(ring) = self {
            ring.forget(place);
        }
    }

    /// The first `length` bytes of a shared buffer that a result named.
    pub fn shared(&self, id: u16, length: usize) -> &[u8] {
        match self {
            Driver::Uring(ring) => ring.shared(id, length),
            Driver::Plain(_) => &[],
        }
    }

    /// Gives a shared buffer back.
    pub fn give(&mut self, id: u16) {
        if let Driver::Uring(ring) = self {
            ring.give(id);
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
