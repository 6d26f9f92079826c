//! The ring: one writer, one reader, one cache line a message.
//!
//! Messages are numbered from 1. A slot carries the number of the message in it, so the reader
//! looks at one line to learn that a message came and to take it. The writer learns from `credit`,
//! which the reader writes once in a quarter ring, which slots are free again. Each side keeps its
//! own position in its handle and never loads a word that it owns, except when it takes over from
//! a side that died.
//!
//! A batch becomes visible at once: all its slots but the first get their number while they are
//! filled, and the first one, without which the reader does not look at the others, gets it last.
//!
//! Four habits keep the lines moving (figures: Zen 4, a line 400 ns there and back, a message
//! every 20 ns that the writer could make):
//! - The reader writes to each slot that it took, without changing it. That takes the line out of
//!   the writer's caches, and a writer that misses a line asks for the next ones meanwhile; one
//!   that finds it shared waits for the right to write it, with all its later stores behind: 19 ns
//!   a message instead of 150.
//! - Neighbours in the sequence are not neighbours in memory (`slots.rs`): else the processor
//!   fetches for the reader what the writer is about to fill: 41 ns in batches of 32 instead of 85.
//! - The writer asks for a line a few messages before it fills it ([`ASKED_AHEAD`]). Stores leave
//!   the writer in order, and one that waits for its line holds up those behind it.
//! - A reader that waits writes to the slot after the one that it waits for (`wait.rs`).

use crate::error::Full;
use crate::memory::{RingMemory, Word};
use crate::shared_ring::SharedRing;
use crate::slots::{NUMBER_MAX, number_in_slot, slot_of, word_of};
use std::marker::PhantomData;
use std::sync::atomic::Ordering;

/// How many messages before a slot is filled the writer asks for its line.
const ASKED_AHEAD: u64 = 8;

/// The writing side. One thread owns it.
///
/// It fills pairs of lines of its own: nobody else's words slow it down, wherever it lies.
#[derive(Debug)]
#[repr(align(128))]
pub struct Writer<B, M: RingMemory<B> = SharedRing<B>> {
    pub(crate) memory: M,
    /// Number of the last message put into a slot.
    put: u64,
    /// Number of the last message the reader may see.
    published: u64,
    /// How many messages the reader had given back when last asked.
    credit: u64,
    credits_refused: u64,
    body: PhantomData<fn(B)>,
}

impl<B, M: RingMemory<B>> Writer<B, M> {
    /// Opens the writing side of new memory, or of memory whose writer died.
    ///
    /// The dead writer must be dead (joined, or its process reaped). What it published stays; what
    /// it had put and not published is forgotten.
    #[must_use]
    pub fn open(memory: M) -> Self {
        // Acquire: pairs with the reader's Release in `credit_return`: slots below may be filled.
        let credit = memory.credit().load(Ordering::Acquire).min(NUMBER_MAX);
        let depth = memory.depth();
        let mut head = credit;
        while head - credit < depth && number_in_slot(&memory, head + 1) == head + 1 {
            head += 1;
        }
        // The rest of a batch that was never published: were its numbers left, the reader would
        // take it for messages as soon as the slot before it is filled again.
        for number in head + 1..=credit + depth {
            if number_in_slot(&memory, number) == number {
                let before = number.saturating_sub(depth);
                word_of(&memory, number).store(before, Ordering::Relaxed);
            }
        }
        let body = PhantomData;
        Self {
            memory,
            put: head,
            published: head,
            credit,
            credits_refused: 0,
            body,
        }
    }

    /// Puts one message into the ring and publishes it, with all that was put before.
    ///
    /// # Errors
    /// [`Full`] when there is no room; nothing was written.
    #[inline]
    pub fn push(&mut self, stamp: u64, body: &B) -> Result<(), Full> {
        self.put(stamp, body)?;
        self.publish();
        Ok(())
    }

    /// Puts a message into the ring; the reader sees it after [`Writer::publish`].
    ///
    /// # Errors
    /// [`Full`] when there is no room; nothing was written.
    #[inline]
    pub fn put(&mut self, stamp: u64, body: &B) -> Result<(), Full> {
        if self.put - self.credit == self.memory.depth() {
            self.credit_refresh();
            if self.put - self.credit == self.memory.depth() {
                return Err(Full);
            }
        }
        let number = self.put + 1;
        let later = number + ASKED_AHEAD;
        if later - self.credit <= self.memory.depth() {
            self.memory.ask(slot_of(&self.memory, later));
        }
        self.memory
            .body_write(slot_of(&self.memory, number), stamp, body);
        if self.put != self.published {
            // Relaxed: the reader comes here only after the batch's first slot, see `publish`.
            word_of(&self.memory, number).store(number, Ordering::Relaxed);
        }
        self.put = number;
        Ok(())
    }

    /// Shows the reader all that was put, at once; says how many messages that were.
    #[inline]
    pub fn publish(&mut self) -> usize {
        let count = self.put - self.published;
        if count > 0 {
            let first = self.published + 1;
            // Release: pairs with the reader's Acquire in `peek`; carries the whole batch.
            word_of(&self.memory, first).store(first, Ordering::Release);
            self.published = self.put;
        }
        count as usize
    }

    /// How many messages can be put now.
    ///
    /// The reader gives slots back in quarter rings, so an idle reader leaves at least three
    /// quarters: never wait for more room than that.
    #[inline]
    pub fn room(&mut self) -> usize {
        self.credit_refresh();
        (self.memory.depth() - (self.put - self.credit)) as usize
    }

