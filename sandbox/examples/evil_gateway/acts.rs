//! What a thief would try, each act by a call of the system.
//!
//! Their arguments are made up: whether a call is allowed is all that counts.
#![allow(clippy::undocumented_unsafe_blocks)]

use libc::{c_long, syscall};
use std::ffi::CString;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the acts are about.
pub struct Prey {
    /// A file outside, as the journal is.
    pub file: PathBuf,
    /// The folder that is left to the gateway.
    pub folder: PathBuf,
    /// A port that somebody listens on.
    port: u16,
    /// Where the venue takes orders from others.
    pub venue_port: u16,
    /// A socket for connections that was made before.
    socket: i32,
    /// A process of somebody else: our parent.
    parent: i32,
    /// An io_uring that was made before, with nothing forbidden.
    ring: i32,
}

pub type Act = (&'static str, fn(&Prey) -> bool);

impl Prey {
    /// With what must be made before the walls are up; the ports are those of strangers and of the
    /// venue.
    pub fn new(file: &str, folder: &str, (port, venue_port): (u16, u16)) -> Self {
        Self {
            file: file.into(),
            folder: folder.into(),
            port,
            venue_port,
            socket: unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) },
            parent: unsafe { libc::getppid() },
            ring: ring(),
        }
    }
}

/// All acts.
pub fn all() -> Vec<Act> {
    [FILES, PROCESSES, NETWORK, KERNEL].concat()
}

/// One system call; whether it did what was asked.
fn call(number: c_long, arguments: [usize; 6]) -> bool {
    let [a, b, c, d, e, f] = arguments;
    unsafe { syscall(number, a, b, c, d, e, f) >= 0 }
}

fn text(path: &Path) -> CString {
    CString::new(path.as_os_str().as_encoded_bytes()).unwrap_or_default()
}

fn beside(prey: &Prey, name: &str) -> PathBuf {
    prey.file.with_file_name(name)
}

const FILES: &[Act] = &[
    ("open the journal", |p| std::fs::File::open(&p.file).is_ok()),
    ("write into the journal", |p| {
        std::fs::OpenOptions::new()
            .append(true)
            .open(&p.file)
            .is_ok()
    }),
    ("cut the journal", |p| {
        let path = text(&p.file);
        call(libc::SYS_truncate, [path.as_ptr() as usize, 0, 0, 0, 0, 0])
    }),
    ("link the journal into our folder", |p| {
        std::fs::hard_link(&p.file, p.folder.join("link")).is_ok()
    }),
    ("point into the journal from our folder", |p| {
        std::os::unix::fs::symlink(&p.file, p.folder.join("pointer")).is_ok()
    }),
    ("change the journal's mode", |p| {
        let path = text(&p.file);
        call(libc::SYS_chmod, [path.as_ptr() as usize, 0o777, 0, 0, 0, 0])
    }),
    ("change the journal's owner", |p| {
        let path = text(&p.file);
        call(libc::SYS_chown, [path.as_ptr() as usize, 1, 1, 0, 0, 0])
    }),
    ("change the journal's times", |p| {
        let path = text(&p.file);
        call(
            libc::SYS_utimensat,
            [libc::AT_FDCWD as usize, path.as_ptr() as usize, 0, 0, 0, 0],
        )
    }),
    ("make a file beside the journal", |p| {
        std::fs::write(beside(p, "new"), "x").is_ok()
    }),
    ("make a folder beside the journal", |p| {
        std::fs::create_dir(beside(p, "folder")).is_ok()
    }),
    ("make a device", |p| {
        let path = text(&beside(p, "device"));
        let null = libc::makedev(1, 3) as usize;
        let mode = (libc::S_IFCHR | 0o666) as usize;
        call(
            libc::SYS_mknod,
            [path.as_ptr() as usize, mode, null, 0, 0, 0],
        )
    }),
    ("look who lives here", |_| {
        std::fs::read("/etc/passwd").is_ok()
    }),
    ("look into /proc", |_| {
        std::fs::read("/proc/self/maps").is_ok()
    }),
    ("list the root", |_| std::fs::read_dir("/").is_ok()),
    ("leave by ..", |p| {
        std::fs::read_dir(p.folder.join("..")).is_ok()
    }),
    ("another root", |p| {
        let path = text(&p.folder);
        call(libc::SYS_chroot, [path.as_ptr() as usize, 0, 0, 0, 0, 0])
    }),
    ("open by handle", |p| {
        let path = text(&p.file);
        let mut handle = [0_u32; 34];
        handle[0] = 128;
        let mut mount = 0_i32;
        call(
            libc::SYS_name_to_handle_at,
            [
                libc::AT_FDCWD as usize,
                path.as_ptr() as usize,
                handle.as_mut_ptr() as usize,
                (&raw mut mount) as usize,
                0,
                0,
            ],
        )
    }),
    ("watch files", |_| call(libc::SYS_inotify_init1, [0; 6])),
    ("rename the journal", |p| {
        std::fs::rename(&p.file, beside(p, "stolen")).is_ok()
    }),
];

