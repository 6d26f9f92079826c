//! What a full disk leaves for: the last segments, shared out.
//!
//! A segment is made ahead, so the writer learns that the disk is full while a whole one is still
//! to be filled. The last half of it is kept: first for answers to orders that are refused, and the
//! very last quarter for nothing but what takes orders off the books. A flood of orders cannot use
//! up what cancels need.

use crate::LINE_BYTES;
use crate::record::Header;

/// Of a segment, in which part new orders are to be refused: one in so many.
const KEPT_PART: u64 = 2;

/// In which part not even refusals may use it up.
const LAST_PART: u64 = 4;

const _: () = assert!(LAST_PART > KEPT_PART && KEPT_PART > 1);

/// How much the journal can still take, and what it should be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
pub enum Reserve {
    /// For everything: the disk has room, or half a segment is left.
    Untouched = 0,
    /// For cancels and for saying no: new orders are to be refused.
    Kept = 1,
    /// For cancels only: orders are to wait, unread.
    Last = 2,
}

impl Reserve {
    /// What `room` bytes that are left on a full disk are for, by the length of a segment.
    pub(crate) const fn of(room: u64, segment_bytes: u64) -> Self {
        if room >= segment_bytes / KEPT_PART {
            Self::Untouched
        } else if room >= segment_bytes / LAST_PART {
            Self::Kept
        } else {
            Self::Last
        }
    }

    /// Reads a counter in which it was told; what is no reserve counts as the last.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        match number {
            0 => Self::Untouched,
            1 => Self::Kept,
            _ => Self::Last,
        }
    }

    /// Cancels for which the last part has room, each in a record of its own.
    #[must_use]
    pub const fn cancels_min(segment_bytes: u64) -> u64 {
        (segment_bytes / LAST_PART - LINE_BYTES as u64) / Header::bytes_with(1) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_is_left_the_less_it_is_for() {
        let of = |room| Reserve::of(room, 1 << 20);
        let cases = [
            (1 << 20, Reserve::Untouched),
            (1 << 19, Reserve::Untouched),
            ((1 << 19) - 64, Reserve::Kept),
            (1 << 18, Reserve::Kept),
            ((1 << 18) - 64, Reserve::Last),
            (0, Reserve::Last),
        ];
        for (room, reserve) in cases {
            assert_eq!(of(room), reserve, "{room} bytes left");
            assert_eq!(Reserve::from_number(reserve as u64), reserve);
        }
        assert_eq!(Reserve::cancels_min(1 << 20), 2047);
    }
}
