//! Opening sockets with the options that the ports need.

use std::io::{self, ErrorKind};
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, TcpListener};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use crate::net::UdpOptions;

/// Receive room asked of the kernel for a UDP socket: bursts of market data must fit.
const UDP_RECEIVE_BYTES: libc::c_int = 4 << 20;
/// Multicast stays in the segment unless routed on purpose.
const MULTICAST_TTL: libc::c_int = 1;

/// Peers that may wait to be accepted; the kernel's `somaxconn` bounds it further. One is accepted
/// a turn, so a storm of dialling waits here and not in the way of those who are connected.
const BACKLOG: libc::c_int = 4096;

/// The kernel's own buffers of an accepted connection, either way. Left alone it lets each grow to
/// `tcp_wmem` and `tcp_rmem`, many megabytes, and a crowd of peers that do not read, or are not
/// read, would hold gigabytes. It doubles the number for its own overhead.
const KERNEL_BYTES: libc::c_int = 64 << 10;

/// Silence after which the kernel asks whether the peer is still there, how long it waits for an
/// answer, and how often it asks: a peer that vanished is found out in 25 seconds, even when
/// nobody has anything to send it.
const KEEPALIVE: [(libc::c_int, libc::c_int); 3] = [
    (libc::TCP_KEEPIDLE, 10),
    (libc::TCP_KEEPINTVL, 5),
    (libc::TCP_KEEPCNT, 3),
];

const _: () = assert!(size_of::<libc::sockaddr_storage>() == 128);

/// How long an address may stay in use by a process that was killed: the kernel takes its io_uring
/// operations, and with them its sockets, apart after the process is gone.
const ADDRESS_FREED_AFTER: Duration = Duration::from_secs(10);
/// Pause between two tries.
const ADDRESS_RETRY: Duration = Duration::from_millis(20);

/// Descriptors that a process has beside its connections.
const DESCRIPTORS_BESIDE: u64 = 64;

