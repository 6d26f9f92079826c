//! Writing where io_uring is not: the calling thread waits for pwrite and fdatasync.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::transfer::{Step, Transfer};
use crate::storage::Completion;

/// The last transfer, until it is polled.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    ended: Option<Completion>,
}

impl Plain {
    /// Writes and flushes; the report waits for [`Self::poll`].
    pub fn carry_out(&mut self, mut transfer: Transfer, file: &File) {
        let mut step = transfer.first();
        loop {
            step = match step {
                Step::Write => {
                    let written = file.write_at(transfer.rest(), transfer.rest_offset());
                    transfer.written(answer(written))
                }
                Step::Flush => transfer.flushed(answer(file.sync_data().map(|()| 0))),
                Step::End => break,
            };
        }
        self.ended = Some(transfer.completion());
    }

    pub fn poll(&mut self) -> Option<Completion> {
        self.ended.take()
    }
}

/// A result as a system call's: a count, or a negative error number.
fn answer(result: io::Result<usize>) -> i32 {
    match result {
        Ok(bytes) => i32::try_from(bytes).unwrap_or(i32::MAX),
        Err(error) => -error.raw_os_error().unwrap_or(libc::EIO),
    }
}