const PROCESSES: &[Act] = &[
    ("run a program", |_| {
        Command::new("/bin/true").status().is_ok()
    }),
    ("become a program", |_| {
        let path = CString::new("/bin/does-not-exist").unwrap_or_default();
        let done = unsafe { libc::execv(path.as_ptr(), std::ptr::null()) };
        let error = std::io::Error::last_os_error().raw_os_error();
        // Allowed, it would only not find the program.
        done >= 0 || error == Some(libc::ENOENT)
    }),
    ("fork", |_| {
        let child = unsafe { libc::fork() };
        if child == 0 {
            unsafe { libc::_exit(0) };
        }
        child > 0 && unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) } == child
    }),
    ("start a thread", |_| {
        std::thread::Builder::new().spawn(|| ()).is_ok()
    }),
    ("signal the parent", |p| unsafe {
        libc::kill(p.parent, 0) == 0
    }),
    ("signal a thread of it", |p| {
        let parent = p.parent as usize;
        call(libc::SYS_tgkill, [parent, parent, 0, 0, 0, 0])
    }),
    ("signal everybody", |_| unsafe { libc::kill(-1, 0) == 0 }),
    ("hold on to the parent", |p| {
        call(libc::SYS_pidfd_open, [p.parent as usize, 0, 0, 0, 0, 0])
    }),
    ("trace the parent", |p| {
        let seize = libc::PTRACE_SEIZE as usize;
        call(libc::SYS_ptrace, [seize, p.parent as usize, 0, 0, 0, 0])
    }),
    ("be traced", |_| {
        call(
            libc::SYS_ptrace,
            [libc::PTRACE_TRACEME as usize, 0, 0, 0, 0, 0],
        )
    }),
    ("read the parent's memory", |p| {
        process_memory(libc::SYS_process_vm_readv, p)
    }),
    ("compare ourselves with the parent", |p| {
        let us = std::process::id() as usize;
        call(libc::SYS_kcmp, [us, p.parent as usize, 0, 1, 1, 0])
    }),
    ("move the parent to other cores", |p| {
        // To all that there are.
        let set = u64::MAX;
        let at = (&raw const set) as usize;
        call(
            libc::SYS_sched_setaffinity,
            [p.parent as usize, 8, at, 0, 0, 0],
        )
    }),
    ("limit the parent", |p| {
        let mut limit = [0_u64; 2];
        let at = limit.as_mut_ptr() as usize;
        let kind = libc::RLIMIT_NOFILE as usize;
        call(libc::SYS_prlimit64, [p.parent as usize, kind, 0, at, 0, 0])
    }),
    ("become root", |_| call(libc::SYS_setuid, [0; 6])),
    ("become root's group", |_| call(libc::SYS_setgid, [0; 6])),
    ("take groups", |_| call(libc::SYS_setgroups, [0; 6])),
    ("leave cores again", |_| {
        let set = libc::PR_SET_DUMPABLE as usize;
        call(libc::SYS_prctl, [set, 1, 0, 0, 0, 0])
    }),
    ("be real-time", |_| {
        let parameter = 1_i32;
        let at = (&raw const parameter) as usize;
        call(
            libc::SYS_sched_setscheduler,
            [0, libc::SCHED_FIFO as usize, at, 0, 0, 0],
        )
    }),
];

