//! What somebody named: segments, a day's directory, or a data directory with its days.

use std::fs;
use std::path::{Path, PathBuf};

use journal::storage::{archive_number, segment_number};

use crate::venue::day::is_day;

/// The segments of each journal that the arguments name; an empty journal has none.
pub(super) fn journals(named: &[PathBuf]) -> Result<Vec<Vec<PathBuf>>, String> {
    let (directories, files): (Vec<_>, Vec<_>) = named.iter().partition(|path| path.is_dir());
    let mut journals = Vec::new();
    if !files.is_empty() {
        journals.push(files.into_iter().cloned().collect());
    }
    for directory in directories {
        journals.extend(of_directory(directory)?);
    }
    Ok(journals)
}

fn of_directory(directory: &Path) -> Result<Vec<Vec<PathBuf>>, String> {
    let segments = segments(directory)?;
    if !segments.is_empty() {
        return Ok(vec![segments]);
    }
    let days = days(directory)?;
    if days.is_empty() {
        return Err(format!(
            "{}: there is neither a segment nor a trading day in it",
            directory.display()
        ));
    }
    days.iter().map(|day| self::segments(day)).collect()
}

/// The directory of a day: this one, or the newest in it.
///
/// # Errors
/// There is none.
pub fn day_of(directory: &Path) -> Result<PathBuf, String> {
    if !segments(directory)?.is_empty() {
        return Ok(directory.to_path_buf());
    }
    let newest = days(directory)?.pop();
    newest.ok_or_else(|| format!("{}: there is no trading day in it", directory.display()))
}

/// The segments in a directory, as written or compressed, in the order of their numbers.
fn segments(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = entries(directory, |name| {
        segment_number(name).is_some() || archive_number(name).is_some()
    })?;
    // One that is there in both forms counts as it was written.
    found.dedup_by(|archive, raw| archive.with_extension("") == *raw);
    Ok(found)
}

/// The days of a data directory, in their order.
pub(super) fn days(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let mut days = entries(directory, is_day)?;
    days.retain(|day| day.is_dir());
    Ok(days)
}

fn entries(directory: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_str().is_some_and(&is_wanted) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
