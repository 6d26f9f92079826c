//! The system calls around an AF_XDP socket: opening, rings, binding, options.

use std::ffi::CString;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::map::Mapping;
use crate::port::{Mode, Options};
use crate::ring::Layout;

/// Entries of each of the four rings.
pub(crate) const RING_DEPTH: u32 = 1024;

/// How long an open waits for a queue that is taken: the kernel frees the queue of a socket that
/// was closed, or whose owner died, some time after.
const BUSY_PATIENCE: Duration = Duration::from_secs(5);
const BUSY_PAUSE: Duration = Duration::from_millis(2);

const _: () = assert!(RING_DEPTH.is_power_of_two());

/// Index of the interface called `name` in this thread's network namespace.
pub fn interface_index(name: &str) -> Result<u32, Error> {
    let step = "looking the interface up";
    let text = CString::new(name).map_err(|error| Error::new(step, error.into()))?;
    // SAFETY: a string that ends with a zero.
    match unsafe { libc::if_nametoindex(text.as_ptr()) } {
        0 => Err(Error::last(step)),
        index => Ok(index),
    }
}

pub(crate) fn open_socket() -> Result<OwnedFd, Error> {
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(Error::last("opening an AF_XDP socket"));
    }
    // SAFETY: new, and owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets the depth of the four rings and asks where their parts lie.
pub(crate) fn size_rings(fd: BorrowedFd<'_>) -> Result<libc::xdp_mmap_offsets, Error> {
    for name in [
        libc::XDP_UMEM_FILL_RING,
        libc::XDP_UMEM_COMPLETION_RING,
        libc::XDP_RX_RING,
        libc::XDP_TX_RING,
    ] {
        set(fd, name, RING_DEPTH, "sizing a ring")?;
    }
    get(fd, libc::XDP_MMAP_OFFSETS, "asking for the rings' layout")
}

/// Maps one ring of `T`.
pub(crate) fn ring<T>(
    fd: BorrowedFd<'_>,
    offset: &libc::xdp_ring_offset,
    page: i64,
) -> Result<(Mapping, Layout), Error> {
    let layout = Layout {
        producer: offset.producer as usize,
        consumer: offset.consumer as usize,
        flags: offset.flags as usize,
        entries: offset.desc as usize,
        depth: RING_DEPTH,
    };
    let bytes = layout.entries + RING_DEPTH as usize * size_of::<T>();
    Ok((Mapping::shared(bytes, fd, page)?, layout))
}

pub(crate) fn bind(fd: BorrowedFd<'_>, options: &Options) -> Result<(), Error> {
    let copy = if options.mode == Mode::ZeroCopy {
        libc::XDP_ZEROCOPY
    } else {
        libc::XDP_COPY
    };
    let address = libc::sockaddr_xdp {
        sxdp_family: libc::AF_XDP as u16,
        sxdp_flags: copy | libc::XDP_USE_NEED_WAKEUP,
        sxdp_ifindex: options.interface,
        sxdp_queue_id: options.queue,
        sxdp_shared_umem_fd: 0,
    };
    let length = size_of_val(&address) as libc::socklen_t;
    let start = Instant::now();
    loop {
        // SAFETY: the address is readable for its length.
        let result = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) };
        if result >= 0 {
            return Ok(());
        }
        let error = Error::last("binding to the queue");
        if error.errno() != Some(libc::EBUSY) || start.elapsed() > BUSY_PATIENCE {
            return Err(error);
        }
        thread::sleep(BUSY_PAUSE);
    }
}

pub(crate) fn set<T>(
    fd: BorrowedFd<'_>,
    name: libc::c_int,
    value: T,
    step: &'static str,
) -> Result<(), Error> {
    let at = (&raw const value).cast();
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value is readable for its size.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_XDP, name, at, length) };
    if result < 0 {
        Err(Error::last(step))
    } else {
        Ok(())
    }
}

/// Values that are plain integers, so that any bytes from the kernel are good.
pub(crate) trait Plain {}
impl Plain for libc::xdp_mmap_offsets {}
impl Plain for libc::xdp_statistics {}

pub(crate) fn get<T: Plain>(
    fd: BorrowedFd<'_>,
    name: libc::c_int,
    step: &'static str,
) -> Result<T, Error> {
    // SAFETY: plain integers, for which zero is a value.
    let mut value: T = unsafe { mem::zeroed() };
    let at = (&raw mut value).cast();
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value is writable for its size.
    let result = unsafe { libc::getsockopt(fd.as_raw_fd(), libc::SOL_XDP, name, at, &mut length) };
    if result < 0 {
        return Err(Error::last(step));
    }
    if length as usize != size_of::<T>() {
        return Err(Error::new(
            step,
            io::Error::from(io::ErrorKind::Unsupported),
        ));
    }
    Ok(value)
}
