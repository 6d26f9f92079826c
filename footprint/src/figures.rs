//! What is told of a process, and where the system says it.

/// One figure of a process.
#[derive(Debug)]
pub struct Figure {
    /// What of the process it is about.
    pub area: Area,
    /// Its name, which ends with its unit where that is no number of things.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    /// Whether it only grows while the process lives.
    pub is_total: bool,
    pub(crate) place: Place,
}

/// What of a process a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Its memory.
    Memory,
    /// All else.
    Process,
}

/// Where a figure stands, by proc(5).
#[derive(Debug)]
pub(crate) enum Place {
    /// A line of `status`, in KiB.
    Status(&'static str),
    /// The sum of these lines of `smaps_rollup`, in KiB.
    Rollup(&'static [&'static str]),
    /// A line of `status`, a number of things.
    Count(&'static str),
    /// A word of `stat`, counted from the one behind the program's name.
    Stat(usize),
    /// The same, a time in ticks, told in nanoseconds.
    Ticks(usize),
    /// How many descriptors are open: the size of the folder `fd`, of Linux from 6.2 on.
    Descriptors,
    /// How many may be: the line `Max open files` of `limits`.
    DescriptorsMax,
}

const fn of_status(name: &'static str, line: &'static str, help: &'static str) -> Figure {
    Figure {
        area: Area::Memory,
        name,
        help,
        is_total: false,
        place: Place::Status(line),
    }
}

const fn faults(name: &'static str, word: usize, help: &'static str) -> Figure {
    Figure {
        area: Area::Memory,
        name,
        help,
        is_total: true,
        place: Place::Stat(word),
    }
}

const fn of_process(
    name: &'static str,
    is_total: bool,
    place: Place,
    help: &'static str,
) -> Figure {
    Figure {
        area: Area::Process,
        name,
        help,
        is_total,
        place,
    }
}

/// All of them.
pub const FIGURES: [Figure; 17] = [
    of_status(
        "resident_bytes",
        "VmRSS",
        "Memory of the process that is there, but for what it has of the system's huge pages",
    ),
    of_status("peak_bytes", "VmHWM", "The most that this ever was"),
    of_status(
        "anonymous_bytes",
        "RssAnon",
        "Of resident memory that of no file: heap, stacks, tables",
    ),
    of_status("file_bytes", "RssFile", "Of resident memory that of files"),
    of_status(
        "shared_bytes",
        "RssShmem",
        "Of resident memory that which is shared: rings, counters",
    ),
    of_status("swapped_bytes", "VmSwap", "Memory that was swapped out"),
    of_status("locked_bytes", "VmLck", "Memory that cannot be swapped out"),
    of_status(
        "page_table_bytes",
        "VmPTE",
        "Memory of the tables that find the process's pages",
    ),
    of_status(
        "pool_huge_bytes",
        "HugetlbPages",
        "Memory on huge pages of the system's pool",
    ),
    Figure {
        area: Area::Memory,
        name: "transparent_huge_bytes",
        help: "Of resident memory that on huge pages",
        is_total: false,
        place: Place::Rollup(&["AnonHugePages", "ShmemPmdMapped", "FilePmdMapped"]),
    },
    faults("minor_faults", 7, "Pages that were mapped when touched"),
    faults(
        "major_faults",
        9,
        "Pages that were read from disk when touched",
    ),
    of_process(
        "cpu_user_ns",
        true,
        Place::Ticks(11),
        "Time of processors that the process had for itself",
    ),
    of_process(
        "cpu_system_ns",
        true,
        Place::Ticks(12),
        "Time of processors that the system worked for the process",
    ),
    of_process(
        "threads",
        false,
        Place::Count("Threads"),
        "Threads of the process",
    ),
    of_process(
        "descriptors",
        false,
        Place::Descriptors,
        "Descriptors that are open; 0 where the kernel does not tell",
    ),
    of_process(
        "descriptors_max",
        false,
        Place::DescriptorsMax,
        "Descriptors that may be open at most",
    ),
];

/// What a process takes at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint(pub(crate) [u64; FIGURES.len()]);

impl Footprint {
    /// A figure by its name; `None` if there is no such figure.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u64> {
        let mut all = self.each();
        all.find(|(figure, _)| figure.name == name)
            .map(|(_, value)| value)
    }

    /// Every figure with its value.
    pub fn each(&self) -> impl Iterator<Item = (&'static Figure, u64)> {
        FIGURES.iter().zip(self.0)
    }
}
