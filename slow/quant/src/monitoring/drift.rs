//! How far features have moved from where a model learnt.

use crate::fault::{Fault, same_length, within};
use crate::models::FEATURES_MAX;

/// Parts that the numbers of a feature are cut into, of equal numbers of rows where they can be.
pub const BINS_MAX: usize = 10;
/// Rows that something can be said of.
const ROWS_MIN: usize = 100;

/// How one feature's numbers were distributed.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// A number is in the part of the first edge that is not below it, or the last one.
    pub edges: Vec<f32>,
    /// Shares of the parts, and at last of what was missing.
    pub shares: Vec<f64>,
}

/// How all features were distributed where a model learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference(Vec<Feature>);

impl Reference {
    /// Of rows, one after the other; NaN is missing.
    ///
    /// # Errors
    /// Rows that are not whole, less than a hundred of them.
    pub fn of(rows: &[f32], features: usize) -> Result<Self, Fault> {
        checked(rows, features)?;
        let feature = |at: usize| {
            let column = || rows.iter().skip(at).step_by(features);
            let mut known: Vec<f32> = column().copied().filter(|x| !x.is_nan()).collect();
            known.sort_by(f32::total_cmp);
            let edge = |part: usize| known.get(part * known.len() / BINS_MAX).copied();
            let mut edges: Vec<f32> = (1..BINS_MAX).filter_map(edge).collect();
            edges.dedup();
            let shares = shares(&edges, column());
            Feature { edges, shares }
        };
        Ok(Self((0..features).map(feature).collect()))
    }

    /// Of what was kept of another one.
    ///
    /// # Errors
    /// Edges that do not rise, as many shares as do not fit them, shares that are not of one whole.
    pub fn kept(features: Vec<Feature>) -> Result<Self, Fault> {
        within("features", features.len() as f64, 1.0, FEATURES_MAX as f64)?;
        for Feature { edges, shares } in &features {
            within("edges", edges.len() as f64, 0.0, (BINS_MAX - 1) as f64)?;
            same_length("shares", shares.len(), edges.len() + 2)?;
            let rises = |at: usize| at == 0 || edges[at - 1] < edges[at];
            let place = (0..edges.len()).find(|at| edges[*at].is_nan() || !rises(*at));
            if let Some(place) = place {
                let what = "edges";
                return Err(Fault::NotFinite { what, place });
            }
            for share in shares {
                within("share", *share, 0.0, 1.0)?;
            }
            within("shares of all", shares.iter().sum(), 0.999, 1.001)?;
        }
        Ok(Self(features))
    }

    /// Feature by feature.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.0
    }

    /// The population stability index of each feature, `sum of (q - p) * ln(q / p)` over parts with
    /// shares `p` then and `q` now (N. Siddiqi, Credit Risk Scorecards, 2006): below 0.1 little has
    /// changed, from 0.25 on much. Parts that are empty count as half a row.
    ///
    /// # Errors
    /// As [`Reference::of`].
    pub fn drift(&self, rows: &[f32]) -> Result<Vec<f64>, Fault> {
        let features = self.0.len();
        checked(rows, features)?;
        let half = 0.5 / (rows.len() / features) as f64;
        let index = |(at, then): (usize, &Feature)| {
            let now = shares(&then.edges, rows.iter().skip(at).step_by(features));
            let pairs = then.shares.iter().zip(&now);
            let changed = pairs.filter(|(then, now)| then != now);
            changed
                .map(|(then, now)| {
                    let [then, now] = [then, now].map(|share| share.max(half));
                    (now - then) * libm::log(now / then)
                })
                .fold(0.0, |sum, part| sum + part)
        };
        Ok(self.0.iter().enumerate().map(index).collect())
    }
}

fn checked(rows: &[f32], features: usize) -> Result<(), Fault> {
    within("features", features as f64, 1.0, FEATURES_MAX as f64)?;
    same_length("rows", rows.len() % features, 0)?;
    if rows.len() / features >= ROWS_MIN {
        return Ok(());
    }
    Err(Fault::TooShort {
        what: "rows",
        found: rows.len() / features,
        needed: ROWS_MIN,
    })
}

/// How much of some numbers is in each part, and missing.
fn shares<'a>(edges: &[f32], numbers: impl Iterator<Item = &'a f32>) -> Vec<f64> {
    let mut counts = vec![0_u64; edges.len() + 2];
    let mut all = 0_u64;
    for x in numbers {
        let part = match x.is_nan() {
            true => edges.len() + 1,
            false => edges.partition_point(|edge| edge < x),
        };
        counts[part] += 1;
        all += 1;
    }
    counts
        .iter()
        .map(|count| *count as f64 / all as f64)
        .collect()
}
