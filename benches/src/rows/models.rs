//! `models`: what a row costs that a model is asked about.
//!
//! The peer is what a model says of itself, followed node by node, or weight by weight: answers
//! must be equal, those of networks to what `f32` can tell.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use analytics::arch::{Backend, Kernel, LANES, Lanes};
use quant::Fault;
use quant::models::{Forest, Network};

use super::numbers::used;
use crate::compare::{Case, Subject, compare};
use crate::random::Random;
use crate::{BenchError, Effort, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "models",
    about: "a row through trees or a network, alone and of many: ours, followed node by node",
    run,
};

const FEATURES: usize = 40;
/// Trees, and levels of each.
const SIZES: [(usize, u32); 3] = [(100, 6), (500, 6), (1_000, 8)];
/// Rows that are asked about.
const ROWS: usize = 1_024;
/// Of each feature a trainer bins: different thresholds.
const BINS: u32 = 254;
/// Layers of the network.
const SHAPE: [usize; 4] = [FEATURES, 64, 32, 3];

type Ask = fn(&Forest, &[f32], &mut [f64]) -> Result<(), Fault>;

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let mut cases = Vec::new();
    for (trees, levels) in SIZES {
        let trees = options.effort.pick(trees / 50, trees, trees);
        cases.extend(forest(options.effort, trees, levels)?);
    }
    cases.extend(network(options.effort)?);
    Ok(cases)
}

fn failed(fault: Fault) -> BenchError {
    BenchError::failed("models", fault)
}

fn rows() -> Vec<f32> {
    let mut random = Random::new(11);
    let row = |_| match random.below(50) {
        0 => f32::NAN,
        1 => 0.0,
        _ => random.about_zero() as f32 * 2.0,
    };
    (0..ROWS * FEATURES).map(row).collect()
}

/// One turn, in picoseconds a row.
fn timed(
    effort: Effort,
    mut work: impl FnMut() -> Result<(), Fault>,
) -> Result<Vec<crate::stats::Samples>, BenchError> {
    let turns = effort.pick(1, 20, 100);
    let start = Instant::now();
    for _ in 0..turns {
        work().map_err(failed)?;
    }
    let whole = start.elapsed().as_nanos() as u64;
    Ok(vec![vec![whole * 1_000 / (turns * ROWS) as u64]])
}

/// A split of a full tree; the children of `at` are `2 * at + 1` and the one after it.
struct Split {
    feature: usize,
    threshold: f64,
    is_left_default: bool,
}

/// A tree as it is told.
struct Plain {
    splits: Vec<Split>,
    leaves: Vec<f64>,
}

impl Plain {
    fn many(count: usize, levels: u32) -> Vec<Self> {
        let mut random = Random::new(3);
        let mut tree = |_| {
            let mut split = |_| Split {
                feature: random.below(FEATURES as u32) as usize,
                threshold: f64::from(random.below(BINS)) / f64::from(BINS) * 2.0 - 1.0 + 1e-9,
                is_left_default: random.below(2) == 0,
            };
            Self {
                splits: (1..1 << levels).map(&mut split).collect(),
                leaves: (0..1 << levels).map(|_| random.about_zero()).collect(),
            }
        };
        (0..count).map(&mut tree).collect()
    }

    fn leaf(&self, row: &[f32]) -> f64 {
        let mut at = 0;
        while let Some(split) = self.splits.get(at) {
            let x = f64::from(row[split.feature]);
            let is_left = if x.is_nan() {
                split.is_left_default
            } else {
                x <= split.threshold
            };
            at = 2 * at + if is_left { 1 } else { 2 };
        }
        self.leaves[at - self.splits.len()]
    }

