//! The service beside a venue: tables that follow it, in a process that can do nothing else.

use super::places::{Place, Tables};
use clap::Args;
use footprint::Teller;
use rustix::process::{Signal, set_parent_process_death_signal, setpriority_process};
use sandbox::{Calls, Confinement};
use std::ffi::OsString;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::time::Duration;
use store::{Error, Following, handed_password};

/// The database of a service, in its folder.
pub const DATABASE: &str = "tables.db";

/// What the program is called in its log.
pub const PROGRAM: &str = "wirecross-slow";

/// What is a slow turn, in milliseconds, unless that is said.
pub const SLOW_MS: u64 = 10_000;

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
    /// A routing table of such servers: each shard gets the rows that belong to it.
    #[arg(long, conflicts_with = "database")]
    routes: Option<PathBuf>,
    /// The servers' password comes by stdin.
    #[arg(long)]
    password: bool,
    /// The core to run on.
    #[arg(long)]
    core: Option<usize>,
    /// How a line on stderr looks: text or json.
    #[arg(long, default_value = "text")]
    log_format: logs::Format,
    /// What is worth a line: error, warn, info, debug or trace.
    #[arg(long, default_value = "info")]
    log_level: logs::Level,
    /// How long a turn, a transaction of what came, may take, in milliseconds, before it is told as
    /// a slow one.
    #[arg(long, default_value_t = SLOW_MS, value_parser = clap::value_parser!(u64).range(1..))]
    slow_ms: u64,
    /// A collector of OpenTelemetry that takes spans by OTLP over HTTP: an address of numbers.
    #[arg(long)]
    collector: Option<SocketAddrV4>,
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
    let places = places(service)?;
    #[cfg(feature = "history")]
    let keeping = super::history_command::settings(&service.dir)?;
    #[cfg(feature = "history")]
    super::places::check_keeping(&places, keeping.is_some())?;
    #[cfg(feature = "history")]
    let homes = keeping.iter().map(|it| it.dir.clone()).collect();
    #[cfg(not(feature = "history"))]
    let homes = Vec::new();
    let ports = places.iter().map(|place| place.location.port());
    let ports: Vec<Option<u16>> = ports.collect::<Result<_, Error>>()?;
    let export = service.collector.map(logs::Export::to);
    let checked = export.as_ref().map_or(Ok(()), logs::Export::check);
    checked.map_err(|why| Error::Refused(format!("--collector: {why}")))?;
    let collector = service.collector.map(|at| at.port());
    let mut ports: Vec<u16> = ports.into_iter().flatten().chain(collector).collect();
    ports.sort_unstable();
    ports.dedup();
    let calls = match ports.is_empty() {
        true => Calls::Tables,
        false => Calls::TablesAtServer,
    };
    let teller = Teller::open(&service.dir, &[]).map_err(|e| refused(&e))?;
    let is_confined = !service.insecure_dev;
    if !is_confined {
        eprintln!("wirecross-slow: INSECURE: --insecure-dev keeps all rights of the process");
    } else {
        let confinement = Confinement {
            readable: vec![service.data_dir.clone()],
            folders: vec![service.dir.clone()],
            homes,
            connect_ports: ports.clone(),
            takes_less: true,
            ..Confinement::default()
        };
        for missing in sandbox::settle(&confinement).map_err(|e| refused(&e))? {
            eprintln!("wirecross-slow: WEAKER on this kernel: {missing}");
        }
    }
    let said = logs::Settings {
        format: service.log_format,
        level: service.log_level,
    };
    let log = logs::start(PROGRAM, said, export).map_err(|e| refused(&e))?;
    let telling = teller.start(footprint::EVERY).map_err(|e| refused(&e))?;
    let following = |place: Place| Following {
        data_dir: service.data_dir.clone(),
        location: place.location,
        #[cfg(feature = "history")]
        keeping: keeping.clone(),
    };
    // A shard each has its thread, and none can be started later.
    let restrict = || match is_confined {
        true => calls.restrict().map_err(|e| refused(&e)),
        false => Ok(()),
    };
    let all = places.into_iter().map(following).collect();
    super::follow(all, Duration::from_millis(service.slow_ms), &restrict)?;
    drop((telling, log));
    Ok(())
}

/// Where the tables are; what is needed to reach them is read before the walls are up.
fn places(service: &Service) -> Result<Vec<Place>, Error> {
    let own = || service.dir.join(DATABASE).into_os_string();
    let is_routed = service.routes.is_some();
    let tables = Tables {
        database: service.database.clone().or((!is_routed).then(own)),
        routes: service.routes.clone(),
        shard: None,
    };
    let mut places = tables.written()?;
    if service.password {
        let password = handed_password()?;
        let handed = |place: Place| place.with_password(&password);
        places = places.into_iter().map(handed).collect();
    }
    Ok(places)
}
