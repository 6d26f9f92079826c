//! What a process gives up after its start, and never gets back.
//!
//! [`enter`] is called once, by the only thread, when all that needs rights was done. Behind it:
//!
//! - the process is another user, without capabilities, and can become nobody else;
//! - it reaches no file but those below the folders that were named (landlock);
//! - it binds no port and connects to none but those that were named (landlock);
//! - it has the system calls of a network program that writes files, and no others (seccomp): no
//!   process, no namespace, no other memory, nothing executable, and no io_uring, which would go
//!   around the filter;
//! - it leaves no core behind, and cannot be looked into.
//!
//! A call that is not allowed fails with EPERM. Whatever of this cannot be had is an error: a
//! process that cannot be confined does not run.
#![deny(unsafe_code)]

mod calls;
mod files;
mod identity;

pub use identity::{Identity, IdentityError, is_root};

use std::fmt;
use std::path::PathBuf;

/// What remains allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Folders below which files may be made, read and written.
    pub folders: Vec<PathBuf>,
    /// TCP ports that may be connected to.
    pub connect_ports: Vec<u16>,
    /// Who the process becomes; a process of root's must become somebody.
    pub identity: Option<Identity>,
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

/// Confines the process; call it while it has one thread.
///
/// # Errors
/// A step cannot be done. Some were: end the process.
pub fn enter(confinement: &Confinement) -> Result<(), SandboxError> {
    identity::forbid_cores()?;
    // Opened as who we are; in force at the end.
    let files = files::Files::open(confinement)?;
    identity::become_one(confinement.identity.as_ref())?;
    files.restrict()?;
    calls::restrict()
}
