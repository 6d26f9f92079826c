//! What goes wrong with the simulated disk: faults to come, and what struck.

use super::segment::Loss;

/// Faults to come. The default has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The write with this number (from 1, over the disk's life) fails; part of it may be there.
    pub write_fails: Option<u64>,
    /// The flush of the write with this number fails; part of it may be there.
    pub flush_fails: Option<u64>,
    /// Preparing the segment with this number fails, and not for want of space.
    pub prepare_fails: Option<u32>,
    /// The read with this number (from 1, over the disk's life), of whatever file, fails.
    pub read_fails: Option<u64>,
    /// No more segments than this fit on the disk; raise it to give space back.
    pub segments_max: Option<usize>,
    /// At the call with this number (from 1, over the disk's life) that changes another file than a
    /// segment the power goes: [`Disk::is_off`](super::Disk::is_off) until the crash.
    pub power_at_file_call: Option<u64>,
    /// Writes to other files than segments that fail, in a million; part of them may be there.
    pub file_writes_in_million: u32,
    /// Flushes of them that fail, in a million: what they were to bring may be lost.
    pub file_flushes_in_million: u32,
    /// Renames that fail, in a million; they may have been done.
    pub file_renames_in_million: u32,
    /// Other files than segments find no room; part of a write may be there.
    pub are_files_full: bool,
    /// Reports come after up to this many further polls, by the seed; 0: at the first poll.
    pub delay_polls_max: u32,
    /// No report of a segment's write comes as long as this holds.
    pub is_stalled: bool,
}

/// What happened to the disk so far, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Writes that were begun.
    pub writes: u64,
    /// Reads that were begun.
    pub reads: u64,
    /// Writes that failed.
    pub writes_failed: u64,
    /// Flushes that failed.
    pub flushes_failed: u64,
    /// Reads that failed.
    pub reads_failed: u64,
    /// Segments that could not be prepared, and not for want of space.
    pub prepares_failed: u64,
    /// Segments that there was no room for.
    pub full: u64,
    /// Reports that came late.
    pub slow: u64,
    /// What became of writes to segments.
    pub segments: Losses,
    /// What became of writes to other files.
    pub files: Losses,
    /// Segments that were compressed.
    pub archived: u64,
    /// Segments that were let go of.
    pub retired: u64,
    /// Calls that change other files, or keep closed segments.
    pub file_calls: u64,
    /// Writes to other files that failed, and not for want of space.
    pub file_writes_failed: u64,
    /// Flushes of them that failed.
    pub file_flushes_failed: u64,
    /// Renames that failed.
    pub file_renames_failed: u64,
    /// Writes to other files that there was no room for.
    pub files_full: u64,
    /// Files that were removed and were there again after a power cut.
    pub removals_lost: u64,
    /// Calls at which the power went.
    pub powers_cut_at_file: u64,
}

/// What a power cut, or a failure, left of writes that were not flushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Writes of which some sectors were left.
    pub sectors: u64,
    /// The same for pages.
    pub pages: u64,
    /// Writes that broke off.
    pub partial: u64,
    /// Writes that broke off inside a sector.
    pub torn: u64,
    /// Writes of which nothing was left.
    pub lost: u64,
}

impl Losses {
    pub(super) fn note(&mut self, loss: Loss, times: u64) {
        let count = match loss {
            Loss::Sectors => &mut self.sectors,
            Loss::Pages => &mut self.pages,
            Loss::Tail => &mut self.partial,
            Loss::Torn => &mut self.torn,
            Loss::All => &mut self.lost,
        };
        *count += times;
    }
}

impl Counts {
    /// Everything that failed of other files than segments, for want of space too.
    #[must_use]
    pub const fn file_failures(&self) -> u64 {
        self.file_writes_failed
            + self.file_flushes_failed
            + self.file_renames_failed
            + self.files_full
    }

    /// Everything that failed, and not for want of space.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.writes_failed + self.flushes_failed + self.reads_failed + self.prepares_failed
    }
}
