//! Names of the symbols by number, and back.

/// The directory; its memory is taken at the start.
pub(super) struct Symbols {
    /// By number; number 0 is no symbol.
    names: Vec<[u8; 8]>,
    /// By name.
    numbers: Vec<([u8; 8], u16)>,
}

impl Symbols {
    /// An empty directory of numbers up to `number_max`.
    pub(super) fn new(number_max: u16) -> Self {
        let count = usize::from(number_max) + 1;
        Self {
            names: vec![[b' '; 8]; count],
            numbers: Vec::with_capacity(count),
        }
    }

    /// Adds a symbol; `false` when its number is beyond the directory.
    pub(super) fn define(&mut self, number: u16, name: [u8; 8]) -> bool {
        let Some(entry) = self.names.get_mut(usize::from(number)) else {
            return false;
        };
        *entry = name;
        match self.numbers.binary_search_by_key(&name, |(name, _)| *name) {
            Ok(index) => self.numbers[index].1 = number,
            Err(index) if self.numbers.len() < self.numbers.capacity() => {
                self.numbers.insert(index, (name, number));
            }
            Err(_) => return false,
        }
        true
    }

    /// Number of a symbol, 0 when there is none of that name.
    pub(super) fn number(&self, name: [u8; 8]) -> u16 {
        let found = self.numbers.binary_search_by_key(&name, |(name, _)| *name);
        found.map_or(0, |index| self.numbers[index].1)
    }

    /// Name of a symbol, blank when there is none of that number.
    pub(super) fn name(&self, number: u16) -> [u8; 8] {
        self.names
            .get(usize::from(number))
            .copied()
            .unwrap_or([b' '; 8])
    }
}
