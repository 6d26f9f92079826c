//! What `wirecross-api` does: one thread for all connections, some that read the tables.

use crate::config::{Beside, Config};
use crate::footprints::Sources;
use crate::keys::make_token;
use crate::metrics::{alerts, grafana};
use crate::routes::{Api, router};
use crate::server::{Server, acceptor};
use crate::stream::Hub;
use crate::stream::feed::{Feed, Follower};
use clap::{Args, Parser, Subcommand};
use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setpriority_process,
    setrlimit,
};
use sandbox::{Calls, Confinement, Identity};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use store::handed_password;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How far behind others the service stands where it shares a core.
const NICE: i32 = 10;

/// Descriptors that the process has beside its connections: tables, logs, the feed.
const DESCRIPTORS_BESIDE: u64 = 256;

/// A venue over HTTP: its tables, its figures, and a page that shows them.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM.
    Serve(Service),
    /// Make a new token, and what the settings hold of it.
    MakeToken,
    /// Print the rules by which Prometheus tells that something is wrong.
    Alerts,
    /// Print a dashboard for Grafana.
    Dashboard,
}

#[derive(Args)]
struct Service {
    /// The settings, as docs/api.md lists them.
    config: PathBuf,
    /// The venue's data directory, in place of the settings' `venue`: a venue says so, and the
    /// service goes with who started it.
    #[arg(long)]
    venue: Option<PathBuf>,
    /// The database, in place of the settings' `tables`.
    #[arg(long)]
    tables: Option<PathBuf>,
    /// The password for the servers of the tables comes by stdin.
    #[arg(long)]
    password: bool,
    /// Where the venue takes orders, if the settings' `[orders]` does not say so.
    #[arg(long)]
    order_entry: Option<SocketAddr>,
    /// Line A of the feed that streams are made of, in the place of the settings' `feed`; the
    /// others go with it.
    #[arg(long)]
    line: Option<SocketAddrV4>,
    /// Where missing messages of it are asked for.
    #[arg(long, requires = "line")]
    rerequest: Option<SocketAddrV4>,
    /// Where snapshots of it are given.
    #[arg(long, requires = "line")]
    snapshot: Option<SocketAddrV4>,
    /// The address of the interface that it arrives on.
    #[arg(long, requires = "line")]
    interface: Option<Ipv4Addr>,
    /// Keep every right that the process was started with. For trying things out: whoever breaks
    /// into the service then has them, too.
    #[arg(long)]
    insecure_dev: bool,
}

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(service) => serve(&service),
        Command::MakeToken => token(),
        Command::Alerts => {
            print!("{}", alerts::rules());
            Ok(())
        }
        Command::Dashboard => {
            println!("{:#}", grafana::dashboard());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wirecross-api: {error}");
            ExitCode::from(2)
        }
    }
}

fn token() -> Result<(), Box<dyn Error>> {
    let (token, hash) = make_token()?;
    println!("token = \"{token}\"  # for the client alone\ntoken_sha256 = \"{hash}\"");
    Ok(())
}

