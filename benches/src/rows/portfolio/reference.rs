//! The reference instances beside the checkout: each of them cold, and warm after all has moved by
//! up to a hundredth; and whole frontiers, beside a search at each corner.
//!
//! What bounds a search from below is that the rows of what is held are read once.

use std::path::PathBuf;
use std::time::Instant;

use analytics::arch::Backend;
use quant::portfolio::{Covariance, Frontier, MeanVariance, Solution, frontier, max_sharpe};
use serde_json::Value;

use super::super::numbers::used;
use super::{checked, failed, same};
use crate::compare::{Case, Subject, compare};
use crate::random::Random;
use crate::stats::Samples;
use crate::{BenchError, Effort};

const FOLDER: &str = "../../shared/vectors/portfolio";
/// By how much means and variances move at most.
const MOVED: f64 = 0.01;

/// An instance's covariance and means, and those of a moment later.
struct Market {
    name: String,
    count: usize,
    matrices: [Vec<f64>; 2],
    means: [Vec<f64>; 2],
    cases: Vec<Value>,
}

/// What is asked of a market: none for the greatest ratio above a riskless return.
struct Question<'a> {
    matrix: &'a [f64],
    covariances: [Covariance<'a>; 2],
    means: [Vec<f64>; 2],
    aversion: Option<f64>,
    riskless: f64,
    lower: Vec<f64>,
    upper: Vec<f64>,
}

pub(super) fn cases(effort: Effort) -> Result<Vec<Case>, BenchError> {
    let Some(markets) = Market::all(effort.pick(20, 1_000, 1_000))? else {
        eprintln!("benches: {FOLDER} is not there: no reference instances");
        return Ok(Vec::new());
    };
    let mut questions = Vec::new();
    for market in &markets {
        questions.extend(market.questions()?);
    }
    let mut cases = instances(effort, &questions)?;
    // The other market's frontier has six times as many corners, with hundreds held at each.
    let frontiers = effort.pick(1, 1, markets.len());
    for market in &markets[..frontiers] {
        cases.extend(market.frontier(effort)?);
    }
    Ok(cases)
}

fn instances(effort: Effort, questions: &[Question<'_>]) -> Result<Vec<Case>, BenchError> {
    let mut answers = Vec::new();
    for question in questions {
        answers.push(question.solve(0, None)?);
    }
    let all = || questions.iter().zip(&answers);
    let subjects = vec![
        Subject::new("ours, cold", || {
            samples(all(), |(question, _)| question.solve(0, None))
        }),
        Subject::new("ours, warm", || {
            samples(all(), |(question, answer)| {
                question.solve(1, Some(&answer.weights))
            })
        }),
        Subject::new("rows that are held, read once", || {
            samples(all(), |(question, answer)| Ok(question.read(answer)))
        }),
    ];
    let held = |answer: &Solution| answer.weights.iter().filter(|x| **x > 0.0).count();
    let mut held: Vec<usize> = answers.iter().map(held).collect();
    held.sort_unstable();
    let note = format!(
        "{} instances, {} to {} held, {} in the middle",
        held.len(),
        held[0],
        held[held.len() - 1],
        held[held.len() / 2]
    );
    let name = format!(
        "a reference instance of {} assets",
        questions[0].lower.len()
    );
    let compared = compare(&[&name], effort.pick(1, 11, 31), subjects)?;
    Ok(compared.into_iter().map(|case| case.noted(&note)).collect())
}

/// A sample of each.
fn samples<T, R>(
    all: impl Iterator<Item = T>,
    mut work: impl FnMut(T) -> Result<R, BenchError>,
) -> Result<Vec<Samples>, BenchError> {
    let mut samples = Vec::new();
    for one in all {
        let start = Instant::now();
        used(work(one)?);
        samples.push(start.elapsed().as_nanos() as u64 * 1_000);
    }
    Ok(vec![samples])
}

impl Question<'_> {
    fn solve(&self, moment: usize, start: Option<&[f64]>) -> Result<Solution, BenchError> {
        let (covariance, mean) = (&self.covariances[moment], &self.means[moment]);
        let Some(aversion) = self.aversion else {
            return checked(max_sharpe(covariance, mean, self.riskless, start));
        };
        let program = MeanVariance {
            covariance,
            mean,
            aversion,
            lower: &self.lower,
            upper: &self.upper,
            equalities: &[],
        };
        checked(program.solve(start))
    }

    /// The sum of the squares of held assets' rows.
    fn read(&self, answer: &Solution) -> f64 {
        let backend = Backend::best();
        let held = answer.weights.iter().enumerate();
        let held = held.filter(|(_, weight)| **weight > 0.0);
        let row = |asset: usize| &self.matrix[asset * self.lower.len()..][..self.lower.len()];
        held.map(|(asset, _)| backend.dot(row(asset), row(asset)))
            .sum()
    }
}

