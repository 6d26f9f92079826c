//! What a snapshot keeps of order entry and feeds, as bytes: numbers are little-endian, without
//! gaps, and lists have their length before them.

/// Bytes that are no state, or not one of this venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateError {
    /// What is wrong.
    pub field: &'static str,
    /// Where, counted from the first byte.
    pub at: usize,
}

impl core::fmt::Display for StateError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "`{}` at byte {} is wrong", self.field, self.at)
    }
}

impl core::error::Error for StateError {}

/// Writes a list: how many there are, then each.
pub(crate) fn list<T>(
    out: &mut Vec<u8>,
    all: impl ExactSizeIterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, T),
) {
    out.extend((all.len() as u64).to_le_bytes());
    all.for_each(|one| write(out, one));
}

/// Reads what was written.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// So many bytes.
    pub(crate) fn take<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], StateError> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let taken = rest.first_chunk().copied();
        let taken = taken.ok_or(StateError { field, at: self.at })?;
        self.at += N;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self, field: &'static str) -> Result<u8, StateError> {
        self.take(field).map(|[byte]| byte)
    }

    pub(crate) fn short(&mut self, field: &'static str) -> Result<u16, StateError> {
        self.take(field).map(u16::from_le_bytes)
    }

    pub(crate) fn word(&mut self, field: &'static str) -> Result<u32, StateError> {
        self.take(field).map(u32::from_le_bytes)
    }

    pub(crate) fn long(&mut self, field: &'static str) -> Result<u64, StateError> {
        self.take(field).map(u64::from_le_bytes)
    }

    /// Refuses what was just read unless it is good.
    pub(crate) const fn require(
        &self,
        field: &'static str,
        is_good: bool,
    ) -> Result<(), StateError> {
        match is_good {
            true => Ok(()),
            false => Err(StateError { field, at: self.at }),
        }
    }

    /// A list: `read` takes one after the other.
    pub(crate) fn list(
        &mut self,
        field: &'static str,
        mut read: impl FnMut(&mut Self) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let count = self.long(field)?;
        // Each takes a byte at least: a wrong count ends with the bytes.
        (0..count).try_for_each(|_| read(self))
    }

    /// Refuses bytes that are left.
    pub(crate) const fn end(&self) -> Result<(), StateError> {
        self.require("end", self.at == self.bytes.len())
    }
}
