//! Programs beside a venue: processes of other users, started here and watched by third ones.
//!
//! The venue itself gives up the right to start processes. So before that it starts the command
//! `watch` of this program as the other user, which starts the program, and again whenever that
//! ends. A pipe joins them: what each start of the program is to know comes first in it, and is in
//! no file. When the venue is gone, in whatever way, the watcher reads the end of the pipe, lets
//! the program end, and follows.

use super::StartError;
use super::walls::give;
use sandbox::Identity;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whom a program beside a venue is run as by a venue that was started as root, if the topology
/// does not say.
pub const BESIDE_USER_DEFAULT: &str = "daemon";

/// How much longer than its program the watcher may take.
const END_MORE: Duration = Duration::from_secs(10);
/// Time between two looks at a process that is ending.
const LOOK: Duration = Duration::from_millis(5);

/// What is to run beside a venue.
pub(super) struct Plan<'p> {
    /// In words.
    pub name: &'static str,
    /// Its section of the topology.
    pub section: &'static str,
    /// Whom it is run as.
    pub user: Option<&'p str>,
    /// Its folder, which is made and given to that user.
    pub dir: &'p Path,
    /// The program and its words.
    pub program: PathBuf,
    pub words: Vec<OsString>,
    /// What it reads at each start.
    pub handed: Vec<u8>,
    /// How long it may take to end.
    pub end_max: Duration,
}

/// The watcher of a running program; it goes with this value.
pub(super) struct Beside {
    name: &'static str,
    watcher: Child,
    end_max: Duration,
}

impl Beside {
    /// Starts the watcher; gives whose process it is, too.
    pub(super) fn start(plan: Plan<'_>) -> Result<(Self, String), StartError> {
        let ours = std::env::current_exe().map_err(|e| StartError::of("our program", &e))?;
        let dir = format!("{}.dir {}", plan.section, plan.dir.display());
        std::fs::create_dir_all(plan.dir).map_err(|e| StartError::of(&dir, &e))?;
        let mut command = Command::new(ours);
        command.args(watch_words(&plan));
        let mut name = "the user it was started as";
        if sandbox::is_root() {
            name = plan.user.unwrap_or(BESIDE_USER_DEFAULT);
            let key = format!("{}.user", plan.section);
            let to = Identity::of(name).map_err(|e| StartError::of(&key, &e))?;
            give(plan.dir, &to, 1).map_err(|e| StartError::of(&dir, &e))?;
            // Other groups of root's are left by that, too.
            command.uid(to.user).gid(to.group);
        }
        // What a terminal says to the venue is for the venue alone.
        command.process_group(0).stdin(Stdio::piped());
        command.stdout(Stdio::from(std::io::stderr()));
        let told = |e| StartError::of(plan.name, &e);
        let mut watcher = command.spawn().map_err(told)?;
        if let Some(pipe) = &mut watcher.stdin {
            pipe.write_all(&plan.handed).map_err(told)?;
        }
        let beside = Self {
            name: plan.name,
            watcher,
            end_max: plan.end_max + END_MORE,
        };
        Ok((beside, name.to_owned()))
    }

    /// Lets it end, now or since an earlier call; whether it has, or will not.
    pub(super) fn is_ended(&mut self) -> bool {
        drop(self.watcher.stdin.take());
        !matches!(self.watcher.try_wait(), Ok(None))
    }

    /// Waits until it has taken what is left, and has ended.
    pub(super) fn end(mut self) {
        let begun = Instant::now();
        while begun.elapsed() < self.end_max {
            if self.is_ended() {
                return;
            }
            std::thread::sleep(LOOK);
        }
        let (name, seconds) = (self.name, self.end_max.as_secs());
        eprintln!("wirecross: the {name} did not end in {seconds} s and is left to itself");
    }
}

fn watch_words(plan: &Plan<'_>) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["watch".into()];
    let numbers = [
        ("--end-s", plan.end_max.as_secs()),
        ("--handed", plan.handed.len() as u64),
    ];
    for (name, number) in numbers {
        words.extend([name.into(), number.to_string().into()]);
    }
    words.extend(["--name".into(), plan.name.into()]);
    words.extend([plan.program.clone().into(), "--".into()]);
    words.extend(plan.words.iter().cloned());
    words
}
