//! Portfolios within sectors, exposures, turnover and costs.

#![allow(clippy::unwrap_used)]

use quant::portfolio::{
    Constrained, ConstrainedSolution, Constraint, Covariance, Equality, MeanVariance, Method,
    Trading, Unsolved,
};

/// A program that is changed by a test.
struct Desk {
    matrix: Vec<f64>,
    mean: Vec<f64>,
    aversion: f64,
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// Names, coefficients, lower and upper limits.
    rows: Vec<(String, Vec<f64>, f64, f64)>,
    /// Held, turnover, cost.
    trading: Option<(Vec<f64>, f64, f64)>,
}

impl Desk {
    /// Assets that have nothing in common, long only.
    fn plain(count: usize) -> Self {
        let matrix = (0..count * count).map(|at| f64::from(at % (count + 1) == 0));
        Self {
            matrix: matrix.collect(),
            mean: vec![0.0; count],
            aversion: 1.0,
            lower: vec![0.0; count],
            upper: vec![1.0; count],
            rows: Vec::new(),
            trading: None,
        }
    }

    fn row(mut self, name: &str, coefficients: &[f64], lower: f64, upper: f64) -> Self {
        self.rows
            .push((name.into(), coefficients.to_vec(), lower, upper));
        self
    }

    fn trading(mut self, held: &[f64], turnover: f64, cost: f64) -> Self {
        self.trading = Some((held.to_vec(), turnover, cost));
        self
    }

    fn solve(&self) -> Result<ConstrainedSolution, Unsolved> {
        let covariance = Covariance::dense(&self.matrix, self.mean.len()).unwrap();
        let rows = self
            .rows
            .iter()
            .map(|(name, coefficients, lower, upper)| Constraint {
                name,
                coefficients,
                lower: *lower,
                upper: *upper,
            });
        let trading = self.trading.as_ref();
        Constrained {
            covariance: &covariance,
            mean: &self.mean,
            aversion: self.aversion,
            lower: &self.lower,
            upper: &self.upper,
            constraints: &rows.collect::<Vec<_>>(),
            trading: trading.map(|(held, turnover, cost)| Trading {
                held,
                turnover: *turnover,
                cost: *cost,
            }),
        }
        .solve()
    }

