//! Where a message lies in a ring.
//!
//! Neighbours in the sequence are not neighbours in memory: else the processor fetches for the
//! reader what the writer is about to fill.

use crate::memory::{RingMemory, Word};
use std::sync::atomic::Ordering;

/// Messages in the life of a ring: a greater number in shared memory is not one.
pub(crate) const NUMBER_MAX: u64 = 1 << 62;

/// Slots from one message's to the next one's: another page each time, which ends the processor's
/// guesses. Odd, so that all slots are visited.
const SLOT_STRIDE: u64 = 67;
const _: () = assert!(SLOT_STRIDE % 2 == 1 && SLOT_STRIDE * 64 > 4096);

/// Slots that the stride goes around in, so that a deep ring does not need more pages at a time.
const SLOT_WINDOW: u64 = 1024;
const _: () = assert!(SLOT_WINDOW.is_power_of_two());

/// The slot that message `number` goes to.
#[inline]
pub(crate) fn slot_of<B, M: RingMemory<B>>(memory: &M, number: u64) -> usize {
    slot_at(memory.depth(), number)
}

/// The slot of a ring of `depth` slots that message `number` goes to.
#[inline]
pub(crate) fn slot_at(depth: u64, number: u64) -> usize {
    let place = number.wrapping_sub(1);
    let (window, within) = (place & !(SLOT_WINDOW - 1), place.wrapping_mul(SLOT_STRIDE));
    ((window | within & (SLOT_WINDOW - 1)) & (depth - 1)) as usize
}

/// The word that says whether message `number` is there.
#[inline]
pub(crate) fn word_of<B, M: RingMemory<B>>(memory: &M, number: u64) -> &M::Word {
    memory.sequence(slot_of(memory, number))
}

/// What the slot of message `number` holds now. Relaxed: tells a count, not a message.
pub(crate) fn number_in_slot<B, M: RingMemory<B>>(memory: &M, number: u64) -> u64 {
    word_of(memory, number).load(Ordering::Relaxed)
}
