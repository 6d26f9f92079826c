//! The desk beside a venue: strategies in a process of another user, which trades as a member does.

use super::StartError;
use super::beside::{Beside, Plan};
use crate::desk::file::DeskFile;
use crate::desk::models::{Shelf, pack};
use crate::desk::orders::routes;
use crate::topology::{Desk, Secret, Topology, local};
use std::ffi::OsString;
use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;

/// How long it may take to take its orders off.
const END_MAX: Duration = Duration::from_secs(5);

/// Where a desk finds its venue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doors {
    /// Order entry.
    pub order_entry: SocketAddr,
    /// Requests for missed packets.
    pub rerequest: SocketAddrV4,
}

impl Doors {
    /// Where a program of this host finds order entry.
    pub(super) fn order_entry_here(&self) -> SocketAddr {
        match self.order_entry {
            SocketAddr::V4(at) => here(at).into(),
            at => at,
        }
    }
}

/// Where a program of this host finds what listens at an address.
pub(super) fn here(at: SocketAddrV4) -> SocketAddrV4 {
    SocketAddrV4::new(local(*at.ip()), at.port())
}

/// Starts it, if the topology has one. What is told of it goes to `modes`.
pub(super) fn start(
    topology: &Topology,
    doors: Doors,
    is_confined: bool,
    modes: &mut Vec<String>,
) -> Result<Option<Beside>, StartError> {
    let Some(desk) = &topology.desk else {
        return Ok(None);
    };
    let program = std::env::current_exe().map_err(|e| StartError::of("our program", &e))?;
    let (beside, name) = Beside::start(Plan {
        name: "desk",
        section: "desk",
        user: desk.user.as_deref(),
        dir: &desk.dir,
        program,
        words: words(topology, desk, doors, is_confined),
        handed: handed(topology, desk)?,
        end_max: END_MAX,
    })?;
    modes.push(format!(
        "desk: trades as {}, as {name}, by {}",
        desk.login,
        desk.strategy.display()
    ));
    Ok(Some(beside))
}

/// The key, the strategies and their models, which are checked here: the desk's own words would
/// come too late.
fn handed(topology: &Topology, desk: &Desk) -> Result<Vec<u8>, StartError> {
    let wrong = |what: &dyn std::fmt::Display| {
        StartError::new(format!(
            "desk.strategy: {}: {what}",
            desk.strategy.display()
        ))
    };
    let text = std::fs::read_to_string(&desk.strategy).map_err(|e| wrong(&e))?;
    let file = DeskFile::parse(&text, &Shelf::of(&desk.strategy)).map_err(|e| wrong(&e))?;
    routes(&file, true).map_err(|e| wrong(&e))?;
    let is_listed = |symbol: &str| topology.symbols.iter().any(|it| it == symbol);
    if let Some(symbol) = file.symbols().find(|it| !is_listed(it)) {
        return Err(wrong(&format!(
            "markets: {symbol} is none of the topology's `symbols`"
        )));
    }
    let user = topology.users.iter().find(|user| user.name == desk.login);
    let Some(Secret::Key(_, Some(key))) = user.map(|user| &user.secret) else {
        return Err(StartError::new("desk.login: the key was not read"));
    };
    let models = file.models_asked().flat_map(|(_, model)| model.files());
    let mut handed = format!("{}\n", key.to_text()).into_bytes();
    handed.extend(pack(&text, models));
    Ok(handed)
}

fn words(topology: &Topology, desk: &Desk, doors: Doors, is_confined: bool) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["beside".into()];
    let mut say = |name: &str, value: &dyn std::fmt::Display| {
        words.extend([name.into(), value.to_string().into()]);
    };
    say("--login", &desk.login);
    say("--connect", &doors.order_entry_here());
    say("--line", &desk.line);
    say("--interface", &local(desk.interface));
    say("--rerequest", &here(doors.rerequest));
    if let Some(at) = topology.feed.snapshot {
        say("--snapshot", &here(at));
    }
    if let Some([feed, strategy, orders]) = desk.cores {
        say("--cores", &format!("{feed},{strategy},{orders}"));
    }
    words.extend(["--dir".into(), (&desk.dir).into()]);
    let switches = [
        ("--records", desk.keeps_records),
        ("--insecure-dev", !is_confined),
    ];
    words.extend(switches.iter().filter(|it| it.1).map(|it| it.0.into()));
    words
}
