//! Portfolios of few assets and narrow bounds, in which an answer mostly is a corner.

use quant::montecarlo::Philox;
use quant::portfolio::{Covariance, Equality, MeanVariance};

/// Programs that are tried.
const PROGRAMS: u64 = 6_000;

/// Numbers from 0 to 1, the same ones each time.
struct Numbers {
    bits: Philox,
    next: u32,
}

impl Numbers {
    fn next(&mut self) -> f64 {
        self.next += 1;
        let [bits, ..] = self.bits.block([self.next, 0, 0, 0]);
        f64::from(bits) / 2f64.powi(32)
    }

    fn several(&mut self, count: usize, least: f64, most: f64) -> Vec<f64> {
        let mut one = || least + (most - least) * self.next();
        (0..count).map(|_| one()).collect()
    }
}

/// A covariance of more days than assets.
fn covariance(numbers: &mut Numbers, count: usize) -> Vec<f64> {
    let days: Vec<Vec<f64>> = (0..count + 4)
        .map(|_| numbers.several(count, -0.03, 0.03))
        .collect();
    let of = |a: usize, b: usize| days.iter().map(|day| day[a] * day[b]).sum::<f64>();
    let pairs = (0..count * count).map(|at| of(at / count, at % count) / days.len() as f64);
    pairs.collect()
}

#[test]
fn whatever_the_bounds_an_answer_is_found_and_proved() {
    let mut numbers = Numbers {
        bits: Philox::new(42),
        next: 0,
    };
    for program in 0..PROGRAMS {
        let count = 1 + (numbers.next() * 6.0) as usize;
        let matrix = covariance(&mut numbers, count);
        let mean = numbers.several(count, -0.02, 0.02);
        // Weights that there are, and bounds around them; some of these are one, some far away.
        let mut inside = numbers.several(count, 0.01, 1.0);
        let whole: f64 = inside.iter().sum();
        inside.iter_mut().for_each(|weight| *weight /= whole);
        let width = [0.0, 0.05, 0.5, 2.0][(numbers.next() * 4.0) as usize];
        let bound = |numbers: &mut Numbers, side: f64| -> Vec<f64> {
            let away = numbers.several(count, 0.0, width);
            let pairs = inside.iter().zip(away);
            pairs.map(|(weight, away)| weight + side * away).collect()
        };
        let (lower, upper) = (bound(&mut numbers, -1.0), bound(&mut numbers, 1.0));
        let row = numbers.several(count, -1.0, 1.0);
        let value = row.iter().zip(&inside).map(|(a, b)| a * b).sum();
        let exposure = Equality {
            coefficients: &row,
            value,
        };
        let equalities = if count > 2 && width > 0.0 && program % 3 == 0 {
            std::slice::from_ref(&exposure)
        } else {
            &[]
        };
        let aversion = 10f64.powf(numbers.next() * 6.0 - 3.0);
        let covariance = Covariance::dense(&matrix, count).unwrap();
        let asked = MeanVariance {
            covariance: &covariance,
            mean: &mean,
            aversion,
            lower: &lower,
            upper: &upper,
            equalities,
        };
        let found = asked
            .solve(None)
            .unwrap_or_else(|fault| panic!("program {program}: {fault}: {asked:?}"));
        let proof = found.certificate;
        assert!(
            proof.equality <= 1e-10 && proof.bound <= 1e-12 && proof.gap <= 1e-10,
            "program {program}: {proof:?}"
        );
    }
}

#[test]
fn an_asset_at_its_bound_makes_room_for_the_next_best() {
    let days = [
        [0.01, 0.02, -0.01],
        [-0.02, 0.01, 0.03],
        [0.005, -0.01, 0.02],
        [0.02, 0.015, -0.005],
        [-0.01, 0.0, 0.01],
        [0.0, 0.01, -0.02],
    ];
    let mean: Vec<f64> = (0..3)
        .map(|at| days.iter().map(|day| day[at]).sum::<f64>() / 6.0)
        .collect();
    let of = |a: usize, b: usize| {
        let pairs = days.iter().map(|d| (d[a] - mean[a]) * (d[b] - mean[b]));
        pairs.sum::<f64>() / 5.0
    };
    let matrix: Vec<f64> = (0..9).map(|at| of(at / 3, at % 3)).collect();
    let covariance = Covariance::dense(&matrix, 3).unwrap();
    let found = MeanVariance {
        covariance: &covariance,
        mean: &mean,
        aversion: 4.0,
        lower: &[0.0; 3],
        upper: &[0.6; 3],
        equalities: &[],
    };
    let found = found.solve(None).unwrap();
    assert!(found.certificate.gap <= 1e-15, "{found:?}");
    let [_, second, third] = found.weights[..] else {
        panic!("three of three")
    };
    assert!(
        (second - 0.6).abs() < 1e-15 && (third - 0.4).abs() < 1e-15,
        "{found:?}"
    );
}
