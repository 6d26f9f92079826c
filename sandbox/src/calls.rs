//! Which system calls remain: seccomp.

use crate::SandboxError;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter, apply_filter_all_threads,
};
use std::collections::BTreeMap;

/// Which program is confined: what it may ask of the kernel, whatever is open and whatever landlock
/// leaves to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// A program that accepts connections, reaches nobody by itself and writes a few files; its
    /// threads are there already.
    Gateway,
    /// A program of one thread that connects to sockets of this host for a gateway.
    Usher,
    /// Threads that have all their sockets and rings already, and that write files of a folder
    /// which they keep in order. They start no thread, open no socket and make no ring.
    Venue,
    /// A program that reads a venue's files and keeps a database; its threads are there already.
    Tables,
    /// The same, with the database at a server: it dials the port that landlock leaves.
    TablesAtServer,
    /// Threads of a desk: they have their datagram ports and rings already, dial the venue again
    /// when it was away, and write a few files. They start no thread and make no ring.
    Desk,
    /// A program that accepts connections, with threads of its own that read a database.
    Api,
    /// The same, which follows a feed too: it dials the ports that landlock leaves.
    ApiWithFeed,
    /// The same, with the database at servers.
    ApiAtServer,
}

/// Calls of every program, whatever their arguments.
const EVERY: &[i64] = &[
    // Bytes in and out of what is open.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    // Sockets of what listens already.
    libc::SYS_accept4,
    libc::SYS_shutdown,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_poll,
    libc::SYS_ppoll,
    // Files below the folders that are left.
    libc::SYS_openat,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_lseek,
    libc::SYS_ftruncate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fcntl,
    libc::SYS_unlinkat,
    // Memory of our own; what may be executed is looked at below.
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_getrandom,
    // Time.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    // Signals to us, and the end.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_sched_yield,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// What a gateway has beside those.
const GATEWAY: &[i64] = &[
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_ctl,
];

/// What an usher has beside those.
const USHER: &[i64] = &[libc::SYS_connect];

/// What a venue has beside those.
const VENUE: &[i64] = &[
    // Segments, streams, snapshots and days.
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_unlink,
    libc::SYS_rmdir,
    libc::SYS_getdents64,
    libc::SYS_fadvise64,
    // How far the clock is off: it cannot be set without a capability.
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    // The end of a process that was started before.
    libc::SYS_wait4,
    // Waiting for SIGTERM.
    libc::SYS_rt_sigtimedwait,
    // Threads that were started a moment ago and are not through with that.
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    // Rings that are there. What they may do was said when they were made, in `nic` and `journal`.
    libc::SYS_io_uring_enter,
];

/// What a keeper of tables has beside those.
const TABLES: &[i64] = &[
    // The journal, the streams, the database and its log.
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_getdents64,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_flock,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlink,
    libc::SYS_readlinkat,
    libc::SYS_getcwd,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_geteuid,
    // Folders of days, where landlock lets it make any.
    libc::SYS_mkdir,
];

/// What it has beside those where a server has the database.
const SERVER: &[i64] = &[
    libc::SYS_connect,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_ctl,
    libc::SYS_eventfd2,
];

/// What a desk has beside those.
const DESK: &[i64] = &[
    // To the ports that landlock leaves.
    libc::SYS_connect,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_ctl,
    // Waiting for SIGTERM.
    libc::SYS_rt_sigtimedwait,
    // Threads that were started a moment ago and are not through with that: a core, a name.
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    // Rings that are there, as a venue's.
    libc::SYS_io_uring_enter,
];

/// What a program that serves a database to strangers has beside those.
const API: &[i64] = &[
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_ctl,
    // The database and its log.
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_getcwd,
    libc::SYS_geteuid,
    // Folders of old days, with a file for each symbol.
    libc::SYS_getdents64,
    // Threads that were started a moment ago and are not through with that.
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
];

/// What a ring may be told: switch on, another socket of its table, cancel.
const RING_ACTS: [i32; 3] = [12, 6, 24];

impl Calls {
    /// Lets only these calls pass, in all threads, for good.
    ///
    /// # Errors
    /// The kernel refuses the filter.
    pub fn restrict(self) -> Result<(), SandboxError> {
        let told = |e: &dyn std::fmt::Display| SandboxError::new("seccomp", e);
        let program = self.program().map_err(|e| told(&e))?;
        apply_filter_all_threads(&program).map_err(|e| told(&e))
    }

    /// Lets only these calls pass, in the calling thread alone, for good.
    pub(crate) fn restrict_thread(self) -> Result<(), SandboxError> {
        let told = |e: &dyn std::fmt::Display| SandboxError::new("seccomp", e);
        let program = self.program().map_err(|e| told(&e))?;
        apply_filter(&program).map_err(|e| told(&e))
    }

    fn program(self) -> Result<BpfProgram, BackendError> {
        let (more, ruled) = match self {
            Self::Gateway => (GATEWAY, Ruled::new()),
            Self::Usher => (USHER, usher_rules()?),
            Self::Venue => (VENUE, venue_rules()?),
            Self::Tables => (TABLES, Vec::new()),
            Self::TablesAtServer => (TABLES, server_rules()?),
            Self::Desk => (DESK, desk_rules()?),
            Self::Api => (API, api_rules()?),
            Self::ApiWithFeed => (API, api_with_feed_rules()?),
            Self::ApiAtServer => (API, [api_rules()?, server_rules()?].concat()),
        };
        let dials: &[i64] = match self {
            Self::TablesAtServer | Self::ApiAtServer => SERVER,
            _ => &[],
        };
        let free = EVERY
            .iter()
            .chain(more)
            .chain(dials)
            .map(|call| (*call, Vec::new()));
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = free.chain(ruled).collect();
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            rules.insert(call, vec![rule(&[bits(2, libc::PROT_EXEC, 0)?])?]);
        }
        let blocking = rule(&[is(1, libc::FIONBIO as i32)?])?;
        rules.insert(libc::SYS_ioctl, vec![blocking]);
        let refused = SeccompAction::Errno(libc::EPERM as u32);
        let architecture = std::env::consts::ARCH.try_into()?;
        SeccompFilter::new(rules, refused, SeccompAction::Allow, architecture)?.try_into()
    }
}

