//! What `wirecross-fix` does: two processes, of which the one hears strangers and connects to
//! nobody, and the other connects for it and hears nobody.

use crate::config::Config;
use crate::gateway::Gateway;
use clap::Parser;
use door::{Usher, usher};
use footprint::Teller;
use sandbox::{Calls, Confinement, Identity};
use std::error::Error;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// FIX 4.4 order entry before a venue. Members log on with their name and password at the venue.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The settings, as docs/fix.md lists them.
    config: PathBuf,
    /// Keep every right that the process was started with. For trying things out: whoever breaks
    /// into the gateway then has them, too.
    #[arg(long)]
    insecure_dev: bool,
    /// Be the process that calls the venue, for the gateway at the other end of stdin.
    #[arg(long, hide = true)]
    usher: bool,
}

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wirecross-fix: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut config = Config::load(&arguments.config)?;
    let is_stopped = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&is_stopped))?;
    }
    let identity = config.user.as_deref().map(Identity::of).transpose()?;
    if arguments.usher {
        return serve(arguments, &config, identity);
    }
    let usher = usher_started(arguments)?;
    enter_folder(&mut config, identity)?;
    let confinement = Confinement {
        folders: vec![config.data_dir.clone()],
        identity,
        ..Confinement::default()
    };
    let teller = Teller::open(&config.data_dir, &[])?;
    let (listen, log) = (config.listen, config.log);
    let mut gateway = Gateway::open(config, usher).map_err(|error| format!("{listen}: {error}"))?;
    if arguments.insecure_dev {
        eprintln!("wirecross-fix: INSECURE: --insecure-dev keeps all rights of this process");
    } else {
        sandbox::settle(&confinement)?;
    }
    let _log = logs::start("wirecross-fix", log, None)?;
    let _telling = teller.start(footprint::EVERY)?;
    if !arguments.insecure_dev {
        Calls::Gateway.restrict()?;
    }
    logs::tell(format_args!("FIX 4.4 at {}", gateway.address()?));
    gateway.run(&is_stopped)?;
    logs::tell(format_args!("stopped"));
    Ok(())
}

/// Starts the other process, and waits until it has given up what it does not need.
fn usher_started(arguments: &Arguments) -> Result<Usher, Box<dyn Error>> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(&arguments.config).arg("--usher");
    if arguments.insecure_dev {
        command.arg("--insecure-dev");
    }
    command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
    // Nobody waits for it: who hears strangers cannot, and it ends with us.
    command.spawn()?;
    // Ours is the only copy of the other end now, so that its end is seen.
    drop(command);
    Usher::ready(ours).map_err(|error| format!("the usher's process: {error}").into())
}

/// The other process: it outlives signals, and ends with the gateway.
fn serve(
    arguments: &Arguments,
    config: &Config,
    identity: Option<Identity>,
) -> Result<(), Box<dyn Error>> {
    let line = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    if !arguments.insecure_dev {
        let confinement = Confinement {
            identity,
            ..Confinement::default()
        };
        sandbox::enter(&confinement, Calls::Usher)?;
    }
    Ok(usher(&line, &config.venue)?)
}

/// Makes the folder of numbers and stays in it: whom the process becomes need not reach it
/// otherwise.
fn enter_folder(config: &mut Config, identity: Option<Identity>) -> Result<(), Box<dyn Error>> {
    let folder = std::mem::replace(&mut config.data_dir, ".".into());
    let told = |error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(told)?;
    std::env::set_current_dir(&folder).map_err(told)?;
    if let (true, Some(identity)) = (sandbox::is_root(), identity) {
        let (user, group) = (Some(identity.user), Some(identity.group));
        chown(".", user, group).map_err(told)?;
        for entry in std::fs::read_dir(".").map_err(told)? {
            chown(entry.map_err(told)?.path(), user, group).map_err(told)?;
        }
    }
    Ok(())
}
