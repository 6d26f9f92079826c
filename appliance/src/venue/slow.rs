//! The slow path beside a venue: a process of another user, started here and watched by a third
//! one.
//!
//! The venue itself gives up the right to start processes. So before that it starts the command
//! `watch` of this program as the other user, which starts `wirecross-slow`, and again whenever
//! that ends. A pipe joins them: when the venue is gone, in whatever way, the watcher reads its
//! end, lets `wirecross-slow` take what is left of the day, and follows.

use super::StartError;
use super::walls::give;
use crate::topology::{Slow, Topology};
use sandbox::Identity;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whom the slow path is run as by a venue that was started as root, if the topology does not say.
pub const SLOW_USER_DEFAULT: &str = "daemon";

/// The program that makes the tables.
const SLOW_PROGRAM: &str = "wirecross-slow";

/// How long the slow path may take at the venue's end.
const END_MAX: Duration = Duration::from_secs(60);
/// Time between two looks at a process that is ending.
const LOOK: Duration = Duration::from_millis(5);

/// The watcher of a running slow path; it goes with this value.
pub(super) struct SlowPath(Child);

impl SlowPath {
    /// Starts the watcher, if the topology has a slow path. What is told of it goes to `modes`.
    pub(super) fn start(
        topology: &Topology,
        is_confined: bool,
        modes: &mut Vec<String>,
    ) -> Result<Option<Self>, StartError> {
        let Some(slow) = &topology.slow else {
            return Ok(None);
        };
        let ours = std::env::current_exe().map_err(|e| StartError::of("our program", &e))?;
        let program = slow.program.clone().map_or_else(slow_program, present)?;
        let dir = format!("slow.dir {}", slow.dir.display());
        std::fs::create_dir_all(&slow.dir).map_err(|e| StartError::of(&dir, &e))?;
        let mut command = Command::new(ours);
        command.args(arguments(topology, slow, &program));
        if !is_confined {
            command.arg("--insecure-dev");
        }
        let mut name = "the user it was started as";
        if sandbox::is_root() {
            name = slow.user.as_deref().unwrap_or(SLOW_USER_DEFAULT);
            let to = Identity::of(name).map_err(|e| StartError::of("slow.user", &e))?;
            give(&slow.dir, &to, 1).map_err(|e| StartError::of(&dir, &e))?;
            // Other groups of root's are left by that, too.
            command.uid(to.user).gid(to.group);
        }
        // What a terminal says to the venue is for the venue alone.
        command.process_group(0).stdin(Stdio::piped());
        command.stdout(Stdio::from(std::io::stderr()));
        let child = command
            .spawn()
            .map_err(|e| StartError::of("slow path", &e))?;
        modes.push(format!(
            "slow path: {} as {name}, tables in {}",
            program.display(),
            slow.dir.display()
        ));
        Ok(Some(Self(child)))
    }

    /// Waits until the slow path has what is left of the day and has ended.
    pub(super) fn end(mut self) {
        drop(self.0.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < END_MAX {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(LOOK);
        }
        let seconds = END_MAX.as_secs();
        eprintln!("wirecross: the slow path did not end in {seconds} s and is left to itself");
    }
}

/// The program beside ours.
///
/// # Errors
/// It is not there.
pub fn slow_program() -> Result<PathBuf, StartError> {
    let ours = std::env::current_exe().map_err(|e| StartError::of("our program", &e))?;
    present(ours.with_file_name(SLOW_PROGRAM))
}

fn present(program: PathBuf) -> Result<PathBuf, StartError> {
    if program.is_file() {
        return Ok(program);
    }
    Err(StartError::new(format!(
        "slow.program: {} is not there; `cargo build --release -p store` makes it, or leave the \
         section [slow] out",
        program.display()
    )))
}

fn arguments(topology: &Topology, slow: &Slow, program: &Path) -> Vec<std::ffi::OsString> {
    let paths = [
        ("--program", program),
        ("--data-dir", &topology.data_dir),
        ("--dir", &slow.dir),
    ];
    let mut words = vec!["watch".into()];
    for (name, path) in paths {
        words.extend([name.into(), path.into()]);
    }
    if let Some(core) = slow.core {
        words.extend(["--core".into(), core.to_string().into()]);
    }
    words
}