/// Calls that are allowed with some arguments.
type Ruled = Vec<(i64, Vec<SeccompRule>)>;

/// Sockets of this host only.
fn usher_rules() -> Result<Ruled, BackendError> {
    let stream = bits(1, 0xF, libc::SOCK_STREAM)?;
    let unix = rule(&[is(0, libc::AF_UNIX)?, stream])?;
    Ok(vec![(libc::SYS_socket, vec![unix])])
}

/// Connections to a server and what waits for them, and a pair of sockets by which a process wakes
/// itself.
fn server_rules() -> Result<Ruled, BackendError> {
    let stream = || bits(1, 0xF, libc::SOCK_STREAM);
    let [four, six] =
        [libc::AF_INET, libc::AF_INET6].map(|family| rule(&[is(0, family)?, stream()?]));
    let ourselves = rule(&[is(0, libc::AF_UNIX)?])?;
    let ruled = [
        (libc::SYS_socket, vec![four?, six?]),
        (libc::SYS_socketpair, vec![ourselves]),
    ];
    let free = SERVER.iter().map(|call| (*call, Vec::new()));
    Ok(free.chain(ruled).collect())
}

/// Whether a process is there, and no signal that it would notice.
fn api_rules() -> Result<Ruled, BackendError> {
    Ok(vec![(libc::SYS_kill, vec![rule(&[is(1, 0)?])?])])
}

/// The same, and connections to be dialled.
fn api_with_feed_rules() -> Result<Ruled, BackendError> {
    let stream = bits(1, 0xF, libc::SOCK_STREAM)?;
    let internet = rule(&[is(0, libc::AF_INET)?, stream])?;
    let mut ruled = api_rules()?;
    ruled.push((libc::SYS_socket, vec![internet]));
    ruled.push((libc::SYS_connect, Vec::new()));
    Ok(ruled)
}

/// Rings that are there, and being nicer to others than before.
fn venue_rules() -> Result<Ruled, BackendError> {
    let ourselves = rule(&[is(0, libc::PRIO_PROCESS as i32)?, is(1, 0)?])?;
    Ok(vec![
        (libc::SYS_io_uring_register, ring_acts()?),
        (libc::SYS_setpriority, vec![ourselves]),
    ])
}

/// Rings that are there, connections to be dialled, and the core and the name of a thread by
/// itself.
fn desk_rules() -> Result<Ruled, BackendError> {
    let stream = bits(1, 0xF, libc::SOCK_STREAM)?;
    let internet = rule(&[is(0, libc::AF_INET)?, stream])?;
    let ourselves = rule(&[is(0, 0)?])?;
    let name = rule(&[is(0, libc::PR_SET_NAME)?])?;
    Ok(vec![
        (libc::SYS_io_uring_register, ring_acts()?),
        (libc::SYS_socket, vec![internet]),
        (libc::SYS_sched_setaffinity, vec![ourselves]),
        (libc::SYS_prctl, vec![name]),
    ])
}

fn ring_acts() -> Result<Vec<SeccompRule>, BackendError> {
    let act = |act: &i32| rule(&[is(1, *act)?]);
    RING_ACTS.iter().map(act).collect()
}

fn rule(conditions: &[SeccompCondition]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.to_vec())
}

/// The argument is that value.
fn is(argument: u8, value: i32) -> Result<SeccompCondition, BackendError> {
    let value = value as u32;
    SeccompCondition::new(
        argument,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Eq,
        value.into(),
    )
}

/// The argument's bits under a mask are those of a value.
fn bits(argument: u8, mask: i32, value: i32) -> Result<SeccompCondition, BackendError> {
    let mask = SeccompCmpOp::MaskedEq((mask as u32).into());
    let value = value as u32;
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, mask, value.into())
}
