//! What the last messages were, by their numbers, as hashes: enough to see that two ways brought
//! different ones.

/// Messages remembered.
const MESSAGES: usize = 1 << 12;

const _: () = assert!(MESSAGES.is_power_of_two());

/// The last messages of one way.
pub(super) struct Window {
    slots: Vec<(u64, u64)>,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![(0, 0); MESSAGES],
        }
    }

    pub(super) fn clear(&mut self) {
        self.slots.fill((0, 0));
    }

    pub(super) fn put(&mut self, sequence: u64, hash: u64) {
        self.slots[sequence as usize % MESSAGES] = (sequence, hash);
    }

    /// The hash of a message, if it is remembered.
    pub(super) fn get(&self, sequence: u64) -> Option<u64> {
        let (of, hash) = self.slots[sequence as usize % MESSAGES];
        (of == sequence).then_some(hash)
    }
}

/// Mixes a message's bytes into a number. Not against an adversary, who could forge whole lines.
pub(super) fn hash(message: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = message.len() as u64;
    let mut mix = |word: u64| {
        state = (state.rotate_left(23) ^ word).wrapping_mul(FACTOR);
        state ^= state >> 29;
    };
    let (words, rest) = message.as_chunks::<8>();
    for word in words {
        mix(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        mix(u64::from_le_bytes(last));
    }
    state
}
