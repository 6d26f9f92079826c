//! `wirecross journal complete`: the streams of a day that is over, brought to its journal's end.

use super::Stopped;
use crate::topology::Topology;
use crate::venue::day::locked;
use crate::venue::shadow;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is to be made whole.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// The topology that the venue had on that day, with its section `[shadow]`.
    #[arg(long)]
    topology: PathBuf,
    /// The day's directory. Of the newest day the venue's start makes them whole.
    #[arg(value_name = "DAY")]
    day: PathBuf,
}

/// Makes the streams whole.
pub(super) fn complete(asked: &Asked, out: &mut dyn Write) -> Result<(), Stopped> {
    let refused = |text: String| Stopped::Asked(text);
    let topology = Topology::load(&asked.topology).map_err(|e| refused(e.to_string()))?;
    let day = &asked.day;
    let full = day.canonicalize();
    let full = full.map_err(|e| refused(format!("{}: {e}", day.display())))?;
    let data_dir = full.parent().unwrap_or(Path::new("/"));
    let days = super::directory::days(data_dir).map_err(refused)?;
    let newest = days.last();
    if newest.is_none_or(|newest| *newest == full) || !days.contains(&full) {
        let text = "is the newest day, whose streams the venue makes whole when it is started, or \
                    none: name a day that is over";
        return Err(refused(format!("{}: it {text}", day.display())));
    }
    let _lock = locked(data_dir).map_err(|e| refused(e.to_string()))?;
    let done = shadow::complete(&topology, &full)
        .map_err(|e| refused(format!("{}: {e}", day.display())))?;
    let words = match done {
        true => "whole now",
        false => "whole already",
    };
    Ok(writeln!(out, "{}: its streams are {words}", day.display())?)
}
