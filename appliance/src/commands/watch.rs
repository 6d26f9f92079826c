//! `wirecross watch`: starts a program beside a venue, and again whenever it ends, while the venue
//! that started us lives. Not for people: [`crate::venue`] calls it.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How long one waits before a program that ended is started again: at first, and at most. Each
/// wait is twice the one before, until the program has lived for longer than the longest.
const AGAIN_MIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(60);
/// Time between two looks at the program.
const LOOK: Duration = Duration::from_millis(20);

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the program is, in words.
    #[arg(long)]
    name: String,
    /// How long the program may take to end.
    #[arg(long)]
    end_s: u64,
    /// Bytes at the beginning of stdin that each start of the program reads.
    #[arg(long, default_value_t = 0)]
    handed: usize,
    /// The program.
    program: PathBuf,
    /// Its words.
    #[arg(last = true)]
    words: Vec<OsString>,
}

/// Runs until the other end of stdin is gone.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    unblock();
    let mut handed = vec![0; args.handed];
    if std::io::stdin().read_exact(&mut handed).is_err() {
        // The venue is gone before it began.
        return ExitCode::SUCCESS;
    }
    let mut again = AGAIN_MIN;
    loop {
        let begun = Instant::now();
        let ended = match spawn(args, &handed) {
            Ok(child) => match watched(child, args) {
                Some(ended) => ended,
                None => return ExitCode::SUCCESS,
            },
            Err(error) => error.to_string(),
        };
        if begun.elapsed() > AGAIN_MAX {
            again = AGAIN_MIN;
        }
        let (name, seconds) = (&args.name, again.as_secs());
        eprintln!("wirecross: the {name} ended: {ended}; it is started again in {seconds} s");
        if is_venue_gone(again) {
            return ExitCode::SUCCESS;
        }
        again = (again * 2).min(AGAIN_MAX);
    }
}

/// Starts the program and hands it what it is to read.
fn spawn(args: &Args, handed: &[u8]) -> std::io::Result<Child> {
    let mut command = Command::new(&args.program);
    command.args(&args.words).process_group(0);
    command.stdin(match handed {
        [] => Stdio::null(),
        _ => Stdio::piped(),
    });
    let mut child = command.spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        // One that ended before it read says itself why.
        let _ = pipe.write_all(handed);
    }
    Ok(child)
}

/// How the program ended; `None` if the venue did, and the program behind it.
fn watched(mut child: Child, args: &Args) -> Option<String> {
    while !is_venue_gone(LOOK) {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.to_string()),
            Ok(None) => {}
            Err(error) => return Some(error.to_string()),
        }
    }
    end(child, args);
    None
}

/// Lets the program take what is left, and ends it.
fn end(mut child: Child, args: &Args) {
    // SAFETY: kill(2) takes numbers; the child was not waited for, so the number is its own.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGTERM) };
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(args.end_s) {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(LOOK);
    }
    eprintln!(
        "wirecross: the {} did not end in {} s and is killed; what is left it takes at the next \
         start",
        args.name, args.end_s
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
