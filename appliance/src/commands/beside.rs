//! `wirecross beside`: a desk that the venue of its topology starts, confined, with its key and its
//! strategies from stdin. Not for people: [`crate::venue`] calls it.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sandbox::{Calls, Confinement};

use super::desk;
use super::lines::LineArgs;
use crate::client::members::Login;
use crate::desk::file::DeskFile;
use crate::desk::models::unpack;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The user.
    #[arg(long)]
    login: String,
    /// Order entry of the venue.
    #[arg(long)]
    connect: SocketAddr,
    /// A line of its feed.
    #[arg(long)]
    line: SocketAddrV4,
    /// Address of the interface that it comes from.
    #[arg(long)]
    interface: Ipv4Addr,
    /// Where missing messages are asked for.
    #[arg(long)]
    rerequest: SocketAddrV4,
    /// Where snapshots are given.
    #[arg(long)]
    snapshot: Option<SocketAddr>,
    /// The desk's own folder.
    #[arg(long)]
    dir: PathBuf,
    /// Cores of the feed, strategy and orders threads.
    #[arg(long, value_delimiter = ',', num_args = 3)]
    cores: Option<Vec<usize>>,
    /// Keep what comes and what is decided.
    #[arg(long)]
    records: bool,
    /// Keep all rights of the process. For trying things out.
    #[arg(long)]
    insecure_dev: bool,
}

/// Runs until SIGTERM, or until whoever started it is gone.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match trade(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::failed("desk", error),
    }
}

fn trade(args: &Args) -> Result<(), String> {
    if args.insecure_dev {
        eprintln!("desk: INSECURE: --insecure-dev keeps all rights of the process");
    } else {
        confine(args)?;
    }
    // A desk that nobody watches any more would trade against the next one.
    // SAFETY: prctl(2) takes numbers here.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) };
    let mut handed = Vec::new();
    let read = std::io::stdin().read_to_end(&mut handed);
    read.map_err(|error| format!("stdin: {error}"))?;
    let end = handed.iter().position(|byte| *byte == b'\n');
    let (key, packed) = handed.split_at(end.ok_or("no key came by stdin")?);
    let key = std::str::from_utf8(key).map_err(|error| format!("stdin: {error}"))?;
    let (strategy, shelf) = unpack(&packed[1..])?;
    let file = DeskFile::parse(&strategy, &shelf);
    let file = file.map_err(|error| format!("desk.strategy: {error}"))?;
    let login = Login {
        user: args.login.clone(),
        password: key.to_owned(),
    };
    let mut lines = LineArgs::new(args.line, args.interface, args.rerequest);
    lines.snapshot = args.snapshot;
    let mut work = desk::Args::beside(args.connect, login, lines, &args.dir);
    work.cores.clone_from(&args.cores);
    if args.records {
        work.keep(records(&args.dir));
    }
    let walls = (!args.insecure_dev).then_some(Calls::Desk);
    desk::at_work(&work, &file, walls)
}

/// The first step: no file but those of its folder, no port but the venue's.
fn confine(args: &Args) -> Result<(), String> {
    let ports = std::iter::once(args.connect).chain(args.snapshot);
    let confinement = Confinement {
        folders: vec![args.dir.clone()],
        connect_ports: ports.map(|at| at.port()).collect(),
        takes_less: true,
        ..Confinement::default()
    };
    for missing in sandbox::settle(&confinement).map_err(|error| error.to_string())? {
        eprintln!("desk: WEAKER on this kernel: {missing}");
    }
    Ok(())
}

/// The files of this start: the first number that no earlier one took.
fn records(dir: &Path) -> [PathBuf; 2] {
    let of =
        |number: u32| ["session", "decisions"].map(|it| dir.join(format!("{it}-{number}.txt")));
    let is_free = |files: &[PathBuf; 2]| files.iter().all(|file| !file.exists());
    (1..u32::MAX).map(of).find(is_free).unwrap_or_else(|| of(0))
}
