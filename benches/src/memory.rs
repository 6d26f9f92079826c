//! The memory of measured engines.

use matching::{Limits, Line};
use queue::Pages;

use crate::BenchError;

/// Memory for an engine, on huge pages where the kernel gives them.
pub fn engine_memory(limits: &Limits) -> Result<Pages<Line>, BenchError> {
    let none = || BenchError::Failed("no memory for the engine".to_string());
    Pages::zeroed(limits.lines()).ok_or_else(none)
}

/// How much of so many bytes lies on huge pages, for a report.
#[must_use]
pub fn pages_note((bytes, huge): (usize, Option<usize>)) -> String {
    match huge {
        Some(huge) => format!("{} of {} MiB on 2 MB pages", huge >> 20, bytes >> 20),
        None => format!("{} MiB, on pages that nobody tells of", bytes >> 20),
    }
}
