//! The owned handles of a frame, one type for each thing that may be done with it.
//!
//! None can be copied, and every step takes one by value:
//!
//! ```text
//! Frame -- FillRing::push --> kernel -- RxRing::pop --> Received -- into_frame --> Frame
//!   |                                                      | into_outgoing
//!   +-- filled --> Outgoing <------------------------------+
//!                      | TxRing::push
//!                      +--> kernel -- CompletionRing::pop --> Sent -- into_frame --> Frame
//! ```

use crate::umem::Umem;

/// Most parts of a frame that is sent in several: what the kernel can put into one packet.
pub const PARTS_MAX: usize = 17;

/// A piece of a [`Umem`] that the program holds. A handle that is dropped takes the piece out of
/// use until the memory goes.
///
/// It cannot be used twice:
/// ```compile_fail,E0382
/// fn twice(fill: &mut af_xdp::FillRing, frame: af_xdp::Frame) {
///     let _ = fill.push(frame);
///     let _ = fill.push(frame);
/// }
/// ```
/// nor written to once the kernel has it:
/// ```compile_fail,E0382
/// fn late(umem: &af_xdp::Umem, tx: &mut af_xdp::TxRing, mut frame: af_xdp::Frame) {
///     let _ = tx.push(frame.filled(umem, 60));
///     umem.room(&mut frame)[0] = 1;
/// }
/// ```
/// nor copied:
/// ```compile_fail,E0277
/// fn copied<T: Clone>(thing: &T) -> T {
///     thing.clone()
/// }
/// fn twice(frame: &af_xdp::Frame) -> af_xdp::Frame {
///     copied(frame)
/// }
/// ```
/// ```compile_fail,E0507
/// fn moved(frame: &af_xdp::Frame) -> af_xdp::Frame {
///     *frame
/// }
/// ```
/// nor made up:
/// ```compile_fail,E0451
/// fn made_up() -> af_xdp::Frame {
///     af_xdp::Frame { index: 0, umem: 0 }
/// }
/// ```
/// and what was read from it does not outlive it:
/// ```compile_fail,E0505
/// fn kept(umem: &af_xdp::Umem, fill: &mut af_xdp::FillRing, got: af_xdp::Received) -> u8 {
///     let bytes = umem.received(&got);
///     let _ = fill.push(got.into_frame());
///     bytes[0]
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a dropped frame is out of use until the memory goes"]
pub struct Frame {
    pub(crate) index: u32,
    pub(crate) umem: u32,
}

impl Frame {
    /// The first `length` bytes of its room are a frame to send.
    ///
    /// # Panics
    /// If that is more than [`Umem::room_bytes`].
    pub fn filled(self, umem: &Umem, length: usize) -> Outgoing {
        Outgoing {
            offset: umem.outgoing_offset(length),
            length: length as u32,
            frame: self,
            requests: false,
            timed: false,
        }
    }
}

/// A frame that came from the wire, or a part of one; [`Umem::received`] reads it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a dropped frame is out of use until the memory goes"]
pub struct Received {
    pub(crate) frame: Frame,
    pub(crate) offset: u32,
    pub(crate) length: u32,
    pub(crate) more: bool,
}

/// Where bytes lie in the whole memory, for another process that maps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub at: u64,
    /// Number of bytes.
    pub length: u32,
}

impl Received {
    /// Whether the next frame of the ring is a further part of the same packet.
    pub fn continues(&self) -> bool {
        self.more
    }

    /// Where its bytes lie in the memory. Whoever is told may read there until the frame goes back.
    pub fn span(&self, umem: &Umem) -> Span {
        let start = u64::from(self.frame.index) * u64::from(umem.options().frame_bytes);
        Span {
            at: start + u64::from(self.offset),
            length: self.length,
        }
    }

    /// To be used again.
    pub fn into_frame(self) -> Frame {
        self.frame
    }

    /// To be sent as it stands, without a copy.
    pub fn into_outgoing(self) -> Outgoing {
        Outgoing {
            frame: self.frame,
            offset: self.offset,
            length: self.length,
            requests: false,
            timed: false,
        }
    }
}

/// A frame to send, or a part of one.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a dropped frame is out of use until the memory goes"]
pub struct Outgoing {
    pub(crate) frame: Frame,
    pub(crate) offset: u32,
    pub(crate) length: u32,
    pub(crate) requests: bool,
    pub(crate) timed: bool,
}

impl Outgoing {
    /// Not to be sent after all.
    pub fn into_frame(self) -> Frame {
        self.frame
    }
}

/// A frame that was sent, or refused by the driver; [`Umem::sent_at`] may say when.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a dropped frame is out of use until the memory goes"]
pub struct Sent {
    pub(crate) frame: Frame,
    pub(crate) offset: u32,
    pub(crate) timed: bool,
}

impl Sent {
    /// To be used again.
    pub fn into_frame(self) -> Frame {
        self.frame
    }
}
