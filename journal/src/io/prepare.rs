//! The thread that makes segments, so that the one that writes never waits for it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::storage::{Act, Completion, StorageError, segment_name};

/// Bytes of zeros that are written at once.
const ZEROS_BYTES: usize = 1 << 20;

/// How long the thread rests before it tries again what failed: a full disk is not asked in a loop.
const REST: Duration = Duration::from_millis(50);

/// The thread and the way to it.
#[derive(Debug)]
pub(crate) struct Preparer {
    requests: Option<Sender<(u32, u64)>>,
    reports: Receiver<Completion>,
    thread: Option<JoinHandle<()>>,
}

impl Preparer {
    /// Starts the thread.
    pub fn start(directory: PathBuf) -> io::Result<Self> {
        let (requests, todo) = channel();
        let (done, reports) = channel();
        let thread = thread::Builder::new()
            .name("journal-prepare".to_owned())
            .spawn(move || work(&directory, &todo, &done))?;
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

fn work(directory: &Path, todo: &Receiver<(u32, u64)>, done: &Sender<Completion>) {
    let mut failed = None;
    while let Ok((segment, bytes)) = todo.recv() {
        if failed == Some(segment) {
            thread::sleep(REST);
        }
        let path = directory.join(segment_name(segment));
        let result = prepare(directory, &path, bytes).map_err(|error| {
            StorageError::new(Act::Prepare, path.display().to_string(), 0, &error)
        });
        failed = result.is_err().then_some(segment);
        if done.send(Completion::Prepared { segment, result }).is_err() {
            return;
        }
    }
}

/// Makes a segment under another name and renames it when it is whole and flushed.
fn prepare(directory: &Path, path: &Path, bytes: u64) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let filled = fill(&unfinished, bytes);
    let named = filled.and_then(|()| fs::rename(&unfinished, path));
    if let Err(error) = named {
        // Half a segment must not keep the space that is missing; the first error is the one to
        // tell.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    File::open(directory)?.sync_all()
}

fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    let zeros = vec![0; ZEROS_BYTES];
    let mut offset = 0;
    while offset < bytes {
        let next = (bytes - offset).min(ZEROS_BYTES as u64);
        file.write_all_at(&zeros[..next as usize], offset)?;
        offset += next;
    }
    file.sync_all()
}
