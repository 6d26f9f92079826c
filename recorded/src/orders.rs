//! What feeds order by order have in common.

use trading::Instrument;

/// Dense numbers for a venue's own numbers of instruments, in the order in which they come.
pub struct Numbers<T> {
    first: u32,
    /// Sorted by the venue's number.
    known: Vec<(T, u32)>,
    instruments: Vec<Instrument>,
}

impl<T: Ord + Copy> Numbers<T> {
    pub const fn new(first: u32) -> Self {
        Self {
            first,
            known: Vec::new(),
            instruments: Vec::new(),
        }
    }

    /// The number of an instrument, which gets one if it has none.
    pub fn of(&mut self, venue: T, instrument: impl FnOnce() -> Instrument) -> u32 {
        match self.known.binary_search_by_key(&venue, |known| known.0) {
            Ok(at) => self.known.get(at).map_or(self.first, |known| known.1),
            Err(at) => {
                let number = self.first.saturating_add(self.instruments.len() as u32);
                self.instruments.push(instrument());
                self.known.insert(at, (venue, number));
                number
            }
        }
    }

    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }
}
