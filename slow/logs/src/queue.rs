//! Lines that wait to be written: bounded, and whoever adds one waits for nobody.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// Lines that wait at most.
pub const LINES_MAX: usize = 1_024;

/// What became of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that were written.
    pub written: u64,
    /// Lines that nobody has: too many waited, or they could not be written.
    pub dropped: u64,
}

/// The queue between who has something to say and the thread that writes it.
#[derive(Debug, Default)]
pub struct Queue {
    inside: Mutex<Inside>,
    /// There is a line.
    came: Condvar,
    /// All that was there is written.
    empty: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    lines: VecDeque<String>,
    counts: Counts,
    /// Lines left out of which the reader was told.
    dropped_told: u64,
    is_writing: bool,
}

impl Queue {
    /// An empty one, and the thread that writes what comes to `to`, a line at a time. `told` makes
    /// the line that says how many were left out.
    ///
    /// # Errors
    /// The system has no thread.
    pub fn start(
        to: impl Write + Send + 'static,
        told: impl Fn(u64) -> String + Send + 'static,
    ) -> io::Result<Arc<Self>> {
        let queue = Arc::new(Self::default());
        let ours = Arc::clone(&queue);
        let (standing, stands) = channel();
        Builder::new().name("log".to_owned()).spawn(move || {
            let _ = standing.send(());
            ours.write(to, told);
        })?;
        stands.recv().map_err(io::Error::other)?;
        Ok(queue)
    }

    /// Adds a line, which ends with a line feed, if there is room.
    pub fn push(&self, line: String) {
        let mut inside = self.inside();
        if inside.lines.len() >= LINES_MAX {
            inside.counts.dropped += 1;
            return;
        }
        inside.lines.push_back(line);
        self.came.notify_one();
    }

    /// What became of lines until now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.inside().counts
    }

    /// Waits until all is written, but no longer than this.
    pub fn drain(&self, longest: Duration) {
        let is_left = |inside: &mut Inside| inside.is_writing || !inside.lines.is_empty();
        // Who did not read until now may do without the rest.
        let _ = self
            .empty
            .wait_timeout_while(self.inside(), longest, is_left);
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, mut to: impl Write, told: impl Fn(u64) -> String) {
        loop {
            let inside = self.inside();
            let waited = self.came.wait_while(inside, |it| it.lines.is_empty());
            let mut inside = waited.unwrap_or_else(PoisonError::into_inner);
            let lines = std::mem::take(&mut inside.lines);
            let missing = inside.counts.dropped - inside.dropped_told;
            inside.dropped_told = inside.counts.dropped;
            inside.is_writing = true;
            drop(inside);
            // What cannot be written is said to nobody: there is nobody else. But it counts.
            let mut is_written = |line: &String| to.write_all(line.as_bytes()).is_ok();
            let written = lines.iter().filter(|line| is_written(line)).count();
            if missing > 0 {
                is_written(&told(missing));
            }
            let _ = to.flush();
            let mut inside = self.inside();
            inside.counts.written += written as u64;
            inside.counts.dropped += (lines.len() - written) as u64;
            inside.is_writing = false;
            if inside.lines.is_empty() {
                self.empty.notify_all();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender};

    /// A reader that takes a line when it is told to.
    struct Stalled(Receiver<()>, Sender<String>);

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let gone = |_| io::Error::other("gone");
            self.0.recv().map_err(gone)?;
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.1.send(text).map_err(|_| io::Error::other("gone"))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stalls_holds_nobody_up_and_is_told_what_it_missed() {
        let (go, goes) = channel();
        let (took, taken) = channel();
        let told = |count| format!("{count} lines were left out\n");
        let queue = Queue::start(Stalled(goes, took), told).expect("a thread");
        queue.push("first\n".to_owned());
        // From here on the thread is in its write.
        while !queue.inside().is_writing {
            std::thread::yield_now();
        }
        for number in 0..LINES_MAX + 10 {
            queue.push(format!("{number}\n"));
        }
        let counts = queue.counts();
        assert_eq!((counts.written, counts.dropped), (0, 10));
        queue.drain(Duration::from_millis(1));
        drop((0..LINES_MAX + 2).map(|_| go.send(())).collect::<Vec<_>>());
        let texts: Vec<String> = (0..LINES_MAX + 2)
            .map_while(|_| taken.recv().ok())
            .collect();
        assert_eq!(texts[..2], ["first\n", "0\n"]);
        let last = &texts[LINES_MAX + 1];
        assert!(last.contains("10 lines were left out"), "{last}");
        queue.drain(Duration::from_secs(60));
        let counts = queue.counts();
        assert_eq!((counts.written, counts.dropped), (LINES_MAX as u64 + 1, 10));
    }

    #[test]
    fn lines_that_cannot_be_written_count_as_lost() {
        let (go, goes) = channel::<()>();
        drop(go);
        let (took, _taken) = channel();
        let told = |count| format!("{count}\n");
        let queue = Queue::start(Stalled(goes, took), told).expect("a thread");
        for _ in 0..3 {
            queue.push("nobody reads this\n".to_owned());
        }
        queue.drain(Duration::from_secs(60));
        let counts = queue.counts();
        assert_eq!((counts.written, counts.dropped), (0, 3));
    }
}
