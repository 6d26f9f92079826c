//! Exponential smoothing: `y += weight * (x - y)`, in blocks.
//!
//! One number after the other, each would wait for the one before. Within a block of eight what its
//! own numbers add is summed up apart from what the block began with, and the two meet at the end:
//! `y = keep^(k+1) * base + part`, `part = keep * part + weight * x`. Then only one number of eight
//! waits for another block, and the processor works on several at once.
//!
//! Blocks end at each eighth number of the series, those before the first value counted, too: so
//! all averages of a series are in the same place of a block, wherever each began.

/// Numbers of a block.
pub(super) const BLOCK: usize = 8;

/// A smoothed series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Smoothing {
    pub(super) weight: f64,
    /// `1 - weight`, to the first power and up.
    pub(super) keep: [f64; BLOCK],
    pub(super) base: f64,
    pub(super) part: f64,
    /// Numbers of the block so far.
    pub(super) phase: usize,
}

impl Smoothing {
    /// One that is to [begin](Smoothing::begin).
    pub(super) fn new(weight: f64) -> Self {
        Self {
            weight,
            keep: powers(weight),
            base: 0.0,
            part: 0.0,
            phase: 0,
        }
    }

    /// One that forgets nothing: the sum of all numbers, by blocks.
    pub(super) fn sum() -> Self {
        Self {
            weight: 1.0,
            keep: [1.0; BLOCK],
            ..Self::new(1.0)
        }
    }

    /// Begins at a value, behind so many numbers of the series: what is left of their block goes on
    /// from it as from a part.
    pub(super) fn begin(&mut self, value: f64, seen: usize) {
        (self.base, self.part, self.phase) = (0.0, value, seen % BLOCK);
        if self.phase == 0 {
            (self.base, self.part) = (value, 0.0);
        }
    }

    /// Takes the next number; gives the value.
    #[inline(always)]
    pub(super) fn next(&mut self, x: f64) -> f64 {
        let [keep, ..] = self.keep;
        self.part = keep * self.part + self.weight * x;
        let value = self.keep[self.phase % BLOCK] * self.base + self.part;
        self.phase += 1;
        if self.phase == BLOCK {
            (self.base, self.part, self.phase) = (value, 0.0, 0);
        }
        value
    }

    /// As many as a block, if one begins.
    #[inline(always)]
    pub(super) fn block(&mut self, xs: &[f64; BLOCK]) -> Option<[f64; BLOCK]> {
        if self.phase != 0 {
            return None;
        }
        let [keep, ..] = self.keep;
        let mut part = 0.0;
        let mut values = [0.0; BLOCK];
        for at in 0..BLOCK {
            part = keep * part + self.weight * xs[at];
            values[at] = self.keep[at] * self.base + part;
        }
        let [.., last] = values;
        self.base = last;
        Some(values)
    }
}

/// As many as a block of two series that are smoothed alike, if one begins; with the bits of
/// [`Smoothing::block`], side by side in a register.
#[inline(always)]
pub(super) fn block_of_two(
    [a, b]: [&mut Smoothing; 2],
    xs: &[[f64; 2]; BLOCK],
) -> Option<[[f64; 2]; BLOCK]> {
    if a.phase != 0 {
        return None;
    }
    let ([keep, ..], weight) = (a.keep, a.weight);
    let (mut part, base) = ([0.0; 2], [a.base, b.base]);
    let mut values = [[0.0; 2]; BLOCK];
    for at in 0..BLOCK {
        part = std::array::from_fn(|of| keep * part[of] + weight * xs[at][of]);
        values[at] = std::array::from_fn(|of| a.keep[at] * base[of] + part[of]);
    }
    [a.base, b.base] = values[BLOCK - 1];
    Some(values)
}

/// What is kept of a block's base, step by step.
pub(super) fn powers(weight: f64) -> [f64; BLOCK] {
    let mut keep = [1.0 - weight; BLOCK];
    for power in 1..BLOCK {
        keep[power] = keep[power - 1] * (1.0 - weight);
    }
    keep
}

/// Runs over a series: `one` for each number, and `block` for whole blocks where it takes them. The
/// state is a copy meanwhile, which stays in registers.
#[inline(always)]
pub(super) fn in_blocks<S: Copy, X: Copy>(
    to: &mut S,
    xs: &[X],
    values: &mut [f64],
    one: impl Fn(&mut S, X) -> f64,
    block: impl Fn(&mut S, &[X; BLOCK]) -> Option<[f64; BLOCK]>,
) {
    let mut kept = *to;
    let state = &mut kept;
    let length = xs.len().min(values.len());
    let mut at = 0;
    while let Some(next) = xs[at..length].first_chunk::<BLOCK>() {
        match block(state, next) {
            Some(found) => {
                values[at..at + BLOCK].copy_from_slice(&found);
                at += BLOCK;
            }
            None => {
                values[at] = one(state, xs[at]);
                at += 1;
            }
        }
    }
    for (x, value) in xs[at..length].iter().zip(&mut values[at..]) {
        *value = one(state, *x);
    }
    *to = *state;
}
