//! The thread that makes segments, so that the one that writes never waits for it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::storage::{Act, Buffer, Completion, StorageError, segment_name};

/// Bytes of zeros that are written at once.
const ZEROS_BYTES: usize = 1 << 20;

/// How long the thread rests before it tries again what failed: a full disk is not asked in a loop.
const REST: Duration = Duration::from_millis(50);

/// After each write it rests as long as that took, but no longer than this: the journal's own
/// writes are not to wait behind zeros, and a slow disk is not to run out of segments.
const BREATH: Duration = Duration::from_millis(5);

/// The thread and the way to it.
#[derive(Debug)]
pub(crate) struct Preparer {
    requests: Option<Sender<(u32, u64)>>,
    reports: Receiver<Completion>,
    thread: Option<JoinHandle<()>>,
}

impl Preparer {
    /// Starts the thread. `is_direct` says that it may write around the page cache.
    pub fn start(directory: PathBuf, is_direct: bool) -> io::Result<Self> {
        let (requests, todo) = channel();
        let (done, reports) = channel();
        let thread = thread::Builder::new()
            .name("journal-prepare".to_owned())
            .spawn(move || work(&directory, is_direct, &todo, &done))?;
        Ok(Self {
            requests: Some(requests),
            reports,
            thread: Some(thread),
        })
    }

    /// Asks for a segment.
    pub fn begin(&mut self, segment: u32, bytes: u64) {
        if let Some(requests) = &self.requests {
            // The thread ends only after this sender is gone, so it hears this.
            let _ = requests.send((segment, bytes));
        }
    }

    /// Takes the next report.
    pub fn poll(&mut self) -> Option<Completion> {
        self.reports.try_recv().ok()
    }
}

impl Drop for Preparer {
    /// Waits for the segment that is being made: the directory's lock must outlive it.
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(directory: &Path, is_direct: bool, todo: &Receiver<(u32, u64)>, done: &Sender<Completion>) {
    let mut failed = None;
    while let Ok((segment, bytes)) = todo.recv() {
        if failed == Some(segment) {
            thread::sleep(REST);
        }
        let path = directory.join(segment_name(segment));
        let result = prepare(directory, &path, bytes, is_direct).map_err(|error| {
            StorageError::new(Act::Prepare, path.display().to_string(), 0, &error)
        });
        failed = result.is_err().then_some(segment);
        if done.send(Completion::Prepared { segment, result }).is_err() {
            return;
        }
    }
}

/// Makes a segment under another name and renames it when it is whole and flushed.
fn prepare(directory: &Path, path: &Path, bytes: u64, is_direct: bool) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let filled = fill(&unfinished, bytes, is_direct);
    let named = filled.and_then(|()| fs::rename(&unfinished, path));
    if let Err(error) = named {
        // Half a segment must not keep the space that is missing; the first error is the one to
        // tell.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    File::open(directory)?.sync_all()
}

/// Writes the zeros, around the page cache where that is possible: in it they cost a core a second
/// for each 256 MiB, which on a machine with few cores is a venue's, and go to the disk all at once
/// with the flush, ahead of what is written to the journal meanwhile.
fn fill(path: &Path, bytes: u64, is_direct: bool) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(if is_direct { libc::O_DIRECT } else { 0 })
        .open(path)?;
    let mut zeros = Buffer::new(ZEROS_BYTES);
    let mut offset = 0;
    while offset < bytes {
        let next = (bytes - offset).min(ZEROS_BYTES as u64);
        zeros.set_used(next as usize);
        let begun = Instant::now();
        file.write_all_at(zeros.bytes(), offset)?;
        offset += next;
        thread::sleep(begun.elapsed().min(BREATH));
    }
    file.sync_all()
}
