//! Series made of series.

/// How a return is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// `next / last - 1`.
    Simple,
    /// `ln(next / last)`.
    Log,
}

impl Returns {
    /// From one price to the next; no number if either is none, or is not positive for logarithms.
    #[must_use]
    pub fn of(self, last: f64, next: f64) -> f64 {
        match self {
            Self::Simple => next / last - 1.0,
            Self::Log => (next / last).ln(),
        }
    }

    /// Of each price to the next one, into the first places of `out`; how many there are is as many
    /// as fit and one less than there are prices.
    pub fn series(self, prices: &[f64], out: &mut [f64]) -> usize {
        let pairs = prices.windows(2).zip(out.iter_mut());
        pairs
            .map(|(pair, out)| *out = self.of(pair[0], pair[1]))
            .count()
    }
}
