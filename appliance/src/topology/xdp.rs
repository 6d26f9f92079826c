//! How ports go around the kernel: `[order_entry.xdp]` and `[feed.xdp]` in the file. What each
//! choice means is in docs/tcp.md.

use super::check::within;
use super::{Error, PacketMode, packets};
use nic::{
    BusyPoll, Congestion, XDP_DEPTH, XDP_DEPTH_MAX, XDP_QUEUE_MAX, XDP_QUEUES_MAX, XdpMode,
    XdpOptions,
};
use serde::Deserialize;

/// Longest that one call may poll the card.
const BUSY_POLL_US_MAX: u32 = 1_000;
/// Frames that one poll of the card takes, unless the file says otherwise, and at most.
const BUSY_POLL_BUDGET: u32 = 64;
const BUSY_POLL_BUDGET_MAX: u32 = 1_024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    worst: Option<String>,
    queues: Option<Vec<u32>>,
    depth: Option<u32>,
    busy_poll_us: Option<u32>,
    busy_poll_budget: Option<u32>,
    congestion: Option<String>,
}

/// Which port a section is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Port<'a> {
    /// Its section in the file.
    pub section: &'a str,
    pub mode: PacketMode,
    pub interface: &'a str,
    /// Whether it carries streams, not datagrams.
    pub is_tcp: bool,
}

/// The names of what may be under way towards a member.
const CONGESTIONS: [(&str, Congestion); 2] =
    [("none", Congestion::Window), ("reno", Congestion::Reno)];

/// What the port is to ask for; nothing where it goes through the kernel.
pub(super) fn options(port: Port<'_>, raw: Option<&Raw>) -> Result<Option<XdpOptions>, Error> {
    let key = |name: &str| format!("{}.xdp{name}", port.section);
    let Some(best) = of_mode(port.mode) else {
        let Some(_) = raw else { return Ok(None) };
        let problem = format!("stands beside `{}.mode` = \"io_uring\"", port.section);
        let remedy = "write mode = \"native\" or another one of AF_XDP, or leave the section out";
        return Err(Error::value(key(""), problem, remedy));
    };
    let plain = XdpOptions::new(port.interface, best);
    let Some(raw) = raw else {
        return Ok(Some(plain));
    };
    let worst = raw.worst.as_deref();
    Ok(Some(XdpOptions {
        worst: match worst {
            None => None,
            Some(name) => worst_of(&key(".worst"), name, port)?,
        },
        queues: match &raw.queues {
            None => Vec::new(),
            Some(queues) => checked_queues(&key(".queues"), queues)?,
        },
        depth: depth(&key(".depth"), raw.depth.unwrap_or(XDP_DEPTH))?,
        busy_poll: busy_poll(port.section, raw)?,
        congestion: match raw.congestion.as_deref() {
            None => Congestion::default(),
            Some(name) => congestion(&key(".congestion"), name, port)?,
        },
        ..plain
    }))
}

/// The step of the ladder that a mode is, if it is one.
const fn of_mode(mode: PacketMode) -> Option<XdpMode> {
    match mode {
        PacketMode::ZeroCopy => Some(XdpMode::ZeroCopy),
        PacketMode::Native => Some(XdpMode::Native),
        PacketMode::Generic => Some(XdpMode::Generic),
        PacketMode::IoUring => None,
    }
}

fn worst_of(key: &str, name: &str, port: Port<'_>) -> Result<Option<XdpMode>, Error> {
    let Some(worst) = of_mode(packets::mode(key, name)?) else {
        let problem = format!("is \"{name}\", which is no mode of AF_XDP");
        let remedy = "write \"zero-copy\", \"native\" or \"generic\", or leave it out";
        return Err(Error::value(key, problem, remedy));
    };
    if of_mode(port.mode).is_some_and(|best| worst < best) {
        let (section, best) = (port.section, port.mode.name());
        let problem = format!("is \"{name}\", better than `{section}.mode`, \"{best}\"");
        let remedy = "write the same mode or one below it";
        return Err(Error::value(key, problem, remedy));
    }
    Ok(Some(worst))
}

fn checked_queues(key: &str, queues: &[u32]) -> Result<Vec<u32>, Error> {
    if queues.is_empty() {
        let remedy = "name at least one queue, or leave it out for all";
        return Err(Error::value(key, "is empty", remedy));
    }
    if queues.len() > XDP_QUEUES_MAX {
        let remedy = format!("name at most {XDP_QUEUES_MAX}");
        return Err(Error::value(key, format!("names {}", queues.len()), remedy));
    }
    for (at, &queue) in queues.iter().enumerate() {
        within(&format!("{key}[{at}]"), queue, 0..=XDP_QUEUE_MAX)?;
        if queues[..at].contains(&queue) {
            let problem = format!("is {queue}, named before");
            let remedy = "name each queue once";
            return Err(Error::value(format!("{key}[{at}]"), problem, remedy));
        }
    }
    Ok(queues.to_vec())
}

/// Frames that a queue's ring holds.
fn depth(key: &str, depth: u32) -> Result<u32, Error> {
    if !depth.is_power_of_two() {
        let remedy = "write a power of two, such as 4096";
        return Err(Error::value(key, format!("is {depth}"), remedy));
    }
    within(key, depth, XDP_DEPTH..=XDP_DEPTH_MAX)
}

fn busy_poll(section: &str, raw: &Raw) -> Result<Option<BusyPoll>, Error> {
    let key = |name: &str| format!("{section}.xdp.{name}");
    let Some(micros) = raw.busy_poll_us else {
        let Some(_) = raw.busy_poll_budget else {
            return Ok(None);
        };
        let remedy = "write how long a call may poll, too: busy_poll_us = 20";
        return Err(Error::value(
            key("busy_poll_budget"),
            "stands alone",
            remedy,
        ));
    };
    let budget = raw.busy_poll_budget.unwrap_or(BUSY_POLL_BUDGET);
    Ok(Some(BusyPoll {
        micros: within(&key("busy_poll_us"), micros, 1..=BUSY_POLL_US_MAX)?,
        budget: within(&key("busy_poll_budget"), budget, 1..=BUSY_POLL_BUDGET_MAX)?,
    }))
}

fn congestion(key: &str, name: &str, port: Port<'_>) -> Result<Congestion, Error> {
    if !port.is_tcp {
        let remedy = "leave it out: datagrams have no congestion control";
        return Err(Error::value(key, "is for order entry", remedy));
    }
    let found = CONGESTIONS.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, congestion)| congestion).ok_or_else(|| {
        let remedy = "write \"none\" or \"reno\"";
        Error::value(key, format!("is \"{name}\""), remedy)
    })
}