impl Market {
    /// The markets of so many assets, if they are there.
    fn all(count: usize) -> Result<Option<Vec<Self>>, BenchError> {
        let Ok(text) = std::fs::read(beside("portfolio.json")) else {
            return Ok(None);
        };
        let wrong = |error| BenchError::failed("portfolio.json", error);
        let all: Value = serde_json::from_slice(&text).map_err(wrong)?;
        let all = all["cases"].as_array().into_iter().flatten();
        let chosen = all.filter(|case| case["n"].as_u64() == Some(count as u64));
        chosen.map(Self::read).collect::<Result<_, _>>().map(Some)
    }

    fn read(case: &Value) -> Result<Self, BenchError> {
        let name = case["name"].as_str().unwrap_or_default().to_owned();
        let of = |part: &str| numbers(&format!("{name}_{part}.npy"));
        let [loadings, variances, own, mean] = [of("B")?, of("f")?, of("d")?, of("mu")?];
        let (count, factors) = (own.len(), variances.len());
        let row = |at: usize| &loadings[at * factors..][..factors];
        let between = |a: usize, b: usize| -> f64 {
            let parts = row(a).iter().zip(row(b)).zip(&variances);
            parts.map(|((x, y), variance)| x * variance * y).sum()
        };
        let mut matrix = vec![0.0; count * count];
        for at in 0..count {
            for other in 0..=at {
                let shared = between(at, other);
                matrix[at * count + other] = shared;
                matrix[other * count + at] = shared;
            }
            matrix[at * count + at] += own[at];
        }
        let mut random = Random::new(5);
        let mut moved = |x: f64| x * (1.0 + MOVED * random.about_zero());
        let later = mean.iter().map(|x| moved(*x)).collect();
        let mut other = matrix.clone();
        for at in 0..count {
            other[at * count + at] += moved(own[at]) - own[at];
        }
        Ok(Self {
            name,
            count,
            matrices: [matrix, other],
            means: [mean, later],
            cases: case["cases"].as_array().cloned().unwrap_or_default(),
        })
    }

    fn covariance(&self, moment: usize) -> Result<Covariance<'_>, BenchError> {
        Covariance::dense(&self.matrices[moment], self.count).map_err(failed)
    }

    fn questions(&self) -> Result<Vec<Question<'_>>, BenchError> {
        let question = |case: &Value| {
            let is_none = case["mu"] != "mu" && case["case"] != "maxsharpe";
            let means = self.means.each_ref().map(|mean| {
                let part = if is_none { 0.0 } else { 1.0 };
                mean.iter().map(|x| part * x).collect()
            });
            let most = case["hi"].as_f64().unwrap_or(1.0);
            Ok(Question {
                matrix: &self.matrices[0],
                covariances: [self.covariance(0)?, self.covariance(1)?],
                means,
                aversion: case["gamma"]
                    .as_f64()
                    .filter(|_| case["case"] != "maxsharpe"),
                riskless: case["rf"].as_f64().unwrap_or(0.0),
                lower: vec![0.0; self.count],
                upper: vec![most; self.count],
            })
        };
        self.cases.iter().map(question).collect()
    }

    fn frontier(&self, effort: Effort) -> Result<Vec<Case>, BenchError> {
        let covariance = self.covariance(0)?;
        let (lower, upper) = (vec![0.0; self.count], vec![1.0; self.count]);
        let ours = || frontier(&covariance, &self.means[0], &lower, &upper).map_err(failed);
        let found = ours()?;
        let anew = |found: &Frontier| {
            for corner in found.corners.iter().filter(|corner| corner.tolerance > 0.0) {
                let program = MeanVariance {
                    covariance: &covariance,
                    mean: &self.means[0],
                    aversion: 1.0 / corner.tolerance,
                    lower: &lower,
                    upper: &upper,
                    equalities: &[],
                };
                same(&checked(program.solve(None))?.weights, &corner.weights)?;
            }
            Ok(())
        };
        let subjects = vec![
            Subject::new("ours", || samples(0..1, |_| ours())),
            Subject::new("a search at each corner", || {
                samples(0..1, |_| anew(&found))
            }),
        ];
        let note = format!("{} corners", found.corners.len());
        let name = format!("the frontier of {}", self.name);
        let compared = compare(&[&name], effort.pick(1, 11, 7), subjects)?;
        Ok(compared.into_iter().map(|case| case.noted(&note)).collect())
    }
}

fn beside(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    folder.join(name)
}

/// The numbers of a NumPy file of `<f8`.
fn numbers(name: &str) -> Result<Vec<f64>, BenchError> {
    let bytes = std::fs::read(beside(name)).map_err(|error| BenchError::failed(name, error))?;
    let wrong = || BenchError::Failed(format!("{name}: not a file of f64"));
    let header = bytes.get(8..10).ok_or_else(wrong)?;
    let header = 10 + usize::from(u16::from_le_bytes([header[0], header[1]]));
    let (numbers, rest) = bytes.get(header..).ok_or_else(wrong)?.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(wrong());
    }
    Ok(numbers.iter().map(|x| f64::from_le_bytes(*x)).collect())
}
