//! Equations solved by a factor: from the first row to the last one, and back.

use analytics::arch::{Kernel, LANES, Lanes};
use analytics::kernels::total;

use super::{Cholesky, Column, PANEL};

/// Solves for a right side that is filled up with zeros to whole tiles.
pub(super) struct Solve<'a>(pub &'a Cholesky, pub &'a mut [f64]);

impl Kernel for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(factor, x) = self;
        let (x, _) = x.as_chunks_mut::<LANES>();
        for at in 0..x.len() {
            let (done, rest) = x.split_at_mut(at);
            let (before, own) = factor.tile(at).split_at(at * LANES);
            let mut sums = [lanes.splat(0.0); 2];
            for (pair, y) in before
                .as_chunks::<2>()
                .0
                .iter()
                .zip(done.as_flattened().as_chunks::<2>().0)
            {
                for ((sum, column), y) in sums.iter_mut().zip(pair).zip(y) {
                    *sum = lanes.mul_add(lanes.load(column), lanes.splat(*y), *sum);
                }
            }
            let left = lanes.sub(lanes.load(&rest[0]), lanes.add(sums[0], sums[1]));
            forward(
                lanes,
                left,
                &mut rest[0],
                own,
                &factor.inverses[at * LANES..],
            );
        }
        for at in (0..x.len()).rev() {
            let (own, below) = x[at..].split_at_mut(1);
            for columns in (0..LANES).step_by(PANEL) {
                let first = at * LANES + columns;
                let mut sums = [lanes.splat(0.0); PANEL];
                for (tile, found) in (at + 1..).zip(&*below) {
                    let found = lanes.load(found);
                    for (sum, column) in sums.iter_mut().zip(&factor.tile(tile)[first..]) {
                        *sum = lanes.mul_add(lanes.load(column), found, *sum);
                    }
                }
                for (x, sum) in own[0][columns..].iter_mut().zip(sums) {
                    *x -= total(lanes, sum);
                }
            }
            let triangle = &factor.tile(at)[at * LANES..];
            backward(lanes, &mut own[0], triangle, &factor.inverses[at * LANES..]);
        }
    }
}

/// Solves with the triangle on the diagonal.
#[inline(always)]
fn forward<L: Lanes>(
    lanes: L,
    mut left: L::F,
    x: &mut [f64; LANES],
    triangle: &[Column],
    inverses: &[f64],
) {
    let mut found = [0.0; LANES];
    for (at, (column, inverse)) in triangle.iter().zip(inverses).take(LANES).enumerate() {
        lanes.store(left, x);
        found[at] = x[at] * inverse;
        left = lanes.mul_add(lanes.load(column), lanes.splat(-found[at]), left);
    }
    *x = found;
}

/// Solves with that triangle the other way round.
#[inline(always)]
fn backward<L: Lanes>(lanes: L, x: &mut [f64; LANES], triangle: &[Column], inverses: &[f64]) {
    let mut found = lanes.splat(0.0);
    let mut all = [0.0; LANES];
    for at in (0..LANES).rev() {
        let known = total(lanes, lanes.mul(lanes.load(&triangle[at]), found));
        all[at] = (x[at] - known) * inverses[at];
        found = lanes.load(&all);
    }
    *x = all;
}
