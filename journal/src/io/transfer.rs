//! One write and its flush, as a state that is told what the system answered.
//!
//! The system may write less than asked, or be interrupted: then the rest is asked for again, a
//! bounded number of times without progress. Everything else ends the transfer with an error.

use std::io;

use crate::BLOCK_BYTES;
use crate::storage::{Act, Buffer, Completion, StorageError};

/// Answers without progress after which a transfer fails.
const TRIES_MAX: u32 = 16;

/// What to ask the system for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write what is left, then flush.
    Write,
    /// Everything is written: flush.
    Flush,
    /// The transfer ended, well or not.
    End,
}

/// A write on its way.
#[derive(Debug)]
pub(crate) struct Transfer {
    file: String,
    offset: u64,
    buffer: Buffer,
    /// Bytes that were written: whole blocks, because O_DIRECT goes on only from a block.
    done: usize,
    tries: u32,
    error: Option<StorageError>,
}

impl Transfer {
    /// A write of the whole buffer at `offset` of `file`.
    pub fn new(file: String, offset: u64, buffer: Buffer) -> Self {
        Self {
            file,
            offset,
            buffer,
            done: 0,
            tries: 0,
            error: None,
        }
    }

    /// What is left to be written.
    pub fn rest(&self) -> &[u8] {
        &self.buffer.bytes()[self.done..]
    }

    /// Where in the file it goes.
    pub fn rest_offset(&self) -> u64 {
        self.offset + self.done as u64
    }

    /// The first step.
    pub fn first(&self) -> Step {
        if self.rest().is_empty() {
            Step::Flush
        } else {
            Step::Write
        }
    }

    /// Takes the answer to a write: bytes, or a negative error number.
    pub fn written(&mut self, answer: i32) -> Step {
        if answer < 0 {
            return self.again_or_fail(Act::Write, -answer, Step::Write);
        }
        let written = (answer as usize).min(self.rest().len());
        let whole = written - written % BLOCK_BYTES;
        self.done += whole;
        if self.rest().is_empty() {
            self.tries = 0;
            return Step::Flush;
        }
        if whole == 0 {
            return self.again_or_fail(Act::Write, libc::EAGAIN, Step::Write);
        }
        self.tries = 0;
        Step::Write
    }

    /// Takes the answer to a flush: 0, or a negative error number.
    pub fn flushed(&mut self, answer: i32) -> Step {
        if answer >= 0 {
            Step::End
        } else {
            self.again_or_fail(Act::Flush, -answer, Step::Flush)
        }
    }

    /// Ends the transfer with an error.
    pub fn fail(&mut self, act: Act, errno: i32) -> Step {
        let error = io::Error::from_raw_os_error(errno);
        let offset = self.rest_offset();
        self.error = Some(StorageError::new(act, self.file.clone(), offset, &error));
        Step::End
    }

    /// Whether it ended with an error.
    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    fn again_or_fail(&mut self, act: Act, errno: i32, step: Step) -> Step {
        self.tries += 1;
        let passing = matches!(errno, libc::EINTR | libc::EAGAIN | libc::ECANCELED);
        if passing && self.tries < TRIES_MAX {
            return step;
        }
        // EAGAIN stands for a write that takes nothing, again and again.
        self.fail(
            act,
            if errno == libc::EAGAIN {
                libc::EIO
            } else {
                errno
            },
        )
    }

    /// The report, when the transfer ended.
    pub fn completion(self) -> Completion {
        Completion::Written {
            buffer: self.buffer,
            result: self.error.map_or(Ok(()), Err),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(blocks: usize) -> Transfer {
        let mut buffer = Buffer::new(blocks * BLOCK_BYTES);
        buffer.set_used(blocks * BLOCK_BYTES);
        Transfer::new("journal".to_owned(), 8192, buffer)
    }

    fn error_of(transfer: Transfer) -> Option<StorageError> {
        let Completion::Written { result, .. } = transfer.completion() else {
            return None;
        };
        result.err()
    }

    #[test]
    fn short_writes_are_completed_from_the_last_whole_block() {
        let mut it = transfer(4);
        assert_eq!(it.written(BLOCK_BYTES as i32 + 512), Step::Write);
        assert_eq!(
            (it.rest_offset(), it.rest().len()),
            (8192 + 4096, 3 * BLOCK_BYTES)
        );
        assert_eq!(it.written(-libc::EINTR), Step::Write);
        assert_eq!(it.written(3 * BLOCK_BYTES as i32), Step::Flush);
        assert_eq!(it.flushed(-libc::EINTR), Step::Flush);
        assert_eq!(it.flushed(0), Step::End);
        assert_eq!(error_of(it), None);
    }

    #[test]
    fn a_write_that_never_progresses_ends_with_an_error_that_names_the_place() {
        for answer in [0, 511, -libc::EAGAIN, -libc::EINTR] {
            let mut it = transfer(2);
            assert_eq!(it.written(BLOCK_BYTES as i32), Step::Write);
            let steps = (0..TRIES_MAX).map(|_| it.written(answer));
            assert_eq!(
                steps.filter(|step| *step == Step::End).count(),
                1,
                "answer {answer}"
            );
            let error = error_of(it).expect("failed");
            assert_eq!(
                (error.act, error.offset, error.file.as_str()),
                (Act::Write, 12288, "journal")
            );
        }
    }

    #[test]
    fn errors_end_at_once() {
        let mut it = transfer(1);
        assert_eq!(it.written(-libc::ENOSPC), Step::End);
        assert!(error_of(it).expect("failed").is_no_space());
        let mut it = transfer(1);
        assert_eq!(it.written(BLOCK_BYTES as i32), Step::Flush);
        assert_eq!(it.flushed(-libc::EIO), Step::End);
        assert_eq!(error_of(it).expect("failed").act, Act::Flush);
    }

    #[test]
    fn a_write_of_nothing_is_still_a_flush() {
        let it = Transfer::new("journal".to_owned(), 0, Buffer::new(BLOCK_BYTES));
        assert_eq!(it.first(), Step::Flush);
    }
}
