//! Kinds of faults, and how often each struck: a kind that never strikes proves nothing.

use journal::simulated::Counts as DiskCounts;

use crate::net::Counts as NetCounts;

/// Declares the kinds with their names, in the order in which they are told.
macro_rules! faults {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// Something that goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$doc])* $kind,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// What it is called.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

faults! {
    /// A datagram is lost.
    DatagramLost = "datagram lost",
    /// A datagram comes twice.
    DatagramDoubled = "datagram doubled",
    /// A datagram comes before one that was sent earlier.
    DatagramOvertook = "datagram overtook another",
    /// A datagram comes very late.
    DatagramLate = "datagram very late",
    /// A datagram goes or comes while its port is cut off.
    DatagramCutOff = "datagram in a partition",
    /// A queue for sending says that it is full.
    QueueFull = "send queue full",
    /// Bytes of a stream come in pieces.
    StreamSplit = "segment split",
    /// Bytes of a stream come very late.
    StreamLate = "segment very late",
    /// A stream stands still in both directions.
    PartitionBoth = "partition, both ways",
    /// A stream stands still in one direction.
    PartitionOneWay = "partition, one way",
    /// A connection breaks.
    Reset = "connection reset",
    /// A gateway's process dies, with words in its rings.
    GatewayDied = "gateway died",
    /// A ring has no room for all that a gateway wants to say.
    RingFull = "ring full",
    /// A member sends again what was not answered.
    Resent = "order sent again",
    /// A member sends again what may have been answered.
    Repeated = "answered order sent again",
    /// A member sends another order under a number that it used.
    NumberUsed = "number used again",
    /// The disk takes its time.
    DiskSlow = "disk slow",
    /// A write fails.
    WriteFailed = "write failed",
    /// A flush fails.
    FlushFailed = "flush failed",
    /// A segment cannot be prepared, and not for want of space.
    PrepareFailed = "prepare failed",
    /// A read fails while the venue recovers.
    ReadFailed = "read failed",
    /// There is no room for a segment.
    DiskFull = "disk full",
    /// A power cut loses some sectors of a write.
    SectorsLost = "unflushed sectors lost",
    /// A power cut loses some pages of a write.
    PagesLost = "unflushed pages lost",
    /// A write breaks off.
    WritePartial = "write partial",
    /// A write breaks off inside a sector.
    SectorTorn = "sector torn",
    /// Nothing is left of a write.
    WriteLost = "unflushed write lost",
    /// A write to a stream or a snapshot fails.
    FileWriteFailed = "file's write failed",
    /// A flush of one fails.
    FileFlushFailed = "file's flush failed",
    /// A rename fails.
    FileRenameFailed = "file's rename failed",
    /// There is no room for a stream or a snapshot.
    FilesFull = "no room for a file",
    /// A power cut loses some sectors of a write to one.
    FileSectorsLost = "file's sectors lost",
    /// The same for pages.
    FilePagesLost = "file's pages lost",
    /// A write to one breaks off.
    FileWritePartial = "file's write partial",
    /// A write to one breaks off inside a sector.
    FileSectorTorn = "file's sector torn",
    /// Nothing is left of a write to one.
    FileWriteLost = "file's write lost",
    /// A file that was removed is there again after a power cut.
    FileRemovalLost = "file's removal lost",
    /// A snapshot changes at rest.
    SnapshotDamaged = "snapshot damaged",
    /// A stream changes at rest.
    StreamDamaged = "stream damaged",
    /// A bit of the journal changes at rest.
    BitFlipped = "bit flipped",
    /// A block of the journal was written to another place.
    Misdirected = "write misdirected",
    /// A block of the journal is as if it had never been written.
    BlockLost = "block lost",
    /// The process is killed.
    Killed = "process killed",
    /// The power goes.
    PowerCut = "power cut",
    /// The power goes while a stream, a snapshot or a closed segment is written or let go of.
    PowerCutAtFile = "power cut at a file",
    /// The power goes while the venue recovers.
    PowerCutInRecovery = "power cut in recovery",
    /// The process stands still for a while.
    Frozen = "process frozen",
    /// The clock is set back while the venue is down.
    ClockBack = "clock set back",
}

/// How often each kind struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage([u64; Fault::ALL.len()]);

impl Default for Coverage {
    fn default() -> Self {
        Self([0; Fault::ALL.len()])
    }
}

impl Coverage {
    /// A kind struck so often.
    pub fn note(&mut self, fault: Fault, times: u64) {
        self.0[fault as usize] += times;
    }

    /// How often a kind struck.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        for (mine, its) in self.0.iter_mut().zip(other.0) {
            *mine += its;
        }
    }

    /// Kinds that never struck.
    #[must_use]
    pub fn missing(&self) -> Vec<Fault> {
        let is_missing = |fault: &Fault| self.of(*fault) == 0;
        Fault::ALL.iter().copied().filter(is_missing).collect()
    }

    pub(crate) fn note_disk(&mut self, counts: &DiskCounts) {
        for (fault, times) in [
            (Fault::DiskSlow, counts.slow),
            (Fault::WriteFailed, counts.writes_failed),
            (Fault::FlushFailed, counts.flushes_failed),
            (Fault::PrepareFailed, counts.prepares_failed),
            (Fault::ReadFailed, counts.reads_failed),
            (Fault::DiskFull, counts.full),
            (Fault::SectorsLost, counts.segments.sectors),
            (Fault::PagesLost, counts.segments.pages),
            (Fault::WritePartial, counts.segments.partial),
            (Fault::SectorTorn, counts.segments.torn),
            (Fault::WriteLost, counts.segments.lost),
            (Fault::FileWriteFailed, counts.file_writes_failed),
            (Fault::FileFlushFailed, counts.file_flushes_failed),
            (Fault::FileRenameFailed, counts.file_renames_failed),
            (Fault::FilesFull, counts.files_full),
            (Fault::FileSectorsLost, counts.files.sectors),
            (Fault::FilePagesLost, counts.files.pages),
            (Fault::FileWritePartial, counts.files.partial),
            (Fault::FileSectorTorn, counts.files.torn),
            (Fault::FileWriteLost, counts.files.lost),
            (Fault::FileRemovalLost, counts.removals_lost),
            (Fault::PowerCutAtFile, counts.powers_cut_at_file),
        ] {
            self.note(fault, times);
        }
    }

    pub(crate) fn note_net(&mut self, counts: &NetCounts) {
        for (fault, times) in [
            (Fault::DatagramLost, counts.dropped),
            (Fault::DatagramDoubled, counts.doubled),
            (Fault::DatagramOvertook, counts.overtook),
            (Fault::DatagramLate, counts.datagrams_late),
            (Fault::DatagramCutOff, counts.cut_off),
            (Fault::QueueFull, counts.full),
            (Fault::StreamSplit, counts.split),
            (Fault::StreamLate, counts.streams_late),
            (Fault::PartitionBoth, counts.partitions),
            (Fault::PartitionOneWay, counts.partitions_one_way),
            (Fault::Reset, counts.broken),
        ] {
            self.note(fault, times);
        }
    }
}
