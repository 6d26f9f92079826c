//! What statistics that are kept have lost after so many ticks, against exact arithmetic.
//!
//! `cargo test --profile checked -p analytics --test drift -- --ignored --nocapture` feeds each
//! series 1,000,000,000 ticks and prints the table of `docs/analytics.md`; a thousandth of that
//! runs always. Ticks are whole numbers, so their exact sums are kept beside as integers.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use std::collections::VecDeque;

use analytics::statistics::{GrowingPair, Rolling, RollingPair, WeightedPair};

/// About what all ticks are: sums of their squares would need 60 bits and more.
const ABOUT: i64 = 1_000_000_000;
const WINDOW: usize = 100;
/// Ticks that are kept for weighted means: older ones weigh less than 1e-40.
const KEPT: usize = 1_500;
const ALPHA: f64 = 0.06;

/// Ticks without a pattern, by the number of the tick.
#[derive(Clone, Copy, Debug)]
enum Series {
    /// Within 1,000 of the same number.
    Calm,
    /// They wander up to 1,000,000 away, and back.
    Wandering,
    /// Calm ones but for one of 100,003, which is off by 100,000,000.
    Outliers,
}

/// Makes pairs of ticks, as differences from [`ABOUT`].
struct Source {
    series: Series,
    state: u64,
    count: u64,
    walk: i64,
}

impl Source {
    fn new(series: Series) -> Self {
        Self {
            series,
            state: 7,
            count: 0,
            walk: 0,
        }
    }

    /// From `-most` to `most`.
    fn random(&mut self, most: i64) -> i64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as i64 % (2 * most + 1) - most
    }

    fn next(&mut self) -> [i64; 2] {
        self.count += 1;
        let x = match self.series {
            Series::Calm => self.random(1_000),
            Series::Wandering => {
                let step = self.random(1_000);
                self.walk = (self.walk + step).clamp(-1_000_000, 1_000_000);
                self.walk
            }
            Series::Outliers if self.count.is_multiple_of(100_003) => 100_000_000,
            Series::Outliers => self.random(1_000),
        };
        [x, x / 2 + self.random(500)]
    }
}

/// Exact sums of pairs.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: i128,
    x: i128,
    y: i128,
    xx: i128,
    yy: i128,
    xy: i128,
}

impl Sums {
    fn add(&mut self, [x, y]: [i64; 2], sign: i128) {
        let [x, y] = [x, y].map(i128::from);
        self.count += sign;
        self.x += sign * x;
        self.y += sign * y;
        self.xx += sign * x * x;
        self.yy += sign * y * y;
        self.xy += sign * x * y;
    }

    /// Mean, variance and covariance (divided by one less than the count), correlation: each is
    /// rounded at the end only.
    fn answers(&self) -> [f64; 4] {
        let times = self.count * (self.count - 1);
        let [xx, yy, xy] = [
            self.count * self.xx - self.x * self.x,
            self.count * self.yy - self.y * self.y,
            self.count * self.xy - self.x * self.y,
        ];
        let mean = (i128::from(ABOUT) * self.count + self.x) as f64 / self.count as f64;
        let [variance, covariance] = [xx, xy].map(|sum| sum as f64 / times as f64);
        [
            mean,
            variance,
            covariance,
            xy as f64 / ((xx as f64).sqrt() * (yy as f64).sqrt()),
        ]
    }
}

/// Mean and variance of weighted ticks, oldest first: those before weigh nothing any more.
fn weighted(kept: &VecDeque<[i64; 2]>) -> [f64; 2] {
    let weight = |age: usize| ALPHA * (1.0 - ALPHA).powi(age as i32);
    let sum = |of: &dyn Fn(f64) -> f64| -> f64 {
        let ages = (0..kept.len()).rev();
        ages.zip(kept)
            .map(|(age, [x, _])| weight(age) * of(*x as f64))
            .sum()
    };
    let mean = sum(&|x| x);
    [ABOUT as f64 + mean, sum(&|x| (x - mean) * (x - mean))]
}

/// How far numbers are from the exact ones, as parts of these.
fn errors<const N: usize>(found: [f64; N], exact: [f64; N]) -> [f64; N] {
    std::array::from_fn(|at| ((found[at] - exact[at]) / exact[at]).abs())
}

/// The greatest errors that were seen at the marks so far.
struct Found {
    growing: [f64; 4],
    rolling: [f64; 4],
    weighted: [f64; 2],
}

/// Feeds ticks; looks at the statistics at each power of ten and at some ticks before it.
fn feed(series: Series, ticks: u64) -> Vec<(u64, Found)> {
    let mut source = Source::new(series);
    let (mut all, mut last) = (Sums::default(), Sums::default());
    let mut kept = VecDeque::with_capacity(KEPT + 1);
    let mut growing = GrowingPair::default();
    let mut one = Rolling::new(WINDOW).unwrap();
    let mut rolling = RollingPair::new(WINDOW).unwrap();
    let mut ewm = WeightedPair::new(ALPHA).unwrap();
    let (mut found, mut mark) = (Vec::new(), 10_000);
    for count in 1..=ticks {
        let pair = source.next();
        all.add(pair, 1);
        last.add(pair, 1);
        kept.push_back(pair);
        if kept.len() > WINDOW {
            last.add(kept[kept.len() - 1 - WINDOW], -1);
        }
        if kept.len() > KEPT {
            kept.pop_front();
        }
        let [x, y] = pair.map(|one| (ABOUT + one) as f64);
        growing.push(x, y).unwrap();
        one.push(x).unwrap();
        rolling.push(x, y).unwrap();
        ewm.push(x, y).unwrap();
        if count == mark {
            mark *= 10;
            let now = [
                growing.x().mean(),
                growing.x().variance(1).unwrap(),
                growing.covariance(1).unwrap(),
                growing.correlation().unwrap(),
            ];
            let then = [
                one.mean(),
                one.variance(1).unwrap(),
                rolling.covariance(1).unwrap(),
                rolling.correlation().unwrap(),
            ];
            let [variance, _] = ewm.variance();
            let [mean, _] = ewm.mean();
            found.push((
                count,
                Found {
                    growing: errors(now, all.answers()),
                    rolling: errors(then, last.answers()),
                    weighted: errors([mean, variance], weighted(&kept)),
                },
            ));
        }
    }
    found
}

/// Runs all series; prints what was lost and holds it to the bound.
fn holds(ticks: u64) {
    for series in [Series::Calm, Series::Wandering, Series::Outliers] {
        for (count, found) in feed(series, ticks) {
            let Found {
                growing,
                rolling,
                weighted,
            } = found;
            let shown = |errors: &[f64]| {
                let shown: Vec<_> = errors.iter().map(|error| format!("{error:.0e}")).collect();
                shown.join(" ")
            };
            let [all, last, by_weight] = [&growing[..], &rolling, &weighted].map(shown);
            println!("{series:?}, {count} ticks: all {all}, last {last}, weighted {by_weight}");
            assert!(growing[0] < 1e-14 && rolling[0] < 1e-14 && weighted[0] < 1e-13);
            let others = growing[1..]
                .iter()
                .chain(&rolling[1..])
                .chain(&weighted[1..]);
            for error in others {
                assert!(*error < 1e-9, "{series:?} {count}: {error:e}");
            }
        }
    }
}

#[test]
fn a_million_ticks_cost_no_digits_that_matter() {
    holds(1_000_000);
}

#[test]
#[ignore = "minutes: the command is above"]
fn a_billion_ticks_cost_no_digits_that_matter() {
    holds(1_000_000_000);
}