    /// By the solver that knows equalities only.
    fn plainly(&self, equalities: &[Equality<'_>]) -> Vec<f64> {
        let program = MeanVariance {
            covariance: &Covariance::dense(&self.matrix, self.mean.len()).unwrap(),
            mean: &self.mean,
            aversion: self.aversion,
            lower: &self.lower,
            upper: &self.upper,
            equalities,
        };
        program.solve(None).unwrap().weights
    }

    fn objective(&self, weights: &[f64]) -> f64 {
        let count = weights.len();
        let mut value = 0.0;
        for (at, weight) in weights.iter().enumerate() {
            let row = &self.matrix[at * count..][..count];
            value += 0.5 * self.aversion * weight * dot(row, weights) - self.mean[at] * weight;
        }
        let cost = self
            .trading
            .as_ref()
            .map_or(0.0, |(held, _, cost)| cost * distance(weights, held));
        value + cost
    }

    /// By how much weights miss any limit.
    fn miss(&self, weights: &[f64]) -> f64 {
        let mut worst = (weights.iter().sum::<f64>() - 1.0).abs();
        for (_, coefficients, lower, upper) in &self.rows {
            let value = dot(coefficients, weights);
            worst = worst.max(lower - value).max(value - upper);
        }
        for ((weight, lower), upper) in weights.iter().zip(&self.lower).zip(&self.upper) {
            worst = worst.max(lower - weight).max(weight - upper);
        }
        let trading = self.trading.as_ref();
        trading.map_or(worst, |(held, turnover, _)| {
            worst.max(distance(weights, held) - turnover)
        })
    }

    fn refused(&self) -> String {
        self.solve().unwrap_err().to_string()
    }
}

fn dot(xs: &[f64], ys: &[f64]) -> f64 {
    xs.iter().zip(ys).map(|(x, y)| x * y).sum()
}

fn distance(xs: &[f64], ys: &[f64]) -> f64 {
    xs.iter().zip(ys).map(|(x, y)| (x - y).abs()).sum()
}

fn near(found: &[f64], wanted: &[f64], by: f64) {
    let pairs = found.iter().zip(wanted);
    assert_eq!(found.len(), wanted.len());
    assert!(
        pairs.into_iter().all(|(x, y)| (x - y).abs() <= by),
        "{found:?}, not {wanted:?}"
    );
}

const NONE: f64 = f64::INFINITY;

#[test]
fn what_is_known_by_hand_is_found() {
    // Half in the first asset, the rest evenly; one more there costs what it has above others.
    let found = Desk::plain(3)
        .row("first", &[1.0, 0.0, 0.0], 0.5, NONE)
        .solve()
        .unwrap();
    near(&found.weights, &[0.5, 0.25, 0.25], 1e-12);
    near(&found.multipliers, &[0.25, 0.25], 1e-12);
    assert_eq!(found.method, Method::ActiveSet);
    let sector = Desk::plain(4).row("sector", &[1.0, 1.0, 0.0, 0.0], -NONE, 0.3);
    let found = sector.solve().unwrap();
    near(&found.weights, &[0.15, 0.15, 0.35, 0.35], 1e-12);
    near(&found.multipliers, &[0.35, -0.2], 1e-12);
    let exposed = Desk::plain(2)
        .row("exposure", &[2.0, -1.0], 0.8, 0.8)
        .solve()
        .unwrap();
    near(&exposed.weights, &[0.6, 0.4], 1e-12);
}

#[test]
fn turnover_and_costs_hold_what_is_held() {
    let desk = || Desk::plain(2);
    let held = [0.9, 0.1];
    let found = desk().trading(&held, 0.2, 0.0).solve().unwrap();
    near(&found.weights, &[0.8, 0.2], 1e-10);
    near(
        &[found.turnover, found.turnover_multiplier],
        &[0.2, 0.3],
        1e-9,
    );
    // Moving on costs a tenth on both sides: it ends where the gradients differ by that.
    let found = desk().trading(&held, NONE, 0.1).solve().unwrap();
    near(&found.weights, &[0.6, 0.4], 1e-10);
    let found = desk().trading(&held, NONE, 0.5).solve().unwrap();
    near(&found.weights, &held, 1e-10);
    // Both: the limit is reached first, and is worth what costs leave of the difference.
    let found = desk().trading(&held, 0.2, 0.1).solve().unwrap();
    near(&found.weights, &[0.8, 0.2], 1e-10);
    near(&[found.turnover_multiplier], &[0.2], 1e-9);
    // A limit that does not bind, and trading that costs nothing.
    let found = desk().trading(&held, 5.0, 0.0).solve().unwrap();
    near(&found.weights, &[0.5, 0.5], 1e-12);
    assert_eq!(found.method, Method::ActiveSet);
    // Money that is not invested yet has to be.
    let found = desk().trading(&[0.0, 0.0], 1.0, 0.01).solve().unwrap();
    near(&found.weights, &[0.5, 0.5], 1e-9);
}

#[test]
fn what_cannot_be_is_named() {
    let desk = || Desk::plain(3);
    let first = [1.0, 0.0, 0.0];
    for (desk, wanted) in [
        (
            desk().row("a", &first, 1.2, NONE),
            "\"a\": at least 1.2 is asked for, weights within",
        ),
        (
            desk().row("a", &[-1.0, -2.0, -1.0], 0.0, 1.0),
            "\"a\": at least 0 is asked for",
        ),
        (
            desk().row("a", &[1.0, 2.0, 3.0], -1.0, 0.5),
            "\"a\": at most 0.5 is asked for",
        ),
        (
            desk().row("a", &first, 0.5, 0.4),
            "\"a\": its lower limit 0.5 is above",
        ),
        (
            desk().row("a", &first, f64::NAN, 0.4),
            "\"a\": its lower limit NaN",
        ),
        (
            desk().row("a", &first, -NONE, NONE),
            "\"a\": it has neither",
        ),
        (
            desk().row("a", &first, NONE, NONE),
            "\"a\": a limit is infinite",
        ),
        (
            desk().row("a", &[0.0; 3], 0.0, 1.0),
            "\"a\": all coefficients are 0",
        ),
        (
            desk().row("a", &[2.0; 3], 0.0, 3.0),
            "\"a\": all coefficients are the same",
        ),
        (
            desk().row("a", &[1.0, 2.0], 0.0, 1.0),
            "\"a\": constraint: 2 numbers beside 3",
        ),
        (
            desk().row("a", &[f64::NAN, 1.0, 0.0], 0.0, 1.0),
            "\"a\": coefficients[0]: no number",
        ),
        (
            desk().row("a", &[1e-200, 0.0, 0.0], 0.0, 1.0),
            "\"a\": its largest coefficient",
        ),
        (
            desk()
                .row("a", &first, 0.1, 0.5)
                .row("a", &[0.0, 1.0, 0.0], 0.1, 0.5),
            "\"a\": there are two of this name",
        ),
        (
            desk()
                .row("a", &first, 0.1, 0.5)
                .row("b", &[-2.0, 0.0, 0.0], -1.0, 0.0),
            "\"b\": its coefficients are those of \"a\", or multiples",
        ),
        (
            desk()
                .row("a", &[1.0, 1.0, 0.0], 0.8, NONE)
                .row("loose", &[1.0, 0.0, 2.0], 0.1, NONE)
                .row("b", &[0.0, 1.0, 1.0], 0.8, NONE)
                .row("c", &[1.0, 0.0, 1.0], 0.8, NONE),
            "fulfil \"a\", \"b\", \"c\" together",
        ),
        (
            desk()
                .row("a", &first, 0.8, NONE)
                .trading(&[0.0, 0.5, 0.5], 0.4, 0.0),
            "fulfil \"a\", the limit on turnover together",
        ),
        (
            desk().trading(&[0.2; 3], 0.1, 0.0),
            "fulfil the limit on turnover together",
        ),
        (
            desk().trading(&[0.2; 3], -0.1, 0.0),
            "turnover: -0.1 is not",
        ),
        (
            desk().trading(&[0.2; 2], 0.1, 0.0),
            "held: 2 numbers beside 3",
        ),
        (
            desk().trading(&[0.2; 3], 0.1, f64::NAN),
            "cost: NaN is not between 0 and 1",
        ),
    ] {
        let refused = desk.refused();
        assert!(refused.contains(wanted), "{refused}, not {wanted}");
    }
    // Weights without bounds could run away.
    let mut unbounded = desk();
    unbounded.upper[1] = NONE;
    assert!(
        unbounded.refused().contains("upper: inf is not"),
        "{}",
        unbounded.refused()
    );
    // The same asset twice: which of both is bought is open.
    let mut twice = Desk::plain(2).trading(&[0.5, 0.5], 0.1, 0.01);
    twice.matrix = vec![1.0; 4];
    assert!(
        twice.refused().contains("covariance: column 1"),
        "{}",
        twice.refused()
    );
}

/// Numbers from 0 to 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn list(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }

