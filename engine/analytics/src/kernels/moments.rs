//! Means, variances, covariances and what is made of them.
//!
//! Two passes: the means first, then sums of products of what differs from them, from which what
//! the means' rounding adds is taken off (Chan, Golub and LeVeque, The American Statistician 37,
//! 1983). So a series far from 0 loses nothing.

use super::{common, tail, total};
use crate::arch::{Backend, Kernel, LANES, Lanes};

/// Mean and squared differences from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// How many numbers.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// The sum of the squares of their differences from it.
    pub squares: f64,
}

/// Means, squared differences from them, and products of differences of two series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoMoments {
    /// Of the first series.
    pub x: Moments,
    /// Of the second one.
    pub y: Moments,
    /// The sum of the products of differences.
    pub products: f64,
}

impl Moments {
    /// Divided by `count - ddof`; `None` unless that is positive.
    #[must_use]
    pub fn variance(&self, ddof: usize) -> Option<f64> {
        divided(self.squares, self.count, ddof)
    }

    /// The root of [`Moments::variance`].
    #[must_use]
    pub fn deviation(&self, ddof: usize) -> Option<f64> {
        self.variance(ddof).map(f64::sqrt)
    }

    /// How many standard deviations a number is from the mean; `None` if all are the same.
    #[must_use]
    pub fn z_score(&self, x: f64, ddof: usize) -> Option<f64> {
        let deviation = self.deviation(ddof)?;
        (deviation != 0.0).then(|| (x - self.mean) / deviation)
    }
}

impl CoMoments {
    /// Divided by `count - ddof`; `None` unless that is positive.
    #[must_use]
    pub fn covariance(&self, ddof: usize) -> Option<f64> {
        divided(self.products, self.x.count, ddof)
    }

    /// Pearson's, between -1 and 1; `None` if one series is constant.
    #[must_use]
    pub fn correlation(&self) -> Option<f64> {
        let both = self.x.squares.sqrt() * self.y.squares.sqrt();
        (both != 0.0).then(|| (self.products / both).clamp(-1.0, 1.0))
    }

    /// Slope and intercept of the least squares line that gives `x` for `y`; `None` if `y` is
    /// constant.
    #[must_use]
    pub fn line_of_x(&self) -> Option<(f64, f64)> {
        line(self.products, &self.y, &self.x)
    }

    /// Slope and intercept of the least squares line that gives `y` for `x`; `None` if `x` is
    /// constant.
    #[must_use]
    pub fn line_of_y(&self) -> Option<(f64, f64)> {
        line(self.products, &self.x, &self.y)
    }
}

fn divided(sum: f64, count: usize, ddof: usize) -> Option<f64> {
    (count > ddof).then(|| sum / (count - ddof) as f64)
}

fn line(products: f64, from: &Moments, to: &Moments) -> Option<(f64, f64)> {
    (from.squares != 0.0).then(|| {
        let slope = products / from.squares;
        (slope, to.mean - slope * from.mean)
    })
}

impl Backend {
    /// Mean and variance; `None` of none.
    #[must_use]
    pub fn moments(self, xs: &[f64]) -> Option<Moments> {
        if xs.is_empty() {
            return None;
        }
        let mean = self.sum(xs) / xs.len() as f64;
        let CoMoments { x, .. } = self.run(Differences {
            xs,
            ys: xs,
            means: (mean, mean),
        });
        Some(x)
    }

    /// Covariance, correlation and regression of as many pairs as the shorter series has; `None` of
    /// none.
    #[must_use]
    pub fn co_moments(self, xs: &[f64], ys: &[f64]) -> Option<CoMoments> {
        let (xs, ys) = common(xs, ys);
        if xs.is_empty() {
            return None;
        }
        let count = xs.len() as f64;
        let means = (self.sum(xs) / count, self.sum(ys) / count);
        Some(self.run(Differences { xs, ys, means }))
    }
}

/// What rounding made negative is 0; what is no number stays none.
fn not_negative(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}

struct Differences<'a> {
    xs: &'a [f64],
    ys: &'a [f64],
    means: (f64, f64),
}

impl Kernel for Differences<'_> {
    type Output = CoMoments;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> CoMoments {
        let (mean_x, mean_y) = self.means;
        let (whole_x, rest_x) = self.xs.as_chunks::<LANES>();
        let (whole_y, rest_y) = self.ys.as_chunks::<LANES>();
        // Means in place of numbers that are not there differ from the means by nothing.
        let (rest_x, rest_y) = ([tail(rest_x, mean_x)], [tail(rest_y, mean_y)]);
        let (base_x, base_y) = (lanes.splat(mean_x), lanes.splat(mean_y));
        let mut sums = [lanes.splat(0.0); 5];
        let pairs = whole_x
            .iter()
            .zip(whole_y)
            .chain(rest_x.iter().zip(&rest_y));
        for (xs, ys) in pairs {
            let x = lanes.sub(lanes.load(xs), base_x);
            let y = lanes.sub(lanes.load(ys), base_y);
            let [sum_x, sum_y, xx, yy, xy] = sums;
            sums = [
                lanes.add(sum_x, x),
                lanes.add(sum_y, y),
                lanes.mul_add(x, x, xx),
                lanes.mul_add(y, y, yy),
                lanes.mul_add(x, y, xy),
            ];
        }
        let [sum_x, sum_y, xx, yy, xy] = sums.map(|sum| total(lanes, sum));
        let count = self.xs.len() as f64;
        let moments = |mean: f64, sum: f64, squares: f64| Moments {
            count: self.xs.len(),
            mean: mean + sum / count,
            squares: not_negative(squares - sum * sum / count),
        };
        CoMoments {
            x: moments(mean_x, sum_x, xx),
            y: moments(mean_y, sum_y, yy),
            products: xy - sum_x * sum_y / count,
        }
    }
}
