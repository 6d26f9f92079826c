//! Samples of what tiles say they are doing: where time goes without the system's counters.
//!
//! It is coarser than stacks, and it cannot see what the system does under a tile; but it takes no
//! right but to read the venue's counters.

use super::flame::Node;
use crate::tiles::{PARTS, word_of};
use crate::topology::Tile;
use crate::venue::runner::COUNTERS_FILE;
use queue::{CounterReader, Error};
use std::path::Path;
use std::time::{Duration, Instant};

/// Between two samples: not a part of any period of the venue.
const PAUSE: Duration = Duration::from_micros(997);

/// Looks again and again for so long at what all tiles do, or one of them. The tiles are the first
/// level.
///
/// # Errors
/// The counters cannot be read.
pub fn sample(data_dir: &Path, time: Duration, only: Option<Tile>) -> Result<Node, Error> {
    let reader = CounterReader::attach(&data_dir.join(COUNTERS_FILE))?;
    let is_meant = |tile: &Tile| only.is_none_or(|only| only == *tile);
    let tiles: Vec<(Tile, String)> = Tile::ALL
        .into_iter()
        .filter(is_meant)
        .map(|tile| (tile, word_of(tile)))
        .collect();
    let mut root = Node::default();
    let start = Instant::now();
    while start.elapsed() < time {
        for (tile, word) in &tiles {
            let number = reader.get(word).unwrap_or(0);
            let part = usize::try_from(number).ok().and_then(|at| PARTS.get(at));
            root.add(&[tile.name(), part.copied().unwrap_or("unknown")]);
        }
        std::thread::sleep(PAUSE);
    }
    Ok(root)
}
