//! What the kernel says about an interface.

use std::ffi::CStr;
use std::io;
use std::net::Ipv4Addr;
use std::ptr;

use crate::socket::{self, sockaddr_in_read};

/// Whether the interface has this address, in the calling thread's network namespace.
pub(crate) fn has_address(name: &str, address: Ipv4Addr) -> io::Result<bool> {
    let mut first: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: the place for the list's start is writable.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let (mut found, mut next) = (false, first);
    while !next.is_null() {
        // SAFETY: an entry of the list, which lives until it is freed below.
        let entry = unsafe { &*next };
        // SAFETY: the kernel's names end with a zero.
        let entry_name = unsafe { CStr::from_ptr(entry.ifa_name) };
        if !entry.ifa_addr.is_null() && entry_name.to_bytes() == name.as_bytes() {
            found |= ipv4(entry.ifa_addr) == Some(address);
        }
        next = entry.ifa_next;
    }
    // SAFETY: the list that was just made, freed once.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

/// The address at `at`, which is one of the kernel's list, if it is of IPv4.
fn ipv4(at: *const libc::sockaddr) -> Option<Ipv4Addr> {
    // SAFETY: every address of the list starts with its family.
    let family = unsafe { (*at).sa_family };
    if i32::from(family) != libc::AF_INET {
        return None;
    }
    // SAFETY: the family says which address is stored; it may be at any place.
    let address = unsafe { at.cast::<libc::sockaddr_in>().read_unaligned() };
    Some(*sockaddr_in_read(&address).ip())
}

/// `ETHTOOL_GCHANNELS`, and the kernel's `struct ethtool_channels`.
const GET_CHANNELS: u32 = 0x3c;

#[repr(C)]
#[derive(Default)]
struct Channels {
    command: u32,
    /// Receiving, sending, other, combined.
    _most: [u32; 4],
    receiving: u32,
    _sending: u32,
    _other: u32,
    combined: u32,
}

/// How many queues the interface receives by; 1 where the driver does not say.
pub(crate) fn receive_queues(name: &str) -> io::Result<u32> {
    let mut channels = Channels {
        command: GET_CHANNELS,
        ..Channels::default()
    };
    let mut request = socket::interface_request(name)?;
    request.ifr_ifru.ifru_data = (&raw mut channels).cast();
    match socket::ask_interface(libc::SIOCETHTOOL, &mut request) {
        Ok(()) => Ok((channels.receiving + channels.combined).max(1)),
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(1),
        Err(error) => Err(error),
    }
}
