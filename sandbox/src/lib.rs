//! What a process gives up after its start, and never gets back.
//!
//! Two steps, when all that needs rights was done. [`settle`], called by the only thread:
//!
//! - the process is another user, without capabilities, and can become nobody else;
//! - it reaches no file but those below the folders that were named (landlock);
//! - it connects to no TCP port, and binds none, but those that were named (landlock);
//! - it leaves no core behind, and cannot be looked into.
//!
//! [`Calls::restrict`], when all threads are started: the process has the system calls of its kind
//! of program and no others (seccomp): no process, no namespace, no other memory, nothing
//! executable, and no new io_uring, which would go around the filter. [`enter`] is both at once,
//! for a program of one thread.
//!
//! A call that is not allowed fails with EPERM. Whatever of this cannot be had is an error: a
//! process that cannot be confined does not run.
#![deny(unsafe_code)]

mod calls;
mod files;
mod identity;
mod probe;

pub use calls::Calls;
pub use identity::{Identity, IdentityError, is_root};
pub use probe::Probe;

use std::fmt;
use std::path::PathBuf;

/// What remains allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Folders below which files may be made, read and written.
    pub folders: Vec<PathBuf>,
    /// Folders below which files may be read.
    pub readable: Vec<PathBuf>,
    /// Folders below which folders and sockets may be made and removed, too.
    pub homes: Vec<PathBuf>,
    /// TCP ports that may be bound; 0 for one that the system chooses.
    pub bind_ports: Vec<u16>,
    /// TCP ports that may be connected to, at any address.
    pub connect_ports: Vec<u16>,
    /// Who the process becomes; a process of root's must become somebody.
    pub identity: Option<Identity>,
    /// Less of landlock will do, from Linux 6.2 on.
    pub takes_less: bool,
    /// Memory may still be locked by whom root becomes.
    pub locks_memory: bool,
}

/// A step that could not be done: the process must end.
#[derive(Debug)]
pub struct SandboxError {
    step: &'static str,
    reason: String,
}

impl SandboxError {
    fn new(step: &'static str, reason: impl fmt::Display) -> Self {
        let reason = reason.to_string();
        Self { step, reason }
    }
}

impl fmt::Display for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot be confined: {}: {}", self.step, self.reason)
    }
}

impl std::error::Error for SandboxError {}

/// Confines a process of one thread, calls and all.
///
/// # Errors
/// A step cannot be done. Some were: end the process.
pub fn enter(confinement: &Confinement, calls: Calls) -> Result<Vec<&'static str>, SandboxError> {
    let missing = settle(confinement)?;
    calls.restrict()?;
    Ok(missing)
}

/// Confines a process of one thread, but for its calls. Gives what this kernel does not know of it,
/// where less will do.
///
/// # Errors
/// As [`enter`].
pub fn settle(confinement: &Confinement) -> Result<Vec<&'static str>, SandboxError> {
    identity::is_alone()?;
    identity::forbid_cores()?;
    if confinement.locks_memory && is_root() {
        identity::allow_locking();
    }
    // Opened as who we are; in force at the end.
    let files = files::Files::open(confinement)?;
    identity::become_one(confinement.identity.as_ref())?;
    files.restrict(confinement.takes_less)
}
