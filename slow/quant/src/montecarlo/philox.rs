//! Random bits that are a function of where they are: Philox4x32-10.
//!
//! J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
//! A counter goes in, random bits come out: no state is handed from one number to the next, so any
//! thread and any lane can make any of them.

use analytics::arch::{LANES, Lanes};

const ROUNDS: usize = 10;
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What a round adds to the key: the golden ratio and the root of 3.
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Four words of random bits for each counter of four words, by a key of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Philox {
    keys: [[u32; 2]; ROUNDS],
}

/// Sixteen counters that follow each other and differ from others in what they are for.
#[derive(Clone, Copy)]
pub(super) struct Counter {
    /// The first one; a multiple of sixteen.
    pub first: u64,
    /// Which block of a path's numbers.
    pub block: u32,
    /// What the numbers are for.
    pub stream: u32,
}

impl Philox {
    /// By a key of 64 bits, the lower half first.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut key = [seed as u32, (seed >> 32) as u32];
        let mut keys = [key; ROUNDS];
        for round in &mut keys {
            *round = key;
            key = [0, 1].map(|at| key[at].wrapping_add(WEYL[at]));
        }
        Self { keys }
    }

    /// The bits for a counter.
    #[must_use]
    pub fn block(&self, counter: [u32; 4]) -> [u32; 4] {
        self.keys.iter().fold(counter, |[a, b, c, d], key| {
            let [low, other] = MULTIPLIERS;
            let wide = [
                u64::from(a) * u64::from(low),
                u64::from(c) * u64::from(other),
            ];
            let [high_a, high_c] = wide.map(|wide| (wide >> 32) as u32);
            let [low_a, low_c] = wide.map(|wide| wide as u32);
            [high_c ^ b ^ key[0], low_c, high_a ^ d ^ key[1], low_a]
        })
    }

    /// The bits for sixteen counters.
    #[inline(always)]
    pub(super) fn blocks<L: Lanes>(&self, lanes: L, counter: Counter) -> [L::I; 4] {
        let [words] = self.side_by_side(lanes, [counter]);
        words
    }

    /// The bits for sixteen counters of each. A round waits ten cycles for the one before it: two
    /// that do not wait for each other take little more time than one.
    #[inline(always)]
    pub(super) fn side_by_side<L: Lanes, const COUNT: usize>(
        &self,
        lanes: L,
        counters: [Counter; COUNT],
    ) -> [[L::I; 4]; COUNT] {
        let ones: [u32; LANES] = std::array::from_fn(|lane| lane as u32);
        let ones = lanes.load_u32(&ones);
        let mut all = [[ones; 4]; COUNT];
        for (words, counter) in all.iter_mut().zip(counters) {
            *words = [
                lanes.add_u32(lanes.splat_u32(counter.first as u32), ones),
                lanes.splat_u32((counter.first >> 32) as u32),
                lanes.splat_u32(counter.block),
                lanes.splat_u32(counter.stream),
            ];
        }
        // A loop would not be unrolled, and its keys not be part of instructions.
        macro_rules! rounds {
            ($($at:literal)+) => {
                $(for words in &mut all {
                    *words = round(lanes, *words, self.keys[$at]);
                })+
            };
        }
        rounds!(0 1 2 3 4 5 6 7 8 9);
        all
    }
}

#[inline(always)]
fn round<L: Lanes>(lanes: L, [a, b, c, d]: [L::I; 4], key: [u32; 2]) -> [L::I; 4] {
    let (low_a, high_a) = lanes.mul_wide(a, lanes.splat_u32(MULTIPLIERS[0]));
    let (low_c, high_c) = lanes.mul_wide(c, lanes.splat_u32(MULTIPLIERS[1]));
    [
        lanes.xor(lanes.xor(high_c, b), lanes.splat_u32(key[0])),
        low_c,
        lanes.xor(lanes.xor(high_a, d), lanes.splat_u32(key[1])),
        low_a,
    ]
}