fn serve(service: &Service) -> Result<(), Box<dyn Error>> {
    let beside = Beside {
        venue: service.venue.clone(),
        tables: service.tables.clone(),
        order_entry: service.order_entry,
        password: service.password.then(handed_password).transpose()?,
    };
    let mut config = Config::load(&service.config, &beside)?;
    if let Some(line) = service.line {
        config.feed = Some(Feed {
            rerequest: service.rerequest,
            snapshot: service.snapshot,
            interface: service.interface.unwrap_or(Ipv4Addr::LOCALHOST),
            ..config.feed.unwrap_or_else(|| Feed::at(line)).on(line)
        });
    }
    // Who may not be nicer to others serves all the same.
    let _ = setpriority_process(None, NICE);
    // A service that nobody watches any more would hold its port against the next one.
    if service.venue.is_some() {
        set_parent_process_death_signal(Some(Signal::TERM))?;
    }
    // Keys and certificates are read as who we are.
    let acceptor = config.tls.as_ref().map(acceptor).transpose()?;
    let listener = bound("listen", config.listen)?;
    let grpc = config.grpc.map(|grpc| bound("grpc.listen", grpc.listen));
    let grpc = grpc.transpose()?;
    let follower = config.feed.as_ref().map(Follower::open).transpose()?;
    descriptors_for(config.limits.connections_max)?;
    let sources = Sources::open()?;
    if service.insecure_dev {
        eprintln!("wirecross-api: INSECURE: --insecure-dev keeps all rights of this process");
    } else {
        confine(&config)?;
    }
    let has_snapshots = config.feed.as_ref().is_some_and(|it| it.snapshot.is_some());
    let connects = has_snapshots
        || config.cache.redis.is_some()
        || config.orders.is_some()
        || config.trace.is_some();
    let _log = logs::start("wirecross-api", config.log, config.trace)?;
    let calls = if config.tables.file().is_none() {
        Calls::ApiAtServer
    } else if connects {
        Calls::ApiWithFeed
    } else {
        Calls::Api
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let (over, is_over) = watch::channel(false);
        let mut ends = [SignalKind::terminate(), SignalKind::interrupt()]
            .into_iter()
            .map(signal)
            .collect::<Result<Vec<_>, _>>()?;
        let hub = follower
            .is_some()
            .then(|| Arc::new(Hub::new(config.limits)));
        if let (Some(follower), Some(hub)) = (follower, &hub) {
            follower.start(Arc::clone(hub))?;
        }
        let (limits, settings) = (config.limits, config.grpc);
        let api = Arc::new(Api::new(config, hub, sources)?);
        if let Some(scales) = &api.scales {
            tokio::spawn(Arc::clone(scales).run());
        }
        let limits = (limits, api.crowd.clone());
        let server = Server::new(listener, acceptor, limits, router(Arc::clone(&api)));
        let mut beside = None;
        if let (Some(grpc), Some(settings)) = (grpc, settings) {
            let grpc = TcpListener::from_std(grpc)?;
            let address = grpc.local_addr()?;
            let router = crate::grpc::router(api, settings).await?;
            beside = Some((server.beside(grpc, router), address));
        }
        if !service.insecure_dev {
            calls.restrict()?;
        }
        if let Some((_, address)) = &beside {
            logs::tell(format_args!("wirecross-api: gRPC at {address}"));
        }
        logs::tell(format_args!("wirecross-api: {scheme}://{address}"));
        let [terminate, interrupt] = &mut ends[..] else {
            return Ok(());
        };
        let end = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            let _ = over.send(true);
        };
        let grpc = async {
            if let Some((beside, _)) = beside {
                beside.run(is_over.clone()).await;
            }
        };
        tokio::join!(server.run(is_over.clone()), grpc, end);
        logs::tell(format_args!("wirecross-api: stopped"));
        Ok(())
    })
}

/// A socket that listens, under the name of its setting.
fn bound(name: &str, at: SocketAddr) -> Result<std::net::TcpListener, Box<dyn Error>> {
    let told = |error| format!("{name}: {at}: {error}");
    let listener = std::net::TcpListener::bind(at).map_err(told)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Lets the process have a descriptor for each connection: the soft limit is often 1,024.
fn descriptors_for(connections: usize) -> Result<(), Box<dyn Error>> {
    let needed = connections as u64 + DESCRIPTORS_BESIDE;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(most) = limit.maximum.filter(|most| *most < needed) {
        let due = "raise it (ulimit -Hn), or lower connections_max";
        return Err(format!(
            "limits.connections_max: {connections}: the system gives this process {most} \
             descriptors: {due}"
        )
        .into());
    }
    let limit = Rlimit {
        current: Some(needed),
        ..limit
    };
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// Gives up what threads that are started later must not have either.
fn confine(config: &Config) -> Result<(), Box<dyn Error>> {
    let folder = |path: &Path| {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
    };
    let tables = config.tables.file().map(folder);
    let (there, missing) = (config.memory.beside.values())
        .chain(&config.history)
        .partition::<Vec<&PathBuf>, _>(|it| it.is_dir());
    let is_out_of_reach = |it: &&&PathBuf| tables.as_ref().is_none_or(|at| !it.starts_with(at));
    for missing in missing.iter().filter(is_out_of_reach) {
        let missing = missing.display();
        eprintln!("wirecross-api: {missing}: no such folder: start again once it is there");
    }
    let confinement = Confinement {
        readable: std::iter::once(&config.venue)
            .chain(config.scaling.iter().flat_map(|it| &it.shards))
            .chain(there)
            .cloned()
            .collect(),
        // Who reads a database beside its writer takes locks in its folder.
        folders: tables.into_iter().collect(),
        identity: config.user.as_deref().map(Identity::of).transpose()?,
        // Snapshots are dialled for whenever one is due.
        connect_ports: config
            .feed
            .iter()
            .filter_map(|feed| feed.snapshot.map(|at| at.port()))
            .chain(
                config
                    .cache
                    .redis
                    .filter(|_| !config.cache.off)
                    .map(|at| at.port()),
            )
            .chain(config.orders.and_then(|it| it.venue).map(|at| at.port()))
            .chain(config.trace.map(|it| it.collector.port()))
            .chain(config.tables.ports().iter().copied())
            .collect(),
        takes_less: true,
        ..Confinement::default()
    };
    for missing in sandbox::settle(&confinement)? {
        eprintln!("wirecross-api: WEAKER on this kernel: {missing}");
    }
    Ok(())
}
