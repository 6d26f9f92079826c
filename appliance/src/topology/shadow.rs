//! The shadow: `[shadow]` in the file. What it makes is in docs/streams.md.

use super::Error;
use super::check::within;
use serde::Deserialize;
use std::time::Duration;

/// How often a snapshot is made, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// Inputs from one snapshot to the next: what a start has to replay at most, but for how far
    /// the shadow lags.
    pub snapshot_inputs: u64,
    /// Time from one snapshot to the next, if there was any input.
    pub snapshot_every: Duration,
    /// Snapshots that are kept: the newest, and those that stand in for it when it is damaged.
    pub keep: usize,
    /// The core it runs on, if it is to have one.
    pub core: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    snapshot_inputs: Option<u64>,
    snapshot_s: Option<u64>,
    keep: Option<usize>,
    core: Option<usize>,
}

/// Checks the section; an absent one asks for no shadow.
pub(super) fn shadow(raw: Option<&Raw>) -> Result<Option<Shadow>, Error> {
    let Some(raw) = raw else { return Ok(None) };
    let inputs = raw.snapshot_inputs.unwrap_or(1_000_000);
    let seconds = raw.snapshot_s.unwrap_or(60);
    let seconds = within("shadow.snapshot_s", seconds, 1..=86_400)?;
    Ok(Some(Shadow {
        snapshot_inputs: within("shadow.snapshot_inputs", inputs, 1..=1 << 40)?,
        snapshot_every: Duration::from_secs(seconds),
        keep: within("shadow.keep", raw.keep.unwrap_or(2), 2..=1_000)?,
        core: raw.core,
    }))
}
