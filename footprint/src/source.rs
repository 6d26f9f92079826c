//! The system's files about a process and about memory, opened once and read whenever it is
//! wished.

use crate::figures::{FIGURES, Footprint, Place};
use std::fs::File;
use std::io::{self, Read, Seek};

/// A tick of the times in `stat`: every system of ours has 100 a second.
const TICK_NS: u64 = 10_000_000;

/// The files about this process. What is read is of the moment of reading.
#[derive(Debug)]
pub struct Source {
    status: File,
    stat: File,
    /// Kernels before 4.14 have none.
    rollup: Option<File>,
    limits: File,
    descriptors: File,
    text: String,
}

impl Source {
    /// Opens them: before the process gives up its files.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            status: File::open("/proc/self/status")?,
            stat: File::open("/proc/self/stat")?,
            rollup: File::open("/proc/self/smaps_rollup").ok(),
            limits: File::open("/proc/self/limits")?,
            descriptors: File::open("/proc/self/fd")?,
            text: String::new(),
        })
    }

    /// What the process takes now. What this kernel does not tell is 0.
    ///
    /// # Errors
    /// The system does not give what it gave before.
    pub fn read(&mut self) -> io::Result<Footprint> {
        let mut told = Footprint::default();
        again(&mut self.status, &mut self.text)?;
        fill(&mut told, |place| match place {
            Place::Status(line) => Some(bytes_of(&self.text, line)),
            Place::Count(line) => Some(number_of(&self.text, line)),
            _ => None,
        });
        again(&mut self.stat, &mut self.text)?;
        fill(&mut told, |place| match place {
            Place::Stat(word) => Some(word_of(&self.text, *word)),
            Place::Ticks(word) => Some(word_of(&self.text, *word) * TICK_NS),
            _ => None,
        });
        again(&mut self.limits, &mut self.text)?;
        let open = self.descriptors.metadata()?.len();
        fill(&mut told, |place| match place {
            Place::Descriptors => Some(open),
            Place::DescriptorsMax => Some(limit_of(&self.text, "Max open files")),
            _ => None,
        });
        if let Some(rollup) = &mut self.rollup {
            again(rollup, &mut self.text)?;
            fill(&mut told, |place| match place {
                Place::Rollup(lines) => {
                    Some(lines.iter().map(|line| bytes_of(&self.text, line)).sum())
                }
                _ => None,
            });
        }
        Ok(told)
    }
}

/// Puts in what `read` knows of a figure's place.
fn fill(told: &mut Footprint, read: impl Fn(&Place) -> Option<u64>) {
    for (figure, value) in FIGURES.iter().zip(&mut told.0) {
        if let Some(read) = read(&figure.place) {
            *value = read;
        }
    }
}

/// The whole file as it is now. It is read from its start by the same descriptor: a confined
/// process cannot open it again.
fn again(file: &mut File, text: &mut String) -> io::Result<()> {
    file.rewind()?;
    text.clear();
    file.read_to_string(text)?;
    Ok(())
}

/// The number behind a line's name, as it stands there.
fn number_of(text: &str, name: &str) -> u64 {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut found = lines.filter(|(found, _)| *found == name);
    let words = found.next().map(|(_, rest)| rest.split_whitespace());
    let first = words.and_then(|mut words| words.next());
    first.and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// The same where it is in KiB, in bytes.
fn bytes_of(text: &str, name: &str) -> u64 {
    number_of(text, name) * 1_024
}

/// A word of `stat`: the program's name, which may hold spaces, stands in brackets before them.
fn word_of(text: &str, word: usize) -> u64 {
    let behind = text.rsplit(')').next().unwrap_or_default();
    let word = behind.split_whitespace().nth(word);
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// The limit in force behind its name; the greatest number for none.
fn limit_of(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
    let word = lines.next().and_then(|rest| rest.split_whitespace().next());
    word.map_or(0, |word| word.parse().unwrap_or(u64::MAX))
}

/// What the machine has.
#[derive(Debug)]
pub struct Machine {
    file: File,
    text: String,
}

impl Machine {
    /// Opens the file about it: before the process gives up its files.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            file: File::open("/proc/meminfo")?,
            text: String::new(),
        })
    }

    /// Bytes in all, bytes that programs may still have, bytes of the pool of huge pages, and those
    /// of it that nobody has or was promised, each with its name.
    ///
    /// # Errors
    /// The system does not give what it gave before.
    pub fn read(&mut self) -> io::Result<[(&'static str, u64); 4]> {
        again(&mut self.file, &mut self.text)?;
        Ok(machine_of(&self.text))
    }
}

