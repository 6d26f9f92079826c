//! What a port may ask of io_uring, what it was granted, and how much work it made.
//!
//! What each option costs or saves is measured by the example `uring_options`; docs/io-uring.md
//! says what was found and why the defaults are what they are.

use std::fmt;

/// How TCP bytes are received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Receive {
    /// Each receive is armed by itself, into the connection's own buffer.
    Single,
    /// A receive stays armed, and takes its memory from buffers that all connections share: idle
    /// ones need none.
    #[default]
    Multishot,
}

/// A kernel thread that takes operations from the ring, so that a port makes no system calls. It
/// spins, and needs a core for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sqpoll {
    /// Spinning without work for so long, it goes to sleep until it is woken by a system call.
    pub idle_ms: u32,
    /// The core it is bound to; `None` leaves that to the scheduler.
    pub core: Option<u32>,
}

/// How the ports of a [`RealNet`](crate::RealNet) use io_uring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UringOptions {
    /// How TCP bytes are received. With [`Sqpoll`] always [`Receive::Single`].
    pub receive: Receive,
    /// Lets a kernel thread take the operations.
    pub sqpoll: Option<Sqpoll>,
    /// Polls the queues of the network card, for at most so many microseconds a turn, when there
    /// is nothing else to do. Every idle turn is then a system call.
    pub napi_us: Option<u32>,
}

/// What the kernel answered to what a port asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UringState {
    /// How TCP bytes are received.
    pub receive: Receive,
    /// A kernel thread takes the operations.
    pub is_sqpoll: bool,
    /// The answer to polling the card's queues: `None` if it was not asked for, else 0 or the
    /// error number.
    pub napi: Option<i32>,
}

impl fmt::Display for UringState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("io_uring, registered files, restricted")?;
        f.write_str(match self.receive {
            Receive::Single => ", single receives",
            Receive::Multishot => ", multishot receives into shared buffers",
        })?;
        if self.is_sqpoll {
            f.write_str(", polled by a kernel thread")?;
        }
        match self.napi {
            None => Ok(()),
            Some(0) => f.write_str(", card queues polled"),
            Some(errno) => {
                let error = std::io::Error::from_raw_os_error(errno);
                write!(f, ", polling card queues refused: {error}")
            }
        }
    }
}

/// The work that a port's engine did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Times it was asked for results.
    pub turns: u64,
    /// System calls to start operations or to fetch results.
    pub calls: u64,
    /// Operations started.
    pub started: u64,
    /// Results fetched.
    pub ended: u64,
}
