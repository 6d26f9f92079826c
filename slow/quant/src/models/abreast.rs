//! Rows through the layers of a network: many of them side by side in registers, a lane for each;
//! few of them one by one, with outputs side by side. A row has the same bits either way: its sums
//! are added up in the same order.

use analytics::arch::{Kernel, LANES, Lanes};

use super::Link;
use super::layer::{Layer, Register};
use crate::montecarlo::functions::exp;

/// So many rows one by one take as long as sixteen at once.
pub(super) const ALONE: usize = 5;

/// Rows through all layers.
pub(super) struct Predict<'a> {
    pub layers: &'a [Layer],
    pub link: Link,
    /// One after the other.
    pub rows: &'a [f32],
    pub results: &'a mut [f64],
    /// For what goes from a layer to the next.
    pub room: (&'a mut [f32], &'a mut [f32]),
    /// The same of many rows, for numbers of a row, too; empty if there are not more than
    /// [`ALONE`].
    pub abreast: (&'a mut [Register], &'a mut [Register]),
}

impl Kernel for Predict<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let (Some(first), Some(last)) = (self.layers.first(), self.layers.last()) else {
            return;
        };
        let (features, outputs) = (first.inputs(), last.outputs());
        let (rows, results) = (self.rows, std::mem::take(&mut self.results));
        let results = results.chunks_mut(LANES * outputs);
        for (rows, results) in rows.chunks(LANES * features).zip(results) {
            if rows.len() > ALONE * features {
                self.many(lanes, rows, results);
                continue;
            }
            let results = results.chunks_exact_mut(outputs);
            for (row, results) in rows.chunks_exact(features).zip(results) {
                self.one(lanes, row, results);
            }
        }
    }
}

impl Predict<'_> {
    #[inline(always)]
    fn one<L: Lanes>(&mut self, lanes: L, row: &[f32], results: &mut [f64]) {
        let (mut here, mut next) = (&mut *self.room.0, &mut *self.room.1);
        for (at, layer) in self.layers.iter().enumerate() {
            (here, next) = (next, here);
            layer.apply(lanes, if at == 0 { row } else { here }, next);
        }
        let few = next.first_chunk().filter(|_| results.len() <= LANES);
        if let (Link::Softmax, Some(sums)) = (self.link, few) {
            softmax(lanes, sums, results);
            return;
        }
        for (result, sum) in results.iter_mut().zip(next.iter()) {
            *result = f64::from(*sum);
        }
        self.link.apply(results);
    }

    /// Up to sixteen rows.
    #[inline(always)]
    fn many<L: Lanes>(&mut self, lanes: L, rows: &[f32], results: &mut [f64]) {
        let (mut here, mut next) = (&mut *self.abreast.0, &mut *self.abreast.1);
        let features = self.layers.first().map_or(1, Layer::inputs);
        for (lane, row) in rows.chunks_exact(features).enumerate() {
            for (to, x) in next.iter_mut().zip(row) {
                to.0[lane] = *x;
            }
        }
        for layer in self.layers {
            (here, next) = (next, here);
            layer.apply_abreast(lanes, here, next);
        }
        let outputs = self.layers.last().map_or(1, Layer::outputs);
        let sums = &next[..outputs];
        if self.link == Link::Softmax && outputs <= LANES {
            return softmax_abreast(lanes, sums, results);
        }
        for (lane, results) in results.chunks_exact_mut(outputs).enumerate() {
            for (result, sum) in results.iter_mut().zip(sums) {
                *result = f64::from(sum.0[lane]);
            }
            self.link.apply(results);
        }
    }
}

/// [`Link::Softmax`] of up to sixteen sums, the first of a register.
#[inline(always)]
fn softmax<L: Lanes>(lanes: L, sums: &[f32; LANES], results: &mut [f64]) {
    let own = &sums[..results.len()];
    let most = own.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let below = lanes.sub(
        lanes.widen(lanes.load_f32(sums)),
        lanes.splat(f64::from(most)),
    );
    let mut powers = [0.0; LANES];
    lanes.store(lanes.nan(exp(lanes, below), below), &mut powers);
    let whole: f64 = powers[..results.len()].iter().sum();
    for (result, power) in results.iter_mut().zip(powers) {
        *result = power / whole;
    }
}

/// The same of sixteen rows.
#[inline(always)]
fn softmax_abreast<L: Lanes>(lanes: L, sums: &[Register], results: &mut [f64]) {
    let mut most = lanes.splat_f32(f32::NEG_INFINITY);
    for sum in sums {
        most = lanes.max_f32(lanes.load_f32(&sum.0), most);
    }
    let (most, mut whole) = (lanes.widen(most), lanes.splat(0.0));
    let mut powers = [[0.0; LANES]; LANES];
    for (power, sum) in powers.iter_mut().zip(sums) {
        let below = lanes.sub(lanes.widen(lanes.load_f32(&sum.0)), most);
        let x = lanes.nan(exp(lanes, below), below);
        whole = lanes.add(whole, x);
        lanes.store(x, power);
    }
    for power in &mut powers[..sums.len()] {
        let share = lanes.div(lanes.load(power), whole);
        lanes.store(share, power);
    }
    for (lane, results) in results.chunks_exact_mut(sums.len()).enumerate() {
        for (result, share) in results.iter_mut().zip(&powers) {
            *result = share[lane];
        }
    }
}
