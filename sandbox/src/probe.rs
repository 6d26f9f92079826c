//! What of the walls this kernel has: tried by a thread of its own, with which all of it goes.

use crate::files::Files;
use crate::{Calls, Confinement, SandboxError};
use rustix::thread::set_no_new_privs;

/// What a thread of this process could give up.
#[derive(Debug)]
pub struct Probe {
    /// The right to get new rights.
    pub new_rights: Result<(), SandboxError>,
    /// Files and ports, with what this kernel has not of that.
    pub landlock: Result<Vec<&'static str>, SandboxError>,
    /// System calls.
    pub seccomp: Result<(), SandboxError>,
}

impl Probe {
    /// Tries; the process keeps everything.
    ///
    /// # Errors
    /// There can be no thread.
    pub fn take() -> Result<Self, SandboxError> {
        let told = |what: &str| SandboxError::new("a thread to try it", what);
        let thread = std::thread::Builder::new().spawn(Self::tried);
        let thread = thread.map_err(|e| told(&e.to_string()))?;
        thread.join().map_err(|_| told("it panicked"))
    }

    /// On a thread that ends behind it. The rules of files and the filter hold for it alone.
    fn tried() -> Self {
        let new_rights = set_no_new_privs(true).map_err(|e| SandboxError::new("no new rights", e));
        let landlock = Files::open(&Confinement::default());
        Self {
            new_rights,
            landlock: landlock.and_then(|files| files.restrict(true)),
            seccomp: Calls::Venue.restrict_thread(),
        }
    }
}