    /// Weights that add up to 1, of few assets.
    fn weights(&mut self, count: usize) -> Vec<f64> {
        let raw: Vec<f64> = self
            .list(count)
            .iter()
            .map(|x| (x - 0.5).max(0.0) + 1e-3)
            .collect();
        let sum: f64 = raw.iter().sum();
        raw.iter().map(|x| x / sum).collect()
    }

    fn desk(&mut self, count: usize) -> Desk {
        let scale = 10f64.powf(-4.0 * self.next());
        let loadings: Vec<Vec<f64>> = (0..4).map(|_| self.list(count)).collect();
        let own = self.list(count);
        let between = |at: usize| {
            let [a, b] = [at / count, at % count];
            let common: f64 = loadings
                .iter()
                .map(|row| (row[a] - 0.3) * (row[b] - 0.3))
                .sum();
            scale * (common + if a == b { 0.05 + own[a] } else { 0.0 })
        };
        let mut desk = Desk::plain(count);
        desk.matrix = (0..count * count).map(between).collect();
        desk.mean = self.list(count).iter().map(|x| scale * x).collect();
        desk.aversion = 0.5 + 20.0 * self.next();
        desk
    }
}

#[test]
fn no_other_portfolio_is_better_than_the_proof_says() {
    let mut random = Random(1);
    let (mut methods, mut bound) = ([0; 3], 0);
    for case in 0..60 {
        let count = 3 + case % 28;
        let mut desk = random.desk(count);
        // Limits that these weights fulfil, some just so.
        let inner = random.weights(count);
        for row in 0..case % 6 {
            let coefficients: Vec<f64> = match row % 2 {
                0 => random
                    .list(count)
                    .iter()
                    .map(|x| f64::from(*x < 0.4))
                    .collect(),
                _ => random.list(count).iter().map(|x| 3.0 * x - 1.0).collect(),
            };
            let value = dot(&coefficients, &inner);
            let [below, above] = [0.1 * random.next(), 0.1 * random.next()];
            let (lower, upper) = match case % 3 {
                0 => (value - below, NONE),
                1 => (value - below, value + above),
                _ => (value, value),
            };
            let is_empty = coefficients.iter().all(|x| *x == coefficients[0]);
            if !is_empty && (lower != upper || row < count - 2) {
                desk = desk.row(&format!("row {row}"), &coefficients, lower, upper);
            }
        }
        if case % 4 != 0 {
            let held = random.weights(count);
            let way = distance(&held, &inner) * (1.0 + 0.2 * random.next());
            let turnover = if case % 4 == 1 { NONE } else { way };
            let cost = if case % 4 == 2 {
                0.0
            } else {
                0.1 * desk.mean[0]
            };
            desk = desk.trading(&held, turnover, cost);
        }
        assert!(desk.miss(&inner) < 1e-12, "case {case}");
        let found = match desk.solve() {
            Ok(found) => found,
            // Sectors that are one by chance.
            Err(Unsolved::Constraint { what, .. }) if what.contains("multiples") => continue,
            Err(error) => panic!("case {case}: {error}"),
        };
        methods[found.method as usize] += 1;
        bound += found
            .multipliers
            .iter()
            .skip(1)
            .filter(|y| **y != 0.0)
            .count();
        let scale = desk.matrix.iter().fold(0.0f64, |most, x| most.max(x.abs())) * desk.aversion;
        let proof = found.proof;
        assert!(desk.miss(&found.weights) < 1e-9, "case {case}: {found:?}");
        assert!(proof.gap <= 1e-8 * scale, "case {case}: {found:?}");
        let ours = desk.objective(&found.weights);
        for part in 1..=20 {
            let part = f64::from(part) / 20.0;
            let mixed = found.weights.iter().zip(&inner);
            let mixed: Vec<f64> = mixed.map(|(x, y)| x + part * (y - x)).collect();
            let theirs = desk.objective(&mixed);
            assert!(
                theirs >= ours - proof.gap - 1e-12 * scale,
                "case {case}: {theirs} < {ours}"
            );
        }
    }
    assert!(
        methods[0] > 5 && methods[1] > 20 && bound > 20,
        "{methods:?}, {bound}"
    );
}

