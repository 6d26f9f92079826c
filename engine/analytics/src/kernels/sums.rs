//! Sums and dot products.

use super::{common, tail, total};
use crate::arch::{Backend, Kernel, LANES, Lanes};

impl Backend {
    /// The sum of a series, 0 of none. Its error is at most that of adding a sixteenth of the
    /// numbers one by one; [`Backend::sum_compensated`] has next to none.
    #[must_use]
    pub fn sum(self, xs: &[f64]) -> f64 {
        self.run(Sum(xs))
    }

    /// The sum of a series as if computed with twice the precision and rounded at the end (two-sum,
    /// Knuth, The Art of Computer Programming 4.2.2).
    #[must_use]
    pub fn sum_compensated(self, xs: &[f64]) -> f64 {
        self.run(SumCompensated(xs))
    }

    /// The sum of products, of as many pairs as the shorter series has.
    #[must_use]
    pub fn dot(self, xs: &[f64], ys: &[f64]) -> f64 {
        let (xs, ys) = common(xs, ys);
        self.run(Dot(xs, ys))
    }
}

struct Sum<'a>(&'a [f64]);

impl Kernel for Sum<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f64 {
        let (whole, rest) = self.0.as_chunks::<LANES>();
        let mut sums = lanes.splat(0.0);
        for xs in whole {
            sums = lanes.add(sums, lanes.load(xs));
        }
        sums = lanes.add(sums, lanes.load(&tail(rest, 0.0)));
        total(lanes, sums)
    }
}

struct Dot<'a>(&'a [f64], &'a [f64]);

impl Kernel for Dot<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f64 {
        let (whole_x, rest_x) = self.0.as_chunks::<LANES>();
        let (whole_y, rest_y) = self.1.as_chunks::<LANES>();
        let mut sums = lanes.splat(0.0);
        for (xs, ys) in whole_x.iter().zip(whole_y) {
            sums = lanes.mul_add(lanes.load(xs), lanes.load(ys), sums);
        }
        let (xs, ys) = (tail(rest_x, 0.0), tail(rest_y, 0.0));
        sums = lanes.mul_add(lanes.load(&xs), lanes.load(&ys), sums);
        total(lanes, sums)
    }
}

struct SumCompensated<'a>(&'a [f64]);

impl Kernel for SumCompensated<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f64 {
        let (whole, rest) = self.0.as_chunks::<LANES>();
        let mut sums = lanes.splat(0.0);
        let mut errors = sums;
        let rest = [tail(rest, 0.0)];
        for xs in whole.iter().chain(&rest) {
            let x = lanes.load(xs);
            let next = lanes.add(sums, x);
            let added = lanes.sub(next, sums);
            let lost = lanes.sub(sums, lanes.sub(next, added));
            let cut = lanes.sub(x, added);
            errors = lanes.add(errors, lanes.add(lost, cut));
            sums = next;
        }
        let (mut all, mut lost) = ([0.0; LANES], [0.0; LANES]);
        lanes.store(sums, &mut all);
        lanes.store(errors, &mut lost);
        let mut sum = 0.0;
        let mut error = 0.0;
        for (x, lost) in all.into_iter().zip(lost) {
            let next = sum + x;
            let added = next - sum;
            error += (sum - (next - added)) + (x - added) + lost;
            sum = next;
        }
        // An infinite sum has an error that is no number.
        if sum.is_finite() { sum + error } else { sum }
    }
}
