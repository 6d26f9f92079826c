//! The venue over HTTP: `wirecross-api`, which offers its tables and counters.

use super::StartError;
use super::beside::{Beside, Plan};
use super::desk::{Doors, here};
use super::slow::{beside_us, password, present};
use crate::topology::{Api, Slow, SlowDatabase, Topology, local};
use std::ffi::OsString;
use std::time::Duration;

/// The program.
const API_PROGRAM: &str = "wirecross-api";

/// The database that the slow path keeps in its folder.
const DATABASE: &str = "tables.db";

/// How long requests may take that are under way at the venue's end.
const END_MAX: Duration = Duration::from_secs(10);

/// Starts it, if the topology has one, as whoever keeps the tables. What is told of it goes to
/// `modes`.
pub(super) fn start(
    topology: &Topology,
    doors: Doors,
    is_confined: bool,
    modes: &mut Vec<String>,
) -> Result<Option<Beside>, StartError> {
    let (Some(api), Some(slow)) = (&topology.api, &topology.slow) else {
        return Ok(None);
    };
    let hint = "api.program: it is not there; `cargo build --release -p api` makes it, or leave \
                the section [api] out";
    let program = match &api.program {
        Some(program) => present(program.clone(), hint)?,
        None => beside_us(API_PROGRAM, hint)?,
    };
    if !api.settings.is_file() {
        let told = format!("api.settings: {}: no such file", api.settings.display());
        return Err(StartError::new(told));
    }
    let (beside, name) = Beside::start(Plan {
        name: "api",
        section: "slow",
        user: slow.user.as_deref(),
        dir: &slow.dir,
        program,
        words: words(topology, (api, slow, doors), is_confined),
        handed: slow.server.as_ref().map_or(Ok(Vec::new()), password)?,
        end_max: END_MAX,
    })?;
    let settings = api.settings.display();
    modes.push(format!("api: {API_PROGRAM} as {name}, by {settings}"));
    Ok(Some(beside))
}

fn words(
    topology: &Topology,
    (api, slow, doors): (&Api, &Slow, Doors),
    is_confined: bool,
) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["serve".into(), api.settings.clone().into()];
    let venue = topology.data_dir.clone();
    words.extend(["--venue".into(), venue.into()]);
    let tables = match slow.server.as_ref().map(|it| &it.database) {
        Some(SlowDatabase::One(database)) => Some(database.clone().into()),
        // Which of the servers it reads, its settings say.
        Some(SlowDatabase::Routes(_)) => None,
        None => Some(slow.dir.join(DATABASE).into_os_string()),
    };
    words.extend(tables.into_iter().flat_map(|it| ["--tables".into(), it]));
    if slow
        .server
        .as_ref()
        .is_some_and(|it| it.password_file.is_some())
    {
        words.push("--password".into());
    }
    let mut say = |name: &str, value: &dyn std::fmt::Display| {
        words.extend([name.into(), value.to_string().into()]);
    };
    say("--order-entry", &doors.order_entry_here());
    if let Some((line, interface)) = api.line {
        say("--line", &line);
        say("--interface", &local(interface));
        say("--rerequest", &here(doors.rerequest));
        if let Some(at) = topology.feed.snapshot {
            say("--snapshot", &here(at));
        }
    }
    if !is_confined {
        words.push("--insecure-dev".into());
    }
    words
}
