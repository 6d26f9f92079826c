//! The venue over HTTP: `[api]` in the file. What it offers is in docs/api.md.

use super::desk::{line, servers};
use super::{Error, PacketMode, Topology};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;

/// The program beside a venue that offers its tables and figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Where it listens, and who may ask: a file that the slow path's user can read.
    pub settings: PathBuf,
    /// The program, if it is not beside ours.
    pub program: Option<PathBuf>,
    /// The line of the feed that its streams are made of, and the address of the interface that
    /// the line comes from.
    pub line: Option<(SocketAddrV4, Ipv4Addr)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    settings: PathBuf,
    program: Option<PathBuf>,
    line: Option<String>,
}

/// Checks the section; an absent one asks for nothing.
pub(super) fn api(raw: Option<Raw>, topology: &Topology) -> Result<Option<Api>, Error> {
    let Some(raw) = raw else { return Ok(None) };
    if topology.slow.is_none() {
        let remedy = "add a section [slow], which makes them";
        return Err(Error::value("api", "has no tables to offer", remedy));
    }
    if raw.settings.as_os_str().is_empty() {
        return Err(Error::value(
            "api.settings",
            "is empty",
            "name the file that docs/api.md describes",
        ));
    }
    let line = raw.line.as_deref().map(|name| streamed(name, topology));
    Ok(Some(Api {
        line: line.transpose()?,
        settings: raw.settings,
        program: raw.program,
    }))
}

/// The line of that name, which another process of this host must be able to hear.
fn streamed(name: &str, topology: &Topology) -> Result<(SocketAddrV4, Ipv4Addr), Error> {
    if topology.feed.mode != PacketMode::IoUring {
        let mode = topology.feed.mode.name();
        let remedy = "write \"io_uring\", or leave api.line out";
        let problem = format!("is \"{mode}\", which [api] cannot hear");
        return Err(Error::value("feed.mode", problem, remedy));
    }
    let line = line("api", Some(name), topology)?;
    servers("api", line.1, topology)?;
    Ok(line)
}
