//! `wirecross watch`: starts the slow path's program, and again whenever it ends, while the venue
//! that started us lives. Not for people: [`crate::venue`] calls it.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How long one waits before a program that ended is started again: at first, and at most. Each
/// wait is twice the one before, until the program has lived for longer than the longest.
const AGAIN_MIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(60);
/// How long the program may take to end.
const END_MAX: Duration = Duration::from_secs(50);
/// Time between two looks at the program.
const LOOK: Duration = Duration::from_millis(20);

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The program.
    #[arg(long)]
    program: PathBuf,
    /// The venue's data directory.
    #[arg(long)]
    data_dir: PathBuf,
    /// The program's own folder.
    #[arg(long)]
    dir: PathBuf,
    /// The core it is to run on.
    #[arg(long)]
    core: Option<usize>,
    /// Let it keep its rights, too.
    #[arg(long)]
    insecure_dev: bool,
}

/// Runs until the other end of stdin is gone.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    unblock();
    let mut again = AGAIN_MIN;
    loop {
        let begun = Instant::now();
        let ended = match command(args).spawn() {
            Ok(child) => match watched(child) {
                Some(ended) => ended,
                None => return ExitCode::SUCCESS,
            },
            Err(error) => error.to_string(),
        };
        if begun.elapsed() > AGAIN_MAX {
            again = AGAIN_MIN;
        }
        let (program, seconds) = (args.program.display(), again.as_secs());
        eprintln!("wirecross: {program} ended: {ended}; it is started again in {seconds} s");
        if is_venue_gone(again) {
            return ExitCode::SUCCESS;
        }
        again = (again * 2).min(AGAIN_MAX);
    }
}

fn command(args: &Args) -> Command {
    let mut command = Command::new(&args.program);
    command.arg("serve");
    command.arg("--data-dir").arg(&args.data_dir);
    command.arg("--dir").arg(&args.dir);
    if let Some(core) = args.core {
        command.arg("--core").arg(core.to_string());
    }
    if args.insecure_dev {
        command.arg("--insecure-dev");
    }
    command.process_group(0).stdin(Stdio::null());
    command
}

/// How the program ended; `None` if the venue did, and the program behind it.
fn watched(mut child: Child) -> Option<String> {
    while !is_venue_gone(LOOK) {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.to_string()),
            Ok(None) => {}
            Err(error) => return Some(error.to_string()),
        }
    }
    end(child);
    None
}

/// Lets the program take what is left of the day, and ends it.
fn end(mut child: Child) {
    // SAFETY: kill(2) takes numbers; the child was not waited for, so the number is its own.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGTERM) };
    let begun = Instant::now();
    while begun.elapsed() < END_MAX {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(LOOK);
    }
    eprintln!(
        "wirecross: the slow path did not end in {} s and is killed; what is left of the day it \
         takes at the next start",
        END_MAX.as_secs()
    );
    // It ended meanwhile, or it does now.
    let _ = child.kill();
    let _ = child.wait();
}

/// Whether the other end of stdin is gone, now or within this time.
fn is_venue_gone(within: Duration) -> bool {
    let mut stdin = libc::pollfd {
        fd: libc::STDIN_FILENO,
        events: 0,
        revents: 0,
    };
    let milliseconds = within.as_millis() as libc::c_int;
    // SAFETY: `stdin` is one descriptor's record and outlives the call.
    let ready = unsafe { libc::poll(&raw mut stdin, 1, milliseconds) };
    ready > 0
}

/// The venue blocks signals in the thread that starts us, and that is inherited.
fn unblock() {
    // SAFETY: a signal set is plain data; `sigemptyset` makes it valid before it is read.
    let mut none: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `none` is ours for the duration of the call.
    unsafe { libc::sigemptyset(&raw mut none) };
    // SAFETY: `none` is initialised; the old mask is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) };
}
