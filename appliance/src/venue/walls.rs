//! What the venue's process gives up when it starts; docs/sandbox.md tells it all.
//!
//! In two steps, because who a thread is and which files it reaches is its own affair, while calls
//! are forbidden to all threads at once: [`Walls::settle`] comes when all ports are open and before
//! the first further thread, [`Walls::close`] when the last thread has its core.

use super::StartError;
use crate::topology::Topology;
use queue::CounterSet;
use sandbox::{Calls, Confinement, Identity, SandboxError};
use std::fmt::Write;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

/// Whom a venue becomes that was started as root, if the topology does not say.
pub const USER_DEFAULT: &str = "nobody";

/// What is raised while a venue runs without walls.
pub const INSECURE_COUNTER: &str = "venue.insecure";

/// What is said at start, and by every command that looks at such a venue.
pub const INSECURE: &str = "INSECURE: the venue runs with --insecure-dev and keeps all rights of \
                            its process: whoever breaks into it has them, too; for trying things \
                            out only";

/// How deep files lie in a data directory: those of days.
const DEPTH_MAX: usize = 2;

/// A process that is being confined, or not.
pub(super) struct Walls {
    is_up: bool,
}

impl Walls {
    /// Makes the process the venue's own: another user, if it is root's, that reaches the data
    /// directory and nothing else. What is told of it goes to `modes`.
    pub(super) fn settle(
        topology: &Topology,
        is_up: bool,
        (set, modes): (&mut CounterSet, &mut Vec<String>),
    ) -> Result<Self, StartError> {
        let mut insecure = set
            .counter(INSECURE_COUNTER)
            .map_err(|e| StartError::of("counters", &e))?;
        insecure.set(u64::from(!is_up));
        if is_up {
            modes.push(confined(topology)?);
        } else {
            modes.push(INSECURE.to_owned());
        }
        Ok(Self { is_up })
    }

    /// Leaves the process the calls that its tiles use, and no others.
    pub(super) fn close(&self) -> Result<(), StartError> {
        let told = |e: SandboxError| StartError::new(e.to_string());
        if self.is_up {
            Calls::Venue.restrict().map_err(told)?;
        }
        Ok(())
    }
}

/// The first step; in words.
fn confined(topology: &Topology) -> Result<String, StartError> {
    let told = |e: SandboxError| {
        StartError::new(format!(
            "{e}; docs/sandbox.md says what a host must have; --insecure-dev does without, in a \
             laboratory"
        ))
    };
    let data_dir = &topology.data_dir;
    let mut identity = None;
    let mut name = "the user it was started as";
    if sandbox::is_root() {
        name = topology.sandbox.user.as_deref().unwrap_or(USER_DEFAULT);
        let found = Identity::of(name).map_err(|e| StartError::of("sandbox.user", &e))?;
        let given = fs::canonicalize(data_dir).and_then(|it| give(&it, &found, DEPTH_MAX));
        given.map_err(|e| {
            let path = data_dir.display();
            StartError::of(&format!("giving {path} to user {name}"), &e)
        })?;
        identity = Some(found);
    }
    let confinement = Confinement {
        homes: vec![data_dir.clone()],
        bind_ports: topology.feed.snapshot.iter().map(|at| at.port()).collect(),
        identity,
        takes_less: true,
        locks_memory: true,
        ..Confinement::default()
    };
    let missing = sandbox::settle(&confinement).map_err(told)?;
    fs::read_dir(data_dir).map_err(|e| {
        StartError::new(format!(
            "user {name} cannot reach {}: {e}; let others pass the folders above it (chmod o+x), \
             or name another `sandbox.user` or `data_dir`",
            data_dir.display()
        ))
    })?;
    let mut text = format!(
        "sandbox: {name}, no capabilities, no files but the data directory's, the calls of tiles \
         only"
    );
    for what in missing {
        // Writing to a String cannot fail.
        let _ = write!(text, "; WEAKER on this kernel: {what}");
    }
    Ok(text)
}

/// Makes a user the owner of a folder and of what lies in it. What is no file and no folder of
/// ours, or a file with a second name elsewhere, is left alone: somebody else may have put it
/// there.
pub(super) fn give(path: &Path, to: &Identity, depth: usize) -> io::Result<()> {
    let about = fs::symlink_metadata(path)?;
    let is_folder = about.is_dir();
    if !is_folder && (!about.is_file() || about.nlink() > 1) {
        return Ok(());
    }
    if (about.uid(), about.gid()) != (to.user, to.group) {
        lchown(path, Some(to.user), Some(to.group))?;
    }
    if is_folder && depth > 0 {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), to, depth - 1)?;
        }
    }
    Ok(())
}