    /// As LightGBM writes it.
    fn write(&self, number: usize, to: &mut String) {
        let mut line = |name: &str, numbers: &mut dyn Iterator<Item = String>| {
            let numbers: Vec<String> = numbers.collect();
            let _ = writeln!(to, "{name}={}", numbers.join(" "));
        };
        let (splits, count) = (&self.splits, self.splits.len());
        let child = |at: usize| {
            if at < count {
                at as i64
            } else {
                !((at - count) as i64)
            }
        };
        line("Tree", &mut [number.to_string()].into_iter());
        line("num_leaves", &mut [(count + 1).to_string()].into_iter());
        line(
            "split_feature",
            &mut splits.iter().map(|x| x.feature.to_string()),
        );
        line(
            "threshold",
            &mut splits.iter().map(|x| x.threshold.to_string()),
        );
        let kind = |x: &Split| if x.is_left_default { "10" } else { "8" }.to_owned();
        line("decision_type", &mut splits.iter().map(kind));
        line(
            "left_child",
            &mut (0..count).map(|at| child(2 * at + 1).to_string()),
        );
        line(
            "right_child",
            &mut (0..count).map(|at| child(2 * at + 2).to_string()),
        );
        line("leaf_value", &mut self.leaves.iter().map(f64::to_string));
    }
}

fn read(trees: &[Plain]) -> Result<Forest, BenchError> {
    let mut text = format!(
        "tree\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx={}\nobjective=regression\n",
        FEATURES - 1
    );
    for (number, tree) in trees.iter().enumerate() {
        tree.write(number, &mut text);
    }
    text.push_str("end of trees\n");
    Forest::lightgbm(&text).map_err(|error| BenchError::failed("the trees", error))
}

fn forest(effort: Effort, count: usize, levels: u32) -> Result<Vec<Case>, BenchError> {
    let trees = Plain::many(count, levels);
    let narrow = read(&trees)?;
    let wide = narrow.clone().widened();
    let rows = rows();
    let plain = |row: &[f32]| trees.iter().fold(0.0, |sum, tree| sum + tree.leaf(row));
    let wanted: Vec<f64> = rows.chunks_exact(FEATURES).map(plain).collect();
    let mut sums = vec![0.0; ROWS];
    for (name, forest) in [("8 bits", &narrow), ("16 bits", &wide)] {
        for ask in [one_by_one as Ask, Forest::margins] {
            sums.fill(0.0);
            ask(forest, &rows, &mut sums).map_err(failed)?;
            if sums != wanted {
                let what = format!("{count} trees with ranks of {name} say something else");
                return Err(BenchError::WrongAnswer(what));
            }
        }
    }
    let [mut a, mut b, mut c, mut d] = [(); 4].map(|()| vec![0.0; ROWS]);
    let single = vec![
        Subject::new("ours", || {
            timed(effort, || one_by_one(&narrow, &rows, &mut a))
        }),
        Subject::new("ours, 16 bits", || {
            timed(effort, || one_by_one(&wide, &rows, &mut b))
        }),
        Subject::new("node by node", || {
            timed(effort, || {
                used(rows.chunks_exact(FEATURES).map(plain).sum::<f64>());
                Ok(())
            })
        }),
    ];
    let name = format!("{count} trees of {levels} levels, a row alone");
    let mut cases = compare(&[&name], effort.rounds(), single)?;
    let batch = vec![
        Subject::new("ours", || timed(effort, || narrow.margins(&rows, &mut c))),
        Subject::new("ours, 16 bits", || {
            timed(effort, || wide.margins(&rows, &mut d))
        }),
        Subject::new("node by node", || {
            timed(effort, || {
                used(rows.chunks_exact(FEATURES).map(plain).sum::<f64>());
                Ok(())
            })
        }),
    ];
    let name = format!("{count} trees of {levels} levels, a row of {ROWS}");
    cases.extend(compare(&[&name], effort.rounds(), batch)?);
    Ok(cases)
}

fn one_by_one(forest: &Forest, rows: &[f32], sums: &mut [f64]) -> Result<(), Fault> {
    let rows = rows.chunks_exact(FEATURES);
    let mut pairs = rows.zip(sums.iter_mut());
    pairs.try_for_each(|(row, sum)| forest.margins(row, std::slice::from_mut(sum)))
}

