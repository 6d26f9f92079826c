//! What `wirecross-api` does: one thread for all connections, some that read the tables.

use crate::config::Config;
use crate::keys::make_token;
use crate::server::{Server, acceptor};
use clap::{Args, Parser, Subcommand};
use sandbox::{Calls, Confinement, Identity};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

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
}

#[derive(Args)]
struct Service {
    /// The settings, as docs/api.md lists them.
    config: PathBuf,
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
    let config = Config::load(&service.config)?;
    // Keys and certificates are read as who we are.
    let acceptor = config.tls.as_ref().map(acceptor).transpose()?;
    let listener = std::net::TcpListener::bind(config.listen)
        .map_err(|error| format!("listen: {}: {error}", config.listen))?;
    listener.set_nonblocking(true)?;
    if service.insecure_dev {
        eprintln!("wirecross-api: INSECURE: --insecure-dev keeps all rights of this process");
    } else {
        confine(&config)?;
    }
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
        let server = Server::new(listener, acceptor, config)?;
        if !service.insecure_dev {
            Calls::Api.restrict()?;
        }
        println!("wirecross-api: {scheme}://{address}");
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
        tokio::join!(server.run(is_over), end);
        println!("wirecross-api: stopped");
        Ok(())
    })
}

/// Gives up what threads that are started later must not have either.
fn confine(config: &Config) -> Result<(), Box<dyn Error>> {
    let folder = |path: &Path| {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
    };
    let confinement = Confinement {
        readable: vec![config.venue.clone()],
        // Who reads a database beside its writer takes locks in its folder.
        folders: vec![folder(&config.tables)],
        identity: config.user.as_deref().map(Identity::of).transpose()?,
        takes_less: true,
        ..Confinement::default()
    };
    for missing in sandbox::settle(&confinement)? {
        eprintln!("wirecross-api: WEAKER on this kernel: {missing}");
    }
    Ok(())
}
