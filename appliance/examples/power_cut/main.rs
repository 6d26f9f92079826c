//! Cuts the power under a venue that trades, again and again, and demands that nothing that a
//! member was told is lost: for `cargo x power-cut`, which says what it is about.
//!
//! The venue is the program itself, its members trade over TCP, and the disk is real enough to
//! forget what was not flushed (see `disk`). A reply counts when a member read it before the cut.
//! Afterwards every acknowledged order must stand in the recovered log as it was sent; the started
//! venue must come to the state that follows from that log; and every reply must come again, byte
//! for byte.

mod disk;
mod faults;
mod log;
mod members;
mod random;
mod trial;
mod venue;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use disk::Disk;
use trial::{Ending, Trial};
use venue::{Kernel, Plan};

/// Cuts the power under a venue that trades.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program `wirecross`.
    #[arg(long)]
    program: PathBuf,
    /// Power cuts with all that the kernel offers, and half as many without io_uring.
    #[arg(long, default_value_t = 500)]
    cuts: u64,
    /// Power cuts of a venue whose flushes do nothing: half of them must lose something.
    #[arg(long, default_value_t = 40)]
    flushless: u64,
    /// Lives ended by SIGKILL.
    #[arg(long, default_value_t = 60)]
    kills: u64,
    /// Decides when what happens.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(error) = Disk::isolate() {
        println!("skipped: a mount namespace needs root: {error}");
        return ExitCode::SUCCESS;
    }
    match all(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("power-cut: {error}; seed {}", arguments.seed);
            ExitCode::FAILURE
        }
    }
}

fn all(arguments: &Arguments) -> Result<(), String> {
    // The venue becomes somebody else, who must pass here.
    let passable = Permissions::from_mode(0o711);
    let directory = tempfile::Builder::new().permissions(passable).tempdir();
    let directory = directory.map_err(|error| error.to_string())?;
    let disk = Disk::create(directory.path()).map_err(|error| format!("the disk: {error}"))?;
    let plan = Plan {
        program: arguments.program.clone(),
        directory: directory.path().to_path_buf(),
        data: disk.path().join("data"),
    };
    plan.write().map_err(|error| error.to_string())?;
    let plain = arguments.cuts / 3;
    let lives = [
        (
            "power cuts",
            Kernel::Whole,
            Ending::Cut,
            arguments.cuts - plain,
        ),
        (
            "power cuts without io_uring",
            Kernel::Plain,
            Ending::Cut,
            plain,
        ),
        ("kills", Kernel::Whole, Ending::Kill, arguments.kills),
    ];
    for (what, kernel, ending, count) in lives {
        let mut trial = Trial::new(plan.clone(), &disk, kernel, arguments.seed);
        kept(&mut trial, what, ending, count)?;
        trial.renew()?;
    }
    let mut trial = Trial::new(plan.clone(), &disk, Kernel::Flushless, arguments.seed);
    teeth(&mut trial, arguments.flushless)?;
    faults::all(&plan, &disk, arguments.seed)
}

/// Ends lives of which nothing may be lost.
fn kept(trial: &mut Trial<'_>, what: &str, ending: Ending, count: u64) -> Result<(), String> {
    let start = Instant::now();
    for life in 1..=count {
        trial
            .live(ending)
            .map_err(|error| format!("{what}, {life}: {error}"))?;
    }
    let (found, seconds) = (trial.counts, start.elapsed().as_secs_f64());
    println!(
        "{what}: {count} in {seconds:.1} s, {} of them while it started; {} orders \
         acknowledged, \
         {} replies read, {} orders under way when it ended, {} venues ended by themselves; \
         lost: 0",
        found.starts, found.acknowledged, found.replies, found.waiting, found.ends
    );
    Ok(())
}

/// The test has teeth: without flushes it finds losses.
fn teeth(trial: &mut Trial<'_>, count: u64) -> Result<(), String> {
    let mut other = None;
    while trial.counts.answered < count {
        if let Err(error) = trial.live(Ending::Cut) {
            other = Some(error);
            trial.renew()?;
        }
    }
    let found = trial.counts;
    println!(
        "power cuts without flushes: {} with an acknowledgement, {} of them lost some",
        found.answered, found.losses
    );
    if found.losses * 2 < found.answered {
        let last = other.unwrap_or_default();
        return Err(format!(
            "a venue that never flushes must lose orders: {last}"
        ));
    }
    Ok(())
}
