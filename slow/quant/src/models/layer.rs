//! One layer of a network: each output the sum of all inputs, weighted.

use analytics::arch::{LANES, Lanes};

use super::Unread;
use super::dense::Activation;

/// Outputs of sixteen rows at a time: as many sums as registers hold, of which there are 32 of 512
/// bits, 16 of 256.
const OUTPUTS_WIDE: usize = 16;
const OUTPUTS: usize = 4;

const _: () = assert!(LANES.is_multiple_of(OUTPUTS_WIDE) && OUTPUTS_WIDE.is_multiple_of(OUTPUTS));

/// Sixteen numbers in one line of the cache: weights, or what sixteen rows have in one place.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Register(pub [f32; LANES]);

impl Register {
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// The weights of a layer.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// For each input those of all outputs, filled up with zeros to whole registers.
    weights: Vec<Register>,
    intercepts: Vec<Register>,
    activation: Activation,
    /// The same as they were told.
    exact: Vec<f64>,
    exact_intercepts: Vec<f64>,
    inputs: usize,
}

impl Layer {
    /// `coefs` has a row for each input.
    pub fn new(
        coefs: &[Vec<f64>],
        intercepts: &[f64],
        inputs: usize,
        activation: Activation,
    ) -> Result<Self, Unread> {
        let outputs = intercepts.len();
        let is_bad = |row: &Vec<f64>| row.len() != outputs;
        if coefs.len() != inputs || inputs == 0 || outputs == 0 || coefs.iter().any(is_bad) {
            let what = format!("weights are not {inputs} rows of {outputs}, both above 0");
            return Err(Unread::new(what));
        }
        let exact = coefs.concat();
        let mut all = exact.iter().chain(intercepts);
        if all.any(|x| !(*x as f32).is_finite()) {
            return Err(Unread::new("a weight is no number of 32 bits"));
        }
        let weights = coefs.iter().flat_map(|row| registers(row)).collect();
        Ok(Self {
            weights,
            intercepts: registers(intercepts).collect(),
            activation,
            exact,
            exact_intercepts: intercepts.to_vec(),
            inputs,
        })
    }

    pub fn inputs(&self) -> usize {
        self.inputs
    }

    pub fn outputs(&self) -> usize {
        self.exact_intercepts.len()
    }

    /// Outputs in whole registers.
    pub fn width(&self) -> usize {
        self.intercepts.len() * LANES
    }

    /// `to` has room for the width.
    #[inline(always)]
    pub fn apply<L: Lanes>(&self, lanes: L, from: &[f32], to: &mut [f32]) {
        let to = &mut to.as_chunks_mut::<LANES>().0[..self.intercepts.len()];
        self.sums(lanes, &from[..self.inputs], to);
        self.activate(to.as_flattened_mut());
    }

    /// The same of sixteen rows side by side, with the same bits; `to` has room for the width.
    #[inline(always)]
    pub fn apply_abreast<L: Lanes>(&self, lanes: L, from: &[Register], to: &mut [Register]) {
        let from = &from[..self.inputs];
        let outputs = self.outputs().next_multiple_of(OUTPUTS);
        let to = &mut to[..outputs];
        // Those that a row alone sums in two chains; others are in four.
        let in_two = (self.intercepts.len() / 4 * 4 * LANES).min(outputs);
        let (two, four) = to.split_at_mut(in_two);
        columns::<L, 2>(lanes, self, from, 0, two);
        columns::<L, 4>(lanes, self, from, in_two, four);
        for register in to {
            self.activate(&mut register.0);
        }
    }

    /// What is not done with registers.
    #[inline(always)]
    fn activate(&self, sums: &mut [f32]) {
        let each = sums.iter_mut();
        match self.activation {
            Activation::Identity | Activation::Relu => {}
            Activation::Tanh => each.for_each(|x| *x = x.tanh()),
            Activation::Logistic => each.for_each(|x| *x = 1.0 / (1.0 + (-*x).exp())),
        }
    }

