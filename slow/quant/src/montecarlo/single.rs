//! Standard normal numbers in `f32`: the same bits make numbers near those in `f64`, at
//! a third of their time.

use std::f32::consts::{LN_2, PI};

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::normal::BLOCK;
use super::philox::{Counter, Philox};

/// `-2 * (ln(1 + x) - x) / x^2`, from -1/4 to 1/2: to 2e-8.
const LOG: [f32; 9] = [
    1.0,
    -0.666_667_94,
    0.500_003_1,
    -0.399_871_86,
    0.332_952_9,
    -0.288_769_13,
    0.262_457_55,
    -0.212_512_58,
    0.094_764_85,
];

/// `sin(pi * x) / x` of the square of `x`, which is up to 1/2: to 2e-8.
const SINE: [f32; 5] = [PI, -5.167_710_3, 2.550_077_4, -0.598_290_4, 0.077_655_91];

/// `cos(pi * x)`, likewise: to 5e-8.
const COSINE: [f32; 5] = [
    0.999_999_94,
    -4.934_793,
    4.058_410_6,
    -1.331_872_9,
    0.219_682_43,
];

/// The bits of 0.75, from which on mantissas are counted.
const MANTISSA_FROM: u32 = 0x3F40_0000;
const MANTISSA: u32 = (1 << 23) - 1;
/// One of 2^31 equal parts, and how far apart directions are.
const PART: f32 = 1.0 / 2_147_483_648.0;
const STEP: f32 = 1.0 / 8_388_608.0;
const SIGN: u32 = 1 << 31;

/// As [`super::fill_normals`], in `f32`: from the same bits, but 31 for a distance, so that numbers
/// are up to 6.6.
pub fn fill_normals_f32(backend: Backend, seed: u64, to: &mut [f32]) {
    backend.run(Fill(Philox::new(seed), to));
}

struct Fill<'a>(Philox, &'a mut [f32]);

impl Kernel for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(philox, to) = self;
        let mut counter = Counter {
            first: 0,
            block: 0,
            stream: 0,
        };
        let (whole, rest) = to.as_chunks_mut::<{ BLOCK * LANES }>();
        let mut last = [[0.0; BLOCK * LANES]];
        for part in whole.iter_mut().chain(&mut last) {
            let (part, _) = part.as_chunks_mut::<LANES>();
            for (to, number) in part.iter_mut().zip(normals(lanes, &philox, counter)) {
                lanes.store_f32(number, to);
            }
            counter.first += LANES as u64;
        }
        rest.copy_from_slice(&last[0][..rest.len()]);
    }
}

/// The four normal numbers of a block, for sixteen paths.
#[inline(always)]
pub(super) fn normals<L: Lanes>(lanes: L, philox: &Philox, counter: Counter) -> [L::S; BLOCK] {
    let [a, b, c, d] = philox.blocks(lanes, counter);
    let ([a, b], [c, d]) = (pair(lanes, a, b), pair(lanes, c, d));
    [a, b, c, d]
}

#[inline(always)]
fn polynomial<L: Lanes>(lanes: L, coefficients: &[f32], x: L::S) -> L::S {
    let (last, others) = coefficients.split_last().unwrap_or((&0.0, &[]));
    let mut sum = lanes.splat_f32(*last);
    for coefficient in others.iter().rev() {
        sum = lanes.mul_add_f32(sum, x, lanes.splat_f32(*coefficient));
    }
    sum
}

/// Two normal numbers from two words, as in `f64`.
#[inline(always)]
fn pair<L: Lanes>(lanes: L, high: L::I, low: L::I) -> [L::S; 2] {
    let share = lanes.round_i32(lanes.down::<1>(high));
    let share = lanes.mul_add_f32(share, lanes.splat_f32(PART), lanes.splat_f32(PART / 2.0));
    let above = lanes.sub_u32(lanes.bits(share), lanes.splat_u32(MANTISSA_FROM));
    let exponent = lanes.round_i32(lanes.down_signed::<23>(above));
    let mantissa = lanes.and(above, lanes.splat_u32(MANTISSA));
    let mantissa = lanes.of_bits(lanes.add_u32(mantissa, lanes.splat_u32(MANTISSA_FROM)));
    let x = lanes.sub_f32(mantissa, lanes.splat_f32(1.0));
    let straight = lanes.mul_f32(x, lanes.splat_f32(-2.0));
    let straight = lanes.mul_add_f32(exponent, lanes.splat_f32(-2.0 * LN_2), straight);
    let bent = polynomial(lanes, &LOG, x);
    let square = lanes.mul_add_f32(bent, lanes.mul_f32(x, x), straight);
    let distance = lanes.sqrt_f32(square);

    let direction = lanes.round_i32(lanes.and(low, lanes.splat_u32(MANTISSA)));
    let first = lanes.splat_f32(STEP / 2.0 - 0.5);
    let turn = lanes.mul_add_f32(direction, lanes.splat_f32(STEP), first);
    let around = lanes.mul_f32(turn, turn);
    let sine = lanes.mul_f32(polynomial(lanes, &SINE, around), turn);
    let cosine = lanes.bits(polynomial(lanes, &COSINE, around));
    let side = lanes.and(lanes.up::<8>(low), lanes.splat_u32(SIGN));
    let cosine = lanes.of_bits(lanes.xor(cosine, side));
    [
        lanes.mul_f32(distance, cosine),
        lanes.mul_f32(distance, sine),
    ]
}
