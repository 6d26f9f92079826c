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
    /// The read with this number (from 1, over the disk's life) fails.
    pub read_fails: Option<u64>,
    /// No more segments than this fit on the disk; raise it to give space back.
    pub segments_max: Option<usize>,
    /// Reports come after up to this many further polls, by the seed; 0: at the first poll.
    pub delay_polls_max: u32,
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
    /// Writes of which a power cut, or a failure, left some sectors.
    pub sectors_lost: u64,
    /// The same for pages.
    pub pages_lost: u64,
    /// Writes that broke off.
    pub partial: u64,
    /// Writes that broke off inside a sector.
    pub torn: u64,
    /// Writes of which nothing was left.
    pub lost: u64,
}

impl Counts {
    /// Everything that failed, and not for want of space.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.writes_failed + self.flushes_failed + self.reads_failed + self.prepares_failed
    }

    pub(super) fn of(&mut self, loss: Loss) -> &mut u64 {
        match loss {
            Loss::Sectors => &mut self.sectors_lost,
            Loss::Pages => &mut self.pages_lost,
            Loss::Tail => &mut self.partial,
            Loss::Torn => &mut self.torn,
            Loss::All => &mut self.lost,
        }
    }
}
