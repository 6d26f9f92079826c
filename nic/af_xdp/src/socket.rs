//! The system calls around an AF_XDP socket: opening, rings, binding, options.

use std::ffi::CString;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use crate::error::Error;
use crate::map::Mapping;
use crate::ring::Layout;

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

pub(crate) fn open() -> Result<OwnedFd, Error> {
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(Error::last("opening an AF_XDP socket"));
    }
    // SAFETY: new, and owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Entries of the fill ring of a queue of this depth.
///
/// The kernel hands a frame over before it says that it took it from the fill ring: a reader that
/// is quick gives it back while the ring still looks full. Twice as deep, it never does.
pub(crate) fn fill_depth(depth: u32) -> u32 {
    2 * depth
}

/// Sets the depth of the four rings and asks where their parts lie.
pub(crate) fn size_rings(fd: BorrowedFd<'_>, depth: u32) -> Result<libc::xdp_mmap_offsets, Error> {
    for (name, depth) in [
        (libc::XDP_UMEM_FILL_RING, fill_depth(depth)),
        (libc::XDP_UMEM_COMPLETION_RING, depth),
        (libc::XDP_RX_RING, depth),
        (libc::XDP_TX_RING, depth),
    ] {
        set(fd, libc::SOL_XDP, name, depth, "sizing a ring")?;
    }
    let step = "asking for the rings' layout";
    get(fd, libc::SOL_XDP, libc::XDP_MMAP_OFFSETS, step)
}

/// Maps one ring of `T`.
pub(crate) fn ring<T>(
    fd: BorrowedFd<'_>,
    offset: &libc::xdp_ring_offset,
    page: i64,
    depth: u32,
) -> Result<(Mapping, Layout), Error> {
    let layout = Layout {
        producer: offset.producer as usize,
        consumer: offset.consumer as usize,
        flags: offset.flags as usize,
        entries: offset.desc as usize,
        depth,
    };
    let bytes = layout.entries + depth as usize * size_of::<T>();
    Ok((Mapping::shared(bytes, fd, page, "mapping a ring")?, layout))
}

/// Where a socket is bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub interface: u32,
    pub queue: u32,
}

/// One attempt; the error number when refused.
pub(crate) fn bind(
    fd: BorrowedFd<'_>,
    place: Place,
    flags: u16,
    shared: Option<BorrowedFd<'_>>,
) -> Result<(), i32> {
    let address = libc::sockaddr_xdp {
        sxdp_family: libc::AF_XDP as u16,
        sxdp_flags: flags,
        sxdp_ifindex: place.interface,
        sxdp_queue_id: place.queue,
        sxdp_shared_umem_fd: shared.map_or(0, |fd| fd.as_raw_fd() as u32),
    };
    let length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the address is readable for its length.
    let result = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) };
    if result < 0 { Err(errno()) } else { Ok(()) }
}

pub(crate) fn set<T>(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: T,
    step: &'static str,
) -> Result<(), Error> {
    let at = (&raw const value).cast();
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value is readable for its size.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, at, length) };
    if result < 0 {
        Err(Error::last(step))
    } else {
        Ok(())
    }
}

/// Values that are plain integers, so that any bytes from the kernel are good.
pub(crate) trait Plain {}
impl Plain for u32 {}
impl Plain for libc::xdp_mmap_offsets {}
impl Plain for libc::xdp_statistics {}
impl Plain for libc::xdp_options {}

pub(crate) fn get<T: Plain>(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    step: &'static str,
) -> Result<T, Error> {
    // SAFETY: plain integers, for which zero is a value.
    let mut value: T = unsafe { mem::zeroed() };
    let at = (&raw mut value).cast();
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value is writable for its size.
    let result = unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, at, &mut length) };
    if result < 0 {
        return Err(Error::last(step));
    }
    if length as usize != size_of::<T>() {
        return Err(Error::new(step, io::ErrorKind::Unsupported.into()));
    }
    Ok(value)
}

/// Makes the kernel look at the TX ring. Ok also when it took only some.
pub(crate) fn send_nothing(fd: &OwnedFd) -> Result<(), i32> {
    let (fd, none) = (fd.as_raw_fd(), ptr::null());
    // SAFETY: no payload and no address.
    let sent = unsafe { libc::sendto(fd, none, 0, libc::MSG_DONTWAIT, none.cast(), 0) };
    if sent >= 0 {
        return Ok(());
    }
    match errno() {
        libc::EAGAIN | libc::EBUSY | libc::ENOBUFS | libc::EINTR => Ok(()),
        errno => Err(errno),
    }
}

/// Makes the driver look at the fill ring, or poll.
pub(crate) fn receive_nothing(fd: &OwnedFd) {
    let (fd, none) = (fd.as_raw_fd(), ptr::null_mut());
    let (address, length) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: no buffer and no address.
    let _ = unsafe { libc::recvfrom(fd, none, 0, libc::MSG_DONTWAIT, address, length) };
}

/// Waits until one of these can be read from; whether one can.
pub(crate) fn wait<'a>(
    fds: impl Iterator<Item = BorrowedFd<'a>>,
    timeout: Duration,
) -> Result<bool, Error> {
    let mut polled: Vec<libc::pollfd> = fds
        .map(|fd| libc::pollfd {
            fd: fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let count = polled.len() as libc::nfds_t;
    let millis = timeout.as_millis().min(i32::MAX as u128) as libc::c_int;
    // SAFETY: as many entries as said, writable.
    let ready = unsafe { libc::poll(polled.as_mut_ptr(), count, millis) };
    if ready < 0 && errno() != libc::EINTR {
        return Err(Error::last("waiting for frames"));
    }
    Ok(ready != 0)
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}
