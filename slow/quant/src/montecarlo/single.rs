//! Standard normal numbers in `f32`: six of a block of random bits, at a third of the time of those
//! in `f64`.
//!
//! Bits cost more than what is made of them, so none is left over: of the 128 of a block, each of
//! three pairs takes 26 for the distance from the centre and 16 for the direction. Numbers are up
//! to 6.1, and the moments around the circle below the 65,536th are exact.

use std::f32::consts::{LN_2, LOG2_E, PI};

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::philox::{Counter, Philox};

/// How many numbers a block gives.
pub(super) const BLOCK: usize = 6;

/// `-2 * (ln(1 + x) - x) / x^2`, from -1/4 to 1/2: to 3e-6, which is 4e-7 of a distance at most.
const LOG: [f32; 7] = [
    1.000_001_4,
    -0.666_638_8,
    0.499_685_05,
    -0.401_290_9,
    0.345_153_6,
    -0.286_074_77,
    0.141_207_86,
];

/// `sin(pi * x) / x` of the square of `x`, which is up to 1/2: to 2e-7.
const SINE: [f32; 5] = [PI, -5.167_710_3, 2.550_077_4, -0.598_290_4, 0.077_655_91];

/// `cos(pi * x)`, likewise: to 2e-7.
const COSINE: [f32; 5] = [
    0.999_999_94,
    -4.934_793,
    4.058_410_6,
    -1.331_872_9,
    0.219_682_43,
];

/// `e^x` up to `ln(2) / 2`: to 2e-8.
const EXP: [f32; 7] = [
    1.0,
    1.0,
    0.5,
    0.166_664_15,
    0.041_666_35,
    0.008_375_126,
    0.001_394_110_8,
];

/// The bits of 0.75, from which on mantissas are counted.
const MANTISSA_FROM: u32 = 0x3F40_0000;
const MANTISSA: u32 = (1 << 23) - 1;
/// One of 2^26 equal parts.
const PART: f32 = 1.0 / 67_108_864.0;
/// A word's bits below its distance: the lowest ones of its direction.
const LOWEST: u32 = (1 << 6) - 1;
/// The other bits of a direction but its side, and how far apart directions are on half a circle.
const DIRECTION: u32 = (1 << 15) - 1 - LOWEST;
const STEP: f32 = 1.0 / 32_768.0;
const SIGN: u32 = 1 << 31;
/// Powers of e are taken of numbers this far from 0 at most.
const POWER_MAX: f32 = 87.0;
/// Added to a number below 2^22 it leaves the nearest whole one in the last bits.
const SHIFTER: f32 = 12_582_912.0;
/// `ln(2)` as a number that few multiples round, and the rest.
const LN_2_PARTS: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// A sequence as of [`super::fill_normals`], in `f32` and of other bits: numbers are up to 6.1, and
/// within 1e-5 of what they are by definition, or 5e-4 where both of a pair are within 0.03 of 0.
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
        for part in to.chunks_mut(2 * BLOCK * LANES) {
            let next = Counter {
                first: counter.first + LANES as u64,
                ..counter
            };
            let mut made = [[0.0; LANES]; 2 * BLOCK];
            let words = philox.side_by_side(lanes, [counter, next]);
            for (to, words) in made.chunks_exact_mut(BLOCK).zip(words) {
                for (to, number) in to.iter_mut().zip(of_block(lanes, words)) {
                    lanes.store_f32(number, to);
                }
            }
            part.copy_from_slice(&made.as_flattened()[..part.len()]);
            counter.first += 2 * LANES as u64;
        }
    }
}

/// The six normal numbers of a block.
#[inline(always)]
pub(super) fn of_block<L: Lanes>(lanes: L, [x, y, z, rest]: [L::I; 4]) -> [L::S; BLOCK] {
    let [a, b] = pair(lanes, x, lanes.up::<6>(rest));
    let [c, d] = pair(lanes, y, lanes.down::<4>(rest));
    let [e, f] = pair(lanes, z, lanes.down::<14>(rest));
    [a, b, c, d, e, f]
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

/// Two normal numbers from a word and ten bits of `rest`, those from the sixth on: a distance and a
/// direction, as in `f64`.
#[inline(always)]
fn pair<L: Lanes>(lanes: L, word: L::I, rest: L::I) -> [L::S; 2] {
    let share = lanes.round_i32(lanes.down::<6>(word));
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

    let lowest = lanes.and(word, lanes.splat_u32(LOWEST));
    let direction = lanes.xor(lanes.and(rest, lanes.splat_u32(DIRECTION)), lowest);
    let first = lanes.splat_f32(STEP / 2.0 - 0.5);
    let turn = lanes.mul_add_f32(lanes.round_i32(direction), lanes.splat_f32(STEP), first);
    let around = lanes.mul_f32(turn, turn);
    let sine = lanes.mul_f32(polynomial(lanes, &SINE, around), turn);
    let cosine = lanes.bits(polynomial(lanes, &COSINE, around));
    let side = lanes.and(lanes.up::<16>(rest), lanes.splat_u32(SIGN));
    let cosine = lanes.of_bits(lanes.xor(cosine, side));
    [
        lanes.mul_f32(distance, cosine),
        lanes.mul_f32(distance, sine),
    ]
}

/// Powers of e, to 2e-7 of themselves; of numbers beyond 87 from 0, those of 87 or -87.
#[inline(always)]
pub(super) fn exp<L: Lanes>(lanes: L, x: L::S) -> L::S {
    let (zero, least) = (lanes.splat_f32(0.0), lanes.splat_f32(-POWER_MAX));
    let x = lanes.sub_f32(zero, lanes.max_f32(lanes.sub_f32(zero, x), least));
    let x = lanes.max_f32(x, least);
    let shifter = lanes.splat_f32(SHIFTER);
    let shifted = lanes.mul_add_f32(x, lanes.splat_f32(LOG2_E), shifter);
    let whole = lanes.sub_f32(shifted, shifter);
    let rest = lanes.mul_add_f32(whole, lanes.splat_f32(-LN_2_PARTS[0]), x);
    let rest = lanes.mul_add_f32(whole, lanes.splat_f32(-LN_2_PARTS[1]), rest);
    let power = lanes.up::<23>(lanes.bits(shifted));
    let bits = lanes.bits(polynomial(lanes, &EXP, rest));
    lanes.of_bits(lanes.add_u32(bits, power))
}
