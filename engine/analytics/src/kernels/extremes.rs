//! Least and greatest.

use super::tail;
use crate::arch::{Backend, Kernel, LANES, Lanes};

/// The least and the greatest number of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extremes {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Backend {
    /// The least and the greatest, `None` of none; neither is a number if one of the series is
    /// none. Of 0 and -0 either may be named.
    #[must_use]
    pub fn extremes(self, xs: &[f64]) -> Option<Extremes> {
        let first = *xs.first()?;
        Some(self.run(Search { xs, first }))
    }
}

struct Search<'a> {
    xs: &'a [f64],
    first: f64,
}

impl Kernel for Search<'_> {
    type Output = Extremes;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Extremes {
        let (whole, rest) = self.xs.as_chunks::<LANES>();
        let rest = [tail(rest, self.first)];
        let mut min = lanes.splat(self.first);
        let (mut max, mut none) = (min, min);
        for xs in whole.iter().chain(&rest) {
            let x = lanes.load(xs);
            min = lanes.min(x, min);
            max = lanes.max(x, max);
            none = lanes.nan(none, x);
        }
        let mut all = [[0.0; LANES]; 3];
        let [mins, maxs, nones] = &mut all;
        lanes.store(min, mins);
        lanes.store(max, maxs);
        lanes.store(none, nones);
        if nones.iter().any(|x| x.is_nan()) {
            let (min, max) = (f64::NAN, f64::NAN);
            return Extremes { min, max };
        }
        Extremes {
            min: mins.iter().copied().fold(self.first, f64::min),
            max: maxs.iter().copied().fold(self.first, f64::max),
        }
    }
}
