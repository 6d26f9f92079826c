//! What of a day's closed segments may go: nothing that a start may need.

use crate::topology::Keeping;
use journal::{Keep, Keeper, Kept, RecoveryError, Shelf, StorageError, snapshot};

/// Snapshots without which nothing of a day is removed: one to start from, and one before it in
/// case that one is damaged.
const SNAPSHOTS_MIN: usize = 2;

/// Keeps closed segments by an operator's rules and by what recovery needs.
pub struct Retention<D> {
    keeper: Keeper<D>,
    /// Whether anything of the day may be removed at all.
    removes: bool,
    /// Snapshots that the venue's start could not use: they stand for nothing, whatever they hold.
    refused: Vec<u64>,
    /// Snapshots as they were when they were read through, and what recovery needs by them.
    needs: (Vec<u64>, u64),
}

impl<D: Shelf> Retention<D> {
    /// Looks at the segments of a journal that was opened for writing, by a venue that started from
    /// the snapshot behind input `snapshot`, or 0. Later ones that are there already were refused,
    /// be it for a stream that ends before them: until the shadow has set them aside and made
    /// others, a start needs what they stand for.
    ///
    /// # Errors
    /// The index or the names of snapshots cannot be read.
    pub fn of(rules: &Keeping, mut shelf: D, snapshot: u64) -> Result<Self, StorageError> {
        let mut refused = snapshot::list(shelf.files())?;
        refused.retain(|sequence| *sequence > snapshot);
        let keep = Keep {
            archives: rules.archives,
            bytes_max: rules.bytes_max,
            age_ns_max: rules.age_max.map(|age| age.as_nanos() as u64),
        };
        Ok(Self {
            keeper: Keeper::of(shelf, keep)?,
            removes: rules.bytes_max.is_some() || rules.age_max.is_some(),
            refused,
            needs: (Vec::new(), 1),
        })
    }

    /// Does the next thing that is due.
    ///
    /// # Errors
    /// As [`Keeper::turn`].
    pub fn turn(&mut self, now_ns: u64) -> Result<Kept, RecoveryError> {
        let needed_from = if self.removes { self.needed_from() } else { 1 };
        self.keeper.turn(now_ns, needed_from)
    }

    /// The oldest input that recovery needs: the last one of the oldest snapshot, whose record it
    /// looks for, if enough of them are sound. Until they change they are read through once.
    fn needed_from(&mut self) -> u64 {
        let sequences = snapshot::list(self.keeper.files()).unwrap_or_default();
        if self.needs.0 != sequences {
            let files = self.keeper.files();
            let mut is_sound = |sequence: &u64| {
                !self.refused.contains(sequence)
                    && snapshot::Snapshot::read(files, *sequence).is_ok()
            };
            let sound: Vec<u64> = sequences.iter().copied().filter(&mut is_sound).collect();
            let oldest = sound.last().filter(|_| sound.len() >= SNAPSHOTS_MIN);
            self.needs = (sequences, oldest.map_or(1, |sequence| *sequence));
        }
        self.needs.1
    }
}