fn network(effort: Effort) -> Result<Vec<Case>, BenchError> {
    let mut random = Random::new(7);
    let mut many = |count: usize| {
        (0..count)
            .map(|_| random.about_zero())
            .collect::<Vec<f64>>()
    };
    let layers = SHAPE.windows(2).map(|pair| {
        let weights: Vec<_> = (0..pair[0]).map(|_| many(pair[1])).collect();
        (weights, many(pair[1]))
    });
    let (coefs, intercepts): (Vec<_>, Vec<_>) = layers.unzip();
    let file = serde_json::json!({
        "coefs": coefs, "intercepts": intercepts, "activation": "relu", "out": "softmax",
    });
    let network = Network::json(file.to_string().as_bytes());
    let network = network.map_err(|error| BenchError::failed("the network", error))?;
    let rows: Vec<f32> = rows()
        .iter()
        .map(|x| if x.is_nan() { 0.0 } else { *x })
        .collect();
    let wide: Vec<f64> = rows.iter().map(|x| f64::from(*x)).collect();
    let outputs = SHAPE[3];
    let [mut results, mut exact] = [(); 2].map(|()| vec![0.0; ROWS * outputs]);
    let one_by_one = |results: &mut [f64]| {
        let pairs = rows
            .chunks_exact(FEATURES)
            .zip(results.chunks_exact_mut(outputs));
        pairs
            .into_iter()
            .try_for_each(|(row, to)| network.predict(row, to))
    };
    let exactly = |results: &mut [f64]| {
        let pairs = wide
            .chunks_exact(FEATURES)
            .zip(results.chunks_exact_mut(outputs));
        pairs
            .into_iter()
            .try_for_each(|(row, to)| network.predict_exactly(row, to))
    };
    one_by_one(&mut results).map_err(failed)?;
    exactly(&mut exact).map_err(failed)?;
    let off = results.iter().zip(&exact).map(|(x, y)| (x - y).abs());
    let off = off.fold(0.0, f64::max);
    if off > 1e-5 || exact.iter().any(|x| x.is_nan()) {
        return Err(BenchError::WrongAnswer(format!("a network is {off} off")));
    }
    let mut many = vec![0.0; ROWS * outputs];
    network.predict(&rows, &mut many).map_err(failed)?;
    if many != results {
        let what = "a network says something else of many rows".to_string();
        return Err(BenchError::WrongAnswer(what));
    }
    let note = format!("results differ by {off:.1e} at most");
    let alone = vec![
        Subject::new("ours", || timed(effort, || one_by_one(&mut results))),
        Subject::new("weight by weight, f64", || {
            timed(effort, || exactly(&mut exact))
        }),
    ];
    let name = "a network of 40, 64, 32, 3, a row alone";
    let mut cases = compare(&[name], effort.rounds(), alone)?;
    let among_many = vec![
        Subject::new("ours", || {
            timed(effort, || network.predict(&rows, &mut many))
        }),
        Subject::new("row by row", || timed(effort, || one_by_one(&mut results))),
        Subject::new("as many multiply-adds, in registers", || {
            timed(effort, || {
                used(Backend::best().run(MultiplyAdds(ROWS * multiply_adds())));
                Ok(())
            })
        }),
    ];
    let name = format!("a network of 40, 64, 32, 3, a row of {ROWS}");
    cases.extend(compare(&[&name], effort.rounds(), among_many)?);
    Ok(cases.into_iter().map(|case| case.noted(&note)).collect())
}

/// Those of a row through the network.
fn multiply_adds() -> usize {
    SHAPE.windows(2).map(|pair| pair[0] * pair[1]).sum()
}

/// So many multiply-adds of `f32`, of which none waits for the one before it: no network of so many
/// weights is quicker.
struct MultiplyAdds(usize);

impl Kernel for MultiplyAdds {
    type Output = f32;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f32 {
        // As many as stay in registers, of which there are 32 of 512 bits, 16 of 256.
        if align_of::<L::S>() >= 64 {
            sums::<L, 16>(lanes, self.0)
        } else {
            sums::<L, 6>(lanes, self.0)
        }
    }
}

#[inline(always)]
fn sums<L: Lanes, const COUNT: usize>(lanes: L, multiply_adds: usize) -> f32 {
    let [x, y] = [0.999, 1e-3].map(|x| lanes.splat_f32(black_box(x)));
    let mut sums = [lanes.splat_f32(black_box(1.0)); COUNT];
    for _ in 0..multiply_adds / (LANES * COUNT) {
        for sum in &mut sums {
            *sum = lanes.mul_add_f32(*sum, x, y);
        }
    }
    let mut whole = [0.0; LANES];
    let all = sums.into_iter().fold(y, |all, sum| lanes.add_f32(all, sum));
    lanes.store_f32(all, &mut whole);
    whole.iter().sum()
}
