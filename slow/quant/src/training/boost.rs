//! Rounds of trees, one for each class, each a step of Newton's down the loss of all before it
//! (J. Friedman, "Greedy function approximation", Annals of Statistics 29, 2001).

use std::ops::ControlFlow;

use super::bins::Bins;
use super::grow::{Ground, Grown, Split};
use super::{Examples, Growth};
use crate::fault::Fault;

/// A tree as it is kept: leaves have what they add to a class's sum.
pub(super) struct Kept {
    pub splits: Vec<Split>,
    pub leaves: Vec<f64>,
    pub counts: Vec<usize>,
}

/// Trees that were trained.
pub struct Booster {
    pub(super) features: usize,
    pub(super) classes: usize,
    pub(super) bins: Bins,
    /// The least and the greatest number of each feature.
    pub(super) spans: Vec<Option<[f32; 2]>>,
    /// Round by round, those of all classes.
    pub(super) trees: Vec<Kept>,
}

/// Rows with their bins and sums.
struct State {
    columns: Vec<Vec<u8>>,
    /// Row by row, of all classes.
    sums: Vec<f64>,
}

impl Booster {
    /// Trains on examples. If others are held back, which must be later ones, rounds end where
    /// these have the least loss. `watch` is told how many rounds are done and may stop it.
    ///
    /// # Errors
    /// `Outside`, with what of `growth` is.
    pub fn train(
        examples: &Examples<'_>,
        held_back: Option<&Examples<'_>>,
        growth: Growth,
        mut watch: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Self, Fault> {
        growth.check()?;
        let bins = Bins::of(examples);
        let weights = examples.weights(growth.is_balanced);
        let starts = starts(examples, &weights);
        let state = |examples: &Examples<'_>| State {
            columns: bins.columns(examples),
            sums: starts.repeat(examples.len()),
        };
        let mut learnt = state(examples);
        let mut judged = held_back.map(|later| (later, state(later)));
        let mut trees: Vec<Kept> = Vec::new();
        let (mut best, mut least) = (0, f64::INFINITY);
        for round in 0..growth.rounds {
            for tree in round_of((examples, &weights), &bins, growth, &mut learnt) {
                let class = trees.len() % examples.classes;
                if let Some((_, state)) = &mut judged {
                    state.add(&tree, class, examples.classes);
                }
                trees.push(tree);
            }
            if let Some((later, state)) = &judged {
                let loss = loss(later, &weights, &state.sums);
                if loss < least {
                    (best, least) = (round + 1, loss);
                }
                if round + 1 >= best + growth.patience {
                    break;
                }
            } else {
                best = round + 1;
            }
            if watch(round + 1).is_break() {
                break;
            }
        }
        trees.truncate(best * examples.classes);
        // What all begin with becomes part of the first trees.
        for (tree, start) in trees.iter_mut().zip(&starts) {
            tree.leaves.iter_mut().for_each(|value| *value += start);
        }
        Ok(Self {
            features: examples.features,
            classes: examples.classes,
            spans: spans(examples),
            bins,
            trees,
        })
    }

    /// How many rounds of trees there are.
    #[must_use]
    pub const fn rounds(&self) -> usize {
        self.trees.len() / self.classes
    }
}

/// A tree for each class, by the same sums.
fn round_of(
    (examples, weights): (&Examples<'_>, &[f64]),
    bins: &Bins,
    growth: Growth,
    state: &mut State,
) -> Vec<Kept> {
    let classes = examples.classes;
    let shares = shares(&state.sums, classes);
    // Sums of all classes may move together: each moves by less (Friedman, Hastie and Tibshirani
    // 2000).
    let scale = classes as f64 / (classes - 1) as f64;
    let mut trees = Vec::with_capacity(classes);
    for class in 0..classes {
        let rows = shares.chunks_exact(classes).zip(examples.labels);
        let derivatives: Vec<[f64; 2]> = rows
            .map(|(shares, label)| {
                let share = shares[class];
                let is = f64::from(u8::from(*label as usize == class));
                let weight = weights[*label as usize];
                [
                    weight * (share - is),
                    weight * (scale * share * (1.0 - share)),
                ]
            })
            .collect();
        let ground = Ground {
            bins,
            columns: &state.columns,
            growth,
        };
        let grown = ground.grow(&derivatives);
        for leaf in &grown.leaves {
            for row in &grown.order[leaf.rows.clone()] {
                state.sums[*row as usize * classes + class] += growth.rate * leaf.value;
            }
        }
        trees.push(Kept::of(&grown, growth.rate));
    }
    trees
}

impl Kept {
    fn of(grown: &Grown, rate: f64) -> Self {
        Self {
            splits: grown.splits.clone(),
            leaves: grown.leaves.iter().map(|leaf| rate * leaf.value).collect(),
            counts: grown.leaves.iter().map(|leaf| leaf.rows.len()).collect(),
        }
    }

    fn leaf(&self, columns: &[Vec<u8>], row: usize) -> usize {
        let mut at = if self.splits.is_empty() { !0 } else { 0 };
        while let Ok(split) = usize::try_from(at) {
            let split = &self.splits[split];
            let is_left = split.is_left(columns[split.feature][row]);
            at = split.children[usize::from(!is_left)];
        }
        !at as usize
    }
}

impl State {
    fn add(&mut self, tree: &Kept, class: usize, classes: usize) {
        for row in 0..self.sums.len() / classes {
            self.sums[row * classes + class] += tree.leaves[tree.leaf(&self.columns, row)];
        }
    }
}

/// Logarithms of how much classes weigh, as if each had been seen once more.
fn starts(examples: &Examples<'_>, weights: &[f64]) -> Vec<f64> {
    let counts = examples.counts().into_iter().zip(weights);
    let seen: Vec<f64> = counts
        .map(|(count, weight)| count as f64 * weight + 1.0)
        .collect();
    let all: f64 = seen.iter().sum();
    seen.iter().map(|seen| libm::log(seen / all)).collect()
}

/// The probabilities that sums stand for.
fn shares(sums: &[f64], classes: usize) -> Vec<f64> {
    let mut shares = sums.to_vec();
    for row in shares.chunks_exact_mut(classes) {
        let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.iter_mut().for_each(|x| *x = libm::exp(*x - most));
        let all: f64 = row.iter().sum();
        row.iter_mut().for_each(|x| *x /= all);
    }
    shares
}

/// The mean of minus the logarithm of what the right class was given, by the weights of classes.
fn loss(examples: &Examples<'_>, weights: &[f64], sums: &[f64]) -> f64 {
    let shares = shares(sums, examples.classes);
    let rows = shares.chunks_exact(examples.classes).zip(examples.labels);
    let losses = rows.map(|(shares, label)| {
        let label = *label as usize;
        -weights[label] * libm::log(shares[label].max(1e-300))
    });
    losses.sum::<f64>() / examples.len() as f64
}

fn spans(examples: &Examples<'_>) -> Vec<Option<[f32; 2]>> {
    let span = |feature: usize| {
        let numbers = examples
            .rows
            .iter()
            .skip(feature)
            .step_by(examples.features);
        let numbers = numbers.filter(|x| !x.is_nan());
        numbers.fold(None, |span: Option<[f32; 2]>, x| {
            let [least, most] = span.unwrap_or([*x; 2]);
            Some([least.min(*x), most.max(*x)])
        })
    };
    (0..examples.features).map(span).collect()
}
