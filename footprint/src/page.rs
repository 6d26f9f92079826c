//! The page of a process: written by a thread of its own, read by others.

use crate::figures::{FIGURES, Figure, Footprint};
use crate::source::Source;
use queue::{Counter, CounterReader, CounterSet};
use std::io;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::Duration;

/// The page's file, in the folder of a process.
pub const FILE: &str = "footprint";

/// How often a process looks at itself unless there is a reason to do it more often: what it costs
/// is a walk over the tables of its pages.
pub const EVERY: Duration = Duration::from_secs(10);

/// What is needed to tell, had before the process gives up its files and while it has one thread.
#[derive(Debug)]
pub struct Teller {
    source: Source,
    counters: Vec<Counter>,
}

impl Teller {
    /// Makes the page of this process in a folder in the place of an older one, with what is known
    /// already beside the figures: names and values that stay as they are.
    ///
    /// # Errors
    /// The file cannot be made, a name is not one of 64 printing letters, or there is no `/proc`.
    pub fn open(folder: &Path, known: &[(String, u64)]) -> io::Result<Self> {
        let names = FIGURES.iter().map(|figure| figure.name);
        let names: Vec<&str> = names
            .chain(known.iter().map(|(name, _)| name.as_str()))
            .collect();
        let set = CounterSet::create(&folder.join(FILE), &names, &[]);
        let mut set = set.map_err(io::Error::other)?;
        let mut counter = |name: &str| set.counter(name).map_err(io::Error::other);
        for (name, value) in known {
            counter(name)?.set(*value);
        }
        let counters = FIGURES.iter().map(|figure| counter(figure.name));
        let mut teller = Self {
            counters: counters.collect::<io::Result<_>>()?,
            source: Source::open()?,
        };
        teller.tell()?;
        Ok(teller)
    }

    /// Goes on telling by a thread of its own, which stands and has told once when this returns:
    /// system calls that only a starting thread needs may be forbidden then.
    ///
    /// # Errors
    /// The system has no thread, or does not tell any more.
    pub fn start(mut self, every: Duration) -> io::Result<Telling> {
        let (standing, stands) = channel();
        let (end, is_over) = channel::<()>();
        let run = move || {
            let told = self.tell();
            let is_good = told.is_ok();
            let _ = standing.send(told);
            while is_good && is_over.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                // A moment that cannot be read stays as the one before.
                let _ = self.tell();
            }
        };
        Builder::new().name(FILE.to_owned()).spawn(run)?;
        stands.recv().map_err(io::Error::other)??;
        Ok(Telling(end))
    }

    fn tell(&mut self) -> io::Result<()> {
        let told = self.source.read()?;
        for (counter, (_, value)) in self.counters.iter_mut().zip(told.each()) {
            counter.set(value);
        }
        Ok(())
    }
}

/// The thread that tells; it ends with this value.
#[derive(Debug)]
pub struct Telling(
    /// Nothing is ever sent: that it is gone says that the thread is to end.
    #[allow(dead_code, reason = "what counts is when it is dropped")]
    Sender<()>,
);

/// What a process told of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its number. The system may have given it to another one since.
    pub process: u64,
    /// What it took when it last looked.
    pub footprint: Footprint,
    /// What it said beside that when it started.
    pub known: Vec<(String, u64)>,
}

impl Seen {
    /// One of the values that a process said beside its figures.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<u64> {
        let mut all = self.known.iter();
        all.find(|(known, _)| known == name).map(|(_, it)| *it)
    }
}

/// The page of the process that has this folder.
///
/// # Errors
/// There is none, or it is something else: why.
pub fn read(folder: &Path) -> Result<Seen, String> {
    let path = folder.join(FILE);
    let told = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let reader = CounterReader::attach(&path).map_err(|e| told(&e))?;
    let mut seen = Seen {
        process: reader.process_id(),
        footprint: Footprint::default(),
        known: Vec::new(),
    };
    for (name, value) in reader.counters() {
        let at = FIGURES.iter().position(|it: &Figure| it.name == name);
        match at {
            Some(at) => seen.footprint.0[at] = value,
            None => seen.known.push((name.to_owned(), value)),
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_tells_is_read_by_another() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(read(folder.path()).is_err(), "nobody told anything");
        let known = [("pool.orders".to_owned(), 100)];
        let teller = Teller::open(folder.path(), &known).expect("a page");
        let before = read(folder.path()).expect("a page");
        assert_eq!(before.process, std::process::id().into());
        assert_eq!(before.known("pool.orders"), Some(100));
        assert_eq!(before.known("pool.nothing"), None);
        let telling = teller.start(Duration::from_millis(1)).expect("a thread");
        let _alone = crate::ALONE.lock();
        let before = read(folder.path()).expect("a page");
        let memory = vec![1u8; 64 << 20];
        let resident = |seen: &Seen| seen.footprint.get("resident_bytes").unwrap_or(0);
        while resident(&read(folder.path()).expect("a page")) < resident(&before) + (48 << 20) {
            std::thread::yield_now();
        }
        assert_eq!(memory.last(), Some(&1));
        drop(telling);
    }

    #[test]
    fn a_page_that_is_something_else_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), "nothing of the kind").expect("a file");
        let told = read(folder.path()).expect_err("no page");
        assert!(told.contains("footprint"), "{told}");
    }
}