/// Lets this process have a descriptor for each of `connections`, as far as its hard limit goes:
/// the soft one is often 1,024.
pub(crate) fn descriptors_for(connections: u16) -> io::Result<()> {
    let needed = u64::from(connections) + DESCRIPTORS_BESIDE;
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure is writable.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
    if limit.rlim_cur >= needed {
        return Ok(());
    }
    if limit.rlim_max < needed {
        let most = limit.rlim_max;
        let message = format!(
            "tcp port: {connections} connections need {needed} file descriptors, and this process \
             may have {most}: raise its hard limit (`ulimit -Hn`), or ask for fewer"
        );
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    limit.rlim_cur = needed;
    // SAFETY: the structure is readable.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }).map(drop)
}

/// Tries again while the address is in use, within the bound.
fn while_in_use<T>(mut open: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let deadline = Instant::now() + ADDRESS_FREED_AFTER;
    loop {
        match open() {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < deadline => {
                std::thread::sleep(ADDRESS_RETRY);
            }
            outcome => return outcome,
        }
    }
}

/// A listening TCP socket and the address it got.
pub(crate) fn tcp_listener(at: SocketAddr, nonblocking: bool) -> io::Result<(OwnedFd, SocketAddr)> {
    let listener = while_in_use(|| TcpListener::bind(at))?;
    // Accepted sockets inherit all of this.
    keep_alive(listener.as_raw_fd());
    kernel_buffers(listener.as_raw_fd());
    // SAFETY: takes no pointers. Listening again only changes the length of the queue.
    check(unsafe { libc::listen(listener.as_raw_fd(), BACKLOG) })?;
    listener.set_nonblocking(nonblocking)?;
    let local = listener.local_addr()?;
    Ok((OwnedFd::from(listener), local))
}

/// A TCP socket to dial `to` with.
pub(crate) fn tcp_dialler(to: SocketAddr, nonblocking: bool) -> io::Result<OwnedFd> {
    let domain = if to.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    let wait = if nonblocking { libc::SOCK_NONBLOCK } else { 0 };
    let fd = open(domain, libc::SOCK_STREAM | wait)?;
    tcp_no_delay(fd.as_raw_fd());
    keep_alive(fd.as_raw_fd());
    Ok(fd)
}

/// Fixes the kernel's buffers, which then no longer grow. It may grant less.
fn kernel_buffers(fd: RawFd) {
    let _ = set(fd, libc::SOL_SOCKET, libc::SO_SNDBUF, KERNEL_BYTES);
    let _ = set(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, KERNEL_BYTES);
}

/// Lets the kernel find out peers that vanished. A refusal leaves that to the caller's own
/// heartbeats, so it is not an error.
fn keep_alive(fd: RawFd) {
    for (name, value) in KEEPALIVE {
        let _ = set(fd, libc::IPPROTO_TCP, name, value);
    }
    let _ = set(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1);
}

/// Turns off the wait for fuller segments; without it a small message may wait for an
/// acknowledgement. A refusal costs latency only, so it is not an error.
pub(crate) fn tcp_no_delay(fd: RawFd) {
    let _ = set(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
}

/// Takes a TCP port number from the kernel without listening there, and says which it got.
pub(crate) fn tcp_reservation(at: SocketAddrV4) -> io::Result<(OwnedFd, SocketAddrV4)> {
    let owned = open(libc::AF_INET, libc::SOCK_STREAM)?;
    while_in_use(|| bind(owned.as_raw_fd(), at))?;
    let local = local_v4(owned.as_raw_fd())?;
    Ok((owned, local))
}

/// A bound UDP socket with its groups joined, and the address it got.
pub(crate) fn udp(options: &UdpOptions) -> io::Result<(OwnedFd, SocketAddrV4)> {
    let owned = open(libc::AF_INET, libc::SOCK_DGRAM)?;
    let fd = owned.as_raw_fd();
    // The kernel may grant less; losing datagrams is then counted by it, not by us.
    let _ = set(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, UDP_RECEIVE_BYTES);
    if !options.groups.is_empty() {
        // Several receivers of one group on one machine share the port.
        set(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
        // Without this a socket also hears groups that other sockets joined.
        set(fd, libc::IPPROTO_IP, libc::IP_MULTICAST_ALL, 0)?;
    }
    while_in_use(|| bind(fd, udp_bound_to(options)))?;
    for &group in &options.groups {
        let membership = libc::ip_mreq {
            imr_multiaddr: in_addr(group),
            imr_interface: in_addr(options.interface),
        };
        set(fd, libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP, membership).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("joining {group} on {}: {error}", options.interface),
            )
        })?;
    }
    if !options.interface.is_unspecified() {
        set(
            fd,
            libc::IPPROTO_IP,
            libc::IP_MULTICAST_IF,
            in_addr(options.interface),
        )?;
    }
    set(fd, libc::IPPROTO_IP, libc::IP_MULTICAST_TTL, MULTICAST_TTL)?;
    set(fd, libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP, 1)?;
    let port = local_v4(fd)?.port();
    Ok((owned, SocketAddrV4::new(*options.local.ip(), port)))
}

/// A socket bound to one host address does not hear groups, so one that joins is bound to all.
fn udp_bound_to(options: &UdpOptions) -> SocketAddrV4 {
    let as_told = options.groups.is_empty() || options.local.ip().is_multicast();
    let ip = if as_told {
        *options.local.ip()
    } else {
        Ipv4Addr::UNSPECIFIED
    };
    SocketAddrV4::new(ip, options.local.port())
}

fn open(domain: libc::c_int, kind: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let fd = check(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: the descriptor is new and owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn bind(fd: RawFd, at: SocketAddrV4) -> io::Result<()> {
    let (address, length) = storage_from(SocketAddr::V4(at));
    // SAFETY: the address is readable for `length` bytes.
    let result = unsafe { libc::bind(fd, (&raw const address).cast(), length) };
    check(result)
        .map(drop)
        .map_err(|e| io::Error::new(e.kind(), format!("binding {at}: {e}")))
}

/// The address a socket is bound to.
fn local_v4(fd: RawFd) -> io::Result<SocketAddrV4> {
    let mut address = empty_storage();
    let mut length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: address and length are writable and the length is the address's.
    check(unsafe { libc::getsockname(fd, (&raw mut address).cast(), &mut length) })?;
    match storage_read(&address) {
        Some(SocketAddr::V4(at)) => Ok(at),
        _ => Err(io::Error::other("a socket without an IPv4 address")),
    }
}

fn set<T>(fd: RawFd, level: libc::c_int, name: libc::c_int, value: T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value is readable for its size.
    let result = unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), length) };
    check(result).map(drop)
}

