//! Busts of which a shard's tables do not say whether they named a trade of the order's: the trade
//! may be in another shard. The session's stream says it, which has the trades of all symbols.

use crate::Error;
use crate::orders::At;
use journal::DirectoryFiles;
use journal::stream::{self, Name};
use std::collections::{HashMap, HashSet};
use wire::ouch::Outbound;

/// A trade that was taken back, as a reply says it.
#[derive(Clone, Copy, Debug)]
pub struct Bust {
    pub at: At,
    pub user_ref: u32,
    pub match_number: u64,
}

/// Those of a stream's busts that took nothing back: the order had no part in the trade, or it was
/// taken back before.
///
/// # Errors
/// The stream cannot be read as far as it was a moment ago, when these were found in it: nothing of
/// what was taken since may stay in the tables, for these would be missing.
pub fn unfounded(
    files: &mut DirectoryFiles,
    name: Name,
    busts: Vec<Bust>,
) -> Result<Vec<Bust>, Error> {
    let last = busts.iter().map(|bust| bust.at.message).max().unwrap_or(0);
    let trade = |bust: &Bust| (bust.user_ref, bust.match_number);
    let named: HashSet<(u32, u64)> = busts.iter().map(trade).collect();
    let mut doubtful: HashMap<u64, Bust> = busts
        .into_iter()
        .map(|bust| (bust.at.message, bust))
        .collect();
    let (mut standing, mut found) = (HashSet::new(), Vec::new());
    let read = stream::read(files, name, 1, &mut |message, bytes| {
        match Outbound::parse(bytes) {
            Ok(Outbound::Executed(it)) => {
                let trade = (it.user_ref(), it.match_number());
                if named.contains(&trade) {
                    standing.insert(trade);
                }
            }
            Ok(Outbound::BrokenTrade(it)) => {
                let took_back = standing.remove(&(it.user_ref(), it.match_number()));
                let bust = doubtful.remove(&message);
                found.extend(bust.filter(|_| !took_back));
            }
            _ => {}
        }
        message < last
    });
    let why = match read {
        Ok(next) if next > last => return Ok(found),
        Ok(next) => format!("it ends before message {next} now"),
        Err(error) => error.to_string(),
    };
    Err(Error::Refused(format!(
        "stream of replies {}: message {last} was read, and is not there when it is read again: \
         {why}; run this again once nobody makes the stream anew",
        name.number
    )))
}
