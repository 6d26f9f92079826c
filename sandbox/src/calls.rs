//! Which system calls remain: seccomp.

use crate::SandboxError;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter,
};
use std::collections::BTreeMap;

/// Calls that are allowed whatever their arguments. What they reach is bounded by what is open and
/// by landlock.
const ALLOWED: &[i64] = &[
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
    libc::SYS_connect,
    libc::SYS_shutdown,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_ctl,
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

/// Lets only [`ALLOWED`] and what is allowed with some arguments pass.
pub(crate) fn restrict() -> Result<(), SandboxError> {
    let program = program().map_err(|e| SandboxError::new("seccomp", e))?;
    apply_filter(&program).map_err(|e| SandboxError::new("seccomp", e))
}

fn program() -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![rule(&[bits(2, libc::PROT_EXEC, 0)?])?]);
    }
    let stream = || bits(1, 0xF, libc::SOCK_STREAM);
    let inet = vec![
        rule(&[is(0, libc::AF_INET)?, stream()?])?,
        rule(&[is(0, libc::AF_INET6)?, stream()?])?,
    ];
    rules.insert(libc::SYS_socket, inet);
    let blocking = rule(&[is(1, libc::FIONBIO as i32)?])?;
    rules.insert(libc::SYS_ioctl, vec![blocking]);
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, refused, SeccompAction::Allow, architecture)?.try_into()
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
