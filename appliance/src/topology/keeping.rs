//! How the journal gathers what it writes, and what becomes of its closed segments and of old days:
//! `[journal]` in the file.

use super::check::within;
use super::{Ack, Error, Link, Topology};
use serde::Deserialize;
use std::time::Duration;

/// The most that a rule can keep: a pebibyte, a century.
const KEEP_MIB_MAX: u64 = 1 << 30;
const KEEP_HOURS_MAX: u64 = 24 * 366 * 100;
const KEEP_DAYS_MAX: usize = 366 * 100;

/// How long inputs gather that nobody waits for, in microseconds: unless said, and at most.
const GATHER_US: u64 = 1_000;
const GATHER_US_MAX: u64 = 1_000_000;

/// Of a segment, what the link to the journal may fill with inputs that are on their way: the rest
/// of what a full disk leaves is for refusals and cancels.
const UNDER_WAY_PART: u64 = 4;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(default)]
    archive: bool,
    gather_us: Option<u64>,
    keep_mib: Option<u64>,
    keep_hours: Option<u64>,
    keep_days: Option<usize>,
}

/// What is kept, and how. The default keeps everything as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeping {
    /// Closed segments are compressed.
    pub archives: bool,
    /// The day's oldest closed segments go when all of them take more.
    pub bytes_max: Option<u64>,
    /// The day's closed segments go when they are older.
    pub age_max: Option<Duration>,
    /// Trading days, the present one included; older ones go.
    pub days_max: Option<usize>,
}

/// Checks the section; an absent one keeps everything.
pub(super) fn keeping(raw: &Raw) -> Result<Keeping, Error> {
    let mib = raw
        .keep_mib
        .map(|mib| within("journal.keep_mib", mib, 1..=KEEP_MIB_MAX));
    let hours = raw
        .keep_hours
        .map(|hours| within("journal.keep_hours", hours, 1..=KEEP_HOURS_MAX));
    let days = raw
        .keep_days
        .map(|days| within("journal.keep_days", days, 1..=KEEP_DAYS_MAX));
    Ok(Keeping {
        archives: raw.archive,
        bytes_max: mib.transpose()?.map(|mib| mib << 20),
        age_max: hours
            .transpose()?
            .map(|hours| Duration::from_secs(hours * 3_600)),
        days_max: days.transpose()?,
    })
}

/// How long inputs may gather before they are written: not at all where replies wait for the disk.
pub(super) fn gather(raw: &Raw, ack: Ack) -> Result<Duration, Error> {
    let gather_us = match (ack, raw.gather_us) {
        (Ack::Memory, named) => named.unwrap_or(GATHER_US),
        (Ack::Disk, None) => 0,
        (Ack::Disk, Some(named)) => {
            let problem = format!("is {named}, and replies wait for the disk");
            let remedy = "leave it out, or write ack = \"memory\"";
            return Err(Error::value("journal.gather_us", problem, remedy));
        }
    };
    let gather_us = within("journal.gather_us", gather_us, 0..=GATHER_US_MAX)?;
    Ok(Duration::from_micros(gather_us))
}

/// What is under way to the journal when the disk is full must leave room for cancels.
pub(super) fn under_way_fits(topology: &Topology) -> Result<(), Error> {
    let under_way = (topology.depth(Link::EngineJournal) * journal::LINE_BYTES) as u64;
    if under_way <= topology.segment_bytes / UNDER_WAY_PART {
        return Ok(());
    }
    let needed = (under_way * UNDER_WAY_PART).div_ceil(1 << 20);
    Err(Error::value(
        "segment_mib",
        format!(
            "is {}, too small for what the link engine_journal holds: on a full disk there would \
             be no room for cancels",
            topology.segment_bytes >> 20
        ),
        format!("raise it to {needed}, or lower `links.engine_journal.depth`"),
    ))
}

/// How it is written and what is kept, for the graph.
pub(super) fn told(topology: &Topology) -> String {
    let keeping = &topology.keeping;
    let mut told = Vec::new();
    if !topology.gather.is_zero() {
        told.push(format!("gathers for {} us", topology.gather.as_micros()));
    }
    told.push(if keeping.archives {
        "closed segments are compressed".to_owned()
    } else {
        "closed segments stay as written".to_owned()
    });
    if let Some(bytes) = keeping.bytes_max {
        told.push(format!("{} MiB of a day are kept", bytes >> 20));
    }
    if let Some(age) = keeping.age_max {
        told.push(format!("{} h of a day are kept", age.as_secs() / 3_600));
    }
    if let Some(days) = keeping.days_max {
        told.push(format!("{days} days are kept"));
    }
    told.join(", ")
}