fn process_memory(number: c_long, prey: &Prey) -> bool {
    let mut byte = 0_u8;
    let local = libc::iovec {
        iov_base: (&raw mut byte).cast(),
        iov_len: 1,
    };
    // An address of ours that the parent, being of the same program or not, need not have: allowed,
    // the call fails otherwise than by EPERM.
    let remote = libc::iovec {
        iov_base: 0x1000 as *mut _,
        iov_len: 1,
    };
    let (local, remote) = ((&raw const local) as usize, (&raw const remote) as usize);
    let done = call(number, [prey.parent as usize, local, 1, remote, 1, 0]);
    done || std::io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
}

fn socket(domain: i32, kind: i32, protocol: i32) -> bool {
    call(
        libc::SYS_socket,
        [domain as usize, kind as usize, protocol as usize, 0, 0, 0],
    )
}

/// What an usher is for, and nobody else.
pub const CALL: &str = "call the venue at its socket";

/// What a desk is for, and nobody else.
pub const DIAL: [&str; 2] = [
    "connect to the venue's order entry",
    "connect by a socket that is there",
];

pub fn venue_socket(prey: &Prey) -> PathBuf {
    prey.file.with_extension("socket")
}

const NETWORK: &[Act] = &[
    ("connect elsewhere", |p| {
        TcpStream::connect((Ipv4Addr::LOCALHOST, p.port)).is_ok()
    }),
    (DIAL[0], |p| {
        TcpStream::connect((Ipv4Addr::LOCALHOST, p.venue_port)).is_ok()
    }),
    (DIAL[1], |p| {
        // As the kernel has it: family, port, address.
        let [high, low] = p.venue_port.to_be_bytes();
        let address = [2, 0, high, low, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0_u8];
        let at = address.as_ptr() as usize;
        call(
            libc::SYS_connect,
            [p.socket as usize, at, address.len(), 0, 0, 0],
        )
    }),
    ("listen", |_| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).is_ok()
    }),
    ("send datagrams", |_| {
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).is_ok()
    }),
    (CALL, |p| UnixStream::connect(venue_socket(p)).is_ok()),
    ("talk to the kernel's tables", |_| {
        socket(libc::AF_NETLINK, libc::SOCK_RAW, 0)
    }),
    ("listen to the wire", |_| {
        let all = i32::from((libc::ETH_P_ALL as u16).to_be());
        socket(libc::AF_PACKET, libc::SOCK_RAW, all)
    }),
    ("send raw packets", |_| {
        socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_RAW)
    }),
    ("go around the kernel", |_| {
        socket(libc::AF_XDP, libc::SOCK_RAW, 0)
    }),
    ("use the kernel's ciphers", |_| {
        socket(libc::AF_ALG, libc::SOCK_SEQPACKET, 0)
    }),
    ("a pair of sockets", |_| {
        let mut pair = [0_i32; 2];
        let at = pair.as_mut_ptr() as usize;
        call(
            libc::SYS_socketpair,
            [libc::AF_UNIX as usize, 1, 0, at, 0, 0],
        )
    }),
];

