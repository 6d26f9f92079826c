//! Binding a socket to its queue: joining another socket's memory, or the best way of copying.

use std::os::fd::BorrowedFd;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::queue::{Copying, QueueOptions};
use crate::socket::{Place, bind, set};
use crate::umem::{Requests, Umem};

/// How long an open waits for a queue that is taken: the kernel frees the queue of a socket that
/// was closed, or whose owner died, some time after.
const BUSY_PATIENCE: Duration = Duration::from_secs(5);
const BUSY_PAUSE: Duration = Duration::from_millis(2);

/// Tells the kernel about the memory.
pub(crate) fn register(fd: BorrowedFd<'_>, umem: &Umem) -> Result<(), Error> {
    let step = "registering the frames";
    set(
        fd,
        libc::SOL_XDP,
        libc::XDP_UMEM_REG,
        umem.registration(),
        step,
    )
}

/// Whether it joined another socket's memory, and why the card does not copy, if it does not.
pub(crate) type Bound = (bool, Option<i32>);

/// Joins `owner` if there is one; else the best way of copying that is allowed and granted.
pub(crate) fn bind_somehow(
    fd: BorrowedFd<'_>,
    umem: &Umem,
    options: &QueueOptions,
    owner: Option<BorrowedFd<'_>>,
) -> Result<Bound, Error> {
    if let Some(owner) = owner {
        match bind_patiently(fd, options, libc::XDP_SHARED_UMEM, Some(owner)) {
            // Its interface is gone: it will never use the memory again.
            Err(libc::EBADF) => register(fd, umem)?,
            result => return result.map(|()| (true, None)).map_err(refused),
        }
    }
    let mut flags = libc::XDP_USE_NEED_WAKEUP;
    if options.multi_buffer {
        flags |= libc::XDP_USE_SG;
    }
    let zero_copy = || {
        if umem.options().requests == Requests::SoftwareChecksum {
            return Err(libc::EOPNOTSUPP); // the kernel would bind, and compute nothing
        }
        bind_patiently(fd, options, flags | libc::XDP_ZEROCOPY, None)
    };
    let copy = || bind_patiently(fd, options, flags | libc::XDP_COPY, None);
    let result = match options.copying {
        Copying::ZeroCopy => zero_copy().map(|()| None),
        Copying::Copy => copy().map(|()| None),
        Copying::Auto => match zero_copy() {
            Ok(()) => Ok(None),
            Err(libc::EBUSY) => Err(libc::EBUSY), // taken in one way is taken in all
            Err(errno) => copy().map(|()| Some(errno)),
        },
    };
    result.map(|because| (false, because)).map_err(refused)
}

fn refused(errno: i32) -> Error {
    let source = std::io::Error::from_raw_os_error(errno);
    Error::new("binding to the queue", source)
}

fn bind_patiently(
    fd: BorrowedFd<'_>,
    options: &QueueOptions,
    flags: u16,
    shared: Option<BorrowedFd<'_>>,
) -> Result<(), i32> {
    let place = Place {
        interface: options.interface,
        queue: options.queue,
    };
    let start = Instant::now();
    loop {
        match bind(fd, place, flags, shared) {
            Err(libc::EBUSY) if start.elapsed() < BUSY_PATIENCE => thread::sleep(BUSY_PAUSE),
            result => return result,
        }
    }
}
