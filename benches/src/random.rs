//! Numbers without a pattern, the same in each run.

/// A linear congruential sequence, of which the upper 31 bits are shown.
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as u32
    }

    /// From 0 to below `end`, which is not 0.
    pub fn below(&mut self, end: u32) -> u32 {
        self.next() % end
    }

    /// From -0.5 to below 0.5.
    pub fn about_zero(&mut self) -> f64 {
        f64::from(self.next()) / f64::from(1u32 << 31) - 0.5
    }
}
