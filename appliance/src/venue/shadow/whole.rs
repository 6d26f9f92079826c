//! Streams of a day that is over, made whole.
//!
//! A venue that was killed leaves streams behind its journal. Whoever makes tables of them leaves a
//! day as soon as there is a later one, so the day is brought to its end before another is begun.
//! A day that cannot be is marked, and who reads it waits there.

use super::{Counters, Parts, Shadow};
use crate::topology::Topology;
use crate::venue::day::{before, limits_check};
use crate::venue::{StartError, counters_anonymous, engine_limits, kept, padded};
use journal::stream::{self, Name, Position};
use journal::{DirectoryFiles, FileSegments, Files as _, Mark, Walker, snapshot};
use matching::Line;
use queue::Pages;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::time::Instant;

/// The file in a day's directory that says why its streams end before its journal.
const BEHIND: &str = "streams-behind";

/// Makes the streams of the days before `next` whole, the newest first, up to one that is; marks
/// those that cannot be, and tells on stderr what was done. The caller holds the data directory.
///
/// # Errors
/// The days cannot be listed, or one cannot be marked.
pub(in crate::venue) fn complete_before(topology: &Topology, next: &str) -> Result<(), StartError> {
    let data_dir = &topology.data_dir;
    let days = before(data_dir, next).map_err(|e| StartError::of("days", &e))?;
    // Of the newest day the venue may have been killed before it wrote a stream.
    let mut is_due = topology.shadow.is_some();
    for name in days.iter().rev() {
        let directory = data_dir.join(name);
        if !directory.join("limits").is_file() || !(is_due || has_streams(&directory)) {
            continue;
        }
        is_due = false;
        match complete(topology, &directory) {
            Ok(false) => return Ok(()),
            Ok(true) => eprintln!(
                "wirecross: the streams of day {name} ended before its journal: they are whole now"
            ),
            Err(error) => mark(&directory, name, &error)?,
        }
    }
    Ok(())
}

/// Whether a day's venue had a shadow.
fn has_streams(directory: &Path) -> bool {
    let mut files = DirectoryFiles::new(directory);
    let is_one = |name: &String| name.starts_with("stream-");
    let names = files.names().unwrap_or_default();
    let snapshots = snapshot::list(&mut files).unwrap_or_default();
    names.iter().any(is_one) || !snapshots.is_empty()
}

/// Writes down that a day's streams are behind its journal, and says so.
fn mark(directory: &Path, name: &str, why: &StartError) -> Result<(), StartError> {
    let path = directory.join(BEHIND);
    let told = format!(
        "the streams of day {name} end before its journal: {why}; tables wait there until \
         `wirecross journal complete --topology FILE {}` has made them whole, by the topology of \
         that day, or {} is removed, which gives up what is missing",
        directory.display(),
        path.display()
    );
    let failed = |e: std::io::Error| StartError::of(&format!("marking {}", path.display()), &e);
    let mut file = File::create(&path).map_err(failed)?;
    writeln!(file, "{told}").map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let directory = File::open(directory).map_err(failed)?;
    directory.sync_all().map_err(failed)?;
    eprintln!("wirecross: {told}");
    Ok(())
}

/// Brings the streams of a day that is over to the end of its journal, makes a snapshot there, and
/// takes the mark away; whether there was anything to do. The caller holds the data directory: two
/// that write the same streams would spoil them.
///
/// # Errors
/// The topology is not the day's, its journal is damaged, or the disk or memory fails.
pub fn complete(topology: &Topology, directory: &Path) -> Result<bool, StartError> {
    let is_behind = !is_whole(directory).unwrap_or(false);
    if is_behind {
        limits_check(topology, directory)?;
        to_the_end(topology, directory)?;
    }
    match fs::remove_file(directory.join(BEHIND)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StartError::of(BEHIND, &error)),
        _ => Ok(is_behind),
    }
}

/// Runs a shadow to the end of a day's journal.
fn to_the_end(topology: &Topology, directory: &Path) -> Result<(), StartError> {
    let failed = |e: queue::Error| StartError::of("counters", &e);
    let mut lines = Pages::<Line>::zeroed(engine_limits(topology).lines())
        .ok_or_else(|| StartError::new("no memory for an engine of these limits"))?;
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let mut set = counters_anonymous().map_err(failed)?;
    let counters = Counters::new(&mut set).map_err(failed)?;
    let parts = Parts {
        segments: Box::new(FileSegments::new(directory)),
        files: Box::new(DirectoryFiles::new(directory)),
        session: padded(&name),
        streams: Some(ends_of(topology, directory)),
    };
    let mut shadow = Shadow::open(topology, parts, &mut lines, counters)?;
    let last = last_input(directory, shadow.follower.mark())?;
    let last = last.ok_or_else(|| StartError::new("its journal is another one than before"))?;
    set.counter("journal.durable").map_err(failed)?.set(last);
    let begun = Instant::now();
    let now_ns = || begun.elapsed().as_nanos() as u64;
    while shadow.sequence() < last {
        shadow.poll(now_ns());
        if let Some(told) = shadow.untold.take() {
            return Err(StartError::new(told));
        }
    }
    if shadow.snapshot_make(now_ns()) {
        return Ok(());
    }
    let more = || "they hold more than the journal makes".to_owned();
    Err(StartError::new(shadow.untold.take().unwrap_or_else(more)))
}

/// Where the streams of a day end that are whole: what they hold is kept, because somebody may be
/// reading it.
fn ends_of(topology: &Topology, directory: &Path) -> Vec<(Name, Position)> {
    let mut files = DirectoryFiles::new(directory);
    let mut end = |name: Name| {
        let end = stream::verify(&mut files, name, &Position::default());
        (name, end.unwrap_or_default())
    };
    kept::names(topology).into_iter().map(&mut end).collect()
}

/// Whether a snapshot stands at the end of a day's journal, and streams hold what they held there.
fn is_whole(directory: &Path) -> Result<bool, StartError> {
    let mut files = DirectoryFiles::new(directory);
    let snapshots = snapshot::list(&mut files).map_err(|e| StartError::of("snapshots", &e))?;
    let Some(newest) = snapshots.first() else {
        return Ok(last_input(directory, &Mark::START)? == Some(0));
    };
    let Some((mark, streams)) = kept::ends(&mut files, *newest) else {
        return Ok(false);
    };
    let is_there = |(name, messages): (Name, u64)| {
        stream::held(&mut files, name).is_ok_and(|held| held >= messages)
    };
    Ok(last_input(directory, &mark)? == Some(*newest) && streams.into_iter().all(is_there))
}

/// Number of the last input in a journal; none if the journal does not go on behind the mark.
fn last_input(directory: &Path, mark: &Mark) -> Result<Option<u64>, StartError> {
    let failed = |e: &dyn std::fmt::Display| StartError::of("journal", e);
    let mut walker = Walker::new(FileSegments::new(directory)).map_err(|e| failed(&e))?;
    if !mark.is_start() && !walker.skip_to(mark).map_err(|e| failed(&e))? {
        return Ok(None);
    }
    let mut next = mark.next_sequence;
    while let Some(record) = walker.record().map_err(|e| failed(&e))? {
        next = record.header.next_sequence();
    }
    Ok(Some(next.saturating_sub(1)))
}
