//! The bpf system call: one structure a command, zero where we have nothing to say.

use std::os::fd::{FromRawFd, OwnedFd};

use crate::error::Error;

pub(crate) const MAP_CREATE: libc::c_int = 0;
pub(crate) const MAP_UPDATE: libc::c_int = 2;
pub(crate) const PROGRAM_LOAD: libc::c_int = 5;
pub(crate) const PROGRAM_TEST_RUN: libc::c_int = 10;
pub(crate) const LINK_CREATE: libc::c_int = 28;

pub(crate) const MAP_TYPE_HASH: u32 = 1;
pub(crate) const MAP_TYPE_XSK: u32 = 17;
pub(crate) const PROGRAM_TYPE_XDP: u32 = 6;
pub(crate) const ATTACH_XDP: u32 = 37;

/// Arguments of a command: the kernel reads them as bytes.
pub(crate) trait Arguments {}

#[derive(Default)]
#[repr(C)]
pub(crate) struct MapCreate {
    pub kind: u32,
    pub key_bytes: u32,
    pub value_bytes: u32,
    pub entries_max: u32,
    pub flags: u32,
}

#[derive(Default)]
#[repr(C)]
pub(crate) struct MapUpdate {
    pub map: u32,
    pub padding: u32,
    pub key: u64,
    pub value: u64,
    pub flags: u64,
}

#[derive(Default)]
#[repr(C)]
pub(crate) struct ProgramLoad {
    pub kind: u32,
    pub instruction_count: u32,
    pub instructions: u64,
    pub license: u64,
    pub log_level: u32,
    pub log_bytes: u32,
    pub log: u64,
    pub kernel_version: u32,
    pub flags: u32,
    pub name: [u8; 16],
    pub interface: u32,
    pub attach_type: u32,
}

#[derive(Default)]
#[repr(C)]
pub(crate) struct ProgramTestRun {
    pub program: u32,
    pub result: u32,
    pub data_in_bytes: u32,
    pub data_out_bytes: u32,
    pub data_in: u64,
    pub data_out: u64,
    pub repeat: u32,
    pub duration: u32,
}

#[derive(Default)]
#[repr(C)]
pub(crate) struct LinkCreate {
    pub program: u32,
    pub interface: u32,
    pub attach_type: u32,
    pub flags: u32,
}

impl Arguments for MapCreate {}
impl Arguments for MapUpdate {}
impl Arguments for ProgramLoad {}
impl Arguments for ProgramTestRun {}
impl Arguments for LinkCreate {}

/// Runs a command.
///
/// # Safety
/// The addresses in `arguments` are good for what the command does with them.
pub(crate) unsafe fn bpf<A: Arguments>(
    command: libc::c_int,
    arguments: &mut A,
    step: &'static str,
) -> Result<libc::c_long, Error> {
    let at: *mut A = arguments;
    // SAFETY: the structure is readable and writable for its size; the caller answers for the
    // addresses inside.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, at, size_of::<A>()) };
    if result < 0 {
        Err(Error::last(step))
    } else {
        Ok(result)
    }
}

/// As [`bpf`], for a command that gives a descriptor.
///
/// # Safety
/// See [`bpf`].
pub(crate) unsafe fn bpf_fd<A: Arguments>(
    command: libc::c_int,
    arguments: &mut A,
    step: &'static str,
) -> Result<OwnedFd, Error> {
    // SAFETY: the caller's promise is passed on.
    let fd = unsafe { bpf(command, arguments, step) }?;
    // SAFETY: the command gave a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}
