//! Products of more than 128 bits.

/// A number of 256 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wide {
    high: u128,
    low: u128,
}

impl Wide {
    /// The product of numbers.
    pub(super) fn product(factors: impl IntoIterator<Item = u64>) -> Self {
        let one = Self { high: 0, low: 1 };
        factors.into_iter().fold(one, Self::times)
    }

    /// The caller knows that no bit is lost.
    fn times(self, factor: u64) -> Self {
        let factor = u128::from(factor);
        let (above, below) = (self.low >> 64, self.low & u128::from(u64::MAX));
        let below = below * factor;
        let above = above * factor + (below >> 64);
        debug_assert!(self.high.checked_mul(factor).is_some());
        Self {
            high: self.high.wrapping_mul(factor).wrapping_add(above >> 64),
            low: above << 64 | below & u128::from(u64::MAX),
        }
    }

    /// How much greater this is than a smaller number, as a part of that.
    pub(super) fn gain_over(self, smaller: Self) -> f64 {
        let (low, borrows) = self.low.overflowing_sub(smaller.low);
        let high = self.high - smaller.high - u128::from(borrows);
        Self { high, low }.to_f64() / smaller.to_f64()
    }

    /// Within a few parts of 2^53.
    fn to_f64(self) -> f64 {
        self.high as f64 * 2f64.powi(128) + self.low as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_carry() {
        let max = u64::MAX;
        let square = Wide::product([max, max, max, max]);
        // (2^64 - 1)^4 = 2^256 - 4 * 2^192 + 6 * 2^128 - 4 * 2^64 + 1
        let high = u128::MAX - (4 << 64) + 6;
        let low = (u128::MAX - (4 << 64)) + 2;
        assert_eq!(square, Wide { high, low });
        let small = Wide::product([3, 5]);
        assert_eq!(small, Wide { high: 0, low: 15 });
        assert!(square > small);
        assert_eq!(small.gain_over(Wide::product([10])), 0.5);
    }
}
