//! Write and flush through io_uring: a linked pair, so that one system call begins both.
#![allow(unsafe_code)]

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use io_uring::register::Restriction;
use io_uring::squeue::{Entry, Flags};
use io_uring::{IoUring, Probe, opcode, types};

use super::transfer::{Step, Transfer};
use crate::storage::{Act, Completion};

/// Entries of the ring: one transfer needs two.
const ENTRIES: u32 = 4;

/// Polls without an answer after which the kernel is entered, so that it can finish its own work.
const ENTER_POLLS: u32 = 64;

/// Refusals of the kernel to take entries after which the ring is given up.
const REFUSALS_MAX: u32 = 10_000;

/// Marks of the entries.
const WRITE: u64 = 1;
const FLUSH: u64 = 2;

/// A transfer in the kernel's hands. Its buffer must stay where it is until `awaited` is 0.
#[derive(Debug)]
struct Flight {
    transfer: Transfer,
    file: Arc<File>,
    /// Entries without an answer.
    awaited: u32,
    /// Entries that the kernel has not taken yet.
    unsubmitted: usize,
    write: Option<i32>,
    flush: Option<i32>,
    /// The kernel took write and flush as a pair, so the flush came after the write.
    is_pair: bool,
    refusals: u32,
    polls: u32,
}

/// One ring for one transfer at a time.
pub(crate) struct Uring {
    ring: IoUring,
    flight: Option<Flight>,
    /// The kernel refused entries again and again: the ring is not used any more.
    is_dead: bool,
}

impl fmt::Debug for Uring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uring")
            .field("flight", &self.flight)
            .finish_non_exhaustive()
    }
}

impl Uring {
    /// Makes a ring that writes and flushes and can do nothing else, for good, and checks that the
    /// kernel knows what is asked of it.
    pub fn new() -> io::Result<Self> {
        let ring = IoUring::builder().setup_r_disabled().build(ENTRIES)?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        let known = |code| probe.is_supported(code);
        if !known(opcode::Write::CODE) || !known(opcode::Fsync::CODE) {
            return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
        }
        let mut rules = [
            Restriction::sqe_op(opcode::Write::CODE),
            Restriction::sqe_op(opcode::Fsync::CODE),
            Restriction::sqe_flags_allowed(Flags::IO_LINK.bits()),
        ];
        ring.submitter().register_restrictions(&mut rules)?;
        ring.submitter().register_enable_rings()?;
        Ok(Self {
            ring,
            flight: None,
            is_dead: false,
        })
    }

    /// Begins a transfer; the one before has ended.
    pub fn begin(&mut self, transfer: Transfer, file: Arc<File>) {
        let step = transfer.first();
        let flight = Flight {
            transfer,
            file,
            awaited: 0,
            unsubmitted: 0,
            write: None,
            flush: None,
            is_pair: true,
            refusals: 0,
            polls: 0,
        };
        let flight = self.flight.insert(flight);
        if self.is_dead {
            flight.transfer.fail(Act::Write, libc::EIO);
        } else {
            enqueue(&mut self.ring, flight, step);
            self.submit();
        }
    }

    /// Takes the answers that are there; the report when the transfer ended.
    pub fn poll(&mut self) -> Option<Completion> {
        let flight = self.flight.as_mut()?;
        for answer in self.ring.completion() {
            flight.awaited = flight.awaited.saturating_sub(1);
            match answer.user_data() {
                WRITE => flight.write = Some(answer.result()),
                _ => flight.flush = Some(answer.result()),
            }
        }
        if flight.awaited > 0 {
            flight.polls += 1;
            if flight.unsubmitted > 0 || flight.polls.is_multiple_of(ENTER_POLLS) {
                self.submit();
            }
            return None;
        }
        match flight.next_step() {
            Step::End => self
                .flight
                .take()
                .map(|flight| flight.transfer.completion()),
            step => {
                enqueue(&mut self.ring, flight, step);
                self.submit();
                None
            }
        }
    }

    /// Hands the kernel what it has not taken.
    fn submit(&mut self) {
        let (Some(flight), false) = (&mut self.flight, self.is_dead) else {
            return;
        };
        let (taken, errno) = match self.ring.submit() {
            Ok(taken) => (taken, libc::EBUSY),
            Err(error) => (0, error.raw_os_error().unwrap_or(libc::EIO)),
        };
        if flight.unsubmitted == 0 {
            return;
        }
        let left = flight.unsubmitted.saturating_sub(taken);
        // Half a pair is no pair: the flush may then overtake the write.
        flight.is_pair &= left == 0 || taken == 0;
        flight.unsubmitted = left;
        flight.refusals += u32::from(taken == 0);
        if flight.refusals >= REFUSALS_MAX {
            // What the kernel did not take it never will: nothing is submitted any more.
            self.is_dead = true;
            flight.awaited = flight.awaited.saturating_sub(left as u32);
            flight.unsubmitted = 0;
            flight.transfer.fail(Act::Write, errno);
        }
    }
}

impl Flight {
    /// What to do when every entry is answered.
    fn next_step(&mut self) -> Step {
        if self.transfer.has_failed() {
            return Step::End;
        }
        let (write, flush) = (self.write.take(), self.flush.take());
        let step = match write {
            Some(answer) => self.transfer.written(answer),
            None => Step::Flush,
        };
        match (step, flush) {
            (Step::Flush, Some(answer)) if self.is_pair => self.transfer.flushed(answer),
            _ => step,
        }
    }
}

/// Puts the entries of a step into the ring.
fn enqueue(ring: &mut IoUring, flight: &mut Flight, step: Step) {
    let fd = types::Fd(flight.file.as_raw_fd());
    let flush = opcode::Fsync::new(fd)
        .flags(types::FsyncFlags::DATASYNC)
        .build()
        .user_data(FLUSH);
    flight.is_pair = true;
    if step == Step::Write {
        let rest = flight.transfer.rest();
        let write = opcode::Write::new(fd, rest.as_ptr(), rest.len() as u32)
            .offset(flight.transfer.rest_offset())
            .build()
            .flags(Flags::IO_LINK)
            .user_data(WRITE);
        push(ring, flight, &write);
    }
    push(ring, flight, &flush);
}

fn push(ring: &mut IoUring, flight: &mut Flight, entry: &Entry) {
    // SAFETY: the entry's file and buffer belong to `flight`, which `Uring` keeps, unmoved on the
    // heap, until every entry is answered, and which its `drop` leaks rather than frees before.
    let pushed = unsafe { ring.submission().push(entry) };
    if pushed.is_ok() {
        flight.awaited += 1;
        flight.unsubmitted += 1;
    } else {
        // Cannot be: the ring has twice the entries of a transfer, and one is in flight.
        flight.transfer.fail(Act::Write, libc::EBUSY);
    }
}

impl Drop for Uring {
    /// Waits for the kernel to let go of the buffer; leaks the buffer rather than free it before.
    fn drop(&mut self) {
        let Some(mut flight) = self.flight.take() else {
            return;
        };
        let mut refusals = 0;
        while flight.awaited > 0 && !self.is_dead && refusals < REFUSALS_MAX {
            let answers = self.ring.completion().count() as u32;
            flight.awaited = flight.awaited.saturating_sub(answers);
            if flight.awaited > 0 && self.ring.submit_and_wait(1).is_err() {
                refusals += 1;
            }
        }
        if flight.awaited > 0 {
            std::mem::forget(flight);
        }
    }
}
