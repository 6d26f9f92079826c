//! The desk beside the venue: `[desk]` in the file. docs/desk.md tells of it.

use super::{Error, Topology, sandbox};
use super::{PacketMode, Secret};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;

/// Strategies that trade beside a venue, as one of its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// Where it keeps its files: a folder of its own.
    pub dir: PathBuf,
    /// Markets, limits and strategies.
    pub strategy: PathBuf,
    /// The user that it logs in as.
    pub login: String,
    /// Whom it is run as, if the venue is started as root and it is not to be the default one.
    pub user: Option<String>,
    /// Cores of its feed, strategy and orders threads, if they are to have some.
    pub cores: Option<[usize; 3]>,
    /// The line of the feed that it hears.
    pub line: SocketAddrV4,
    /// Address of the interface that the line comes from.
    pub interface: Ipv4Addr,
    /// Whether each start keeps what came and what it decided.
    pub keeps_records: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    dir: PathBuf,
    strategy: PathBuf,
    login: String,
    user: Option<String>,
    cores: Option<Vec<usize>>,
    line: Option<String>,
    #[serde(default)]
    records: bool,
}

/// Checks the section against the rest of the file; an absent one asks for no desk.
pub(super) fn desk(raw: Option<Raw>, topology: &Topology) -> Result<Option<Desk>, Error> {
    let Some(raw) = raw else { return Ok(None) };
    folder(&raw, topology)?;
    login(&raw.login, topology)?;
    by_sockets(topology)?;
    let cores = raw.cores.map(cores).transpose()?;
    let (line, interface) = line("desk", raw.line.as_deref(), topology)?;
    servers("desk", interface, topology)?;
    Ok(Some(Desk {
        dir: raw.dir,
        strategy: raw.strategy,
        login: raw.login,
        user: sandbox::user("desk.user", raw.user)?,
        cores,
        line,
        interface,
        keeps_records: raw.records,
    }))
}

fn folder(raw: &Raw, topology: &Topology) -> Result<(), Error> {
    let tables = topology.slow.as_ref().map(|slow| &slow.dir);
    let is_taken = raw.dir.starts_with(&topology.data_dir) || tables == Some(&raw.dir);
    if raw.dir.as_os_str().is_empty() || is_taken {
        let remedy = "name one outside of data_dir, which no other section names";
        return Err(Error::value("desk.dir", "is no folder of its own", remedy));
    }
    if raw.strategy.as_os_str().is_empty() {
        let remedy = "name a file of markets, limits and strategies";
        return Err(Error::value("desk.strategy", "is empty", remedy));
    }
    Ok(())
}

fn login(name: &str, topology: &Topology) -> Result<(), Error> {
    let wrong = |problem: &str, remedy: &str| {
        let problem = format!("is \"{name}\", {problem}");
        Err(Error::value("desk.login", problem, remedy))
    };
    let Some(user) = topology.users.iter().find(|user| user.name == name) else {
        return wrong("who is none of the users", "write the name of one");
    };
    if user.gateway.is_some() {
        return wrong("who has a gateway", "write the name of a user who has none");
    }
    if !matches!(user.secret, Secret::Key(..)) {
        return wrong(
            "who has a password",
            "give that user a `key_file`, which the venue hands to the desk",
        );
    }
    Ok(())
}

/// What goes around the kernel's stack is not heard by another process of this host.
fn by_sockets(topology: &Topology) -> Result<(), Error> {
    let modes = [
        ("order_entry.mode", topology.order_entry.mode),
        ("feed.mode", topology.feed.mode),
    ];
    for (key, mode) in modes {
        if mode != PacketMode::IoUring {
            let problem = format!("is \"{}\", which [desk] cannot reach", mode.name());
            let remedy = "write \"io_uring\", or run `wirecross desk` on another host instead";
            return Err(Error::value(key, problem, remedy));
        }
    }
    Ok(())
}

fn cores(cores: Vec<usize>) -> Result<[usize; 3], Error> {
    cores.try_into().map_err(|cores: Vec<usize>| {
        let problem = format!("names {} cores", cores.len());
        let remedy = "name three, of feed, strategy and orders; they may be the same";
        Error::value("desk.cores", problem, remedy)
    })
}

/// The line that is heard, and where: the second one, unless there is none or the file says so.
pub(super) fn line(
    section: &str,
    name: Option<&str>,
    topology: &Topology,
) -> Result<(SocketAddrV4, Ipv4Addr), Error> {
    let key = format!("{section}.line");
    let feed = &topology.feed;
    let a = (feed.group, *feed.source.ip());
    let b = feed.line_b.map(|line| {
        let source = line.source.unwrap_or(feed.source);
        (line.group, *source.ip())
    });
    match (name, b) {
        (None, Some(b)) | (Some("b"), Some(b)) => Ok(b),
        (None | Some("a"), _) => Ok(a),
        (Some("b"), None) => Err(Error::value(
            &key,
            "is \"b\", and there is no second line",
            "name its group, `feed.group_b`, or write \"a\"",
        )),
        (Some(other), _) => Err(Error::value(
            &key,
            format!("is \"{other}\""),
            "write \"a\" or \"b\"",
        )),
    }
}

/// Whoever joins late asks for what was, and must be let.
pub(super) fn servers(
    section: &str,
    interface: Ipv4Addr,
    topology: &Topology,
) -> Result<(), Error> {
    let feed = &topology.feed;
    if feed.snapshot.is_some_and(|at| at.port() == 0) {
        let remedy = format!("write a port that [{section}] can be told, or leave the line out");
        return Err(Error::value("feed.snapshot", "has no port", remedy));
    }
    let asks_from = local(interface);
    if !feed.rerequest_allow.iter().any(|it| it.contains(asks_from)) {
        let problem = format!("has no network with {asks_from}, from where [{section}] asks");
        let remedy = format!("add \"{asks_from}/32\"");
        return Err(Error::value("feed.rerequest_allow", problem, remedy));
    }
    Ok(())
}

/// Where something of this host is found that listens at an address.
#[must_use]
pub fn local(address: Ipv4Addr) -> Ipv4Addr {
    if address.is_unspecified() {
        return Ipv4Addr::LOCALHOST;
    }
    address
}
