//! A file in memory, mapped and sealed, on huge pages when there are any.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use crate::error::Error;
use crate::map::Mapping;
use crate::umem::Pages;

const HUGE_PAGE_BYTES: usize = 2 << 20;
const STEP: &str = "making memory for frames";

/// A file of at least `bytes`, its mapping, and the pages it stands on.
pub(crate) fn create(bytes: usize, huge: bool) -> Result<(OwnedFd, Mapping, Pages), Error> {
    let mut pages = Pages::Small;
    if huge {
        let rounded = bytes.next_multiple_of(HUGE_PAGE_BYTES);
        match sized(rounded, libc::MFD_HUGETLB | libc::MFD_HUGE_2MB) {
            Ok((file, map)) => return Ok((file, map, Pages::Huge)),
            Err(error) => pages = Pages::SmallInstead(error.errno().unwrap_or(0)),
        }
    }
    let (file, map) = sized(bytes, 0)?;
    Ok((file, map, pages))
}

fn sized(bytes: usize, flags: libc::c_uint) -> Result<(OwnedFd, Mapping), Error> {
    let flags = flags | libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name is a string.
    let fd = unsafe { libc::memfd_create(c"af_xdp".as_ptr(), flags) };
    if fd < 0 {
        return Err(Error::last(STEP));
    }
    // SAFETY: new, and owned by nobody else.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: takes no pointers.
    if unsafe { libc::ftruncate(file.as_raw_fd(), bytes as libc::off_t) } < 0 {
        return Err(Error::last(STEP));
    }
    let map = Mapping::shared(bytes, file.as_fd(), 0, STEP)?;
    // After our own mapping: it stays the only one that can write.
    let seals =
        libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_FUTURE_WRITE | libc::F_SEAL_SEAL;
    // SAFETY: takes no pointers.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } < 0 {
        return Err(Error::last(STEP));
    }
    Ok((file, map))
}
