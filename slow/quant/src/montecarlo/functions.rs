//! Logarithms, powers and normal quantiles of sixteen numbers at a time, by polynomials alone, so
//! that all backends give the same bits.
//!
//! Polynomials interpolate at Chebyshev's points, which is within a few parts of the best; what is
//! given as their error is the greatest one found at 2,000 points with 60 digits.

use std::f64::consts::{LN_2, LOG2_E, PI};

use analytics::arch::{Lanes, SHIFTER};

/// What [`LN_2`] lacks.
const LN_2_REST: f64 = 2.319_046_813_846_299_6e-17;
/// Powers of e are taken of numbers this far from 0 at most.
const POWER_MAX: f64 = 700.0;

/// `(ln(1 + x) - x) / x^2`, from -1/4 to 1/2: to 6e-16.
const LOG: [f64; 18] = [
    -0.500_000_000_000_001_8,
    0.333_333_333_333_349_7,
    -0.249_999_999_997_786_74,
    0.199_999_999_989_325_55,
    -0.166_666_667_121_287_2,
    0.142_857_145_019_725_7,
    -0.124_999_966_478_715_57,
    0.111_110_924_797_092_5,
    -0.100_001_035_640_326_42,
    0.090_916_815_509_064_79,
    -0.083_324_106_574_349_97,
    0.076_766_579_188_562_29,
    -0.071_246_241_092_220_22,
    0.067_971_685_430_039_97,
    -0.066_645_635_071_604_31,
    0.059_265_314_109_847_75,
    -0.037_243_514_541_622_315,
    0.011_255_646_866_439_139,
];

/// `sin(pi * x) / x` of the square of `x`, which is up to 1/2: to 7e-19.
pub(super) const SINE: [f64; 9] = [
    PI,
    -5.167_712_780_049_969,
    2.550_164_039_877_300_7,
    -0.599_264_529_318_944_7,
    0.082_145_886_573_102_9,
    -0.007_370_430_505_916_944,
    0.000_466_299_816_189_839_4,
    -2.190_349_707_462_601_8e-5,
    7.697_826_768_224_191e-7,
];

/// `cos(pi * x)`, likewise: to 4e-18.
pub(super) const COSINE: [f64; 9] = [
    1.0,
    -4.934_802_200_544_677,
    4.058_712_126_416_497,
    -1.335_262_768_843_447,
    0.235_330_630_129_532_84,
    -0.025_806_888_737_002_202,
    0.001_929_556_272_481_713,
    -0.000_104_566_553_387_487_38,
    4.149_564_353_942_586e-6,
];

/// `e^x` up to `ln(2) / 2`: to 4e-18.
const EXP: [f64; 12] = [
    1.0,
    1.0,
    0.500_000_000_000_001_9,
    0.166_666_666_666_666_8,
    0.041_666_666_666_488_09,
    0.008_333_333_333_319_601,
    0.001_388_888_895_231_477_5,
    0.000_198_412_698_900_471_13,
    2.480_148_548_232_849e-5,
    2.755_724_091_857_897e-6,
    2.763_263_963_904_103e-7,
    2.511_003_760_596_377_7e-8,
];

/// Rational functions for normal quantiles: of numbers near 1/2, and of others (M. Wichura,
/// "Algorithm AS 241", Applied Statistics 37, 1988; his PPND16 without its furthest tail).
const MIDDLE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_6,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const TAIL: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

/// A polynomial, its lowest coefficient first.
#[inline(always)]
pub(super) fn polynomial<L: Lanes>(lanes: L, coefficients: &[f64], x: L::F) -> L::F {
    let (last, others) = coefficients.split_last().unwrap_or((&0.0, &[]));
    let mut sum = lanes.splat(*last);
    for coefficient in others.iter().rev() {
        sum = lanes.mul_add(sum, x, lanes.splat(*coefficient));
    }
    sum
}

/// Natural logarithms of normal numbers above 0.
#[inline(always)]
pub(super) fn ln<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let (mantissa, exponent) = lanes.parts(x);
    let above = lanes.sub(mantissa, lanes.splat(1.0));
    let square = lanes.mul(above, above);
    let curve = lanes.mul_add(polynomial(lanes, &LOG, above), square, above);
    lanes.mul_add(exponent, lanes.splat(LN_2), curve)
}