    /// Whether `count` messages can be put now; looks at shared memory only if it must.
    #[inline]
    pub fn has_room(&mut self, count: usize) -> bool {
        let room = self.memory.depth() - (self.put - self.credit);
        room as usize >= count || self.room() >= count
    }

    /// Slots of the ring.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.memory.depth() as usize
    }

    /// How many messages were published since the ring was made.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.published
    }

    /// How often the reader's credit held an impossible value, which was ignored.
    #[must_use]
    pub const fn credits_refused(&self) -> u64 {
        self.credits_refused
    }

    fn credit_refresh(&mut self) {
        // Acquire: pairs with the reader's Release in `credit_return`: slots below may be filled.
        let credit = self.memory.credit().load(Ordering::Acquire);
        if credit < self.credit || credit > self.published {
            self.credits_refused += 1;
        } else {
            self.credit = credit;
        }
    }
}

/// The reading side. One thread owns it, and it fills pairs of lines of its own.
#[derive(Debug)]
#[repr(align(128))]
pub struct Reader<B, M: RingMemory<B> = SharedRing<B>> {
    pub(crate) memory: M,
    /// Number of the last message taken.
    pub(crate) taken: u64,
    /// Number of the last message looked at.
    seen: u64,
    /// Number of the last message whose line was taken over.
    taken_over: u64,
    /// Number of the last message looked for in vain.
    pub(crate) missed: u64,
    /// Number of the last message that was waited for.
    pub(crate) awaited: u64,
    /// Messages that [`Reader::gather`] waits for.
    pub(crate) ahead: u64,
    /// How many messages were given back to the writer.
    credited: u64,
    body: PhantomData<fn() -> B>,
}

impl<B, M: RingMemory<B>> Reader<B, M> {
    /// Opens the reading side of new memory, or of memory whose reader died.
    ///
    /// The dead reader must be dead. Up to a quarter ring of messages that it had taken and not
    /// yet given back comes again: [`Reader::position`] tells which.
    #[must_use]
    pub fn open(memory: M) -> Self {
        // Relaxed: this side owns the word; the death of the former owner ordered its last store.
        let taken = memory.credit().load(Ordering::Relaxed).min(NUMBER_MAX);
        Self {
            memory,
            taken,
            seen: taken,
            taken_over: taken,
            missed: taken,
            awaited: taken,
            ahead: 1,
            credited: taken,
            body: PhantomData,
        }
    }

    /// The next message with its stamp, left in the ring.
    #[inline]
    pub fn peek(&mut self) -> Option<(u64, B)> {
        self.look_at(self.taken + 1)
    }

    /// The message `number`, which is the next one, if it is there.
    #[inline]
    pub(crate) fn look_at(&mut self, number: u64) -> Option<(u64, B)> {
        // Here and not when it was taken: an answer to that message has left by now, and did not
        // have to wait for the line.
        self.take_over();
        // Acquire: pairs with the writer's Release in `publish`.
        if word_of(&self.memory, number).load(Ordering::Acquire) != number {
            self.found_none(number);
            return None;
        }
        self.seen = number;
        Some(self.memory.body_read(slot_of(&self.memory, number)))
    }

    /// Takes the message that [`Reader::peek`] showed.
    ///
    /// # Panics
    /// When no message was shown: the caller has a bug.
    #[inline]
    pub fn advance(&mut self) {
        assert!(
            self.seen > self.taken,
            "advance without a message seen by peek"
        );
        self.taken += 1;
        if self.taken - self.credited >= self.memory.credit_step() {
            self.credit_return();
        }
    }

    /// Takes the next message with its stamp.
    #[inline]
    pub fn pop(&mut self) -> Option<(u64, B)> {
        let message = self.peek()?;
        self.advance();
        Some(message)
    }

    /// Takes up to `max` messages, giving each to `on`; says how many there were.
    #[inline]
    pub fn take(&mut self, max: usize, mut on: impl FnMut(u64, &B)) -> usize {
        for count in 0..max {
            let Some((stamp, body)) = self.peek() else {
                return count;
            };
            on(stamp, &body);
            self.advance();
        }
        max
    }

    /// How many messages wait, counting no further than `max`.
    #[must_use]
    pub fn waiting(&self, max: usize) -> usize {
        let end = self.taken + self.memory.depth().min(max as u64);
        let mut last = self.taken;
        while last < end && number_in_slot(&self.memory, last + 1) == last + 1 {
            last += 1;
        }
        (last - self.taken) as usize
    }

    /// Gives every taken slot back now, without waiting for a quarter ring.
    pub fn credit_flush(&mut self) {
        if self.taken != self.credited {
            self.credit_return();
        }
    }

    /// Slots of the ring.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.memory.depth() as usize
    }

    /// How many messages were taken since the ring was made: the number of the last one.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.taken
    }

    /// Takes the line of the message that was taken last out of the writer's caches.
    #[inline]
    fn take_over(&mut self) {
        if self.taken_over != self.taken {
            self.memory.take_over(slot_of(&self.memory, self.taken));
            self.taken_over = self.taken;
        }
    }

    fn credit_return(&mut self) {
        self.take_over();
        // Release: pairs with the writer's Acquire of `credit`: our use of the slots comes before.
        self.memory.credit().store(self.taken, Ordering::Release);
        self.credited = self.taken;
    }
}
