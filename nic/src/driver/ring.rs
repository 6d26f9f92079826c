//! The io_uring engine: single issuer, deferred task work, entered only when there is a reason.
//!
//! The ring is created disabled and switched on by the first thread that uses it; that thread
//! stays its only user. The spin is on a flag in shared memory: while nothing is queued and the
//! kernel has no work for us, polling makes no system call.

use std::io;

use io_uring::types::{CancelBuilder, Fd, Timespec};
use io_uring::{IoUring, opcode, squeue};

use super::{Done, Op, RESULTS_MAX};

/// `IORING_ENTER_GETEVENTS`: without it deferred work is not run.
const ENTER_GETEVENTS: u32 = 1;
/// Largest submission queue; a longer batch is submitted in parts.
const ENTRIES_MAX: u32 = 1024;
/// How long shutting down waits for the kernel to let go of our memory.
const SHUT_DOWN_SECONDS: u64 = 2;

/// One ring and the number of operations the kernel holds.
pub(crate) struct Ring {
    uring: IoUring,
    enabled: bool,
    in_flight: usize,
}

impl Ring {
    pub fn open(operations_max: u32) -> io::Result<Ring> {
        probe()?;
        let entries = operations_max.clamp(8, ENTRIES_MAX).next_power_of_two();
        let completions = (operations_max.saturating_mul(2)).clamp(16, 16 << 10);
        let uring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_r_disabled()
            .setup_cqsize(completions.next_power_of_two().max(2 * entries))
            .dontfork()
            .build(entries)?;
        Ok(Ring {
            uring,
            enabled: false,
            in_flight: 0,
        })
    }

    /// # Safety
    /// See `Driver::start`.
    pub unsafe fn start(&mut self, op: Op, tag: u64) {
        let entry = entry(op).user_data(tag);
        loop {
            // SAFETY: what the entry points at outlives the operation, as the caller promises.
            let pushed = unsafe { self.uring.submission().push(&entry) };
            if pushed.is_ok() {
                self.in_flight += 1;
                return;
            }
            self.enter();
        }
    }

    /// Enters the kernel when something is queued, work is waiting for us, or results overflowed.
    pub fn enter_if_needed(&mut self) {
        let queue = self.uring.submission();
        if !queue.is_empty() || queue.taskrun() || queue.cq_overflow() {
            drop(queue);
            self.enter();
        }
    }

    fn enter(&mut self) {
        if !self.enabled {
            // The first user becomes the issuer. An error shows again at `enter`.
            self.enabled = self.uring.submitter().register_enable_rings().is_ok();
        }
        let queued = self.uring.submission().len() as u32;
        let submitter = self.uring.submitter();
        // SAFETY: the queued entries are valid, and no argument block is passed.
        let entered = unsafe { submitter.enter::<()>(queued, 0, ENTER_GETEVENTS, None) };
        let Err(error) = entered else { return };
        // EINTR, EAGAIN, EBUSY: the entries stay queued and the next turn tries again.
        assert!(
            error.raw_os_error() != Some(libc::EEXIST),
            "an io_uring port was used from a second thread; the first that polls it owns it"
        );
    }

    pub fn reap(&mut self, done: &mut Vec<Done>) {
        self.enter_if_needed();
        for entry in self.uring.completion().take(RESULTS_MAX) {
            self.in_flight -= 1;
            done.push(Done {
                tag: entry.user_data(),
                result: entry.result(),
            });
        }
    }

    /// Cancels all and waits until the kernel holds nothing of ours; see `Driver::shut_down`.
    pub fn shut_down(&mut self) -> bool {
        if !self.enabled {
            return true; // nothing was ever submitted
        }
        let queued = self.uring.submission().len();
        self.in_flight -= queued.min(self.in_flight);
        let limit = Timespec::new().sec(SHUT_DOWN_SECONDS);
        let all = CancelBuilder::any();
        if self.in_flight > 0
            && let Err(error) = self
                .uring
                .submitter()
                .register_sync_cancel(Some(limit), all)
            && error.raw_os_error() != Some(libc::ENOENT)
        {
            return false;
        }
        // Cancelling posts the results as deferred work: one entry runs it.
        for _ in 0..8 {
            if self.in_flight == 0 {
                return true;
            }
            let submitter = self.uring.submitter();
            // SAFETY: nothing is submitted and no argument block is passed.
            let _ = unsafe { submitter.enter::<()>(0, 0, ENTER_GETEVENTS, None) };
            self.in_flight -= self.uring.completion().count().min(self.in_flight);
        }
        self.in_flight == 0
    }
}

/// One no-op through a throwaway ring: a sandbox may allow the set-up and refuse the entering.
fn probe() -> io::Result<()> {
    let mut uring = IoUring::new(2)?;
    // SAFETY: a no-op points at nothing.
    let pushed = unsafe { uring.submission().push(&opcode::Nop::new().build()) };
    pushed.map_err(io::Error::other)?;
    uring.submit_and_wait(1).map(drop)
}

/// The submission entry of an operation.
fn entry(op: Op) -> squeue::Entry {
    match op {
        Op::Accept {
            fd,
            address,
            length,
        } => opcode::Accept::new(Fd(fd), address.cast(), length)
            .flags(libc::SOCK_CLOEXEC)
            .build(),
        Op::Connect {
            fd,
            address,
            length,
        } => opcode::Connect::new(Fd(fd), address.cast(), length).build(),
        Op::Connected { fd } => opcode::PollAdd::new(Fd(fd), libc::POLLOUT as u32).build(),
        Op::Receive { fd, bytes, length } => opcode::Recv::new(Fd(fd), bytes, length).build(),
        Op::Send { fd, bytes, length } => opcode::Send::new(Fd(fd), bytes, length)
            .flags(libc::MSG_NOSIGNAL)
            .build(),
        Op::ReceiveMessage { fd, message, wait } => {
            let flags = if wait { 0 } else { libc::MSG_DONTWAIT as u32 };
            opcode::RecvMsg::new(Fd(fd), message).flags(flags).build()
        }
        Op::SendMessage { fd, message } => opcode::SendMsg::new(Fd(fd), message)
            .flags(libc::MSG_NOSIGNAL as u32)
            .build(),
    }
}