/// Powers of e; of numbers beyond 700 from 0, those of 700 or -700.
#[inline(always)]
pub(crate) fn exp<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let x = lanes.max(
        lanes.min(x, lanes.splat(POWER_MAX)),
        lanes.splat(-POWER_MAX),
    );
    let shifter = lanes.splat(SHIFTER);
    let shifted = lanes.mul_add(x, lanes.splat(LOG2_E), shifter);
    let whole = lanes.sub(shifted, shifter);
    let rest = lanes.mul_add(whole, lanes.splat(-LN_2), x);
    let rest = lanes.mul_add(whole, lanes.splat(-LN_2_REST), rest);
    lanes.scale(polynomial(lanes, &EXP, rest), shifted)
}

/// Numbers below which a standard normal one is with such probabilities, which are from 1e-10 to 1
/// less 1e-10.
#[inline(always)]
pub(super) fn quantile<L: Lanes>(lanes: L, probability: L::F) -> L::F {
    let (half, zero) = (lanes.splat(0.5), lanes.splat(0.0));
    let side = lanes.sub(probability, half);
    let away = lanes.max(side, lanes.sub(zero, side));
    let near = lanes.mul_add(lanes.sub(zero, side), side, lanes.splat(0.180_625));
    let (above, below) = ratio(lanes, &MIDDLE, near);
    let above = lanes.mul(above, away);
    let least = lanes.min(probability, lanes.sub(lanes.splat(1.0), probability));
    let depth = lanes.sqrt(lanes.sub(zero, ln(lanes, least)));
    let (far_above, far_below) = ratio(lanes, &TAIL, lanes.sub(depth, lanes.splat(1.6)));
    let edge = lanes.splat(0.425);
    let above = lanes.where_less(edge, away, far_above, above);
    let below = lanes.where_less(edge, away, far_below, below);
    let found = lanes.div(above, below);
    lanes.where_less(side, zero, lanes.sub(zero, found), found)
}

/// What is above and below the line of a rational function.
#[inline(always)]
fn ratio<L: Lanes>(lanes: L, parts: &[[f64; 8]; 2], x: L::F) -> (L::F, L::F) {
    (
        polynomial(lanes, &parts[0], x),
        polynomial(lanes, &parts[1], x),
    )
}

#[cfg(test)]
mod tests {
    use analytics::arch::{Backend, Kernel, LANES};

    use super::*;
    use crate::distribution::normal_quantile;

    struct All([f64; LANES]);

    impl Kernel for All {
        type Output = [[f64; LANES]; 3];

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> Self::Output {
            let x = lanes.load(&self.0);
            let found = [ln(lanes, x), exp(lanes, ln(lanes, x)), quantile(lanes, x)];
            let mut stored = [[0.0; LANES]; 3];
            for (to, found) in stored.iter_mut().zip(found) {
                lanes.store(found, to);
            }
            stored
        }
    }

    #[test]
    fn functions_are_those_of_the_library() {
        for tile in 0..4_000 {
            let number = |lane: usize| {
                let share = (tile * LANES + lane) as f64 / 64_000.0;
                match lane % 3 {
                    0 => 1e-10 * 1e10f64.powf(share),
                    1 => 1.0 - 1e-10 * 1e10f64.powf(share.max(1e-6)),
                    _ => share.clamp(1e-10, 1.0 - 1e-10),
                }
            };
            let numbers = std::array::from_fn(number);
            for backend in Backend::all() {
                let [logs, powers, quantiles] = backend.run(All(numbers));
                for (lane, x) in numbers.into_iter().enumerate() {
                    let near = |found: f64, wanted: f64, parts: f64| {
                        let off = (found - wanted).abs() / wanted.abs().max(1e-3);
                        assert!(off <= parts, "of {x}: {found} instead of {wanted}");
                    };
                    near(logs[lane], x.ln(), 2e-15);
                    near(powers[lane], logs[lane].exp(), 1e-15);
                    near(quantiles[lane], normal_quantile(x), 1e-13);
                }
            }
        }
    }
}
