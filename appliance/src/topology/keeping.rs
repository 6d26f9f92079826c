//! What becomes of the journal's closed segments and of old days: `[journal]` in the file.

use super::check::within;
use super::{Error, Link, Topology};
use serde::Deserialize;
use std::time::Duration;

/// The most that a rule can keep: a pebibyte, a century.
const KEEP_MIB_MAX: u64 = 1 << 30;
const KEEP_HOURS_MAX: u64 = 24 * 366 * 100;
const KEEP_DAYS_MAX: usize = 366 * 100;

/// Of a segment, what the link to the journal may fill with inputs that are on their way: the rest
/// of what a full disk leaves is for refusals and cancels.
const UNDER_WAY_PART: u64 = 4;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(default)]
    archive: bool,
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

/// What is kept, for the graph.
pub(super) fn told(keeping: &Keeping) -> String {
    let mut told = vec![if keeping.archives {
        "closed segments are compressed".to_owned()
    } else {
        "closed segments stay as written".to_owned()
    }];
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