const KERNEL: &[Act] = &[
    ("go around the filter by io_uring", |_| {
        let mut parameters = [0_u8; 120];
        let at = parameters.as_mut_ptr() as usize;
        call(libc::SYS_io_uring_setup, [4, at, 0, 0, 0, 0])
    }),
    ("leave our rights with a ring that is there", |p| {
        let personality = 9;
        call(
            libc::SYS_io_uring_register,
            [p.ring as usize, personality, 0, 0, 0, 0],
        )
    }),
    ("load a program into the kernel", |_| {
        // BPF_MAP_CREATE of an array.
        let mut attributes = [2_u32, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let at = attributes.as_mut_ptr() as usize;
        call(libc::SYS_bpf, [0, at, 72, 0, 0, 0])
    }),
    ("handle our own page faults", |_| {
        call(libc::SYS_userfaultfd, [1, 0, 0, 0, 0, 0])
    }),
    ("a user namespace", |_| unsafe {
        libc::unshare(libc::CLONE_NEWUSER) == 0
    }),
    ("a network namespace", |_| unsafe {
        libc::unshare(libc::CLONE_NEWNET) == 0
    }),
    ("a mount namespace", |_| unsafe {
        libc::unshare(libc::CLONE_NEWNS) == 0
    }),
    ("mount", |p| {
        // Where it is allowed, nobody else sees it.
        unsafe { libc::unshare(libc::CLONE_NEWNS) };
        let root = CString::new("/").unwrap_or_default();
        let private = libc::MS_REC | libc::MS_PRIVATE;
        let none = std::ptr::null();
        unsafe { libc::mount(none, root.as_ptr(), none, private, none.cast()) };
        let target = text(&p.folder);
        let kind = CString::new("tmpfs").unwrap_or_default();
        let flags = libc::MS_NODEV;
        let (at, kind) = (target.as_ptr(), kind.as_ptr());
        unsafe { libc::mount(kind, at, kind, flags, std::ptr::null()) == 0 }
    }),
    ("a file in memory", |_| {
        let name = CString::new("x").unwrap_or_default();
        call(
            libc::SYS_memfd_create,
            [name.as_ptr() as usize, 0, 0, 0, 0, 0],
        )
    }),
    ("memory that others share", |_| {
        let at = libc::IPC_PRIVATE as usize;
        call(libc::SYS_shmget, [at, 4096, 0o600, 0, 0, 0])
    }),
    ("memory that executes", |_| {
        executable(libc::PROT_EXEC | libc::PROT_WRITE).is_some()
    }),
    ("memory that comes to execute", |_| {
        let memory = executable(libc::PROT_WRITE).unwrap_or(std::ptr::null_mut());
        unsafe { libc::mprotect(memory, 4096, libc::PROT_EXEC) == 0 }
    }),
    ("a key of the kernel's", |_| {
        let kind = CString::new("user").unwrap_or_default();
        let at = kind.as_ptr() as usize;
        call(libc::SYS_add_key, [at, at, at, 4, (-2_i32) as usize, 0])
    }),
    ("the kernel's log", |_| {
        call(libc::SYS_syslog, [10, 0, 0, 0, 0, 0])
    }),
    ("another name for the host", |_| {
        // Its own name: nothing changes where it is allowed.
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let name = name.trim_end();
        call(
            libc::SYS_sethostname,
            [name.as_ptr() as usize, name.len(), 0, 0, 0, 0],
        )
    }),
    ("ports of the machine", |_| {
        call(libc::SYS_ioperm, [0x80, 1, 1, 0, 0, 0])
    }),
    ("another personality", |_| {
        call(libc::SYS_personality, [0x0040_0000, 0, 0, 0, 0, 0])
    }),
    ("count events of the processor", |_| {
        // A software event: the processor's own are not there on every machine.
        let mut attributes = [0_u32; 32];
        attributes[0] = 1;
        attributes[1] = 128;
        let at = attributes.as_mut_ptr() as usize;
        call(
            libc::SYS_perf_event_open,
            [at, 0, usize::MAX, usize::MAX, 0, 0],
        )
    }),
];

fn executable(protection: i32) -> Option<*mut libc::c_void> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let at = unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags, -1, 0) };
    (at != libc::MAP_FAILED).then_some(at)
}

/// Tries an act in a child, so that what it does is gone with that.
pub fn in_child(act: fn(&Prey) -> bool, prey: &Prey) -> bool {
    let child = unsafe { libc::fork() };
    if child == 0 {
        let done = act(prey);
        unsafe { libc::_exit(i32::from(!done)) };
    }
    let mut status = 0;
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    waited == child && libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

/// A ring as who we are now.
fn ring() -> i32 {
    let mut parameters = [0_u8; 120];
    let at = parameters.as_mut_ptr() as usize;
    unsafe { syscall(libc::SYS_io_uring_setup, 4, at) as i32 }
}
