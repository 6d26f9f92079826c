//! `wirecross-fix`: FIX 4.4 order entry before a venue.
#![forbid(unsafe_code)]

use clap::Parser;
use fix::config::Config;
use fix::gateway::Gateway;
use sandbox::{Calls, Confinement, Identity};
use std::error::Error;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::ExitCode;
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
}

fn main() -> ExitCode {
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
    enter_folder(&mut config, identity)?;
    let confinement = Confinement {
        folders: vec![config.data_dir.clone()],
        connect_ports: vec![config.venue.port()],
        identity,
        ..Confinement::default()
    };
    let listen = config.listen;
    let mut gateway = Gateway::open(config).map_err(|error| format!("{listen}: {error}"))?;
    if arguments.insecure_dev {
        eprintln!("wirecross-fix: INSECURE: --insecure-dev keeps all rights of this process");
    } else {
        sandbox::enter(&confinement, Calls::Gateway)?;
    }
    println!("FIX 4.4 at {}", gateway.address()?);
    gateway.run(&is_stopped)?;
    println!("stopped");
    Ok(())
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
