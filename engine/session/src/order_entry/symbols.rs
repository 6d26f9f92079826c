//! Names of the symbols by number, and back.

use wire::ring::MarketState;

/// What is known of a symbol.
#[derive(Clone, Copy)]
pub(super) struct Symbol {
    pub(super) name: [u8; 8],
    pub(super) state: MarketState,
}

/// What stands for a symbol that was not defined.
const UNKNOWN: Symbol = Symbol {
    name: [b' '; 8],
    state: MarketState::Continuous,
};

/// The directory; its memory is taken at the start.
pub(super) struct Symbols {
    /// By number; number 0 is no symbol.
    symbols: Vec<Symbol>,
    /// By name.
    numbers: Vec<([u8; 8], u16)>,
}

impl Symbols {
    /// An empty directory of numbers up to `number_max`.
    pub(super) fn new(number_max: u16) -> Self {
        let count = usize::from(number_max) + 1;
        Self {
            symbols: vec![UNKNOWN; count],
            numbers: Vec::with_capacity(count),
        }
    }

    /// Adds a symbol; `false` when its number is beyond the directory.
    pub(super) fn define(&mut self, number: u16, name: [u8; 8]) -> bool {
        let Some(entry) = self.symbols.get_mut(usize::from(number)) else {
            return false;
        };
        entry.name = name;
        match self.numbers.binary_search_by_key(&name, |(name, _)| *name) {
            Ok(index) => self.numbers[index].1 = number,
            Err(index) if self.numbers.len() < self.numbers.capacity() => {
                self.numbers.insert(index, (name, number));
            }
            Err(_) => return false,
        }
        true
    }

    /// Every symbol that was defined: number, name, and what its market does.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = (u16, [u8; 8], MarketState)> {
        let of = |(name, number): &([u8; 8], u16)| (*number, *name, self.get(*number).state);
        self.numbers.iter().map(of)
    }

    /// Number of a symbol, 0 when there is none of that name.
    pub(super) fn number(&self, name: [u8; 8]) -> u16 {
        let found = self.numbers.binary_search_by_key(&name, |(name, _)| *name);
        found.map_or(0, |index| self.numbers[index].1)
    }

    /// What is known of a symbol.
    pub(super) fn get(&self, number: u16) -> Symbol {
        let symbol = self.symbols.get(usize::from(number));
        symbol.copied().unwrap_or(UNKNOWN)
    }

    /// The symbol's market does something else now.
    pub(super) fn state_set(&mut self, number: u16, code: u32) {
        let state = u8::try_from(code).ok().and_then(MarketState::from_byte);
        if let (Some(symbol), Some(state)) = (self.symbols.get_mut(usize::from(number)), state) {
            symbol.state = state;
        }
    }
}