    /// All sums of the layer.
    #[inline(always)]
    fn sums<L: Lanes>(&self, lanes: L, from: &[f32], to: &mut [[f32; LANES]]) {
        let (fours, rest) = to.as_chunks_mut::<4>();
        for (at, four) in fours.iter_mut().enumerate() {
            group::<L, 4, 2, 2>(lanes, self, from, 4 * at, four);
        }
        let first = 4 * fours.len();
        let (twos, rest) = rest.as_chunks_mut::<2>();
        for two in twos.iter_mut() {
            group::<L, 2, 1, 4>(lanes, self, from, first, two);
        }
        let first = first + 2 * twos.len();
        for one in rest {
            tile::<L, 1, 4>(lanes, self, from, first, std::slice::from_mut(one));
        }
    }

    /// All in `f64`, one after the other.
    pub fn apply_exactly(&self, from: &[f64]) -> Vec<f64> {
        let mut sums = self.exact_intercepts.clone();
        for (x, weights) in from.iter().zip(self.exact.chunks_exact(sums.len())) {
            let pairs = sums.iter_mut().zip(weights);
            pairs.for_each(|(sum, weight)| *sum += x * weight);
        }
        let activated = |x: &f64| match self.activation {
            Activation::Identity => *x,
            Activation::Relu => 0f64.max(*x),
            Activation::Tanh => x.tanh(),
            Activation::Logistic => 1.0 / (1.0 + (-*x).exp()),
        };
        sums.iter().map(activated).collect()
    }
}

fn registers(row: &[f64]) -> impl Iterator<Item = Register> {
    row.chunks(LANES).map(|part| {
        let mut weights = Register::ZERO;
        for (weight, x) in weights.0.iter_mut().zip(part) {
            *weight = *x as f32;
        }
        weights
    })
}

/// Some registers of outputs, at once if there are 32 registers of 512 bits, else half of them at a
/// time: as many sums side by side as there is room for, so that none waits for the one before it.
#[inline(always)]
fn group<L: Lanes, const WIDE: usize, const NARROW: usize, const CHAINS: usize>(
    lanes: L,
    layer: &Layer,
    from: &[f32],
    first: usize,
    to: &mut [[f32; LANES]; WIDE],
) {
    // What stands in wide registers is aligned as these are.
    if align_of::<L::S>() >= 64 {
        return tile::<L, WIDE, CHAINS>(lanes, layer, from, first, to);
    }
    for (at, to) in to.chunks_exact_mut(NARROW).enumerate() {
        tile::<L, NARROW, CHAINS>(lanes, layer, from, first + at * NARROW, to);
    }
}

/// Some registers of outputs, each summed in so many chains.
#[inline(always)]
fn tile<L: Lanes, const WIDTH: usize, const CHAINS: usize>(
    lanes: L,
    layer: &Layer,
    from: &[f32],
    first: usize,
    to: &mut [[f32; LANES]],
) {
    let stride = layer.intercepts.len();
    let zero = lanes.splat_f32(0.0);
    let mut sums = [[zero; WIDTH]; CHAINS];
    for (at, sum) in sums[0].iter_mut().enumerate() {
        *sum = lanes.load_f32(&layer.intercepts[first + at].0);
    }
    let (groups, rest) = from.as_chunks::<CHAINS>();
    let mut rows = layer.weights.chunks_exact(stride);
    for group in groups {
        for (chain, (x, weights)) in group.iter().zip(&mut rows).enumerate() {
            add(lanes, &mut sums[chain], *x, &weights[first..first + WIDTH]);
        }
    }
    for (x, weights) in rest.iter().zip(&mut rows) {
        add(lanes, &mut sums[0], *x, &weights[first..first + WIDTH]);
    }
    let is_relu = layer.activation == Activation::Relu;
    for (at, to) in to[..WIDTH].iter_mut().enumerate() {
        let mut sum = sums[0][at];
        for chain in &sums[1..] {
            sum = lanes.add_f32(sum, chain[at]);
        }
        if is_relu {
            // The second of both where either is no number.
            sum = lanes.max_f32(zero, sum);
        }
        lanes.store_f32(sum, to);
    }
}

