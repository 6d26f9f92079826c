//! How far a server is in its log.

use crate::Error;
use std::fmt;
use std::str::FromStr;

/// A page of the log, and what stands at the beginning of most: no record ends in there.
const PAGE_BYTES: u64 = 8_192;
const PAGE_HEAD_BYTES: u64 = 24;

/// A place in the log of a server of PostgreSQL's, as it writes it: `16/B374D848`. Who wrote what
/// stands before it reads it where the log was replayed up to there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

impl Position {
    /// The place that a server tells in bytes. One that is behind the head of a page, where the
    /// next record will begin, is where the last one ended: on the page before.
    #[must_use]
    pub const fn of(bytes: u64) -> Self {
        match bytes % PAGE_BYTES == PAGE_HEAD_BYTES {
            true => Self(bytes - PAGE_HEAD_BYTES),
            false => Self(bytes),
        }
    }

    /// Bytes of the log from another place to this one; none if that is further.
    #[must_use]
    pub const fn behind(self, other: Self) -> u64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for Position {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let half = |text: &str| u32::from_str_radix(text, 16).ok().map(u64::from);
        let read = text
            .split_once('/')
            .and_then(|(high, low)| Some(half(high)? << 32 | half(low)?));
        let told = || {
            let words = format!("position {text:?}: as `project --stat` tells it: 16/B374D848");
            Error::Refused(words)
        };
        read.map(Self::of).ok_or_else(told)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_written() {
        let position = Position::of(0x16_B374_D848);
        assert_eq!(position.to_string(), "16/B374D848");
        assert_eq!("16/B374D848".parse::<Position>().unwrap(), position);
        for bad in ["", "16", "16/", "g/1", "1/100000000", "-1/2"] {
            let said = bad.parse::<Position>().unwrap_err().to_string();
            assert!(said.contains("16/B374D848"), "{said}");
        }
        // Behind the head of a page nothing was written yet.
        assert_eq!(
            Position::of(3 * PAGE_BYTES + 24),
            Position::of(3 * PAGE_BYTES)
        );
        assert!(Position::of(3 * PAGE_BYTES + 32) > Position::of(3 * PAGE_BYTES + 24));
    }
}