#[test]
fn limits_that_do_not_bind_change_nothing() {
    let mut random = Random(2);
    for count in [2, 5, 17, 40] {
        let desk = random.desk(count);
        let plain = desk.plainly(&[]);
        let coefficients: Vec<f64> = random.list(count);
        let value = dot(&coefficients, &plain);
        let free = desk.row("wide", &coefficients, value - 0.01, value + 0.01);
        near(&free.solve().unwrap().weights, &plain, 1e-12);
        // A limit of turnover that holds just not, and a cost next to nothing.
        let held = random.weights(count);
        let way = distance(&held, &plain);
        let dear = free.trading(&held, way + 1e-6, 1e-16);
        let found = dear.solve().unwrap();
        near(&found.weights, &plain, 1e-8);
        assert_ne!(found.method, Method::ActiveSet);
    }
}

#[test]
fn both_solvers_agree_where_both_can() {
    let mut random = Random(3);
    for count in [4, 11, 30] {
        let mut desk = random.desk(count);
        let inner = random.weights(count);
        let exposure: Vec<f64> = random.list(count);
        let value = dot(&exposure, &inner);
        let equality = Equality {
            coefficients: &exposure,
            value,
        };
        let plain = desk.plainly(&[equality]);
        desk = desk.row("exposure", &exposure, value, value);
        let quick = desk.solve().unwrap();
        assert_eq!(quick.method, Method::ActiveSet);
        near(&quick.weights, &plain, 1e-12);
        // A cost too small to matter sends the same program to the interior-point method.
        let interior = desk.trading(&inner, NONE, 1e-16).solve().unwrap();
        assert_ne!(interior.method, Method::ActiveSet);
        near(&interior.weights, &plain, 1e-8);
        near(&interior.multipliers, &quick.multipliers, 1e-8);
    }
}
