//! The days of a data directory, and what is beside their journals.

use crate::Error;
use journal::stream::{Kind, Name};
use std::fs;
use std::path::Path;

/// Letters of a day's name.
const NAME_LETTERS: usize = 10;

/// The file by which a venue says that a day's streams end before its journal.
const BEHIND: &str = "streams-behind";

/// Whether a directory of that name may be a day.
pub fn is_name(name: &str) -> bool {
    name.len() == NAME_LETTERS && name.bytes().all(|it| it.is_ascii_digit())
}

/// The names of the days that were begun, the oldest first.
pub fn list(data_dir: &Path) -> Result<Vec<String>, Error> {
    let failed = |error| Error::file(data_dir, &error);
    let mut days = Vec::new();
    for entry in fs::read_dir(data_dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if is_name(&name) && entry.path().join("limits").is_file() {
            days.push(name);
        }
    }
    days.sort();
    Ok(days)
}

/// Why the streams of a day that is over end before its journal, if the venue that began the next
/// day says so: what is missing may still come.
pub fn behind(folder: &Path) -> Result<Option<String>, Error> {
    match fs::read(folder.join(BEHIND)) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(&folder.join(BEHIND), &error)),
    }
}

/// The streams of a day that tables are made of: the feed of orders and every session's replies.
pub fn streams(names: &[String]) -> Vec<Name> {
    let session = |name: &String| name.strip_prefix("stream-replies-")?.parse().ok();
    let replies = |number| Name {
        kind: Kind::Replies,
        number,
    };
    let mut found: Vec<Name> = names.iter().filter_map(session).map(replies).collect();
    if names.contains(&Name::FEED.file()) {
        found.push(Name::FEED);
    }
    found.sort();
    found
}