/// Asks the kernel, and through it the card, for the times when datagrams came.
pub(crate) fn receive_times(fd: RawFd) -> io::Result<()> {
    let wanted = libc::SOF_TIMESTAMPING_RX_SOFTWARE
        | libc::SOF_TIMESTAMPING_SOFTWARE
        | libc::SOF_TIMESTAMPING_RX_HARDWARE
        | libc::SOF_TIMESTAMPING_RAW_HARDWARE;
    set(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPING, wanted)
}

/// Both directions (`how` SHUT_RDWR) or one; an error means that the connection is gone already.
pub(crate) fn shutdown(fd: RawFd, how: libc::c_int) {
    // SAFETY: takes no pointers.
    let _ = unsafe { libc::shutdown(fd, how) };
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// An IPv4 address as the kernel stores it.
pub(crate) fn in_addr(address: Ipv4Addr) -> libc::in_addr {
    libc::in_addr {
        s_addr: u32::from_ne_bytes(address.octets()),
    }
}

/// An address of no family.
pub(crate) fn empty_storage() -> libc::sockaddr_storage {
    // SAFETY: plain integers, for which zero is a value.
    unsafe { mem::zeroed() }
}

/// An IPv4 socket address as the kernel stores it.
pub(crate) fn sockaddr_in(at: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: at.port().to_be(),
        sin_addr: in_addr(*at.ip()),
        sin_zero: [0; 8],
    }
}

/// The address that a `sockaddr_in` holds.
pub(crate) fn sockaddr_in_read(address: &libc::sockaddr_in) -> SocketAddrV4 {
    let ip = Ipv4Addr::from(address.sin_addr.s_addr.to_ne_bytes());
    SocketAddrV4::new(ip, u16::from_be(address.sin_port))
}

/// A socket address as the kernel takes it, with its length.
pub(crate) fn storage_from(at: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    let mut storage = empty_storage();
    let to = &raw mut storage;
    let length = match at {
        SocketAddr::V4(v4) => {
            // SAFETY: the storage is larger than any address, and aligned for each.
            unsafe { to.cast::<libc::sockaddr_in>().write(sockaddr_in(v4)) };
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(v6) => {
            let address = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            };
            // SAFETY: as above.
            unsafe { to.cast::<libc::sockaddr_in6>().write(address) };
            size_of::<libc::sockaddr_in6>()
        }
    };
    (storage, length as libc::socklen_t)
}

/// The address in `storage`; `None` for a family that is not IP.
pub(crate) fn storage_read(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let from = &raw const *storage;
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which address is stored.
            let v4 = unsafe { from.cast::<libc::sockaddr_in>().read() };
            Some(SocketAddr::V4(sockaddr_in_read(&v4)))
        }
        libc::AF_INET6 => {
            // SAFETY: the family says which address is stored.
            let v6 = unsafe { from.cast::<libc::sockaddr_in6>().read() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            let port = u16::from_be(v6.sin6_port);
            Some(SocketAddr::V6(SocketAddrV6::new(
                ip,
                port,
                v6.sin6_flowinfo,
                v6.sin6_scope_id,
            )))
        }
        _ => None,
    }
}

/// The hardware address of an interface in this thread's network namespace.
pub(crate) fn hardware_address(interface: &str) -> io::Result<[u8; 6]> {
    let mut request = interface_request(interface)?;
    ask_interface(libc::SIOCGIFHWADDR, &mut request)?;
    // SAFETY: the call succeeded, so it filled this part of the union.
    let address = unsafe { request.ifr_ifru.ifru_hwaddr };
    let mut mac = [0; 6];
    for (to, from) in mac.iter_mut().zip(address.sa_data) {
        *to = from as u8;
    }
    Ok(mac)
}

/// A question about an interface, without its body.
pub(crate) fn interface_request(interface: &str) -> io::Result<libc::ifreq> {
    // SAFETY: integers and a union of them and of a pointer, for which zero is a value.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    if interface.len() >= request.ifr_name.len() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "interface name too long",
        ));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = from as libc::c_char;
    }
    Ok(request)
}

/// Asks it, in the calling thread's network namespace; what a pointer in it points to is writable
/// and as long as the kind of question says.
pub(crate) fn ask_interface(kind: libc::Ioctl, request: &mut libc::ifreq) -> io::Result<()> {
    let owned = open(libc::AF_INET, libc::SOCK_DGRAM)?;
    // SAFETY: the request is writable and its name ends with a zero.
    check(unsafe { libc::ioctl(owned.as_raw_fd(), kind, &raw mut *request) })?;
    Ok(())
}
