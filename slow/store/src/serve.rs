//! The service beside a venue: tables that follow it, in a process that can do nothing else.

use clap::Args;
use rustix::process::{Signal, set_parent_process_death_signal, setpriority_process};
use sandbox::{Calls, Confinement};
use std::ffi::OsString;
use std::path::PathBuf;
use store::{Error, Following, Location, handed_password};

/// The database of a service, in its folder.
pub const DATABASE: &str = "tables.db";

/// How far behind others the service stands where it shares a core.
const NICE: i32 = 10;

/// Arguments.
#[derive(Args)]
pub struct Service {
    /// The venue's data directory.
    #[arg(long)]
    data_dir: PathBuf,
    /// The folder of the tables, which must be there: `tables.db` is made in it.
    #[arg(long)]
    dir: PathBuf,
    /// A server that has the tables instead: `postgres://user@address:port/name`, with an address
    /// of numbers.
    #[arg(long)]
    database: Option<OsString>,
    /// The server's password comes by stdin.
    #[arg(long, requires = "database")]
    password: bool,
    /// The core to run on.
    #[arg(long)]
    core: Option<usize>,
    /// Keep all rights of the process. For trying things out.
    #[arg(long)]
    insecure_dev: bool,
}

/// Follows the venue until SIGTERM, or until whoever started the service is gone.
pub fn serve(service: &Service) -> Result<(), Error> {
    let refused = |error: &dyn std::fmt::Display| Error::Refused(error.to_string());
    // Who may not be nicer to others serves all the same.
    let _ = setpriority_process(None, NICE);
    if let Some(id) = service.core
        && !core_affinity::set_for_current(core_affinity::CoreId { id })
    {
        eprintln!("wirecross-slow: core {id} was refused; the service runs unpinned");
    }
    // A service that nobody watches any more would hold its database against the next one.
    set_parent_process_death_signal(Some(Signal::TERM)).map_err(|e| refused(&e))?;
    let location = location(service)?;
    #[cfg(feature = "history")]
    let keeping = super::history_command::settings(&service.dir)?;
    #[cfg(feature = "history")]
    let homes = keeping.iter().map(|it| it.dir.clone()).collect();
    #[cfg(not(feature = "history"))]
    let homes = Vec::new();
    let port = location.port()?;
    if service.insecure_dev {
        eprintln!("wirecross-slow: INSECURE: --insecure-dev keeps all rights of the process");
    } else {
        let confinement = Confinement {
            readable: vec![service.data_dir.clone()],
            folders: vec![service.dir.clone()],
            homes,
            connect_ports: port.into_iter().collect(),
            takes_less: true,
            ..Confinement::default()
        };
        let calls = match port {
            None => Calls::Tables,
            Some(_) => Calls::TablesAtServer,
        };
        for missing in sandbox::enter(&confinement, calls).map_err(|e| refused(&e))? {
            eprintln!("wirecross-slow: WEAKER on this kernel: {missing}");
        }
    }
    super::follow(Following {
        data_dir: service.data_dir.clone(),
        location,
        #[cfg(feature = "history")]
        keeping,
    })
}

/// Where the tables are; what is needed to reach them is read before the walls are up.
fn location(service: &Service) -> Result<Location, Error> {
    let Some(database) = &service.database else {
        return Ok(Location::File(service.dir.join(DATABASE)));
    };
    let location = Location::read(database)?;
    if !service.password {
        return Ok(location);
    }
    Ok(location.with_password(&handed_password()?))
}
