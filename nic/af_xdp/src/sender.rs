//! The way out of a port, apart from its way in: a frame can be answered while it is looked at.

use crate::frame::Frame;
use crate::port::FRAME_BYTES_MAX;
use crate::queue::Queue;
use crate::umem::Umem;

/// The way out of a port: frames to be sent by the next [`Port::kick`](crate::Port::kick).
#[derive(Debug)]
pub struct Sender<'a> {
    pub(crate) umem: &'a Umem,
    pub(crate) queue: &'a mut Queue,
    pub(crate) free: &'a mut Vec<Frame>,
}

impl Sender<'_> {
    /// Whether a frame can be had.
    pub fn has_room(&mut self) -> bool {
        if self.free.is_empty() {
            self.reap();
        }
        !self.free.is_empty()
    }

    /// A frame to fill, if there is one.
    pub fn frame(&mut self) -> Option<Frame> {
        self.has_room();
        self.free.pop()
    }

    /// Where the bytes of the frame go.
    pub fn room<'b>(&'b self, frame: &'b mut Frame) -> &'b mut [u8] {
        &mut self.umem.room(frame)[..FRAME_BYTES_MAX]
    }

    /// Queues the first `length` bytes of the frame's room.
    ///
    /// # Panics
    /// If the frame is not of this port, or shorter.
    pub fn send(&mut self, frame: Frame, length: usize) {
        // As deep as there are frames, so it takes them all.
        if let Err(outgoing) = self.queue.tx.push(frame.filled(self.umem, length)) {
            self.free.push(outgoing.into_frame());
        }
    }

    /// Takes sent frames back.
    pub(crate) fn reap(&mut self) {
        let before = self.free.len();
        while let Some(sent) = self.queue.completion.pop() {
            self.free.push(sent.into_frame());
        }
        if self.free.len() > before {
            self.queue.completion.release();
        }
    }
}