fn machine_of(text: &str) -> [(&'static str, u64); 4] {
    let page = bytes_of(text, "Hugepagesize");
    let free = number_of(text, "HugePages_Free");
    let free = free.saturating_sub(number_of(text, "HugePages_Rsvd"));
    [
        ("total_bytes", bytes_of(text, "MemTotal")),
        ("available_bytes", bytes_of(text, "MemAvailable")),
        ("huge_pool_bytes", number_of(text, "HugePages_Total") * page),
        ("huge_pool_free_bytes", free * page),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_the_system_writes_them() {
        let status = "Name:\tVmRSS: 9\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t3\n";
        assert_eq!(bytes_of(status, "VmRSS"), 1 << 20);
        assert_eq!(bytes_of(status, "VmHWM"), 2 << 20);
        assert_eq!(bytes_of(status, "HugetlbPages"), 0);
        // A program may be called anything.
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 101 0 3 0 1 2 0 0 20 0 1 0";
        assert_eq!((word_of(stat, 7), word_of(stat, 9)), (101, 3));
        assert_eq!(word_of("", 7), 0);
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  4096  files\n\
                      Max processes  unlimited  unlimited  processes\n";
        assert_eq!(limit_of(limits, "Max open files"), 1_024);
        assert_eq!(limit_of(limits, "Max processes"), u64::MAX);
        assert_eq!(limit_of("", "Max open files"), 0);
    }

    #[test]
    fn work_threads_and_descriptors_are_counted() {
        let _alone = crate::ALONE.lock();
        let mut source = Source::open().expect("/proc");
        let before = source.read().expect("/proc");
        let files: Vec<File> = (0..10)
            .map(|_| File::open("/dev/null").expect("a file"))
            .collect();
        let (end, is_over) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || is_over.recv());
        let told = |it: &Footprint, name: &str| it.get(name).expect(name);
        let cpu = |it: &Footprint| told(it, "cpu_user_ns") + told(it, "cpu_system_ns");
        let now = loop {
            let now = source.read().expect("/proc");
            if cpu(&now) > cpu(&before) {
                break now;
            }
        };
        assert_eq!(cpu(&now) % TICK_NS, 0);
        // Other tests of this program may come and go beside it.
        assert!(told(&now, "threads") >= 2, "{now:?}");
        let [open, most] = ["descriptors", "descriptors_max"].map(|name| told(&now, name));
        // Kernels before 6.2 do not tell.
        assert!(
            open == 0 || (open > files.len() as u64 && open <= most),
            "{now:?}"
        );
        drop(end);
        assert!(thread.join().expect("the thread").is_err());
    }

    #[test]
    fn pages_that_were_promised_are_not_free() {
        let text = "MemTotal: 1000 kB\nMemAvailable: 900 kB\nHugePages_Total: 10\n\
                    HugePages_Free: 6\nHugePages_Rsvd: 4\nHugepagesize: 2048 kB\n";
        let told = machine_of(text).map(|(_, value)| value);
        assert_eq!(told, [1_024_000, 921_600, 20 << 20, 4 << 20]);
    }

    #[test]
    fn what_is_touched_becomes_resident_and_counts_faults() {
        let _alone = crate::ALONE.lock();
        let mut source = Source::open().expect("/proc");
        let before = source.read().expect("/proc");
        let memory = vec![1u8; 64 << 20];
        let after = source.read().expect("/proc");
        assert!(memory.iter().all(|byte| *byte == 1));
        let grew = |name: &str| {
            let [now, then] = [after, before].map(|it| it.get(name).expect(name));
            now - then
        };
        assert!(grew("resident_bytes") > 48 << 20, "{after:?} {before:?}");
        assert!(grew("anonymous_bytes") > 48 << 20);
        assert!(grew("minor_faults") > 0);
        assert!(after.get("peak_bytes") >= after.get("resident_bytes"));
    }
}