/// Adds an input to sums, by its weights in them.
#[inline(always)]
fn add<L: Lanes, const WIDTH: usize>(
    lanes: L,
    sums: &mut [L::S; WIDTH],
    x: f32,
    weights: &[Register],
) {
    let x = lanes.splat_f32(x);
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum = lanes.mul_add_f32(lanes.load_f32(&weight.0), x, *sum);
    }
}

/// Outputs of sixteen rows from `first` on, each summed in so many chains.
#[inline(always)]
fn columns<L: Lanes, const CHAINS: usize>(
    lanes: L,
    layer: &Layer,
    from: &[Register],
    first: usize,
    to: &mut [Register],
) {
    // What stands in wide registers is aligned as these are.
    let wide = if align_of::<L::S>() >= 64 {
        to.len() / OUTPUTS_WIDE * OUTPUTS_WIDE
    } else {
        0
    };
    let (many, few) = to.split_at_mut(wide);
    for (at, to) in many.chunks_exact_mut(OUTPUTS_WIDE).enumerate() {
        let first = first + at * OUTPUTS_WIDE;
        column::<L, OUTPUTS_WIDE, CHAINS>(lanes, layer, from, first, to);
    }
    for (at, to) in few.chunks_exact_mut(OUTPUTS).enumerate() {
        let first = first + wide + at * OUTPUTS;
        column::<L, OUTPUTS, CHAINS>(lanes, layer, from, first, to);
    }
}

/// Some outputs of sixteen rows, within one register of a row alone. Its chains come one after the
/// other, so that all registers are sums that do not wait for each other.
#[inline(always)]
fn column<L: Lanes, const COUNT: usize, const CHAINS: usize>(
    lanes: L,
    layer: &Layer,
    from: &[Register],
    first: usize,
    to: &mut [Register],
) {
    let stride = layer.intercepts.len();
    let (register, lane) = (first / LANES, first % LANES);
    let (groups, rest) = from.as_chunks::<CHAINS>();
    let (own, own_rest) = layer.weights.split_at(groups.len() * CHAINS * stride);
    for chain in 0..CHAINS {
        let mut sums = [lanes.splat_f32(0.0); COUNT];
        if chain == 0 {
            let intercepts = &layer.intercepts[register].0[lane..lane + COUNT];
            for (sum, intercept) in sums.iter_mut().zip(intercepts) {
                *sum = lanes.splat_f32(*intercept);
            }
        }
        for (group, weights) in groups.iter().zip(own.chunks_exact(CHAINS * stride)) {
            let weights = &weights[chain * stride + register].0[lane..lane + COUNT];
            add_abreast(lanes, &mut sums, &group[chain], weights);
        }
        if chain == 0 {
            for (x, weights) in rest.iter().zip(own_rest.chunks_exact(stride)) {
                let weights = &weights[register].0[lane..lane + COUNT];
                add_abreast(lanes, &mut sums, x, weights);
            }
        }
        let is_last_relu = chain + 1 == CHAINS && layer.activation == Activation::Relu;
        for (to, sum) in to.iter_mut().zip(sums) {
            let mut sum = sum;
            if chain > 0 {
                sum = lanes.add_f32(lanes.load_f32(&to.0), sum);
            }
            if is_last_relu {
                sum = lanes.max_f32(lanes.splat_f32(0.0), sum);
            }
            lanes.store_f32(sum, &mut to.0);
        }
    }
}

/// Adds an input of sixteen rows to sums, by its weights in them.
#[inline(always)]
fn add_abreast<L: Lanes, const COUNT: usize>(
    lanes: L,
    sums: &mut [L::S; COUNT],
    x: &Register,
    weights: &[f32],
) {
    let x = lanes.load_f32(&x.0);
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum = lanes.mul_add_f32(lanes.splat_f32(*weight), x, *sum);
    }
}
