//! The host under the appliance: what of it disturbs a pinned thread, how to change that, and how
//! to get everything back.
//!
//! A *stage* looks at one thing (where interrupts go, how deep cores sleep) and gives *findings*:
//! what was found, what is wanted, why it matters, what it would change, what that risks. Looking
//! needs no root and changes nothing. A [`change`](Change) is a text written to a file, whatever
//! it stands for: settings behind system calls are given paths too (see [`Host`]). So one
//! [`Journal`] of texts from before undoes all of it, and one folder of recorded files can stand
//! in for a host.
#![deny(unsafe_code)]

mod change;
mod cpus;
mod finding;
mod host;
mod jitter;
mod journal;
mod report;
mod route;
mod setup;
mod stages;
mod tune;

pub use change::Change;
pub use cpus::Cpus;
pub use finding::{About, Finding, Verdict};
pub use host::{DMA_LATENCY, Fault, Host, pack, unpack};
pub use jitter::{Bucket, Cause, CoreReport, Gap, Gaps, Jitter, Snapshot, jitter_text, svg};
pub use journal::{Entry, Journal, JournalError, STATE_FILE};
pub use report::{details, plan_text, table};
pub use setup::{Profile, Setup, SetupError, Wish};
pub use stages::{STAGES, Stage, stages_named};
pub use tune::{Applying, Outcome, Undoing, plan};

/// Lets every stage of the profile look at the host, or those in `only` if there are any.
#[must_use]
pub fn doctor(host: &Host, setup: &Setup, only: &[&Stage]) -> Vec<Finding> {
    STAGES
        .iter()
        .filter(|stage| match only {
            [] => stage.is_for(setup.profile),
            _ => only.iter().any(|chosen| chosen.name == stage.name),
        })
        .flat_map(|stage| stage.findings(host, setup))
        .collect()
}
