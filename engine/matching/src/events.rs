//! Where the engine writes what happened: a fixed array that the caller owns and reuses.

use bytemuck::{Pod, Zeroable};
use wire::ring::Event;

/// The most events that one [`apply`](crate::Engine::apply) or [`resume`](crate::Engine::resume)
/// yields.
pub const EVENTS_MAX: usize = 64;

/// Whether an input is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an input that is not done must be resumed before the next one"]
pub enum Step {
    /// The input is finished: its last event carries [`Event::LAST`].
    Done,
    /// More events come: take these, then call [`resume`](crate::Engine::resume).
    More,
}

/// The events of one step, in order.
///
/// `apply` and `resume` clear it before they write.
pub struct Events {
    slots: [Event; EVENTS_MAX],
    len: usize,
}

impl Events {
    /// An empty array.
    #[must_use]
    pub fn new() -> Self {
        Self {
            slots: [Event::zeroed(); EVENTS_MAX],
            len: 0,
        }
    }

    /// The events, oldest first.
    #[must_use]
    pub fn as_slice(&self) -> &[Event] {
        self.slots.get(..self.len).unwrap_or(&[])
    }

    /// Forgets all events.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// How many more events fit.
    pub(crate) fn room(&self) -> usize {
        EVENTS_MAX - self.len
    }

    /// Sets or clears [`Event::LAST`] of the last event, if there is one.
    pub(crate) fn mark_last(&mut self, is_last: bool) {
        if let Some(event) = self.slots[..self.len].last_mut() {
            event.flags &= !Event::LAST;
            event.flags |= if is_last { Event::LAST } else { 0 };
        }
    }

    /// Takes the last event back.
    pub(crate) fn pop(&mut self) -> Option<Words> {
        let event = self.slots[..self.len].last()?;
        self.len -= 1;
        Some(bytemuck::cast(*event))
    }

    /// Adds an event; the engine looks at [`Events::room`] before.
    #[inline]
    pub(crate) fn push(&mut self, event: Event) {
        self.push_words(bytemuck::cast(event));
    }

    /// Makes an event the only one.
    #[inline(always)]
    pub(crate) fn put(&mut self, words: Words) {
        let [slot, ..] = &mut self.slots;
        *bytemuck::cast_mut(slot) = words;
        self.len = 1;
    }

    /// Adds an event in the words that it is made of.
    #[inline]
    pub(crate) fn push_words(&mut self, words: Words) {
        debug_assert!(self.len < EVENTS_MAX);
        if let Some(slot) = self.slots.get_mut(self.len) {
            *bytemuck::cast_mut(slot) = words;
            self.len += 1;
        }
    }
}

/// An [`Event`] as it lies in memory, so that it is written by six stores and not by thirteen.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Words {
    /// Kind, side, reason and flags, a byte each; symbol and session.
    pub(crate) head: u64,
    /// The reference number, and above it the replaced order's.
    pub(crate) user_refs: u64,
    /// Quantity, and above it leaves.
    pub(crate) units: u64,
    pub(crate) price: u64,
    pub(crate) order_ref: u64,
    pub(crate) related: u64,
}

const _: () = assert!(size_of::<Words>() == size_of::<Event>());
const _: () = assert!(align_of::<Words>() == align_of::<Event>());
const _: () = assert!(
    cfg!(target_endian = "little"),
    "ring messages are little-endian"
);

/// Two numbers side by side, the first one in front.
#[inline]
pub(crate) fn pair(front: u32, back: u32) -> u64 {
    u64::from(front) | u64::from(back) << 32
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}
