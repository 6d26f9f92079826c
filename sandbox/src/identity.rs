//! Who the process is: its user, its capabilities, and who may look into it.

use crate::SandboxError;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getuid, set_dumpable_behavior, setrlimit,
};
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, Gid, Uid,
    remove_capability_from_bounding_set, set_capabilities, set_capabilities_secure_bits,
    set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a thread that was joined may still be listed, and how often that is looked at.
const JOINED_MAX: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(1);

/// A user of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Number of the user; never root's.
    pub user: u32,
    /// Number of the group.
    pub group: u32,
}

/// There is no such user.
#[derive(Debug)]
pub struct IdentityError(String);

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for IdentityError {}

impl Identity {
    /// The user of a name in `/etc/passwd`.
    ///
    /// # Errors
    /// It is not there, or is root.
    pub fn of(name: &str) -> Result<Self, IdentityError> {
        let path = Path::new("/etc/passwd");
        let told = |what: &dyn fmt::Display| {
            IdentityError(format!("user {name}: {}: {what}", path.display()))
        };
        let text = std::fs::read_to_string(path).map_err(|e| told(&e))?;
        let found = text.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(name)).then_some(())?;
            let user = fields.nth(1)?.parse().ok()?;
            let group = fields.next()?.parse().ok()?;
            Some(Self { user, group })
        });
        match found {
            Some(identity) if identity.user > 0 => Ok(identity),
            Some(_) => Err(told(&"is root, who is not given up so")),
            None => Err(told(&"no such user")),
        }
    }
}

/// Whether the process is root's.
#[must_use]
pub fn is_root() -> bool {
    getuid().is_root()
}

/// No core is written, and nobody but root attaches.
pub(crate) fn forbid_cores() -> Result<(), SandboxError> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(|e| SandboxError::new("no core", e))
}

/// Memory may be locked by whom root becomes as root may, as far as this root may say so: in a
/// container it may not, and there it locks what the limit allows.
pub(crate) fn allow_locking() {
    let any = Rlimit {
        current: None,
        maximum: None,
    };
    let _ = setrlimit(Resource::Memlock, any);
}

/// There is one thread: who a thread is, and what it reaches, is a thread's own affair. One that
/// was joined is listed for another moment.
pub(crate) fn is_alone() -> Result<(), SandboxError> {
    let deadline = Instant::now() + JOINED_MAX;
    loop {
        let names = threads().map_err(|e| SandboxError::new("threads", e))?;
        if names.len() == 1 {
            return Ok(());
        }
        if Instant::now() > deadline {
            let reason = format!("there are some already: {}", names.join(", "));
            return Err(SandboxError::new("one thread", reason));
        }
        std::thread::sleep(LOOK);
    }
}

/// The names of our threads. The kernel's own, of rings, do not count: they act with the rights of
/// whoever asks them.
fn threads() -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for task in std::fs::read_dir("/proc/self/task")? {
        // One that ended meanwhile has no name.
        if let Ok(name) = std::fs::read_to_string(task?.path().join("comm"))
            && !name.starts_with("iou-")
        {
            names.push(name.trim_end().to_owned());
        }
    }
    Ok(names)
}

/// Becomes somebody, without capabilities, for good.
pub(crate) fn become_one(identity: Option<&Identity>) -> Result<(), SandboxError> {
    if is_root() {
        let Some(identity) = identity else {
            let reason = "started as root, and no other user is named";
            return Err(SandboxError::new("another user", reason));
        };
        leave_root(identity)?;
    }
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).map_err(|e| SandboxError::new("no capabilities", e))?;
    set_no_new_privs(true).map_err(|e| SandboxError::new("no new rights", e))?;
    // Becoming another user may have made it so; what was started as one is not.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|e| SandboxError::new("not to be looked into", e))
}

fn leave_root(identity: &Identity) -> Result<(), SandboxError> {
    let told = |step| move |e: rustix::io::Errno| SandboxError::new(step, e);
    for capability in CapabilitySet::all().iter() {
        // Those that this kernel does not know need not be left.
        match remove_capability_from_bounding_set(capability) {
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(error) => return Err(SandboxError::new("no capabilities to come", error)),
        }
    }
    let bits = CapabilitiesSecureBits::NO_ROOT | CapabilitiesSecureBits::NO_ROOT_LOCKED;
    set_capabilities_secure_bits(bits).map_err(told("root without meaning"))?;
    set_thread_groups(&[]).map_err(told("no groups"))?;
    let group = Gid::from_raw(identity.group);
    set_thread_res_gid(group, group, group).map_err(told("another group"))?;
    let user = Uid::from_raw(identity.user);
    set_thread_res_uid(user, user, user).map_err(told("another user"))
}
