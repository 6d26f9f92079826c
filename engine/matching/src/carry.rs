//! What a snapshot carries of each struct, written and read by the same code.
//!
//! A struct's `carry` takes all its fields apart: a field that is added does not compile until it
//! is carried, or said to follow from what is. A snapshot is made of records: a [`Tag`] and the
//! fields behind it, each little-endian and without gaps.

use core::ops::{BitOr, RangeInclusive};

/// The longest record, its tag included.
pub(crate) const RECORD_BYTES_MAX: usize = 128;

/// Which record it is: its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    Venue = 1,
    Session = 2,
    Asked = 3,
    Symbol = 4,
    Order = 5,
    Part = 6,
    Account = 7,
    Position = 8,
    Trade = 9,
    Broken = 10,
    Mandate = 11,
    End = 255,
}

/// Writes fields, or reads them and looks whether they are good.
pub(crate) trait Carrier {
    type Error;

    /// Writes a number; or puts another one in its place.
    fn any<N: Number>(&mut self, field: &'static str, value: &mut N) -> Result<(), Self::Error>;

    /// Whether the number before is good, which the one that is written is.
    fn check(&mut self, field: &'static str, is_good: bool) -> Result<(), Self::Error>;

    /// A number in a range.
    fn number<N: Number>(
        &mut self,
        field: &'static str,
        value: &mut N,
        good: RangeInclusive<N>,
    ) -> Result<(), Self::Error> {
        self.any(field, value)?;
        self.check(field, good.contains(value))
    }

    /// A number that has no other bits than some.
    fn bits<N: Number + BitOr<Output = N>>(
        &mut self,
        field: &'static str,
        value: &mut N,
        good: N,
    ) -> Result<(), Self::Error> {
        self.any(field, value)?;
        self.check(field, *value | good == good)
    }
}

/// A number that a field can be.
pub(crate) trait Number: Copy + PartialOrd + Default {
    type Bytes: AsRef<[u8]> + for<'a> TryFrom<&'a [u8]>;

    fn to_bytes(self) -> Self::Bytes;
    fn from_bytes(bytes: Self::Bytes) -> Self;
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Number for $number {
            type Bytes = [u8; size_of::<$number>()];

            fn to_bytes(self) -> Self::Bytes {
                self.to_le_bytes()
            }

            fn from_bytes(bytes: Self::Bytes) -> Self {
                Self::from_le_bytes(bytes)
            }
        })*
    };
}

numbers!(u8, u16, u32, u64, u128, i32, i64, i128);

/// What a snapshot's trailer says of all records: their bytes in words of eight, the last one
/// filled up with zeros, each mixed in by a multiplication, so that their order counts.
#[derive(Clone, Copy)]
pub(crate) struct Hash(pub(crate) u64);

impl Hash {
    pub(crate) const EMPTY: Self = Self(0);

    /// Adds bytes, a multiple of eight of them unless they are the last.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add_word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.add_word(u64::from_le_bytes(last));
        }
    }

    fn add_word(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        self.0 = (mixed ^ mixed >> 29).wrapping_add(0x9E37_79B9_7F4A_7C15);
    }
}
