//! The io_uring engine: single issuer, deferred task work, entered only when there is a reason.
//!
//! The ring is created disabled and switched on by the first thread that uses it; that thread
//! stays its only user. The spin is on a flag in shared memory: while nothing is queued and the
//! kernel has no work for us, polling makes no system call. With a kernel thread that takes the
//! operations, results come by themselves and a call is needed only to wake it.

#[cfg(test)]
mod tests;

use std::io;
use std::mem;
use std::time::{Duration, Instant};

use io_uring::types::{CancelBuilder, Fd, Napi, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

use super::pool::{GROUP, Pool};
use super::{Done, Op, RESULTS_MAX, Socket, Wants, rules};
use crate::uring::{Effort, Receive, UringOptions, UringState};

/// `IORING_ENTER_GETEVENTS`: without it deferred work is not run.
const ENTER_GETEVENTS: u32 = 1;
/// `IORING_ENTER_SQ_WAKEUP`: wakes the kernel thread.
const ENTER_SQ_WAKEUP: u32 = 2;
/// `IORING_ENTER_SQ_WAIT`: waits until the kernel thread made room in the submission queue.
const ENTER_SQ_WAIT: u32 = 4;
/// `IORING_ENTER_EXT_ARG`: the argument is a `SubmitArgs`.
const ENTER_EXT_ARG: u32 = 8;
/// `IORING_RECVSEND_POLL_FIRST`: do not try before waiting. A receive is armed again when the
/// bytes there were are taken, so trying at once finds nothing and costs 3 % of a turn.
const POLL_FIRST: u16 = 1;
/// Largest submission queue; a longer batch is submitted in parts.
const ENTRIES_MAX: u32 = 1024;
/// Largest completion queue: every operation of the largest port may end at once.
const COMPLETIONS_MAX: u32 = 32 << 10;
/// How long shutting down waits for the kernel to let go of our memory.
const SHUT_DOWN: Duration = Duration::from_secs(2);

/// One ring and the number of operations the kernel holds.
pub(crate) struct Ring {
    uring: IoUring,
    pool: Option<Pool>,
    state: UringState,
    enabled: bool,
    in_flight: usize,
    effort: Effort,
}

impl Ring {
    pub fn open(wants: &Wants, options: &UringOptions) -> io::Result<Ring> {
        probe()?;
        let uring = build(wants.operations_max, options)?;
        let submitter = uring.submitter();
        submitter.register_files_sparse(wants.sockets_max)?;
        // A kernel thread would take buffers while we give some back: see `Pool`.
        let is_sharing = options.receive == Receive::Multishot
            && options.sqpoll.is_none()
            && wants.receive_bytes > 0;
        let pool = match is_sharing {
            true => Some(Pool::new(&submitter, wants.receive_bytes as usize)?),
            false => None,
        };
        let napi = options.napi_us.map(|busy_us| {
            let mut napi = Napi::new().set_busy_poll_timeout(busy_us);
            let answer = submitter.register_napi(&mut napi);
            answer.map_or_else(|e| e.raw_os_error().unwrap_or(libc::EIO), |()| 0)
        });
        rules::restrict(&submitter, wants.purpose)?;
        let state = UringState {
            receive: match pool {
                Some(_) => Receive::Multishot,
                None => Receive::Single,
            },
            is_sqpoll: options.sqpoll.is_some(),
            napi,
        };
        Ok(Ring {
            uring,
            pool,
            state,
            enabled: false,
            in_flight: 0,
            effort: Effort::default(),
        })
    }

    pub fn state(&self) -> UringState {
        self.state
    }

    pub fn effort(&self) -> Effort {
        self.effort
    }

    pub fn shares(&self) -> bool {
        self.pool.is_some()
    }

    pub fn shared(&self, id: u16, length: usize) -> &[u8] {
        let pool = self.pool.as_ref();
        pool.map_or(&[], |pool| pool.bytes(id, length))
    }

    pub fn give(&mut self, id: u16) {
        if let Some(pool) = &mut self.pool {
            pool.give(id);
        }
    }

    pub fn adopt(&mut self, on: Socket) -> io::Result<()> {
        let submitter = self.uring.submitter();
        submitter
            .register_files_update(on.place, &[on.fd])
            .map(drop)
    }

    pub fn forget(&mut self, place: u32) {
        // Refused only where the ring is another thread's, and then it goes as a whole.
        let _ = self.uring.submitter().register_files_update(place, &[-1]);
    }

    /// # Safety
    /// See `Driver::start`.
    pub unsafe fn start(&mut self, op: Op, tag: u64) {
        let flags = squeue::Flags::FIXED_FILE;
        let entry = entry(op).flags(flags).user_data(tag);
        loop {
            // SAFETY: what the entry points at outlives the operation, as the caller promises.
            let pushed = unsafe { self.uring.submission().push(&entry) };
            if pushed.is_ok() {
                self.in_flight += 1;
                self.effort.started += 1;
                return;
            }
            self.enter(ENTER_SQ_WAIT);
        }
    }

    /// Enters the kernel when something is queued, work is waiting for us, or results overflowed.
    pub fn enter_if_needed(&mut self) {
        let queue = self.uring.submission();
        let is_queued = match self.state.is_sqpoll {
            true => !queue.is_empty() && (queue.need_wakeup() || !self.enabled),
            false => !queue.is_empty(),
        };
        if is_queued || queue.taskrun() || queue.cq_overflow() {
            drop(queue);
            self.enter(0);
        }
    }

    /// One system call; `wait` counts only where a kernel thread takes the operations.
    fn enter(&mut self, wait: u32) {
        if !self.enabled {
            // The first user becomes the issuer. An error shows again at `enter`.
            self.enabled = self.uring.submitter().register_enable_rings().is_ok();
        }
        self.effort.calls += 1;
        let queued = self.uring.submission().len() as u32;
        let flags = match self.state.is_sqpoll {
            true => ENTER_GETEVENTS | ENTER_SQ_WAKEUP | wait,
            false => ENTER_GETEVENTS,
        };
        let submitter = self.uring.submitter();
        // SAFETY: the queued entries are valid, and no argument block is passed.
        let entered = unsafe { submitter.enter::<()>(queued, 0, flags, None) };
        let Err(error) = entered else { return };
        // EINTR, EAGAIN, EBUSY: the entries stay queued and the next turn tries again.
        assert!(
            error.raw_os_error() != Some(libc::EEXIST),
            "an io_uring port was used from a second thread; the first that polls it owns it"
        );
    }

    /// Lets the kernel look at the card's queues: it does so only while somebody waits, so this
    /// waits for one result and no time.
    fn poll_card(&mut self) {
        self.effort.calls += 1;
        let no_time = Timespec::new();
        let waiting = SubmitArgs::new().timespec(&no_time);
        let flags = ENTER_GETEVENTS | ENTER_EXT_ARG;
        let submitter = self.uring.submitter();
        // SAFETY: nothing is submitted, and the argument block is what the flag announces.
        let _ = unsafe { submitter.enter(0, 1, flags, Some(&waiting)) };
    }

    pub fn reap(&mut self, done: &mut Vec<Done>) {
        self.effort.turns += 1;
        self.enter_if_needed();
        if self.state.napi == Some(0) && !self.state.is_sqpoll {
            let is_idle = self.enabled && self.uring.completion().is_empty();
            if is_idle {
                self.poll_card();
            }
        }
        for entry in self.uring.completion().take(RESULTS_MAX) {
            let more = cqueue::more(entry.flags());
            self.in_flight -= usize::from(!more);
            self.effort.ended += 1;
            done.push(Done {
                tag: entry.user_data(),
                result: entry.result(),
                more,
                shared: cqueue::buffer_select(entry.flags()),
            });
        }
    }

    /// Cancels all and waits until the kernel holds nothing of ours; see `Driver::shut_down`.
    pub fn shut_down(&mut self) -> bool {
        let is_over = self.cancel_all();
        if !is_over {
            mem::forget(self.pool.take());
        }
        is_over
    }

    fn cancel_all(&mut self) -> bool {
        if !self.enabled {
            return true; // nothing was ever submitted
        }
        let deadline = Instant::now() + SHUT_DOWN;
        if self.state.is_sqpoll {
            // The kernel thread may be about to take what is queued: let it.
            while !self.uring.submission().is_empty() && Instant::now() < deadline {
                self.enter(0);
                std::thread::yield_now();
            }
        }
        let queued = self.uring.submission().len();
        self.in_flight -= queued.min(self.in_flight);
        let limit = Timespec::new().sec(SHUT_DOWN.as_secs());
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
        self.ends_await(deadline)
    }

    /// Takes the results of what was cancelled. They are deferred work, or the kernel thread's.
    fn ends_await(&mut self, deadline: Instant) -> bool {
        for turn in 0.. {
            if self.in_flight == 0 {
                return true;
            }
            if turn > 8 && (!self.state.is_sqpoll || Instant::now() >= deadline) {
                return false;
            }
            let submitter = self.uring.submitter();
            // SAFETY: nothing is submitted and no argument block is passed.
            let _ = unsafe { submitter.enter::<()>(0, 0, ENTER_GETEVENTS, None) };
            let ended = self.uring.completion();
            let ended = ended.filter(|entry| !cqueue::more(entry.flags())).count();
            self.in_flight -= ended.min(self.in_flight);
            if self.state.is_sqpoll {
                std::thread::yield_now();
            }
        }
        false
    }
}

/// The ring itself, not enabled yet.
fn build(operations_max: u32, options: &UringOptions) -> io::Result<IoUring> {
    let entries = operations_max.clamp(8, ENTRIES_MAX).next_power_of_two();
    let completions = operations_max.saturating_mul(2).clamp(16, COMPLETIONS_MAX);
    let mut builder = IoUring::builder();
    builder
        .setup_single_issuer()
        .setup_r_disabled()
        .setup_cqsize(completions.next_power_of_two().max(2 * entries))
        .dontfork();
    match options.sqpoll {
        Some(sqpoll) => {
            builder.setup_sqpoll(sqpoll.idle_ms);
            if let Some(core) = sqpoll.core {
                builder.setup_sqpoll_cpu(core);
            }
        }
        None => {
            builder.setup_defer_taskrun().setup_taskrun_flag();
        }
    }
    builder.build(entries)
}

/// One no-op through a throwaway ring: a sandbox may allow the set-up and refuse the entering.
fn probe() -> io::Result<()> {
    let mut uring = IoUring::new(2)?;
    // SAFETY: a no-op points at nothing.
    let pushed = unsafe { uring.submission().push(&opcode::Nop::new().build()) };
    pushed.map_err(io::Error::other)?;
    uring.submit_and_wait(1).map(drop)
}

/// The submission entry of an operation; files are named by their places.
fn entry(op: Op) -> squeue::Entry {
    let fixed = |on: Socket| Fd(on.place as i32);
    match op {
        Op::Accept {
            on,
            address,
            length,
        } => opcode::Accept::new(fixed(on), address.cast(), length)
            .flags(libc::SOCK_CLOEXEC)
            .build(),
        Op::Connect {
            on,
            address,
            length,
        } => opcode::Connect::new(fixed(on), address.cast(), length).build(),
        Op::Connected { on } => opcode::PollAdd::new(fixed(on), libc::POLLOUT as u32).build(),
        Op::Receive { on, bytes, length } => opcode::Recv::new(fixed(on), bytes, length)
            .ioprio(POLL_FIRST)
            .build(),
        Op::ReceiveMany { on } => opcode::RecvMulti::new(fixed(on), GROUP).build(),
        // Length 0: as long as the buffer that is taken.
        Op::ReceiveShared { on } => opcode::Recv::new(fixed(on), std::ptr::null_mut(), 0)
            .buf_group(GROUP)
            .build()
            .flags(squeue::Flags::BUFFER_SELECT),
        Op::Cancel { tag } => opcode::AsyncCancel::new(tag).build(),
        Op::Send { on, bytes, length } => opcode::Send::new(fixed(on), bytes, length)
            .flags(libc::MSG_NOSIGNAL)
            .build(),
        Op::ReceiveMessage { on, message, wait } => {
            let flags = if wait { 0 } else { libc::MSG_DONTWAIT as u32 };
            opcode::RecvMsg::new(fixed(on), message)
                .flags(flags)
                .build()
        }
        Op::SendMessage { on, message } => opcode::SendMsg::new(fixed(on), message)
            .flags(libc::MSG_NOSIGNAL as u32)
            .build(),
    }
}
