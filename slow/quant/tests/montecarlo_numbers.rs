//! Random bits and normal numbers: known answers, the same bits everywhere, the right distribution.

#![allow(clippy::unwrap_used)]

use analytics::arch::Backend;
use proptest::prelude::*;
use quant::distribution::normal_below;
use quant::montecarlo::{Philox, fill_normals, fill_normals_f32};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors/mc/");
    let text = std::fs::read_to_string(format!("{path}{name}"))
        .unwrap_or_else(|error| panic!("{path}{name}: {error}: lay shared/vectors beside it"));
    serde_json::from_str(&text).unwrap()
}

fn words<const N: usize>(of: &Value) -> [u32; N] {
    std::array::from_fn(|at| of[at].as_u64().unwrap() as u32)
}

#[test]
fn philox_gives_the_known_answers() {
    let known = vectors("rng_kat.json");
    let cases = known["philox4x32_10"].as_array().unwrap();
    assert!(cases.len() >= 10);
    for case in cases {
        let [low, high] = words(&case["key"]);
        let philox = Philox::new(u64::from(high) << 32 | u64::from(low));
        assert_eq!(philox.block(words(&case["ctr"])), words::<4>(&case["out"]));
    }
}

/// What the numbers are by their definition, with the library's functions.
fn by_definition(seed: u64, count: usize) -> Vec<f64> {
    let philox = Philox::new(seed);
    let mut numbers = vec![0.0; count.next_multiple_of(64)];
    for (tile, part) in numbers.chunks_mut(64).enumerate() {
        for lane in 0..16 {
            let words = philox.block([(tile * 16 + lane) as u32, 0, 0, 0]);
            for at in [0, 2] {
                let (high, low) = (f64::from(words[at]), words[at + 1]);
                let share = (high + (f64::from(low >> 24) + 0.5) / 256.0) / 2f64.powi(32);
                let distance = (-2.0 * share.ln()).sqrt();
                let turn = (f64::from(low & 0x7F_FFFF) + 0.5) / 2f64.powi(23) - 0.5;
                let side = if low >> 23 & 1 == 1 { -1.0 } else { 1.0 };
                let angle = std::f64::consts::PI * turn;
                part[at * 16 + lane] = distance * angle.cos() * side;
                part[(at + 1) * 16 + lane] = distance * angle.sin();
            }
        }
    }
    numbers.truncate(count);
    numbers
}

/// The same in `f32`: three pairs of a block. All numbers of the last block, too.
fn by_definition_f32(seed: u64, count: usize) -> Vec<f64> {
    let philox = Philox::new(seed);
    let mut numbers = vec![0.0; count.next_multiple_of(96)];
    for (tile, part) in numbers.chunks_mut(96).enumerate() {
        for lane in 0..16 {
            let [words @ .., rest] = philox.block([(tile * 16 + lane) as u32, 0, 0, 0]);
            for (at, word) in words.into_iter().enumerate() {
                let share = (f64::from(word >> 6) + 0.5) / 2f64.powi(26);
                let distance = (-2.0 * share.ln()).sqrt();
                let above = rest >> (10 * at) & 1023;
                let direction = (above & 511) << 6 | word & 63;
                let turn = (f64::from(direction) + 0.5) / 2f64.powi(15) - 0.5;
                let side = if above >> 9 == 1 { -1.0 } else { 1.0 };
                let angle = std::f64::consts::PI * turn;
                part[2 * at * 16 + lane] = distance * angle.cos() * side;
                part[(2 * at + 1) * 16 + lane] = distance * angle.sin();
            }
        }
    }
    numbers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn all_backends_give_the_numbers_of_the_definition(seed: u64, count in 0usize..700) {
        let mut first: Option<(Vec<u64>, Vec<u32>)> = None;
        let defined = by_definition(seed, count);
        let defined_f32 = by_definition_f32(seed, count);
        for backend in Backend::all() {
            let (mut double, mut single) = (vec![0.0; count], vec![0.0; count]);
            fill_normals(backend, seed, &mut double);
            fill_normals_f32(backend, seed, &mut single);
            for (double, defined) in double.iter().zip(&defined) {
                prop_assert!((double - defined).abs() <= 2e-15 * (1.0 + defined.abs()));
            }
            for (at, single) in single.iter().enumerate() {
                let defined = defined_f32[at];
                // Of a pair, whose numbers are sixteen places apart. What `f32` rounds of a share
                // near 1 is much of a distance near 0.
                let distance = defined.hypot(defined_f32[at ^ 16]);
                let most = 1e-5 + (2.5e-7 / distance).min(5e-4);
                let off = (f64::from(*single) - defined).abs();
                prop_assert!(off <= most, "{} instead of {}", single, defined);
            }
            let bits: (Vec<u64>, Vec<u32>) = (
                double.into_iter().map(f64::to_bits).collect(),
                single.into_iter().map(f32::to_bits).collect(),
            );
            prop_assert_eq!(first.get_or_insert_with(|| bits.clone()), &bits);
        }
    }
}

/// By how many standard errors moments and shares of bins are off.
fn worst_deviation(numbers: &[f64]) -> f64 {
    let count = numbers.len() as f64;
    // What the even moments are, and the variances of all.
    let moments = [
        (0.0, 1.0),
        (1.0, 2.0),
        (0.0, 15.0),
        (3.0, 96.0),
        (0.0, 945.0),
        (15.0, 10_170.0),
    ];
    let mut worst: f64 = 0.0;
    for (power, (expected, variance)) in (1..).zip(moments) {
        let found = numbers.iter().map(|x| x.powi(power)).sum::<f64>() / count;
        worst = worst.max((found - expected).abs() / (variance / count).sqrt());
    }
    for edge in (-8..=8).map(|half| f64::from(half) / 2.0) {
        let share = normal_below(edge);
        let found = numbers.iter().filter(|x| **x < edge).count() as f64 / count;
        worst = worst.max((found - share).abs() / (share * (1.0 - share) / count).sqrt());
    }
    let neighbours = numbers
        .windows(2)
        .map(|pair| pair[0] * pair[1])
        .sum::<f64>()
        / count;
    worst.max(neighbours.abs() * count.sqrt())
}

#[test]
fn numbers_are_normal() {
    for seed in 0..3 {
        let (mut double, mut single) = (vec![0.0; 1 << 21], vec![0.0; 1 << 21]);
        fill_normals(Backend::best(), seed, &mut double);
        fill_normals_f32(Backend::best(), seed, &mut single);
        let single: Vec<f64> = single.into_iter().map(f64::from).collect();
        for numbers in [double, single] {
            let worst = worst_deviation(&numbers);
            assert!(worst < 4.5, "{worst} standard errors off");
        }
    }
}
