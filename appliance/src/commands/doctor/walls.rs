//! Whether this host has what a venue gives itself up with: docs/sandbox.md. It is tried, by a
//! thread of its own.

use crate::topology::Topology;
use crate::venue::USER_DEFAULT;
use sandbox::{Identity, Probe};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tuning::{About, Fault, Finding, Host, Verdict};

/// The stage's name.
pub(super) const STAGE: &str = "sandbox";

/// What each part keeps a thief from; none of it costs a thread anything.
const fn about(why: &'static str) -> About {
    About {
        why,
        risk: "none known",
    }
}

const LANDLOCK: About =
    about("who breaks into the venue reaches no files but its own, and connects nowhere");
const SECCOMP: About = about("who breaks into the venue starts nothing and opens no socket");
const NEW_RIGHTS: About = about("set-user-id programs give a thief nothing");
const CORES: About = about(
    "the venue leaves no core once it is confined; before that, when it has read passwords and \
     keys, it does what its starter allows",
);
const IO_URING: About =
    about("the journal writes by restricted rings, which are made after the user was changed");
const USER: About = about("a venue that root starts becomes this user for good");
const WAY: About = about("the data directory is given to the user, the folders above it are not");

/// What this host has of it.
///
/// # Errors
/// It cannot be tried.
pub(super) fn findings(host: &Host, topology: Option<&Topology>) -> Result<Vec<Finding>, String> {
    let probe = Probe::take().map_err(|error| error.to_string())?;
    let mut all = vec![
        landlock(&probe),
        tried(SECCOMP, "system calls (seccomp)", &probe.seccomp).by_hand(
            "a kernel with CONFIG_SECCOMP_FILTER; in a container, one that allows seccomp",
        ),
        tried(
            NEW_RIGHTS,
            "rights to come (no_new_privs)",
            &probe.new_rights,
        )
        .by_hand("a kernel that is newer than Linux 3.5"),
        cores(host),
        io_uring(host),
    ];
    let name = topology.and_then(|it| it.sandbox.user.as_deref());
    let name = name.unwrap_or(USER_DEFAULT);
    let user = Identity::of(name).map_err(|error| error.to_string());
    all.push(whom(name, user.as_ref()));
    all.push(way(topology, name, user.ok()));
    for finding in &mut all {
        finding.stage = STAGE;
    }
    Ok(all)
}

fn tried<E: std::fmt::Display>(about: About, subject: &str, outcome: &Result<(), E>) -> Finding {
    let found = match outcome {
        Ok(()) => "given up".to_owned(),
        Err(error) => error.to_string(),
    };
    Finding::judged(about, subject, outcome.is_ok())
        .found(found)
        .wanted("given up")
}

fn landlock(probe: &Probe) -> Finding {
    let (verdict, found) = match &probe.landlock {
        Ok(missing) if missing.is_empty() => (Verdict::Good, "all of it".to_owned()),
        Ok(missing) => (Verdict::Choice, format!("WEAKER: {}", missing.join(", "))),
        Err(error) => (Verdict::Poor, error.to_string()),
    };
    Finding::new(LANDLOCK, "files and ports (landlock)", verdict)
        .found(found)
        .wanted("all of it")
        .by_hand(
            "Linux 6.12 or newer, with landlock in the list `lsm=` of its command line; a weaker \
             one will do for `wirecross run`, and not for `wirecross-fix`",
        )
}

fn cores(host: &Host) -> Finding {
    let subject = "cores before that";
    let limits = host.read("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|it| it.strip_prefix("Max core file size"));
    let Some(limit) = line.and_then(|line| line.split_whitespace().next()) else {
        return Finding::absent(CORES, subject, "/proc/self/limits does not tell");
    };
    let pattern = host.read("/proc/sys/kernel/core_pattern");
    let to = pattern.unwrap_or_else(|fault| fault.to_string());
    // A program that takes cores gets them whatever the limit is.
    let is_none = limit == "0" && !to.starts_with('|');
    let verdict = if is_none {
        Verdict::Good
    } else {
        Verdict::Choice
    };
    Finding::new(CORES, subject, verdict)
        .found(format!("limit {limit}, to {to}"))
        .wanted("limit 0, to no program")
        .by_hand("`ulimit -c 0` or LimitCORE=0 in the unit; kernel.core_pattern without a program")
}

fn io_uring(host: &Host) -> Finding {
    let subject = "rings for the journal (io_uring)";
    let path = "/proc/sys/kernel/io_uring_disabled";
    match host.number(path) {
        // Kernels before 6.6 cannot forbid it.
        Err(Fault::Missing) => Finding::judged(IO_URING, subject, true).found("no such switch"),
        Err(fault) => return Finding::absent(IO_URING, subject, format!("{path}: {fault}")),
        Ok(value) => Finding::judged(IO_URING, subject, value == 0).found(value.to_string()),
    }
    .wanted("0")
    .by_hand("sysctl kernel.io_uring_disabled=0; otherwise the journal writes by pwrite, slower")
}

fn whom(name: &str, user: Result<&Identity, &String>) -> Finding {
    let found = match user {
        Ok(user) => format!("number {}, group {}", user.user, user.group),
        Err(error) => error.clone(),
    };
    Finding::judged(USER, format!("user {name}"), user.is_ok())
        .found(found)
        .wanted("in /etc/passwd, and not root")
        .by_hand(format!(
            "`useradd --system --no-create-home --shell /usr/sbin/nologin {name}`, or name another \
             one as `sandbox.user` of the topology"
        ))
}

/// Whether the user passes all folders above the data directory.
fn way(topology: Option<&Topology>, name: &str, user: Option<Identity>) -> Finding {
    let subject = "way to the data directory";
    let (Some(topology), Some(user)) = (topology, user) else {
        let reason = "no --topology that names it, or no such user";
        return Finding::absent(WAY, subject, reason);
    };
    // One that is not there yet is made by who starts the venue, and given to the user.
    let dir = &topology.data_dir;
    let place = dir.canonicalize();
    let place = place.or_else(|_| std::path::absolute(dir));
    let Ok(place) = place else {
        return Finding::absent(WAY, subject, "there is no working directory");
    };
    let is_shut = |folder: &&Path| {
        let about = folder.metadata();
        about.is_ok_and(|about| !passes(&about, user))
    };
    let shut = place.ancestors().skip(1).find(is_shut);
    let found = shut.map_or_else(
        || format!("user {name} passes"),
        |folder| format!("user {name} does not pass {}", folder.display()),
    );
    let advice = shut.map_or_else(String::new, |folder| {
        format!(
            "`chmod o+x {}`, and of what is above it; or another `data_dir` or `sandbox.user`",
            folder.display()
        )
    });
    Finding::judged(WAY, subject, shut.is_none())
        .found(found)
        .wanted("every folder above it may be passed")
        .by_hand(advice)
}

/// Whether somebody who is in his own group alone may pass a folder.
fn passes(folder: &Metadata, user: Identity) -> bool {
    let bit = if folder.uid() == user.user {
        0o100
    } else if folder.gid() == user.group {
        0o010
    } else {
        0o001
    };
    folder.mode() & bit != 0
}
